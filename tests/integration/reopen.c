/* SPDX-License-Identifier: MIT */
/*
 * A program that lives on when its page is replaced: the old page's promise holds until it expires,
 * its time is never trusted after that, and the path opened anew has trusted time again.
 *
 *	reopen PAGE	begins on a trusted page, ends with 0 after it was replaced, 1 after 20 s
 */
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include <chronotick/chronotick.h>

#define NAP_NS 5000000
#define NAPS 4000

int main(int argc, char **argv)
{
	const struct timespec nap = {0, NAP_NS};
	struct chronotick_interval now;
	struct chronotick *ct, *next;
	int naps, gone = -1, expired = -1, r;

	if (argc != 2 || chronotick_open(&ct, argv[1]) < 0 || chronotick_now(ct, &now) < 0) {
		printf("no trusted page to begin with\n");
		return 1;
	}
	for (naps = 0; naps < NAPS && expired < 0; naps++) {
		nanosleep(&nap, NULL);
		r = chronotick_now(ct, &now);
		if (gone < 0 && chronotick_writer_check(ct, NULL) == -ESTALE) {
			gone = naps;
			/* The read above may be from just before. */
			r = chronotick_now(ct, &now);
			if (r < 0 || now.status != CHRONOTICK_WRITER_GONE) {
				printf("replaced, and a read gives %d, status %u\n", r, now.status);
				return 1;
			}
			/* Whoever does not want to wait need not. */
			r = chronotick_open(&next, argv[1]);
			if (r == 0)
				r = chronotick_now(next, &now);
			if (r < 0) {
				printf("no trusted time in the moment of the replacement: %s\n",
				       chronotick_strerror(r));
				return 1;
			}
			chronotick_close(next);
		}
		if (r == -ESTALE)
			expired = naps;
		else if (r < 0) {
			printf("a read returned %d\n", r);
			return 1;
		}
	}
	if (gone < 0 || expired <= gone) {
		printf("replaced: %d, expired: %d\n", gone, expired);
		return 1;
	}
	chronotick_close(ct);
	r = chronotick_open(&ct, argv[1]);
	if (r == 0)
		r = chronotick_now(ct, &now);
	if (r < 0) {
		printf("the new page: %s\n", chronotick_strerror(r));
		return 1;
	}
	chronotick_close(ct);
	printf("told after %.2f s, expired after %.2f s, then opened anew\n",
	       gone * (NAP_NS * 1e-9), expired * (NAP_NS * 1e-9));
	return 0;
}
