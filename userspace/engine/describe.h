/* SPDX-License-Identifier: MIT */
/* What the time rests on, and why, for status displays. It changes nothing. */
#ifndef ENGINE_DESCRIBE_H
#define ENGINE_DESCRIBE_H

#include "engine/engine.h"

/* What a model has to say, and whether it is heard */
struct model_view {
	bool used;          /* the time rests on it, too */
	bool predicts;      /* there is a prediction for now */
	const char *reason; /* static text: why it is used or not */
	uint64_t scored;    /* measurements that its predictions were compared with */
	double error_ns;    /* mean absolute error of these, newer ones counting more */
	double factor;      /* by which its standard deviations had to be rescaled for that */
	int64_t age_ns;     /* of its prediction for now; this and the next two 0: there is none */
	double away_ns;     /* of that from the time told */
	double sd_ns;       /* its standard deviation, rescaled */
};

/* How the oscillator's rate has moved, as far as is known (bound.h, short_term.h) */
struct oscillator_view {
	double walk_ns_s;    /* standard deviation after a second; with the root of the time */
	double slope_ns_s2;  /* steady */
	double allowed_ns_s; /* by which the bound lets it move in BOUND_WANDER_WINDOW_NS */
};

struct engine_view {
	enum fuse_level level; /* what the time rests on */
	enum fuse_level held;  /* in holdover, what the time held over follows */
	const char *reason;    /* static text: why that, and nothing better */
	struct model_view models[MODEL_COUNT];
	struct oscillator_view oscillator;
};

/* For a counter value at or after that of the latest engine_correct() */
void engine_describe(const struct engine *engine, uint64_t counter, struct engine_view *ret);

/* Why the time rests on what it rests on, static text */
const char *engine_level_reason(const struct engine *engine, int64_t now_ns);

#endif /* ENGINE_DESCRIBE_H */
