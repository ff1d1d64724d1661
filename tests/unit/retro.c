/* SPDX-License-Identifier: MIT */
/* Each method of retroactive correction against its formula. */
#include <errno.h>
#include <math.h>

#include <criterion/criterion.h>

#include "engine/retro.h"

#define T 20.0

/* Without noise: Po = 9, Pr = 0.04, so that T^2 Pr = 16 and s = 0.64 */
static const struct kalman_noise quiet;
static struct kalman kalman;

/* The state predicts 100 + 5 * 20 = 200 for t1: e = 300. At t0 it is 2 less than was measured. */
static const struct retro_error error = {
	.since_s = T,
	.span_s = T,
	.agreed_ns = 102,
	.agreed_variance = 7,
	.measured_ns = 500,
	.variance = 6,
	.scale = 1,
};
#define E 300.0
#define A 2.0
#define SHARE 0.64

static void setup(void)
{
	static const double sd[] = {3, 0.2};

	kalman_init(&kalman, 2, 2, sd);
	kalman.x[KALMAN_OFFSET] = 100;
	kalman.x[KALMAN_RATE] = 5;
}

TestSuite(retro, .init = setup);

static void assert_near(double value, double expected)
{
	cr_assert(fabs(value - expected) <= 1e-9 * (1 + fabs(expected)), "%.12g is not %.12g",
		  value, expected);
}

static double correction(enum retro_method method, double after_s)
{
	return retro_correction(method, &kalman, &quiet, &error, after_s);
}

static struct kalman moved(enum retro_method method, const struct retro_error *by)
{
	struct kalman ret = kalman;

	retro_move(method, &ret, &quiet, NULL, by);
	return ret;
}

Test(retro, corrections_are_as_the_formulas_say)
{
	double t;

	for (t = 0; t <= T; t += T / 8) {
		assert_near(correction(RETRO_NONE, t), 0);
		assert_near(correction(RETRO_LINEAR, t), E * t / T);
		assert_near(correction(RETRO_DRIFT_AWARE, t), E * (1 - SHARE) + E * SHARE * t / T);
		assert_near(correction(RETRO_ADVANCE_ABSOLUTE, t), E);
		assert_near(correction(RETRO_BACKTRACKING, t), A + (E - A) * t / T);
		/* n (9 + 16) + 6 = 300^2 */
		assert_near(correction(RETRO_ADVANCED, t),
			    E * (9 + 0.04 * T * t) / (25 + 6 / ((E * E - 6) / 25)));
	}
}

/* What was told is corrected for so that the line through both measurements comes out. */
Test(retro, backtracking_puts_the_line_through_the_measurements)
{
	double t;

	for (t = 0; t <= T; t += T / 8)
		assert_near(100 + 5 * t + correction(RETRO_BACKTRACKING, t),
			    102 + (500 - 102) * t / T);
}

Test(retro, the_methods_differ_as_the_formulas_say)
{
	double t;

	for (t = 0; t <= T; t += T / 8) {
		double linear = correction(RETRO_LINEAR, t);
		double absolute = correction(RETRO_ADVANCE_ABSOLUTE, t);

		assert_near(absolute - linear, E * (1 - t / T));
		assert_near(correction(RETRO_DRIFT_AWARE, t),
			    (1 - SHARE) * absolute + SHARE * linear);
		assert_near(correction(RETRO_BACKTRACKING, t) - linear, A * (1 - t / T));
	}
}

Test(retro, drift_aware_is_what_the_variances_make_it)
{
	kalman.p[KALMAN_RATE][KALMAN_RATE] = 0;
	assert_near(correction(RETRO_DRIFT_AWARE, T / 4), E);
	kalman.p[KALMAN_RATE][KALMAN_RATE] = 0.04;
	kalman.p[KALMAN_OFFSET][KALMAN_OFFSET] = 0;
	assert_near(correction(RETRO_DRIFT_AWARE, T / 4), E / 4);
}

/* Of a walk of the offset and of one of the rate, with nothing else in doubt, bridges are known. */
Test(retro, advanced_is_the_bridge_of_the_noise)
{
	static const double certain[2];
	struct retro_error exact = error;
	double t;

	kalman_init(&kalman, 2, 2, certain);
	kalman.x[KALMAN_OFFSET] = 200;
	exact.variance = 1e-12;
	for (t = 0; t <= T; t += T / 8) {
		assert_near(retro_correction(RETRO_ADVANCED, &kalman,
					     &(struct kalman_noise){.offset = 3}, &exact, t),
			    E * t / T);
		assert_near(retro_correction(RETRO_ADVANCED, &kalman,
					     &(struct kalman_noise){.rate = 3}, &exact, t),
			    E * (3 * t * t * T - t * t * t) / (2 * T * T * T));
	}
}

