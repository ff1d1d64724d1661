/* SPDX-License-Identifier: MIT */
/* The publisher from the stores up: repair, retries, the segment's take-over, hostile leftovers. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#include "publish/page.h"
#include "publish/publish.h"
#include "publish/record.h"
#include "publish/segment.h"
#include "publish/writer.h"

#define SECOND 1000000000LL
#define EPOCH (1700000000 * SECOND)
#define ONE (1ULL << CHRONOTICK_MULT_SHIFT)
#define NS ((__int128)1 << 64)

static struct line_config config(void)
{
	return (struct line_config){
		.mult = ONE,
		.lead = 50000,
		.early = 1000,
		.window = 400000,
		.span = 10ULL * SECOND,
		.period = SECOND / 100,
		.settle = SECOND / 10,
		.max_slew_ppb = 500000,
		.max_fall_ppb = LINE_FALL_PPB,
		.step_ns = 11,
		.max_bound_ns = SECOND,
		.step_threshold_ns = 100000000,
	};
}

static struct correction correction(uint64_t counter, int64_t utc_ns, uint64_t mult)
{
	return (struct correction){
		.counter = counter,
		.utc = utc_ns * NS,
		.mult = mult,
		.bound = {.total_ns = 1000, .growth = ONE / 1000000},
		.confidence = 0.5,
		.offset_uncertainty_ns = 250,
		.measurement_count = 9,
		.last_sample = counter,
		.status = CHRONOTICK_SYNCHRONIZED,
		.source = CHRONOTICK_NTP,
		.tai_offset_s = 37,
	};
}

/* A counter of the test's own: every reading takes it on by the next of `delays`, then by 1000. */
struct fake {
	uint64_t counter;
	uint64_t delays[32];
	unsigned int next;
};

static uint64_t fake_now(void *data)
{
	struct fake *fake = data;
	uint64_t now = fake->counter;

	fake->counter +=
		fake->next < 32 && fake->delays[fake->next] ? fake->delays[fake->next] : 1000;
	fake->next++;
	return now;
}

static void delay(struct fake *fake, unsigned int count, uint64_t counts)
{
	unsigned int i;

	memset(fake->delays, 0, sizeof(fake->delays));
	fake->next = 0;
	for (i = 0; i < count; i++)
		fake->delays[i] = counts;
}

static struct chronotick_clock line(uint64_t value)
{
	return (struct chronotick_clock){
		.bound_ns = (uint32_t)value,
		.state = CHRONOTICK_STATE(4, CHRONOTICK_SYNCHRONIZED, 37),
		.anchor = value,
		.span = 10ULL * SECOND,
		.mult = ONE,
		.growth = value,
		.utc_ns = (int64_t)value,
		.utc_frac = value,
	};
}

/* Repair */

Test(publish, repair_leaves_a_whole_page_alone)
{
	struct chronotick_page page = {0};

	page.clock[0] = line(5);
	page.clock[0].seq = 8;
	page.clock[1] = line(5);
	page.clock[1].seq = 4;
	cr_assert_eq(page_repair(&page), PAGE_WHOLE);
	cr_assert_eq(page.clock[0].seq, 8);
	cr_assert_eq(page.clock[1].seq, 4);
}

Test(publish, repair_takes_the_line_that_is_whole)
{
	struct chronotick_page page = {0};

	page.clock[0] = line(5);
	page.clock[0].seq = 8;
	page.clock[1] = line(4);
	page.clock[1].seq = 7;
	cr_assert_eq(page_repair(&page), PAGE_REPAIRED);
	cr_assert_eq(page.clock[1].anchor, 5);
	cr_assert_eq(page.clock[1].seq, 8);
	cr_assert_eq(page.clock[0].seq, 8);

	page.clock[0] = line(6);
	page.clock[0].seq = 9;
	cr_assert_eq(page_repair(&page), PAGE_REPAIRED);
	cr_assert_eq(page.clock[0].anchor, 5);
	cr_assert_eq(page.clock[0].seq, 10);

	/* Killed between the two: [1] is whole, but older. */
	page.clock[0] = line(7);
	page.clock[0].seq = 12;
	cr_assert_eq(page_repair(&page), PAGE_REPAIRED);
	cr_assert_eq(page.clock[1].anchor, 7);
	cr_assert_eq(page.clock[1].seq, 10);
}

