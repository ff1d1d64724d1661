/* SPDX-License-Identifier: MIT */
#include "publish/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#include "publish/page.h"

#define NAME_SIZE 200
#define PATH_SIZE (sizeof(CHRONOTICK_SHM_DIR) + NAME_SIZE + sizeof(".lock"))

struct paths {
	char page[PATH_SIZE];
	char lock[PATH_SIZE];
	char next[PATH_SIZE]; /* the complete page before it gets its name */
};

/* Where the sentence about an error goes */
struct why {
	char *text;
	unsigned int size;
};

static __attribute__((format(printf, 3, 4))) int fail(const struct why *why, int error,
						      const char *format, ...)
{
	va_list arguments;

	if (why->text && why->size) {
		va_start(arguments, format);
		vsnprintf(why->text, why->size, format, arguments);
		va_end(arguments);
	}
	return error;
}

static int paths_set(struct paths *paths, const char *name, const struct why *why)
{
	size_t length = name ? strlen(name) : 0;

	if (length == 0 || length >= NAME_SIZE || strchr(name, '/') || name[0] == '.')
		return fail(why, -EINVAL,
			    "shm_name: must be a file name of 1 to %d characters, without '/' and "
			    "not beginning with '.'",
			    NAME_SIZE - 1);
	snprintf(paths->page, PATH_SIZE, CHRONOTICK_SHM_DIR "%s", name);
	snprintf(paths->lock, PATH_SIZE, CHRONOTICK_SHM_DIR "%s.lock", name);
	snprintf(paths->next, PATH_SIZE, CHRONOTICK_SHM_DIR "%s.next", name);
	return 0;
}

/* What stands at `path` must be a regular file of this user. */
static int file_check(int fd, const char *path, struct stat *status, const struct why *why)
{
	if (fstat(fd, status) < 0)
		return fail(why, -errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(status->st_mode))
		return fail(why, -EPERM, "%s: is not a regular file: remove it", path);
	if (status->st_uid != geteuid())
		return fail(why, -EPERM,
			    "%s: belongs to user %u, not to user %u who runs this: remove it, or "
			    "choose another shm_name",
			    path, (unsigned int)status->st_uid, (unsigned int)geteuid());
	return 0;
}

static int open_fail(const char *path, int error, const struct why *why)
{
	switch (error) {
	case ELOOP:
		return fail(why, -EPERM, "%s: is a symbolic link: remove it", path);
	case EISDIR:
	case ENXIO:
	case ENODEV:
		return fail(why, -EPERM, "%s: is not a regular file: remove it", path);
	case EACCES:
	case EPERM:
		return fail(why, -EPERM, "%s: no permission: remove it, or choose another shm_name",
			    path);
	default:
		return fail(why, -error, "%s: %s", path, strerror(error));
	}
}

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

static int lock_take(int *ret, const struct paths *paths, int32_t *owner, const struct why *why)
{
	struct stat opened, named;
	char text[16];
	int fd, r, length;

	fd = lock_open(paths->lock);
	if (fd < 0)
		return open_fail(paths->lock, errno, why);
	r = file_check(fd, paths->lock, &opened, why);
	if (r < 0)
		goto close;
	/* Another name for somebody's file: that one is neither locked nor written into. */
	if (opened.st_nlink > 1) {
		r = fail(why, -EPERM, "%s: is another file's second name: remove it", paths->lock);
		goto close;
	}
	if ((opened.st_mode & 07777) != 0600 && fchmod(fd, 0600) < 0) {
		r = fail(why, -errno, "%s: cannot set its mode to 0600: %s", paths->lock,
			 strerror(errno));
		goto close;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		r = -errno;
		if (r != -EWOULDBLOCK) {
			r = fail(why, r, "%s: cannot be locked: %s", paths->lock, strerror(-r));
			goto close;
		}
		*owner = lock_owner(fd);
		r = fail(why, -EBUSY,
			 "%s: another writer, pid %d, publishes there: stop it first, or choose "
			 "another shm_name",
			 paths->page, (int)*owner);
		goto close;
	}
	/* The name must still be this file's, or somebody else could lock another one. */
	if (lstat(paths->lock, &named) < 0 || named.st_ino != opened.st_ino ||
	    named.st_dev != opened.st_dev) {
		r = fail(why, -EAGAIN, "%s: was replaced while it was being locked: start again",
			 paths->lock);
		goto close;
	}
	length = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (pwrite(fd, text, (size_t)length, 0) != length || ftruncate(fd, length) < 0) {
		r = fail(why, errno ? -errno : -EIO, "%s: cannot be written: %s", paths->lock,
			 strerror(errno));
		goto close;
	}
	*ret = fd;
	return 0;

close:
	close(fd);
	return r;
}

static struct chronotick_page *map(int fd)
{
	void *page = mmap(NULL, CHRONOTICK_PAGE_SIZE, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_POPULATE, fd, 0);

	return page == MAP_FAILED ? NULL : page;
}

