/* SPDX-License-Identifier: MIT */
#include "publish/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#include "publish/page.h"
#include "publish/segment_lock.h"
#include "publish/segment_name.h"

#define MODE 0644

static struct chronotick_page *map(int fd)
{
	void *page = mmap(NULL, CHRONOTICK_PAGE_SIZE, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_POPULATE, fd, 0);

	return page == MAP_FAILED ? NULL : page;
}

static void page_blank(struct chronotick_page *page, uint32_t kind, uint32_t generation)
{
	memset(page, 0, sizeof(*page));
	page->header.magic = CHRONOTICK_MAGIC;
	page->header.abi_version = CHRONOTICK_ABI_VERSION;
	page->header.page_size = CHRONOTICK_PAGE_SIZE;
	page->header.counter_kind = kind;
	page->header.generation = generation;
	chronotick_boot_id(page->header.boot_id);
	page->clock[0].state =
		CHRONOTICK_STATE(generation, CHRONOTICK_UNSYNCHRONIZED, CHRONOTICK_TAI_UNKNOWN);
	page->clock[1].state = page->clock[0].state;
}

/* A complete page, claimed and mapped, under a name that no reader looks for: paths->next. */
static int page_create(struct segment *segment, uint32_t kind, uint32_t generation,
		       const struct segment_why *why)
{
	const char *next = segment->paths.next;
	struct chronotick_page blank;
	int fd, r;

	page_blank(&blank, kind, generation);
	if (unlink(next) < 0 && errno != ENOENT)
		return segment_say_errno(why, next, errno);
	fd = open(next, O_RDWR | O_CLOEXEC | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		return segment_say_errno(why, next, errno);
	/* Claimed before anybody else may open it. */
	r = segment_claim(fd);
	if (r < 0) {
		r = segment_say(why, r, "%s: cannot be locked: %s", next, strerror(-r));
		goto close;
	}
	/* Written, not truncated to size: a full /dev/shm is an error here, never a SIGBUS later. */
	errno = 0;
	if (pwrite(fd, &blank, sizeof(blank), 0) != (ssize_t)sizeof(blank) ||
	    fchmod(fd, MODE) < 0) {
		r = segment_say(why, errno ? -errno : -ENOSPC, "%s: cannot be written: %s", next,
				strerror(errno ? errno : ENOSPC));
		goto close;
	}
	segment->page = map(fd);
	if (!segment->page) {
		r = segment_say(why, -errno, "%s: cannot be mapped: %s", next, strerror(errno));
		goto close;
	}
	segment->fd = fd;
	segment->fresh = true;
	return 0;

close:
	unlink(next);
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

/* How many of the segment's own names a file has. */
static nlink_t names_count(const struct segment_paths *paths, const struct stat *file)
{
	return (nlink_t)segment_file_is_at(paths->page, file) +
	       (nlink_t)segment_file_is_at(paths->hidden, file) +
	       (nlink_t)segment_file_is_at(paths->next, file);
}

/*
 * May this page be written? 0; -EBUSY with a sentence: another writer does; -EAGAIN: it is to be
 * replaced as it is, because it may be somebody's under another name, or somebody may have it mapped
 * for writing, or no claim can be laid to it.
 */
static int leftover_claim(int fd, const struct segment_paths *paths, const struct stat *status,
			  int32_t *owner, const struct segment_why *why)
{
	const off_t at = offsetof(struct chronotick_page, header.writer_pid);
	uint32_t pid = 0;
	int r = segment_claim(fd);

	if (r == -EBUSY) {
		if (pread(fd, &pid, sizeof(pid), at) == (ssize_t)sizeof(pid))
			*owner = (int32_t)pid;
		return segment_say(why, -EBUSY,
				   "%s: another writer, pid %d, publishes there, although its lock "
				   "file was removed: stop it first, or choose another shm_name",
				   paths->page, (int)*owner);
	}
	if (r < 0 || status->st_nlink != names_count(paths, status) ||
	    status->st_mode & (S_IWGRP | S_IWOTH))
		return -EAGAIN;
	return 0;
}

/*
 * Take over what stands at the path. Returns 1: it is the segment now; 0: there is nothing to be
 * taken over, and *generation is the one to begin with; or an error with a sentence.
 */
static int leftover_take(struct segment *segment, const char *path, uint32_t kind,
			 uint32_t *generation, int32_t *owner, const struct segment_why *why)
{
	struct chronotick_page *page;
	struct stat status;
	int fd, r;

	fd = segment_file_open(path, O_RDWR, &status, why);
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return fd;
	r = 0;
	if (segment_file_content(fd, &status) != SEGMENT_PAGE)
		goto close;
	r = leftover_claim(fd, &segment->paths, &status, owner, why);
	if (r == -EAGAIN)
		r = 0;
	else if (r == 0)
		r = 1;
	if (r <= 0)
		goto close;
	page = map(fd);
	if (!page) {
		r = segment_say(why, -errno, "%s: cannot be mapped: %s", path, strerror(errno));
		goto close;
	}
	r = chronotick_page_check(page);
	if (r == 0 && page->header.counter_kind == kind) {
		if ((status.st_mode & 07777) == MODE || fchmod(fd, MODE) == 0) {
			segment->page = page;
			segment->fd = fd;
			segment->fresh = false;
			return 1;
		}
		r = segment_say(why, -errno, "%s: cannot set its mode to 0644: %s", path,
				strerror(errno));
	} else {
		if (r == 0 || r == -ENOTSUP)
			*generation = page_retire(page);
		r = 0;
	}
	munmap(page, CHRONOTICK_PAGE_SIZE);

close:
	close(fd);
	return r;
}

/* No third name of the page is left behind. */
static void next_drop(const struct segment *segment)
{
	struct stat file;

	if (fstat(segment->fd, &file) == 0 && segment_file_is_at(segment->paths.next, &file))
		unlink(segment->paths.next);
}

static void hidden_drop(const struct segment *segment)
{
	struct stat file;

	if (fstat(segment->fd, &file) == 0 && segment_file_is_at(segment->paths.hidden, &file))
		unlink(segment->paths.hidden);
}

/* The hidden link first: from then on the page can be found again. */
static int names_set(const struct segment *segment, const struct segment_why *why)
{
	const struct segment_paths *paths = &segment->paths;
	int r = segment_name_set(segment->fd, paths, paths->hidden, why);

	if (r >= 0)
		r = segment_name_set(segment->fd, paths, paths->page, why);
	next_drop(segment);
	return r < 0 ? r : 0;
}

static void page_drop(struct segment *segment)
{
	munmap(segment->page, CHRONOTICK_PAGE_SIZE);
	close(segment->fd);
}

int segment_open(struct segment *ret, const char *name, uint32_t counter_kind, int32_t *owner,
		 char *why, unsigned int why_size)
{
	const struct segment_why sentence = {why, why_size};
	struct segment segment = {.fd = -1, .lock = -1};
	uint32_t generation = 1;
	int r;

	r = segment_paths_set(&segment.paths, name, &sentence);
	if (r < 0)
		return r;
	r = segment_lock_take(&segment.lock, &segment.paths, owner, &sentence);
	if (r < 0)
		return r;
	r = leftover_take(&segment, segment.paths.hidden, counter_kind, &generation, owner,
			  &sentence);
	if (r == 0)
		r = leftover_take(&segment, segment.paths.page, counter_kind, &generation, owner,
				  &sentence);
	if (r == 0)
		r = page_create(&segment, counter_kind, generation, &sentence);
	if (r < 0)
		goto unlock;
	r = names_set(&segment, &sentence);
	if (r < 0)
		goto drop;
	*ret = segment;
	return 0;

drop:
	/* What was a page before keeps the names that it had. */
	if (segment.fresh)
		hidden_drop(&segment);
	page_drop(&segment);
unlock:
	close(segment.lock);
	return r;
}

/* The lock file's name must be that of the file that is locked. Returns 0, 1 or an error. */
static int lock_keep(struct segment *segment, const struct segment_why *why)
{
	struct stat file;
	int32_t owner = 0;
	int fd, r;

	if (fstat(segment->lock, &file) == 0 && segment_file_is_at(segment->paths.lock, &file))
		return 0;
	r = segment_lock_take(&fd, &segment->paths, &owner, why);
	if (r < 0)
		return r;
	close(segment->lock);
	segment->lock = fd;
	return segment_say(why, 1, "%s: was removed: made anew", segment->paths.lock);
}

static int mode_keep(const struct segment *segment, const struct stat *file,
		     const struct segment_why *why)
{
	if ((file->st_mode & 07777) == MODE)
		return 0;
	if (fchmod(segment->fd, MODE) < 0)
		return segment_say_errno(why, segment->paths.page, errno);
	return segment_say(why, 1, "%s: its mode was changed to %04o: set to 0644 again",
			   segment->paths.page, (unsigned int)file->st_mode & 07777);
}

/* The graver of two results: an error, else what was done. */
static int graver(int before, int r)
{
	return before < 0 || (before > 0 && r == 0) ? before : r;
}

int segment_keep(struct segment *segment, char *text, unsigned int size)
{
	static const struct segment_why nobody = {NULL, 0};
	const struct segment_why why = {text, size};
	const struct segment_paths *paths = &segment->paths;
	struct stat file;
	int r = lock_keep(segment, &why);

	if (fstat(segment->fd, &file) < 0)
		return segment_say_errno(&why, paths->page, errno);
	if (file.st_nlink == 0)
		return r < 0 ? r
			     : segment_say(&why, -ESTALE, "%s: was removed, with its hidden link",
					   paths->page);
	/* Another writer that starts just now gives up: it cannot claim the page. */
	if (r == -EBUSY)
		r = -EAGAIN;
	/* One sentence, and the page's name is worth it most. */
	r = graver(r, mode_keep(segment, &file, r < 0 ? &nobody : &why));
	r = graver(r, segment_name_set(segment->fd, paths, paths->hidden, r < 0 ? &nobody : &why));
	r = graver(r, segment_name_set(segment->fd, paths, paths->page, r < 0 ? &nobody : &why));
	next_drop(segment);
	return r;
}

/* A new page under the segment's names, and *old for page_drop(); on error the old one stays. */
static int page_renew(struct segment *segment, uint32_t kind, uint32_t generation,
		      const struct segment_fill *fill, struct segment *old,
		      const struct segment_why *why)
{
	int r;

	*old = *segment;
	r = page_create(segment, kind, generation, why);
	if (r < 0)
		goto back;
	if (fill)
		fill->page(fill->data, segment->page);
	r = names_set(segment, why);
	if (r < 0) {
		hidden_drop(segment);
		page_drop(segment);
		goto back;
	}
	return 0;

back:
	*segment = *old;
	return r;
}

int segment_renew(struct segment *segment, uint32_t generation, const struct segment_fill *fill,
		  struct segment *old, char *text, unsigned int size)
{
	const struct segment_why why = {text, size};

	return page_renew(segment, segment->page->header.counter_kind, generation, fill, old, &why);
}

void segment_forget(struct segment *old)
{
	page_drop(old);
}

int segment_replace(struct segment *segment, uint32_t counter_kind, char *text, unsigned int size)
{
	const struct segment_why why = {text, size};
	uint32_t generation = page_retire(segment->page);
	struct segment old;
	int r;

	/* For clients that poll the file */
	futimens(segment->fd, NULL);
	/* Nobody writes it any more, so that it may be replaced; the lock file keeps others away. */
	segment_unclaim(segment->fd);
	r = page_renew(segment, counter_kind, generation, NULL, &old, &why);
	if (r < 0)
		(void)segment_claim(segment->fd);
	else
		page_drop(&old);
	return r;
}

void segment_close(struct segment *segment)
{
	hidden_drop(segment);
	page_drop(segment);
	segment_lock_drop(segment->lock);
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
