/* SPDX-License-Identifier: MIT */
/*
 * Compares the page with the clock of a simulated port, for which the truth is known to the ns: the
 * device tells it and CLOCK_MONOTONIC_RAW of one instant, and the daemon runs on that (counter:
 * monotonic_raw).
 *
 *	phc-truth PORT SECONDS [P99_NS [TAI_S]]
 *
 * UTC is the clock's time less TAI_S seconds. Ends with 0 if each trusted read kept its promise,
 * there were such, and 99 % of the errors are at most P99_NS (0: any).
 */
#include <linux/ptp_clock.h>
#include <stdio.h>
#include <stdlib.h>

#include "guest.h"
#include "ports.h"

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#define READS_MAX 100000
#define PAUSE_MS 2

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int64_t time_ns(const struct ptp_clock_time *time)
{
	return time->sec * SECOND + time->nsec;
}

/* The page at an instant of the clock: exact, as that tells CLOCK_MONOTONIC_RAW too */
static int read_at(const struct chronotick *ct, int clock, int64_t *truth_ns,
		   struct chronotick_interval *ret)
{
	struct ptp_sys_offset_precise precise = {0};

	if (command(clock, PTP_SYS_OFFSET_PRECISE, &precise) < 0)
		return -1;
	*truth_ns = time_ns(&precise.device);
	return chronotick_at(ct, (uint64_t)time_ns(&precise.sys_monoraw), ret);
}

int main(int argc, char **argv)
{
	static int64_t errors[READS_MAX], bounds[READS_MAX];
	int64_t tai_ns = argc > 4 ? atoi(argv[4]) * SECOND : 0,
		p99_max = argc > 3 ? atoi(argv[3]) : 0;
	int64_t end_ns, sum = 0, worst = 0;
	unsigned int count = 0, outside = 0, untrusted = 0;
	struct chronotick *ct;
	int clock;

	if (argc < 3)
		return 2;
	clock = ports_clock((unsigned int)atoi(argv[1]));
	if (clock < 0 || chronotick_open(&ct, NULL) < 0) {
		printf("no clock or no page\n");
		return 1;
	}
	end_ns = monotonic_ns() + atoi(argv[2]) * SECOND;
	while (monotonic_ns() < end_ns && count < READS_MAX) {
		struct chronotick_interval now;
		int64_t truth_ns, error;

		sleep_ms(PAUSE_MS);
		if (read_at(ct, clock, &truth_ns, &now) < 0) {
			untrusted++;
			continue;
		}
		truth_ns -= tai_ns;
		error = now.utc_ns - truth_ns;
		if (truth_ns < now.earliest_ns || truth_ns > now.latest_ns) {
			int64_t by = truth_ns < now.earliest_ns ? now.earliest_ns - truth_ns
								: truth_ns - now.latest_ns;

			outside++;
			worst = by > worst ? by : worst;
		}
		sum += error;
		errors[count] = llabs(error);
		bounds[count++] = (now.latest_ns - now.earliest_ns) / 2;
	}
	chronotick_close(ct);
	qsort(errors, count, sizeof(*errors), compare);
	qsort(bounds, count, sizeof(*bounds), compare);
	if (!count) {
		printf("no trusted read, %u untrusted\n", untrusted);
		return 1;
	}
	printf("reads %u, untrusted %u, outside their bound %u (by up to %lld ns)\n", count,
	       untrusted, outside, (long long)worst);
	printf("true error ns: mean %lld, p50 %lld, p99 %lld, max %lld; bound p50 %lld, p99 %lld\n",
	       (long long)(sum / count), (long long)errors[count / 2],
	       (long long)errors[count - 1 - count / 100], (long long)errors[count - 1],
	       (long long)bounds[count / 2], (long long)bounds[count - 1 - count / 100]);
	return outside || (p99_max && errors[count - 1 - count / 100] > p99_max);
}
