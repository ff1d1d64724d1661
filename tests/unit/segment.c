/* SPDX-License-Identifier: MIT */
/*
 * A segment among others: names and locks that somebody removes, files that somebody puts there,
 * writers that are killed at any step, and readers that lock.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#include "publish/page.h"
#include "publish/publish.h"
#include "publish/segment.h"
#include "support/publication.h"
#include "support/shm.h"

#define KIND CHRONOTICK_COUNTER_MONOTONIC_RAW

static char name[64], why[300];
static struct segment_paths paths;

static void names_set(const char *test)
{
	static const struct segment_why nobody = {NULL, 0};

	snprintf(name, sizeof(name), "chronotick-segment-%d-%s", (int)getpid(), test);
	cr_assert_eq(segment_paths_set(&paths, name, &nobody), 0);
}

static void names_drop(void)
{
	shm_drop(name);
}

static int open_segment(struct segment *segment)
{
	int32_t owner;

	why[0] = '\0';
	return segment_open(segment, name, KIND, &owner, why, sizeof(why));
}

static int keep(struct segment *segment)
{
	why[0] = '\0';
	return segment_keep(segment, why, sizeof(why));
}

/* As the kernel leaves it when a writer is killed: locks free, names as they are. */
static void killed(struct segment *segment)
{
	munmap(segment->page, CHRONOTICK_PAGE_SIZE);
	close(segment->fd);
	close(segment->lock);
}

static ino_t inode(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0 ? status.st_ino : 0;
}

static nlink_t links(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0 ? status.st_nlink : 0;
}

static void file_make(const char *path, const void *data, size_t size, mode_t mode)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL, mode);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, data, size), (ssize_t)size);
	cr_assert_eq(fchmod(fd, mode), 0);
	close(fd);
}

static void file_check(const char *path, const char *text)
{
	char content[64] = "";
	int fd = open(path, O_RDONLY);

	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_eq(read(fd, content, sizeof(content) - 1), (ssize_t)strlen(text));
	cr_assert_str_eq(content, text);
	close(fd);
}

Test(segment, a_hidden_link_is_there_as_long_as_the_writer, .fini = names_drop)
{
	struct segment segment;

	names_set("hidden");
	cr_assert_eq(open_segment(&segment), 0);
	cr_assert_eq(inode(paths.hidden), inode(paths.page));
	cr_assert_eq(links(paths.page), 2);
	cr_assert_eq(inode(paths.next), 0);
	cr_assert_eq(keep(&segment), 0, "%s", why);
	segment_close(&segment);
	cr_assert_eq(inode(paths.hidden), 0);
	cr_assert_eq(links(paths.page), 1);
}

Test(segment, whatever_is_unlinked_is_linked_again, .fini = names_drop)
{
	struct segment segment, second;
	struct chronotick *ct;
	ino_t page;

	names_set("unlink");
	cr_assert_eq(open_segment(&segment), 0);
	page = inode(paths.page);
	cr_assert_eq(chronotick_open(&ct, paths.page), 0);

	unlink(paths.page);
	cr_assert_eq(keep(&segment), 1);
	cr_assert_neq(strstr(why, paths.page), NULL);
	cr_assert_eq(inode(paths.page), page, "the same file");
	cr_assert_eq(keep(&segment), 0);

	unlink(paths.hidden);
	cr_assert_eq(keep(&segment), 1);
	cr_assert_eq(inode(paths.hidden), page);

	unlink(paths.lock);
	cr_assert_eq(keep(&segment), 1);
	cr_assert_eq(open_segment(&second), -EBUSY);

	cr_assert_eq(chmod(paths.page, 0666), 0);
	cr_assert_eq(keep(&segment), 1);
	cr_assert_neq(strstr(why, "0666"), NULL);
	cr_assert_eq(keep(&segment), 0);

	segment.page->statistics.torn_reads = 5;
	cr_assert_eq(chronotick_page_of(ct)->statistics.torn_reads, 5);
	chronotick_close(ct);
	segment_close(&segment);
}

