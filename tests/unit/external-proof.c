/* SPDX-License-Identifier: MIT */
/* When an external model is used, and when no more: by scores made by hand. */
#include <math.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "engine/external.h"

static struct external external;
static struct score score;
static struct rivalry rivalry;

static void blank(void)
{
	external_init(&external);
	score_init(&score);
	rivalry = (struct rivalry){0};
}

TestSuite(external_proof, .init = blank);

static bool scored(double error_ns, double sd_ns, double line_error_ns)
{
	double distance = error_ns / (sd_ns * score.factor);

	score_add(&score, error_ns, sd_ns);
	rivalry_add(&rivalry, line_error_ns, error_ns);
	return external_score(&external, &score, &rivalry, distance);
}

Test(external_proof, it_takes_ten_measurements)
{
	unsigned int i;

	for (i = 1; i < EXTERNAL_SCORED_MIN; i++) {
		cr_assert(!scored(i % 2 ? 0.5 : 1.2, 1, 2));
		cr_assert_eq(external.state, EXTERNAL_UNPROVEN);
	}
	scored(1, 1, 2);
	cr_assert_eq(external.state, EXTERNAL_USED);
	cr_assert_eq(external.drops, 0);
}

Test(external_proof, it_must_have_been_as_good_as_the_line)
{
	unsigned int i;

	/* By so little worse that the rivalry does not call it certain yet */
	for (i = 0; i < EXTERNAL_SCORED_MIN + 5; i++)
		scored(1, 1, 0.9);
	cr_assert(!rivalry.ahead);
	cr_assert_eq(external.state, EXTERNAL_UNPROVEN);
}

Test(external_proof, who_loses_is_dropped_and_taken_again_who_wins)
{
	unsigned int i;

	for (i = 0; i < 30; i++)
		scored(1, 1, 2);
	cr_assert_eq(external.state, EXTERNAL_USED);
	for (i = 0; i < 100; i++)
		scored(2, 1, 0.5);
	cr_assert_eq(external.state, EXTERNAL_BEHIND);
	cr_assert_eq(external.drops, 1);
	/* As good as the line is not enough then. */
	for (i = 0; i < 100; i++)
		scored(i % 2 ? 0.9 : 1.1, 1, i % 2 ? 1.1 : 0.9);
	cr_assert_eq(external.state, EXTERNAL_BEHIND);
	for (i = 0; i < 100; i++)
		scored(0.5, 1, 2);
	cr_assert_eq(external.state, EXTERNAL_USED);
	cr_assert_eq(external.drops, 1);
}

/* Too sure of itself, by ever more, so that no error is far off; who is too modest may be used. */
Test(external_proof, it_must_know_how_far_off_it_is)
{
	unsigned int i;

	for (i = 0; i < 100; i++)
		scored(i % 2 ? 1e-3 : -2e-3, 1, 2);
	cr_assert_eq(score.factor, 1 / SCORE_FACTOR_MAX);
	cr_assert_eq(external.state, EXTERNAL_USED);
	blank();
	for (i = 0; i < 200; i++)
		scored(3.9 * score.factor, 1, 100);
	cr_assert_eq(score.factor, SCORE_FACTOR_MAX);
	cr_assert_eq(external.state, EXTERNAL_UNCALIBRATED);
	/* Back in use at half of the limit only, not right below it */
	for (i = 0; i < 64; i++)
		scored(6, 1, 100);
	cr_assert_float_eq(score.factor, 6, 0.1);
	cr_assert_eq(external.state, EXTERNAL_UNCALIBRATED);
	for (i = 0; i < 64; i++)
		scored(2, 1, 100);
	cr_assert_eq(external.state, EXTERNAL_USED);
}

Test(external_proof, three_far_ones_in_a_row_are_enough)
{
	unsigned int i;

	for (i = 0; i < 50; i++)
		scored(1, 1, 2);
	cr_assert_eq(external.state, EXTERNAL_USED);
	cr_assert(!scored(100, 1, 2));
	cr_assert(!scored(-100, 1, 2));
	cr_assert(!scored(1, 1, 2));
	cr_assert(!scored(100, 1, 2));
	cr_assert(!scored(100, 1, 2));
	cr_assert_eq(external.state, EXTERNAL_USED);
	cr_assert(scored(100, 1, 2));
	cr_assert_eq(external.state, EXTERNAL_FAR);
	cr_assert_eq(external.drops, 1);
}

Test(external_proof, every_state_has_a_name)
{
	unsigned int i, j;

	for (i = 0; i < EXTERNAL_STATES; i++)
		for (j = 0; j < i; j++)
			cr_assert_str_neq(external_state_name(i), external_state_name(j));
	cr_assert_str_eq(external_state_name(EXTERNAL_STATES), "unknown");
}