Test(publish, repair_of_two_torn_lines_begins_a_generation_without_a_time)
{
	struct chronotick_page page = {0};
	int i;

	page.header.generation = 4;
	page.clock[0] = line(5);
	page.clock[0].seq = 9;
	page.clock[1] = line(4);
	page.clock[1].seq = 7;
	cr_assert_eq(page_repair(&page), PAGE_LOST);
	cr_assert_eq(page.header.generation, 5);
	for (i = 0; i < 2; i++) {
		cr_assert_eq(page.clock[i].span, 0);
		cr_assert(!line_is_set(&page.clock[i]));
		cr_assert_eq(CHRONOTICK_STATE_GENERATION(page.clock[i].state), 5);
	}
	cr_assert_eq(page.clock[0].seq, 10);
	cr_assert_eq(page.clock[1].seq, 8);
}

Test(publish, repair_of_records)
{
	struct chronotick_page page = {0};

	page.record.sequence_number = 3;
	page.record.offset_correction = 1;
	page.record_shadow.sequence_number = 8;
	page.record_shadow.offset_correction = 2;
	cr_assert_eq(page_repair(&page), PAGE_REPAIRED);
	cr_assert_eq(page.record.sequence_number, 4);
	cr_assert_eq(page.record.offset_correction, 2);
	page.record_shadow.sequence_number = 9;
	cr_assert_eq(page_repair(&page), PAGE_REPAIRED);
	cr_assert_eq(page.record_shadow.sequence_number, 10);
	page.record.sequence_number = 5;
	page.record_shadow.sequence_number = 11;
	page.record.flags = CHRONOTICK_FLAG_VALID;
	page_repair(&page);
	cr_assert_eq(page.record.flags, 0);
	cr_assert_eq(page.record.sequence_number, 6);
	cr_assert_eq(page.record_shadow.sequence_number, 12);
}

Test(publish, the_records_number_is_never_zero_again)
{
	struct chronotick_page page = {0};
	struct chronotick_record record = {.flags = 1};

	page.record.sequence_number = UINT32_MAX - 1;
	page_record_write(&page, &record);
	cr_assert_eq(page.record.sequence_number, 2);
	cr_assert_eq(page.record_shadow.sequence_number, 2);
}

/* One publication */

Test(publish, a_line_in_time_is_published_once)
{
	struct chronotick_page page = {0};
	struct fake fake = {.counter = 1000 * SECOND};
	struct line_config limits = config();
	struct correction at = correction(fake.counter, EPOCH, ONE);
	struct writer writer;

	cr_assert_eq(writer_init(&writer, &page, &limits, fake_now, &fake), PAGE_WHOLE);
	cr_assert_eq(writer_publish(&writer, &at), 0);
	cr_assert_eq(writer.published, 1);
	cr_assert_eq(writer.rebuilt, 0);
	cr_assert_eq(page.clock[0].seq, 2);
	cr_assert_eq(page.clock[1].seq, 2);
	cr_assert_eq(page.clock[0].span, limits.span);
	cr_assert_eq(page.header.generation_start, page.clock[0].anchor);
	cr_assert(line_utc(&page.clock[1], at.counter) == at.utc);
	cr_assert_eq(writer.last_counts, 1000);
}

/* A writer with one line out, and a correction that makes the next slope fall */
static void falling_make(struct writer *writer, struct chronotick_page *page, struct fake *fake,
			 const struct line_config *limits, struct correction *at)
{
	*at = correction(fake->counter, EPOCH, ONE);
	writer_init(writer, page, limits, fake_now, fake);
	cr_assert_eq(writer_publish(writer, at), 0);
	fake->counter += limits->period;
	at->utc -= 30000 * NS;
}

