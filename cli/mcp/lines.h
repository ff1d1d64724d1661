/* SPDX-License-Identifier: MIT */
/* Cutting what is read into lines, within a limit of memory. */
#ifndef MCP_LINES_H
#define MCP_LINES_H

#include <stdbool.h>
#include <stddef.h>

/* Requests are some hundred bytes long. */
#define LINES_LONGEST 65536

struct lines {
	char *data;
	size_t used, size;
	bool skipping; /* the rest of a line that is too long */
};

/*
 * What to do with a line, which has no newline and no terminator. NULL: it was longer than
 * LINES_LONGEST, and is lost. Returns 0, or a negative errno that ends it all.
 */
typedef int lines_handler(void *context, const char *line, size_t length);

/*
 * Take what was read. Calls the handler for each line that it completes. Returns 0, the handler's
 * error, or -ENOMEM.
 */
int lines_take(struct lines *lines, const char *data, size_t length, lines_handler *handler,
	       void *context);

/* The input has ended: what is left of it is a line, too. Frees all. */
int lines_end(struct lines *lines, lines_handler *handler, void *context);

#endif /* MCP_LINES_H */
