/* SPDX-License-Identifier: MIT */
/*
 * commit-wait: a transaction is stamped with the latest that its time can be, and nobody is told of it
 * before that is past for certain. So whoever hears of it, on whatever machine, stamps what follows
 * from it later: the order of stamps is the order of cause and effect.
 */
#include <inttypes.h>
#include <stdio.h>

#include <chronotick/chronotick.h>

/* Returns 0 and the stamp, from when on the event may be told of; or a negative errno. */
static int commit(const struct chronotick *ct, int64_t *stamp_ns)
{
	struct chronotick_interval now;
	int r;

	r = chronotick_now(ct, &now);
	if (r < 0)
		return r;
	*stamp_ns = now.latest_ns;
	/* Here the transaction is written, with its stamp; the wait goes on meanwhile. */
	return chronotick_wait_until(ct, *stamp_ns, 1000000000, NULL);
}

int main(void)
{
	struct chronotick_interval after;
	struct chronotick *ct;
	int64_t stamp_ns;
	int r;

	r = chronotick_open(&ct, NULL);
	if (r < 0) {
		fprintf(stderr, "commit-wait: %s\n", chronotick_strerror(r));
		return 1;
	}
	r = commit(ct, &stamp_ns);
	if (r == 0)
		r = chronotick_now(ct, &after);
	chronotick_close(ct);
	if (r < 0) {
		fprintf(stderr, "commit-wait: not committed: %s\n", chronotick_strerror(r));
		return 1;
	}
	printf("committed at %" PRId64 " ns, told of at %" PRId64 " ns or later\n", stamp_ns,
	       after.earliest_ns);
	return after.earliest_ns <= stamp_ns;
}
