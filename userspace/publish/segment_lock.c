/* SPDX-License-Identifier: MIT */
#include "publish/segment_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* The pid in the lock file, if such a process is there. */
static int32_t lock_owner(int fd)
{
	char text[16] = "";
	ssize_t length = pread(fd, text, sizeof(text) - 1, 0);
	long pid = length > 0 ? strtol(text, NULL, 10) : 0;

	if (pid <= 0 || pid > INT32_MAX || (kill((pid_t)pid, 0) < 0 && errno == ESRCH))
		return 0;
	return (int32_t)pid;
}

/*
 * Open the lock file without following links, and without O_CREAT on a file that exists: in a
 * sticky directory that is refused for other users' files, before their owner could be named.
 */
static int lock_open(const char *path)
{
	int fd, tries;

	for (tries = 0; tries < 16; tries++) {
		fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		if (fd >= 0 || errno != ENOENT)
			return fd;
		fd = open(path, O_RDWR | O_CLOEXEC | O_CREAT | O_EXCL, 0600);
		if (fd >= 0 || errno != EEXIST)
			return fd;
	}
	return -1;
}

int segment_lock_take(int *ret, const struct segment_paths *paths, int32_t *owner,
		      const struct segment_why *why)
{
	struct stat opened;
	char text[16];
	int fd, r, length;

	fd = lock_open(paths->lock);
	if (fd < 0)
		return segment_say_errno(why, paths->lock, errno);
	r = segment_file_check(fd, paths->lock, &opened, why);
	if (r < 0)
		goto close;
	/* Another name for somebody's file: that one is neither locked nor written into. */
	if (opened.st_nlink > 1) {
		r = segment_say(why, -EPERM, "%s: is another file's second name: remove it",
				paths->lock);
		goto close;
	}
	if ((opened.st_mode & 07777) != 0600 && fchmod(fd, 0600) < 0) {
		r = segment_say(why, -errno, "%s: cannot set its mode to 0600: %s", paths->lock,
				strerror(errno));
		goto close;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		r = -errno;
		if (r != -EWOULDBLOCK) {
			r = segment_say(why, r, "%s: cannot be locked: %s", paths->lock,
					strerror(-r));
			goto close;
		}
		*owner = lock_owner(fd);
		r = segment_say(why, -EBUSY,
				"%s: another writer, pid %d, publishes there: stop it first, "
				"choose another shm_name, or start this one with --standby",
				paths->page, (int)*owner);
		goto close;
	}
	/* The name must still be this file's, or somebody else could lock another one. */
	if (!segment_file_is_at(paths->lock, &opened)) {
		r = segment_say(why, -EAGAIN,
				"%s: was replaced while it was being locked: start again",
				paths->lock);
		goto close;
	}
	length = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (pwrite(fd, text, (size_t)length, 0) != length || ftruncate(fd, length) < 0) {
		r = segment_say(why, errno ? -errno : -EIO, "%s: cannot be written: %s",
				paths->lock, strerror(errno));
		goto close;
	}
	*ret = fd;
	return 0;

close:
	close(fd);
	return r;
}

void segment_lock_drop(int fd)
{
	if (ftruncate(fd, 0) < 0)
		errno = 0;
	close(fd);
}

static struct flock first_byte(void)
{
	return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
}

int segment_claim(int fd)
{
	struct flock lock;
	int tries;

	for (tries = 0; tries < 16; tries++) {
		lock = first_byte();
		if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
			return 0;
		if (errno != EAGAIN && errno != EACCES)
			return -errno;
		lock = first_byte();
		if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
			return -errno;
		if (lock.l_type == F_WRLCK)
			return -EBUSY;
		if (lock.l_type == F_RDLCK)
			return -EAGAIN;
	}
	return -EAGAIN;
}

void segment_unclaim(int fd)
{
	struct flock lock = first_byte();

	lock.l_type = F_UNLCK;
	(void)fcntl(fd, F_OFD_SETLK, &lock);
}

int segment_claim_test(int fd)
{
	struct flock lock = first_byte();

	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type == F_WRLCK ? -EBUSY : 0;
}
