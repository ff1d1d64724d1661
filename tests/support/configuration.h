/* SPDX-License-Identifier: MIT */
/* A configuration's text, parsed, as the tests of it share it. */
#ifndef SUPPORT_CONFIGURATION_H
#define SUPPORT_CONFIGURATION_H

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "config.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define GOOD "sources: [{ntp: a.example}]\n" /* one line, a list that is good */

#define ALLOWED_SOURCES                                                                            \
	"a list of 1 to 64 sources, members of pools counted, each a map with its kind (ntp, "     \
	"pool, ptp, phc or feed) as a key"

/* Parse and collect the errors; free *errors. */
static inline int parse_bytes(struct config *config, const void *text, size_t size, char **errors)
{
	size_t length;
	FILE *stream = open_memstream(errors, &length);
	int r;

	cr_assert(stream);
	memset(config, 0, sizeof(*config));
	r = config_parse(config, "f.yaml", text, size, stream);
	fclose(stream);
	return r;
}

static inline int parse(struct config *config, const char *text, char **errors)
{
	return parse_bytes(config, text, strlen(text), errors);
}

#endif /* SUPPORT_CONFIGURATION_H */
