/* SPDX-License-Identifier: MIT */
#include "engine/input.h"

#include <errno.h>
#include <stddef.h>

static const char *const reason_excluded = "was not to be used";

void engine_observe(struct engine *engine, engine_input_fn fn, void *data)
{
	engine->observer = fn;
	engine->observer_data = data;
}

static int configure(struct engine *engine, const struct engine_config *wanted)
{
	struct engine_config config = *wanted;

	config.models = engine->config.models;
	config.leaps = engine->config.leaps;
	return engine_configure(engine, &config);
}

int engine_input(struct engine *engine, const struct engine_input *input, struct correction *told)
{
	switch (input->kind) {
	case ENGINE_INPUT_CONFIGURE:
		return configure(engine, &input->config);
	case ENGINE_INPUT_RESTART:
		engine_restart(engine, &input->scale);
		return 0;
	case ENGINE_INPUT_ADD:
		return engine_source_add(engine, input->source);
	case ENGINE_INPUT_REMOVE:
		engine_source_remove(engine, input->source);
		return 0;
	case ENGINE_INPUT_EXCLUDE:
		engine_source_exclude(engine, input->source,
				      input->excluded ? reason_excluded : NULL);
		return 0;
	case ENGINE_INPUT_OPTIONS:
		return engine_source_options(engine, input->source, input->options);
	case ENGINE_INPUT_UNREACHABLE:
		engine_source_unreachable(engine, input->source, input->state);
		return 0;
	case ENGINE_INPUT_SAMPLE:
		return engine_sample_add(engine, &input->sample);
	case ENGINE_INPUT_COVARIATES:
		return engine_covariates(engine, input->counter, &input->covariates);
	case ENGINE_INPUT_FEED:
		return engine_feed(engine, input->counter, &input->prediction);
	case ENGINE_INPUT_LEARNT:
		return engine_memory_row(engine, input->row, input->values);
	case ENGINE_INPUT_MEMORY:
		return engine_memory_set(engine, &input->memory, input->age_ns,
					 input->same_oscillator);
	case ENGINE_INPUT_CORRECT:
		engine_correct(engine, input->counter, told);
		return 0;
	case ENGINE_INPUT_KINDS:
		break;
	}
	return -EINVAL;
}

void engine_copy(struct engine *ret, const struct engine *engine)
{
	*ret = *engine;
	ret->models.short_term.bank.members = ret->models.short_term.members;
	ret->models.long_term.bank.members = ret->models.long_term.members;
	engine_observe(ret, NULL, NULL);
}
