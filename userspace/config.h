/* SPDX-License-Identifier: MIT */
/* chronotickd's configuration: YAML, fully validated. Its keys stand in keys.c. */
#ifndef USERSPACE_CONFIG_H
#define USERSPACE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "archive/archive.h"
#include "covariates/sensors.h"
#include "engine/engine.h"
#include "engine/retro.h"
#include "leapseconds.h"
#include "publish/publish.h"
#include "realtime.h"
#include "sources/set.h"
#include "watch.h"

#define CONFIG_PATH                                                                                \
	"/etc/chronotick/chronotickd.yaml" /* read if it exists and no other is named              \
					    */
#define CONFIG_SIZE_MAX (1024 * 1024)
#define CONFIG_DEPTH_MAX 16 /* of nested maps and lists */
#define CONFIG_CPUS_MAX 64
#define CONFIG_SOURCES_MAX SOURCE_SET_MAX           /* the members of pools counted in */
#define CONFIG_ENTRIES_MAX (CONFIG_SOURCES_MAX + 1) /* and a feed, while the file is read */

struct control_config {
	const char *socket; /* NULL: there is none */
	const char *group;  /* LOCAL_NO_GROUP, or a name */
};

/* When a predictive model predicts, see struct schedule_config */
struct model_config {
	bool enabled;
	uint32_t interval_s;
	uint32_t horizon_s; /* more than interval_s and lead_s together */
	uint32_t lead_s;
};

/* The feed of an external model */
struct feed_config {
	const char *path;  /* NULL: there is none */
	const char *group; /* LOCAL_NO_GROUP, or a name */
	bool offline;      /* it starts offline */
};

struct config {
	struct publish_config page;
	struct leap_config leap;
	uint32_t warm_up_s;
	uint32_t wander_ppb; /* engine: see struct engine_config */
	uint32_t max_drift_ppb;
	uint32_t max_distance_ms;
	uint32_t counter_kind; /* enum chronotick_counter_kind; NONE: choose */
	struct archive_config archive;
	struct covariate_config covariates;
	struct {
		struct model_config short_term;
		struct model_config long_term;
		enum retro_method retroactive;
	} models;
	struct watch_config trust;
	struct realtime_config realtime;
	int log_priority;
	const char *keys; /* the file of the sources' keys; NULL: none */
	struct control_config control;
	struct source_config sources[CONFIG_ENTRIES_MAX];
	unsigned int source_count;
	struct feed_config feed;
	int cpus[CONFIG_CPUS_MAX]; /* from the command line */
	unsigned int cpu_count;
	void *strings; /* what the members point to */
};

/* The built-in defaults: Debian's NTP pool. Free with config_clear(). 0 or -ENOMEM. */
int config_defaults(struct config *ret);

/*
 * Read a file. Errors go to `errors`, one a line, "file:line: key: what is wrong; allowed: what is
 * allowed", all that the file has. Returns 0; -EINVAL after errors; -ENOMEM. Nothing needs to be
 * freed after an error.
 */
int config_load(struct config *ret, const char *path, FILE *errors);

/* The same from memory, for tests and fuzzing; `name` stands for the file. No other file is read. */
int config_parse(struct config *ret, const char *name, const void *text, size_t size, FILE *errors);

/* Free what one of the three has made; its members are overwritten, as there are keys among them. */
void config_clear(struct config *config);

/*
 * What the engine is to be configured with; its timescale and leap seconds are the caller's. *models
 * is filled in, and must outlive the engine.
 */
void config_engine(const struct config *config, struct engine_config *ret,
		   struct models_config *models);

#endif /* USERSPACE_CONFIG_H */
