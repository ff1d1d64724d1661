/* SPDX-License-Identifier: MIT */
/* The publisher: the segment's creation and take-over, hostile leftovers, and the whole of it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#include "publish/page.h"
#include "publish/publish.h"
#include "publish/segment.h"
#include "support/publication.h"
#include "support/shm.h"

static char name[64], path[128], lock_path[160];

static void names_set(const char *test)
{
	snprintf(name, sizeof(name), "chronotick-test-%d-%s", (int)getpid(), test);
	snprintf(path, sizeof(path), CHRONOTICK_SHM_DIR "%s", name);
	snprintf(lock_path, sizeof(lock_path), "%s.lock", path);
}

static void names_drop(void)
{
	shm_drop(name);
}

static int segment_try(struct segment *segment, uint32_t kind, char *why, unsigned int size)
{
	int32_t owner;

	return segment_open(segment, name, kind, &owner, why, size);
}

Test(publish, a_segment_is_created_whole, .fini = names_drop)
{
	struct segment segment;
	struct chronotick *ct;
	struct chronotick_interval now;
	struct stat status;

	names_set("create");
	umask(077);
	cr_assert_eq(segment_try(&segment, CHRONOTICK_COUNTER_MONOTONIC_RAW, NULL, 0), 0);
	cr_assert(segment.fresh);
	cr_assert_eq(stat(path, &status), 0);
	cr_assert_eq(status.st_mode & 07777, 0644);
	cr_assert_eq(status.st_size, CHRONOTICK_PAGE_SIZE);
	cr_assert_eq(stat(lock_path, &status), 0);
	cr_assert_eq(status.st_mode & 07777, 0600);
	cr_assert_eq(chronotick_open(&ct, path), 0);
	cr_assert_eq(chronotick_now(ct, &now), -EAGAIN);
	cr_assert_eq(chronotick_writer_check(ct, NULL), -EAGAIN);
	chronotick_close(ct);
	segment_close(&segment);
}

Test(publish, names_are_checked)
{
	static const char *const bad[] = {"", ".", "..", "a/b", "/x", ".hidden"};
	struct segment segment;
	char why[200], text[300];
	unsigned int i;
	int32_t owner;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_eq(segment_open(&segment, bad[i], 1, &owner, why, sizeof(why)), -EINVAL);
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	cr_assert_eq(segment_open(&segment, text, 1, &owner, why, sizeof(why)), -EINVAL);
	cr_assert_neq(strstr(why, "shm_name"), NULL);
}

Test(publish, a_leftover_is_taken_over_in_place, .fini = names_drop)
{
	struct segment first, second;
	struct chronotick *ct;
	struct stat before, after;

	names_set("leftover");
	cr_assert_eq(segment_try(&first, CHRONOTICK_COUNTER_MONOTONIC_RAW, NULL, 0), 0);
	cr_assert_eq(chronotick_open(&ct, path), 0);
	cr_assert_eq(stat(path, &before), 0);
	first.page->statistics.torn_reads = 77;
	segment_close(&first);
	cr_assert_eq(segment_try(&second, CHRONOTICK_COUNTER_MONOTONIC_RAW, NULL, 0), 0);
	cr_assert(!second.fresh);
	cr_assert_eq(stat(path, &after), 0);
	cr_assert_eq(before.st_ino, after.st_ino);
	cr_assert_eq(second.page->statistics.torn_reads, 77);
	second.page->statistics.torn_reads = 78;
	cr_assert_eq(chronotick_page_of(ct)->statistics.torn_reads, 78);
	chronotick_close(ct);
	segment_close(&second);
}

static void file_make(const void *data, size_t size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, data, size), (ssize_t)size);
	close(fd);
}

/*
 * A file of this user that is no page of ours gives way to a new one, and is not written into.
 * Data of somebody's are kept.
 */
