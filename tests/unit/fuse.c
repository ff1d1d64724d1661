/* SPDX-License-Identifier: MIT */
/* Fusion of predictions made by hand. */
#include <math.h>
#include <string.h>

#include <criterion/criterion.h>

#include "engine/fuse.h"

#define S 1000000000LL
#define BASE 1760000000000000000LL

static struct fuse_input inputs[MODEL_COUNT];
static struct prediction predictions[MODEL_COUNT];
static struct fused fused;

static void given(enum model model, double offset_ns, double sd_ns, double drift_ns_s)
{
	predictions[model] = (struct prediction){
		.until_ns = 240 * S,
		.line = {.reference_ns = BASE,
			 .offset_ns = offset_ns,
			 .offset_sd_ns = sd_ns,
			 .drift_ns_s = drift_ns_s},
	};
	inputs[model] = (struct fuse_input){
		.prediction = &predictions[model],
		.factor = 1,
		.interval_ns = 10 * S,
		.horizon_ns = 30 * S,
	};
}

static double offset(int64_t now_ns)
{
	fuse(&fused, inputs, now_ns);
	return estimate_offset(&fused.line, now_ns, BASE);
}

Test(fuse, by_age_a_prediction_counts_less_and_less)
{
	cr_assert_eq(fuse_temporal(0, 10, 30), 1);
	cr_assert_eq(fuse_temporal(10, 10, 30), 1);
	cr_assert_float_eq(fuse_temporal(25, 10, 30), 0.25, 1e-12);
	cr_assert_eq(fuse_temporal(30, 10, 30), 0);
	cr_assert_eq(fuse_temporal(31, 10, 30), 0);
}

Test(fuse, weights_are_inverse_variances)
{
	given(MODEL_SHORT_TERM, 100, 10, 4);
	given(MODEL_LONG_TERM, 200, 20, 9);
	/* 4/5 and 1/5 */
	cr_assert_float_eq(offset(0), 120, 1e-9);
	cr_assert_eq(fused.level, FUSE_FUSION);
	cr_assert_float_eq(fused.line.drift_ns_s, 5, 1e-9);
	cr_assert_float_eq(fused.line.offset_sd_ns,
			   sqrt(0.8 * (100 + 20 * 20) + 0.2 * (400 + 80 * 80)), 1e-9);
	cr_assert_eq(fused.freshness, 1);
}

Test(fuse, agreement_makes_it_no_surer_than_the_models_are)
{
	given(MODEL_SHORT_TERM, 100, 10, 0);
	given(MODEL_LONG_TERM, 100, 10, 0);
	offset(0);
	cr_assert_float_eq(fused.line.offset_sd_ns, 10, 1e-9);
}

Test(fuse, factors_rescale)
{
	given(MODEL_SHORT_TERM, 100, 10, 0);
	given(MODEL_LONG_TERM, 200, 20, 0);
	inputs[MODEL_SHORT_TERM].factor = 2;
	cr_assert_float_eq(offset(0), 150, 1e-9);
}

/* What is known of it, not what it says: 20 ns, so a fifth of the weight */
Test(fuse, nothing_is_surer_than_the_least)
{
	given(MODEL_SHORT_TERM, 100, 10, 0);
	given(MODEL_FEED, 200, 1, 0);
	inputs[MODEL_FEED].least_sd_ns = 20;
	cr_assert_float_eq(offset(0), 120, 1e-9);
	cr_assert_float_eq(fused.line.offset_sd_ns,
			   sqrt(0.8 * (100 + 20 * 20) + 0.2 * (400 + 80 * 80)), 1e-9);
}

/* 1/4 of its weight at 25 s; and the lines go on. */
Test(fuse, the_older_one_gives_way_without_a_jump)
{
	double before, after;

	given(MODEL_SHORT_TERM, 100, 10, 0);
	given(MODEL_LONG_TERM, 200, 10, 0);
	inputs[MODEL_LONG_TERM].interval_ns = 100 * S;
	inputs[MODEL_LONG_TERM].horizon_ns = 240 * S;
	cr_assert_float_eq(offset(25 * S), 180, 1e-9);
	cr_assert_float_eq(fused.freshness, 0.2 * 0.25 + 0.8, 1e-9);
	before = offset(30 * S - 1000);
	cr_assert_eq(fused.level, FUSE_FUSION);
	after = offset(30 * S);
	cr_assert_eq(fused.level, FUSE_LONG_TERM);
	cr_assert_float_eq(after - before, 0, 1e-3);
}

Test(fuse, who_is_there_makes_the_level)
{
	offset(0);
	cr_assert_eq(fused.level, FUSE_NTP);
	given(MODEL_FEED, 1, 1, 0);
	offset(0);
	cr_assert_eq(fused.level, FUSE_LONG_TERM);
	given(MODEL_SHORT_TERM, 1, 1, 0);
	offset(0);
	cr_assert_eq(fused.level, FUSE_FUSION);
	inputs[MODEL_FEED].prediction = NULL;
	offset(0);
	cr_assert_eq(fused.level, FUSE_SHORT_TERM);
}

Test(fuse, certainty_beyond_measure_is_no_division_by_zero)
{
	given(MODEL_SHORT_TERM, 100, 0, 0);
	given(MODEL_LONG_TERM, 200, 1000, 0);
	cr_assert_float_eq(offset(0), 100, 1e-3);
	cr_assert(isfinite(fused.line.offset_sd_ns));
}

Test(fuse, levels_have_names)
{
	unsigned int i;

	for (i = 0; i < FUSE_LEVELS; i++)
		cr_assert(strlen(fuse_level_name((enum fuse_level)i)) > 5);
	cr_assert_str_eq(fuse_level_name(FUSE_LEVELS), "unknown");
}
