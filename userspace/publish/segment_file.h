/* SPDX-License-Identifier: MIT */
/* The files of a segment: their paths, what is ours, and the sentences about what is not. */
#ifndef PUBLISH_SEGMENT_FILE_H
#define PUBLISH_SEGMENT_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "chronotick_page.h"

#define SEGMENT_NAME_SIZE 200
#define SEGMENT_PATH_SIZE (sizeof(CHRONOTICK_SHM_DIR) + SEGMENT_NAME_SIZE + sizeof("..foreign"))

/* /dev/shm/NAME and the files that stand beside it */
struct segment_paths {
	char page[SEGMENT_PATH_SIZE];
	char lock[SEGMENT_PATH_SIZE];    /* NAME.lock: the owner's lock, with its pid */
	char hidden[SEGMENT_PATH_SIZE];  /* .NAME.page: the page's second link while it is owned */
	char next[SEGMENT_PATH_SIZE];    /* .NAME.next: on its way to a name */
	char foreign[SEGMENT_PATH_SIZE]; /* NAME.foreign: what stood at the name and is no page */
};

/* Where the sentence about an error goes */
struct segment_why {
	char *text; /* may be NULL */
	unsigned int size;
};

/* Fill in the sentence; returns `result`. */
int segment_say(const struct segment_why *why, int result, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The sentence for a failed open(2) or rename(2) of a path. Returns a negative errno. */
int segment_say_errno(const struct segment_why *why, const char *path, int error);

/* Returns 0, or -EINVAL with a sentence if that is no name for a page. */
int segment_paths_set(struct segment_paths *paths, const char *name, const struct segment_why *why);

/* Is that a regular file of this user? Returns 0 and its status, or -EPERM and a sentence. */
int segment_file_check(int fd, const char *path, struct stat *status,
		       const struct segment_why *why);

/*
 * Open what stands at the path, without following a link and without waiting for anything.
 * flags: O_RDWR or O_RDONLY. Returns a descriptor of a regular file of this user, -ENOENT without a
 * sentence, or a negative errno with one.
 */
int segment_file_open(const char *path, int flags, struct stat *status,
		      const struct segment_why *why);

/* Is the path a name of the file? Links are not followed. */
bool segment_file_is_at(const char *path, const struct stat *file);

enum segment_content {
	SEGMENT_EMPTY,
	SEGMENT_PAGE,    /* of any version, boot and counter */
	SEGMENT_FOREIGN, /* somebody's data */
};

/* What is in an open file, by its size and magic number; one that cannot be read is foreign. */
enum segment_content segment_file_content(int fd, const struct stat *status);

#endif /* PUBLISH_SEGMENT_FILE_H */
