/* SPDX-License-Identifier: MIT */
/* Files of keys: a text is taken, or refused with lines that each say where and what is allowed. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sources/ntp_keys.h"
#include "support/complaints.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each key that is there makes a MAC that holds, and none that holds when a bit is changed. */
static void check_keys(const struct ntp_keys *keys)
{
	uint8_t packet[NTP_PACKET_SIZE + NTP_MAC_SIZE_MAX] = {0};
	uint32_t id;

	for (id = 0; id < 20; id++) {
		const struct ntp_key *key = ntp_keys_find(keys, id);
		size_t size;

		if (!key)
			continue;
		if (key->id != id || key->size < 1 || key->size > NTP_KEY_SIZE_MAX ||
		    !ntp_key_type_name(key->type) ||
		    (ntp_key_type_size(key->type) && ntp_key_type_size(key->type) != key->size))
			abort();
		size = NTP_PACKET_SIZE + ntp_mac_write(key, packet, packet + NTP_PACKET_SIZE);
		if (size > sizeof(packet) || !ntp_mac_check(key, packet, size))
			abort();
		packet[0] ^= 1;
		if (ntp_mac_check(key, packet, size))
			abort();
	}
	if (ntp_keys_find(keys, 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ntp_keys *keys;
	char *errors = NULL;
	size_t length;
	FILE *stream = open_memstream(&errors, &length);
	int r;

	if (!stream)
		abort();
	r = ntp_keys_parse(&keys, "k", data, size, stream);
	fclose(stream);
	if (r == -EINVAL) {
		complaints_check(errors, "k");
	} else if (r == 0) {
		if (*errors)
			abort();
		check_keys(keys);
		ntp_keys_free(keys);
	}
	free(errors);
	return 0;
}
