/* SPDX-License-Identifier: MIT */
/* The filter against cases whose results are known otherwise. */
#include <math.h>

#include <criterion/criterion.h>

#include "engine/kalman.h"

static const struct kalman_noise quiet;
static const double vague[KALMAN_STATES_MAX] = {1e6, 1e6, 1e6, 1e6, 1e6};

static void assert_near(double value, double expected, double tolerance)
{
	cr_assert(fabs(value - expected) <= tolerance, "%.12g is not %.12g +- %g", value, expected,
		  tolerance);
}

Test(kalman, without_noise_a_constant_is_the_mean_of_its_measurements)
{
	static const double y[] = {3, 5, 10, -2};
	struct kalman kalman;
	unsigned int i;

	kalman_init(&kalman, 1, 1, vague);
	for (i = 0; i < 4; i++) {
		kalman_advance(&kalman, 7, &quiet, NULL);
		kalman_update(&kalman, y[i], 2, HUGE_VAL);
	}
	assert_near(kalman.x[KALMAN_OFFSET], 4, 1e-9);
	assert_near(kalman.p[0][0], 2.0 / 4, 1e-9);
}

Test(kalman, without_noise_a_line_is_that_of_least_squares)
{
	static const double x[] = {0, 1, 2, 5}, y[] = {1, 4, 4, 11};
	struct kalman kalman;
	unsigned int i;

	/* About the mean, (2, 5): sxx = 14, sxy = 27 */
	kalman_init(&kalman, 2, 2, vague);
	for (i = 0; i < 4; i++) {
		kalman_advance(&kalman, i ? x[i] - x[i - 1] : 0, &quiet, NULL);
		kalman_update(&kalman, y[i], 1, HUGE_VAL);
	}
	assert_near(kalman.x[KALMAN_RATE], 27.0 / 14, 1e-4);
	assert_near(kalman.x[KALMAN_OFFSET], 5 + 3 * 27.0 / 14, 1e-4);
	assert_near(kalman.p[1][1], 1.0 / 14, 1e-4);
	assert_near(kalman.p[0][0], 1.0 / 4 + 9.0 / 14, 1e-4);
	assert_near(kalman.p[0][1], 3.0 / 14, 1e-4);
}

Test(kalman, a_parabola_is_followed)
{
	struct kalman kalman;
	int t;

	kalman_init(&kalman, 3, 3, vague);
	for (t = 0; t <= 60; t += 3) {
		kalman_advance(&kalman, t ? 3 : 0, &quiet, NULL);
		kalman_update(&kalman, 7 - 2.0 * t + 0.25 * t * t, 1e-6, HUGE_VAL);
	}
	assert_near(kalman.x[KALMAN_DRIFT], 0.5, 1e-6);
	assert_near(kalman.x[KALMAN_RATE], -2 + 0.5 * 60, 1e-4);
}

/* P = (q + sqrt(q^2 + 4 q r)) / 2 before an update solves the Riccati equation of a random walk. */
Test(kalman, a_random_walk_reaches_its_steady_state)
{
	const struct kalman_noise noise = {.offset = 3};
	double step = 3 * 2, r = 5;
	struct kalman kalman;
	int i;

	kalman_init(&kalman, 1, 1, vague);
	for (i = 0; i < 100; i++) {
		kalman_update(&kalman, 0, r, HUGE_VAL);
		kalman_advance(&kalman, 2, &noise, NULL);
	}
	assert_near(kalman.p[0][0], (step + sqrt(step * step + 4 * step * r)) / 2, 1e-9);
}

Test(kalman, the_coefficient_of_an_input_is_found)
{
	double input, true_offset = 0;
	struct kalman kalman;
	int i;

	/* The rate is 4 + 50 u, with u going from -1 to 1 and back. */
	kalman_init(&kalman, 2, 3, vague);
	for (i = 0; i < 100; i++) {
		input = 8 * sin(i / 5.0);
		true_offset += 8 * 4 + 50 * input;
		kalman_advance(&kalman, 8, &quiet, &input);
		kalman_update(&kalman, true_offset, 1e-4, HUGE_VAL);
	}
	assert_near(kalman.x[KALMAN_RATE], 4, 1e-4);
	assert_near(kalman.x[2], 50, 1e-4);
}

Test(kalman, one_long_step_is_two_short_ones)
{
	const struct kalman_noise noise = {.offset = 2, .rate = 3, .drift = 0.5};
	static const double sd[] = {10, 3, 1, 4};
	double half = 5, whole = 12, rest = 7;
	struct kalman once, twice;
	unsigned int i, j;

	kalman_init(&once, 3, 4, sd);
	once.x[1] = 2, once.x[2] = -1, once.x[3] = 6;
	twice = once;
	kalman_advance(&once, 10, &noise, &whole);
	kalman_advance(&twice, 4, &noise, &half);
	kalman_advance(&twice, 6, &noise, &rest);
	for (i = 0; i < 4; i++) {
		assert_near(twice.x[i], once.x[i], 1e-9);
		for (j = 0; j < 4; j++)
			assert_near(twice.p[i][j], once.p[i][j], 1e-9 * fabs(once.p[i][j]) + 1e-9);
	}
}

