/* SPDX-License-Identifier: MIT */
/*
 * A helper thread that writes to disk, so that the loop never waits for one. The loop hands texts
 * over through a ring; neither side takes a lock.
 */
#ifndef ARCHIVE_SCRIBE_H
#define ARCHIVE_SCRIBE_H

#include <stddef.h>

#define SCRIBE_TEXT_MAX 1024
#define SCRIBE_SLOTS 128 /* two minutes of a line a second */

struct scribe;

/* Runs in the scribe's thread. `data` and what it points to must outlive the scribe. */
typedef void (*scribe_fn)(void *data, const char *text, size_t size);

/* Returns 0 or a negative errno. */
int scribe_new(struct scribe **ret);

/* Finish what was handed over, waiting for the disk, and end. NULL is allowed. */
void scribe_free(struct scribe *scribe);

/*
 * Have fn called with a copy of the text, after what was handed over before. Never waits. For one
 * thread. Returns 0; -EAGAIN if the scribe is that far behind; -EMSGSIZE above SCRIBE_TEXT_MAX.
 */
int scribe_put(struct scribe *scribe, scribe_fn fn, void *data, const char *text, size_t size);

#endif /* ARCHIVE_SCRIBE_H */