/* A complete page under a name that no reader looks for, then in one step under its own. */
static int page_create(struct segment *segment, const struct paths *paths, uint32_t kind,
		       uint32_t generation, const struct why *why)
{
	struct chronotick_page page;
	int fd, r;

	memset(&page, 0, sizeof(page));
	page.header.magic = CHRONOTICK_MAGIC;
	page.header.abi_version = CHRONOTICK_ABI_VERSION;
	page.header.page_size = CHRONOTICK_PAGE_SIZE;
	page.header.counter_kind = kind;
	page.header.generation = generation;
	chronotick_boot_id(page.header.boot_id);
	page.clock[0].state =
		CHRONOTICK_STATE(generation, CHRONOTICK_UNSYNCHRONIZED, CHRONOTICK_TAI_UNKNOWN);
	page.clock[1].state = page.clock[0].state;

	if (unlink(paths->next) < 0 && errno != ENOENT)
		return open_fail(paths->next, errno, why);
	fd = open(paths->next, O_RDWR | O_CLOEXEC | O_CREAT | O_EXCL, 0644);
	if (fd < 0)
		return open_fail(paths->next, errno, why);
	/* Written, not truncated to size: a full /dev/shm is an error here, never a SIGBUS later.
	 */
	if (pwrite(fd, &page, sizeof(page), 0) != (ssize_t)sizeof(page) || fchmod(fd, 0644) < 0) {
		r = fail(why, errno ? -errno : -ENOSPC, "%s: cannot be written: %s", paths->next,
			 strerror(errno ? errno : ENOSPC));
		goto close;
	}
	segment->page = map(fd);
	if (!segment->page) {
		r = fail(why, -errno, "%s: cannot be mapped: %s", paths->next, strerror(errno));
		goto close;
	}
	if (rename(paths->next, paths->page) < 0) {
		r = open_fail(paths->page, errno, why);
		munmap(segment->page, CHRONOTICK_PAGE_SIZE);
		goto close;
	}
	segment->fresh = true;
	close(fd);
	return 0;

close:
	unlink(paths->next);
	close(fd);
	return r;
}

/* Make what stands there as good as gone for those who read it; the generation after its last. */
static uint32_t page_retire(struct chronotick_page *page)
{
	uint32_t generation;

	page_repair(page);
	page_invalidate(page);
	generation = CHRONOTICK_STATE_GENERATION(page->clock[0].state);
	if ((int32_t)(page->header.generation - generation) > 0)
		generation = page->header.generation;
	__atomic_store_n(&page->header.writer_pid, 0, __ATOMIC_RELAXED);
	return generation + 1;
}

static int page_open(struct segment *segment, const struct paths *paths, uint32_t kind,
		     const struct why *why)
{
	struct chronotick_page *page;
	uint32_t generation = 1;
	struct stat status;
	int fd, r;

	fd = open(paths->page, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0) {
		if (errno == ENOENT)
			return page_create(segment, paths, kind, generation, why);
		/* A file that this user may not open for writing may still say whose it is. */
		if (errno == EACCES && lstat(paths->page, &status) == 0 &&
		    status.st_uid != geteuid())
			return fail(why, -EPERM,
				    "%s: belongs to user %u: remove it, or choose another shm_name",
				    paths->page, (unsigned int)status.st_uid);
		return open_fail(paths->page, errno, why);
	}
	r = file_check(fd, paths->page, &status, why);
	if (r < 0)
		goto close;
	/* Another size, or another name for it: nothing of ours, so nothing is written into it. */
	if (status.st_size != CHRONOTICK_PAGE_SIZE || status.st_nlink != 1) {
		r = page_create(segment, paths, kind, generation, why);
		goto close;
	}
	page = map(fd);
	if (!page) {
		r = fail(why, -errno, "%s: cannot be mapped: %s", paths->page, strerror(errno));
		goto close;
	}
	r = chronotick_page_check(page);
	if (r == 0 && page->header.counter_kind == kind) {
		if ((status.st_mode & 07777) != 0644 && fchmod(fd, 0644) < 0) {
			r = fail(why, -errno, "%s: cannot set its mode to 0644: %s", paths->page,
				 strerror(errno));
			munmap(page, CHRONOTICK_PAGE_SIZE);
			goto close;
		}
		segment->page = page;
		segment->fresh = false;
		goto close;
	}
	if (r == 0 || r == -ENOTSUP)
		generation = page_retire(page);
	munmap(page, CHRONOTICK_PAGE_SIZE);
	r = page_create(segment, paths, kind, generation, why);

close:
	close(fd);
	return r;
}

int segment_open(struct segment *ret, const char *name, uint32_t counter_kind, int32_t *owner,
		 char *why, unsigned int why_size)
{
	const struct why sentence = {why, why_size};
	struct segment segment = {.lock = -1};
	struct paths paths;
	int r;

	r = paths_set(&paths, name, &sentence);
	if (r < 0)
		return r;
	r = lock_take(&segment.lock, &paths, owner, &sentence);
	if (r < 0)
		return r;
	r = page_open(&segment, &paths, counter_kind, &sentence);
	if (r < 0) {
		close(segment.lock);
		return r;
	}
	*ret = segment;
	return 0;
}

void segment_close(struct segment *segment)
{
	munmap(segment->page, CHRONOTICK_PAGE_SIZE);
	/* No name of a live owner is left in a free lock; the kernel frees it with the descriptor.
	 */
	if (ftruncate(segment->lock, 0) < 0)
		errno = 0;
	close(segment->lock);
}

uint64_t segment_process_start(void)
{
	char text[1024], *at;
	unsigned int field;
	ssize_t length;
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	length = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (length <= 0)
		return 0;
	text[length] = '\0';
	/* The program's name, field 2, may hold anything; the last ')' ends it. */
	at = strrchr(text, ')');
	for (field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at, NULL, 10) : 0;
}
