/* SPDX-License-Identifier: MIT */
/*
 * The page in shared memory: a file under /dev/shm, its second link, and the writer's locks.
 *
 *	segment_file.h  the paths, what is ours, the sentences
 *	segment_lock.h  who may write: the lock file, and the lock on the page's own file
 *	segment_name.h  giving the file its names
 */
#ifndef PUBLISH_SEGMENT_H
#define PUBLISH_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "chronotick_page.h"
#include "publish/segment_file.h"

struct segment {
	struct chronotick_page *page;
	struct segment_paths paths;
	int fd;     /* the page's file, with the writer's claim on it */
	int lock;   /* descriptor of the writer's lock file */
	bool fresh; /* a new page; else a dead writer's, untouched as yet */
};

/*
 * Take the writer's locks of /dev/shm/<name>, then map that page, made anew if need be. While it is
 * open the page has a second, hidden link, .<name>.page: a file that has lost all its names cannot
 * be given one again.
 *
 * A page of this ABI, boot and counter kind that nobody else could write is taken over in place,
 * found by its hidden link where the name is gone. Another page, or an empty file, is replaced in one
 * step; a page of another counter is marked as not to be trusted first, for those who have it
 * mapped. Other data of this user become <name>.foreign. Nothing is ever truncated.
 *
 * Returns 0; -EINVAL if the name is none; -EBUSY if another writer has it: *owner is then its pid (0
 * if it can't be told); -EPERM if what stands there is not ours to replace; or another negative
 * errno. On error `why` (may be NULL) has a sentence with file and remedy.
 */
int segment_open(struct segment *ret, const char *name, uint32_t counter_kind, int32_t *owner,
		 char *why, unsigned int why_size);

/*
 * See to it that lock, mode, hidden link and name are as they were: whoever removed or changed one
 * of them gets it back, so that readers find the very same page. To be called once a second.
 *
 * Returns 0: nothing had to be done; 1: something was put right; -ESTALE: the page has lost all its
 * names, which segment_renew() mends; -EBUSY: so it has, and another writer has the lock: this one
 * is superseded; or another negative errno: something cannot be put right now. `why` has a sentence
 * for all but 0.
 */
int segment_keep(struct segment *segment, char *why, unsigned int why_size);

/* What a new page has in it before anybody can open it */
struct segment_fill {
	void (*page)(void *data, struct chronotick_page *page);
	void *data;
};

/*
 * A new page of that generation in the place of one that has lost all its names: empty, but for what
 * `fill` (may be NULL) puts in. The old one is in *old, to be signed off and then for
 * segment_forget(); readers who have it read on until its line expires. On error it stays.
 */
int segment_renew(struct segment *segment, uint32_t generation, const struct segment_fill *fill,
		  struct segment *old, char *why, unsigned int why_size);

/* Unmap a page that was replaced. */
void segment_forget(struct segment *old);

/*
 * A new, empty page for another kind of counter, under the names of the one before, the lock file
 * kept locked all the while. The old one is marked as not to be trusted, for those who have it mapped, and
 * unmapped here. On error it stays, so marked.
 */
int segment_replace(struct segment *segment, uint32_t counter_kind, char *why,
		    unsigned int why_size);

/* Unmap, drop the hidden link and let the locks go; the page stays. */
void segment_close(struct segment *segment);

/* The start time of this process in clock ticks since boot, 0 if it can't be told. */
uint64_t segment_process_start(void);

#endif /* PUBLISH_SEGMENT_H */
