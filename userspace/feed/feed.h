/* SPDX-License-Identifier: MIT */
/*
 * The feed: a socket at which an external model, such as one that needs a GPU, is told measurements
 * and covariates, and says what it predicts from them. It is served in the daemon's poll loop without
 * ever holding that up, and knows nothing of the daemon but the callbacks below.
 *
 * A peer may be hostile, or broken, so everything is bounded:
 *
 *	who		root, the daemon's user, and members of one group; others cannot connect
 *	one at a time	another is turned away, unless the one that is there has predicted nothing
 *			for FEED_SILENCE_NS
 *	in FEED_TICK_NS	FEED_TICK_ACCEPTS connections and FEED_TICK_MESSAGES messages are taken;
 *			what is more waits in the kernel
 *	queues		a peer that does not take what it is told is dropped; nothing is kept for later
 *	descriptors	a message that comes with some is not read, its sender dropped
 *
 * Sockets are closed by a helper thread (local/closer.h). Nothing is allocated but at the start.
 */
#ifndef FEED_FEED_H
#define FEED_FEED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "feed/message.h"
#include "local/peer.h"
#include "loop/loop.h"

#define FEED_TICK_NS 1000000000LL
#define FEED_TICK_ACCEPTS 8
#define FEED_TICK_MESSAGES 16
#define FEED_SILENCE_NS 120000000000LL

/* What the feed asks of the daemon. None of it may block, or call the feed. */
struct feed_ops {
	void *data;
	/* Counts the epochs: another number, and what was said is about another time */
	uint32_t (*epoch)(void *data);
	/* Raw time */
	int64_t (*raw_now)(void *data);
	/* All but epoch and sequence, which are the feed's own; *ret is zeroed. */
	void (*limits)(void *data, struct feed_limits *ret);
	/* A model that nobody knows comes, or none is allowed to predict any more. */
	void (*begun)(void *data);
	/* A prediction that has passed every check. Returns 0, or -ESTALE or -EINVAL: it is refused. */
	int (*predicted)(void *data, const struct prediction *prediction);
	/* For the log: a peer came or went; text: one line that says which, and why */
	void (*changed)(void *data, const char *text);
};

/* All since the start */
struct feed_statistics {
	uint64_t sent;
	uint64_t received;
	uint64_t rejects[FEED_VERDICTS]; /* [FEED_TAKEN]: those that were accepted */
	uint64_t dropped;                /* peers: turned away, slow or senseless */
};

struct feed_status {
	bool online;
	bool connected;
	struct local_peer peer; /* the latest one */
	bool has_prediction;
	struct prediction latest; /* that was taken in this epoch */
	int64_t latest_ns;        /* CLOCK_MONOTONIC */
	double away_ns;           /* its offset from the daemon's own estimate, when it came */
	struct feed_statistics statistics;
};

struct feed;

/*
 * Listen at `path`; members of `group`, (gid_t)-1: none, may connect beside root and the daemon's own
 * user. `ops` must outlive the feed. It starts online. Returns 0, or a negative errno with a sentence
 * in `why`, or "".
 */
int feed_new(struct feed **ret, struct loop *loop, const char *path, gid_t group,
	     const struct feed_ops *ops, char *why, size_t why_size);
void feed_free(struct feed *feed); /* NULL is allowed */

/* Offline it turns everybody away, whoever is there included, and what that predicted is void. */
void feed_online(struct feed *feed, bool online);

/*
 * Tell the peer, if there is one. A NULL feed is allowed. measurement: of this epoch.
 */
void feed_measured(struct feed *feed, const struct measurement *measurement);
void feed_covariates(struct feed *feed, const struct covariates *covariates);

/*
 * If another epoch has begun, say so: what was told before is of no use. Everything that is said
 * does that first; this is for times when nothing is.
 */
void feed_follow(struct feed *feed);

/* What there is to tell of it; latest and away_ns count only with has_prediction. */
void feed_describe(const struct feed *feed, struct feed_status *ret);

#endif /* FEED_FEED_H */