/* An error that the model thinks usual is what its own update would make of it. */
Test(retro, advanced_is_the_usual_update_for_a_usual_error)
{
	struct kalman updated = kalman, after;
	struct retro_error usual = error;

	usual.measured_ns = 203;
	after = moved(RETRO_ADVANCED, &usual);
	kalman_advance(&updated, T, &quiet, NULL);
	kalman_update(&updated, 203, 6, HUGE_VAL);
	assert_near(after.x[KALMAN_OFFSET], updated.x[KALMAN_OFFSET]);
	assert_near(after.x[KALMAN_RATE], updated.x[KALMAN_RATE]);
	assert_near(after.p[0][0], updated.p[0][0]);
	assert_near(after.p[1][1], updated.p[1][1]);
	assert_near(updated.x[KALMAN_OFFSET], 200 + 3 * 25.0 / 31);
	assert_near(updated.x[KALMAN_RATE], 5 + 3 * 0.8 / 31);
}

Test(retro, the_state_goes_on_from_the_correction_and_with_its_slope)
{
	enum retro_method method;

	for (method = 0; method < RETRO_METHODS; method++) {
		struct kalman after = moved(method, &error);
		double end = correction(method, T), slope;

		slope = (end - correction(method, T - 1e-3)) / 1e-3;
		assert_near(after.x[KALMAN_OFFSET], 200 + end);
		cr_assert_float_eq(after.x[KALMAN_RATE], 5 + slope, 1e-6, "%s", retro_name(method));
	}
}

Test(retro, the_variances_are_those_of_what_the_new_state_is_made_of)
{
	struct kalman after = moved(RETRO_NONE, &error);

	assert_near(after.p[0][0], 9 + 16);
	assert_near(after.p[1][1], 0.04);
	after = moved(RETRO_ADVANCE_ABSOLUTE, &error);
	assert_near(after.p[0][0], 6);
	assert_near(after.p[0][1], 0);
	assert_near(after.p[1][1], 0.04);
	/* The rate is (y1 - offset of t0) / T. */
	after = moved(RETRO_LINEAR, &error);
	assert_near(after.p[0][0], 6);
	assert_near(after.p[0][1], 6 / T);
	assert_near(after.p[1][1], (9 + 6) / (T * T));
	/* The rate is (y1 - y0) / T. */
	after = moved(RETRO_BACKTRACKING, &error);
	assert_near(after.p[0][0], 6);
	assert_near(after.p[0][1], 6 / T);
	assert_near(after.p[1][1], (7 + 6) / (T * T));
	/* s (offset of t0 and y1), 1 - s of the rate that was known, and the doubt which it was */
	after = moved(RETRO_DRIFT_AWARE, &error);
	assert_near(after.p[1][1], (1 - SHARE) * (1 - SHARE) * 0.04 +
					   SHARE * SHARE * (9 + 6) / (T * T) +
					   SHARE * (1 - SHARE) * (E / T) * (E / T));
	/* n times what they were, less what the update takes */
	after = moved(RETRO_ADVANCED, &error);
	assert_near(after.p[0][0], 6 * (E * E - 6) / (E * E));
}

/* All that is told of noise is relative to the scale: what results is not. */
Test(retro, the_scale_of_the_variances_does_not_matter)
{
	enum retro_method method;

	for (method = 0; method < RETRO_METHODS; method++) {
		struct kalman after = moved(method, &error), scaled = kalman;
		struct retro_error by = error;
		unsigned int i, j;

		by.scale = 100;
		by.variance /= 100;
		by.agreed_variance /= 100;
		for (i = 0; i < 2; i++)
			for (j = 0; j < 2; j++)
				scaled.p[i][j] /= 100;
		retro_move(method, &scaled, &quiet, NULL, &by);
		for (i = 0; i < 2; i++) {
			assert_near(scaled.x[i], after.x[i]);
			for (j = 0; j < 2; j++)
				assert_near(100 * scaled.p[i][j], after.p[i][j]);
		}
	}
}

