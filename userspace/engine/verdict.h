/* SPDX-License-Identifier: MIT */
/* Who takes part in the selection, who is believed, and why not. Used by engine.c alone. */
#ifndef ENGINE_VERDICT_H
#define ENGINE_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/combine.h"
#include "engine/engine.h"

/* Reasons that engine.c gives too: one text is one address, by which changes are known. */
extern const char verdict_none[];
extern const char verdict_held[];
extern const char verdict_recanted[];
extern const char verdict_wait[];
extern const char verdict_split[];

/* May the source take part in the selection? Fills in its say if so, its view in any case. */
bool verdict_usable(struct engine *engine, unsigned int index, int64_t now_ns,
		    struct combine_source *ret);

/* How many sources beside the `count` usable ones are still to be heard, at the start? */
struct combine_absent verdict_absent(const struct engine *engine,
				     const struct combine_source *sources, unsigned int count,
				     int64_t now_ns);

/*
 * Who is believed, by a majority's verdict; trusted: the majority of those whom the operator
 * trusts. Returns false if none of the majority may be.
 */
bool verdict_give(struct engine *engine, const struct combine_source *sources, unsigned int count,
		  bool trusted);

/*
 * How far those are off that are measured only, from UTC minus raw time at now_ns, which is
 * estimate_ns beyond reference_ns
 */
void verdict_aside(struct engine *engine, int64_t reference_ns, double estimate_ns, int64_t now_ns);

#endif /* ENGINE_VERDICT_H */
