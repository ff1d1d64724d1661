/* SPDX-License-Identifier: MIT */
/* Which servers take their time from this host, by address and by reference ID */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include <criterion/criterion.h>

#include "sources/ntp_local.h"

static struct sockaddr_storage v4(const char *text)
{
	struct sockaddr_storage ret = {.ss_family = AF_INET};

	cr_assert_eq(inet_pton(AF_INET, text, &((struct sockaddr_in *)&ret)->sin_addr), 1);
	return ret;
}

static struct sockaddr_storage v6(const char *text)
{
	struct sockaddr_storage ret = {.ss_family = AF_INET6};

	cr_assert_eq(inet_pton(AF_INET6, text, &((struct sockaddr_in6 *)&ret)->sin6_addr), 1);
	return ret;
}

static bool has(const struct ntp_local *local, struct sockaddr_storage address)
{
	((struct sockaddr_in *)&address)->sin_port = htons(123);
	return ntp_local_has(local, (const struct sockaddr *)&address);
}

static uint32_t reference(struct sockaddr_storage address)
{
	return ntp_local_reference((const struct sockaddr *)&address);
}

Test(ntp_local, references)
{
	cr_assert_eq(reference(v4("192.0.2.1")), 0xc0000201);
	/* printf '\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01' | md5sum */
	cr_assert_eq(reference(v6("2001:db8::1")), 0x39ab9b37);
	cr_assert_eq(reference((struct sockaddr_storage){.ss_family = AF_UNIX}), 0);
}

Test(ntp_local, own_addresses)
{
	struct ntp_local local = {.count = 2};

	local.addresses[0] = v4("192.0.2.1");
	local.addresses[1] = v6("2001:db8::1");
	cr_assert(has(&local, v4("192.0.2.1")));
	cr_assert(has(&local, v6("2001:db8::1")));
	cr_assert_not(has(&local, v4("192.0.2.2")));
	cr_assert_not(has(&local, v6("2001:db8::2")));
	cr_assert(ntp_local_is_reference(&local, 0xc0000201));
	cr_assert(ntp_local_is_reference(&local, 0x39ab9b37));
	cr_assert_not(ntp_local_is_reference(&local, 0xc0000202));
	cr_assert_not(ntp_local_is_reference(&local, 0));
	local.count = 0;
	cr_assert_not(has(&local, v4("192.0.2.1")));
	cr_assert_not(ntp_local_is_reference(&local, 0xc0000201));
}

Test(ntp_local, loopback_is_not_among_those_of_this_host)
{
	struct ntp_local local;

	cr_assert_eq(ntp_local_read(&local), 0);
	cr_assert_not(has(&local, v4("127.0.0.1")));
	cr_assert_not(has(&local, v6("::1")));
}
