/* SPDX-License-Identifier: MIT */
/* now: UTC, and how wrong it can be. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include <chronotick/chronotick.h>

int main(void)
{
	struct chronotick_interval now;
	struct chronotick *ct;
	int r;

	r = chronotick_open(&ct, NULL);
	if (r < 0) {
		fprintf(stderr, "now: %s\n", chronotick_strerror(r));
		return 1;
	}
	r = chronotick_now(ct, &now);
	chronotick_close(ct);
	if (r < 0) {
		/* -EAGAIN may be better in a moment; -ESTALE needs somebody to start the daemon. */
		fprintf(stderr, "now: %s (%s)\n", chronotick_strerror(r),
			chronotick_status_name(now.status));
		return 1;
	}
	printf("UTC is %" PRId64 " ns, and certainly from %" PRId64 " to %" PRId64 " (%s)\n",
	       now.utc_ns, now.earliest_ns, now.latest_ns, chronotick_status_name(now.status));
	return 0;
}