static void replaced(const void *data, size_t size)
{
	struct segment segment;
	struct stat before, after;
	char kept[2 * CHRONOTICK_PAGE_SIZE], aside[160];
	uint64_t magic = 0;
	int fd;

	file_make(data, size);
	fd = open(path, O_RDONLY);
	cr_assert_eq(fstat(fd, &before), 0);
	cr_assert_eq(segment_try(&segment, CHRONOTICK_COUNTER_MONOTONIC_RAW, NULL, 0), 0);
	cr_assert(segment.fresh);
	cr_assert_eq(stat(path, &after), 0);
	cr_assert_neq(before.st_ino, after.st_ino);
	cr_assert_eq(after.st_size, CHRONOTICK_PAGE_SIZE);
	cr_assert_eq(fstat(fd, &after), 0);
	cr_assert_eq(after.st_size, (off_t)size);
	cr_assert_eq(pread(fd, kept, sizeof(kept), 0), (ssize_t)size);
	cr_assert_eq(memcmp(kept, data, size), 0);
	if (size > offsetof(struct chronotick_page, header))
		memcpy(&magic, kept + offsetof(struct chronotick_page, header), sizeof(magic));
	snprintf(aside, sizeof(aside), "%s.foreign", path);
	cr_assert_eq(after.st_nlink, size == 0 || magic == CHRONOTICK_MAGIC ? 0 : 1);
	cr_assert_eq(access(aside, F_OK), after.st_nlink ? 0 : -1);
	close(fd);
	segment_close(&segment);
	unlink(path);
	unlink(aside);
}

Test(publish, leftovers_that_are_no_page_are_replaced, .fini = names_drop)
{
	static char garbage[2 * CHRONOTICK_PAGE_SIZE];
	struct chronotick_page page = {0};

	names_set("garbage");
	memset(garbage, 0xa5, sizeof(garbage));
	replaced(garbage, 0);
	replaced(garbage, 100);
	replaced(garbage, CHRONOTICK_PAGE_SIZE);
	replaced(garbage, 2 * CHRONOTICK_PAGE_SIZE);
	page.header.magic = CHRONOTICK_MAGIC;
	page.header.abi_version = CHRONOTICK_ABI_VERSION + 1;
	page.header.page_size = CHRONOTICK_PAGE_SIZE;
	page.header.counter_kind = CHRONOTICK_COUNTER_MONOTONIC_RAW;
	chronotick_boot_id(page.header.boot_id);
	replaced(&page, sizeof(page));
	page.header.abi_version = CHRONOTICK_ABI_VERSION;
	page.header.boot_id[0] ^= 1;
	replaced(&page, sizeof(page));
}

Test(publish, a_page_of_another_counter_is_retired, .fini = names_drop)
{
	struct segment first, second;
	struct chronotick_clock old = line(1);
	struct chronotick_record record = {.flags = CHRONOTICK_FLAG_VALID, .confidence = 1};
	struct chronotick *ct;
	struct chronotick_interval now;

	names_set("kind");
	cr_assert_eq(segment_try(&first, CHRONOTICK_COUNTER_MONOTONIC_RAW, NULL, 0), 0);
	cr_assert_eq(chronotick_open(&ct, path), 0);
	old.anchor = chronotick_counter(ct);
	old.growth = 0;
	page_clock_write(first.page, &old);
	page_record_write(first.page, &record);
	cr_assert_eq(chronotick_now(ct, &now), 0);
	/* Its writer dies while it writes [0]. */
	page_line_begin(&first.page->clock[0]);
	segment_close(&first);

	cr_assert_eq(segment_try(&second, CHRONOTICK_COUNTER_TSC, NULL, 0), 0);
	cr_assert(second.fresh);
	cr_assert_eq(second.page->header.counter_kind, CHRONOTICK_COUNTER_TSC);
	cr_assert_eq(second.page->header.generation, 5);
	cr_assert_eq(chronotick_now(ct, &now), -ESTALE);
	cr_assert_eq(chronotick_record_read(ct, &record), 0);
	cr_assert_eq(record.flags, 0);
	cr_assert_eq(record.confidence, 0);
	chronotick_close(ct);
	segment_close(&second);
}

