/* SPDX-License-Identifier: MIT */
/* Helper threads beside the loop: small, and deaf to signals. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <stdbool.h>
#include <pthread.h>

/*
 * Start a thread. Signals are the loop's, so it gets none. The loop's CPUs are inherited; its
 * real-time priority is not, as realtime.c sets that with SCHED_RESET_ON_FORK. detached: it ends by
 * itself, and *ret is of no use. Returns 0 or a negative errno.
 */
int thread_start(pthread_t *ret, bool detached, void *(*run)(void *data), void *data);

#endif /* BASE_THREAD_H */
