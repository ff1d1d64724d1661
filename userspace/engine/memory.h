/* SPDX-License-Identifier: MIT */
/*
 * What one run of the engine knows of its counter's oscillator when it ends, for the next run to
 * begin with. In units that outlive a run: UTC per count, not per nominal count.
 */
#ifndef ENGINE_MEMORY_H
#define ENGINE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"

/* A rate that is farther than this from the nominal one is none of this counter, ppb */
#define MEMORY_DRIFT_PPB 1000000

struct engine_memory {
	uint64_t mult;    /* best estimate of the rate, 2^-54 ns of UTC per count */
	uint64_t mult_lo; /* the sources were right if the rate lies between these two */
	uint64_t mult_hi;
	double rate_sd;  /* one standard deviation of the best estimate, s/s */
	double noise_ns; /* of a good sample, one standard deviation */
};

/* Returns 0, or -ENODATA if the engine has no trusted time. */
int engine_memory_get(const struct engine *engine, struct engine_memory *ret);

/*
 * What the engine's models have learnt, to go with its memory. Parts that are not known well enough
 * to be of use are left out.
 */
void engine_learnt_get(const struct engine *engine, struct learnt *ret);

/* As learnt_check(), for this engine's models */
const char *engine_learnt_check(const struct engine *engine, struct learnt *learnt);

/*
 * A row (learnt_row()) of what an earlier run's models have learnt, for the engine_memory_set() that
 * follows; parts that cannot be are dropped then. Returns 0; -EINVAL if there is no such row, or was
 * a sample.
 */
int engine_memory_row(struct engine *engine, unsigned int row, const double values[LEARNT_ROW_MAX]);

/* All rows of it, one after the other */
void engine_memory_learnt(struct engine *engine, const struct learnt *learnt);

/*
 * Begin with what an earlier run knew age_ns ago, and with what its models had learnt, if that was
 * given before. To be called before the first sample. The
 * standard deviation grows with the age as in a run (filter_prior_at()). same_oscillator: the
 * counter is known to have run on since (the machine was not started anew): then [mult_lo, mult_hi]
 * counts too, widened by the wander of that time; else the rate is an estimate, wrong by 1 ppm more.
 *
 * Returns 0; -EINVAL if a member is out of range, age_ns is negative, or there was a sample; -ERANGE
 * if the rate is none of this counter. Then nothing has changed.
 */
int engine_memory_set(struct engine *engine, const struct engine_memory *memory, int64_t age_ns,
		      bool same_oscillator);

#endif /* ENGINE_MEMORY_H */
