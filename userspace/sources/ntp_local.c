/* SPDX-License-Identifier: MIT */
#include "sources/ntp_local.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#include <nettle/md5.h>

static const struct in6_addr *address_v6(const struct sockaddr *address)
{
	return &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
}

static struct in_addr address_v4(const struct sockaddr *address)
{
	return ((const struct sockaddr_in *)(const void *)address)->sin_addr;
}

int ntp_local_read(struct ntp_local *ret)
{
	struct ifaddrs *list, *at;

	if (getifaddrs(&list) < 0)
		return -errno;
	ret->count = 0;
	for (at = list; at && ret->count < NTP_LOCAL_MAX; at = at->ifa_next) {
		int family = at->ifa_addr ? at->ifa_addr->sa_family : AF_UNSPEC;
		size_t size = family == AF_INET    ? sizeof(struct sockaddr_in)
			      : family == AF_INET6 ? sizeof(struct sockaddr_in6)
						   : 0;

		if (!size || at->ifa_flags & IFF_LOOPBACK)
			continue;
		memcpy(&ret->addresses[ret->count++], at->ifa_addr, size);
	}
	freeifaddrs(list);
	return 0;
}

static bool is_same(const struct sockaddr *a, const struct sockaddr *b)
{
	if (a->sa_family != b->sa_family)
		return false;
	if (a->sa_family == AF_INET)
		return address_v4(a).s_addr == address_v4(b).s_addr;
	return a->sa_family == AF_INET6 &&
	       !memcmp(address_v6(a), address_v6(b), sizeof(struct in6_addr));
}

bool ntp_local_has(const struct ntp_local *local, const struct sockaddr *address)
{
	unsigned int i;

	for (i = 0; i < local->count; i++)
		if (is_same((const struct sockaddr *)&local->addresses[i], address))
			return true;
	return false;
}

bool ntp_local_is_reference(const struct ntp_local *local, uint32_t reference_id)
{
	unsigned int i;

	for (i = 0; reference_id && i < local->count; i++)
		if (ntp_local_reference((const struct sockaddr *)&local->addresses[i]) ==
		    reference_id)
			return true;
	return false;
}

uint32_t ntp_local_reference(const struct sockaddr *address)
{
	uint8_t digest[MD5_DIGEST_SIZE];
	struct md5_ctx context;
	uint32_t id;

	if (address->sa_family == AF_INET)
		return ntohl(address_v4(address).s_addr);
	if (address->sa_family != AF_INET6)
		return 0;
	md5_init(&context);
	md5_update(&context, sizeof(struct in6_addr), address_v6(address)->s6_addr);
	md5_digest(&context, sizeof(digest), digest);
	memcpy(&id, digest, sizeof(id));
	return be32toh(id);
}
