/* SPDX-License-Identifier: MIT */
/* What is told after a contradiction goes with the configured method; the bound does not. */
#include <math.h>

#include <criterion/criterion.h>

#include "engine/engine.h"
#include "support/noise.h"

#define SECOND 1000000000LL
#define OFFSET 1760000000123456789LL
#define POLL_S 16
#define STEP_NS 300000

static struct engine engine;
static struct correction now;
static struct models_config models;

static void start(enum retro_method method)
{
	/* The counter counts ns of raw time. */
	const struct engine_config config = {
		.scale = {.base = 0, .mult = 1ULL << 54},
		.max_drift_ppb = 100000,
		.wander_ppb = 1000,
		.max_bound_ns = 1000000000,
		.max_distance_ms = 1000,
		.models = &models,
	};

	models = models_default;
	models.retroactive = method;
	cr_assert_eq(engine_init(&engine, &config, 1), 0);
}

static void sample(int64_t raw_ns, int64_t offset_ns)
{
	(void)engine_sample_add(&engine, &(struct sample){
						 .counter = (uint64_t)raw_ns,
						 .offset_ns = offset_ns,
						 .delay_ns = 2000000,
						 .dispersion_ns = 1000,
						 .stratum = 1,
					 });
	engine_correct(&engine, (uint64_t)raw_ns, &now);
}

/* How far the time told at t_s is from one without the step, ns */
static double told(int t_s)
{
	engine_correct(&engine, (uint64_t)(t_s * SECOND), &now);
	return (double)(int64_t)((now.utc >> 64) - OFFSET - t_s * SECOND);
}

/* Half an hour, then as many measurements that contradict as it takes; when the last of them was */
static int contradict(enum retro_method method)
{
	int t, i;

	start(method);
	for (t = 0; t < 1800; t += POLL_S)
		sample(t * SECOND, OFFSET);
	for (i = 0; i < SHORT_TERM_CONFIRM; i++, t += POLL_S)
		sample(t * SECOND, OFFSET + STEP_NS);
	return t - POLL_S;
}

Test(engine_retro, what_is_told_after_a_contradiction_goes_with_the_method)
{
	double at[RETRO_METHODS], later[RETRO_METHODS];
	enum retro_method method;

	for (method = 0; method < RETRO_METHODS; method++) {
		int t = contradict(method);

		at[method] = told(t);
		cr_assert_eq(engine.models.short_term.steps, method != RETRO_NONE);
		cr_assert_eq(engine.level, FUSE_SHORT_TERM, "%s", retro_name(method));
		later[method] = told(t + 15) - at[method];
	}
	cr_assert_lt(at[RETRO_NONE], STEP_NS / 10);
	for (method = RETRO_NONE + 1; method < RETRO_METHODS; method++)
		cr_assert_float_eq(at[method], STEP_NS, 1000, "%s", retro_name(method));
	/* 300 us within 64 s, for 15 s; or a step */
	cr_assert_float_eq(later[RETRO_LINEAR], STEP_NS * 15.0 / 64, 500);
	cr_assert_float_eq(later[RETRO_BACKTRACKING], STEP_NS * 15.0 / 64, 500);
	cr_assert_float_eq(later[RETRO_ADVANCE_ABSOLUTE], 0, 100);
	cr_assert_gt(later[RETRO_DRIFT_AWARE], later[RETRO_ADVANCE_ABSOLUTE] + 10);
	cr_assert_lt(later[RETRO_DRIFT_AWARE], later[RETRO_LINEAR] - 10);
	cr_assert_gt(fabs(later[RETRO_ADVANCED] - later[RETRO_DRIFT_AWARE]), 10);
}

/* The interval that the truth is in is the sources', and the time told never leaves it. */
Test(engine_retro, the_interval_is_the_same_with_every_method)
{
	struct offset_interval without = {0, 0};
	enum retro_method method;

	for (method = 0; method < RETRO_METHODS; method++) {
		int t = contradict(method), i;

		if (method == RETRO_NONE)
			without = engine.base_offset;
		cr_assert_eq(engine.base_offset.lo, without.lo, "%s", retro_name(method));
		cr_assert_eq(engine.base_offset.hi, without.hi, "%s", retro_name(method));
		for (i = 0; i < 600; i++) {
			int64_t off = OFFSET - engine.base_offset.lo + (int64_t)told(t + i);
			int64_t width = engine.base_offset.hi - engine.base_offset.lo;

			cr_assert(off >= -1 && off <= width + 1, "%s: after %d s",
				  retro_name(method), i);
		}
	}
}

/* Contradictions of every size, at any distance in time: nothing becomes infinite. */
Test(engine_retro, survives_whatever_contradicts)
{
	enum retro_method method;

	for (method = 0; method < RETRO_METHODS; method++) {
		int64_t raw_ns = 0, offset_ns = OFFSET;
		int i;

		start(method);
		for (i = 0; i < 5000; i++) {
			raw_ns += 1 + llrint(exp(22 * fabs(noise() / 3)));
			if (i % 9 == 0)
				offset_ns = OFFSET + llrint(exp(40 * fabs(noise() / 4)));
			sample(raw_ns, offset_ns);
			cr_assert(isfinite(now.offset_uncertainty_ns) &&
					  isfinite(now.drift_uncertainty),
				  "%s: sample %d", retro_name(method), i);
		}
		if (method != RETRO_NONE)
			cr_assert_gt(engine.models.short_term.steps, 10, "%s: %u",
				     retro_name(method), engine.models.short_term.steps);
	}
}
