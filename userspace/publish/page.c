/* SPDX-License-Identifier: MIT */
#include "publish/page.h"

#include <linux/futex.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CHRONOTICK_HEADER_ONLY
#define CHRONOTICK_HEADER_ONLY
#endif
#include <chronotick/chronotick.h>

#define store(where, value) __atomic_store_n((where), (value), __ATOMIC_RELAXED)
#define load(where) __atomic_load_n((where), __ATOMIC_RELAXED)

enum {
	RECORD_WORDS = sizeof(struct chronotick_record) / sizeof(uint64_t),
	/* The word that the sequence number shares with the confidence */
	RECORD_SEQUENCE_WORD =
		offsetof(struct chronotick_record, sequence_number) / sizeof(uint64_t),
};

/* Odd, between two release fences: after all that was stored before, before all that follows. */
static void sequence_begin(__u32 *seq)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
	store(seq, load(seq) | 1);
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

/* Even, after all that was stored before. */
static void sequence_end(__u32 *seq)
{
	__atomic_store_n(seq, load(seq) + 1, __ATOMIC_RELEASE);
}

void page_line_begin(struct chronotick_clock *line)
{
	sequence_begin(&line->seq);
}

void page_line_fill(struct chronotick_clock *line, const struct chronotick_clock *next)
{
	store(&line->bound_ns, next->bound_ns);
	store(&line->state, next->state);
	store(&line->anchor, next->anchor);
	store(&line->span, next->span);
	store(&line->mult, next->mult);
	store(&line->growth, next->growth);
	store(&line->utc_ns, next->utc_ns);
	store(&line->utc_frac, next->utc_frac);
}

void page_line_end(struct chronotick_clock *line)
{
	sequence_end(&line->seq);
}

void page_line_write(struct chronotick_clock *line, const struct chronotick_clock *next)
{
	page_line_begin(line);
	page_line_fill(line, next);
	page_line_end(line);
}

void page_line_read(struct chronotick_clock *ret, const struct chronotick_clock *line)
{
	ret->seq = load(&line->seq);
	ret->bound_ns = load(&line->bound_ns);
	ret->state = load(&line->state);
	ret->anchor = load(&line->anchor);
	ret->span = load(&line->span);
	ret->mult = load(&line->mult);
	ret->growth = load(&line->growth);
	ret->utc_ns = load(&line->utc_ns);
	ret->utc_frac = load(&line->utc_frac);
}

void page_clock_write(struct chronotick_page *page, const struct chronotick_clock *next)
{
	page_line_write(&page->clock[0], next);
	page_line_write(&page->clock[1], next);
}

void page_generation_write(struct chronotick_page *page, uint32_t generation, uint64_t start)
{
	store(&page->header.generation, generation);
	store(&page->header.generation_start, start);
}