Test(publish, a_falling_line_that_is_late_is_built_again_with_a_wider_window)
{
	struct chronotick_page page = {0};
	struct fake fake = {.counter = 1000 * SECOND};
	struct line_config limits = config();
	struct chronotick_clock old;
	struct correction at;
	struct writer writer;
	uint64_t c0;

	falling_make(&writer, &page, &fake, &limits, &at);
	old = writer.current;
	/* Two builds take 300 us each: more than half of 400 us, less than half of 800 us. */
	delay(&fake, 4, 300000);
	c0 = fake.counter + 2 * 300000;
	cr_assert_eq(writer_publish(&writer, &at), 0);
	cr_assert_eq(writer.rebuilt, 1);
	cr_assert_eq(page.clock[0].anchor, c0 - limits.lead);
	cr_assert(line_utc(&page.clock[0], c0 + 2 * limits.window) ==
		  line_utc(&old, c0 + 2 * limits.window));
	cr_assert_lt(page.clock[0].mult, old.mult);
}

Test(publish, a_rising_line_is_never_late)
{
	struct chronotick_page page = {0};
	struct fake fake = {.counter = 1000 * SECOND};
	struct line_config limits = config();
	struct correction at;
	struct writer writer;

	falling_make(&writer, &page, &fake, &limits, &at);
	at.utc += 60000 * NS;
	delay(&fake, 8, 5000000);
	cr_assert_eq(writer_publish(&writer, &at), 0);
	cr_assert_eq(writer.rebuilt, 0);
}

Test(publish, at_last_the_slope_is_kept)
{
	struct chronotick_page page = {0};
	struct fake fake = {.counter = 1000 * SECOND};
	struct line_config limits = config();
	struct chronotick_clock old;
	struct correction at;
	struct writer writer;

	falling_make(&writer, &page, &fake, &limits, &at);
	old = writer.current;
	delay(&fake, 32, 50000000);
	cr_assert_eq(writer_publish(&writer, &at), 0);
	cr_assert_eq(writer.rebuilt, WRITER_BUILDS);
	cr_assert_eq(page.clock[0].mult, old.mult);
	cr_assert_gt(page.clock[0].anchor, old.anchor);
	cr_assert(line_utc(&page.clock[0], fake.counter) == line_utc(&old, fake.counter));
	cr_assert_eq(page.clock[0].seq, 4);
}

Test(publish, no_build_in_time_leaves_the_line_before)
{
	struct chronotick_page page = {0};
	struct fake fake = {.counter = 1000 * SECOND};
	struct line_config limits = config();
	struct chronotick_clock old, now;
	struct correction at;
	struct writer writer;

	limits.max_bound_ns = 60000;
	falling_make(&writer, &page, &fake, &limits, &at);
	old = writer.current;
	/* By the second build the correction has aged beyond the limit. */
	at.bound.growth = ONE / 1000;
	delay(&fake, 2, 50000000);
	cr_assert_eq(writer_publish(&writer, &at), -ETIMEDOUT);
	page_line_read(&now, &page.clock[0]);
	cr_assert_eq(now.seq, 4);
	now.seq = old.seq;
	cr_assert_eq(memcmp(&now, &old, sizeof(now)), 0);
	cr_assert_eq(page.clock[1].seq, 2);
	cr_assert_eq(writer.published, 1);
}

