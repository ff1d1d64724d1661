/* SPDX-License-Identifier: MIT */
/*
 * Interleaved client/server mode (RFC 9769 section 2). Pure.
 *
 * A server can tell only in its next answer when an answer truly left. So an exchange is judged by
 * the answer to the request after it:
 *
 *	request k      origin  = the server's receive time of exchange k-1, by which it knows it
 *	               receive = a random number, which marks an interleaved answer
 *	               transmit = another one, which marks a basic answer
 *	answer k       receive  = when request k arrived
 *	               transmit = when answer k-1 left, if interleaved; else when answer k leaves
 *
 * An interleaved answer k makes the sample of exchange k-1, with all four times from that exchange.
 * The first interleaved answer after a basic one makes none: exchange k-1 has been judged already,
 * by a basic answer, and before it was known to be asked for the server may not have kept the
 * better time. What was lost is not asked for again: after it comes a basic request.
 */
#ifndef SOURCES_NTP_INTERLEAVED_H
#define SOURCES_NTP_INTERLEAVED_H

#include <stdbool.h>
#include <stdint.h>

#include "sources/ntp_packet.h"

/* Exchanges farther apart are not interleaved: what they say would be too old when it is known. */
#define NTP_INTERLEAVED_MAX_NS (1024LL * 1000000000)

struct ntp_interleaved {
	bool wanted;
	bool running;        /* the last answer was interleaved, and nothing was lost after it */
	uint64_t remembered; /* receive time of the last answer; 0: the next request is basic */
};

/* What an answer is good for */
enum ntp_use {
	NTP_USE_THIS,     /* basic: a sample of its own exchange */
	NTP_USE_PREVIOUS, /* interleaved: a sample of the exchange before it */
	NTP_USE_NONE,     /* the first interleaved one */
};

/*
 * Fill in a request's times and what its answer is held against. `random` are two numbers that
 * differ, not 0. interval_ns: since the request before it.
 */
void ntp_interleaved_ask(const struct ntp_interleaved *interleaved, int64_t interval_ns,
			 const uint64_t random[2], struct ntp_packet *packet,
			 struct ntp_request *request);

/* The answer has passed ntp_packet_test(), and is not yet noted in the request. */
enum ntp_use ntp_interleaved_answered(struct ntp_interleaved *interleaved,
				      const struct ntp_packet *answer,
				      const struct ntp_request *request);

/* A request has got no usable answer. */
void ntp_interleaved_lost(struct ntp_interleaved *interleaved);

/*
 * The answer of the exchange before as it would be, had the server known when it was to leave: with
 * the transmit time of the answer now, and its leap indicator, which is newer.
 */
struct ntp_packet ntp_interleaved_join(const struct ntp_packet *before,
				       const struct ntp_packet *now);

#endif /* SOURCES_NTP_INTERLEAVED_H */
