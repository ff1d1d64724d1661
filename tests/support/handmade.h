/* SPDX-License-Identifier: MIT */
/* Pages made by hand, for tests of readers: no daemon is needed, and every word is known. */
#ifndef SUPPORT_HANDMADE_H
#define SUPPORT_HANDMADE_H

#include "chronotick_page.h"

/* How far UTC is ahead of CLOCK_REALTIME in a page made by hand */
#define HANDMADE_OFFSET_NS 1500000
#define HANDMADE_BOUND_NS 4000

struct handmade_state {
	const char *name;
	const char *what;
	void (*apply)(struct chronotick_page *page);
};

/* "trusted", "holdover" and so on; a name of NULL ends the table. */
extern const struct handmade_state handmade_states[];

/*
 * Create the file and fill it in as a page of that state. The page stays mapped for writing.
 * Returns 0 and the page in *ret, or a negative errno; -EINVAL for an unknown state.
 */
int handmade_create(struct chronotick_page **ret, const char *path, const char *state);
void handmade_unmap(struct chronotick_page *page);

#endif /* SUPPORT_HANDMADE_H */