Test(publish, a_promise_is_left_alone_until_it_ends)
{
	struct chronotick_page page = {0};
	struct fake fake = {.counter = 1000 * SECOND};
	struct line_config limits = config();
	struct correction at = correction(fake.counter, EPOCH, ONE);
	struct writer writer, heir;

	writer_init(&writer, &page, &limits, fake_now, &fake);
	cr_assert_eq(writer_publish(&writer, &at), 0);
	/* The heir knows nothing yet. */
	writer_init(&heir, &page, &limits, fake_now, &fake);
	at.status = CHRONOTICK_UNSYNCHRONIZED;
	fake.counter += limits.span / 2;
	cr_assert_eq(writer_publish(&heir, &at), -EAGAIN);
	cr_assert_eq(page.clock[0].seq, 2);
	cr_assert_eq(page.clock[0].span, limits.span);
	fake.counter += limits.span;
	cr_assert_eq(writer_publish(&heir, &at), 0);
	cr_assert_eq(page.clock[0].span, 0);
	cr_assert_eq(CHRONOTICK_STATE_STATUS(page.clock[0].state), CHRONOTICK_UNSYNCHRONIZED);
}

Test(publish, an_heir_continues_the_generation_or_steps)
{
	struct chronotick_page page = {0};
	struct fake fake = {.counter = 1000 * SECOND};
	struct line_config limits = config();
	struct correction at = correction(fake.counter, EPOCH, ONE);
	struct chronotick_clock old;
	struct writer writer;

	page.header.generation = 12;
	writer_init(&writer, &page, &limits, fake_now, &fake);
	cr_assert_eq(writer_publish(&writer, &at), 0);
	cr_assert_eq(CHRONOTICK_STATE_GENERATION(page.clock[0].state), 12);
	old = writer.current;
	/* Killed while it wrote [0] */
	page.clock[0].seq |= 1;
	page.clock[0].anchor = 0;
	at = correction(fake.counter, EPOCH + 50000, ONE);
	cr_assert_eq(writer_init(&writer, &page, &limits, fake_now, &fake), PAGE_REPAIRED);
	cr_assert_eq(writer_publish(&writer, &at), 0);
	cr_assert_eq(CHRONOTICK_STATE_GENERATION(page.clock[0].state), 12);
	cr_assert(line_utc(&page.clock[0], at.counter - limits.early) ==
		  line_utc(&old, at.counter - limits.early));
	at = correction(fake.counter, EPOCH + 5 * SECOND, ONE);
	cr_assert_eq(writer_init(&writer, &page, &limits, fake_now, &fake), PAGE_WHOLE);
	cr_assert_eq(writer_publish(&writer, &at), 0);
	cr_assert_eq(CHRONOTICK_STATE_GENERATION(page.clock[0].state), 13);
	cr_assert_eq(page.header.generation, 13);
	cr_assert_eq(page.header.generation_start, page.clock[0].anchor);
}

Test(publish, lines_of_no_such_counter_are_not_continued)
{
	struct chronotick_page page = {0};
	struct fake fake = {.counter = 1000 * SECOND};
	struct line_config limits = config();
	struct correction at = correction(fake.counter, EPOCH, ONE);
	struct writer writer;

	page.clock[0] = line(7);
	page.clock[0].mult = 3 * ONE;
	page.clock[1] = page.clock[0];
	cr_assert_eq(writer_init(&writer, &page, &limits, fake_now, &fake), PAGE_LOST);
	cr_assert_eq(page.clock[0].span, 0);
	cr_assert_eq(writer_publish(&writer, &at), 0);
	/* The line claimed generation 4. */
	cr_assert_eq(CHRONOTICK_STATE_GENERATION(page.clock[0].state), 5);
	cr_assert(line_utc(&page.clock[0], at.counter) == at.utc);
}

/* The record */

