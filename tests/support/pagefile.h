/* SPDX-License-Identifier: MIT */
/* A page in a file of its own, which a reader accepts, and which is gone with its test. */
#ifndef SUPPORT_PAGEFILE_H
#define SUPPORT_PAGEFILE_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "chronotick_page.h"

#define PAGEFILE_PATH_SIZE 48

/*
 * Make the file with that content, or with zeros (NULL). Returns a descriptor and the path, which
 * the caller unlinks once it is opened; or -1.
 */
static inline int pagefile_make(char path[PAGEFILE_PATH_SIZE],
				const struct chronotick_page *content)
{
	static const struct chronotick_page zeros;
	int fd;

	snprintf(path, PAGEFILE_PATH_SIZE, "/dev/shm/chronotick-pagefile-XXXXXX");
	fd = mkstemp(path); /* mode 0600 */
	if (fd < 0)
		return -1;
	if (write(fd, content ? content : &zeros, sizeof(zeros)) == (ssize_t)sizeof(zeros))
		return fd;
	unlink(path);
	close(fd);
	return -1;
}

#endif /* SUPPORT_PAGEFILE_H */
