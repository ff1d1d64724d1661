/* SPDX-License-Identifier: MIT */
/* The record across a leap second, whatever the kernel's clock does at it. */
#include <math.h>

#include <criterion/criterion.h>

#include "publish/record.h"
#include "support/publication.h"

/* A counter of 1 GHz; the system clock runs 0.3 s behind UTC and 20 ppm slow against it. */
#define PERIOD 10000000
#define SLOW 20e-6
#define BEHIND 300000000LL

static const struct counter counter = {.hz = 1000000000, .mult = ONE};

/* The record at a counter value, after so many seconds of leap in UTC and in the system clock */
static void record_at(struct record_rate *rate, uint64_t now, int64_t utc_leap_s,
		      int64_t system_leap_s, struct chronotick_record *ret)
{
	int64_t utc_ns = EPOCH + (int64_t)now + utc_leap_s * SECOND;
	struct correction exact = correction(now, utc_ns, ONE);
	struct chronotick_clock published = {
		.anchor = now,
		.span = 10ULL * SECOND,
		.mult = ONE,
		.utc_ns = utc_ns,
	};
	struct cross cross = {
		.counter = now,
		.system_ns = EPOCH - BEHIND + (int64_t)now - (int64_t)(SLOW * (double)now) +
			     system_leap_s * SECOND,
		.error_ns = 20,
	};
	struct publish_facts facts = {.daemon_uptime_s = 1};

	record_rate_add(rate, &counter, &cross);
	record_build(ret, &(struct record_input){
				  .line = &published,
				  .trusted = true,
				  .correction = &exact,
				  .now = &cross,
				  .rate = rate,
				  .facts = &facts,
			  });
}

/* Ten seconds before a leap second, ten after it; the kernel follows it so much later. */
static void across(int64_t late_ns)
{
	const uint64_t leap = 20ULL * SECOND;
	struct record_rate rate = {.started = false};
	struct chronotick_record record;
	uint64_t now;

	for (now = 10ULL * SECOND; now < leap + 10ULL * SECOND; now += PERIOD) {
		int64_t utc_leap_s = now >= leap ? -1 : 0;
		int64_t system_leap_s = (int64_t)(now - leap) >= late_ns ? -1 : 0;
		double offset = 1e-9 * (double)BEHIND + 1e-9 * SLOW * (double)now +
				(double)(utc_leap_s - system_leap_s);

		record_at(&rate, now, utc_leap_s, system_leap_s, &record);
		cr_assert(record.flags & CHRONOTICK_FLAG_VALID);
		cr_assert_float_eq(record.offset_correction, offset, 1e-8);
		cr_assert_float_eq(record.corrected_timestamp - record.system_timestamp, offset,
				   1e-6);
		/* The step is no drift. */
		cr_assert_leq(fabs(record.drift_rate - SLOW), record.drift_uncertainty + 1e-9);
		cr_assert_lt(record.drift_uncertainty, 1e-3);
	}
	cr_assert_float_eq(record.drift_rate, SLOW, 1e-7);
}

Test(record, offsets_hold_when_the_kernel_steps_at_the_leap_second)
{
	across(0);
}

Test(record, offsets_hold_when_it_steps_late_early_or_not_at_all)
{
	across(1500000000);
	across(-30000000);
	across(INT64_MAX);
}
