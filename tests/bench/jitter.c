/* SPDX-License-Identifier: MIT */
/*
 * How punctual a writer is: jitter PAGE HZ SECONDS looks at the page often enough to see every
 * publication, and prints by how much the times between them differ from the period, in us: median,
 * p99, p99.9, maximum, and how many there were and should have been. A publication's time is its
 * line's anchor, so when it is seen does not matter. It takes SCHED_FIFO 90 for itself, so that load
 * does not blind it.
 */
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

static int by_value(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
	const struct sched_param param = {.sched_priority = 90};
	const struct chronotick_page *page;
	struct timespec pause = {0, 0};
	size_t count = 0, expected;
	struct chronotick *ct;
	uint64_t anchor, last = 0;
	double *values, end, us, period_us;
	long hz, seconds;

	if (argc != 4 || (hz = atol(argv[2])) < 1 || (seconds = atol(argv[3])) < 1) {
		fprintf(stderr, "usage: jitter PAGE HZ SECONDS\n");
		return 2;
	}
	if (chronotick_open(&ct, argv[1]) < 0) {
		fprintf(stderr, "jitter: %s cannot be opened\n", argv[1]);
		return 1;
	}
	if (sched_setscheduler(0, SCHED_FIFO, &param) < 0)
		perror("jitter: SCHED_FIFO");
	page = chronotick_page_of(ct);
	expected = (size_t)(hz * seconds);
	values = calloc(2 * expected, sizeof(*values));
	if (!values)
		return 1;
	period_us = 1e6 / (double)hz;
	pause.tv_nsec = 1000000000L / hz / 4;
	end = now_s() + (double)seconds;
	while (now_s() < end && count < 2 * expected) {
		anchor = __atomic_load_n(&page->clock[1].anchor, __ATOMIC_ACQUIRE);
		if (last && anchor != last) {
			us = (double)(anchor - last) * 1e6 / (double)page->header.counter_hz;
			us -= period_us;
			values[count++] = us < 0 ? -us : us;
		}
		last = anchor;
		nanosleep(&pause, NULL);
	}
	if (count == 0) {
		fprintf(stderr, "jitter: nothing was published\n");
		return 1;
	}
	qsort(values, count, sizeof(*values), by_value);
	printf("p50 %.1f  p99 %.1f  p99.9 %.1f  max %.1f us, %zu of %zu publications\n",
	       values[count / 2], values[count * 99 / 100], values[count * 999 / 1000],
	       values[count - 1], count, expected);
	free(values);
	chronotick_close(ct);
	return 0;
}
