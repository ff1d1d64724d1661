/* SPDX-License-Identifier: MIT */
/* libchronotick-tools: the tools as texts. */
#include <chronotick/tools.h>

#include <errno.h>
#include <stdlib.h>

#include "call.h"

/* The text of a value, which is consumed; NULL: out of memory. */
static int text_of(json_t *value, char **ret)
{
	char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;

	json_decref(value);
	if (!text)
		return -ENOMEM;
	*ret = text;
	return 0;
}

int chronotick_tools_list(char **ret)
{
	return text_of(tools_list(), ret);
}

int chronotick_tools_call(const char *page, const char *name, const char *arguments, char **ret)
{
	json_t *given = NULL, *result = NULL;
	struct tools_page opened = {.path = page};
	struct tools_call call;
	int r;

	if (arguments && *arguments) {
		given = json_loads(arguments, JSON_REJECT_DUPLICATES, NULL);
		if (!given)
			return -EINVAL;
	}
	r = tools_call_begin(&call, &opened, name, given, true);
	json_decref(given);
	if (r < 0)
		return r;
	r = tools_call_run(&call, &result);
	tools_call_end(&call);
	tools_page_close(&opened);
	return r < 0 ? r : text_of(result, ret);
}

void chronotick_tools_free(char *text)
{
	free(text);
}
