/* SPDX-License-Identifier: MIT */
/* What the models say together, from nothing to both. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include <criterion/criterion.h>

#include "engine/models.h"

#define S 1000000000LL
#define BASE 1760000000000000000LL

static struct models models;
static struct fused fused;
static double offset_ns;
static int t_s;

static const struct short_term_prior prior = {.rate_sd_ns_s = 30000};

static void start(const struct models_config *config)
{
	cr_assert_eq(models_init(&models, config), 0);
	models_reset(&models, &prior);
	offset_ns = 0;
	t_s = 0;
}

static void setup(void)
{
	start(&models_default);
}

TestSuite(models, .init = setup);

static double temperature(int s)
{
	return 40 + 2 * sin(2 * M_PI * s / 2400.0);
}

/* 16 s of a clock at 5000 ns/s and 50 for each K, then a measurement */
static void go_on(bool read)
{
	int i;

	for (i = 0; i < 16; i++, t_s++) {
		const struct covariates covariates = {.present = 1, .value = {temperature(t_s)}};

		if (read && t_s % 10 == 0)
			models_covariates(&models, t_s * S, &covariates);
		offset_ns += 5000 + (read ? 50 * (temperature(t_s) - 40) : 0);
	}
	models_measure(&models,
		       &(struct measurement){
			       .raw_ns = t_s * S,
			       .offset_ns = BASE + llrint(offset_ns),
			       .sd_ns = 1000,
		       },
		       NULL);
	models_predict(&models, t_s * S, &fused);
}

static double off(void)
{
	return estimate_offset(&fused.line, t_s * S, BASE) - offset_ns;
}

Test(models, schedules_out_of_order_are_refused)
{
	struct models_config wrong = models_default;

	wrong.long_term.horizon_ns = wrong.long_term.interval_ns;
	cr_assert_eq(models_init(&models, &wrong), -EINVAL);
}

Test(models, a_few_measurements_are_left_to_the_sources)
{
	unsigned int i;

	for (i = 1; i < MODELS_MEASURED_MIN; i++) {
		go_on(false);
		cr_assert_eq(fused.level, FUSE_NTP);
	}
	go_on(false);
	cr_assert_eq(fused.level, FUSE_SHORT_TERM);
	cr_assert_lt(fabs(off()), 2000);
	cr_assert(!models_ready(&models));
	for (i = 0; i < 2 * MODELS_SCORED_MIN; i++)
		go_on(false);
	cr_assert(models_ready(&models));
}

/* Each measurement makes the prediction better, and none waits for a time that never comes. */
Test(models, a_prediction_serves_at_any_poll_and_lead)
{
	struct models_config config = models_default;
	int lead_s;

	for (lead_s = 0; lead_s < 25; lead_s += 6) {
		config.short_term.lead_ns = lead_s * S;
		start(&config);
		for (t_s = 0; t_s < 200; t_s++) {
			models_measure(&models,
				       &(struct measurement){
					       .raw_ns = t_s * S,
					       .offset_ns = BASE + 5000 * t_s,
					       .sd_ns = 1000,
				       },
				       NULL);
			models_predict(&models, t_s * S, &fused);
			cr_assert_eq(fused.level,
				     t_s + 1 < MODELS_MEASURED_MIN ? FUSE_NTP : FUSE_SHORT_TERM);
		}
	}
}

Test(models, what_is_switched_off_predicts_nothing)
{
	struct models_config config = models_default;
	unsigned int i;

	config.short_term_enabled = false;
	start(&config);
	for (i = 0; i < 30; i++)
		go_on(false);
	cr_assert_eq(fused.level, FUSE_NTP);
	cr_assert(!models_ready(&models));
}

Test(models, a_model_that_loses_is_not_used)
{
	unsigned int i;

	for (i = 0; i < 30; i++)
		go_on(false);
	models.ntp_over[MODEL_SHORT_TERM].ahead = true;
	go_on(false);
	cr_assert_eq(fused.level, FUSE_NTP);
	cr_assert(!models_ready(&models));
}

/* What was predicted stands until it is scored: the model has not seen the measurement then. */
Test(models, scores_come_before_the_models_learn)
{
	unsigned int i;
	double before;

	for (i = 0; i < 30; i++)
		go_on(false);
	before = models.scores[MODEL_SHORT_TERM].error_ns;
	offset_ns += 1e6;
	go_on(false);
	cr_assert_float_eq(models.scores[MODEL_SHORT_TERM].error_ns - before, 1e6 / 30, 1e6 / 150);
}

Test(models, both_are_fused_once_the_temperature_has_shown_that_it_matters)
{
	unsigned int i;

	for (i = 0; i < 40; i++)
		go_on(true);
	cr_assert_eq(fused.level, FUSE_SHORT_TERM);
	for (i = 0; i < 4 * 225; i++)
		go_on(true);
	cr_assert_eq(fused.level, FUSE_FUSION);
	cr_assert_lt(fabs(off()), 2000);
}

/*
 * What contradicts is scored by what was predicted before, and by nothing that was fitted to it: all
 * methods have the same scores until the first measurement after.
 */
Test(models, a_correction_changes_no_score)
{
	struct score before = {0}, after[RETRO_METHODS];
	struct models_config config = models_default;
	double errors[RETRO_METHODS];
	enum retro_method method;
	unsigned int i;

	for (method = 0; method < RETRO_METHODS; method++) {
		config.retroactive = method;
		start(&config);
		for (i = 0; i < 30; i++)
			go_on(false);
		offset_ns += 1e6;
		for (i = 1; i < SHORT_TERM_CONFIRM; i++)
			go_on(false);
		before = models.scores[MODEL_SHORT_TERM];
		go_on(false);
		cr_assert_eq(models.short_term.steps, method != RETRO_NONE);
		after[method] = models.scores[MODEL_SHORT_TERM];
		/* The model itself is right by now. */
		errors[method] = fabs(off());
		cr_assert_eq(memcmp(&after[method], &after[0], sizeof(after[0])), 0, "%s",
			     retro_name(method));
		cr_assert_eq(after[method].count, before.count + 1);
		cr_assert_gt(after[method].error_ns, before.error_ns);
	}
	cr_assert_gt(errors[RETRO_NONE], 9e5);
	cr_assert_lt(errors[RETRO_LINEAR], 1e5);
	/* A contradiction that something else has found is no measurement to be scored by. */
	before = models.scores[MODEL_SHORT_TERM];
	models_contradict(&models, &(struct measurement){
					   .raw_ns = t_s * S,
					   .offset_ns = BASE + llrint(offset_ns) + 5000000,
					   .sd_ns = 1000,
				   });
	cr_assert_eq(memcmp(&models.scores[MODEL_SHORT_TERM], &before, sizeof(before)), 0);
}

Test(models, a_step_and_a_leap_second_are_followed_at_once)
{
	unsigned int i;

	for (i = 0; i < 30; i++)
		go_on(false);
	offset_ns += 1e9;
	models_contradict(&models, &(struct measurement){
					   .raw_ns = t_s * S,
					   .offset_ns = BASE + llrint(offset_ns),
					   .sd_ns = 1000,
				   });
	models_predict(&models, t_s * S, &fused);
	cr_assert_lt(fabs(off()), 1);
	models_shift(&models, -S);
	models_predict(&models, t_s * S, &fused);
	cr_assert_float_eq(off(), -1e9, 1);
}

Test(models, the_next_measurement_is_expected_to_be_off_by_its_own_error_too)
{
	unsigned int i;

	for (i = 0; i < 30; i++)
		go_on(false);
	cr_assert_geq(models_measurement_sd(&models, 500), 500);
}
