/* SPDX-License-Identifier: MIT */
/*
 * All that an engine is given, one value for each call: what its owner records, and gives to another
 * engine later. An engine is a function of these and of nothing else, so the other one comes to the
 * same results, to the last bit.
 *
 * A leap second is no input: the engine follows it by itself, from the table and the samples.
 */
#ifndef ENGINE_INPUT_H
#define ENGINE_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"
#include "engine/memory.h"

enum engine_input_kind {
	ENGINE_INPUT_CONFIGURE,
	ENGINE_INPUT_RESTART,
	ENGINE_INPUT_ADD,
	ENGINE_INPUT_REMOVE,
	ENGINE_INPUT_EXCLUDE,
	ENGINE_INPUT_OPTIONS,
	ENGINE_INPUT_UNREACHABLE,
	ENGINE_INPUT_SAMPLE,
	ENGINE_INPUT_COVARIATES,
	ENGINE_INPUT_FEED,
	ENGINE_INPUT_LEARNT,
	ENGINE_INPUT_MEMORY,
	ENGINE_INPUT_CORRECT,
	ENGINE_INPUT_KINDS,
};

struct engine_input {
	enum engine_input_kind kind;
	unsigned int source;         /* ADD, REMOVE, EXCLUDE, OPTIONS, UNREACHABLE */
	bool excluded;               /* EXCLUDE; the reason is told as another one */
	unsigned int options;        /* OPTIONS */
	uint8_t state;               /* UNREACHABLE */
	uint64_t counter;            /* COVARIATES, FEED, CORRECT */
	struct engine_config config; /* CONFIGURE; its pointers are not looked at */
	struct timescale scale;      /* RESTART */
	struct sample sample;
	struct covariates covariates;
	struct prediction prediction; /* FEED */
	uint32_t row;                 /* LEARNT */
	double values[LEARNT_ROW_MAX];
	struct engine_memory memory; /* and below: MEMORY */
	int64_t age_ns;
	bool same_oscillator;
};

/*
 * From now on, have `fn` called with everything that the engine is given: before it is taken, be it
 * taken or not; but for CORRECT afterwards, with what was told, and only if that call changed what
 * the engine knows. One that only extrapolates is no news. fn must not change the engine. NULL:
 * nobody is told any more, as after engine_init().
 */
typedef void (*engine_input_fn)(void *data, const struct engine_input *input,
				const struct correction *told);
void engine_observe(struct engine *engine, engine_input_fn fn, void *data);

/*
 * Give an engine an input. *told is filled in by CORRECT alone. CONFIGURE leaves the table of leap
 * seconds as it is, and the models as they were at engine_init(). Returns what the call returns that
 * it stands for; 0 where that returns nothing.
 */
int engine_input(struct engine *engine, const struct engine_input *input, struct correction *told);

/*
 * Make *ret a second engine that is as this one, to be asked without this one changing. Plain
 * assignment would leave pointers into this one. It has no observer; configuration and table of leap
 * seconds are shared.
 */
void engine_copy(struct engine *ret, const struct engine *engine);

#endif /* ENGINE_INPUT_H */
