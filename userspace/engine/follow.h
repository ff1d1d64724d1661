/* SPDX-License-Identifier: MIT */
/* What the engine does at a leap second (leap.h tells when that is). Used by the engine's parts. */
#ifndef ENGINE_FOLLOW_H
#define ENGINE_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"

/*
 * May the sample be taken, or is it of the time around a leap second? A leap second that is due
 * then is followed first. *shift_ns: what has to be added to the offset of one from before.
 */
bool follow_sample(struct engine *engine, const struct sample *sample, int64_t raw_ns,
		   int64_t *shift_ns);

/*
 * With the base's line at raw time now_ns in *ret: follow the leap second if it is due, and fill in
 * what there is to tell of the next one, and TAI - UTC. A leap second that comes up too late leaves
 * the engine without a base.
 */
void follow_correct(struct engine *engine, int64_t now_ns, struct correction *ret);

#endif /* ENGINE_FOLLOW_H */