Test(segment, two_writers_never_have_one_segment, .fini = names_drop)
{
	struct segment first, second;
	int32_t owner = 0;
	unsigned int i;

	names_set("two");
	cr_assert_eq(open_segment(&first), 0);
	first.page->header.writer_pid = 4711;
	/* Whatever somebody removes, as long as the page has a name */
	for (i = 0; i < 4; i++) {
		unlink(paths.lock);
		if (i & 1)
			unlink(paths.page);
		if (i == 2)
			unlink(paths.hidden);
		owner = 0;
		cr_assert_eq(segment_open(&second, name, KIND, &owner, why, sizeof(why)), -EBUSY,
			     "%u", i);
		cr_assert_eq(owner, 4711);
		cr_assert_neq(strstr(why, "4711"), NULL, "%s", why);
		cr_assert_eq(keep(&first), 1, "%s", why);
		cr_assert_eq(keep(&first), 0, "%s", why);
	}
	segment_close(&first);
}

Test(segment, a_killed_writers_page_is_found_by_its_hidden_link, .fini = names_drop)
{
	struct segment segment;
	ino_t page;

	names_set("found");
	cr_assert_eq(open_segment(&segment), 0);
	page = inode(paths.page);
	segment.page->statistics.torn_reads = 77;
	killed(&segment);
	unlink(paths.page);
	cr_assert_eq(open_segment(&segment), 0);
	cr_assert(!segment.fresh);
	cr_assert_eq(inode(paths.page), page);
	cr_assert_eq(segment.page->statistics.torn_reads, 77);
	killed(&segment);
	/* Something else at the name gives way to it. */
	unlink(paths.page);
	file_make(paths.page, "data", 4, 0600);
	cr_assert_eq(open_segment(&segment), 0);
	cr_assert(!segment.fresh);
	cr_assert_eq(inode(paths.page), page);
	file_check(paths.foreign, "data");
	segment_close(&segment);
}

/* Creation and replacement, killed between any two of their steps */
Test(segment, a_writer_killed_while_it_makes_a_page_is_no_obstacle, .fini = names_drop)
{
	struct segment segment;
	unsigned int left;
	ino_t page;

	names_set("steps");
	for (left = 1; left < 8; left++) {
		cr_assert_eq(open_segment(&segment), 0);
		page = inode(paths.page);
		cr_assert_eq(link(paths.page, paths.next), 0);
		killed(&segment);
		if (!(left & 1))
			unlink(paths.next);
		if (!(left & 2))
			unlink(paths.hidden);
		if (!(left & 4))
			unlink(paths.page);
		cr_assert_eq(open_segment(&segment), 0, "%u: %s", left, why);
		cr_assert_eq(inode(paths.next), 0, "%u", left);
		cr_assert_eq(links(paths.page), 2, "%u", left);
		cr_assert_eq(inode(paths.hidden), inode(paths.page), "%u", left);
		if (left & 6)
			cr_assert_eq(inode(paths.page), page, "%u", left);
		cr_assert_eq(keep(&segment), 0, "%u: %s", left, why);
		segment_close(&segment);
	}
}

Test(segment, another_file_at_the_name_gives_way_and_loses_nothing, .fini = names_drop)
{
	struct chronotick_page page = {.header = {.magic = CHRONOTICK_MAGIC}};
	struct segment segment;
	char third[SEGMENT_PATH_SIZE + 8];
	ino_t ours;

	names_set("other");
	cr_assert_eq(open_segment(&segment), 0);
	ours = inode(paths.page);
	unlink(paths.page);
	file_make(paths.page, "one", 3, 0600);
	cr_assert_eq(keep(&segment), 1);
	cr_assert_eq(inode(paths.page), ours);
	file_check(paths.foreign, "one");
	cr_assert_neq(strstr(why, paths.foreign), NULL, "%s", why);

	unlink(paths.page);
	file_make(paths.page, "two", 3, 0600);
	cr_assert_eq(keep(&segment), 1);
	snprintf(third, sizeof(third), "%s-2", paths.foreign);
	file_check(paths.foreign, "one");
	file_check(third, "two");

	/* An empty file, and a page that nobody writes */
	unlink(paths.page);
	file_make(paths.page, "", 0, 0600);
	cr_assert_eq(keep(&segment), 1);
	unlink(paths.page);
	file_make(paths.page, &page, sizeof(page), 0644);
	cr_assert_eq(keep(&segment), 1);
	cr_assert_eq(inode(paths.page), ours);
	cr_assert_eq(keep(&segment), 0);
	snprintf(third, sizeof(third), "%s-3", paths.foreign);
	cr_assert_eq(inode(third), 0);
	segment_close(&segment);
}

