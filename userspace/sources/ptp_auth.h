/* SPDX-License-Identifier: MIT */
/*
 * The AUTHENTICATION TLV (IEEE 1588-2019 clause 16.14), with a key that both sides have and at once
 * (immediate security processing): HMAC-SHA256 of the message from its header up to the check value.
 * Pure.
 *
 * The correctionField is authenticated as it is, so no transparent clock may be on the way that does
 * not have the key.
 */
#ifndef SOURCES_PTP_AUTH_H
#define SOURCES_PTP_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sources/ntp_auth.h"
#include "sources/ptp_message.h"

#define PTP_AUTH_ICV_SIZE 16                       /* HMAC-SHA256-128, what is sent */
#define PTP_AUTH_TLV_SIZE (10 + PTP_AUTH_ICV_SIZE) /* of one that is sent */

/* What both sides have agreed on */
struct ptp_auth {
	struct ntp_key key; /* of type SHA256; ID 0: messages are not authenticated */
	uint8_t spp;        /* security parameters pointer */
};

/*
 * Append the TLV to a message of `size` bytes with room for PTP_AUTH_TLV_SIZE more; the messageLength
 * grows. Returns the new size.
 */
size_t ptp_auth_append(const struct ptp_auth *auth, uint8_t *message, size_t size);

/*
 * Is the message, which ptp_message_parse() has taken, authentic? The last one of its TLVs must be
 * the one that counts, with this security parameters pointer, key and no other parameters; its check
 * value may have 16 or all 32 bytes. The time it takes does not depend on where that differs.
 */
bool ptp_auth_check(const struct ptp_auth *auth, const uint8_t *data,
		    const struct ptp_message *message);

#endif /* SOURCES_PTP_AUTH_H */
