/* SPDX-License-Identifier: MIT */
/* One publication: repair, builds that come too late, what is continued, and the record. */
#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#include "publish/page.h"
#include "publish/record.h"
#include "publish/writer.h"
#include "support/publication.h"

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

/* Repair */

Test(writer, repair_leaves_a_whole_page_alone)
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

Test(writer, repair_takes_the_line_that_is_whole)
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

Test(writer, repair_of_two_torn_lines_begins_a_generation_without_a_time)
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

Test(writer, repair_of_records)
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

/* The released Python client's view of a page, in its order */
static double python_word(const struct chronotick_page *page, unsigned int offset)
{
	double ret;

	memcpy(&ret, (const char *)page + offset, sizeof(ret));
	return ret;
}

static void python_check(const struct chronotick_page *page)
{
	cr_assert_eq(page->header.record_order, CHRONOTICK_ORDER_PYTHON);
	cr_assert_eq(page->record.sequence_number & 1, 0);
	cr_assert_eq(python_word(page, 8), 2);
	cr_assert_eq(python_word(page, 16), 4);
	cr_assert_eq(python_word(page, 24), 5);
	cr_assert_eq(python_word(page, 32), 6);
	cr_assert_eq(python_word(page, 40), 7);
	cr_assert_eq(python_word(page, 48), 3);
	cr_assert_eq(python_word(page, 56), 8);
	cr_assert_eq(page->record_shadow.prediction_time, 3);
	cr_assert_eq(page->record_shadow.offset_correction, 4);
}

static struct chronotick_record record_of_numbers(void)
{
	return (struct chronotick_record){
		.corrected_timestamp = 1,
		.system_timestamp = 2,
		.prediction_time = 3,
		.offset_correction = 4,
		.drift_rate = 5,
		.offset_uncertainty = 6,
		.drift_uncertainty = 7,
		.valid_until = 8,
		.flags = CHRONOTICK_FLAG_VALID,
		.confidence = 0.5F,
	};
}

Test(writer, the_record_has_the_order_that_is_asked_for)
{
	struct chronotick_record record = record_of_numbers();
	struct chronotick_page page = {0};

	/* Nothing written yet: it stays so. */
	page_record_order_set(&page, CHRONOTICK_ORDER_PYTHON);
	cr_assert_eq(page.record.sequence_number, 0);
	page_record_write(&page, &record);
	python_check(&page);
	cr_assert_eq(page_repair(&page), PAGE_WHOLE);
	/* Back and forth, in place */
	page_record_order_set(&page, CHRONOTICK_ORDER_DOCUMENT);
	cr_assert_eq(page.record.prediction_time, 3);
	cr_assert_eq(page.record.drift_uncertainty, 7);
	cr_assert_eq(page.record.sequence_number, 4);
	page_record_order_set(&page, CHRONOTICK_ORDER_PYTHON);
	python_check(&page);
	page_invalidate(&page);
	record = page.record_shadow;
	cr_assert_eq(record.flags, 0);
	python_check(&page);
}

Test(writer, repair_of_records_in_either_order)
{
	struct chronotick_record record = record_of_numbers();
	struct chronotick_page page = {0};

	page_record_order_set(&page, CHRONOTICK_ORDER_PYTHON);
	page_record_write(&page, &record);
	page.record.sequence_number |= 1;
	page.record.prediction_time = 99;
	cr_assert_eq(page_repair(&page), PAGE_REPAIRED);
	python_check(&page);
	page.record_shadow.sequence_number |= 1;
	page.record_shadow.prediction_time = 99;
	cr_assert_eq(page_repair(&page), PAGE_REPAIRED);
	python_check(&page);
	/* Killed while it changed the order: odd, the shadow whole */
	page.record.sequence_number |= 1;
	page.header.record_order = CHRONOTICK_ORDER_DOCUMENT;
	cr_assert_eq(page_repair(&page), PAGE_REPAIRED);
	cr_assert_eq(page.record.prediction_time, 3);
	/* An order that nobody knows */
	page.header.record_order = 77;
	page.record.prediction_time = 99;
	cr_assert_eq(page_repair(&page), PAGE_REPAIRED);
	cr_assert_eq(page.header.record_order, CHRONOTICK_ORDER_DOCUMENT);
	cr_assert_eq(page.record.prediction_time, 3);
}

Test(writer, the_records_number_is_never_zero_again)
{
	struct chronotick_page page = {0};
	struct chronotick_record record = {.flags = 1};

	page.record.sequence_number = UINT32_MAX - 1;
	page_record_write(&page, &record);
	cr_assert_eq(page.record.sequence_number, 2);
	cr_assert_eq(page.record_shadow.sequence_number, 2);
}

/* One publication */

Test(writer, a_line_in_time_is_published_once)
{
	struct chronotick_page page = {0};
	struct fake fake = {.counter = 1000 * SECOND};
	struct line_config limits = config();
	struct correction at = correction(fake.counter, EPOCH, ONE);
	struct writer writer;

	cr_assert_eq(writer_init(&writer, &page, &limits, fake_now, &fake), PAGE_WHOLE);
	cr_assert_eq(writer_publish(&writer, &at), 0);
	cr_assert_eq(writer.tally.published, 1);
	cr_assert_eq(writer.tally.rebuilt, 0);
	cr_assert_eq(page.clock[0].seq, 2);
	cr_assert_eq(page.clock[1].seq, 2);
	cr_assert_eq(page.clock[0].span, limits.span);
	cr_assert_eq(page.header.generation_start, page.clock[0].anchor);
	cr_assert(line_utc(&page.clock[1], at.counter) == at.utc);
	cr_assert_eq(writer.tally.last_counts, 1000);
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

Test(writer, a_falling_line_that_is_late_is_built_again_with_a_wider_window)
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
	cr_assert_eq(writer.tally.rebuilt, 1);
	cr_assert_eq(page.clock[0].anchor, c0 - limits.lead);
	cr_assert(line_utc(&page.clock[0], c0 + 2 * limits.window) ==
		  line_utc(&old, c0 + 2 * limits.window));
	cr_assert_lt(page.clock[0].mult, old.mult);
}

