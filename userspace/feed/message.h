/* SPDX-License-Identifier: MIT */
/*
 * The feed's protocol, version 1: what the daemon tells an external model, and what that predicts.
 * Documentation/feed.md has the byte tables.
 *
 * Everything is fixed in size, in native byte order, and padding is zero. Times are raw time: the
 * counter at its nominal rate, ns, from a beginning that means nothing. An offset is UTC minus raw
 * time. Both hold within one epoch only.
 */
#ifndef FEED_MESSAGE_H
#define FEED_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/covariates.h"
#include "engine/prediction.h"

#define FEED_MAGIC 0x44454546U /* "FEED" in little-endian order */
#define FEED_VERSION 1

/* Limits of a prediction */
#define FEED_HORIZON_NS (4 * 3600 * 1000000000LL) /* from its making to its end */
#define FEED_SHORTEST_NS 5000000000LL             /* from its beginning to its end */
#define FEED_LATE_NS 60000000000LL                /* from its making to its arrival */
#define FEED_EARLY_NS 100000000LL  /* its making may lie so far ahead: raw time is guessed there */
#define FEED_SD_MAX_NS 1e9         /* standard deviation of the offset */
#define FEED_SD_MIN_NS 1.0         /* what raw time resolves */
#define FEED_DRIFT_SD_MAX_NS_S 1e6 /* ... and of the rate */
#define FEED_OFFSET_MAX_NS 1e12    /* from its own reference: beyond, doubles lose digits */

enum feed_type {
	FEED_HELLO = 1, /* by the daemon, as these: to whoever connects, and when an epoch begins */
	FEED_MEASUREMENT = 2,
	FEED_COVARIATES = 3,
	FEED_VERDICT = 4,     /* what became of a prediction */
	FEED_PREDICTION = 16, /* by the model */
};

/* Every message begins with it, in every version. */
struct feed_header {
	uint32_t size;  /* of the message, this header included */
	uint32_t magic; /* FEED_MAGIC */
	uint16_t version;
	uint16_t type;     /* enum feed_type */
	uint32_t sequence; /* of the sender's messages on this connection: 1, 2, ... */
	uint64_t epoch;
	int64_t raw_ns; /* when it was made */
};

struct feed_hello {
	struct feed_header header;
	int64_t horizon_ns; /* FEED_HORIZON_NS */
	int64_t late_ns;    /* FEED_LATE_NS */
	double sd_max_ns;   /* FEED_SD_MAX_NS */
	uint32_t rate;      /* predictions a second that are taken from the socket */
	uint32_t pad;
};

struct feed_measurement {
	struct feed_header header;
	int64_t at_ns;     /* of the measurement, raw time; a little before the header's */
	int64_t offset_ns; /* UTC minus raw time */
	double sd_ns;      /* expected standard deviation */
	uint32_t source;   /* number of the source that gave it */
	uint32_t pad;
};

#define FEED_COVARIATES_MAX 8

struct feed_covariates {
	struct feed_header header;
	uint32_t present; /* bit 1 << enum covariate */
	uint32_t pad;
	double values[FEED_COVARIATES_MAX]; /* 0 where not present */
};

struct feed_verdict_message {
	struct feed_header header;
	uint32_t prediction; /* its sequence */
	uint32_t verdict;    /* enum feed_verdict */
};

struct feed_prediction {
	struct feed_header header; /* raw_ns: it rests on nothing later */
	int64_t from_ns;           /* to be used from then */
	int64_t until_ns;          /* to then */
	int64_t at_ns;             /* the instant that the four below are for */
	int64_t reference_ns;      /* UTC minus raw time is reference_ns + offset_ns */
	double offset_ns;
	double drift_ns_s;    /* rate of that, ns per s of raw time */
	double offset_sd_ns;  /* one standard deviation at at_ns, FEED_SD_MIN_NS or more */
	double drift_sd_ns_s; /* it becomes sqrt(offset_sd^2 + (drift_sd * age)^2); >= 0 */
};

_Static_assert(sizeof(struct feed_header) == 32, "header");
_Static_assert(sizeof(struct feed_hello) == 64, "hello");
_Static_assert(sizeof(struct feed_measurement) == 64, "measurement");
_Static_assert(sizeof(struct feed_covariates) == 104, "covariates");
_Static_assert(sizeof(struct feed_verdict_message) == 40, "verdict");
_Static_assert(sizeof(struct feed_prediction) == 96, "prediction");

/* What becomes of a prediction; the first that is true. */
enum feed_verdict {
	FEED_TAKEN,
	FEED_MALFORMED,   /* no message of this protocol: whoever sends it is dropped */
	FEED_UNSUPPORTED, /* another version */
	FEED_DUPLICATE,   /* its sequence is not above that of the one before */
	FEED_OTHER_EPOCH,
	FEED_INVALID,   /* a value that is not finite or out of range, or times in a wrong order */
	FEED_LATE,      /* made too long ago or before UTC stepped, or over already */
	FEED_TOO_FAR,   /* it reaches beyond the horizon */
	FEED_UNTRUSTED, /* there is no trusted time that it could be held against */
	FEED_IMPLAUSIBLE, /* farther from the daemon's own time than that may be wrong */
	FEED_VERDICTS,
};

/* What a prediction is held against */
struct feed_limits {
	uint64_t epoch;
	uint32_t sequence; /* of the prediction before; 0: there was none */
	int64_t now_ns;    /* raw time */
	bool trusted;      /* what follows is known */
	int64_t offset_ns; /* UTC minus raw time now, by the daemon's own estimate */
	int64_t bound_ns;  /* how far that may be wrong */
	uint32_t max_drift_ppb;
};

/*
 * Check what came from a peer, of which `size` bytes are there; `size` may be more than any message
 * has, then no more than that is looked at. The offset must lie within the bound at both ends of the
 * prediction's time, the bound growing by the counter's whole drift, and its rate within that drift.
 *
 * Returns FEED_TAKEN and the prediction, made now at the latest, or why not. *sequence is the
 * message's, unless that is malformed.
 */
enum feed_verdict feed_prediction_check(struct prediction *ret, uint32_t *sequence,
					const void *message, size_t size,
					const struct feed_limits *limits);

#endif /* FEED_MESSAGE_H */
