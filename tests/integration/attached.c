/* SPDX-License-Identifier: MIT */
/*
 * A client that opens the page once and keeps reading it: attached PATH SECONDS prints every change
 * of what a read returns, one a line: milliseconds since the start, the return value, the
 * generation. Ends with 0; with 1 if a trusted interval did not hold CLOCK_REALTIME, which the
 * reference servers serve.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <chronotick/chronotick.h>

#define PAUSE_NS 200000

static int64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int main(int argc, char **argv)
{
	const struct timespec pause = {0, PAUSE_NS};
	struct chronotick_interval interval;
	int64_t start = now_ns(CLOCK_MONOTONIC), end, before, after;
	uint32_t generation = 0;
	struct chronotick *ct;
	int r, last = 1, wrong = 0;

	if (argc != 3)
		return 2;
	r = chronotick_open(&ct, argv[1]);
	if (r < 0) {
		fprintf(stderr, "attached: %s cannot be opened: %d\n", argv[1], r);
		return 1;
	}
	end = start + atol(argv[2]) * 1000000000LL;
	while ((before = now_ns(CLOCK_MONOTONIC)) < end) {
		before = now_ns(CLOCK_REALTIME);
		r = chronotick_now(ct, &interval);
		after = now_ns(CLOCK_REALTIME);
		if (r != last || (r == 0 && interval.generation != generation)) {
			printf("%lld %d %u\n",
			       (long long)(now_ns(CLOCK_MONOTONIC) - start) / 1000000, r,
			       interval.generation);
			fflush(stdout);
		}
		if (r == 0 && (interval.earliest_ns > after || interval.latest_ns < before)) {
			fprintf(stderr,
				"attached: the truth, %lld to %lld, is not in %lld to %lld\n",
				(long long)before, (long long)after,
				(long long)interval.earliest_ns, (long long)interval.latest_ns);
			wrong++;
		}
		last = r;
		generation = interval.generation;
		nanosleep(&pause, NULL);
	}
	chronotick_close(ct);
	return wrong ? 1 : 0;
}
