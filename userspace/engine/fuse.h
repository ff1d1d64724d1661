/* SPDX-License-Identifier: MIT */
/* Several models' predictions become one, and what is left when some have none. */
#ifndef ENGINE_FUSE_H
#define ENGINE_FUSE_H

#include <stdint.h>

#include "engine/prediction.h"

/* From the best to the worst: what the time told rests on */
enum fuse_level {
	FUSE_FUSION,     /* several models */
	FUSE_SHORT_TERM, /* one of them */
	FUSE_LONG_TERM,
	FUSE_NTP,      /* the line through the sources' samples */
	FUSE_HOLDOVER, /* nothing new: the last of the above runs on */
	FUSE_NO_DATA,
	FUSE_LEVELS,
};

struct fuse_input {
	const struct prediction *prediction; /* that serves now; NULL: none */
	double factor;                       /* for its standard deviations, see score.h */
	double least_sd_ns;                  /* it is no surer than that, whatever it says */
	int64_t interval_ns;                 /* see fuse_temporal() */
	int64_t horizon_ns;
};

struct fused {
	enum fuse_level level; /* FUSE_NTP: there is no prediction, and nothing below is set */
	struct estimate line;  /* at now_ns */
	double freshness;      /* 0 to 1: of the predictions, by weight */
};

/*
 * How much a prediction counts by its age: all of it as long as it is no older than the interval in
 * which the next one is made, then less, in proportion, down to nothing at the horizon. So nothing
 * jumps when one expires.
 */
double fuse_temporal(int64_t age_ns, int64_t interval_ns, int64_t horizon_ns);

/*
 * With sd the standard deviation of a prediction at now_ns, times its factor, but no less than
 * least_sd_ns, its weight is temporal / sd^2. The variance is sum w (sd^2 + (x - mean)^2) of the
 * normalised weights: all models have seen the same measurements, so their errors are no
 * independent ones.
 *
 * inputs: MODEL_COUNT of them. The feed counts as a long-term model.
 */
void fuse(struct fused *ret, const struct fuse_input *inputs, int64_t now_ns);

/* As status and log have it; "unknown" beyond the last. */
const char *fuse_level_name(enum fuse_level level);

#endif /* ENGINE_FUSE_H */