Test(publish, a_record_says_what_the_line_does)
{
	struct counter counter = {
		.kind = CHRONOTICK_COUNTER_TSC, .step = 1, .hz = SECOND, .mult = ONE};
	struct line_config limits = config();
	struct correction at = correction(1000 * SECOND, EPOCH, ONE);
	struct publish_facts facts = {
		.daemon_uptime_s = 12.5, .average_latency_ms = 0.00002, .warmup_complete = true};
	struct record_rate rate = {0};
	struct chronotick_record record;
	struct cross now = {0};
	struct line line;
	int i;

	line_next(&line, &limits, NULL, 1, &at, at.counter, limits.window, LINE_SLEW);
	/* The system clock is 2 ms behind, and gains 10 ppm. */
	for (i = 0; i <= 1000; i++) {
		now.counter = at.counter + (uint64_t)i * 10000000;
		now.system_ns = EPOCH - 2000000 + i * 10000000LL + i * 100;
		now.error_ns = 40;
		record_rate_add(&rate, &counter, &now);
	}
	now.counter = at.counter + 1000;
	now.system_ns = EPOCH - 2000000 + 1000;
	record_build(&record, &(struct record_input){
				      .line = &line.clock,
				      .trusted = true,
				      .correction = &at,
				      .now = &now,
				      .rate = &rate,
				      .facts = &facts,
				      .corrections = 3,
			      });
	cr_assert_float_eq(record.offset_correction, 0.002, 1e-9);
	cr_assert_float_eq(record.drift_rate, -1e-5, 1e-9);
	cr_assert_float_eq(record.drift_uncertainty, 80.0 / 4e9, 10e-9);
	cr_assert_float_eq(record.offset_uncertainty, 253e-9, 2e-9);
	cr_assert_float_eq(record.valid_until - record.system_timestamp, 9.99995, 1e-4);
	cr_assert_float_eq(chronotick_corrected_time_at(&record, record.system_timestamp),
			   record.corrected_timestamp, 1e-6);
	cr_assert_float_eq(record.last_ntp_sync, record.system_timestamp, 1e-5);
	cr_assert_eq(record.flags, CHRONOTICK_FLAG_VALID | CHRONOTICK_FLAG_NTP_READY |
					   CHRONOTICK_FLAG_WARMUP_COMPLETE);
	cr_assert_eq(record.source, CHRONOTICK_NTP);
	cr_assert_eq(record.measurement_count, 9);
	cr_assert_eq(record.total_corrections, 3);
	cr_assert_float_eq(record.confidence, 0.5, 1e-6);
	cr_assert_float_eq(record.daemon_uptime, 12.5, 1e-9);
	cr_assert_gt(record.average_latency_ms, 0);
}

Test(publish, a_step_of_the_system_clock_is_no_drift)
{
	struct counter counter = {.step = 1, .hz = SECOND, .mult = ONE};
	struct record_rate rate = {0};
	struct cross now = {.error_ns = 40};
	double uncertainty;
	int i;

	cr_assert_eq(record_drift(&rate, ONE, &uncertainty), 0);
	cr_assert_float_eq(uncertainty, 500e-6, 1e-9);
	for (i = 0; i < 600; i++) {
		now.counter = (uint64_t)i * 10000000;
		now.system_ns = EPOCH + i * 10000000LL + (i > 550 ? 20000 : 0);
		record_rate_add(&rate, &counter, &now);
	}
	/* Half a second after a step of 20 us: nothing of it is left in the rate. */
	cr_assert_float_eq(record_drift(&rate, ONE, &uncertainty), 0, 1e-12);
	cr_assert_float_eq(uncertainty, 80.0 / 480e6, 1e-9);
}

/* The segment */

static char name[64], path[128], lock_path[160];

static void names_set(const char *test)
{
	snprintf(name, sizeof(name), "chronotick-test-%d-%s", (int)getpid(), test);
	snprintf(path, sizeof(path), CHRONOTICK_SHM_DIR "%s", name);
	snprintf(lock_path, sizeof(lock_path), "%s.lock", path);
}

static void names_drop(void)
{
	unlink(path);
	unlink(lock_path);
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

/* A file of this user that is no page of ours gives way to a new one and is not written into. */
static void replaced(const void *data, size_t size)
{
	struct segment segment;
	struct stat before, after;
	char kept[2 * CHRONOTICK_PAGE_SIZE];
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
	close(fd);
	segment_close(&segment);
	unlink(path);
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
	snprintf(next, sizeof(next), "%s.next", path);
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
	int32_t owner;

	cr_assert_eq(publisher_open(&publisher, &settings, &counter, &owner, NULL, 0), -EINVAL);
}
