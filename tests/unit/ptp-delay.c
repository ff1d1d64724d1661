/* SPDX-License-Identifier: MIT */
/* What four times say of an offset */
#include <errno.h>
#include <math.h>

#include <criterion/criterion.h>

#include "sources/ptp_delay.h"

#define SECOND 1000000000LL
#define UTC 1750000000000000000LL

static const struct ptp_rate_range unknown = {0, 500e-6};

Test(ptp_delay, the_truth_is_between_what_came_and_what_went)
{
	/* The offset is UTC; 3 us there, 1 us back */
	const struct ptp_limit forth = {1000000, UTC - 3000, 10}, back = {1010000, UTC + 1000, 20};
	struct ptp_offset offset;

	cr_assert_eq(ptp_offset_between(&offset, &forth, &back, unknown), 0);
	cr_expect_eq(offset.raw_ns, 1005000);
	cr_expect_eq(offset.offset_ns, UTC - 1000);
	cr_expect_eq(offset.delay_ns, 4000);
	cr_expect_eq(offset.stamps_ns, 20);
	/* 10 us apart at a rate known to 500 ppm: half of 5 ns on each side */
	cr_expect_geq(offset.dispersion_ns, 23);
	cr_expect_leq(offset.dispersion_ns, 26);
}

Test(ptp_delay, a_rate_that_is_known_is_no_part_of_the_delay)
{
	const struct ptp_limit forth = {0, UTC - 1000, 0}, back = {SECOND, UTC + 1000 + 20000, 0};
	const struct ptp_rate_range known = {20e-6, 1e-9};
	struct ptp_offset offset;

	cr_assert_eq(ptp_offset_between(&offset, &forth, &back, known), 0);
	cr_expect_eq(offset.delay_ns, 2000);
	cr_expect_eq(offset.offset_ns, UTC + 10000); /* in the middle, at half of the way */
	cr_expect_leq(offset.dispersion_ns, 5);
}

Test(ptp_delay, limits_that_contradict_each_other_are_refused)
{
	const struct ptp_limit forth = {0, UTC, 10};
	struct ptp_limit back = {0, UTC - 10, 10};
	struct ptp_offset offset;

	cr_expect_eq(ptp_offset_between(&offset, &forth, &back, unknown), 0);
	cr_expect_eq(offset.delay_ns, 1);
	back.offset_ns = UTC - 100;
	cr_expect_eq(ptp_offset_between(&offset, &forth, &back, unknown), -ERANGE);
	back = (struct ptp_limit){61 * SECOND, UTC, 10};
	cr_expect_eq(ptp_offset_between(&offset, &forth, &back, unknown), -ERANGE);
	back = (struct ptp_limit){0, INT64_MIN, 10};
	cr_expect_eq(ptp_offset_between(&offset, &forth, &back, unknown), -ERANGE);
}

Test(ptp_delay, the_rate_is_learnt_and_holds_the_truth)
{
	struct ptp_rate rate = {0};
	struct ptp_rate_range range = ptp_rate_at(&rate, 0);
	int64_t raw, i;

	cr_expect_float_eq(range.half, 500e-6, 1e-9);
	for (i = 0; i < 200; i++) {
		raw = i * SECOND / 8;
		/* 33 ppm, within 1 us */
		ptp_rate_add(&rate, raw, UTC + raw * 33 / 1000000 - 1000,
			     UTC + raw * 33 / 1000000 + 1000);
		range = ptp_rate_at(&rate, raw);
		cr_assert_leq(fabs(range.mid - 33e-6), range.half);
	}
	cr_expect_leq(range.half, 4e-6);
	/* The other clock steps: what was is forgotten. */
	ptp_rate_add(&rate, raw + SECOND, UTC + SECOND, UTC + SECOND + 2000);
	range = ptp_rate_at(&rate, raw + SECOND);
	cr_expect_float_eq(range.half, 500e-6, 1e-9);
}

Test(ptp_delay, the_least_is_that_of_the_latest_turns)
{
	struct ptp_least least = {0};
	unsigned int i;
	int64_t ns = 0;

	cr_expect_eq(ptp_least_add(&least, 1000), 1000);
	cr_expect_not(ptp_least_is_known(&least));
	for (i = 0; i < 63; i++)
		ns = ptp_least_add(&least, 3000);
	cr_expect(ptp_least_is_known(&least));
	cr_expect_leq(ns, 1000);
	cr_expect_geq(ns, 0);
	for (i = 0; i < 200; i++)
		ns = ptp_least_add(&least, 3000);
	cr_expect_geq(ns, 2990); /* the path is another one now */
	cr_expect_leq(ns, 3000);
}

Test(ptp_delay, the_bound_allows_for_all_of_the_delay_or_for_what_is_promised)
{
	cr_expect_eq(ptp_allowed_delay_ns(5000, 5000, 0, -1), 10000);
	cr_expect_eq(ptp_allowed_delay_ns(5000, 5000, -700, -1), 11400);
	cr_expect_eq(ptp_allowed_delay_ns(5000, 5000, 0, 100), 200);
	cr_expect_eq(ptp_allowed_delay_ns(5000, 4600, 0, 100), 1000); /* it has waited */
	cr_expect_eq(ptp_allowed_delay_ns(5000, 0, 0, 100), 10000);   /* no more than all */
	cr_expect_eq(ptp_allowed_delay_ns(0, 0, 0, 0), 1);
}
