/* SPDX-License-Identifier: MIT */
/*
 * Unicast negotiation (IEEE 1588-2019 clause 16.1), the client's part: which messages a master is to
 * be asked for now, and what its answers mean. Pure.
 *
 * Announce messages are asked for first, the others as soon as there are any. A grant is renewed when
 * half of its time is over. Where no answer comes, or no grant, the next request is 1 s later, then 2 s,
 * and so on up to 64 s.
 */
#ifndef SOURCES_PTP_UNICAST_H
#define SOURCES_PTP_UNICAST_H

#include <stdbool.h>
#include <stdint.h>

#include "sources/ptp_message.h"

enum ptp_service { PTP_SERVICE_ANNOUNCE, PTP_SERVICE_SYNC, PTP_SERVICE_DELAY, PTP_SERVICES };

struct ptp_unicast {
	uint32_t duration_s; /* that is asked for, 10 to 1000 */
	int8_t log_intervals[PTP_SERVICES];
	struct ptp_service_state {
		int64_t granted_ns; /* until then it is served, CLOCK_MONOTONIC; 0: it is not */
		int64_t ask_ns;     /* it is to be asked for then */
		unsigned int tries; /* that were in vain, in a row */
		bool asked;         /* and no answer has come yet */
		bool wanted;
	} services[PTP_SERVICES];
	bool acknowledge[PTP_SERVICES]; /* the master has cancelled it and is to be told so */
};

/* Ask for Announce messages from now on. */
void ptp_unicast_start(struct ptp_unicast *unicast, int64_t now_ns);

/* Are the other messages wanted? */
void ptp_unicast_want(struct ptp_unicast *unicast, bool wanted, int64_t now_ns);

/*
 * What was granted does not come, as after a restart of the master, who knows of no grants then: from
 * that service on, ask anew.
 */
void ptp_unicast_ask_anew(struct ptp_unicast *unicast, enum ptp_service first, int64_t now_ns);

/* Is it served now? */
bool ptp_unicast_granted(const struct ptp_unicast *unicast, enum ptp_service service,
			 int64_t now_ns);

/*
 * What is due: 1 and *ret to be sent in a signaling message, *type being REQUEST or ACKNOWLEDGE_CANCEL;
 * 0: nothing. To be called until nothing is.
 */
int ptp_unicast_due(struct ptp_unicast *unicast, int64_t now_ns, enum ptp_tlv_type *type,
		    struct ptp_unicast_tlv *ret);

/* When something will be due */
int64_t ptp_unicast_deadline(const struct ptp_unicast *unicast);

/* One that has been granted, to be cancelled at the end: 1 and *ret, until it returns 0. */
int ptp_unicast_cancel(struct ptp_unicast *unicast, int64_t now_ns, struct ptp_unicast_tlv *ret);

/*
 * Take what the master says. Returns 0, or -EPROTO if nothing of the kind was asked for, or is
 * granted.
 */
int ptp_unicast_take(struct ptp_unicast *unicast, enum ptp_tlv_type type,
		     const struct ptp_unicast_tlv *tlv, int64_t now_ns);

#endif /* SOURCES_PTP_UNICAST_H */
