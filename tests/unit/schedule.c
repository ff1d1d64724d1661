/* SPDX-License-Identifier: MIT */
/* When predictions are made, kept and served. */
#include <errno.h>
#include <math.h>

#include <criterion/criterion.h>

#include "engine/schedule.h"

#define S 1000000000LL

static struct schedule schedule;
static const struct schedule_config config = {
	.interval_ns = 5 * S, .horizon_ns = 30 * S, .lead_ns = 2 * S};

static void setup(void)
{
	cr_assert_eq(schedule_init(&schedule, &config), 0);
}

TestSuite(schedule, .init = setup);

static void predict(int64_t now_ns, double offset_ns)
{
	struct prediction prediction;

	schedule_ask(&schedule, now_ns, false, &prediction);
	prediction.line.offset_ns = offset_ns;
	cr_assert_eq(schedule_keep(&schedule, &prediction), 0);
}

Test(schedule, times_out_of_order_are_refused)
{
	struct schedule_config wrong = config;

	wrong.interval_ns = 0;
	cr_assert_eq(schedule_init(&schedule, &wrong), -EINVAL);
	wrong.interval_ns = 28 * S; /* it would end before the next one begins */
	cr_assert_eq(schedule_init(&schedule, &wrong), -EINVAL);
	wrong = config;
	wrong.lead_ns = -1;
	cr_assert_eq(schedule_init(&schedule, &wrong), -EINVAL);
	wrong.horizon_ns = 100 * S;
	wrong.lead_ns = SCHEDULE_LEAD_INTERVALS * wrong.interval_ns;
	cr_assert_eq(schedule_init(&schedule, &wrong), 0);
	wrong.lead_ns++; /* others would have taken its place before its time */
	cr_assert_eq(schedule_init(&schedule, &wrong), -EINVAL);
}

Test(schedule, it_is_due_once_an_interval_and_never_in_a_burst)
{
	cr_assert(schedule_is_due(&schedule, 0));
	predict(0, 0);
	cr_assert(!schedule_is_due(&schedule, 5 * S - 1));
	cr_assert(schedule_is_due(&schedule, 5 * S));
	cr_assert(schedule_is_due(&schedule, 1000 * S));
	predict(1000 * S, 0);
	cr_assert(!schedule_is_due(&schedule, 1000 * S + 1));
	cr_assert(!schedule_is_due(&schedule, 1004 * S));
}

Test(schedule, the_first_serves_at_once_the_next_ones_after_their_lead)
{
	cr_assert_null(schedule_serve(&schedule, 0));
	predict(0, 1);
	cr_assert_eq(schedule_serve(&schedule, 0)->line.offset_ns, 1);
	predict(5 * S, 2);
	cr_assert_eq(schedule_serve(&schedule, 7 * S - 1)->line.offset_ns, 1);
	cr_assert_eq(schedule_serve(&schedule, 7 * S)->line.offset_ns, 2);
	cr_assert_eq(schedule_serve(&schedule, 35 * S - 1)->line.offset_ns, 2);
	cr_assert_null(schedule_serve(&schedule, 35 * S));
	cr_assert_eq(schedule.hits, 4);
	cr_assert_eq(schedule.misses, 2);
}

Test(schedule, what_is_better_serves_at_once)
{
	struct prediction prediction;

	predict(0, 1);
	schedule_ask(&schedule, S, true, &prediction);
	prediction.line.offset_ns = 2;
	cr_assert_eq(schedule_keep(&schedule, &prediction), 0);
	cr_assert_eq(schedule_serve(&schedule, S)->line.offset_ns, 2);
}

Test(schedule, with_the_longest_lead_each_serves_in_its_time)
{
	static const struct schedule_config longest = {
		.interval_ns = 5 * S,
		.horizon_ns = 100 * S,
		.lead_ns = SCHEDULE_LEAD_INTERVALS * 5 * S,
	};
	int i;

	cr_assert_eq(schedule_init(&schedule, &longest), 0);
	for (i = 0; i < 100; i++) {
		predict(5 * S * i, i);
		cr_assert(schedule_serve(&schedule, 5 * S * i));
		/* The first of all serves until the second one's time has come. */
		cr_assert_eq(schedule_serve(&schedule, 5 * S * i)->line.offset_ns,
			     i > SCHEDULE_LEAD_INTERVALS ? i - SCHEDULE_LEAD_INTERVALS : 0);
	}
}

Test(schedule, with_nothing_to_serve_the_next_does_at_once)
{
	predict(0, 1);
	predict(40 * S, 2); /* the first is over */
	cr_assert_eq(schedule_serve(&schedule, 40 * S)->line.offset_ns, 2);
}

Test(schedule, it_keeps_no_more_than_it_has_room_for)
{
	int i;

	for (i = 0; i < 100; i++)
		predict(5 * S * i, i);
	cr_assert_eq(schedule.count, SCHEDULE_KEPT);
	cr_assert_eq(schedule_serve(&schedule, 5 * S * 99 + 2 * S)->line.offset_ns, 99);
	cr_assert_null(schedule_serve(&schedule, 5 * S * 80));
}

Test(schedule, what_makes_no_sense_is_counted_and_forgotten)
{
	struct prediction wrong;

	schedule_ask(&schedule, 0, false, &wrong);
	wrong.line.offset_ns = NAN;
	cr_assert_eq(schedule_keep(&schedule, &wrong), -EINVAL);
	wrong.line.offset_ns = 0;
	wrong.line.drift_sd_ns_s = -1;
	cr_assert_eq(schedule_keep(&schedule, &wrong), -EINVAL);
	wrong.line.drift_sd_ns_s = INFINITY;
	cr_assert_eq(schedule_keep(&schedule, &wrong), -EINVAL);
	wrong.line.drift_sd_ns_s = 0;
	wrong.until_ns = wrong.from_ns;
	cr_assert_eq(schedule_keep(&schedule, &wrong), -EINVAL);
	cr_assert_eq(schedule.refused, 4);
	cr_assert_null(schedule_serve(&schedule, 0));
}

Test(schedule, a_step_clears_and_a_leap_second_shifts)
{
	predict(0, 1);
	schedule_shift(&schedule, -S);
	cr_assert_eq(schedule_serve(&schedule, 1)->line.reference_ns, -S);
	schedule_clear(&schedule);
	cr_assert_null(schedule_serve(&schedule, 1));
	cr_assert(schedule_is_due(&schedule, 1));
}
