/* SPDX-License-Identifier: MIT */
#include "inputs.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "local/peer.h"
#include "log.h"

static uint32_t on_epoch(void *data)
{
	const struct inputs *inputs = data;

	return inputs->engine->epoch;
}

static int64_t on_raw_now(void *data)
{
	const struct inputs *inputs = data;

	return timescale_ns(&inputs->engine->config.scale, counter_read(inputs->counter));
}

static void on_limits(void *data, struct feed_limits *ret)
{
	const struct inputs *inputs = data;
	uint64_t counter = counter_read(inputs->counter);
	struct correction correction;

	engine_correct(inputs->engine, counter, &correction);
	ret->now_ns = timescale_ns(&inputs->engine->config.scale, counter);
	ret->max_drift_ppb = inputs->engine->config.max_drift_ppb;
	ret->trusted = correction.status >= CHRONOTICK_SYNCHRONIZED;
	if (!ret->trusted)
		return;
	ret->offset_ns = (int64_t)(correction.utc >> 64) - ret->now_ns;
	ret->bound_ns = correction.bound.total_ns;
}

/* The model is another one, or none: what was predicted so far is void, and the next learns anew. */
static void on_begun(void *data)
{
	struct inputs *inputs = data;

	models_feed_begin(&inputs->engine->models);
	inputs->told = 0;
}

static int on_predicted(void *data, const struct prediction *prediction)
{
	const struct inputs *inputs = data;
	int r = engine_feed(inputs->engine, counter_read(inputs->counter), prediction);

	log_debug("feed: a prediction for %.3f s from its making on, sd %.0f ns%s%s",
		  (double)(prediction->until_ns - prediction->made_ns) * 1e-9,
		  prediction->line.offset_sd_ns, r < 0 ? ", not taken: " : "",
		  r < 0 ? strerror(-r) : "");
	return r;
}

static void on_changed(void *data, const char *text)
{
	const struct inputs *inputs = data;

	log_info("feed %s: %s", inputs->feed_path, text);
}

static int feed_start(struct inputs *inputs, const struct feed_config *config)
{
	char why[256] = "";
	gid_t group;
	int r;

	if (!config->path)
		return 0;
	r = local_group_find(config->group, &group);
	if (r < 0) {
		log_error("feed %s: group \"%s\": %s", config->path, config->group,
			  r == -ENOENT ? "this machine has none of that name" : strerror(-r));
		return r;
	}
	r = feed_new(&inputs->feed, inputs->loop, config->path, group, &inputs->feed_ops, why,
		     sizeof(why));
	if (r < 0) {
		log_error("feed: %s%s%s", *why ? why : config->path, *why ? "" : ": ",
			  *why ? "" : strerror(-r));
		return r;
	}
	snprintf(inputs->feed_path, sizeof(inputs->feed_path), "%s", config->path);
	snprintf(inputs->feed_group, sizeof(inputs->feed_group), "%s", config->group);
	inputs->feed_offline = config->offline;
	feed_online(inputs->feed, !config->offline);
	return 0;
}

static void feed_stop(struct inputs *inputs)
{
	if (!inputs->feed)
		return;
	feed_free(inputs->feed);
	inputs->feed = NULL;
	on_begun(inputs);
}

int inputs_open(struct inputs *inputs, const struct config *config)
{
	int r;

	inputs->feed_ops = (struct feed_ops){
		.data = inputs,
		.epoch = on_epoch,
		.raw_now = on_raw_now,
		.limits = on_limits,
		.begun = on_begun,
		.predicted = on_predicted,
		.changed = on_changed,
	};
	r = covariate_reader_new(&inputs->reader, &config->covariates, "");
	if (r < 0) {
		log_error("covariates: no helper thread to read them: %s", strerror(-r));
		return r;
	}
	return feed_start(inputs, &config->feed);
}

void inputs_close(struct inputs *inputs)
{
	feed_stop(inputs);
	covariate_reader_free(inputs->reader);
	inputs->reader = NULL;
}

int inputs_reload(struct inputs *inputs, const struct config *wanted)
{
	const struct feed_config *config = &wanted->feed;

	if (inputs->feed && config->path && strcmp(inputs->feed_path, config->path) == 0 &&
	    strcmp(inputs->feed_group, config->group) == 0) {
		if (inputs->feed_offline != config->offline)
			feed_online(inputs->feed, !config->offline);
		inputs->feed_offline = config->offline;
		return 0;
	}
	feed_stop(inputs);
	return feed_start(inputs, config);
}

const struct covariates *inputs_tick(struct inputs *inputs, int64_t now_ns)
{
	struct covariate_reading reading;

	if (!covariate_reader_tick(inputs->reader, now_ns, &reading))
		return NULL;
	if (strcmp(reading.thermometer, inputs->covariates.thermometer) != 0)
		log_info("the temperature is that of %s",
			 *reading.thermometer ? reading.thermometer : "no thermometer any more");
	inputs->covariates = reading;
	inputs->covariates_ns = now_ns;
	inputs->has_covariates = true;
	feed_covariates(inputs->feed, &reading.values);
	return &inputs->covariates.values;
}

void inputs_round(struct inputs *inputs)
{
	const struct models *models = &inputs->engine->models;
	const struct measurement *measurement;

	if (!inputs->feed)
		return;
	/* What it was told is about another time: it gets all of this one again. */
	if (inputs->epoch != inputs->engine->epoch) {
		inputs->epoch = inputs->engine->epoch;
		inputs->told = 0;
		feed_follow(inputs->feed);
	}
	while ((measurement = models_given(models, &inputs->told)))
		feed_measured(inputs->feed, measurement);
}

unsigned int inputs_online(struct inputs *inputs, const char *pattern, bool online)
{
	if (!inputs->feed || (pattern && fnmatch(pattern, inputs->feed_path, FNM_CASEFOLD) != 0))
		return 0;
	feed_online(inputs->feed, online);
	return 1;
}
