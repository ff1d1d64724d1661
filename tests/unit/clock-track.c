/* SPDX-License-Identifier: MIT */
/* A system clock against the counter, stamp by stamp */
#include <errno.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "chronotick_page.h"
#include "timestamping/clock_track.h"

#define SECOND 1000000000LL
#define UTC 1750000000000000000LL
#define ERROR_NS 40

/* A count is a nanosecond. */
static const struct counter counter = {.mult = 1ULL << CHRONOTICK_MULT_SHIFT, .hz = 1000000000};

static struct clock_track track;
static int64_t step_ns;

/* The clock runs 50 ppm fast against the counter. */
static int64_t clock_at(int64_t ns)
{
	return UTC + step_ns + ns + ns * 50 / 1000000;
}

static int take(int64_t ns)
{
	const struct cross cross = {(uint64_t)ns, clock_at(ns), ERROR_NS};

	return clock_track_take(&track, &counter, &cross);
}

static void setup(void)
{
	track = (struct clock_track){0};
	step_ns = 0;
}

TestSuite(clock_track, .init = setup);

Test(clock_track, needs_some_time_to_know_the_rate)
{
	cr_expect_eq(take(SECOND), -EAGAIN);
	cr_expect_eq(take(SECOND + 100000000), -EAGAIN);
	cr_expect_eq(take(SECOND + 300000000), -EAGAIN);
	cr_expect_eq(take(SECOND + 400000000), 0);
}

/* The stamp was taken 30 us before the cross-timestamp. */
Test(clock_track, a_stamp_comes_to_the_counter_with_its_error)
{
	uint64_t at;
	int64_t error, i;

	for (i = 0; i < 50; i++) {
		int64_t now = SECOND + i * SECOND / 8;
		int r = take(now);

		if (i < 4)
			continue;
		cr_assert_eq(r, 0);
		cr_assert_eq(clock_track_at(&track, &counter, clock_at(now - 30000), &at, &error),
			     0);
		cr_expect_leq(llabs((int64_t)at - (now - 30000)), error);
		cr_expect_leq(error, 2 * ERROR_NS + 30 + 10);
	}
	cr_expect_eq(clock_track_at(&track, &counter, UTC - SECOND, &at, &error), -ERANGE);
	cr_expect_eq(clock_track_at(&track, &counter, INT64_MIN, &at, &error), -ERANGE);
}

Test(clock_track, a_step_is_noticed_and_a_small_one_is_in_the_error)
{
	uint64_t at;
	int64_t error, now = SECOND, before;
	unsigned int i;

	for (i = 0; i < 20; i++)
		take(now += SECOND / 8);
	/* The stamp was taken, then the clock stepped by 500 ns. */
	before = clock_at(now + SECOND / 8 - 30000);
	step_ns = 500;
	cr_assert_eq(take(now += SECOND / 8), 0);
	cr_assert_eq(clock_track_at(&track, &counter, before, &at, &error), 0);
	cr_expect_leq(llabs((int64_t)at - (now - 30000)), error);
	step_ns = -1000000;
	cr_expect_eq(take(now += SECOND / 8), -ESTALE);
	cr_expect_eq(take(now += SECOND / 8), -EAGAIN);
	take(now += SECOND / 8);
	cr_expect_eq(take(now += SECOND / 8), 0);
}

Test(clock_track, a_long_silence_is_a_new_beginning)
{
	unsigned int i;

	for (i = 0; i < 20; i++)
		take(SECOND + i * SECOND / 8);
	cr_expect_eq(take(100 * SECOND), -ESTALE);
	cr_expect_eq(take(100 * SECOND + SECOND / 2), -EAGAIN);
}