Test(retro, where_nothing_agreed_before_the_offset_alone_moves)
{
	enum retro_method method;
	struct retro_error first = error;

	first.span_s = 0;
	for (method = RETRO_NONE + 1; method < RETRO_METHODS; method++) {
		struct kalman after = moved(method, &first);

		assert_near(after.x[KALMAN_OFFSET], 500);
		assert_near(after.x[KALMAN_RATE], 5);
	}
	assert_near(moved(RETRO_NONE, &first).x[KALMAN_OFFSET], 200);
}

Test(retro, a_clock_without_a_rate_has_its_offset_moved)
{
	static const double sd[] = {3};
	enum retro_method method;

	kalman_init(&kalman, 1, 1, sd);
	kalman.x[KALMAN_OFFSET] = 200;
	for (method = RETRO_NONE + 1; method < RETRO_METHODS; method++)
		cr_assert_float_eq(moved(method, &error).x[KALMAN_OFFSET], 500, 0.1, "%s",
				   retro_name(method));
}

/* Coefficients of inputs are left alone, but by the gain. */
Test(retro, what_inputs_add_is_part_of_the_prediction)
{
	static const double sd[] = {3, 0.2, 0.5}, inputs[] = {10};
	enum retro_method method;

	for (method = RETRO_NONE + 1; method < RETRO_METHODS; method++) {
		kalman_init(&kalman, 2, 3, sd);
		kalman.x[KALMAN_OFFSET] = 100;
		kalman.x[2] = 4;
		retro_move(method, &kalman, &quiet, inputs, &error);
		cr_assert_float_eq(kalman.x[KALMAN_OFFSET], 500, 0.1);
		if (method == RETRO_LINEAR)
			assert_near(kalman.x[KALMAN_RATE], (500 - 140) / T);
		if (method == RETRO_BACKTRACKING)
			assert_near(kalman.x[KALMAN_RATE], (500 - 140 - A) / T);
		if (method != RETRO_ADVANCED)
			assert_near(kalman.x[2], 4);
	}
}

Test(retro, the_past_is_told_between_both_measurements_only)
{
	struct retro_past past = {.from_ns = 1000, .to_ns = 1000, .reference_ns = 5000};
	int64_t offset_ns;
	unsigned int i;

	for (i = 0; i < RETRO_POINTS; i++)
		past.corrected[i] = 10.0 * i;
	cr_assert_eq(retro_past_at(&past, 1000, &offset_ns), -ENODATA);
	past.to_ns = 1000 + 16 * 100;
	cr_assert_eq(retro_past_at(&past, 999, &offset_ns), -ENODATA);
	cr_assert_eq(retro_past_at(&past, 2601, &offset_ns), -ENODATA);
	cr_assert_eq(retro_past_at(&past, 1000, &offset_ns), 0);
	cr_assert_eq(offset_ns, 5000);
	cr_assert_eq(retro_past_at(&past, 1000 + 350, &offset_ns), 0);
	cr_assert_eq(offset_ns, 5035);
	cr_assert_eq(retro_past_at(&past, 2600, &offset_ns), 0);
	cr_assert_eq(offset_ns, 5160);
	past.corrected[0] = 1e30;
	cr_assert_eq(retro_past_at(&past, 1000, &offset_ns), -ERANGE);
	past.corrected[0] = NAN;
	cr_assert_eq(retro_past_at(&past, 1000, &offset_ns), -ERANGE);
	past.corrected[0] = 1e18;
	past.reference_ns = INT64_MAX;
	cr_assert_eq(retro_past_at(&past, 1000, &offset_ns), -ERANGE);
}

Test(retro, every_method_has_its_name)
{
	cr_assert_str_eq(retro_name(RETRO_NONE), "none");
	cr_assert_str_eq(retro_name(RETRO_LINEAR), "linear");
	cr_assert_str_eq(retro_name(RETRO_DRIFT_AWARE), "drift_aware");
	cr_assert_str_eq(retro_name(RETRO_ADVANCED), "advanced");
	cr_assert_str_eq(retro_name(RETRO_ADVANCE_ABSOLUTE), "advance_absolute");
	cr_assert_str_eq(retro_name(RETRO_BACKTRACKING), "backtracking");
	cr_assert_str_eq(retro_name(RETRO_METHODS), "unknown");
}
