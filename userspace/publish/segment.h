/* SPDX-License-Identifier: MIT */
/* The page in shared memory: a file under /dev/shm, and the writer's lock beside it. */
#ifndef PUBLISH_SEGMENT_H
#define PUBLISH_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "chronotick_page.h"

struct segment {
	struct chronotick_page *page;
	int lock;   /* descriptor of the writer's lock */
	bool fresh; /* a new page; else a dead writer's, untouched as yet */
};

/*
 * Take the writer's lock of /dev/shm/<name>, then map that page, made anew if need be.
 *
 * The lock is an flock on /dev/shm/<name>.lock, mode 0600, which holds the owner's pid: the kernel
 * frees it when its owner ends, in whatever way, and nobody who may only read can hold it. A
 * stopped owner keeps it.
 *
 * A page of this ABI, boot and counter kind is taken over in place. Anything else that is a regular
 * file of this user is replaced by a complete new file in one rename; a page of another counter is
 * marked as not to be trusted first, for those who have it mapped. Nothing is ever truncated.
 *
 * Returns 0; -EINVAL if the name is none; -EBUSY if another writer has the lock: *owner is then its
 * pid (0 if it can't be told); -EPERM if what stands there is not ours to replace; or another
 * negative errno. On error `why` (may be NULL) has a sentence with file and remedy.
 */
int segment_open(struct segment *ret, const char *name, uint32_t counter_kind, int32_t *owner,
		 char *why, unsigned int why_size);

/* Unmap and let the lock go; the page stays. */
void segment_close(struct segment *segment);

/* The start time of this process in clock ticks since boot, 0 if it can't be told. */
uint64_t segment_process_start(void);

#endif /* PUBLISH_SEGMENT_H */
