/* SPDX-License-Identifier: MIT */
/* What is made of intervals: their order, TAI, a bound of the caller's own, and batches. */
#include <string.h>

#include "support/fixture.h"

_Static_assert(sizeof(struct chronotick_interval) == 32, "the interval's size is in the ABI");
_Static_assert(offsetof(struct chronotick_interval, generation) == 24, "generation");
_Static_assert(offsetof(struct chronotick_interval, status) == 28, "status");
_Static_assert(offsetof(struct chronotick_interval, tai_offset_s) == 30, "tai_offset_s");
_Static_assert(sizeof(struct chronotick_tai) == 24, "TAI's size is in the ABI");
_Static_assert(sizeof(struct chronotick_change) == 12, "compared as bytes: without padding");

static struct chronotick_interval interval(int64_t earliest_ns, int64_t latest_ns,
					   uint32_t generation, int tai_s)
{
	return (struct chronotick_interval){
		.earliest_ns = earliest_ns,
		.utc_ns = earliest_ns / 2 + latest_ns / 2,
		.latest_ns = latest_ns,
		.generation = generation,
		.status = CHRONOTICK_SYNCHRONIZED,
		.tai_offset_s = (int16_t)tai_s,
	};
}

static void ordered(struct chronotick_interval a, struct chronotick_interval b,
		    enum chronotick_order expected)
{
	cr_assert_eq(chronotick_compare(&a, &b), expected);
	cr_assert_eq(chronotick_compare(&b, &a), -(int)expected);
	cr_assert_eq(chronotick_compare(&a, &a), CHRONOTICK_OVERLAP);
	cr_assert_eq(chronotick_compare(&b, &b), CHRONOTICK_OVERLAP);
}

Test(compare, only_what_is_apart_is_ordered)
{
	const int none = CHRONOTICK_TAI_UNKNOWN;

	ordered(interval(100, 200, 1, none), interval(201, 300, 1, none), CHRONOTICK_BEFORE);
	ordered(interval(100, 200, 1, none), interval(200, 300, 1, none), CHRONOTICK_OVERLAP);
	ordered(interval(100, 200, 1, none), interval(120, 130, 1, none), CHRONOTICK_OVERLAP);
	ordered(interval(100, 200, 1, 37), interval(201, 300, 1, 37), CHRONOTICK_BEFORE);
	ordered(interval(100, 200, 1, 37), interval(200, 300, 1, 37), CHRONOTICK_OVERLAP);
}

Test(compare, a_leap_second_counts_where_tai_is_known)
{
	/* 0.9 s into the inserted second POSIX time reads what it does 0.9 s into the next one. */
	struct chronotick_interval in = interval(SECOND - 1000, SECOND - 900, 1, 37);
	struct chronotick_interval next = interval(SECOND - 2000, SECOND - 1900, 2, 38);

	ordered(in, next, CHRONOTICK_BEFORE);
	next.earliest_ns -= SECOND; /* [-0.000002 s, ...], but a second later than it reads */
	ordered(in, next, CHRONOTICK_OVERLAP);
	next.latest_ns -= SECOND;
	ordered(in, next, CHRONOTICK_AFTER);
}

Test(compare, generations_without_tai_may_be_a_second_off)
{
	const int none = CHRONOTICK_TAI_UNKNOWN;

	ordered(interval(100, 200, 1, none), interval(SECOND + 200, SECOND + 300, 2, none),
		CHRONOTICK_OVERLAP);
	ordered(interval(100, 200, 1, none), interval(SECOND + 201, SECOND + 300, 2, none),
		CHRONOTICK_BEFORE);
	ordered(interval(100, 200, 1, 37), interval(SECOND + 200, SECOND + 300, 2, none),
		CHRONOTICK_OVERLAP);
	ordered(interval(100, 200, 1, 37), interval(201, 300, 2, 37), CHRONOTICK_BEFORE);
}

Test(compare, what_is_not_trusted_is_in_no_order)
{
	struct chronotick_interval at = interval(100, 200, 1, 37);
	struct chronotick_interval wide = interval(INT64_MIN, INT64_MAX, 1, 20);
	struct chronotick_interval mad = interval(300, 50, 1, 37);

	ordered(at, wide, CHRONOTICK_OVERLAP);
	wide.tai_offset_s = 32767;
	ordered(at, wide, CHRONOTICK_OVERLAP);
	wide.tai_offset_s = -32767;
	wide.generation = 9;
	ordered(at, wide, CHRONOTICK_OVERLAP);
	/* Wherever the other one is: a deadline that never comes, a time that always was */
	wide.tai_offset_s = 20;
	ordered(interval(INT64_MAX - 1, INT64_MAX - 1, 1, 37), wide, CHRONOTICK_OVERLAP);
	ordered(interval(INT64_MAX, INT64_MAX, 1, 37), wide, CHRONOTICK_OVERLAP);
	wide.tai_offset_s = 40;
	ordered(interval(INT64_MIN + 1, INT64_MIN + 1, 1, 37), wide, CHRONOTICK_OVERLAP);
	ordered(interval(INT64_MIN, INT64_MIN, 1, 37), wide, CHRONOTICK_OVERLAP);
	cr_assert_eq(chronotick_compare(&at, &mad), CHRONOTICK_OVERLAP);
	cr_assert_eq(chronotick_compare(&mad, &mad), CHRONOTICK_OVERLAP);
}

