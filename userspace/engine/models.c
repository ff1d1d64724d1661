/* SPDX-License-Identifier: MIT */
#include "engine/models.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "engine/learnt_models.h"

#define S 1000000000LL
/* A prediction with this share of the standard deviation of another one is better. */
#define BETTER 0.8
/* An external model's prediction counts in full for this part of its time: as 30 s are of 240 s */
#define FEED_FRESH 8

const struct models_config models_default = {
	.short_term = {.interval_ns = 5 * S, .horizon_ns = 30 * S},
	.long_term = {.interval_ns = 30 * S, .horizon_ns = 240 * S},
	.short_term_enabled = true,
	.long_term_enabled = true,
	.retroactive = RETRO_DRIFT_AWARE,
};

static void scores_init(struct models *models)
{
	unsigned int i;

	for (i = 0; i < MODEL_COUNT; i++)
		score_init(&models->scores[i]);
	score_init(&models->ntp);
	memset(models->ntp_over, 0, sizeof(models->ntp_over));
	models->measurement_sd_ns = 0;
}

/* Begin anew with the external model's scores, but not with what is known of it. */
static void feed_forget(struct models *models)
{
	schedule_clear(&models->schedules[MODEL_FEED]);
	score_init(&models->scores[MODEL_FEED]);
	models->ntp_over[MODEL_FEED] = (struct rivalry){0};
	models->external_fused = false;
}

void models_feed_begin(struct models *models)
{
	feed_forget(models);
	external_init(&models->external);
}

int models_init(struct models *models, const struct models_config *config)
{
	int r;

	memset(models, 0, sizeof(*models));
	models->config = *config;
	r = schedule_init(&models->schedules[MODEL_SHORT_TERM], &config->short_term);
	if (r == 0)
		r = schedule_init(&models->schedules[MODEL_LONG_TERM], &config->long_term);
	return r;
}

static void schedules_clear(struct models *models)
{
	unsigned int i;

	for (i = 0; i < MODEL_COUNT; i++)
		schedule_clear(&models->schedules[i]);
}

void models_reset(struct models *models, const struct short_term_prior *prior)
{
	schedules_clear(models);
	scores_init(models);
	models_feed_begin(models);
	models->stepped_ns = INT64_MIN;
	models->given_begin = models->given_end;
	short_term_init(&models->short_term, prior, models->config.retroactive);
	long_term_init(&models->long_term, prior->rate_ns_s, prior->rate_sd_ns_s);
}

void models_know(struct models *models, const struct learnt *learnt, int64_t age_ns,
		 bool same_oscillator, bool disproved)
{
	struct learnt kept = *learnt;

	if (disproved) {
		memset(kept.short_term_families, 0, sizeof(kept.short_term_families));
		memset(kept.short_term_likelihoods, 0, sizeof(kept.short_term_likelihoods));
	}
	if (kept.short_term_members > 0)
		short_term_know(&models->short_term, &kept, age_ns, same_oscillator);
	if (kept.long_term_inputs > 0 && !disproved)
		long_term_know(&models->long_term, &kept, age_ns, same_oscillator);
}

void models_learnt(const struct models *models, int64_t now_ns, double rate_ns_s,
		   struct learnt *ret)
{
	*ret = (struct learnt){0};
	short_term_learnt(&models->short_term, ret);
	long_term_learnt(&models->long_term, now_ns, rate_ns_s, ret);
}

/* The measurement's own error as it turned out so far, one standard deviation */
static double measured_sd(const struct models *models, double sd_ns)
{
	return short_term_noise(&models->short_term, sd_ns);
}

