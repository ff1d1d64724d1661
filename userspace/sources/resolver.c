/* SPDX-License-Identifier: MIT */
#include "sources/resolver.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/thread.h"

enum state {
	RUNNING,
	DONE,      /* by the thread: the result may be read */
	ABANDONED, /* by the owner: the thread frees the job */
};

/* Threads of all jobs, given up or not */
static atomic_uint threads;

struct resolver {
	atomic_int state;
	int error; /* written before DONE, as is the result */
	struct resolver_result result;
	char port[6];
	char name[];
};

/* An IPv4 address written as an IPv6 one is the former: else one server would have two addresses. */
static void unmap(struct resolver_address *address)
{
	const struct sockaddr_in6 in6 =
		*(const struct sockaddr_in6 *)(const void *)&address->address;
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = in6.sin6_port};

	if (in6.sin6_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
		return;
	memcpy(&in.sin_addr, &in6.sin6_addr.s6_addr[12], sizeof(in.sin_addr));
	memset(&address->address, 0, sizeof(address->address));
	memcpy(&address->address, &in, sizeof(in));
	address->size = sizeof(in);
}

static int lookup(struct resolver_result *ret, const char *name, const char *port, int flags)
{
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICSERV | flags,
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_DGRAM,
	};
	struct addrinfo *found, *at;

	memset(ret, 0, sizeof(*ret));
	if (getaddrinfo(name, port, &hints, &found))
		return -ENOENT;
	for (at = found; at && ret->count < RESOLVER_ADDRESSES_MAX; at = at->ai_next) {
		struct resolver_address *address = &ret->addresses[ret->count];

		if ((at->ai_family != AF_INET && at->ai_family != AF_INET6) ||
		    at->ai_addrlen > sizeof(address->address))
			continue;
		memcpy(&address->address, at->ai_addr, at->ai_addrlen);
		address->size = at->ai_addrlen;
		unmap(address);
		ret->count++;
	}
	freeaddrinfo(found);
	return ret->count ? 0 : -ENOENT;
}

static bool ipv4_equal(const struct sockaddr_in *a, const struct sockaddr_in *b)
{
	return a->sin_port == b->sin_port && a->sin_addr.s_addr == b->sin_addr.s_addr;
}

static bool ipv6_equal(const struct sockaddr_in6 *a, const struct sockaddr_in6 *b)
{
	return a->sin6_port == b->sin6_port && a->sin6_scope_id == b->sin6_scope_id &&
	       memcmp(&a->sin6_addr, &b->sin6_addr, sizeof(a->sin6_addr)) == 0;
}

bool resolver_address_equal(const struct resolver_address *a, const struct resolver_address *b)
{
	const void *one = &a->address, *other = &b->address;

	if (a->address.ss_family != b->address.ss_family)
		return false;
	return a->address.ss_family == AF_INET ? ipv4_equal(one, other) : ipv6_equal(one, other);
}

int resolver_numeric(struct resolver_result *ret, const char *name, uint16_t port)
{
	char text[6];

	snprintf(text, sizeof(text), "%u", port);
	return lookup(ret, name, text, AI_NUMERICHOST) < 0 ? -EINVAL : 0;
}

static void *run(void *data)
{
	struct resolver *resolver = data;
	int expected = RUNNING;

	resolver->error = lookup(&resolver->result, resolver->name, resolver->port, 0);
	/* Release: the result is complete before DONE is seen. */
	if (!atomic_compare_exchange_strong_explicit(&resolver->state, &expected, DONE,
						     memory_order_acq_rel, memory_order_acquire))
		free(resolver);
	atomic_fetch_sub_explicit(&threads, 1, memory_order_relaxed);
	return NULL;
}

int resolver_start(struct resolver **ret, const char *name, uint16_t port)
{
	size_t size = strlen(name) + 1;
	struct resolver *resolver;
	pthread_t thread;
	int r = -ENOMEM;

	if (atomic_fetch_add_explicit(&threads, 1, memory_order_relaxed) >= RESOLVER_THREADS_MAX) {
		r = -EAGAIN;
		goto fail;
	}
	resolver = calloc(1, sizeof(*resolver) + size);
	if (!resolver)
		goto fail;
	memcpy(resolver->name, name, size);
	snprintf(resolver->port, sizeof(resolver->port), "%u", port);
	atomic_init(&resolver->state, RUNNING);

	r = thread_start(&thread, true, run, resolver);
	if (r < 0) {
		free(resolver);
		goto fail;
	}
	*ret = resolver;
	return 0;

fail:
	atomic_fetch_sub_explicit(&threads, 1, memory_order_relaxed);
	return r;
}

int resolver_poll(struct resolver *resolver, struct resolver_result *result)
{
	/* Acquire: pairs with the thread's DONE */
	if (atomic_load_explicit(&resolver->state, memory_order_acquire) != DONE)
		return -EAGAIN;
	if (resolver->error)
		return resolver->error;
	*result = resolver->result;
	return 0;
}

void resolver_free(struct resolver *resolver)
{
	int expected = RUNNING;

	if (!resolver)
		return;
	if (!atomic_compare_exchange_strong_explicit(&resolver->state, &expected, ABANDONED,
						     memory_order_acq_rel, memory_order_acquire))
		free(resolver);
}
