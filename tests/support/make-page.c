/* SPDX-License-Identifier: MIT */
/* make-page STATE PATH: a page made by hand. */
#include <stdio.h>
#include <string.h>

#include "support/handmade.h"

int main(int argc, char **argv)
{
	const struct handmade_state *state;
	struct chronotick_page *page;
	int r;

	if (argc != 3) {
		fprintf(stderr, "usage: make-page STATE PATH\n\nstates:\n");
		for (state = handmade_states; state->name; state++)
			fprintf(stderr, "  %-16s %s\n", state->name, state->what);
		return 2;
	}
	r = handmade_create(&page, argv[2], argv[1]);
	if (r < 0) {
		fprintf(stderr, "make-page: %s %s: %s\n", argv[1], argv[2], strerror(-r));
		return 1;
	}
	handmade_unmap(page);
	return 0;
}