Test(segment, what_is_not_ours_stays_and_is_told, .fini = names_drop)
{
	struct segment segment;
	ino_t ours;

	names_set("theirs");
	cr_assert_eq(open_segment(&segment), 0);
	ours = inode(paths.page);
	unlink(paths.page);
	cr_assert_eq(symlink("/etc/passwd", paths.page), 0);
	cr_assert_eq(keep(&segment), -EPERM);
	cr_assert_neq(strstr(why, "symbolic link"), NULL);
	unlink(paths.page);
	cr_assert_eq(mkdir(paths.page, 0700), 0);
	cr_assert_eq(keep(&segment), -EPERM);
	rmdir(paths.page);
	cr_assert_eq(mkfifo(paths.page, 0600), 0);
	cr_assert_eq(keep(&segment), -EPERM);
	unlink(paths.page);
	if (geteuid() == 0) {
		file_make(paths.page, "x", 1, 0600);
		cr_assert_eq(chown(paths.page, 65534, 65534), 0);
		cr_assert_eq(keep(&segment), -EPERM);
		cr_assert_neq(strstr(why, "belongs to user 65534"), NULL);
		unlink(paths.page);
	}
	/* As soon as it is gone */
	cr_assert_eq(keep(&segment), 1);
	cr_assert_eq(inode(paths.page), ours);
	cr_assert_eq(inode(paths.next), 0);
	segment_close(&segment);

	/* The hidden link's name is nobody else's. */
	file_make(paths.hidden, "x", 1, 0600);
	cr_assert_eq(open_segment(&segment), -EPERM);
	cr_assert_neq(strstr(why, paths.hidden), NULL);
	file_check(paths.hidden, "x");
	cr_assert_eq(inode(paths.page), ours);
	unlink(paths.hidden);
	cr_assert_eq(open_segment(&segment), 0);
	cr_assert_eq(inode(paths.page), ours);
	segment_close(&segment);
}

Test(segment, a_leftover_that_others_could_write_is_replaced, .fini = names_drop)
{
	struct segment segment;
	struct stat status;
	ino_t old;

	names_set("writable");
	cr_assert_eq(open_segment(&segment), 0);
	segment_close(&segment);
	old = inode(paths.page);
	cr_assert_eq(chmod(paths.page, 0646), 0);
	cr_assert_eq(open_segment(&segment), 0);
	cr_assert(segment.fresh);
	cr_assert_neq(inode(paths.page), old);
	cr_assert_eq(stat(paths.page, &status), 0);
	cr_assert_eq(status.st_mode & 07777, 0644);
	segment_close(&segment);
	/* Less than that does no harm. */
	old = inode(paths.page);
	cr_assert_eq(chmod(paths.page, 0600), 0);
	cr_assert_eq(open_segment(&segment), 0);
	cr_assert(!segment.fresh);
	cr_assert_eq(stat(paths.page, &status), 0);
	cr_assert_eq(status.st_mode & 07777, 0644);
	segment_close(&segment);
}

Test(segment, a_page_with_another_name_is_not_written_into, .fini = names_drop)
{
	char other[SEGMENT_PATH_SIZE + 8];
	struct segment segment;
	ino_t old;

	names_set("links");
	snprintf(other, sizeof(other), "%s.other", paths.page);
	cr_assert_eq(open_segment(&segment), 0);
	segment.page->statistics.torn_reads = 9;
	segment_close(&segment);
	old = inode(paths.page);
	cr_assert_eq(link(paths.page, other), 0);
	cr_assert_eq(open_segment(&segment), 0);
	cr_assert(segment.fresh);
	cr_assert_eq(inode(other), old);
	cr_assert_eq(links(other), 1);
	segment_close(&segment);
}

/* A reader may lock what it may read: that never keeps a writer out, nor lets two in. */
Test(segment, a_readers_lock_costs_the_page_and_not_the_writer, .fini = names_drop)
{
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_len = 0};
	struct segment segment, second;
	ino_t old;
	int reader;

	names_set("reader");
	cr_assert_eq(open_segment(&segment), 0);
	reader = open(paths.page, O_RDONLY);
	cr_assert_lt(fcntl(reader, F_OFD_SETLK, &lock), 0, "the writer has it");
	segment_close(&segment);
	cr_assert_eq(fcntl(reader, F_OFD_SETLK, &lock), 0);
	old = inode(paths.page);
	cr_assert_eq(open_segment(&segment), 0);
	cr_assert(segment.fresh);
	cr_assert_neq(inode(paths.page), old);
	unlink(paths.lock);
	cr_assert_eq(open_segment(&second), -EBUSY);
	close(reader);
	segment_close(&segment);
}