Test(tai, is_utc_and_the_offset_of_the_same_read)
{
	struct chronotick_interval utc = interval(SECOND, SECOND + 10, 3, 37);
	struct chronotick_tai tai;

	cr_assert_eq(chronotick_interval_tai(&utc, &tai), 0);
	cr_assert_eq(tai.earliest_ns, 38 * SECOND);
	cr_assert_eq(tai.tai_ns, 38 * SECOND + 5);
	cr_assert_eq(tai.latest_ns, 38 * SECOND + 10);
	utc.tai_offset_s = -10;
	cr_assert_eq(chronotick_interval_tai(&utc, &tai), 0);
	cr_assert_eq(tai.earliest_ns, -9 * SECOND);
}

Test(tai, unknown_is_told_and_gives_the_widest_interval)
{
	struct chronotick_interval utc = interval(1, 2, 3, CHRONOTICK_TAI_UNKNOWN);
	struct chronotick_tai tai;

	memset(&tai, 0x55, sizeof(tai));
	cr_assert_eq(chronotick_interval_tai(&utc, &tai), -ENODATA);
	cr_assert_eq(tai.earliest_ns, INT64_MIN);
	cr_assert_eq(tai.latest_ns, INT64_MAX);
	cr_assert_eq(tai.tai_ns, 0);
	/* No trust in UTC, so none in TAI: the ends stay where they are. */
	utc = interval(INT64_MIN, INT64_MAX, 3, 37);
	cr_assert_eq(chronotick_interval_tai(&utc, &tai), 0);
	cr_assert_eq(tai.earliest_ns, INT64_MIN);
	cr_assert_eq(tai.latest_ns, INT64_MAX);
}

/* A line with a bound of 1000 ns, and growth of 1 ppm on either side of its anchor */
static void batch_page(struct fixture *f, uint64_t anchor)
{
	page_make(f, native_kind());
	line_make(&f->page->clock[0], anchor);
	f->page->clock[1] = f->page->clock[0];
	f->page->header.generation_start = anchor - 4 * SECOND;
	open_page(f);
}

Test(within, wider_than_the_caller_allows_is_told_and_still_holds)
{
	struct chronotick_interval at, plain;
	uint64_t anchor = 100ULL * SECOND;
	struct fixture f;

	batch_page(&f, anchor);
	cr_assert_eq(chronotick_at_within(f.ct, anchor, 1000, &at), 0);
	cr_assert_eq(chronotick_at_within(f.ct, anchor, 999, &at), -EOVERFLOW);
	cr_assert_eq(chronotick_at(f.ct, anchor, &plain), 0);
	cr_assert_eq(memcmp(&at, &plain, sizeof(at)), 0, "the interval is as it is");
	cr_assert_eq(chronotick_at_within(f.ct, anchor, -1, &at), -EOVERFLOW);
	cr_assert_eq(chronotick_at_within(f.ct, anchor, INT64_MIN, &at), -EOVERFLOW);
	cr_assert_eq(chronotick_at_within(f.ct, anchor, INT64_MAX, &at), 0);
	/* No trust is told first. */
	cr_assert_eq(chronotick_at_within(f.ct, anchor + 21 * SECOND, 0, &at), -ESTALE);
	cr_assert_eq(chronotick_at_within(f.ct, anchor - 5 * SECOND, 0, &at), -ERANGE);
	f.page->clock[0].anchor = chronotick_counter(f.ct);
	cr_assert_eq(chronotick_now_within(f.ct, SECOND, &at), 0);
	cr_assert_eq(chronotick_now_within(f.ct, 999, &at), -EOVERFLOW);
	cr_assert_geq(at.latest_ns - at.utc_ns, 1000);
	page_drop(&f);
}

