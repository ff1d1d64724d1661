/* SPDX-License-Identifier: MIT */
/* What keeps a publication from being late: memory that stays, and a priority of its own. */
#ifndef USERSPACE_REALTIME_H
#define USERSPACE_REALTIME_H

#include <stdint.h>

#define REALTIME_PRIORITY_MAX 99 /* of SCHED_FIFO */

enum realtime_lock {
	REALTIME_LOCK_AUTO, /* if this process may */
	REALTIME_LOCK_YES,
	REALTIME_LOCK_NO,
};

struct realtime_config {
	uint8_t lock_memory; /* enum realtime_lock */
	uint8_t priority;    /* SCHED_FIFO, 1 to 99; 0: the normal scheduler */
};

/*
 * Lock all memory of this process, present and future, with the stack that its main thread will
 * need, and give the calling thread its priority. Threads that are started later have the normal
 * scheduler. What was asked for and cannot be had is an error, which is told in the log with what is
 * missing; with REALTIME_LOCK_AUTO, memory that cannot be locked is not.
 *
 * Returns 0 or a negative errno.
 */
int realtime_start(const struct realtime_config *config);

#endif /* USERSPACE_REALTIME_H */
