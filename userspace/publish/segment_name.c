/* SPDX-License-Identifier: MIT */
#include "publish/segment_name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "publish/segment_lock.h"

#define FOREIGN_MAX 9 /* NAME.foreign, NAME.foreign-2 ... */
#define ASIDE_SIZE (SEGMENT_PATH_SIZE + 4)

/* Another name for an open file. Returns 0, -EEXIST, or another error with a sentence. */
static int link_open(int fd, const char *path, const struct segment_why *why)
{
	struct stat status;
	char self[32];
	int error;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	error = errno;
	if (error == EEXIST)
		return -EEXIST;
	if (error == ENOENT && fstat(fd, &status) == 0 && status.st_nlink == 0)
		return segment_say(why, -ESTALE, "%s: all names of the page were removed", path);
	return segment_say_errno(why, path, error);
}

/* The file under the name that nobody looks for, to be exchanged with another one. */
static int next_set(int fd, const struct segment_paths *paths, const struct stat *file,
		    const struct segment_why *why)
{
	if (segment_file_is_at(paths->next, file))
		return 0;
	if (unlink(paths->next) < 0 && errno != ENOENT)
		return segment_say_errno(why, paths->next, errno);
	return link_open(fd, paths->next, why);
}

/* What is to become of the file at the path: may it go? Returns its content, or a negative errno. */
static int occupant_judge(const struct segment_paths *paths, const char *path, struct stat *status,
			  const struct segment_why *why)
{
	int fd = segment_file_open(path, O_RDONLY, status, why), r;

	if (fd < 0)
		return fd;
	r = (int)segment_file_content(fd, status);
	if (segment_claim_test(fd) < 0)
		r = segment_say(why, -EBUSY,
				"%s: another writer's page stands there: stop it first", path);
	else if (r == SEGMENT_FOREIGN && path != paths->page)
		r = segment_say(why, -EPERM, "%s: is no ChronoTick page: remove it", path);
	close(fd);
	return r;
}

/* What stands under the name that nobody looks for gets a free one, which is in `aside`. */
static int set_aside(const struct segment_paths *paths, char aside[ASIDE_SIZE])
{
	int i;

	for (i = 1; i <= FOREIGN_MAX; i++) {
		snprintf(aside, ASIDE_SIZE, i == 1 ? "%s" : "%s-%d", paths->foreign, i);
		if (renameat2(AT_FDCWD, paths->next, AT_FDCWD, aside, RENAME_NOREPLACE) == 0)
			return 0;
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

/* Returns 1; -ENOENT if the path has become free; or another negative errno. */
static int occupant_replace(int fd, const struct segment_paths *paths, const char *path,
			    const struct stat *file, const struct segment_why *why)
{
	char aside[ASIDE_SIZE];
	struct stat occupant;
	int content, r;

	content = occupant_judge(paths, path, &occupant, why);
	if (content < 0)
		return content;
	r = next_set(fd, paths, file, why);
	if (r < 0)
		return r;
	if (renameat2(AT_FDCWD, paths->next, AT_FDCWD, path, RENAME_EXCHANGE) < 0)
		return errno == ENOENT ? -ENOENT : segment_say_errno(why, path, errno);
	/* Was it still the one that has been looked at? */
	if (!segment_file_is_at(paths->next, &occupant)) {
		r = segment_say(why, -EAGAIN, "%s: somebody else changes it at the same time",
				path);
		goto back;
	}
	if (content == SEGMENT_FOREIGN) {
		r = set_aside(paths, aside);
		if (r == 0)
			return segment_say(
				why, 1, "%s: something that is no page stood there: it is %s now",
				path, aside);
		r = segment_say(why, -EPERM,
				"%s: is no ChronoTick page, and cannot become %s: %s: remove it, "
				"or choose another shm_name",
				path, aside, strerror(-r));
		goto back;
	}
	unlink(paths->next);
	return segment_say(why, 1, "%s: %s stood there: replaced", path,
			   content == SEGMENT_PAGE ? "another page that nobody writes"
						   : "an empty file");

back:
	renameat2(AT_FDCWD, paths->next, AT_FDCWD, path, RENAME_EXCHANGE);
	return r;
}

int segment_name_set(int fd, const struct segment_paths *paths, const char *path,
		     const struct segment_why *why)
{
	struct stat file;
	int tries, r;

	if (fstat(fd, &file) < 0)
		return segment_say_errno(why, path, errno);
	for (tries = 0; tries < 8; tries++) {
		if (segment_file_is_at(path, &file))
			return 0;
		r = link_open(fd, path, why);
		if (r == 0)
			return segment_say(why, 1, "%s: was not there: linked", path);
		if (r != -EEXIST)
			return r;
		r = occupant_replace(fd, paths, path, &file, why);
		if (r != -ENOENT)
			return r;
	}
	return segment_say(why, -EAGAIN, "%s: comes and goes", path);
}
