/* SPDX-License-Identifier: MIT */
/* Cross-timestamps: the line through two of them, its error, and when there is none. */
#include <errno.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "chronotick_page.h"
#include "timestamping/cross.h"

#define MS 1000000LL
#define S 1000000000LL

static const struct counter raw = {.kind = CHRONOTICK_COUNTER_MONOTONIC_RAW,
				   .step = 1,
				   .hz = 1000000000,
				   .mult = 1ULL << CHRONOTICK_MULT_SHIFT};

Test(cross, read)
{
	struct counter counter;
	struct cross first, second;
	uint64_t before, after;

	cr_assert_eq(counter_init(&counter, CHRONOTICK_COUNTER_NONE), 0);
	before = counter_read(&counter);
	cr_assert_eq(cross_read(&first, &counter, CLOCK_REALTIME), 0);
	cr_assert_eq(cross_read(&second, &counter, CLOCK_MONOTONIC), 0);
	after = counter_read(&counter);
	cr_assert(first.counter >= before && second.counter >= first.counter);
	cr_assert(after >= second.counter);
	cr_assert(first.error_ns > 0 && second.error_ns > 0);
	cr_assert(first.system_ns > 1500000000 * S);
	cr_assert_eq(cross_read(&first, &counter, (clockid_t)12345), -EINVAL);
}

/* The counter itself is the clock: then counter and time are the same, within the error. */
Test(cross, read_tells_its_error)
{
	unsigned int i;

	for (i = 0; i < 1000; i++) {
		struct cross cross;

		cr_assert_eq(cross_read(&cross, &raw, CLOCK_MONOTONIC_RAW), 0);
		cr_assert(llabs((int64_t)cross.counter - cross.system_ns) <= cross.error_ns);
	}
}

/* A clock that is 100 ppm fast against the counter, and 5 s ahead */
Test(cross, between)
{
	struct cross before = {.counter = 10 * S, .system_ns = 15 * S, .error_ns = 30};
	struct cross after = {.counter = 11 * S, .system_ns = 16 * S + 100000, .error_ns = 50};
	uint64_t at;
	int64_t error;

	cr_assert_eq(cross_counter_at(&before, &after, &raw, 15 * S, &at, &error), 0);
	cr_assert_eq(at, 10 * S);
	cr_assert_eq(error, 31 + 100000);
	cr_assert_eq(cross_counter_at(&before, &after, &raw, 16 * S + 100000, &at, &error), 0);
	cr_assert_eq(at, 11 * S);
	cr_assert_eq(error, 51 + 100000);

	/* A fifth of the way, and the same from the other end */
	cr_assert_eq(cross_counter_at(&before, &after, &raw, 15 * S + 200 * MS, &at, &error), 0);
	cr_assert(llabs((int64_t)at - (10 * S + 200 * MS - 19998)) <= 1);
	cr_assert_eq(error, 30 + 200000 + 100000 + 1);
	cr_assert_eq(cross_counter_at(&before, &after, &raw, 15 * S + 800 * MS, &at, &error), 0);
	cr_assert(llabs((int64_t)at - (10 * S + 800 * MS - 79992)) <= 1);
	cr_assert_eq(error, 50 + 200100 + 100000 + 1);
}

Test(cross, outside)
{
	struct cross before = {.counter = 10 * S, .system_ns = 15 * S, .error_ns = 30};
	struct cross after = {.counter = 11 * S, .system_ns = 16 * S, .error_ns = 30};
	uint64_t at;
	int64_t error;

	cr_assert_eq(cross_counter_at(&before, &after, &raw, 14 * S, &at, &error), 0);
	cr_assert_eq(at, 9 * S);
	cr_assert_eq(error, 30 + MS + 1);
	cr_assert_eq(cross_counter_at(&before, &after, &raw, 17 * S, &at, &error), 0);
	cr_assert_eq(at, 12 * S);
	cr_assert_eq(cross_counter_at(&before, &after, &raw, 14 * S - 1, &at, &error), -ERANGE);
	cr_assert_eq(cross_counter_at(&before, &after, &raw, 17 * S + 1, &at, &error), -ERANGE);
}

/* Two that are 1 us apart and may err by 100 ns each have no slope worth following. */
Test(cross, close_together)
{
	struct cross before = {.counter = 10 * S, .system_ns = 15 * S, .error_ns = 100};
	struct cross after = {
		.counter = 10 * S + 1000, .system_ns = 15 * S + 1150, .error_ns = 100};
	uint64_t at;
	int64_t error;

	cr_assert_eq(cross_counter_at(&before, &after, &raw, 15 * S + MS, &at, &error), 0);
	cr_assert_eq(at, 10 * S + 1000 + MS - 1150);
	after = before;
	cr_assert_eq(cross_counter_at(&before, &after, &raw, 15 * S - 7, &at, &error), 0);
	cr_assert_eq(at, 10 * S - 7);
}

Test(cross, stepped)
{
	struct cross before = {.counter = 10 * S, .system_ns = 15 * S, .error_ns = 30};
	struct cross after = {.counter = 11 * S, .system_ns = 16 * S + MS, .error_ns = 30};
	uint64_t at;
	int64_t error;

	/* 1,000 ppm is the limit, errors apart. */
	cr_assert_eq(cross_counter_at(&before, &after, &raw, 15 * S, &at, &error), 0);
	after.system_ns += 62;
	cr_assert_eq(cross_counter_at(&before, &after, &raw, 15 * S, &at, &error), -ESTALE);
	after.system_ns = 16 * S - MS;
	cr_assert_eq(cross_counter_at(&before, &after, &raw, 15 * S, &at, &error), 0);
	after.system_ns -= 62;
	cr_assert_eq(cross_counter_at(&before, &after, &raw, 15 * S, &at, &error), -ESTALE);

	/* Back before the start, far into the future, and in the wrong order */
	after.system_ns = 14 * S;
	cr_assert_eq(cross_counter_at(&before, &after, &raw, 15 * S, &at, &error), -ESTALE);
	after.system_ns = INT64_MAX;
	cr_assert_eq(cross_counter_at(&before, &after, &raw, 15 * S, &at, &error), -ESTALE);
	after.system_ns = INT64_MIN;
	cr_assert_eq(cross_counter_at(&before, &after, &raw, 15 * S, &at, &error), -ESTALE);
	after.system_ns = 16 * S;
	cr_assert_eq(cross_counter_at(&after, &before, &raw, 15 * S, &at, &error), -ESTALE);
}

/* A step that is no greater than a slew could be, right after the first or before the second */
Test(cross, small_step)
{
	struct cross before = {.counter = 10 * S, .system_ns = 15 * S, .error_ns = 30};
	struct cross after = {.counter = 11 * S, .system_ns = 16 * S + 900000, .error_ns = 30};
	uint64_t at;
	int64_t error;

	cr_assert_eq(cross_counter_at(&before, &after, &raw, 15 * S + 900000 + 10000, &at, &error),
		     0);
	cr_assert(llabs((int64_t)at - (10 * S + 10000)) <= error);
	cr_assert_eq(cross_counter_at(&before, &after, &raw, 16 * S - 10000, &at, &error), 0);
	cr_assert(llabs((int64_t)at - (11 * S - 10000)) <= error);
}