Test(publish, what_is_not_ours_is_refused_with_a_sentence, .fini = names_drop)
{
	char target[160], why[300] = "";
	struct segment segment;
	struct stat status;

	names_set("hostile");
	snprintf(target, sizeof(target), "%s.target", path);
	cr_assert_eq(close(open(target, O_CREAT | O_RDWR, 0600)), 0);
	cr_assert_eq(symlink(target, path), 0);
	cr_assert_eq(segment_try(&segment, 1, why, sizeof(why)), -EPERM);
	cr_assert_neq(strstr(why, path), NULL);
	cr_assert_neq(strstr(why, "symbolic link"), NULL);
	cr_assert_eq(stat(target, &status), 0);
	cr_assert_eq(status.st_size, 0);
	unlink(path);

	cr_assert_eq(mkdir(path, 0700), 0);
	cr_assert_eq(segment_try(&segment, 1, why, sizeof(why)), -EPERM);
	cr_assert_neq(strstr(why, "not a regular file"), NULL);
	rmdir(path);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_assert_eq(segment_try(&segment, 1, why, sizeof(why)), -EPERM);
	cr_assert_neq(strstr(why, "not a regular file"), NULL);
	unlink(path);

	/* The same for the lock */
	unlink(lock_path);
	cr_assert_eq(symlink(target, lock_path), 0);
	cr_assert_eq(segment_try(&segment, 1, why, sizeof(why)), -EPERM);
	cr_assert_neq(strstr(why, lock_path), NULL);
	unlink(lock_path);
	cr_assert_eq(chmod(target, 0644), 0);
	cr_assert_eq(link(target, lock_path), 0);
	cr_assert_eq(segment_try(&segment, 1, why, sizeof(why)), -EPERM);
	cr_assert_neq(strstr(why, "second name"), NULL);
	cr_assert_eq(stat(target, &status), 0);
	cr_assert_eq(status.st_size, 0);
	cr_assert_eq(status.st_mode & 07777, 0644);
	unlink(lock_path);

	if (geteuid() == 0) {
		file_make("", 0);
		cr_assert_eq(chown(path, 65534, 65534), 0);
		cr_assert_eq(segment_try(&segment, 1, why, sizeof(why)), -EPERM);
		cr_assert_neq(strstr(why, "belongs to user 65534"), NULL);
		unlink(path);
		cr_assert_eq(chown(lock_path, 65534, 65534), 0);
		cr_assert_eq(segment_try(&segment, 1, why, sizeof(why)), -EPERM);
		cr_assert_neq(strstr(why, "belongs to user 65534"), NULL);
	}
	unlink(target);
}

Test(publish, a_leftover_of_a_killed_creation_is_no_obstacle, .fini = names_drop)
{
	struct segment segment;
	char next[160];

	names_set("next");
	snprintf(next, sizeof(next), CHRONOTICK_SHM_DIR ".%s.next", name);
	cr_assert_eq(close(open(next, O_CREAT | O_RDWR, 0400)), 0);
	cr_assert_eq(segment_try(&segment, 1, NULL, 0), 0);
	cr_assert_eq(access(next, F_OK), -1);
	segment_close(&segment);
}

/* A process that holds the page; it says so through a pipe, then waits. */
static pid_t owner_start(int *told)
{
	struct segment segment;
	int pipes[2];
	pid_t pid;
	char c;

	cr_assert_eq(pipe(pipes), 0);
	pid = fork();
	if (pid == 0) {
		c = segment_try(&segment, CHRONOTICK_COUNTER_MONOTONIC_RAW, NULL, 0) == 0;
		if (write(pipes[1], &c, 1) == 1)
			pause();
		_exit(1);
	}
	cr_assert_eq(read(pipes[0], &c, 1), 1);
	cr_assert_eq(c, 1);
	*told = pipes[0];
	return pid;
}

