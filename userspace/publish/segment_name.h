/* SPDX-License-Identifier: MIT */
/* Giving a segment its names, and what becomes of a file that stands there. */
#ifndef PUBLISH_SEGMENT_NAME_H
#define PUBLISH_SEGMENT_NAME_H

#include "publish/segment_file.h"

/*
 * See to it that `path` (paths->page or paths->hidden) is a name of the segment's file, fd. That file
 * must have a name still, or be a new one: the kernel gives none to a file that has lost them all.
 *
 * What stands there instead is not written into. In one step with the new name
 *	- an empty file or a page that nobody writes is dropped;
 *	- at paths->page, other data become NAME.foreign, or NAME.foreign-2 to -9 where that is taken.
 * Whatever else it is, is refused.
 *
 * Returns 0: it was one already; 1: it is now, with a sentence that says what was there before;
 * -ESTALE: the file has no name left; -EBUSY: another writer's page stands there; -EPERM: something
 * that is not ours to replace; or another negative errno. There is a sentence for each error.
 */
int segment_name_set(int fd, const struct segment_paths *paths, const char *path,
		     const struct segment_why *why);

#endif /* PUBLISH_SEGMENT_NAME_H */
