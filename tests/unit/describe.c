/* SPDX-License-Identifier: MIT */
/* What the engine says of itself: of its level, its models and the oscillator. */
#include <math.h>

#include <criterion/criterion.h>

#include "engine/describe.h"
#include "support/noise.h"

#define S 1000000000LL
#define OFFSET 1760000000000000000LL
/* Enough for the models, and too short for the line through the samples to be held against them */
#define LEARN_S 256

static struct engine engine;
static struct correction now;
static struct engine_view view;

static void start(const struct models_config *models)
{
	const struct engine_config config = {
		.scale = {.base = 5000, .mult = 1ULL << 54},
		.max_drift_ppb = 100000,
		.wander_ppb = 1000,
		.max_bound_ns = 100000000,
		.max_distance_ms = 1000,
		.models = models,
	};

	cr_assert_eq(engine_init(&engine, &config, 1), 0);
}

static void look(int64_t t_s)
{
	uint64_t counter = 5000 + (uint64_t)(t_s * S);

	engine_correct(&engine, counter, &now);
	engine_describe(&engine, counter, &view);
}

static void measure(int64_t t_s, double offset_ns)
{
	const struct sample sample = {
		.counter = 5000 + (uint64_t)(t_s * S),
		.offset_ns = OFFSET + llrint(offset_ns),
		.delay_ns = 100000,
		.dispersion_ns = 100,
		.stratum = 1,
	};

	cr_assert_eq(engine_sample_add(&engine, &sample), 0);
	look(t_s);
}

Test(describe, before_the_first_sample_there_is_nothing)
{
	start(NULL);
	look(0);
	cr_assert_eq(view.level, FUSE_NO_DATA);
	cr_assert_not_null(view.reason);
	cr_assert_not(view.models[MODEL_SHORT_TERM].used);
	cr_assert_not(view.models[MODEL_SHORT_TERM].predicts);
	cr_assert_eq(view.models[MODEL_SHORT_TERM].scored, 0);
	cr_assert_eq(view.oscillator.walk_ns_s, 0);
	/* What is configured; the conversion rounds up. */
	cr_assert_float_eq(view.oscillator.allowed_ns_s, 1000, 1e-3);
}

Test(describe, says_which_models_are_used_and_why)
{
	int64_t t_s;

	start(NULL);
	measure(0, 0);
	cr_assert_eq(view.level, FUSE_NTP);
	cr_assert_str_eq(view.reason, "too little has been measured");
	for (t_s = 16; t_s <= LEARN_S; t_s += 16)
		measure(t_s, 100 * noise());
	cr_assert_eq(view.level, FUSE_SHORT_TERM);
	cr_assert_str_eq(view.reason, "nothing has shown yet what moves the oscillator");
	cr_assert(view.models[MODEL_SHORT_TERM].used && view.models[MODEL_SHORT_TERM].predicts);
	cr_assert_gt(view.models[MODEL_SHORT_TERM].scored, 10);
	cr_assert_gt(view.models[MODEL_SHORT_TERM].error_ns, 10);
	cr_assert_lt(view.models[MODEL_SHORT_TERM].error_ns, 1000);
	cr_assert_lt(fabs(view.models[MODEL_SHORT_TERM].away_ns), 100);
	cr_assert_gt(view.models[MODEL_SHORT_TERM].sd_ns, 0);
	cr_assert_not(view.models[MODEL_LONG_TERM].used);
	cr_assert_str_eq(view.models[MODEL_LONG_TERM].reason, view.reason);
	cr_assert_lt(view.oscillator.walk_ns_s, 10);
}

Test(describe, says_that_a_model_is_switched_off)
{
	struct models_config models = models_default;

	models.short_term_enabled = false;
	start(&models);
	measure(0, 0);
	cr_assert_eq(view.level, FUSE_NTP);
	cr_assert_str_eq(view.reason, "switched off");
}

Test(describe, a_look_changes_nothing)
{
	static struct engine before;
	uint64_t counter = 5000 + (LEARN_S + 8) * (uint64_t)S;
	int64_t t_s;

	start(NULL);
	for (t_s = 0; t_s <= LEARN_S; t_s += 16)
		measure(t_s, 100 * noise());
	before = engine;
	engine_describe(&engine, counter, &view);
	cr_assert_arr_eq(&engine, &before, sizeof(engine));
}

Test(describe, a_restless_oscillator_widens_what_is_allowed)
{
	double offset_ns = 0, rate_ns_s = 5000;
	int64_t t_s;

	start(NULL);
	for (t_s = 0; t_s < 20000; t_s++) {
		if (t_s % 16 == 0)
			measure(t_s, offset_ns + 1000 * noise());
		offset_ns += rate_ns_s;
		rate_ns_s += 200 * noise();
	}
	cr_assert_gt(view.oscillator.walk_ns_s, 100);
	/* 4 standard deviations, after the root of 1,100 s */
	cr_assert_float_eq(view.oscillator.allowed_ns_s, 4 * 33.16 * view.oscillator.walk_ns_s,
			   0.01 * view.oscillator.allowed_ns_s);
}

Test(describe, holdover_says_what_it_follows)
{
	int64_t t_s;

	start(NULL);
	for (t_s = 0; t_s <= LEARN_S; t_s += 16)
		measure(t_s, 100 * noise());
	engine_source_unreachable(&engine, 0, CHRONOTICK_SOURCE_UNREACHABLE);
	look(LEARN_S + 100);
	cr_assert_eq(now.status, CHRONOTICK_HOLDOVER);
	cr_assert_eq(view.level, FUSE_HOLDOVER);
	cr_assert_eq(view.held, FUSE_SHORT_TERM);
	cr_assert_str_eq(view.reason, "no majority of the sources agrees, or none is fresh");
}