/* Nobody can open the new page yet. */
static void fill_unnamed(void *data, struct chronotick_page *page)
{
	cr_assert_eq(page->header.generation, 12);
	cr_assert_lt(access(paths.page, F_OK), 0);
	++*(unsigned int *)data;
}

Test(segment, a_page_without_any_name_is_renewed, .fini = names_drop)
{
	unsigned int filled = 0;
	const struct segment_fill fill = {fill_unnamed, &filled};
	struct segment segment, second, before;
	ino_t old;

	names_set("renew");
	cr_assert_eq(open_segment(&segment), 0);
	old = inode(paths.page);
	unlink(paths.page);
	unlink(paths.hidden);
	cr_assert_eq(keep(&segment), -ESTALE);
	cr_assert_eq(segment_renew(&segment, 12, &fill, &before, why, sizeof(why)), 0);
	cr_assert_eq(filled, 1);
	/* The one before is there yet, for who signs it off. */
	cr_assert_neq(before.page, segment.page);
	cr_assert_neq(before.page->header.generation, 12);
	segment_forget(&before);
	cr_assert_eq(segment.page->header.generation, 12);
	cr_assert_eq(segment.page->header.counter_kind, KIND);
	cr_assert_neq(inode(paths.page), old);
	cr_assert_eq(keep(&segment), 0);
	unlink(paths.lock);
	cr_assert_eq(open_segment(&second), -EBUSY);
	cr_assert_eq(keep(&segment), 1);

	/* Another writer has come before: it keeps what it has. */
	unlink(paths.page);
	unlink(paths.hidden);
	unlink(paths.lock);
	cr_assert_eq(open_segment(&second), 0);
	cr_assert_eq(keep(&segment), -EBUSY);
	cr_assert_eq(keep(&segment), -EBUSY);
	cr_assert_eq(keep(&second), 0);
	segment_close(&segment);
	cr_assert_eq(keep(&second), 0, "%s", why);
	segment_close(&second);
}

Test(segment, names_beside_pages_are_no_names_of_pages)
{
	struct segment segment;
	int32_t owner;

	cr_assert_eq(segment_open(&segment, "a.lock", KIND, &owner, why, sizeof(why)), -EINVAL);
	cr_assert_eq(segment_open(&segment, "a.foreign", KIND, &owner, why, sizeof(why)), -EINVAL);
	cr_assert_neq(strstr(why, "shm_name"), NULL);
}

