/* SPDX-License-Identifier: MIT */
/*
 * The predictive models as one: they are measured, scored, asked when it is time, and what they
 * predicted is fused. Scores come first: a measurement is compared with what was predicted before
 * it, and only then given to the models.
 */
#ifndef ENGINE_MODELS_H
#define ENGINE_MODELS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/covariates.h"
#include "engine/fuse.h"
#include "engine/long_term.h"
#include "engine/prediction.h"
#include "engine/schedule.h"
#include "engine/score.h"
#include "engine/short_term.h"

/* Before so many measurements a model predicts nothing. */
#define MODELS_MEASURED_MIN 4
/* A model that fewer measurements have been scored for is not ready. */
#define MODELS_SCORED_MIN 10

struct models_config {
	struct schedule_config short_term;
	struct schedule_config long_term;
	bool short_term_enabled;
	bool long_term_enabled;
	enum retro_method retroactive; /* what follows from a contradiction */
};

/* Short-term every 5 s, 30 s ahead; long-term every 30 s, 240 s ahead */
extern const struct models_config models_default;

struct models {
	struct models_config config;
	struct short_term short_term;
	struct long_term long_term;
	struct schedule schedules[MODEL_COUNT];
	struct score scores[MODEL_COUNT];
	struct score ntp;                     /* of the line through the sources' samples */
	struct rivalry ntp_over[MODEL_COUNT]; /* is that line better than the model? */
	bool measured;                        /* since the models were asked last */
	double measurement_sd_ns;             /* expected, of the latest measurement */
};

/* To be followed by models_reset(). Returns 0, or -EINVAL if a schedule is out of order. */
int models_init(struct models *models, const struct models_config *config);

/* Begin anew, with what is known beforehand: what was measured is of another time. */
void models_reset(struct models *models, const struct short_term_prior *prior);

/* What may move the oscillator, as it was at raw_ns */
void models_covariates(struct models *models, int64_t raw_ns, const struct covariates *covariates);

/*
 * A measurement, not older than the one before. ntp: what the line through the sources' samples said
 * of that instant before it; NULL: nothing.
 */
void models_measure(struct models *models, const struct measurement *measurement,
		    const struct estimate *ntp);

/*
 * What the models say is impossible: they go on from this measurement, which is not scored, as the
 * method says; with RETRO_NONE, as they were.
 */
void models_contradict(struct models *models, const struct measurement *measurement);

/*
 * Ask the models that are due at now_ns, not before the latest measurement, and fuse what serves. A
 * model that the line through the samples has proven to be better than is not used.
 */
void models_predict(struct models *models, int64_t now_ns, struct fused *ret);

/* Is a model in use that has been scored by at least MODELS_SCORED_MIN measurements? */
bool models_ready(const struct models *models);

/*
 * Standard deviation, ns, by which the next measurement is expected to differ from an estimate with
 * that one, as far as the scores know.
 */
double models_measurement_sd(const struct models *models, double offset_sd_ns);

/* UTC jumps by shift_ns: all is as good as before. */
void models_shift(struct models *models, int64_t shift_ns);

#endif /* ENGINE_MODELS_H */
