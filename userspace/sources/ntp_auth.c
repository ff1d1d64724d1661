/* SPDX-License-Identifier: MIT */
#include "sources/ntp_auth.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include <nettle/cmac.h>
#include <nettle/md5.h>
#include <nettle/memops.h>
#include <nettle/nettle-meta.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <nettle/sha3.h>

#define ID_SIZE 4
#define DIGEST_MAX (NTP_MAC_SIZE_MAX - ID_SIZE)

typedef void (*cmac_fn)(const struct ntp_key *key, const uint8_t header[NTP_PACKET_SIZE],
			uint8_t ret[CMAC128_DIGEST_SIZE]);

static void cmac_128(const struct ntp_key *key, const uint8_t header[NTP_PACKET_SIZE],
		     uint8_t ret[CMAC128_DIGEST_SIZE])
{
	struct cmac_aes128_ctx context;

	cmac_aes128_set_key(&context, key->bytes);
	cmac_aes128_update(&context, NTP_PACKET_SIZE, header);
	cmac_aes128_digest(&context, CMAC128_DIGEST_SIZE, ret);
	explicit_bzero(&context, sizeof(context));
}

static void cmac_256(const struct ntp_key *key, const uint8_t header[NTP_PACKET_SIZE],
		     uint8_t ret[CMAC128_DIGEST_SIZE])
{
	struct cmac_aes256_ctx context;

	cmac_aes256_set_key(&context, key->bytes);
	cmac_aes256_update(&context, NTP_PACKET_SIZE, header);
	cmac_aes256_digest(&context, CMAC128_DIGEST_SIZE, ret);
	explicit_bzero(&context, sizeof(context));
}

static const struct {
	char name[9];
	uint8_t key_size; /* 0: any */
	cmac_fn cmac;     /* or else */
	const struct nettle_hash *hash;
} types[] = {
	{"MD5", 0, NULL, &nettle_md5},
	{"SHA1", 0, NULL, &nettle_sha1},
	{"SHA256", 0, NULL, &nettle_sha256},
	{"SHA384", 0, NULL, &nettle_sha384},
	{"SHA512", 0, NULL, &nettle_sha512},
	{"SHA3-224", 0, NULL, &nettle_sha3_224},
	{"SHA3-256", 0, NULL, &nettle_sha3_256},
	{"SHA3-384", 0, NULL, &nettle_sha3_384},
	{"SHA3-512", 0, NULL, &nettle_sha3_512},
	{"AES128", AES128_KEY_SIZE, cmac_128, NULL},
	{"AES256", AES256_KEY_SIZE, cmac_256, NULL},
};
#define TYPES (sizeof(types) / sizeof(types[0]))

/* Room for the state of each hash of the table */
union hash_context {
	struct md5_ctx md5;
	struct sha1_ctx sha1;
	struct sha256_ctx sha256;
	struct sha512_ctx sha512; /* SHA384 too */
	struct sha3_224_ctx sha3_224;
	struct sha3_256_ctx sha3_256;
	struct sha3_384_ctx sha3_384;
	struct sha3_512_ctx sha3_512;
};

int ntp_key_type(const char *name)
{
	size_t i;

	for (i = 0; i < TYPES; i++)
		if (!strcmp(types[i].name, name))
			return (int)i;
	return -ENOENT;
}

const char *ntp_key_type_name(unsigned int type)
{
	return type < TYPES ? types[type].name : NULL;
}

unsigned int ntp_key_type_size(unsigned int type)
{
	return type < TYPES ? types[type].key_size : 0;
}

static size_t digest_hash(const struct nettle_hash *hash, const struct ntp_key *key,
			  const uint8_t header[NTP_PACKET_SIZE], uint8_t ret[DIGEST_MAX])
{
	size_t size = hash->digest_size < DIGEST_MAX ? hash->digest_size : DIGEST_MAX;
	union hash_context context;

	hash->init(&context);
	hash->update(&context, key->size, key->bytes);
	hash->update(&context, NTP_PACKET_SIZE, header);
	hash->digest(&context, size, ret);
	explicit_bzero(&context, sizeof(context));
	return size;
}

size_t ntp_mac_write(const struct ntp_key *key, const uint8_t header[NTP_PACKET_SIZE],
		     uint8_t ret[NTP_MAC_SIZE_MAX])
{
	uint32_t id = htobe32(key->id);

	memcpy(ret, &id, ID_SIZE);
	if (!types[key->type].cmac)
		return ID_SIZE + digest_hash(types[key->type].hash, key, header, ret + ID_SIZE);
	types[key->type].cmac(key, header, ret + ID_SIZE);
	return ID_SIZE + CMAC128_DIGEST_SIZE;
}

bool ntp_mac_check(const struct ntp_key *key, const void *data, size_t size)
{
	uint8_t expected[NTP_MAC_SIZE_MAX];
	size_t mac_size;

	if (size <= NTP_PACKET_SIZE || size > NTP_PACKET_SIZE + NTP_MAC_SIZE_MAX)
		return false;
	mac_size = ntp_mac_write(key, data, expected);
	return size == NTP_PACKET_SIZE + mac_size &&
	       memeql_sec((const uint8_t *)data + NTP_PACKET_SIZE, expected, mac_size);
}
