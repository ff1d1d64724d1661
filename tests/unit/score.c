/* SPDX-License-Identifier: MIT */
/* Scores of predictors whose errors are known. */
#include <limits.h>
#include <math.h>

#include <criterion/criterion.h>

#include "engine/score.h"
#include "support/noise.h"

static struct score score;

static void setup(void)
{
	score_init(&score);
}

TestSuite(score, .init = setup);

Test(score, nothing_is_rescaled_before_there_is_a_measurement)
{
	cr_assert_eq(score.factor, 1);
	score_add(&score, 1, 1);
	cr_assert_float_eq(score.factor, 1, 0.1);
}

Test(score, the_factor_makes_one_standard_deviation_of_what_was_told)
{
	unsigned int within = 0;
	int i;

	for (i = 0; i < 3000; i++) {
		double error = 3 * noise();

		within += i >= 1000 && fabs(error) <= score.factor * 1;
		score_add(&score, error, 1);
	}
	cr_assert_float_eq(score.factor, 3, 0.6);
	cr_assert(within > 0.64 * 2000 && within < 0.72 * 2000, "%u", within);
	cr_assert_float_eq(score.within, 0.68, 0.1);
	cr_assert_float_eq(score.error_ns, 3 * 0.798, 0.6);
}

Test(score, gross_errors_do_not_widen_it)
{
	int i;

	for (i = 0; i < 1000; i++)
		score_add(&score, i % 10 ? noise() : 1e9, 1);
	cr_assert_lt(score.factor, 1.5);
}

Test(score, the_factor_has_limits)
{
	int i;

	for (i = 0; i < 100; i++)
		score_add(&score, 1e6, 1);
	cr_assert_eq(score.factor, SCORE_FACTOR_MAX);
	for (i = 0; i < 100; i++)
		score_add(&score, 0, 1);
	cr_assert_eq(score.factor, 1 / SCORE_FACTOR_MAX);
}

Test(score, who_is_better_is_found_out_after_some_measurements)
{
	struct rivalry rivalry = {0};
	int i;

	for (i = 0; i < 200; i++) {
		rivalry_add(&rivalry, noise(), 3 * noise());
		cr_assert(i >= 19 || !rivalry.ahead);
	}
	cr_assert(rivalry.ahead);
	for (i = 0; i < 400; i++)
		rivalry_add(&rivalry, 3 * noise(), noise());
	cr_assert(!rivalry.ahead);
}

Test(score, equals_are_not_ahead_of_each_other_at_first_and_one_gross_error_is_one)
{
	struct rivalry rivalry = {0};
	int i;

	for (i = 0; i < 100; i++)
		rivalry_add(&rivalry, 1, 1);
	cr_assert(!rivalry.ahead);
	for (i = 0; i < 100; i++)
		rivalry_add(&rivalry, i == 50 ? 1e12 : 1, 2);
	cr_assert(rivalry.ahead);
}

Test(score, rivals_outlive_their_counter)
{
	struct rivalry rivalry = {.count = UINT_MAX - 1};
	unsigned int i;

	for (i = 0; i < 100; i++)
		rivalry_add(&rivalry, 1, 2);
	cr_assert_eq(rivalry.count, UINT_MAX);
	cr_assert(rivalry.ahead);
	cr_assert_float_eq(rivalry.lead, 1.0 / 3, 0.05);
}
