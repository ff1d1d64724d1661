/* SPDX-License-Identifier: MIT */
/* Helper threads beside the loop: small, of ordinary priority, and deaf to signals. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <pthread.h>

/*
 * Start a thread. Signals are the loop's, so it gets none; the loop's CPUs are inherited, its
 * real-time priority is not. detached: it ends by itself, and *ret is of no use. Returns 0 or a
 * negative errno.
 */
int thread_start(pthread_t *ret, bool detached, size_t stack_size, void *(*run)(void *data),
		 void *data);

#endif /* BASE_THREAD_H */