Test(publish, a_second_writer_is_refused_and_told_the_first_ones_pid, .fini = names_drop)
{
	struct segment segment;
	char why[300] = "", pid_text[16];
	int32_t owner = 0;
	int told, reader;
	pid_t pid;

	names_set("busy");
	pid = owner_start(&told);
	cr_assert_eq(segment_open(&segment, name, 3, &owner, why, sizeof(why)), -EBUSY);
	cr_assert_eq(owner, pid);
	snprintf(pid_text, sizeof(pid_text), "%d", (int)pid);
	cr_assert_neq(strstr(why, pid_text), NULL);
	/* A stopped owner keeps it. */
	kill(pid, SIGSTOP);
	cr_assert_eq(segment_open(&segment, name, 3, &owner, why, sizeof(why)), -EBUSY);
	cr_assert_eq(owner, pid);
	kill(pid, SIGKILL);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
	/* A reader's lock on the page is none of the writer's business. */
	reader = open(path, O_RDONLY);
	cr_assert_eq(flock(reader, LOCK_EX | LOCK_NB), 0);
	cr_assert_eq(segment_open(&segment, name, 3, &owner, why, sizeof(why)), 0);
	cr_assert(!segment.fresh);
	segment_close(&segment);
	close(reader);
	close(told);
}

/* The whole publisher, on this machine's counter */

Test(publish, the_publisher_end_to_end, .fini = names_drop)
{
	struct publish_config settings = {
		.shm_name = name,
		.frequency_hz = 100,
		.writer_timeout_ms = 10000,
		.max_bound_ns = SECOND,
		.max_slew_ppb = 500000,
		.step_threshold_ns = 100000000,
	};
	struct publish_facts facts = {.daemon_uptime_s = 1, .warmup_percent = 33};
	struct chronotick_statistics figures = {.read_p50_ps = 9800, .publish_count = 99};
	struct chronotick_source source = {.name = "192.0.2.1", .offset_ns = -5};
	struct publisher *publisher;
	struct chronotick_interval now;
	struct chronotick_record record;
	struct chronotick *ct;
	struct counter counter;
	struct correction at;
	uint64_t anchor;
	int32_t owner;
	char why[300];
	int i;

	names_set("publisher");
	cr_assert_eq(counter_init(&counter, CHRONOTICK_COUNTER_NONE), 0);
	cr_assert_eq(publisher_open(&publisher, &settings, &counter, &owner, why, sizeof(why)), 0);
	cr_assert_eq(chronotick_open(&ct, path), 0);
	cr_assert_eq(chronotick_page_of(ct)->header.writer_pid, (uint32_t)getpid());
	cr_assert_gt(chronotick_page_of(ct)->header.writer_start, 0);

	at = correction(counter_read(&counter), EPOCH, counter.mult);
	at.status = CHRONOTICK_WARMING_UP;
	at.measurement_count = 0;
	cr_assert_eq(publisher_publish(publisher, &at, &facts), 0);
	cr_assert_eq(chronotick_now(ct, &now), -EAGAIN);
	cr_assert_eq(now.status, CHRONOTICK_WARMING_UP);
	cr_assert_eq(chronotick_record_read(ct, &record), 0);
	cr_assert_eq(record.flags, 0);
	cr_assert_eq(chronotick_writer_check(ct, NULL), 0);

	at = correction(counter_read(&counter), EPOCH, counter.mult);
	for (i = 0; i < 100; i++) {
		at.utc += (i % 2 ? 10 : -10) * NS;
		cr_assert_eq(publisher_publish(publisher, &at, &facts), 0);
		cr_assert_eq(chronotick_now(ct, &now), 0);
		cr_assert_eq(chronotick_record_read(ct, &record), 0);
		cr_assert_eq(record.total_corrections, (uint32_t)i + 1);
		cr_assert(record.flags & CHRONOTICK_FLAG_VALID);
	}
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_geq(now.utc_ns, EPOCH);
	cr_assert_lt(now.utc_ns, EPOCH + 10 * SECOND);
	cr_assert_eq(publisher_page(publisher)->statistics.publish_count, 101);
	cr_assert_gt(publisher_page(publisher)->statistics.publish_max_ns, 0);
	cr_assert_eq(publisher_page(publisher)->statistics.warmup_percent, 33);
	publisher_statistics(publisher, &figures, &source, 1);
	cr_assert_eq(chronotick_page_of(ct)->statistics.read_p50_ps, 9800);
	cr_assert_eq(chronotick_page_of(ct)->statistics.publish_count, 101);
	cr_assert_eq(chronotick_page_of(ct)->statistics.source_count, 1);
	cr_assert_str_eq(chronotick_page_of(ct)->source[0].name, "192.0.2.1");
	anchor = publisher_page(publisher)->clock[0].anchor;

	publisher_close(publisher);
	cr_assert_eq(chronotick_now(ct, &now), 0);
	cr_assert_eq(now.status, CHRONOTICK_WRITER_GONE);
	cr_assert_eq(chronotick_record_read(ct, &record), 0);
	cr_assert_eq(record.flags, 0);
	cr_assert_eq(record.confidence, 0);
	cr_assert_eq(chronotick_page_of(ct)->header.writer_pid, 0);

	/* The heir leaves the promise alone, then takes it on. */
	cr_assert_eq(publisher_open(&publisher, &settings, &counter, &owner, why, sizeof(why)), 0);
	at.status = CHRONOTICK_UNSYNCHRONIZED;
	cr_assert_eq(publisher_publish(publisher, &at, &facts), 0);
	cr_assert_eq(chronotick_now(ct, &now), 0);
	cr_assert_eq(now.status, CHRONOTICK_HOLDOVER, "nobody is gone");
	cr_assert_eq(publisher_page(publisher)->clock[0].anchor, anchor);
	at.status = CHRONOTICK_SYNCHRONIZED;
	cr_assert_eq(publisher_publish(publisher, &at, &facts), 0);
	cr_assert_eq(chronotick_now(ct, &now), 0);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_eq(now.generation, 1);
	publisher_close(publisher);
	publisher_close(NULL);
	chronotick_close(ct);
}

