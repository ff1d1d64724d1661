/* SPDX-License-Identifier: MIT */
#include "lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What is kept for the next line */
enum { SMALL = 4096 };

static int append(struct lines *lines, const char *data, size_t length)
{
	size_t size = lines->size ? lines->size : SMALL;
	char *grown;

	while (size < lines->used + length)
		size *= 2;
	if (size != lines->size) {
		grown = realloc(lines->data, size);
		if (!grown)
			return -ENOMEM;
		lines->data = grown;
		lines->size = size;
	}
	memcpy(lines->data + lines->used, data, length);
	lines->used += length;
	return 0;
}

static void reset(struct lines *lines)
{
	lines->used = 0;
	lines->skipping = false;
	if (lines->size > SMALL) {
		free(lines->data);
		lines->data = NULL;
		lines->size = 0;
	}
}

/* A line's end is there: it is what was kept, and these bytes. */
static int complete(struct lines *lines, const char *data, size_t length, lines_handler *handler,
		    void *context)
{
	int r = 0;

	if (lines->skipping || lines->used + length > LINES_LONGEST) {
		r = handler(context, NULL, 0);
	} else if (lines->used == 0) {
		r = handler(context, data, length);
	} else {
		r = append(lines, data, length);
		if (r == 0)
			r = handler(context, lines->data, lines->used);
	}
	reset(lines);
	return r;
}

int lines_take(struct lines *lines, const char *data, size_t length, lines_handler *handler,
	       void *context)
{
	const char *end;
	size_t part;
	int r;

	while ((end = memchr(data, '\n', length))) {
		part = (size_t)(end - data);
		r = complete(lines, data, part, handler, context);
		if (r < 0)
			return r;
		data += part + 1;
		length -= part + 1;
	}
	if (lines->skipping || length == 0)
		return 0;
	if (lines->used + length > LINES_LONGEST) {
		reset(lines);
		lines->skipping = true;
		return 0;
	}
	return append(lines, data, length);
}

int lines_end(struct lines *lines, lines_handler *handler, void *context)
{
	int r = lines->used || lines->skipping ? complete(lines, "", 0, handler, context) : 0;

	free(lines->data);
	*lines = (struct lines){.data = NULL};
	return r;
}