/* The publisher: readers of a page that is replaced keep its promise, then open the new one. */
Test(segment, readers_of_a_renewed_page_expire_and_can_open_anew, .fini = names_drop)
{
	struct publish_config settings = {
		.shm_name = name,
		.record_order = CHRONOTICK_ORDER_PYTHON,
		.frequency_hz = 100,
		.writer_timeout_ms = 10000,
		.max_bound_ns = SECOND,
		.max_slew_ppb = 500000,
		.step_threshold_ns = 100000000,
	};
	struct publish_facts facts = {0};
	struct publisher *publisher;
	struct chronotick_interval old, new;
	struct chronotick_record record;
	struct chronotick *before, *after;
	struct counter counter;
	struct correction at;
	int32_t owner;

	names_set("publisher");
	cr_assert_eq(counter_init(&counter, CHRONOTICK_COUNTER_NONE), 0);
	cr_assert_eq(publisher_open(&publisher, &settings, &counter, &owner, why, sizeof(why)), 0);
	at = correction(counter_read(&counter), EPOCH, counter.mult);
	cr_assert_eq(publisher_publish(publisher, &at, &facts), 0);
	cr_assert_eq(chronotick_open(&before, paths.page), 0);
	cr_assert_eq(publisher_keep(publisher, why, sizeof(why)), 0);
	unlink(paths.page);
	cr_assert_eq(publisher_keep(publisher, why, sizeof(why)), 1);
	cr_assert_eq(chronotick_writer_check(before, NULL), 0);

	unlink(paths.page);
	unlink(paths.hidden);
	cr_assert_eq(publisher_keep(publisher, why, sizeof(why)), PUBLISHER_RENEWED);
	cr_assert_neq(strstr(why, "new page"), NULL);
	cr_assert_eq(chronotick_now(before, &old), 0, "the promise stands");
	cr_assert_eq(old.status, CHRONOTICK_WRITER_GONE);
	cr_assert_eq(chronotick_writer_check(before, NULL), -ESTALE);
	cr_assert_eq(chronotick_record_read(before, &record), 0);
	cr_assert_eq(record.flags, 0);

	cr_assert_eq(chronotick_open(&after, paths.page), 0);
	cr_assert_eq(chronotick_now(after, &new), 0, "at once");
	cr_assert_eq(new.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_eq(new.generation, old.generation + 1);
	cr_assert_eq(chronotick_writer_check(after, NULL), 0);
	cr_assert_eq(chronotick_page_of(after)->header.record_order, CHRONOTICK_ORDER_PYTHON);
	cr_assert_eq(publisher_publish(publisher, &at, &facts), 0);
	cr_assert_eq(chronotick_now(after, &new), 0);
	cr_assert_eq(publisher_page(publisher)->clock[0].seq,
		     chronotick_page_of(after)->clock[0].seq);
	cr_assert_eq(publisher_keep(publisher, why, sizeof(why)), 0);

	publisher_close(publisher);
	cr_assert_eq(inode(paths.hidden), 0);
	chronotick_close(before);
	chronotick_close(after);
}

/* What a page says, and the last that was known of it. */
static void change_expect(const struct chronotick *ct, struct chronotick_change *last,
			  enum chronotick_status status)
{
	cr_assert_eq(chronotick_wait_change(ct, last, 0), 0);
	cr_assert_eq(last->status & CHRONOTICK_STATUS_MASK, status, "%u", last->status);
}

/* Who waits for a first time on a page that is replaced is not left waiting. */
Test(segment, waiters_of_a_renewed_page_without_a_time_are_told, .fini = names_drop)
{
	struct publish_config settings = {
		.shm_name = name,
		.frequency_hz = 100,
		.writer_timeout_ms = 10000,
		.max_bound_ns = SECOND,
		.max_slew_ppb = 500000,
		.step_threshold_ns = 100000000,
	};
	struct publish_facts facts = {0};
	struct chronotick_change last = {0};
	struct publisher *publisher;
	struct chronotick *before;
	struct counter counter;
	struct correction at;
	int32_t owner;

	names_set("waiters");
	cr_assert_eq(counter_init(&counter, CHRONOTICK_COUNTER_NONE), 0);
	cr_assert_eq(publisher_open(&publisher, &settings, &counter, &owner, why, sizeof(why)), 0);
	at = correction(counter_read(&counter), EPOCH, counter.mult);
	at.status = CHRONOTICK_UNSYNCHRONIZED;
	cr_assert_eq(publisher_publish(publisher, &at, &facts), 0);
	cr_assert_eq(chronotick_open(&before, paths.page), 0);
	change_expect(before, &last, CHRONOTICK_UNSYNCHRONIZED);

	/* No new page can be had: the old one goes on, with the status that it had. */
	unlink(paths.page);
	unlink(paths.hidden);
	cr_assert_eq(mkdir(paths.next, 0700), 0);
	cr_assert_lt(publisher_keep(publisher, why, sizeof(why)), 0);
	cr_assert_eq(chronotick_wait_change(before, &last, 0), -ETIMEDOUT, "nothing changed");
	at = correction(counter_read(&counter), EPOCH, counter.mult);
	cr_assert_eq(publisher_publish(publisher, &at, &facts), 0);
	change_expect(before, &last, CHRONOTICK_SYNCHRONIZED);
	cr_assert_lt(publisher_keep(publisher, why, sizeof(why)), 0);
	cr_assert_eq(chronotick_wait_change(before, &last, 0), -ETIMEDOUT, "nothing changed");
	cr_assert_eq(chronotick_writer_check(before, NULL), 0);

	cr_assert_eq(rmdir(paths.next), 0);
	publisher_invalidate(publisher);
	change_expect(before, &last, CHRONOTICK_UNSYNCHRONIZED);
	cr_assert_eq(publisher_keep(publisher, why, sizeof(why)), PUBLISHER_RENEWED);
	change_expect(before, &last, CHRONOTICK_EXPIRED);
	cr_assert_eq(chronotick_writer_check(before, NULL), -ESTALE);
	chronotick_close(before);
	publisher_close(publisher);
}
