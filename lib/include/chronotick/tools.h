/* SPDX-License-Identifier: MIT */
/*
 * libchronotick-tools: the time as tools for language models, as the Model Context Protocol (MCP)
 * has them, for a program that has an MCP server in its own process. All goes in and out as JSON text
 * in UTF-8.
 *
 * Every function may be called from several threads at a time. None of them logs, starts anything
 * or leaves anything open.
 */
#ifndef CHRONOTICK_TOOLS_H
#define CHRONOTICK_TOOLS_H

#ifdef __cplusplus
extern "C" {
#endif

#define CHRONOTICK_TOOLS_API extern __attribute__((visibility("default")))

/*
 * The tools: {"tools":[{"name":...,"title":...,"description":...,"inputSchema":{...},
 * "outputSchema":{...},"annotations":{...}}, ...]}. The schemas are of JSON Schema 2020-12.
 *
 * Returns 0 and a text for chronotick_tools_free() in *ret, or -ENOMEM.
 */
CHRONOTICK_TOOLS_API int chronotick_tools_list(char **ret);

/*
 * Call one. page: as chronotick_open()'s path, NULL for the usual one; opened for this call alone.
 * arguments: a JSON object; NULL or "": {}.
 *
 * Returns 0 and a text for chronotick_tools_free() in *ret:
 *	{"content":[{"type":"text","text":...}],"structuredContent":{...},"isError":false}
 * structuredContent is as the tool's outputSchema says, and the text is the same as JSON. Where the
 * call makes no sense, or there is no page, isError is true and the text is a sentence that says
 * what to do; structuredContent is there with the latter only.
 *
 * Or returns, and leaves *ret alone:
 *	-ENOENT	no tool has that name
 *	-EINVAL	arguments is no JSON object, or has a key twice
 *	-EINTR	a signal was handled while wait_until waited
 *	-ENOMEM
 *
 * All return at once but wait_until, which sleeps for as long as it is told.
 */
CHRONOTICK_TOOLS_API int chronotick_tools_call(const char *page, const char *name,
					       const char *arguments, char **ret);

/* Free a text. NULL is allowed. */
CHRONOTICK_TOOLS_API void chronotick_tools_free(char *text);

#ifdef __cplusplus
}
#endif

#endif /* CHRONOTICK_TOOLS_H */
