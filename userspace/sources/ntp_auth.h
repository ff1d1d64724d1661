/* SPDX-License-Identifier: MIT */
/*
 * Symmetric-key authentication of NTP packets: the MAC behind the header (RFC 5905 section 7.3,
 * RFC 8573). Pure.
 *
 * A MAC is the key's ID in four bytes and a digest. The digest is AES-CMAC of the header, or a hash
 * of the key followed by the header, cut to 20 bytes as version 4 of the protocol wants it.
 */
#ifndef SOURCES_NTP_AUTH_H
#define SOURCES_NTP_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sources/ntp_packet.h"

#define NTP_KEY_SIZE_MAX 256 /* bytes */
#define NTP_MAC_SIZE_MAX 24  /* ID and digest */

struct ntp_key {
	uint32_t id;   /* 1 to 2^32 - 1 */
	uint8_t type;  /* as ntp_key_type() numbers them */
	uint16_t size; /* bytes that are used */
	uint8_t bytes[NTP_KEY_SIZE_MAX];
};

/* The number of a type by its name ("SHA256", "AES128" ...), or -ENOENT. */
int ntp_key_type(const char *name);

/* Names by number from 0 on; NULL behind the last. */
const char *ntp_key_type_name(unsigned int type);

/* How many bytes a key of the type has: exactly that, or 0: 1 to NTP_KEY_SIZE_MAX. */
unsigned int ntp_key_type_size(unsigned int type);

/* The MAC for a header. Returns its size, at most NTP_MAC_SIZE_MAX. */
size_t ntp_mac_write(const struct ntp_key *key, const uint8_t header[NTP_PACKET_SIZE],
		     uint8_t ret[NTP_MAC_SIZE_MAX]);

/*
 * Is this datagram, from its header on, a header and its MAC by this key, and nothing else? A
 * crypto-NAK (RFC 5905 section 9.2) is not. The time it takes does not depend on where a digest
 * differs.
 */
bool ntp_mac_check(const struct ntp_key *key, const void *data, size_t size);

#endif /* SOURCES_NTP_AUTH_H */
