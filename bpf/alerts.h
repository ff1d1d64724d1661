/* SPDX-License-Identifier: MIT */
/* Thresholds for monitoring: which of them a snapshot has passed. Pure. */
#ifndef BPF_ALERTS_H
#define BPF_ALERTS_H

#include <stddef.h>
#include <stdint.h>

#include "snapshot.h"

/* Each is of one process; NaN: not asked for. */
enum alert_kind {
	ALERT_TORN_RATE = 0, /* torn reads a second */
	ALERT_READ,          /* 99th percentile of the canary's warm reads, ns */
	ALERT_WINDOW,        /* longest write window, of any page, ns */
	ALERT_MISSED,        /* publications, also those since the latest one */
	ALERTS,
};

struct alert {
	enum alert_kind kind;
	double limit, value; /* value > limit */
	uint32_t pid;
	char name[COMM_SIZE];
};

/* "torn_rate_hz" and so on, for JSON. */
const char *alert_key(enum alert_kind kind);

/*
 * Those that were passed, at most `room`. limits: as many as ALERTS, NaN for none. Returns how many
 * there are, which may be more than `room`.
 */
size_t alerts_find(const struct snapshot *snapshot, const double *limits, struct alert *ret,
		   size_t room);

/*
 * Thresholds that nothing was seen of in any process, a bit each, 1U << enum alert_kind: whether
 * they are passed nobody can say. Without torn reads there are none, which is a rate.
 */
unsigned int alerts_unseen(const struct snapshot *snapshot, const double *limits);

#endif /* BPF_ALERTS_H */
