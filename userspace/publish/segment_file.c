/* SPDX-License-Identifier: MIT */
#include "publish/segment_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int segment_say(const struct segment_why *why, int result, const char *format, ...)
{
	va_list arguments;

	if (why->text && why->size) {
		va_start(arguments, format);
		vsnprintf(why->text, why->size, format, arguments);
		va_end(arguments);
	}
	return result;
}

int segment_say_errno(const struct segment_why *why, const char *path, int error)
{
	struct stat status;

	switch (error) {
	case ELOOP:
		return segment_say(why, -EPERM, "%s: is a symbolic link: remove it", path);
	case EISDIR:
	case ENXIO:
	case ENODEV:
		return segment_say(why, -EPERM, "%s: is not a regular file: remove it", path);
	case EACCES:
	case EPERM:
		/* A file that this user may not open may still say whose it is. */
		if (lstat(path, &status) == 0 && status.st_uid != geteuid())
			return segment_say(
				why, -EPERM,
				"%s: belongs to user %u: remove it, or choose another shm_name",
				path, (unsigned int)status.st_uid);
		return segment_say(why, -EPERM,
				   "%s: no permission: remove it, or choose another shm_name",
				   path);
	default:
		return segment_say(why, error > 0 ? -error : -EIO, "%s: %s", path,
				   strerror(error > 0 ? error : EIO));
	}
}

static bool ends_in(const char *name, size_t length, const char *end)
{
	size_t size = strlen(end);

	return length > size && memcmp(name + length - size, end, size) == 0;
}

int segment_paths_set(struct segment_paths *paths, const char *name, const struct segment_why *why)
{
	size_t length = name ? strlen(name) : 0;

	if (length == 0 || length >= SEGMENT_NAME_SIZE || strchr(name, '/') || name[0] == '.')
		return segment_say(why, -EINVAL,
				   "shm_name: must be a file name of 1 to %d characters, without "
				   "'/' and not beginning with '.'",
				   SEGMENT_NAME_SIZE - 1);
	if (ends_in(name, length, ".lock") || ends_in(name, length, ".foreign"))
		return segment_say(why, -EINVAL,
				   "shm_name: must not end in .lock or .foreign, which are names "
				   "of files beside a page");
	snprintf(paths->page, sizeof(paths->page), CHRONOTICK_SHM_DIR "%s", name);
	snprintf(paths->lock, sizeof(paths->lock), CHRONOTICK_SHM_DIR "%s.lock", name);
	snprintf(paths->hidden, sizeof(paths->hidden), CHRONOTICK_SHM_DIR ".%s.page", name);
	snprintf(paths->next, sizeof(paths->next), CHRONOTICK_SHM_DIR ".%s.next", name);
	snprintf(paths->foreign, sizeof(paths->foreign), CHRONOTICK_SHM_DIR "%s.foreign", name);
	return 0;
}

int segment_file_check(int fd, const char *path, struct stat *status, const struct segment_why *why)
{
	if (fstat(fd, status) < 0)
		return segment_say_errno(why, path, errno);
	if (!S_ISREG(status->st_mode))
		return segment_say(why, -EPERM, "%s: is not a regular file: remove it", path);
	if (status->st_uid != geteuid())
		return segment_say(why, -EPERM,
				   "%s: belongs to user %u, not to user %u who runs this: remove "
				   "it, or choose another shm_name",
				   path, (unsigned int)status->st_uid, (unsigned int)geteuid());
	return 0;
}

int segment_file_open(const char *path, int flags, struct stat *status,
		      const struct segment_why *why)
{
	int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY), r;

	if (fd < 0)
		return errno == ENOENT ? -ENOENT : segment_say_errno(why, path, errno);
	r = segment_file_check(fd, path, status, why);
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

bool segment_file_is_at(const char *path, const struct stat *file)
{
	struct stat named;

	return lstat(path, &named) == 0 && named.st_ino == file->st_ino &&
	       named.st_dev == file->st_dev;
}

enum segment_content segment_file_content(int fd, const struct stat *status)
{
	const off_t at = offsetof(struct chronotick_page, header.magic);
	uint64_t magic = 0;

	if (status->st_size == 0)
		return SEGMENT_EMPTY;
	if (status->st_size == CHRONOTICK_PAGE_SIZE &&
	    pread(fd, &magic, sizeof(magic), at) == (ssize_t)sizeof(magic) &&
	    magic == CHRONOTICK_MAGIC)
		return SEGMENT_PAGE;
	return SEGMENT_FOREIGN;
}
