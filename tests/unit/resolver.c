/* SPDX-License-Identifier: MIT */
/* Names and addresses; nothing here asks a name server. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <criterion/criterion.h>

#include "sources/resolver.h"

/* Name servers that do not answer, for now */
static atomic_bool silent;

/* In the place of libc's. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
		struct addrinfo **ret)
{
	int (*libc)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

	while (silent)
		poll(NULL, 0, 1);
	*(void **)&libc = dlsym(RTLD_NEXT, "getaddrinfo");
	return libc(name, service, hints, ret);
}

Test(resolver, numeric)
{
	struct resolver_result result;
	struct resolver_address plain;
	const struct sockaddr_in *in = (const struct sockaddr_in *)&result.addresses[0].address;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)in;

	cr_assert_eq(resolver_numeric(&result, "192.0.2.1", 123), 0);
	cr_assert_eq(result.count, 1);
	cr_assert_eq(result.addresses[0].size, sizeof(*in));
	cr_assert_eq(in->sin_family, AF_INET);
	cr_assert_eq(in->sin_port, htons(123));
	cr_assert_eq(in->sin_addr.s_addr, htonl(0xc0000201));

	cr_assert_eq(resolver_numeric(&result, "2001:db8::1", 65535), 0);
	cr_assert_eq(result.count, 1);
	cr_assert_eq(result.addresses[0].size, sizeof(*in6));
	cr_assert_eq(in6->sin6_family, AF_INET6);
	cr_assert_eq(in6->sin6_port, htons(65535));

	/* IPv4 in the guise of IPv6 is the same server as without. */
	cr_assert_eq(resolver_numeric(&result, "192.0.2.1", 123), 0);
	plain = result.addresses[0];
	cr_assert_eq(resolver_numeric(&result, "::ffff:192.0.2.1", 123), 0);
	cr_assert_eq(result.count, 1);
	cr_assert_eq(result.addresses[0].size, sizeof(*in));
	cr_assert(resolver_address_equal(&result.addresses[0], &plain));

	cr_assert_eq(resolver_numeric(&result, "time.example", 123), -EINVAL);
	cr_assert_eq(resolver_numeric(&result, "192.0.2.256", 123), -EINVAL);
	cr_assert_eq(resolver_numeric(&result, "", 123), -EINVAL);
}

/* However long it takes: a test that is too slow is stopped from outside. */
static int wait_for(struct resolver *resolver, struct resolver_result *result)
{
	int r;

	while ((r = resolver_poll(resolver, result)) == -EAGAIN)
		poll(NULL, 0, 1);
	return r;
}

Test(resolver, job)
{
	struct resolver_result result;
	struct resolver *resolver;

	/* The thread's whole way, with a name that needs no network */
	cr_assert_eq(resolver_start(&resolver, "127.0.0.1", 123), 0);
	cr_assert_eq(wait_for(resolver, &result), 0);
	cr_assert_eq(result.count, 1);
	cr_assert_eq(resolver_poll(resolver, &result), 0);
	resolver_free(resolver);

	cr_assert_eq(resolver_start(&resolver, "no name at all", 123), 0);
	cr_assert_eq(wait_for(resolver, &result), -ENOENT);
	resolver_free(resolver);
	resolver_free(NULL);
}

/* Given up at any time: the thread cleans up behind itself. */
Test(resolver, given_up)
{
	struct resolver *resolver;
	unsigned int i;

	for (i = 0; i < 50; i++) {
		cr_assert_eq(resolver_start(&resolver, "127.0.0.1", 123), 0);
		if (i % 2)
			poll(NULL, 0, 1);
		resolver_free(resolver);
	}
}

/* While name servers are silent, jobs that are given up do not add up to more and more threads. */
Test(resolver, threads_are_limited)
{
	struct resolver_result result;
	struct resolver *resolver;
	unsigned int i;

	silent = true;
	for (i = 0; i < RESOLVER_THREADS_MAX; i++) {
		cr_assert_eq(resolver_start(&resolver, "127.0.0.1", 123), 0);
		resolver_free(resolver);
	}
	for (i = 0; i < 3; i++)
		cr_assert_eq(resolver_start(&resolver, "127.0.0.1", 123), -EAGAIN);
	silent = false;
	while (resolver_start(&resolver, "127.0.0.1", 123) == -EAGAIN)
		poll(NULL, 0, 1);
	cr_assert_eq(wait_for(resolver, &result), 0);
	resolver_free(resolver);
}
