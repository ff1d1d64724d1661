/* SPDX-License-Identifier: MIT */
/* Changes by a descriptor, for poll(2). Include <chronotick/chronotick.h>, not this file. */
#ifndef CHRONOTICK_POLL_H
#define CHRONOTICK_POLL_H

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wait.h"

/* Why a file could not be opened: without descriptors or memory another try may do. */
static inline int chronotick_open_errno(void)
{
	return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? -errno : -ENOENT;
}

/* So the kernel ends the name of a mapped file if the name was removed. */
#define CHRONOTICK_NAME_REMOVED " (deleted)"

/* Open the file by that name; if it was removed, by one that was made anew. Changes `path`. */
static inline int chronotick_reopen(char *path)
{
	const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	size_t length = strlen(path), more = sizeof(CHRONOTICK_NAME_REMOVED) - 1;
	int fd = open(path, flags);

	if (fd >= 0 || errno != ENOENT || length <= more ||
	    strcmp(path + length - more, CHRONOTICK_NAME_REMOVED) != 0)
		return fd;
	path[length - more] = '\0';
	return open(path, flags);
}

/*
 * The file that is mapped at the page, opened again. A handle keeps no descriptor, so
 * its name is asked of the kernel. -ENOENT: it has no name any more, or another file has it.
 */
static inline int chronotick_page_file(const struct chronotick_page *page)
{
	char line[4096 + 128], *path;
	unsigned long long inode = 0;
	unsigned long start = 0;
	struct stat status;
	FILE *maps = fopen("/proc/self/maps", "re");
	int fd = -1, found = 0;

	if (!maps)
		return chronotick_open_errno();
	while (!found && fgets(line, sizeof(line), maps))
		found = sscanf(line, "%lx-%*x %*s %*x %*s %llu", &start, &inode) == 2 &&
			start == (unsigned long)(const void *)page;
	fclose(maps);
	path = found ? strchr(line, '/') : NULL;
	if (!path)
		return -ENOENT;
	path[strcspn(path, "\n")] = '\0';
	fd = chronotick_reopen(path);
	if (fd < 0)
		return chronotick_open_errno();
	if (fstat(fd, &status) < 0 || status.st_ino != inode) {
		close(fd);
		return -ENOENT;
	}
	return fd;
}

CHRONOTICK_API int chronotick_poll_fd(const struct chronotick *ct)
{
	int file = chronotick_page_file(chronotick_private_of(ct)->page), fd, r;
	char path[32];

	/* A device is polled itself. */
	if (file < 0 || chronotick_is_device(file))
		return file;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	r = fd;
	/* The writer's touch; and what happens to the file's names, which says no more. */
	if (fd < 0 || inotify_add_watch(fd, path, IN_ATTRIB | IN_DELETE_SELF) < 0) {
		r = errno > 0 ? -errno : -EIO;
		if (fd >= 0)
			close(fd);
	}
	close(file);
	return r;
}

/* Whatever made it readable: a device gives a word, and nothing else than a word. */
static inline void chronotick_events_take(int fd)
{
	char events[4096] __attribute__((aligned(8)));
	uint32_t changes;
	ssize_t length;

	do
		length = read(fd, events, sizeof(events));
	while (length > 0);
	if (length < 0 && errno == EINVAL && read(fd, &changes, sizeof(changes)) < 0)
		return; /* readable it was not */
}

CHRONOTICK_API int chronotick_poll_change(const struct chronotick *ct, int fd,
					  struct chronotick_change *last, int *timeout_ms)
{
	struct chronotick_taken taken;
	uint64_t left_ns;
	int r;

	/* First: what is told from here on makes it readable again. */
	chronotick_events_take(fd);
	r = chronotick_wait_change(ct, last, 0);
	if (chronotick_take(&taken, chronotick_private_of(ct), CHRONOTICK_READ_ORDERED, 0) < 0)
		left_ns = CHRONOTICK_NAP_BLIND_NS;
	else
		left_ns = chronotick_line_left_ns(&taken);
	if (left_ns == UINT64_MAX)
		*timeout_ms = -1;
	else
		*timeout_ms = (int)chronotick_lesser(left_ns / 1000000 + 1, INT_MAX);
	return r;
}

#endif /* CHRONOTICK_POLL_H */
