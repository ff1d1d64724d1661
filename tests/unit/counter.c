/* SPDX-License-Identifier: MIT */
/* The counter: what init promises, and the conversions at their edges. */
#include <errno.h>

#include <criterion/criterion.h>

#include "chronotick_page.h"
#include "timestamping/counter.h"

static const struct counter mhz1 = {.kind = CHRONOTICK_COUNTER_MONOTONIC_RAW,
				    .step = 1,
				    .hz = 1000000,
				    .mult = 1000ULL << CHRONOTICK_MULT_SHIFT};
/* 3 counts a nanosecond, rounded down */
static const struct counter ghz3 = {.kind = CHRONOTICK_COUNTER_MONOTONIC_RAW,
				    .step = 1,
				    .hz = 3000000000,
				    .mult = (1ULL << CHRONOTICK_MULT_SHIFT) / 3};

static void check_usable(const struct counter *counter)
{
	uint64_t before, after;

	cr_assert(counter->hz >= 1000000);
	cr_assert(counter->step >= 1);
	cr_assert(counter->mult > 0);
	/* hz and mult tell the same rate: a second is 1e9 ns to the rounding of hz */
	cr_assert(counter_to_ns(counter, counter->hz) >= 999999000);
	cr_assert(counter_to_ns(counter, counter->hz) <= 1000001000);
	before = counter_read(counter);
	after = counter_read(counter);
	cr_assert((int64_t)(after - before) >= 0);
}

Test(counter, best_of_this_machine)
{
	struct counter counter;

	cr_assert_eq(counter_init(&counter, CHRONOTICK_COUNTER_NONE), 0);
	cr_assert_neq(counter.kind, CHRONOTICK_COUNTER_NONE);
	check_usable(&counter);
}

Test(counter, by_name)
{
	uint32_t kinds[] = {CHRONOTICK_COUNTER_TSC, CHRONOTICK_COUNTER_CNTVCT};
	unsigned int i, native = 0;
	struct counter counter;

	cr_assert_eq(counter_init(&counter, CHRONOTICK_COUNTER_MONOTONIC_RAW), 0);
	cr_assert_eq(counter.kind, CHRONOTICK_COUNTER_MONOTONIC_RAW);
	cr_assert_eq(counter.hz, 1000000000);
	cr_assert_eq(counter.mult, 1ULL << CHRONOTICK_MULT_SHIFT);
	check_usable(&counter);

	/* No machine has both of the native ones. */
	for (i = 0; i < 2; i++) {
		int r = counter_init(&counter, kinds[i]);

		cr_assert(r == 0 || r == -ENOTSUP);
		if (r)
			continue;
		native++;
		cr_assert_eq(counter.kind, kinds[i]);
		check_usable(&counter);
	}
	cr_assert(native <= 1);
}

Test(counter, unknown_kind)
{
	struct counter counter;

	cr_assert_eq(counter_init(&counter, 4), -ENOTSUP);
	cr_assert_eq(counter_init(&counter, UINT32_MAX), -ENOTSUP);
}

Test(counter, from_ns)
{
	cr_assert_eq(counter_from_ns(&mhz1, 0), 0);
	cr_assert_eq(counter_from_ns(&mhz1, 1), 1);
	cr_assert_eq(counter_from_ns(&mhz1, 1000), 1);
	cr_assert_eq(counter_from_ns(&mhz1, 1001), 2);
	cr_assert_eq(counter_from_ns(&ghz3, 1), 4); /* the rate is a little below three */
	/* At least the time asked for, and less than one count more */
	cr_assert(counter_to_ns(&ghz3, counter_from_ns(&ghz3, 1000000007)) >= 1000000007);
	cr_assert(counter_to_ns(&ghz3, counter_from_ns(&ghz3, 1000000007) - 1) <= 1000000007);
	cr_assert_eq(counter_from_ns(&mhz1, 1ULL << 62), ((1ULL << 62) + 999) / 1000);
	/* Past what 64 bits hold, it stays at the end. */
	cr_assert_eq(counter_from_ns(&ghz3, UINT64_MAX), UINT64_MAX);
}

Test(counter, to_ns)
{
	cr_assert_eq(counter_to_ns(&mhz1, 0), 0);
	cr_assert_eq(counter_to_ns(&mhz1, 7), 7000);
	cr_assert_eq(counter_to_ns(&ghz3, 1), 1);
	cr_assert_eq(counter_to_ns(&ghz3, 4), 2);
	cr_assert_eq(counter_to_ns(&mhz1, UINT64_MAX), INT64_MAX);
}
