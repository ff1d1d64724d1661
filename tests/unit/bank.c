/* SPDX-License-Identifier: MIT */
/* Which member of a bank counts, and what the bank says of its own errors. */
#include <limits.h>
#include <math.h>

#include <criterion/criterion.h>

#include "engine/bank.h"
#include "support/noise.h"

static struct bank bank;
static struct bank_member members[3];

/* One family of random walks of the rate, 1, 100 and 10,000 ns/s after a second */
static void setup(void)
{
	static const double sd[] = {0, 1000};
	double walk = 1;
	unsigned int i;

	for (i = 0; i < 3; i++, walk *= 100) {
		members[i] = (struct bank_member){.noise.rate = walk * walk, .share = 1};
		kalman_init(&members[i].kalman, 2, 2, sd);
	}
	bank_init(&bank, members, 3);
	bank.families[0] = (struct bank_family){.share = 1, .temper = 1};
}

TestSuite(bank, .init = setup);

static double weights(void)
{
	double sum = 0;
	unsigned int i;

	for (i = 0; i < bank.count; i++)
		sum += members[i].weight;
	return sum;
}

/* A clock whose rate walks by `walk` ns/s a second, measured every second to 1000 ns */
static void follow(double walk, unsigned int seconds)
{
	static double offset, rate;
	unsigned int i;

	for (i = 0; i < seconds; i++) {
		offset += rate;
		rate += walk * noise();
		bank_update(&bank, 1, NULL, offset + 1000 * noise(), 1000);
	}
}

Test(bank, the_member_that_has_the_oscillators_noise_rules)
{
	follow(100, 300);
	cr_assert_gt(members[1].weight, 0.9);
	cr_assert_float_eq(weights(), 1, 1e-9);
	cr_assert_float_eq(bank_scale(&bank, &members[1]), 1, 0.5);
}

Test(bank, another_one_takes_over_when_the_oscillator_changes)
{
	follow(1, 300);
	cr_assert_gt(members[0].weight, 0.9);
	follow(10000, 300);
	cr_assert_gt(members[2].weight, 0.9);
	follow(1, 1000);
	cr_assert_gt(members[0].weight, 0.9);
}

Test(bank, the_scale_finds_errors_that_were_told_wrong)
{
	unsigned int i;

	for (i = 0; i < 1000; i++)
		bank_update(&bank, 1, NULL, 3000 * noise(), 1000);
	cr_assert_float_eq(sqrt(bank_noise(&bank, 1000)), 3000, 600);
}

Test(bank, a_single_outlier_moves_it_no_farther_than_a_bad_measurement)
{
	struct bank_state before, after;

	follow(1, 300);
	bank_ahead(&bank, 1, NULL, &before);
	bank_update(&bank, 1, NULL, before.offset_ns + 1e9, 1000);
	bank_ahead(&bank, 0, NULL, &after);
	cr_assert_lt(fabs(after.offset_ns - before.offset_ns), 1000);
}

Test(bank, a_step_is_taken_as_it_is_and_the_noise_remembered)
{
	struct bank_state after;

	follow(1, 300);
	bank_contradict(&bank, RETRO_ADVANCE_ABSOLUTE,
			&(struct bank_contradiction){
				.since_s = 1,
				.span_s = 1,
				.agreed_sd_ns = 1000,
				.measured_ns = 1e9,
				.measured_sd_ns = 1000,
			});
	bank_ahead(&bank, 0, NULL, &after);
	cr_assert_float_eq(after.offset_ns, 1e9, 1);
	/* As it was told to be, or as measurements have turned out, if that is worse */
	cr_assert_float_eq(sqrt(after.variance),
			   1000 * sqrt(fmax(bank_scale(&bank, &members[0]), 1)), 20);
	cr_assert_gt(members[0].weight, 0.9);
}

Test(bank, the_members_disagreement_is_in_the_variance)
{
	struct bank_state state;

	bank_update(&bank, 1, NULL, 0, 1000);
	members[0].kalman.x[KALMAN_OFFSET] = 5000;
	members[1].kalman.x[KALMAN_OFFSET] = -5000;
	members[0].weight = members[1].weight = 0.5;
	members[2].weight = 0;
	bank_ahead(&bank, 0, NULL, &state);
	cr_assert_float_eq(state.offset_ns, 0, 1e-6);
	cr_assert_float_eq(state.variance, 1000.0 * 1000 + 5000.0 * 5000, 1);
}

/* To those members to which all are equal, a measurement's own error says nothing. */
Test(bank, members_may_take_measurements_as_equal)
{
	members[1].equal = true;
	bank.families[1] = (struct bank_family){.share = 1, .temper = 1};
	members[1].family = 1;
	bank_update(&bank, 1, NULL, 0, 10);
	bank_update(&bank, 1, NULL, 0, 10);
	bank_update(&bank, 1, NULL, 30, 1000);
	cr_assert_gt(members[1].kalman.x[KALMAN_OFFSET], members[0].kalman.x[KALMAN_OFFSET] + 1);
}

/* A family that was wrong for long is not lost for ever. */
Test(bank, a_family_can_come_back)
{
	static const double sd[] = {0};
	int i;

	members[2] = (struct bank_member){
		.noise.offset = 1e-3, .share = 1, .relative = true, .family = 1};
	kalman_init(&members[2].kalman, 1, 1, sd);
	bank.families[1] = (struct bank_family){.share = 1, .temper = 1};
	for (i = 0; i < 300; i++)
		bank_update(&bank, 1, NULL, 5000.0 * i + 100 * noise(), 100);
	cr_assert_lt(members[2].weight, 1e-6);
	for (i = 0; i < 3000; i++)
		bank_update(&bank, 1, NULL, 5000.0 * 300 + 100 * noise(), 100);
	cr_assert_gt(members[2].weight, 0.01);
}

/* White frequency noise: the variance grows in proportion to the time, the scale and the usual one. */
Test(bank, noise_that_is_relative_to_measurements_is_so_in_predictions_too)
{
	struct bank_state now, later;
	double sd = 0;

	members[0] = (struct bank_member){.noise.offset = 0.01, .share = 1, .relative = true};
	kalman_init(&members[0].kalman, 1, 1, &sd);
	bank_init(&bank, members, 1);
	bank.families[0] = (struct bank_family){.share = 1, .temper = 1};
	follow(0, 50);
	bank_ahead(&bank, 0, NULL, &now);
	bank_ahead(&bank, 100, NULL, &later);
	cr_assert_float_eq(later.variance - now.variance,
			   100 * 0.01 * bank.usual_variance * bank_scale(&bank, &members[0]),
			   1e-6 * later.variance);
}

Test(bank, it_outlives_its_counter)
{
	double before;

	follow(100, 300);
	before = members[1].weight;
	bank.measured = UINT_MAX - 1;
	follow(100, 3);
	cr_assert_eq(bank.measured, UINT_MAX);
	cr_assert_float_eq(members[1].weight, before, 0.05, "it has not begun anew");
}
