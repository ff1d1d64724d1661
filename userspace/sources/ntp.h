/* SPDX-License-Identifier: MIT */
/* The NTP client: one server, NTPv4 (RFC 5905), client mode. */
#ifndef SOURCES_NTP_H
#define SOURCES_NTP_H

#include <stdbool.h>
#include <stdint.h>

#include "sources/source.h"

struct ntp_config {
	const char *server; /* name, or IPv4 or IPv6 address */
	uint16_t port;	    /* 123 */
	bool iburst;	    /* four requests two seconds... see ntp_new() */
	int8_t minpoll;	    /* log2 s, -3 to 17 */
	int8_t maxpoll;
};

/* Counters of one server, all since start */
struct ntp_statistics {
	uint64_t sent;
	uint64_t received;
	uint64_t accepted;
	uint64_t rejected; /* failed a packet test of RFC 5905 section 8, or was no NTP packet */
	uint64_t stamps_missing; /* transmit stamps that did not come in time */
};

struct ntp;

/*
 * A client of one server, polling from now on. Names are resolved by a helper thread.
 * Returns 0, -EINVAL for a config out of range, or a negative errno.
 */
int ntp_new(struct ntp **ret, const struct source_context *context, unsigned int index,
	    const struct ntp_config *config);
void ntp_free(struct ntp *ntp);

/* Fill in name, kind, stamps, stratum, leap, reach, delay, dispersion and samples. */
void ntp_describe(const struct ntp *ntp, struct chronotick_source *ret);
void ntp_statistics(const struct ntp *ntp, struct ntp_statistics *ret);

#endif /* SOURCES_NTP_H */