Test(batch, answers_as_one_by_one)
{
	enum { COUNT = 64 };
	struct chronotick_interval many[COUNT], one;
	uint64_t anchor = 100ULL * SECOND, counters[COUNT];
	int results[COUNT], first = 0, r, i;
	unsigned int seen = 0;
	struct fixture f;

	batch_page(&f, anchor);
	for (i = 0; i < COUNT; i++)
		counters[i] = anchor + (uint64_t)(i - 8) * SECOND + (uint64_t)i * 77777;
	counters[60] = 0;
	counters[61] = UINT64_MAX;
	counters[62] = anchor;
	counters[63] = anchor + f.page->clock[0].span;
	memset(many, 0x55, sizeof(many));
	r = chronotick_at_batch(f.ct, counters, COUNT, many, results);
	for (i = 0; i < COUNT; i++) {
		int expected;

		memset(&one, 0x55, sizeof(one));
		expected = chronotick_at(f.ct, counters[i], &one);
		cr_assert_eq(results[i], expected, "element %d", i);
		cr_assert_eq(memcmp(&many[i], &one, sizeof(one)), 0, "element %d", i);
		if (!first)
			first = expected;
		seen |= expected == 0 ? 1 : expected == -ERANGE ? 2 : expected == -ESTALE ? 4 : 8;
	}
	cr_assert_eq(seen, 7, "the values are of every kind");
	cr_assert_eq(r, first);
	/* The bound grows on both sides: 4 s and 4 s are 2 us each. */
	counters[0] = anchor - 4 * SECOND;
	counters[1] = anchor + 4 * SECOND;
	cr_assert_eq(chronotick_at_batch(f.ct, counters, 2, many, NULL), 0);
	cr_assert_eq(many[0].latest_ns - many[0].utc_ns, many[1].latest_ns - many[1].utc_ns);
	cr_assert_eq(many[0].latest_ns - many[0].utc_ns, 1000 + 1999);
	cr_assert_eq(many[1].utc_ns - many[0].utc_ns, 4 * SECOND);
	cr_assert_eq(chronotick_at_batch(f.ct, NULL, 0, NULL, NULL), 0);
	/* The generation's first count, and the one before it */
	counters[0] = f.page->header.generation_start;
	counters[1] = f.page->header.generation_start - 1;
	cr_assert_eq(chronotick_at_batch(f.ct, counters, 2, many, results), -ERANGE);
	cr_assert_eq(results[0], 0);
	cr_assert_eq(results[1], -ERANGE);
	cr_assert_eq(many[1].latest_ns, INT64_MAX);
	page_drop(&f);
}

Test(batch, ends_where_growth_does)
{
	/* Half a nanosecond a count: two are told as one. */
	uint64_t anchor = 9000ULL * SECOND, back = 2ULL * CHRONOTICK_GROWTH_NS;
	const uint64_t counters[3] = {anchor - back, anchor - back - 1, anchor - back - 2};
	struct chronotick_interval many[3], one;
	int results[3], i;
	struct fixture f;

	batch_page(&f, anchor);
	f.page->header.generation_start = anchor - 2 * back;
	cr_assert_eq(chronotick_at_batch(f.ct, counters, 3, many, results), -ERANGE);
	cr_assert_eq(results[0], 0);
	cr_assert_eq(results[1], 0);
	cr_assert_eq(results[2], -ERANGE);
	for (i = 0; i < 3; i++) {
		cr_assert_eq(chronotick_at(f.ct, counters[i], &one), results[i]);
		cr_assert_eq(memcmp(&many[i], &one, sizeof(one)), 0, "element %d", i);
	}
	page_drop(&f);
}

Test(batch, no_line_and_no_trust)
{
	struct chronotick_interval many[2];
	uint64_t counters[2] = {1000, 2000}, torn;
	int results[2];
	struct fixture f;

	batch_page(&f, 1000);
	f.page->clock[0].span = 0;
	cr_assert_eq(chronotick_at_batch(f.ct, counters, 2, many, results), -ESTALE);
	cr_assert_eq(results[0], -ESTALE, "the anchor itself, with a span of 0");
	cr_assert_eq(many[1].latest_ns, INT64_MAX);
	f.page->clock[0].seq = 3;
	torn = chronotick_torn_reads();
	cr_assert_eq(chronotick_at_batch(f.ct, counters, 2, many, results), 0, "the shadow");
	cr_assert_eq(chronotick_torn_reads(), torn + 1);
	f.page->clock[1].seq = 3;
	memset(many, 0x55, sizeof(many));
	cr_assert_eq(chronotick_at_batch(f.ct, counters, 2, many, results), -ESTALE);
	cr_assert_eq(results[0], -ESTALE);
	cr_assert_eq(results[1], -ESTALE);
	cr_assert_eq(many[1].earliest_ns, INT64_MIN);
	cr_assert_eq(many[1].latest_ns, INT64_MAX);
	cr_assert_eq(many[1].utc_ns, 0);
	cr_assert_eq(many[1].tai_offset_s, CHRONOTICK_TAI_UNKNOWN);
	page_drop(&f);
}

Test(batch, a_foreign_counter_is_no_exception)
{
	struct chronotick_interval at;
	uint64_t counter = 2000;
	struct fixture f;

	page_make(&f, CHRONOTICK_COUNTER_MONOTONIC_RAW);
	line_make(&f.page->clock[0], 1000);
	open_page(&f);
	cr_assert_eq(chronotick_at_batch(f.ct, &counter, 1, &at, NULL), 0);
	cr_assert_eq(at.utc_ns, 1700000000 * SECOND + 500);
	page_drop(&f);
}
