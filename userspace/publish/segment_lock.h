/* SPDX-License-Identifier: MIT */
/*
 * Who may write a segment: two locks, both freed by the kernel when their owner ends, in whatever
 * way, and both kept by an owner that is merely stopped.
 *
 * The lock file, NAME.lock, mode 0600, decides between writers that start: it is there before any
 * page is, no reader can open it, and it tells the owner's pid. But somebody may remove it, and then
 * the next writer locks another file.
 *
 * So the page's own file is locked too, for as long as it is mapped for writing: a write lock on its
 * first byte, which belongs to the open file (fcntl(2), F_OFD_SETLK). It cannot be removed apart from
 * the segment, and only who may write the file can take it. Readers could only take a read lock:
 * which tells that no writer has the page.
 */
#ifndef PUBLISH_SEGMENT_LOCK_H
#define PUBLISH_SEGMENT_LOCK_H

#include <stdint.h>

#include "publish/segment_file.h"

/*
 * Open or create the lock file, lock it, and write this pid into it. Returns 0 and the descriptor in
 * *ret; -EBUSY if another writer has it: *owner is its pid, 0 if that can't be told; or another
 * negative errno. There is a sentence for each.
 */
int segment_lock_take(int *ret, const struct segment_paths *paths, int32_t *owner,
		      const struct segment_why *why);

/* Let it go. No name of a live owner is left in a free lock. */
void segment_lock_drop(int fd);

/*
 * Lock the page's own file. Returns 0; -EBUSY if another writer has it; -EAGAIN if only a reader
 * has: nobody writes that page, and it cannot be locked.
 */
int segment_claim(int fd);

/* Let that lock go. */
void segment_unclaim(int fd);

/* Is another writer's claim on the file? Returns 0 or -EBUSY. */
int segment_claim_test(int fd);

#endif /* PUBLISH_SEGMENT_LOCK_H */