Test(publish, settings_out_of_range_are_refused)
{
	struct publish_config settings = {.shm_name = "x", .frequency_hz = 0};
	struct counter counter = {.kind = 1, .step = 1, .hz = SECOND, .mult = ONE};
	struct publisher *publisher;
	char why[300] = "";
	int32_t owner;

	cr_assert_eq(publisher_open(&publisher, &settings, &counter, &owner, NULL, 0), -EINVAL);
	cr_assert_eq(publisher_open(&publisher, &settings, &counter, &owner, why, sizeof(why)),
		     -EINVAL);
	cr_assert_neq(strstr(why, "frequency_hz"), NULL);
	settings = (struct publish_config){.shm_name = "x/y", .frequency_hz = 1, .max_bound_ns = 1};
	settings.writer_timeout_ms = 1000001; /* longer than growth holds */
	cr_assert_eq(publisher_open(&publisher, &settings, &counter, &owner, why, sizeof(why)),
		     -EINVAL);
	cr_assert_neq(strstr(why, "writer_timeout_ms"), NULL);
	settings.writer_timeout_ms = 1000000;
	cr_assert_eq(publisher_open(&publisher, &settings, &counter, &owner, why, sizeof(why)),
		     -EINVAL);
	cr_assert_neq(strstr(why, "shm_name"), NULL);
	/* A leap second must be a jump. */
	settings = (struct publish_config){.shm_name = "x", .frequency_hz = 1, .max_bound_ns = 1};
	settings.writer_timeout_ms = 1;
	settings.step_threshold_ns = PUBLISH_STEP_THRESHOLD_MAX_NS + 1;
	cr_assert_eq(publisher_open(&publisher, &settings, &counter, &owner, why, sizeof(why)),
		     -EINVAL);
	cr_assert_neq(strstr(why, "step threshold"), NULL);
}
