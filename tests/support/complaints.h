/* SPDX-License-Identifier: MIT */
/* What a parser of text says of bad input: "NAME:LINE: what is wrong; allowed: what is allowed" */
#ifndef SUPPORT_COMPLAINTS_H
#define SUPPORT_COMPLAINTS_H

#include <stdlib.h>
#include <string.h>

/* At least one line, each as above, without a control character. Aborts if not. */
static inline void complaints_check(const char *text, const char *name)
{
	size_t length = strlen(name);
	const char *c, *allowed;

	if (!*text)
		abort();
	while (*text) {
		if (strncmp(text, name, length) != 0 || text[length] != ':' ||
		    text[length + 1] < '1' || text[length + 1] > '9')
			abort();
		for (c = text; *c != '\n'; c++)
			if ((unsigned char)*c < ' ' || *c == 0x7f)
				abort();
		allowed = strstr(text, "; allowed: ");
		if (!allowed || allowed > c)
			abort();
		text = c + 1;
	}
}

#endif /* SUPPORT_COMPLAINTS_H */
