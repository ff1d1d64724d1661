/* SPDX-License-Identifier: MIT */
#include "engine/describe.h"

#include <stddef.h>

#include "engine/base.h"

static const char *short_term_reason(const struct models *models)
{
	if (!models->config.short_term_enabled)
		return "switched off";
	if (models->short_term.bank.measured < MODELS_MEASURED_MIN)
		return "too little has been measured";
	return NULL;
}

static const char *long_term_reason(const struct models *models, int64_t now_ns)
{
	struct estimate line;

	if (!models->config.long_term_enabled)
		return "switched off";
	if (long_term_estimate(&models->long_term, now_ns,
			       models->schedules[MODEL_LONG_TERM].config.horizon_ns, &line) < 0)
		return "nothing has shown yet what moves the oscillator";
	return NULL;
}

/* Why a model is not used; NULL: it is. */
static const char *unused_reason(const struct models *models, enum model model, int64_t now_ns)
{
	const char *reason = NULL;

	if (model == MODEL_SHORT_TERM)
		reason = short_term_reason(models);
	else if (model == MODEL_LONG_TERM)
		reason = long_term_reason(models, now_ns);
	else if (models->external.state != EXTERNAL_USED && models->scores[MODEL_FEED].count)
		reason = external_state_name(models->external.state);
	if (reason)
		return reason;
	if (models->ntp_over[model].ahead)
		return "the line through the sources' samples has been better";
	if (!schedule_peek(&models->schedules[model], now_ns))
		return "no prediction for now";
	return NULL;
}

const char *engine_level_reason(const struct engine *engine, int64_t now_ns)
{
	const struct models *models = &engine->models;

	switch (engine->level) {
	case FUSE_FUSION:
		return "several models predict";
	case FUSE_SHORT_TERM:
		return unused_reason(models, MODEL_LONG_TERM, now_ns);
	case FUSE_LONG_TERM:
	case FUSE_NTP:
		return unused_reason(models, MODEL_SHORT_TERM, now_ns);
	case FUSE_HOLDOVER:
		return "no majority of the sources agrees, or none is fresh";
	default:
		return "no majority has agreed yet";
	}
}

static void model_describe(const struct engine *engine, enum model model, int64_t now_ns,
			   const struct correction *now, struct model_view *ret)
{
	const struct models *models = &engine->models;
	const struct score *score = &models->scores[model];
	const struct prediction *prediction = schedule_peek(&models->schedules[model], now_ns);
	const char *reason = unused_reason(models, model, now_ns);

	*ret = (struct model_view){
		.used = !reason,
		.predicts = prediction,
		.reason = reason ? reason : "used",
		.scored = score->count,
		.error_ns = score->error_ns,
		.factor = score->factor,
	};
	if (!prediction)
		return;
	ret->age_ns = now_ns - prediction->made_ns;
	ret->sd_ns = score->factor * estimate_sd(&prediction->line, now_ns);
	if (engine->has_base)
		ret->away_ns = estimate_offset(&prediction->line, now_ns,
					       (int64_t)(now->utc >> 64) - now_ns);
}

void engine_describe(const struct engine *engine, uint64_t counter, struct engine_view *ret)
{
	int64_t now_ns = timescale_ns(&engine->config.scale, counter);
	struct oscillator_view *oscillator = &ret->oscillator;
	struct correction now = {.utc = 0};
	unsigned int i;

	if (engine->has_base)
		base_at(engine, counter, &now);
	ret->level = engine->has_base ? engine->level : FUSE_NO_DATA;
	ret->held = engine->held;
	ret->reason = engine_level_reason(engine, now_ns);
	if (!ret->reason)
		ret->reason = "a model has just changed";
	for (i = 0; i < MODEL_COUNT; i++)
		model_describe(engine, i, now_ns, &now, &ret->models[i]);
	short_term_wander(&engine->models.short_term, &oscillator->walk_ns_s,
			  &oscillator->slope_ns_s2);
	oscillator->allowed_ns_s =
		1e9 * (double)rate_wander(&engine->limits.wander, BOUND_WANDER_WINDOW_NS) /
		(double)RATE_ONE;
}
