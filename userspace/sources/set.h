/* SPDX-License-Identifier: MIT */
/*
 * All sources of the daemon, whatever their kind: which there are, under which index the engine
 * knows each, which are online, and what there is to tell about them. It reads no clock and waits
 * for nothing: whoever owns it calls source_set_tick().
 *
 * An entry is what the configuration names; a source is what the engine knows. Most entries are one
 * source each. A pool's are the addresses of its name: each one is a source, and one that turns out
 * bad is replaced by another address after the name was looked up again (pool.h).
 *
 * No address, with its port, is asked by two sources. A source whose name leads to an address that
 * an older one has is not used, and a pool's member makes room for a source that is no member.
 */
#ifndef SOURCES_SET_H
#define SOURCES_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"
#include "sources/ntp.h"
#include "sources/pool.h"
#include "sources/ptp.h"
#include "sources/resolver.h"
#include "sources/source.h"

/* Sources at a time, and entries of a configuration */
#define SOURCE_SET_MAX ENGINE_SOURCES_MAX

enum source_type {
	SOURCE_NTP,
	SOURCE_POOL, /* of NTP servers */
	SOURCE_PTP,
	SOURCE_PHC,
	SOURCE_TYPES, /* those above are the set's */
	/* No source of time, so none of the set's: feed/feed.h. The configuration lists it all the same. */
	SOURCE_FEED = SOURCE_TYPES,
};

/* One entry of the configuration */
struct source_config {
	/* SOURCE_NTP, SOURCE_POOL: of each member, the server being the pool's name */
	struct ntp_config ntp;
	struct ptp_config ptp; /* SOURCE_PTP; SOURCE_PHC: timescale, utc_offset_s and accuracy_ns */
	const char *phc;       /* SOURCE_PHC: the device's path */
	int8_t phc_poll;       /* and log2 s */
	uint8_t type;          /* enum source_type */
	uint8_t maxsources;    /* SOURCE_POOL: members, 1 to POOL_MEMBERS_MAX */
	bool offline;          /* it starts offline */
	const char *feed;      /* SOURCE_FEED: the path of its socket */
	const char *group;     /* SOURCE_FEED: who may connect */
	bool prefer;           /* and below: see engine/source_options.h; of all members */
	bool trust;
	bool noselect;
};

/* What an entry is called: its server, its interface, or its device */
const char *source_config_name(const struct source_config *config);

/* The index of an entry that is no source: a pool without a member */
#define SOURCE_SET_NO_INDEX UINT32_MAX

/* What there is to tell about one source */
struct source_status {
	const char *config_name; /* as the configuration names its entry; until the set changes */
	unsigned int index;      /* in the engine, or SOURCE_SET_NO_INDEX */
	uint8_t type;            /* enum source_type, of its entry */
	bool online;
	const char *reason;   /* static text: why it is, or is not, used */
	int64_t false_by_ns;  /* how far it is from what it disagrees with; 0: it does not */
	unsigned int options; /* ENGINE_SOURCE_* */
	struct chronotick_source summary; /* as the page has it, complete */
	struct ntp_statistics ntp;        /* SOURCE_NTP, SOURCE_POOL */
	struct ptp_statistics ptp;        /* SOURCE_PTP */
	struct ptp_view ptp_view;
	bool hardware;               /* it has hardware stamps */
	char note[SOURCE_NOTE_SIZE]; /* on these, or why not; "": there is nothing to tell */
};

/*
 * What a kind of sources can do. `source` is what new() gave. new() copies what it keeps of the
 * config. reconfigure() takes over another config of the same entry, or returns -ENOTSUP if that
 * takes a new source. address() tells the address that is asked now, if there is one. describe()
 * fills in what it knows of summary and statistics, the set does the rest.
 */
struct source_ops {
	int (*new)(void **ret, const struct source_context *context, unsigned int index,
		   const struct source_config *config);
	void (*free)(void *source);
	void (*online)(void *source, bool online);
	int (*reconfigure)(void *source, const struct source_config *config);
	bool (*address)(const void *source, struct resolver_address *ret);
	void (*describe)(const void *source, struct source_status *ret);
};

/* Those of this build, by enum source_type */
extern const struct source_ops source_set_ops[SOURCE_TYPES];

/* How names become addresses: as resolver.h tells */
struct source_set_resolver {
	int (*start)(struct resolver **ret, const char *name, uint16_t port);
	int (*poll)(struct resolver *resolver, struct resolver_result *result);
	void (*free)(struct resolver *resolver);
};
extern const struct source_set_resolver source_set_resolver;

/* What the set works with; all of it outlives the set. */
struct source_set_context {
	struct loop *loop;
	const struct counter *counter;
	const struct timescale *scale;
	struct engine *engine;           /* without sources: the set adds and removes them */
	const struct source_ops *ops;    /* source_set_ops, or a test's */
	struct hardware_table *hardware; /* NULL: no source has hardware stamps */
	const struct source_set_resolver *resolver; /* source_set_resolver, or a test's */
	void *data; /* of the two below, which are for the log, may be NULL, and don't change the set */
	/* The engine was given a sample; taken: 0, or the negative errno with which it refused. */
	void (*sampled)(void *data, const struct sample *sample, int taken);
	/* A source came or went; text: one line that says which, and why */
	void (*changed)(void *data, const char *text);
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

/* What a new configuration changed */
struct source_set_change {
	unsigned int added, removed, changed, kept; /* entries */
};

/*
 * Make the entries those of another configuration. One is the same if kind, name and port are (of PTP:
 * interface, transport, domain and unicast master), and
 * a source that is the same loses nothing: neither samples nor poll interval nor whether it was
 * switched online. Other limits of the poll interval, and how far a source is to be believed, are
 * taken over as well; what else is different makes that source start anew. Pools that lack members
 * look for some at the next tick. Returns 0, or the first error, as source_set_add(); the rest is
 * done nevertheless.
 */
int source_set_reconfigure(struct source_set *set, const struct source_config *configs,
			   unsigned int count, struct source_set_change *ret);

/*
 * Look after pools and addresses. To be called soon after every change, and then when it says:
 * returns the time until which nothing is to be done. now_ns: of one monotonic clock.
 */
int64_t source_set_tick(struct source_set *set, int64_t now_ns);

/* How many there are to describe: sources, and pools without a member */
unsigned int source_set_count(const struct source_set *set);

/* Describe the i-th of them: sources in the order of their indexes, then pools. i: below the count. */
void source_set_describe(const struct source_set *set, unsigned int i, struct source_status *ret);

/*
 * What the source with that index in the engine is called: by its address if it has one, else as the
 * configuration has it. Good until the set changes or this is called again; NULL: there is none.
 */
const char *source_set_name(struct source_set *set, unsigned int index);

/* Packets of all sources since start, those of sources that have gone included */
struct source_totals {
	uint64_t sent, received, rejected;
};
void source_set_totals(const struct source_set *set, struct source_totals *ret);

/*
 * Switch sources on or off. `pattern` is a shell pattern (*, ?, [...]; case does not matter) for
 * the names of entries as the configuration has them, or for addresses; NULL means all. A pool that
 * matches by name is switched with all its members, those to come included. An offline
 * source sends nothing and is not selected; one that is online again looks its name up and
 * sends a burst. Returns how many entries and single members match, whatever they were before.
 */
unsigned int source_set_online(struct source_set *set, const char *pattern, bool online);

/*
 * The counter and the timescale are other ones now, or jumped: those that are online give up what
 * they are at, and begin anew. The engine is not told: it has begun anew itself.
 */
void source_set_restart(struct source_set *set);

#endif /* SOURCES_SET_H */
