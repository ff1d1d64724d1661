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
#include "engine/external.h"
#include "engine/fuse.h"
#include "engine/learnt.h"
#include "engine/long_term.h"
#include "engine/prediction.h"
#include "engine/schedule.h"
#include "engine/score.h"
#include "engine/short_term.h"

/* Before so many measurements a model predicts nothing. */
#define MODELS_MEASURED_MIN 4
/* A model that fewer measurements have been scored for is not ready. */
#define MODELS_SCORED_MIN 10
/* Measurements that are kept for others to read: as many as one look at the sources can bring */
#define MODELS_GIVEN 64
/* What an external model says of a shorter time serves nobody. */
#define MODELS_FEED_SHORTEST_NS 5000000000LL

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
	struct score ntp;                       /* of the line through the sources' samples */
	struct rivalry ntp_over[MODEL_COUNT];   /* is that line better than the model? */
	struct external external;               /* may MODEL_FEED be used? */
	bool external_fused;                    /* it had a part in what was fused last */
	int64_t stepped_ns;                     /* what was predicted before is of another time */
	struct measurement given[MODELS_GIVEN]; /* a ring: the latest measurements */
	uint64_t given_begin;                   /* those before this one are of another time */
	uint64_t given_end;
	bool measured;            /* since the models were asked last */
	double measurement_sd_ns; /* expected, of the latest measurement */
};

/* To be followed by models_reset(). Returns 0, or -EINVAL if a schedule is out of order. */
int models_init(struct models *models, const struct models_config *config);

/* Begin anew, with what is known beforehand: what was measured is of another time. */
void models_reset(struct models *models, const struct short_term_prior *prior);

/*
 * After models_reset(): go on from what an earlier run learnt, checked (learnt_check()), age_ns ago.
 * If its rate is disproved, only the wander counts, which widens the bound. Scores begin anew.
 */
void models_know(struct models *models, const struct learnt *learnt, int64_t age_ns,
		 bool same_oscillator, bool disproved);

/* What they have learnt until now_ns, beside the best estimate of the rate then */
void models_learnt(const struct models *models, int64_t now_ns, double rate_ns_s,
		   struct learnt *ret);

/* What may move the oscillator, as it was at raw_ns */
void models_covariates(struct models *models, int64_t raw_ns, const struct covariates *covariates);

/*
 * A measurement, not older than the one before. ntp: what the line through the sources' samples said
 * of that instant before it; NULL: nothing.
 */
void models_measure(struct models *models, const struct measurement *measurement,
		    const struct estimate *ntp);

/*
 * A prediction of an external model, MODEL_FEED, that came at now_ns. It is scored like the others',
 * of instants after now_ns only, and used while it has proven itself (external.h). The latest
 * SCHEDULE_KEPT are kept. Returns 0; -EINVAL: it is not finite, has no standard deviation above 0, is
 * for less than MODELS_FEED_SHORTEST_NS, or rests on what comes later than now_ns; -ESTALE: it is
 * over, or was made before a step.
 */
int models_feed(struct models *models, int64_t now_ns, const struct prediction *prediction);

/* Another external model, or none any more: all that was said is forgotten, and what it proved. */
void models_feed_begin(struct models *models);

/*
 * The measurements that the models were given, for others to learn from. *next: which one, at first
 * 0, counts up; what has been overwritten, or is of another time, is left out. NULL: no more.
 */
const struct measurement *models_given(const struct models *models, uint64_t *next);

/*
 * What the models say is impossible: they go on from this measurement, which is not scored, as the
 * method says; with RETRO_NONE, as they were. If an external model had a part in it, only that is
 * dropped: what is left will be held against the sources in its turn.
 */
void models_contradict(struct models *models, const struct measurement *measurement);

/*
 * Ask the models that are due at now_ns, not before the latest measurement, and fuse what serves. A
 * model that the line through the samples has proven to be better than is not used.
 */
void models_predict(struct models *models, int64_t now_ns, struct fused *ret);

/* Is a model in use that serves, and that has been scored by at least MODELS_SCORED_MIN measurements? */
bool models_ready(const struct models *models);

/*
 * Standard deviation, ns, by which the next measurement is expected to differ from an estimate with
 * that one, as far as the scores know.
 */
double models_measurement_sd(const struct models *models, double offset_sd_ns);

/* UTC jumps by shift_ns: all is as good as before. */
void models_shift(struct models *models, int64_t shift_ns);

#endif /* ENGINE_MODELS_H */