static void score(struct models *models, const struct measurement *measurement,
		  const struct estimate *ntp)
{
	double noise = measured_sd(models, measurement->sd_ns), ntp_error = 0;
	unsigned int i;

	if (ntp) {
		ntp_error = -estimate_offset(ntp, measurement->raw_ns, measurement->offset_ns);
		score_add(&models->ntp, ntp_error,
			  hypot(estimate_sd(ntp, measurement->raw_ns), noise));
	}
	for (i = 0; i < MODEL_COUNT; i++) {
		const struct prediction *served =
			schedule_serve(&models->schedules[i], measurement->raw_ns);
		struct score *score = &models->scores[i];
		double error, sd, distance;

		if (!served)
			continue;
		error = -estimate_offset(&served->line, measurement->raw_ns,
					 measurement->offset_ns);
		sd = hypot(estimate_sd(&served->line, measurement->raw_ns), noise);
		distance = error / (sd * score->factor);
		score_add(score, error, sd);
		if (ntp)
			rivalry_add(&models->ntp_over[i], ntp_error, error);
		if (i == MODEL_FEED &&
		    external_score(&models->external, score, &models->ntp_over[i], distance))
			feed_forget(models);
	}
}

void models_covariates(struct models *models, int64_t raw_ns, const struct covariates *covariates)
{
	long_term_covariates(&models->long_term, raw_ns, covariates);
}

void models_measure(struct models *models, const struct measurement *measurement,
		    const struct estimate *ntp)
{
	const struct measurement *last = short_term_agreed(&models->short_term);
	struct measurement agreed = last ? *last : *measurement;

	score(models, measurement, ntp);
	models->given[models->given_end++ % MODELS_GIVEN] = *measurement;
	models->measurement_sd_ns = measurement->sd_ns;
	models->measured = true;
	if (short_term_measure(&models->short_term, measurement)) {
		long_term_contradict(&models->long_term, models->config.retroactive, measurement,
				     last ? &agreed : NULL);
		schedules_clear(models);
		models->stepped_ns = measurement->raw_ns;
	} else {
		long_term_measure(&models->long_term, measurement);
	}
}

void models_contradict(struct models *models, const struct measurement *measurement)
{
	const struct measurement *last = short_term_agreed(&models->short_term);
	struct measurement agreed = last ? *last : *measurement;

	if (models->external_fused) {
		external_refute(&models->external);
		feed_forget(models);
		return;
	}
	if (models->config.retroactive == RETRO_NONE)
		return;
	short_term_contradict(&models->short_term, measurement);
	long_term_contradict(&models->long_term, models->config.retroactive, measurement,
			     last ? &agreed : NULL);
	schedules_clear(models);
	models->stepped_ns = measurement->raw_ns;
	models->measured = true;
}

int models_feed(struct models *models, int64_t now_ns, const struct prediction *prediction)
{
	struct prediction kept = *prediction;

	if (!(kept.line.offset_sd_ns > 0) || kept.made_ns > now_ns || kept.from_ns < kept.made_ns ||
	    kept.from_ns >= kept.until_ns ||
	    (uint64_t)kept.until_ns - (uint64_t)kept.from_ns < MODELS_FEED_SHORTEST_NS)
		return -EINVAL;
	if (kept.until_ns <= now_ns || kept.made_ns < models->stepped_ns)
		return -ESTALE;
	/* Out of sample: it does not count for what may have been measured when it came. */
	if (kept.from_ns < now_ns)
		kept.from_ns = now_ns;
	return schedule_keep(&models->schedules[MODEL_FEED], &kept);
}

const struct measurement *models_given(const struct models *models, uint64_t *next)
{
	uint64_t oldest = models->given_begin;

	if (models->given_end > MODELS_GIVEN && oldest < models->given_end - MODELS_GIVEN)
		oldest = models->given_end - MODELS_GIVEN;
	if (*next < oldest)
		*next = oldest;
	if (*next >= models->given_end)
		return NULL;
	return &models->given[(*next)++ % MODELS_GIVEN];
}

/*
 * Is the prediction that would be made now so much better than the one that serves that it should
 * not wait for its time? So it is in the first minutes, and when a measurement contradicts.
 */
static bool is_outdated(const struct schedule *schedule, const struct estimate *line,
			int64_t now_ns)
{
	const struct prediction *served = schedule_peek(schedule, now_ns);
	double sd;

	if (!served)
		return true;
	sd = estimate_sd(&served->line, now_ns);
	return estimate_sd(line, now_ns) < BETTER * sd ||
	       fabs(estimate_offset(&served->line, now_ns, line->reference_ns) -
		    estimate_offset(line, now_ns, line->reference_ns)) > sd;
}