void page_change_tell(struct chronotick_page *page)
{
	__u32 *changes = &page->header.changes;

	__atomic_store_n(changes, load(changes) + 1, __ATOMIC_RELEASE);
	/* Shared, not private: the waiters are other processes. Nobody waiting is no error. */
	syscall(SYS_futex, changes, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* The words of a record that is odd, all but the sequence number */
static void record_fill(struct chronotick_record *record, const struct chronotick_record *next)
{
	uint64_t words[RECORD_WORDS], *to = (uint64_t *)(void *)record;
	uint32_t confidence;
	int i;

	memcpy(words, next, sizeof(words));
	memcpy(&confidence, &next->confidence, sizeof(confidence));
	for (i = 0; i < RECORD_WORDS; i++)
		if (i != RECORD_SEQUENCE_WORD)
			store(&to[i], words[i]);
	store((uint32_t *)(void *)&record->confidence, confidence);
}

static void record_end(struct chronotick_record *record)
{
	/* Readers take the number 0 for "never written": it is passed over. */
	if (record->sequence_number == UINT32_MAX)
		__atomic_store_n(&record->sequence_number, 2, __ATOMIC_RELEASE);
	else
		sequence_end(&record->sequence_number);
}

static void record_write(struct chronotick_record *record, const struct chronotick_record *next)
{
	sequence_begin(&record->sequence_number);
	record_fill(record, next);
	record_end(record);
}

/* The inverse of chronotick_record_from_python() */
static void record_to_python(struct chronotick_record *record)
{
	double prediction_time = record->prediction_time;

	record->prediction_time = record->offset_correction;
	record->offset_correction = record->drift_rate;
	record->drift_rate = record->offset_uncertainty;
	record->offset_uncertainty = record->drift_uncertainty;
	record->drift_uncertainty = prediction_time;
}

/* A record in the document's order as the page has it at offset 0 */
static struct chronotick_record record_arranged(const struct chronotick_page *page,
						const struct chronotick_record *record)
{
	struct chronotick_record ret = *record;

	if (page->header.record_order == CHRONOTICK_ORDER_PYTHON)
		record_to_python(&ret);
	return ret;
}

void page_record_write(struct chronotick_page *page, const struct chronotick_record *next)
{
	struct chronotick_record first = record_arranged(page, next);

	record_write(&page->record, &first);
	record_write(&page->record_shadow, next);
}

void page_record_order_set(struct chronotick_page *page, uint32_t order)
{
	struct chronotick_record *record = &page->record, first;

	if (page->header.record_order == order)
		return;
	sequence_begin(&record->sequence_number);
	store(&page->header.record_order, order);
	first = record_arranged(page, &page->record_shadow);
	record_fill(record, &first);
	/* A record that was never written stays one: readers tell it by the number 0. */
	if (page->record_shadow.sequence_number)
		record_end(record);
	else
		__atomic_store_n(&record->sequence_number, 0, __ATOMIC_RELEASE);
}

/* Do the lines hold the same? Their sequences may differ. */
static bool lines_equal(const struct chronotick_clock *a, const struct chronotick_clock *b)
{
	return a->bound_ns == b->bound_ns && a->state == b->state && a->anchor == b->anchor &&
	       a->span == b->span && a->mult == b->mult && a->growth == b->growth &&
	       a->utc_ns == b->utc_ns && a->utc_frac == b->utc_frac;
}

/* No line can be trusted: a line without a time, in a generation that nobody has seen. */
static void lines_lose(struct chronotick_page *page)
{
	struct chronotick_clock none = {0};
	uint32_t generation = load(&page->header.generation) + 1;

	none.state =
		CHRONOTICK_STATE(generation, CHRONOTICK_UNSYNCHRONIZED, CHRONOTICK_TAI_UNKNOWN);
	page_generation_write(page, generation, load(&page->header.generation_start));
	page_clock_write(page, &none);
}

static enum page_repair lines_repair(struct chronotick_page *page)
{
	struct chronotick_clock line[2];

	page_line_read(&line[0], &page->clock[0]);
	page_line_read(&line[1], &page->clock[1]);
	if (!(line[0].seq & 1)) {
		if (!(line[1].seq & 1) && lines_equal(&line[0], &line[1]))
			return PAGE_WHOLE;
		page_line_write(&page->clock[1], &line[0]);
		return PAGE_REPAIRED;
	}
	if (!(line[1].seq & 1)) {
		page_line_write(&page->clock[0], &line[1]);
		return PAGE_REPAIRED;
	}
	lines_lose(page);
	return PAGE_LOST;
}

static bool records_equal(const struct chronotick_record *a, const struct chronotick_record *b)
{
	struct chronotick_record copy = *a;

	copy.sequence_number = b->sequence_number;
	return memcmp(&copy, b, sizeof(copy)) == 0;
}

/* The same for the records; where none is whole, one without flags and confidence is left. */
static enum page_repair records_repair(struct chronotick_page *page)
{
	uint32_t order = page->header.record_order;
	/* Of an order that this writer does not know: good for nothing */
	bool strange = order > CHRONOTICK_ORDER_PYTHON;
	bool torn = page->record.sequence_number & 1 || strange;
	bool shadow_torn = page->record_shadow.sequence_number & 1;
	struct chronotick_record copy, first;

	if (strange) {
		sequence_begin(&page->record.sequence_number);
		store(&page->header.record_order, CHRONOTICK_ORDER_DOCUMENT);
	}
	copy = torn ? page->record_shadow : page->record;
	if (!torn && order == CHRONOTICK_ORDER_PYTHON)
		chronotick_record_from_python(&copy);
	if (torn && shadow_torn) {
		memset(&copy, 0, sizeof(copy));
		page_record_write(page, &copy);
		return PAGE_LOST;
	}
	if (torn) {
		first = record_arranged(page, &copy);
		record_write(&page->record, &first);
		return PAGE_REPAIRED;
	}
	if (!shadow_torn && records_equal(&page->record_shadow, &copy))
		return PAGE_WHOLE;
	record_write(&page->record_shadow, &copy);
	return PAGE_REPAIRED;
}

enum page_repair page_repair(struct chronotick_page *page)
{
	enum page_repair lines = lines_repair(page);
	enum page_repair records = records_repair(page);

	if (lines == PAGE_WHOLE && records != PAGE_WHOLE)
		return PAGE_REPAIRED;
	return lines;
}

void page_invalidate(struct chronotick_page *page)
{
	struct chronotick_record record = page->record_shadow;
	struct chronotick_clock line;

	page_line_read(&line, &page->clock[0]);
	line.span = 0;
	line.state = CHRONOTICK_STATE(CHRONOTICK_STATE_GENERATION(line.state),
				      CHRONOTICK_WRITER_GONE, CHRONOTICK_TAI_UNKNOWN);
	page_clock_write(page, &line);
	record.flags = 0;
	record.confidence = 0;
	page_record_write(page, &record);
	page_change_tell(page);
}
