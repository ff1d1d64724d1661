/* SPDX-License-Identifier: MIT */
/* Hand-made intersections. */
#include <errno.h>

#include <criterion/criterion.h>

#include "engine/select.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct select_result result;
static uint64_t apart[SELECT_MAX];

#define SELECT(...)                                                                                \
	({                                                                                         \
		const struct select_interval in[] = {__VA_ARGS__};                                 \
		select_agreement(&result, apart, in, COUNT(in), select_need(COUNT(in), 0));        \
	})

Test(select, one_source_is_its_own_interval)
{
	cr_assert_eq(SELECT({-5, 7}), 0);
	cr_assert_eq(result.lo, -5);
	cr_assert_eq(result.hi, 7);
	cr_assert_eq(result.depth, 1);
	cr_assert(!apart[0]);
}

Test(select, two_sources_must_both_agree)
{
	cr_assert_eq(SELECT({0, 10}, {4, 20}), 0);
	cr_assert_eq(result.lo, 4);
	cr_assert_eq(result.lo_from, 1);
	cr_assert_eq(result.hi, 10);
	cr_assert_eq(result.hi_from, 0);
	cr_assert_eq(SELECT({0, 10}, {11, 20}), -ENOENT);
	cr_assert_eq(result.depth, 1);
	cr_assert(apart[0] && apart[1]);
}

Test(select, intervals_are_closed)
{
	cr_assert_eq(SELECT({0, 10}, {10, 20}), 0);
	cr_assert_eq(result.lo, 10);
	cr_assert_eq(result.hi, 10);
	cr_assert(!apart[0] && !apart[1]);
}

Test(select, two_of_three)
{
	cr_assert_eq(SELECT({0, 10}, {50, 60}, {5, 15}), 0);
	cr_assert_eq(result.lo, 5);
	cr_assert_eq(result.hi, 10);
	cr_assert(!apart[0] && apart[1] && !apart[2]);
}

/* Either neighbour may be the false one, so the answer is the hull of both agreements. */
Test(select, a_chain_of_three_gives_the_hull)
{
	cr_assert_eq(SELECT({0, 10}, {8, 22}, {20, 30}), 0);
	cr_assert_eq(result.lo, 8);
	cr_assert_eq(result.hi, 22);
	cr_assert(!apart[0] && !apart[1] && !apart[2]);
}

Test(select, two_of_five_false)
{
	cr_assert_eq(SELECT({0, 10}, {100, 110}, {2, 12}, {103, 105}, {4, 14}), 0);
	cr_assert_eq(result.lo, 4);
	cr_assert_eq(result.hi, 10);
	cr_assert_eq(result.depth, 3);
	cr_assert(!apart[0] && apart[1] && !apart[2] && apart[3] && !apart[4]);
}

Test(select, three_of_five_false_apart_are_refused)
{
	cr_assert_eq(SELECT({0, 10}, {100, 110}, {2, 12}, {200, 205}, {300, 314}), -ENOENT);
	cr_assert_eq(result.depth, 2);
}

Test(select, four_of_eight_are_no_majority)
{
	cr_assert_eq(SELECT({0, 9}, {1, 9}, {2, 9}, {3, 9}, {50, 51}, {60, 61}, {70, 71}, {80, 81}),
		     -ENOENT);
	cr_assert_eq(result.depth, 4);
}

Test(select, three_of_eight_false)
{
	cr_assert_eq(SELECT({0, 9}, {1, 9}, {2, 9}, {3, 9}, {4, 8}, {60, 61}, {70, 71}, {80, 81}),
		     0);
	cr_assert_eq(result.lo, 4);
	cr_assert_eq(result.hi, 8);
	cr_assert(apart[5] && apart[6] && apart[7]);
}

static int dice(uint64_t *state, int sides)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (int)(*state >> 33) % sides;
}

/* Whatever the intervals: if more than half contain the truth, so does the selected one. */
Test(select, keeps_its_promise_on_random_intervals)
{
	struct select_interval in[SELECT_MAX];
	uint64_t state = 42;
	int trial, i;

	for (trial = 0; trial < 20000; trial++) {
		unsigned int right = 0;
		int count;

		count = 1 + dice(&state, 9);
		for (i = 0; i < count; i++) {
			in[i].lo = dice(&state, 40) - 25;
			in[i].hi = in[i].lo + dice(&state, 30);
			right += in[i].lo <= 0 && in[i].hi >= 0;
		}
		if (2 * right <= (unsigned int)count)
			continue;
		cr_assert_eq(select_agreement(&result, apart, in, (unsigned int)count,
					      select_need((unsigned int)count, 0)),
			     0);
		cr_assert(result.lo <= 0 && result.hi >= 0);
		cr_assert(result.depth >= right);
	}
}

Test(select, those_not_heard_may_be_the_right_ones)
{
	static const struct select_interval in[] = {{0, 10}, {9, 12}};

	/* Of three, one may be false: it may be either of the two that are heard. */
	cr_assert_eq(select_need(2, 1), 1);
	cr_assert_eq(select_agreement(&result, apart, in, 2, 1), 0);
	cr_assert_eq(result.lo, 0);
	cr_assert_eq(result.hi, 12);
	cr_assert_eq(result.depth, 2);

	cr_assert_eq(select_need(1, 0), 1);
	cr_assert_eq(select_need(2, 0), 2);
	cr_assert_eq(select_need(3, 0), 2);
	cr_assert_eq(select_need(4, 0), 3);
	cr_assert_eq(select_need(8, 0), 5);
	cr_assert_eq(select_need(1, 2), 0);
	cr_assert_eq(select_need(3, 2), 1);
	cr_assert_eq(select_need(4, 1), 2);
}

Test(select, takes_extreme_and_many_intervals)
{
	struct select_interval in[SELECT_MAX];
	int i;

	for (i = 0; i < SELECT_MAX; i++)
		in[i] = (struct select_interval){i % 2 ? INT64_MIN : -i, i % 2 ? i : INT64_MAX};
	cr_assert_eq(select_agreement(&result, apart, in, SELECT_MAX, select_need(SELECT_MAX, 0)),
		     0);
	/* All share [0, 1]; 33 of the 64 share more. */
	cr_assert_eq(result.lo, -62);
	cr_assert_eq(result.hi, 63);
	cr_assert_eq(result.depth, SELECT_MAX);
}
