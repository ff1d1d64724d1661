/* SPDX-License-Identifier: MIT */
/* The arithmetic of one NTP exchange (RFC 5905 section 8): four times become a sample. Pure. */
#ifndef SOURCES_NTP_EXCHANGE_H
#define SOURCES_NTP_EXCHANGE_H

#include <stdint.h>

#include "engine/sample.h"
#include "sources/ntp_packet.h"

/* How far the counter's nominal rate may be from UTC: 500 ppm, one part in 2,000 */
#define NTP_RATE_PART 2000

/*
 * A stamp that user space took is some microseconds off, always to the outer side: sent later,
 * arrived earlier than it says. delay / 2 covers that; this marks such an exchange as the worse
 * one.
 */
#define NTP_USER_STAMP_NS 10000

/* One end of an exchange as this machine saw it */
struct ntp_instant {
	uint64_t counter;
	int64_t error_ns; /* what the counter value may err, ns */
	uint8_t quality;  /* enum chronotick_stamp */
};

/*
 * Work out a sample; all its members but `source` are filled in. The offset is UTC against raw
 * time, so CLOCK_REALTIME takes no part in it:
 *
 *	offset     = ((T2 - raw(T1)) + (T3 - raw(T4))) / 2, at the middle of T1 and T4
 *	delay      = (raw(T4) - raw(T1)) - (T3 - T2), at least 1 ns
 *	dispersion = 2^precision + errors of T1 and T4 + user-space stamps + the exchange's length
 *		     at the greatest error of the nominal rate
 *
 * The true offset lies within delay / 2 + dispersion of it, as far as the server's own time is
 *true.
 *
 * Returns 0; -ERANGE for times that cannot be: T4 before T1, T3 before T2 by more than the
 * precision, or the server took longer than the exchange by more than the dispersion.
 */
int ntp_exchange_sample(struct sample *ret, const struct timescale *scale,
			const struct ntp_packet *answer, const struct ntp_instant *sent,
			const struct ntp_instant *received);

#endif /* SOURCES_NTP_EXCHANGE_H */