Test(writer, a_rising_line_is_never_late)
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
	cr_assert_eq(writer.tally.rebuilt, 0);
}

Test(writer, at_last_the_slope_is_kept)
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
	cr_assert_eq(writer.tally.rebuilt, WRITER_BUILDS);
	cr_assert_eq(page.clock[0].mult, old.mult);
	cr_assert_gt(page.clock[0].anchor, old.anchor);
	cr_assert(line_utc(&page.clock[0], fake.counter) == line_utc(&old, fake.counter));
	cr_assert_eq(page.clock[0].seq, 4);
}

Test(writer, no_build_in_time_leaves_the_line_before)
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
	cr_assert_eq(writer.tally.published, 1);
}

Test(writer, a_promise_is_left_alone_until_it_ends)
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

Test(writer, an_heir_continues_the_generation_or_steps)
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

Test(writer, lines_of_no_such_counter_are_not_continued)
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

Test(writer, a_record_says_what_the_line_does)
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

Test(writer, a_step_of_the_system_clock_is_no_drift)
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

/* What waiting readers are told */

Test(writer, a_plain_publication_tells_nobody)
{
	struct chronotick_page page = {0};
	struct fake fake = {.counter = 1000 * SECOND};
	struct line_config limits = config();
	struct correction at = correction(fake.counter, EPOCH, ONE);
	struct writer writer;
	int i;

	writer_init(&writer, &page, &limits, fake_now, &fake);
	cr_assert_eq(page.header.changes, 1, "a writer has begun");
	cr_assert_eq(writer_publish(&writer, &at), 0);
	cr_assert_eq(page.header.changes, 2, "time is trusted from here on");
	for (i = 0; i < 100; i++) {
		fake.counter += limits.period;
		at = correction(fake.counter, EPOCH + (i + 1) * (int64_t)limits.period + i * 10,
				ONE);
		cr_assert_eq(writer_publish(&writer, &at), 0);
	}
	cr_assert_eq(page.header.changes, 2);
}

Test(writer, each_change_is_told_once)
{
	static const struct {
		enum chronotick_status status;
		uint16_t leap;
		int16_t tai_s;
		int64_t jump_ns;
		uint64_t pause; /* counts before it */
	} steps[] = {
		{CHRONOTICK_SYNCHRONIZED, 0, 37, 0, 0},
		{CHRONOTICK_HOLDOVER, 0, 37, 0, 0},
		{CHRONOTICK_SYNCHRONIZED, 1, 37, 0, 0},
		{CHRONOTICK_SYNCHRONIZED, 0, 38, 0, 0},
		{CHRONOTICK_SYNCHRONIZED, 0, 38, SECOND, 0},
		/* The line before had expired meanwhile. */
		{CHRONOTICK_SYNCHRONIZED, 0, 38, SECOND, 11ULL * SECOND},
		/* And here readers are told that it had. */
		{CHRONOTICK_UNSYNCHRONIZED, 0, 38, SECOND, 11ULL * SECOND},
	};
	struct chronotick_page page = {0};
	struct fake fake = {.counter = 1000 * SECOND};
	struct line_config limits = config();
	struct writer writer;
	uint64_t begun = fake.counter;
	struct correction at;
	uint32_t changes;
	size_t i;

	writer_init(&writer, &page, &limits, fake_now, &fake);
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		changes = page.header.changes;
		fake.counter += limits.period + steps[i].pause;
		at = correction(fake.counter,
				EPOCH + (int64_t)(fake.counter - begun) + steps[i].jump_ns, ONE);
		at.status = steps[i].status;
		at.leap = steps[i].leap;
		at.tai_offset_s = steps[i].tai_s;
		cr_assert_eq(writer_publish(&writer, &at), 0);
		cr_assert_eq(page.header.changes, changes + 1, "step %zu", i);
		fake.counter += limits.period;
		at.counter += limits.period;
		at.utc += limits.period * NS;
		writer_publish(&writer, &at);
		cr_assert_eq(page.header.changes, changes + 1, "step %zu again", i);
	}
	changes = page.header.changes;
	writer_status_set(&writer, CHRONOTICK_WRITER_GONE);
	cr_assert_eq(page.header.changes, changes + 1);
	page_invalidate(&page);
	cr_assert_eq(page.header.changes, changes + 2);
}

Test(writer, a_line_that_ends_while_the_next_one_appears_is_told)
{
	struct chronotick_page page = {0};
	struct fake fake = {.counter = 1000 * SECOND};
	struct line_config limits = config();
	struct correction at = correction(fake.counter, EPOCH, ONE);
	struct writer writer;
	uint64_t end;

	writer_init(&writer, &page, &limits, fake_now, &fake);
	cr_assert_eq(writer_publish(&writer, &at), 0);
	end = page.clock[0].anchor + page.clock[0].span;
	/* The second reading, after the publication, is 100 counts before the end. */
	at.utc += (end - 1100 - at.counter) * NS;
	at.counter = end - 1100;
	fake.counter = end - 1100;
	cr_assert_eq(writer_publish(&writer, &at), 0);
	cr_assert_eq(page.header.changes, 3, "a reader may have seen it end");
	cr_assert_gt(page.clock[0].anchor, end - SECOND);
}
