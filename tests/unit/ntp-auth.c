/* SPDX-License-Identifier: MIT */
/* MACs by every type of key, held against what openssl(1) and Python's hashlib give. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "sources/ntp_auth.h"

#define ID 0x01020304

static const struct {
	const char *type;
	const char *key; /* hexadecimal; NULL: "correct horse" */
	const char *digest;
} macs[] = {
	{"MD5", NULL, "121be07713a69c2860e3cd9eb5aff5f8"},
	{"SHA1", NULL, "53c56ef29bfc8e0464f114e5fbf2f3df5f3ada85"},
	/* These have longer digests: their first 20 bytes */
	{"SHA256", NULL, "1a6364f8334fabb529378cd707bedfbe5fb0514d"},
	{"SHA384", NULL, "39718943da7e0a8d2d68a5a94d18c0495c300226"},
	{"SHA512", NULL, "c9492409409dede1771c9a0791cdc267f7bbe3a8"},
	{"SHA3-224", NULL, "9e687bcba4b8ac66dc6d051b83b3970d55e7582d"},
	{"SHA3-256", NULL, "194b3401b1c0e5d340bc77b101b1e4e6a356d4d0"},
	{"SHA3-384", NULL, "1b11edeeb3a94c0aa350c4bc884f481d3bfc73a3"},
	{"SHA3-512", NULL, "5071ec5c2040ae0604c7a3335b810ad7540e11cc"},
	{"AES128", "2b7e151628aed2a6abf7158809cf4f3c", "b46dd8856c4fee713a9243e917f1fdb7"},
	{"AES256", "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
	 "0c00787f59088fb8343d8597f6650bc5"},
};
#define MACS (sizeof(macs) / sizeof(macs[0]))

static size_t from_hex(const char *text, uint8_t *ret)
{
	size_t size = strlen(text) / 2, i;
	unsigned int byte;

	for (i = 0; i < size; i++) {
		cr_assert_eq(sscanf(text + 2 * i, "%2x", &byte), 1);
		ret[i] = (uint8_t)byte;
	}
	return size;
}

static struct ntp_key key_of(size_t i)
{
	struct ntp_key key = {.id = ID};
	int type = ntp_key_type(macs[i].type);

	cr_assert_geq(type, 0, "%s", macs[i].type);
	key.type = (uint8_t)type;
	if (macs[i].key) {
		key.size = (uint16_t)from_hex(macs[i].key, key.bytes);
		cr_assert_eq(ntp_key_type_size(key.type), key.size);
	} else {
		key.size = (uint16_t)strlen("correct horse");
		memcpy(key.bytes, "correct horse", key.size);
		cr_assert_eq(ntp_key_type_size(key.type), 0);
	}
	return key;
}

/* A header of the bytes 0 to 47 with its MAC. Returns the size of both. */
static size_t packet_of(const struct ntp_key *key, uint8_t ret[NTP_PACKET_SIZE + NTP_MAC_SIZE_MAX])
{
	size_t i;

	for (i = 0; i < NTP_PACKET_SIZE; i++)
		ret[i] = (uint8_t)i;
	return NTP_PACKET_SIZE + ntp_mac_write(key, ret, ret + NTP_PACKET_SIZE);
}

Test(ntp_auth, macs)
{
	uint8_t packet[NTP_PACKET_SIZE + NTP_MAC_SIZE_MAX],
		expected[NTP_MAC_SIZE_MAX] = {1, 2, 3, 4};
	size_t i;

	for (i = 0; i < MACS; i++) {
		struct ntp_key key = key_of(i);
		size_t size = 4 + from_hex(macs[i].digest, expected + 4);

		cr_assert_eq(packet_of(&key, packet), NTP_PACKET_SIZE + size, "%s", macs[i].type);
		cr_assert_arr_eq(packet + NTP_PACKET_SIZE, expected, size, "%s", macs[i].type);
		cr_assert(ntp_mac_check(&key, packet, NTP_PACKET_SIZE + size), "%s", macs[i].type);
	}
}

Test(ntp_auth, each_bit_counts)
{
	uint8_t packet[NTP_PACKET_SIZE + NTP_MAC_SIZE_MAX + 4] = {0};
	size_t i, bit, size;

	for (i = 0; i < MACS; i++) {
		struct ntp_key key = key_of(i), other = key;

		size = packet_of(&key, packet);
		for (bit = 0; bit < 8 * size; bit++) {
			packet[bit / 8] ^= (uint8_t)(1 << bit % 8);
			cr_assert_not(ntp_mac_check(&key, packet, size), "%s, bit %zu",
				      macs[i].type, bit);
			packet[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		other.bytes[0] ^= 1;
		cr_assert_not(ntp_mac_check(&other, packet, size));
		other = key;
		other.id++;
		cr_assert_not(ntp_mac_check(&other, packet, size));
		/* Any other length: no MAC, a crypto-NAK, a longer or a shorter one */
		for (bit = 0; bit <= sizeof(packet); bit++)
			cr_assert_eq(ntp_mac_check(&key, packet, bit), bit == size);
	}
}

Test(ntp_auth, types)
{
	unsigned int i;

	for (i = 0; ntp_key_type_name(i); i++)
		cr_assert_eq(ntp_key_type(ntp_key_type_name(i)), (int)i);
	cr_assert_eq(i, MACS);
	cr_assert_eq(ntp_key_type("sha1"), -ENOENT);
	cr_assert_eq(ntp_key_type(""), -ENOENT);
}
