/* SPDX-License-Identifier: MIT */
#include "sources/ptp_auth.h"

#include <endian.h>
#include <string.h>

#include <nettle/hmac.h>
#include <nettle/memops.h>

#define TLV_HEADER 4
#define FIXED_SIZE 6 /* pointer, parameters and the key's ID */

static void digest(const struct ptp_auth *auth, const uint8_t *data, size_t size, uint8_t *ret,
		   size_t ret_size)
{
	struct hmac_sha256_ctx context;

	hmac_sha256_set_key(&context, auth->key.size, auth->key.bytes);
	hmac_sha256_update(&context, size, data);
	hmac_sha256_digest(&context, ret_size, ret);
	explicit_bzero(&context, sizeof(context));
}

size_t ptp_auth_append(const struct ptp_auth *auth, uint8_t *message, size_t size)
{
	const uint16_t head[2] = {htobe16(PTP_TLV_AUTHENTICATION),
				  htobe16(FIXED_SIZE + PTP_AUTH_ICV_SIZE)};
	uint32_t id = htobe32(auth->key.id);
	uint8_t *at = message + size;

	memcpy(at, head, TLV_HEADER);
	at[TLV_HEADER] = auth->spp;
	at[TLV_HEADER + 1] = 0;
	memcpy(at + TLV_HEADER + 2, &id, sizeof(id));
	ptp_message_resize(message, size + PTP_AUTH_TLV_SIZE);
	digest(auth, message, size + TLV_HEADER + FIXED_SIZE, at + TLV_HEADER + FIXED_SIZE,
	       PTP_AUTH_ICV_SIZE);
	return size + PTP_AUTH_TLV_SIZE;
}

bool ptp_auth_check(const struct ptp_auth *auth, const uint8_t *data,
		    const struct ptp_message *message)
{
	uint8_t expected[SHA256_DIGEST_SIZE];
	const uint8_t *at = message->tlvs, *icv;
	size_t left = message->tlvs_size, icv_size;
	struct ptp_tlv tlv, last = {0};
	uint32_t id;

	while (ptp_tlv_next(&tlv, &at, &left) == 1)
		last = tlv;
	if (last.type != PTP_TLV_AUTHENTICATION || last.size < FIXED_SIZE)
		return false;
	icv_size = last.size - (size_t)FIXED_SIZE;
	memcpy(&id, last.value + 2, sizeof(id));
	if (last.value[0] != auth->spp || last.value[1] || be32toh(id) != auth->key.id ||
	    (icv_size != PTP_AUTH_ICV_SIZE && icv_size != SHA256_DIGEST_SIZE))
		return false;
	icv = last.value + FIXED_SIZE;
	digest(auth, data, (size_t)(icv - data), expected, icv_size);
	return memeql_sec(icv, expected, icv_size);
}