Test(kalman, looking_ahead_is_what_advancing_gives)
{
	const struct kalman_noise noise = {.offset = 2, .rate = 3, .drift = 0.5};
	static const double sd[] = {10, 3, 1, 4};
	double input = 2, ahead, variance;
	struct kalman kalman;

	kalman_init(&kalman, 3, 4, sd);
	kalman.x[0] = 9, kalman.x[1] = 2, kalman.x[2] = -1, kalman.x[3] = 6;
	ahead = kalman_ahead(&kalman, 10, &noise, &input, &variance);
	assert_near(ahead, 9 + 20 - 50 + 12, 1e-9);
	kalman_advance(&kalman, 10, &noise, &input);
	assert_near(kalman.x[0], ahead, 1e-9);
	assert_near(kalman.p[0][0], variance, 1e-9);
}

Test(kalman, a_far_measurement_has_the_influence_of_the_limit)
{
	struct kalman near, far;
	struct kalman_innovation found;
	static const double sd[] = {1};

	kalman_init(&near, 1, 1, sd);
	far = near;
	/* The innovation's variance is 1 + 3. */
	found = kalman_update(&near, 3, 3, 1.5);
	assert_near(found.error, 3, 1e-12);
	assert_near(found.variance, 4, 1e-12);
	assert_near(found.share, 1, 1e-12);
	assert_near(near.x[0], 3.0 / 4, 1e-12);
	found = kalman_update(&far, -3000, 3, 1.5);
	assert_near(found.share, 0.001, 1e-12);
	assert_near(far.x[0], -3.0 / 4, 1e-12);
	cr_assert_gt(far.p[0][0], 0.99);
}

/* Between two times lies what kalman_advance() makes of it. */
Test(kalman, the_covariance_of_two_times_is_that_of_going_there_in_two_steps)
{
	const struct kalman_noise noise = {.offset = 3, .rate = 0.5, .drift = 0.02};
	struct kalman kalman, there;
	double from, to, variance;

	kalman_init(&kalman, 3, 3, (const double[]){3, 2, 1});
	kalman_advance(&kalman, 2, &noise, NULL);
	for (from = 0; from <= 9; from += 3) {
		there = kalman;
		kalman_advance(&there, from, &noise, NULL);
		for (to = from; to <= 12; to += 3) {
			double after = to - from;

			assert_near(kalman_covariance(&kalman, from, to, &noise),
				    there.p[0][0] + after * there.p[1][0] +
					    after * after / 2 * there.p[2][0],
				    1e-6);
		}
		kalman_ahead(&kalman, from, &noise, NULL, &variance);
		assert_near(kalman_covariance(&kalman, from, from, &noise), variance, 1e-6);
	}
}

Test(kalman, with_its_own_gain_a_correction_is_an_update)
{
	struct kalman updated, corrected;
	double gain[KALMAN_STATES_MAX] = {0};
	unsigned int i, j;

	kalman_init(&updated, 3, 3, (const double[]){3, 2, 1});
	kalman_advance(&updated, 2, &quiet, NULL);
	corrected = updated;
	for (i = 0; i < 3; i++)
		gain[i] = updated.p[i][0] / (updated.p[0][0] + 5);
	kalman_update(&updated, 40, 5, HUGE_VAL);
	kalman_correct(&corrected, 40, 5, gain);
	for (i = 0; i < 3; i++) {
		assert_near(corrected.x[i], updated.x[i], 1e-9);
		for (j = 0; j < 3; j++)
			assert_near(corrected.p[i][j], updated.p[i][j], 1e-9);
	}
}

/* With the mean of both, not weighted: half the one's error and half the other's */
Test(kalman, with_another_gain_the_variance_is_that_of_the_result)
{
	struct kalman kalman;

	kalman_init(&kalman, 1, 1, (const double[]){3});
	kalman_correct(&kalman, 10, 1, (const double[]){0.5});
	assert_near(kalman.x[0], 5, 1e-12);
	assert_near(kalman.p[0][0], (9.0 + 1) / 4, 1e-12);
}

/* Thirty years without a measurement, then very good ones: more than a double can tell apart */
Test(kalman, a_variance_never_falls_below_nothing)
{
	static const double sd[] = {1e8, 33000, 0.1};
	static const struct kalman_noise noise = {.drift = 1e-10};
	unsigned int gap, seconds, i;
	struct kalman kalman;

	for (gap = 0; gap < 10; gap++) {
		for (seconds = 1; seconds <= 100; seconds *= 10) {
			kalman_init(&kalman, 3, 3, sd);
			for (i = 0; i < 40; i++) {
				double dt_s = i % 10 ? seconds * (i % 3) : pow(10, gap);

				kalman_advance(&kalman, dt_s, &noise, NULL);
				kalman_update(&kalman, 1e6 * (i % 7), 1, HUGE_VAL);
				cr_assert_geq(kalman.p[KALMAN_OFFSET][KALMAN_OFFSET], 0);
				cr_assert_geq(kalman.p[KALMAN_RATE][KALMAN_RATE], 0);
				cr_assert_geq(kalman.p[KALMAN_DRIFT][KALMAN_DRIFT], 0);
				cr_assert(isfinite(kalman.x[KALMAN_DRIFT]));
			}
		}
	}
}
