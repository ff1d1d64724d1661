/* SPDX-License-Identifier: MIT */
/*
 * What the models are given beside samples: covariates of the oscillator, and predictions of an
 * external model at a feed, which in turn is told covariates and measurements.
 */
#ifndef USERSPACE_INPUTS_H
#define USERSPACE_INPUTS_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "covariates/reader.h"
#include "engine/engine.h"
#include "feed/feed.h"
#include "keys.h"
#include "loop/loop.h"
#include "timestamping/counter.h"

/* The daemon's parts, which its owner fills in and keeps; the rest is inputs_open()'s, and zero. */
struct inputs {
	struct loop *loop;
	const struct counter *counter;
	struct engine *engine;

	struct covariate_reader *reader;
	struct covariate_reading covariates; /* the latest */
	int64_t covariates_ns;               /* CLOCK_MONOTONIC when it came */
	bool has_covariates;

	struct feed *feed; /* NULL: there is none */
	struct feed_ops feed_ops;
	char feed_path[108];
	char feed_group[KEY_FILE_NAME_MAX + 1];
	bool feed_offline; /* as it was configured */
	uint32_t epoch;    /* the engine's, that it was told last */
	uint64_t told;     /* the measurement that it is told next, see models_given() */
};

/* Returns 0 or a negative errno, after an error was logged. */
int inputs_open(struct inputs *inputs, const struct config *config);
void inputs_close(struct inputs *inputs);

/*
 * Take over the feed of another configuration. One that has the same path and group goes on
 * undisturbed. Returns 0 or a negative errno, after an error was logged; then there is no feed.
 */
int inputs_reload(struct inputs *inputs, const struct config *wanted);

/* Once a second. now_ns: CLOCK_MONOTONIC. Returns the covariates if there are new ones, or NULL. */
const struct covariates *inputs_tick(struct inputs *inputs, int64_t now_ns);

/* The feed is told what the engine's models were given since the last call, and of another epoch. */
void inputs_round(struct inputs *inputs);

/*
 * Switch the feed, if its path matches the pattern as a source's name would
 * (source_set_online()). Returns how many feeds match.
 */
unsigned int inputs_online(struct inputs *inputs, const char *pattern, bool online);

#endif /* USERSPACE_INPUTS_H */
