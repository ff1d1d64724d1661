/* SPDX-License-Identifier: MIT */
/* How the engine's time follows the predictive models (models.h). Used by engine.c and its parts. */
#ifndef ENGINE_STEER_H
#define ENGINE_STEER_H

#include <stdint.h>

#include "engine/combine.h"
#include "engine/engine.h"

/* The models know nothing but what an earlier run knew of the rate. */
void steer_reset(struct engine *engine);

/*
 * How far the rate may move from now on (bound.h): what is configured, or as the short-term model
 * finds the oscillator to be, if that is more. What is learnt is a standard deviation; STEER_WANDER_SD
 * of them are promised.
 */
#define STEER_WANDER_SD 4.0
void steer_wander(struct engine *engine);

/*
 * A majority agrees at raw time now_ns: its new samples are measurements for the models, and where
 * these have a prediction, *combined follows it, as far as the selected interval allows.
 */
void steer(struct engine *engine, struct combined *combined, const struct combine_source *sources,
	   unsigned int count, int64_t now_ns);

/*
 * No majority: the estimate of UTC minus raw time follows the models as far as `interval` allows, in
 * which it lies for certain. Returns false if they have none; else *ret is the line.
 */
bool steer_hold(struct engine *engine, struct offset_interval interval, int64_t now_ns,
		struct estimate *ret);

/*
 * What the page calls it: enum chronotick_source_kind. kind: of the reference that the time rests on
 * where it rests on no model; 0: NTP.
 */
uint8_t steer_source(enum fuse_level level, uint8_t kind);

/* UTC jumps by shift_ns. */
void steer_shift(struct engine *engine, int64_t shift_ns);

#endif /* ENGINE_STEER_H */
