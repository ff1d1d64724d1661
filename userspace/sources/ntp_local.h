/* SPDX-License-Identifier: MIT */
/*
 * This host's own addresses, by which a server is known that takes its time from here (RFC 5905
 * section 9.2, the test for a synchronization loop).
 */
#ifndef SOURCES_NTP_LOCAL_H
#define SOURCES_NTP_LOCAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define NTP_LOCAL_MAX 128

struct ntp_local {
	unsigned int count;
	struct sockaddr_storage addresses[NTP_LOCAL_MAX];
};

/*
 * The addresses of all interfaces but loopback: a server at 127.0.0.1 is one that was meant, and
 * one with that as its reference means its own. Returns 0 or a negative errno; then *ret is as it
 * was.
 */
int ntp_local_read(struct ntp_local *ret);

/* Is it one of them? The port does not matter. */
bool ntp_local_has(const struct ntp_local *local, const struct sockaddr *address);

/* Is it the reference ID that a server has whose time comes from one of the addresses? */
bool ntp_local_is_reference(const struct ntp_local *local, uint32_t reference_id);

/*
 * The reference ID of servers whose time comes from that address (RFC 5905 section 7.3): the
 * address itself, or the first four bytes of an IPv6 address's MD5; 0 for others.
 */
uint32_t ntp_local_reference(const struct sockaddr *address);

#endif /* SOURCES_NTP_LOCAL_H */
