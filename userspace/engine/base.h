/* SPDX-License-Identifier: MIT */
/*
 * What the time is told from: the line and the interval as the sources last agreed on them, held on
 * while they don't. Used by the engine's parts. All but base_set() need a base (engine.has_base).
 */
#ifndef ENGINE_BASE_H
#define ENGINE_BASE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/combine.h"
#include "engine/engine.h"

/* The line at a counter value, in *ret; the uncertainty stays that of the last selection. */
void base_at(const struct engine *engine, uint64_t counter, struct correction *ret);

/* UTC minus raw time by the line at a counter value, ns, rounded down */
int64_t base_offset_ns(const struct engine *engine, uint64_t counter);

/* Standard deviation of the line at a counter value, ns */
double base_sd(const struct engine *engine, uint64_t counter);

/*
 * Where the rate lies from the last selection up to reach_ns, at most BOUND_WANDER_WINDOW_NS, after
 * raw time now_ns, if nothing was measured since.
 */
struct rate_interval base_rate_at(const struct engine *engine, int64_t now_ns, int64_t reach_ns);

/* A majority agrees: this is what the time is told from now on. */
void base_set(struct engine *engine, uint64_t counter, int64_t now_ns,
	      const struct combined *combined, const struct combine_source *sources,
	      unsigned int count);

/* No majority: the interval grows on, and the estimate follows the models in it, or runs on. */
void base_hold(struct engine *engine, uint64_t counter, int64_t now_ns);

/*
 * Do a few sources, left alone or back before the others, take back what at least twice as many
 * agreed on? Both can't be right. Without a base they don't.
 */
bool base_outvotes(const struct engine *engine, uint64_t counter, const struct combined *combined);

/*
 * Do all that agree now contradict what they said before, while another one, asked since, still
 * agrees with the time held over? Without a base they don't.
 */
bool base_recanted(const struct engine *engine, uint64_t counter, int64_t now_ns,
		   const struct combine_source *sources, unsigned int count);

#endif /* ENGINE_BASE_H */
