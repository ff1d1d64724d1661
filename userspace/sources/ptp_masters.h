/* SPDX-License-Identifier: MIT */
/*
 * The foreign masters that a port hears, and which of them is the best: IEEE 1588-2019 clause 9.3, and
 * the alternate algorithm of ITU-T G.8275. Pure.
 *
 * A master counts after two Announce messages within four of its intervals, and until it has been
 * silent for as many intervals as the timeout has. One more thing is asked of it than the standard
 * does: it must have been heard to send Sync messages, unless those have to be asked for. So one that
 * only announces itself takes nobody's place.
 *
 * A port identity that comes from two addresses is that of two masters, until time was had from one
 * of them: from then on it is that one's. So whoever announces another's identity first does not keep
 * it from him.
 */
#ifndef SOURCES_PTP_MASTERS_H
#define SOURCES_PTP_MASTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "sources/ptp_message.h"

#define PTP_MASTERS_MAX 16

/* Where a message came from, or goes to */
struct ptp_address {
	uint8_t size; /* 6: Ethernet, 4: IPv4, 16: IPv6; 0: none */
	uint8_t bytes[16];
};

bool ptp_address_equal(const struct ptp_address *a, const struct ptp_address *b);

enum ptp_algorithm {
	PTP_BEST_DEFAULT, /* also IEEE 802.1AS */
	PTP_BEST_G8275,
};

/* What became of a message */
enum ptp_verdict {
	PTP_GOOD,
	PTP_IGNORED, /* it is meant for others, or of no use to a client; not counted */
	PTP_MALFORMED,
	PTP_BOGUS, /* from somebody else than whom it would have to be from */
	PTP_DUPLICATE,
	PTP_LATE, /* it belongs to nothing that is waited for */
	PTP_UNAUTHENTIC,
	PTP_INVALID, /* its times or corrections cannot be */
	PTP_OTHER_DOMAIN,
	PTP_FULL, /* there are too many masters already */
	PTP_VERDICTS,
};

struct ptp_master {
	struct ptp_identity port;
	struct ptp_address address;
	struct ptp_announce announce; /* the latest */
	uint16_t flags;               /* of that */
	uint16_t sequence;
	int64_t heard_ns;  /* CLOCK_MONOTONIC, as all times here */
	int64_t before_ns; /* the Announce message before that; 0: there was none */
	int64_t interval_ns;
	bool qualified;
	int64_t sync_ns;  /* the latest Sync message; 0: none yet */
	int64_t muted_ns; /* until then it is not used: it does not do what it announces */
	bool proven;      /* its time was had, and since then it was neither muted nor another's */
};

struct ptp_masters {
	struct ptp_master masters[PTP_MASTERS_MAX];
	unsigned int count;
	enum ptp_algorithm algorithm;
	unsigned int timeout; /* announceReceiptTimeout: intervals, 2 or more */
	bool silent;          /* Sync messages are sent only after they were asked for */
	int8_t log_interval;  /* of Announce messages that tell none, as unicast ones may */
	uint8_t own[8];       /* this clock's identity */
};

/* Is a logMessageInterval one, of -7 to 6? */
bool ptp_interval_is_told(int8_t log_interval);

/* The interval of a logMessageInterval, ns; those that are out of -7 to 6 count as 1 (2 s). */
int64_t ptp_interval_ns(int8_t log_interval);

/*
 * Take an Announce message. Returns GOOD; IGNORED: from an alternate master, or one whose path is too
 * long or leads here; BOGUS: with the identity of one at another address whose time was had;
 * DUPLICATE: not newer than the one before; FULL.
 */
enum ptp_verdict ptp_masters_announce(struct ptp_masters *masters,
				      const struct ptp_message *message,
				      const struct ptp_address *from, int64_t now_ns);

/* NULL: it is not known, or only from another address. */
struct ptp_master *ptp_masters_find(struct ptp_masters *masters, const struct ptp_identity *port,
				    const struct ptp_address *from);

/* Time was had from that one. */
void ptp_masters_prove(struct ptp_masters *masters, const struct ptp_identity *port,
		       const struct ptp_address *address);

/* Forget those that have been silent for too long. */
void ptp_masters_expire(struct ptp_masters *masters, int64_t now_ns);

/* When the next one is to be forgotten; INT64_MAX: there is none. */
int64_t ptp_masters_deadline(const struct ptp_masters *masters);

/* The best of those that count; NULL: none does. */
struct ptp_master *ptp_masters_best(struct ptp_masters *masters, int64_t now_ns);

/* Is a better than b (negative), or b than a? By port identity if by nothing else; 0: the same
 * port, at two addresses. */
int ptp_master_compare(const struct ptp_master *a, const struct ptp_master *b,
		       enum ptp_algorithm algorithm);

#endif /* SOURCES_PTP_MASTERS_H */
