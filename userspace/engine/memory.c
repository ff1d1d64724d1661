/* SPDX-License-Identifier: MIT */
#include "engine/memory.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "engine/base.h"
#include "engine/learnt_models.h"
#include "engine/observe.h"
#include "engine/steer.h"

#define RATE_SD_MAX 1e-3

static uint64_t mult_from_rate(uint64_t nominal, int64_t rate)
{
	return nominal + (uint64_t)(int64_t)(((__int128)nominal * rate) >> RATE_SHIFT);
}

/* Rounded down; the mult is known to be near the nominal one. */
static int64_t rate_from_mult(uint64_t nominal, uint64_t mult)
{
	__int128 difference = (__int128)mult - (__int128)nominal;
	__int128 scaled = difference * RATE_ONE;

	return (int64_t)(scaled / nominal - (scaled % (__int128)nominal < 0));
}

static bool mult_is_near(uint64_t nominal, uint64_t mult)
{
	uint64_t apart = mult > nominal ? mult - nominal : nominal - mult;

	return apart <= nominal / (1000000000 / MEMORY_DRIFT_PPB);
}

/*
 * A run of a few samples may know less than the one before did: what that left is as good as it was,
 * less its age, unless samples have contradicted it.
 */
static void memory_hand_on(const struct engine *engine, struct engine_memory *ret)
{
	const struct filter_prior *prior = &engine->limits.prior;
	int64_t age_ns = engine->seen_ns - prior->raw_ns;
	double rate_sd = 1e-9 * rate_sd_aged(prior->sd_ns_s, engine->limits.wander_least, age_ns);
	uint64_t mult = mult_from_rate(engine->config.scale.mult,
				       (int64_t)(1e-9 * prior->rate_ns_s * (double)RATE_ONE));

	if (prior->sd_ns_s <= 0 || engine->disproved || rate_sd >= ret->rate_sd ||
	    mult < ret->mult_lo || mult > ret->mult_hi)
		return;
	ret->mult = mult;
	ret->rate_sd = rate_sd;
}

int engine_memory_get(const struct engine *engine, struct engine_memory *ret)
{
	const struct timescale *scale = &engine->config.scale;
	int64_t held_ns = timescale_ns(scale, engine->base.counter) -
			  timescale_ns(scale, engine->selected_counter);
	struct rate_interval rate =
		base_rate_at(engine, engine->base_raw_ns, BOUND_WANDER_WINDOW_NS);
	uint64_t nominal = scale->mult;
	double noise_ns = 0;
	unsigned int i;

	if (!engine->has_base)
		return -ENODATA;
	for (i = 0; i < engine->source_end; i++)
		if (engine->views[i].state == CHRONOTICK_SOURCE_SELECTED)
			noise_ns = fmax(noise_ns, engine->sources[i].filter.noise_ns);
	*ret = (struct engine_memory){
		.mult = engine->base.mult,
		.mult_lo = mult_from_rate(nominal, rate.lo) - 1,
		.mult_hi = mult_from_rate(nominal, rate.hi) + 1,
		.rate_sd = 1e-9 * rate_sd_aged(1e9 * engine->base.drift_uncertainty,
					       engine->limits.wander_least, held_ns),
		.noise_ns = noise_ns,
	};
	memory_hand_on(engine, ret);
	return 0;
}

static double ns_s_from_mult(uint64_t nominal, uint64_t mult)
{
	return 1e9 * (double)rate_from_mult(nominal, mult) / (double)RATE_ONE;
}

void engine_learnt_get(const struct engine *engine, struct learnt *ret)
{
	models_learnt(&engine->models, engine->seen_ns,
		      ns_s_from_mult(engine->config.scale.mult, engine->base.mult), ret);
}

const char *engine_learnt_check(const struct engine *engine, struct learnt *learnt)
{
	return learnt_check(learnt,
			    short_term_members(engine->models.short_term.prior.disciplined));
}

int engine_memory_row(struct engine *engine, unsigned int row, const double values[LEARNT_ROW_MAX])
{
	struct engine_input input = {.kind = ENGINE_INPUT_LEARNT, .row = row};
	struct learnt_row where;

	memcpy(input.values, values, sizeof(input.values));
	if (engine->observer)
		engine->observer(engine->observer_data, &input, NULL);
	if (!learnt_row(row, &where) || engine->has_first)
		return -EINVAL;
	memcpy((double *)&engine->learnt + where.first, values, where.count * sizeof(*values));
	return 0;
}

void engine_memory_learnt(struct engine *engine, const struct learnt *learnt)
{
	struct learnt_row where;
	unsigned int row;

	for (row = 0; learnt_row(row, &where); row++) {
		double values[LEARNT_ROW_MAX] = {0};

		memcpy(values, (const double *)learnt + where.first, where.count * sizeof(*values));
		(void)engine_memory_row(engine, row, values);
	}
}

static bool memory_in_range(const struct engine_memory *memory)
{
	return memory->mult_lo <= memory->mult && memory->mult <= memory->mult_hi &&
	       memory->rate_sd > 0 && memory->rate_sd <= RATE_SD_MAX && memory->noise_ns >= 0 &&
	       memory->noise_ns <= (double)ENGINE_ERROR_MAX_NS;
}

int engine_memory_set(struct engine *engine, const struct engine_memory *memory, int64_t age_ns,
		      bool same_oscillator)
{
	uint64_t nominal = engine->config.scale.mult;
	struct filter_limits *limits = &engine->limits;
	double sd_ns_s = memory->rate_sd * 1e9;
	struct rate_interval rate;

	observe(engine, .kind = ENGINE_INPUT_MEMORY, .memory = *memory, .age_ns = age_ns,
		.same_oscillator = same_oscillator);
	if (!memory_in_range(memory) || age_ns < 0 || engine->has_first)
		return -EINVAL;
	if (!mult_is_near(nominal, memory->mult_lo) || !mult_is_near(nominal, memory->mult_hi))
		return -ERANGE;

	if (!same_oscillator)
		sd_ns_s = hypot(sd_ns_s, LEARNT_RESTART_SD_NS_S);
	rate = (struct rate_interval){rate_from_mult(nominal, memory->mult_lo),
				      rate_from_mult(nominal, memory->mult_hi) + 1};
	limits->prior = (struct filter_prior){
		/* Raw time begins with the run, so it comes before all samples. */
		.raw_ns = 0,
		.rate = {-RATE_ONE, RATE_ONE},
		.rate_ns_s = ns_s_from_mult(nominal, memory->mult),
		.sd_ns_s = rate_sd_aged(sd_ns_s, limits->wander_least, age_ns),
		.noise_ns = memory->noise_ns,
	};
	(void)engine_learnt_check(engine, &engine->learnt);
	engine->learnt_age_ns = age_ns;
	engine->learnt_same = same_oscillator;
	steer_reset(engine);
	/* What it was seen to wander counts for the time in between, too. */
	steer_wander(engine);
	if (same_oscillator)
		limits->prior.rate = rate_widen(rate, rate_wander(&limits->wander, age_ns));
	return 0;
}
