/* SPDX-License-Identifier: MIT */
/*
 * stamp-loop: where every nanosecond counts, an event's stamp is the counter's value alone. Times
 * are made of the stamps later, all under one line of the clock.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#include <chronotick/chronotick.h>

enum { EVENTS = 1000 };

static uint64_t stamps[EVENTS];
static struct chronotick_interval times[EVENTS];
static int results[EVENTS];

static volatile unsigned int sum;

/* What is being timed */
static void work(void)
{
	unsigned int i;

	for (i = 0; i < 100; i++)
		sum += i;
}

int main(void)
{
	struct chronotick *ct;
	int r, i;

	r = chronotick_open(&ct, NULL);
	if (r < 0) {
		fprintf(stderr, "stamp-loop: %s\n", chronotick_strerror(r));
		return 1;
	}
	for (i = 0; i < EVENTS; i++) {
		work();
		stamps[i] = chronotick_counter(ct);
	}
	/* Not too late: a stamp holds for 1,000 s, and not across a jump of the time. */
	r = chronotick_at_batch(ct, stamps, EVENTS, times, results);
	chronotick_close(ct);
	if (r < 0) {
		for (i = 0; i < EVENTS && results[i] == 0; i++)
			;
		fprintf(stderr, "stamp-loop: event %d: %s\n", i, chronotick_strerror(r));
		return 1;
	}
	printf("%d events from %" PRId64 " ns to %" PRId64 " ns, each +- %" PRId64 " ns\n", EVENTS,
	       times[0].utc_ns, times[EVENTS - 1].utc_ns, times[0].latest_ns - times[0].utc_ns);
	return 0;
}
