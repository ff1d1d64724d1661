/* SPDX-License-Identifier: MIT */
/* When a model predicts, and its predictions that are kept until they are served. */
#ifndef ENGINE_SCHEDULE_H
#define ENGINE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/prediction.h"

#define SCHEDULE_KEPT 8
/* Longest lead, in intervals: what is kept must still be there when its time comes. */
#define SCHEDULE_LEAD_INTERVALS (SCHEDULE_KEPT - 2)

struct schedule_config {
	int64_t interval_ns; /* > 0: a prediction is made so often */
	int64_t horizon_ns;  /* it is served until so long after that; > interval_ns + lead_ns */
	int64_t lead_ns;     /* it is served from so long after that; 0 to
			      * SCHEDULE_LEAD_INTERVALS * interval_ns */
};

struct schedule {
	struct schedule_config config;
	int64_t made_ns; /* when the latest was asked for */
	bool has_made;
	struct prediction kept[SCHEDULE_KEPT]; /* a ring: the oldest makes room for the next */
	unsigned int count;
	unsigned int next;
	uint64_t hits;
	uint64_t misses; /* nothing to be served */
	uint64_t refused;
};

/* Returns 0, or -EINVAL if a member is out of its range. */
int schedule_init(struct schedule *schedule, const struct schedule_config *config);

/* Is it time for the model to predict? Yes at first; a time that was missed is not made up for. */
bool schedule_is_due(const struct schedule *schedule, int64_t now_ns);

/*
 * The model is asked now: *ret has the times, its line is to be filled in. It serves after the lead,
 * or at once: if that is asked for, or if nothing else serves now.
 */
void schedule_ask(struct schedule *schedule, int64_t now_ns, bool at_once, struct prediction *ret);

/*
 * Keep a prediction. Returns 0, or -EINVAL if it is not finite, has a negative standard deviation,
 * or times that are not in order: then it is counted and forgotten.
 */
int schedule_keep(struct schedule *schedule, const struct prediction *prediction);

/* The prediction made last that serves now_ns; NULL: there is none, which is counted as a miss. */
const struct prediction *schedule_serve(struct schedule *schedule, int64_t now_ns);

/* The same for a look from outside, which is not counted. */
const struct prediction *schedule_peek(const struct schedule *schedule, int64_t now_ns);

/* A step: nothing that was predicted holds. */
void schedule_clear(struct schedule *schedule);

/* UTC jumps by shift_ns: so do the predictions. */
void schedule_shift(struct schedule *schedule, int64_t shift_ns);

#endif /* ENGINE_SCHEDULE_H */
