/* SPDX-License-Identifier: MIT */
/*
 * All sources of the daemon, whatever their kind: which there are, under which index the engine
 * knows each, which are online, and what there is to tell about them. It reads no clock and waits
 * for nothing: whoever owns it calls source_set_tick().
 *
 * An entry is what the configuration names; a source is what the engine knows. An entry of most
 * kinds is one source.
 */
#ifndef SOURCES_SET_H
#define SOURCES_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"
#include "sources/ntp.h"
#include "sources/source.h"

/* Sources at a time, and entries of a configuration */
#define SOURCE_SET_MAX ENGINE_SOURCES_MAX

enum source_type {
	SOURCE_NTP,
	SOURCE_TYPES,
};

/* One entry of the configuration */
struct source_config {
	union {
		struct ntp_config ntp; /* first: its members have the offsets of the entry's */
	};
	uint8_t type; /* enum source_type */
	bool offline; /* it starts offline */
};

/* What there is to tell about one source */
struct source_status {
	const char *config_name; /* as the configuration names its entry; until the set changes */
	unsigned int index;      /* in the engine */
	uint8_t type;            /* enum source_type, of its entry */
	bool online;
	const char *reason;               /* static text: why it is, or is not, used */
	struct chronotick_source summary; /* as the page has it, complete */
	struct ntp_statistics ntp;        /* SOURCE_NTP */
};

/*
 * What a kind of sources can do. `source` is what new() gave. new() copies what it keeps of the
 * config. describe() fills in what it knows of summary and statistics, the set does the rest.
 */
struct source_ops {
	int (*new)(void **ret, const struct source_context *context, unsigned int index,
		   const struct source_config *config);
	void (*free)(void *source);
	void (*online)(void *source, bool online);
	void (*describe)(const void *source, struct source_status *ret);
};

/* Those of this build, by enum source_type */
extern const struct source_ops source_set_ops[SOURCE_TYPES];

/* What the set works with; all of it outlives the set. */
struct source_set_context {
	struct loop *loop;
	const struct counter *counter;
	const struct timescale *scale;
	struct engine *engine;        /* without sources: the set adds and removes them */
	const struct source_ops *ops; /* source_set_ops, or a test's */
	void *data;
	/*
	 * For the log, may be NULL: the engine was given a sample; taken: 0, or the negative errno
	 * with which it refused it. It must not change the set.
	 */
	void (*sampled)(void *data, const struct sample *sample, int taken);
};

struct source_set;

/* An empty set. Returns 0 or -ENOMEM. */
int source_set_new(struct source_set **ret, const struct source_set_context *context);
void source_set_free(struct source_set *set); /* NULL is allowed */

/*
 * Add an entry, which is copied. Returns 0; -ENOSPC: there are SOURCE_SET_MAX already; -EINVAL for
 * a config out of range; or another negative errno.
 */
int source_set_add(struct source_set *set, const struct source_config *config);

/* How many sources there are */
unsigned int source_set_count(const struct source_set *set);

/* Describe the i-th of them, in the order of their engine indexes. i: below the count. */
void source_set_describe(const struct source_set *set, unsigned int i, struct source_status *ret);

/* Packets of all sources since start, those of sources that have gone included */
struct source_totals {
	uint64_t sent, received, rejected;
};
void source_set_totals(const struct source_set *set, struct source_totals *ret);

/*
 * Switch sources on or off. `pattern` is a shell pattern (*, ?, [...]; case does not matter) for
 * the names of entries as the configuration has them, or for addresses; NULL means all. An offline
 * source sends nothing and is not selected; one that is online again sends a burst. Returns how
 * many sources and entries match, whatever they were before.
 */
unsigned int source_set_online(struct source_set *set, const char *pattern, bool online);

#endif /* SOURCES_SET_H */