static void short_term_predict(struct models *models, int64_t now_ns)
{
	struct schedule *schedule = &models->schedules[MODEL_SHORT_TERM];
	bool due = schedule_is_due(schedule, now_ns);
	struct prediction prediction;
	struct estimate line;
	bool outdated;

	if (!models->config.short_term_enabled || (!due && !models->measured))
		return;
	models->measured = false;
	if (models->short_term.bank.measured < MODELS_MEASURED_MIN)
		return;
	if (short_term_estimate(&models->short_term, now_ns, schedule->config.horizon_ns, &line) <
	    0)
		return;
	outdated = is_outdated(schedule, &line, now_ns);
	if (!due && !outdated)
		return;
	schedule_ask(schedule, now_ns, outdated, &prediction);
	prediction.line = line;
	(void)schedule_keep(schedule, &prediction);
}

static void long_term_predict(struct models *models, int64_t now_ns)
{
	struct schedule *schedule = &models->schedules[MODEL_LONG_TERM];
	struct prediction prediction;

	if (!models->config.long_term_enabled || !schedule_is_due(schedule, now_ns))
		return;
	schedule_ask(schedule, now_ns, false, &prediction);
	if (long_term_estimate(&models->long_term, now_ns, schedule->config.horizon_ns,
			       &prediction.line) == 0)
		(void)schedule_keep(schedule, &prediction);
}

/* The line has not proven to be better; and nobody vouches for the external model but its proof. */
static bool is_used(const struct models *models, unsigned int model)
{
	return !models->ntp_over[model].ahead &&
	       (model != MODEL_FEED || models->external.state == EXTERNAL_USED);
}

/* Each prediction of an external model has a time of its own. */
static void feed_input_set(const struct models *models, struct fuse_input *ret)
{
	if (!ret->prediction)
		return;
	ret->horizon_ns = ret->prediction->until_ns - ret->prediction->made_ns;
	ret->interval_ns = ret->horizon_ns / FEED_FRESH;
	ret->least_sd_ns = external_resolution(&models->scores[MODEL_FEED]);
}

void models_predict(struct models *models, int64_t now_ns, struct fused *ret)
{
	struct fuse_input inputs[MODEL_COUNT] = {0};
	unsigned int i;

	short_term_predict(models, now_ns);
	long_term_predict(models, now_ns);
	for (i = 0; i < MODEL_COUNT; i++) {
		struct schedule *schedule = &models->schedules[i];

		if (!is_used(models, i))
			continue;
		inputs[i] = (struct fuse_input){
			.prediction = schedule_serve(schedule, now_ns),
			.factor = models->scores[i].factor,
			.interval_ns = schedule->config.interval_ns,
			.horizon_ns = schedule->config.horizon_ns,
		};
	}
	feed_input_set(models, &inputs[MODEL_FEED]);
	models->external_fused = inputs[MODEL_FEED].prediction != NULL;
	fuse(ret, inputs, now_ns);
}

bool models_ready(const struct models *models)
{
	unsigned int i;

	for (i = 0; i < MODEL_COUNT; i++)
		if (models->scores[i].count >= MODELS_SCORED_MIN && models->schedules[i].count &&
		    is_used(models, i) && (i != MODEL_FEED || models->external_fused))
			return true;
	return false;
}

double models_measurement_sd(const struct models *models, double offset_sd_ns)
{
	const struct score *score = &models->scores[MODEL_SHORT_TERM];

	return hypot(offset_sd_ns, score->factor * measured_sd(models, models->measurement_sd_ns));
}

void models_shift(struct models *models, int64_t shift_ns)
{
	unsigned int i;

	short_term_shift(&models->short_term, shift_ns);
	long_term_shift(&models->long_term, shift_ns);
	for (i = 0; i < MODEL_COUNT; i++)
		schedule_shift(&models->schedules[i], shift_ns);
	for (i = 0; i < MODELS_GIVEN; i++)
		models->given[i].offset_ns += shift_ns;
}
