/* SPDX-License-Identifier: MIT */
/*
 * Names to addresses without blocking the loop: getaddrinfo(3) in a helper thread that ends by
 * itself. The thread touches nothing but its own job; the loop's thread asks whether it is done.
 */
#ifndef SOURCES_RESOLVER_H
#define SOURCES_RESOLVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define RESOLVER_ADDRESSES_MAX 16

struct resolver_address {
	struct sockaddr_storage address;
	socklen_t size;
};

struct resolver_result {
	unsigned int count;
	struct resolver_address addresses[RESOLVER_ADDRESSES_MAX];
};

/* The same address, port and scope? */
bool resolver_address_equal(const struct resolver_address *a, const struct resolver_address *b);

struct resolver; /* one job */

/*
 * Numeric IPv4 or IPv6 addresses, at once and without a thread. Returns 0, or -EINVAL if it is no
 * such address.
 */
int resolver_numeric(struct resolver_result *ret, const char *name, uint16_t port);

/*
 * Threads at a time: twice as many as there may be sources. A job that was given up keeps its thread
 * for as long as the name servers are silent, so switching sources would make more and more of them.
 */
#define RESOLVER_THREADS_MAX 128

/* Start a job. Returns 0 or a negative errno; -EAGAIN: there are as many threads as there may be. */
int resolver_start(struct resolver **ret, const char *name, uint16_t port);

/*
 * Is it done? Returns 0 and *result; -EAGAIN: not yet; -ENOENT: no address for that name, or no
 * answer. A job that is done may be asked again.
 */
int resolver_poll(struct resolver *resolver, struct resolver_result *result);

/* Give a job up; one that still runs frees itself at its end. NULL is allowed. */
void resolver_free(struct resolver *resolver);

#endif /* SOURCES_RESOLVER_H */
