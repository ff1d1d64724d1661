/* SPDX-License-Identifier: MIT */
/* Small files, whole. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Read a file's first `size` bytes; a file that may have that many is one byte too long for a
 * caller who wants to know that it is whole. mode may be NULL: its mode. A FIFO or device is not waited for. Returns how many
 * there were, -EINVAL for what is no regular file, or another negative errno.
 */
ssize_t file_read(const char *path, void *data, size_t size, mode_t *mode);

/*
 * Replace a file in one step: the bytes go into "PATH.new", to disk, and over the old file. Mode
 * 0644. Waits for the disk. Returns 0 or a negative errno; then the old file is as it was.
 */
int file_replace(const char *path, const void *data, size_t size);

/* Write all of it. Returns 0 or a negative errno. */
int file_write(int fd, const void *data, size_t size);

#endif /* BASE_FILE_H */
