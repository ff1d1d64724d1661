/* SPDX-License-Identifier: MIT */
/* Leap seconds: when, by whose word, what becomes of samples, and the engine across one. */
#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

#include "engine/engine.h"
#include "engine/leap.h"
#include "engine/smear.h"

#define SECOND 1000000000LL
#define NS ((__int128)1 << 64)
#define UNKNOWN CHRONOTICK_TAI_UNKNOWN
#define GROWTH CHRONOTICK_GROWTH_NS

/* Ends of months, UTC */
#define JULY_2015 (1435708800 * SECOND)
#define JANUARY_2017 (1483228800 * SECOND)
#define EXPIRY (1498608000 * SECOND) /* 2017-06-28 */
#define JULY_2017 (1498867200 * SECOND)
#define DECEMBER_2017 (1513000000 * SECOND) /* some day in it */
#define JANUARY_2018 (1514764800 * SECOND)

static const struct leap_table table = {
	.entries = {{1341100800 * SECOND, 35}, {JULY_2015, 36}, {JANUARY_2017, 37}},
	.count = 3,
	.expires_ns = EXPIRY,
};

/* A second is left out at the end of June 2015. */
static const struct leap_table shorter = {
	.entries = {{1341100800 * SECOND, 35}, {JULY_2015, 34}},
	.count = 2,
	.expires_ns = EXPIRY,
};

Test(leap, seconds_come_at_the_ends_of_months)
{
	static const struct {
		int64_t at_s;
		uint16_t leap;
		int64_t end_s;
	} cases[] = {
		{0, CHRONOTICK_LEAP_INSERT, 31 * 86400},
		{1483228799, CHRONOTICK_LEAP_INSERT, 1483228800}, /* 2016-12-31 23:59:59 */
		{1483228800, CHRONOTICK_LEAP_INSERT, 1485907200}, /* 2017-01-01 -> 2017-02-01 */
		{1456704000, CHRONOTICK_LEAP_INSERT, 1456790400}, /* 2016-02-29 -> 2016-03-01 */
		{1435708799, CHRONOTICK_LEAP_DELETE, 1435708799}, /* 2015-06-30 23:59:59 */
		{951782400, CHRONOTICK_LEAP_INSERT, 951868800},   /* 2000-02-29 -> 2000-03-01 */
		{4107456000, CHRONOTICK_LEAP_INSERT, 4107542400}, /* 2100-02-28 -> 2100-03-01 */
		{2085978495, CHRONOTICK_LEAP_INSERT, 2087942400}, /* before NTP's era 1: 2036-02 */
		{2085978497, CHRONOTICK_LEAP_INSERT, 2087942400}, /* within it: 2036-02 */
		{2147483647, CHRONOTICK_LEAP_INSERT, 2148595200}, /* the last s in 31 bits: 2038 */
		{2147483648, CHRONOTICK_LEAP_INSERT, 2148595200},
	};
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_eq(leap_ns(cases[i].at_s * SECOND, cases[i].leap),
			     cases[i].end_s * SECOND, "case %u", i);
	cr_assert_eq(leap_ns(1483228799 * SECOND, 0), INT64_MAX);
	cr_assert_eq(leap_ns(-1, CHRONOTICK_LEAP_INSERT), INT64_MAX);
	cr_assert_eq(leap_ns(INT64_MAX, CHRONOTICK_LEAP_INSERT), INT64_MAX);
	cr_assert(leap_is_month(0));
	cr_assert(leap_is_month(31 * 86400 * SECOND));
	cr_assert(leap_is_month(JANUARY_2017));
	cr_assert(!leap_is_month(JANUARY_2017 + 1));
	cr_assert(!leap_is_month(JANUARY_2017 - 86400 * SECOND));
	cr_assert(!leap_is_month(-1));
	cr_assert(!leap_is_month(INT64_MAX));
}

Test(leap, tai_is_known_from_the_first_entry_to_the_end_of_the_month_of_expiry)
{
	struct leap_table later = table;

	cr_assert_eq(leap_tai(NULL, JULY_2015), UNKNOWN);
	cr_assert_eq(leap_tai(&table, table.entries[0].from_ns - 1), UNKNOWN);
	cr_assert_eq(leap_tai(&table, table.entries[0].from_ns), 35);
	cr_assert_eq(leap_tai(&table, JULY_2015 - 1), 35);
	cr_assert_eq(leap_tai(&table, JULY_2015), 36);
	cr_assert_eq(leap_tai(&table, JANUARY_2017), 37);
	/* The next leap second can only come two days after the expiry, at the month's end. */
	cr_assert_eq(leap_tai(&table, EXPIRY + SECOND), 37);
	cr_assert_eq(leap_tai(&table, JULY_2017 - GROWTH - 1), 37);
	cr_assert_eq(leap_tai(&table, JULY_2017 - GROWTH), UNKNOWN);
	cr_assert_eq(leap_tai(&table, JULY_2017 + 400 * 86400 * SECOND), UNKNOWN);
	/* A table that expires at a month's end says nothing of what comes then. */
	later.expires_ns = JULY_2017;
	cr_assert_eq(leap_tai(&later, JULY_2017 - GROWTH), UNKNOWN);
	later.expires_ns = JULY_2017 + 1;
	cr_assert_eq(leap_tai(&later, JULY_2017), 37);
}

Test(leap, the_table_wins_where_it_knows_the_sources_where_not)
{
	static const struct {
		const struct leap_table *table;
		int64_t utc_ns;
		unsigned int vote;
		struct leap leap;
	} cases[] = {
		{&table, JULY_2015 - SECOND, 0, {JULY_2015, -SECOND}},
		{&table, JULY_2015 - SECOND, 2, {JULY_2015, -SECOND}},
		{&table, JULY_2015, 1, {0, 0}}, /* no leap second at the end of July 2015 */
		{&table, JULY_2015 - 31 * 86400 * SECOND, 1, {0, 0}}, /* nor in May */
		{&shorter, JULY_2015 - 5 * SECOND, 0, {JULY_2015 - SECOND, SECOND}},
		/* It expires on 28 June 2017: it can't know of the end of that month. */
		{&table, JULY_2017 - 7 * 86400 * SECOND, 1, {JULY_2017, -SECOND}},
		{&table, DECEMBER_2017, 1, {JANUARY_2018, -SECOND}},
		{&table, DECEMBER_2017, 2, {JANUARY_2018 - SECOND, SECOND}},
		{&table, DECEMBER_2017, 3, {0, 0}},
		{&table, DECEMBER_2017, 0, {0, 0}},
		{NULL, JULY_2017, 1, {0, 0}}, /* sources are believed in June and December only */
		{NULL, DECEMBER_2017, 1, {JANUARY_2018, -SECOND}},
		{NULL, -1, 1, {0, 0}},
	};
	struct leap got;
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		leap_find(&got, cases[i].table, cases[i].utc_ns, cases[i].vote);
		cr_assert_eq(got.shift_ns, cases[i].leap.shift_ns, "case %u", i);
		cr_assert_eq(got.at_ns, cases[i].leap.at_ns, "case %u", i);
	}
}

Test(leap, from_two_seconds_before_there_are_no_second_thoughts)
{
	struct leap_watch watch = {.last_raw_ns = 0};
	int64_t at = JANUARY_2018;

	cr_assert_eq(leap_watch_update(&watch, NULL, at - 10 * SECOND, 0, 1), 0);
	cr_assert_eq(watch.next.at_ns, at);
	cr_assert_eq(leap_watch_update(&watch, NULL, at - 5 * SECOND, 0, 0), 0);
	cr_assert_eq(watch.next.shift_ns, 0, "withdrawn");
	cr_assert_eq(leap_watch_update(&watch, NULL, at - 3 * SECOND, 0, 1), 0);
	cr_assert_eq(leap_watch_update(&watch, NULL, at - LEAP_GUARD_NS, 0, 0), 0);
	cr_assert_eq(watch.next.shift_ns, -SECOND);
	cr_assert(!leap_watch_is_due(&watch, at + LEAP_MARGIN_NS - 1));
	cr_assert(leap_watch_is_due(&watch, at + LEAP_MARGIN_NS));
	cr_assert_eq(leap_watch_follow(&watch, at + 3 * LEAP_MARGIN_NS, 0, 1000 * SECOND), -SECOND);
	cr_assert_eq(watch.last_raw_ns, 1000 * SECOND - 3 * LEAP_MARGIN_NS);
	cr_assert(!leap_watch_is_due(&watch, INT64_MAX));
	/* The second 23:59:59, for the second time: the sources still announce. */
	cr_assert_eq(leap_watch_update(&watch, NULL, at - SECOND / 2, 0, 1), 0);
	cr_assert_eq(watch.next.shift_ns, 0);
	/* One that nobody spoke of before is too late. */
	watch = (struct leap_watch){.last_raw_ns = 0};
	cr_assert_eq(leap_watch_update(&watch, NULL, at - LEAP_GUARD_NS, 0, 1), -EAGAIN);
	cr_assert_eq(watch.next.shift_ns, 0);
}

Test(leap, tai_tells_the_repeated_second)
{
	struct leap_watch watch = {.last_raw_ns = 0};

	cr_assert_eq(leap_watch_update(&watch, &table, JANUARY_2017 - 3 * SECOND, 0, 0), 0);
	cr_assert_eq(leap_watch_tai(&watch, &table, JANUARY_2017 - 1), 36);
	leap_watch_follow(&watch, JANUARY_2017 + 5, 0, 1000);
	cr_assert_eq(leap_watch_tai(&watch, &table, JANUARY_2017 - SECOND), 37);
	cr_assert_eq(leap_watch_tai(&watch, &table, JANUARY_2017 - 1), 37);
	cr_assert_eq(leap_watch_tai(&watch, &table, JANUARY_2017), 37);
	cr_assert_eq(leap_watch_tai(&watch, &table, JANUARY_2017 - SECOND - 1), 36);
}

/* The engine on a counter of 1 GHz: raw time 0 is 10 s before a leap second. */
static struct engine engine;
static struct correction now;

static void start(const struct leap_table *leaps)
{
	struct engine_config config = {
		.scale = {.base = 5000, .mult = 1ULL << 54},
		.max_drift_ppb = 100000,
		.wander_ppb = 1000,
		.max_bound_ns = 5000000000 % UINT32_MAX,
		.max_distance_ms = 1000,
		.leaps = leaps,
	};

	cr_assert_eq(engine_init(&engine, &config, 1), 0);
}

static int add(int64_t raw_ns, int64_t offset_ns, uint8_t leap)
{
	struct sample sample = {
		.counter = 5000 + (uint64_t)raw_ns,
		.offset_ns = offset_ns,
		.delay_ns = 20000,
		.dispersion_ns = 1000,
		.leap = leap,
		.stratum = 1,
	};

	return engine_sample_add(&engine, &sample);
}

static int64_t utc_at(int64_t raw_ns)
{
	engine_correct(&engine, 5000 + (uint64_t)raw_ns, &now);
	return (int64_t)(now.utc >> 64);
}

static int64_t distance(int64_t a, int64_t b)
{
	return a > b ? a - b : b - a;
}

Test(leap, the_engine_steps_by_a_second_and_is_as_good_as_before)
{
	const int64_t offset = JANUARY_2017 - 10 * SECOND;
	int64_t bound;

	start(&table);
	cr_assert_eq(add(1, offset, 0), 0);
	cr_assert_eq(add(SECOND, offset, 0), 0);
	utc_at(2 * SECOND);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_eq(now.leap, 1);
	cr_assert_eq(now.leap_ns, JANUARY_2017);
	cr_assert_eq(now.tai_offset_s, 36);
	/* Around it no sample is taken, on whatever scale. */
	cr_assert_eq(add(7 * SECOND, offset, 0), 0);
	cr_assert_eq(add(8 * SECOND, offset, 0), -EAGAIN);
	cr_assert_eq(add(10 * SECOND, offset - SECOND, 0), -EAGAIN);
	/* Not before all of the interval is past it */
	cr_assert_leq(distance(utc_at(10 * SECOND + 1000), JANUARY_2017 + 1000), 2000);
	cr_assert_eq(now.tai_offset_s, 37);
	cr_assert_eq(now.leap_ns, JANUARY_2017);
	bound = now.bound.total_ns;
	cr_assert_leq(distance(utc_at(10 * SECOND + 3000000), JANUARY_2017 + 3000000 - SECOND),
		      2000);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_eq(now.tai_offset_s, 37);
	cr_assert_eq(now.leap, 0);
	cr_assert_eq(now.leap_ns, 0);
	cr_assert_leq(now.bound.total_ns, bound + 1000);
	cr_assert_eq(engine.views[0].last.offset_ns, offset - SECOND);
	cr_assert_eq(add(12 * SECOND - 1, offset - SECOND, 0), -EAGAIN);
	/* An exchange of before that is told only now is of the time before. */
	cr_assert_eq(add(7500000000, offset, 0), 0);
	cr_assert_eq(engine.views[0].last.offset_ns, offset - SECOND);
	cr_assert_eq(add(13 * SECOND, offset - SECOND, 0), 0);
	cr_assert_leq(distance(utc_at(14 * SECOND), JANUARY_2017 + 3 * SECOND), 2000);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_eq(engine.views[0].state, CHRONOTICK_SOURCE_SELECTED);
	cr_assert_eq(engine.sources[0].filter.pending_count, 0);
}

Test(leap, it_is_not_followed_while_it_may_be_ahead)
{
	const int64_t offset = JANUARY_2017 - 10 * SECOND;
	struct sample sample = {
		.counter = 5001,
		.offset_ns = offset,
		.delay_ns = 100000000,
		.stratum = 1,
	};

	start(&table);
	cr_assert_eq(engine_sample_add(&engine, &sample), 0);
	utc_at(2 * SECOND);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_leq(distance(utc_at(10 * SECOND + 49000000), JANUARY_2017 + 49000000), 10000);
	cr_assert_geq(now.bound.total_ns, 50000000);
	cr_assert_eq(now.leap_ns, JANUARY_2017, "UTC may be 1 ms before it still");
	utc_at(10 * SECOND + 53000000);
	cr_assert_eq(now.leap_ns, 0);
	cr_assert_leq(distance(utc_at(10 * SECOND + 53000000), JANUARY_2017 + 53000000 - SECOND),
		      10000);
}

/*
 * While the bound is wider than the guard, an exchange of after the leap may look like one of two
 * seconds before it.
 */
Test(leap, a_wide_bound_means_no_second_leap)
{
	const int64_t offset = JANUARY_2017 - 10 * SECOND;
	struct engine_config config = {
		.scale = {.mult = 1ULL << CHRONOTICK_MULT_SHIFT, .base = 5000},
		.max_drift_ppb = 500000,
		.wander_ppb = 100,
		.max_bound_ns = 4 * SECOND,
		.max_distance_ms = 4000,
		.leaps = &table,
	};
	struct sample wide = {
		.counter = 5001,
		.offset_ns = offset - 2400000000,
		.delay_ns = 5 * SECOND,
		.stratum = 1,
	};
	int64_t at;

	cr_assert_eq(engine_init(&engine, &config, 1), 0);
	cr_assert_eq(engine_sample_add(&engine, &wide), 0);
	utc_at(SECOND);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	/* The time is 0.3 s after the leap, and for all that is known 2.1 s before it. */
	cr_assert_eq(add(10300000000, offset - SECOND, 0), -EAGAIN);
	for (at = 10300000000; at < 30 * SECOND; at += 100000000) {
		int64_t shift = at < 10 * SECOND ? 0 : SECOND;

		(void)add(at, offset - shift, 0);
		utc_at(at + 1);
		/* The leap second itself is not published. */
		if (now.leap_ns && (int64_t)(now.utc >> 64) + now.bound.total_ns >= now.leap_ns)
			continue;
		if (now.status >= CHRONOTICK_SYNCHRONIZED)
			cr_assert_leq(distance((int64_t)(now.utc >> 64), offset - shift + at + 1),
				      now.bound.total_ns, "at %lld", (long long)at);
	}
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_lt(now.bound.total_ns, 1000000);
}

Test(leap, a_second_is_left_out)
{
	const int64_t offset = JULY_2015 - 11 * SECOND; /* raw 10 s: 23:59:59 */

	start(&shorter);
	cr_assert_eq(add(1, offset, 0), 0);
	utc_at(2 * SECOND);
	cr_assert_eq(now.leap, 2);
	cr_assert_eq(now.leap_ns, JULY_2015 - SECOND);
	cr_assert_eq(now.tai_offset_s, 35);
	cr_assert_leq(distance(utc_at(10 * SECOND + 3000000), JULY_2015 + 3000000), 20000);
	cr_assert_eq(now.tai_offset_s, 34);
	cr_assert_eq(now.leap_ns, 0);
}

Test(leap, a_daemon_that_was_stopped_across_it_steps_before_it_takes_a_sample)
{
	const int64_t offset = JANUARY_2017 - 10 * SECOND;

	start(&table);
	cr_assert_eq(add(1, offset, 0), 0);
	utc_at(SECOND);
	cr_assert_eq(add(40 * SECOND, offset - SECOND, 0), 0);
	cr_assert_eq(engine.sources[0].filter.pending_count, 0);
	cr_assert_leq(distance(utc_at(40 * SECOND), JANUARY_2017 + 29 * SECOND), 20000);
}

Test(leap, the_votes_of_before_mean_no_second_leap)
{
	const int64_t offset = JANUARY_2018 - 10 * SECOND;

	start(NULL);
	cr_assert_eq(add(1, offset, 1), 0);
	utc_at(SECOND);
	cr_assert_eq(now.leap_ns, JANUARY_2018);
	cr_assert_leq(distance(utc_at(10 * SECOND + 3000000), JANUARY_2018 + 3000000 - SECOND),
		      20000);
	cr_assert_eq(now.leap, 0);
	cr_assert_eq(now.tai_offset_s, UNKNOWN);
	cr_assert_leq(distance(utc_at(11 * SECOND + 3000000), JANUARY_2018 + 3000000), 20000);
	cr_assert_eq(add(15 * SECOND, offset - SECOND, 1), 0);
	utc_at(15 * SECOND + 1);
	cr_assert_eq(now.leap, 0, "January");
}

Test(leap, one_that_comes_up_at_the_last_moment_leaves_no_time_to_be_trusted)
{
	const int64_t offset = JANUARY_2018 - 10 * SECOND;

	start(NULL);
	cr_assert_eq(add(1, offset, 0), 0);
	cr_assert_eq(add(7 * SECOND, offset, 0), 0);
	utc_at(8500000000);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_eq(add(8600000000, offset, 1), 0);
	utc_at(8600000001);
	cr_assert_eq(now.status, CHRONOTICK_UNSYNCHRONIZED);
	cr_assert_eq(now.source, CHRONOTICK_NO_DATA);
}

Test(leap, a_start_in_the_middle_of_one_waits_for_its_end)
{
	const int64_t offset = JANUARY_2017 - 10 * SECOND;

	start(&table);
	cr_assert_eq(add(9 * SECOND, offset, 0), -EAGAIN);
	cr_assert_eq(add(10 * SECOND, offset, 0), -EAGAIN);
	cr_assert_eq(add(10500000000, offset - SECOND, 0), -EAGAIN);
	utc_at(11 * SECOND);
	cr_assert_eq(now.status, CHRONOTICK_UNSYNCHRONIZED);
	cr_assert_eq(add(14 * SECOND, offset - SECOND, 0), 0);
	cr_assert_leq(distance(utc_at(14 * SECOND + 1), JANUARY_2017 + 3 * SECOND), 20000);
	cr_assert_eq(now.tai_offset_s, 37);
}

Test(leap, raw_time_may_begin_anew)
{
	const int64_t offset = JANUARY_2017 - 10 * SECOND;

	start(&table);
	cr_assert_eq(add(1, offset, 0), 0);
	utc_at(SECOND);
	utc_at(10 * SECOND + 3000000);
	cr_assert_eq(engine.leap.last.shift_ns, -SECOND);
	engine_reset(&engine);
	cr_assert_eq(add(9 * SECOND, JANUARY_2017 + 3600 * SECOND, 0), 0);
	cr_assert_leq(distance(utc_at(9 * SECOND), JANUARY_2017 + 3609 * SECOND), 20000);
}

/* True UTC at u seconds after noon before the leap, u as counted until then; smeared. */
static struct correction smeared(const struct leap_table *leaps, __int128 noon, __int128 passed,
				 int64_t shift_s, int64_t pending_ns, int64_t *told)
{
	struct correction at = {
		.counter = 1,
		.utc = noon + passed + shift_s * SECOND * NS,
		.mult = 1ULL << 54,
		.bound = {.total_ns = 5000, .ageing_ns = 5000, .growth = 1ULL << 34},
		.status = CHRONOTICK_SYNCHRONIZED,
		.tai_offset_s = 37,
		.leap_ns = pending_ns,
		.leap = pending_ns ? 1 : 0,
	};

	*told = smear_apply(&at, leaps);
	return at;
}

static void smear_check(const struct leap_table *leaps, int64_t end_ns, int sign)
{
	int64_t at_ns = sign > 0 ? end_ns : end_ns - SECOND, told;
	__int128 noon = (end_ns - 43200 * SECOND) * NS;
	int64_t length_s = 86400 + sign, s;

	for (s = 0; s < length_s; s += 7) {
		/* In steps that are no whole seconds */
		__int128 passed = (s * SECOND + s * 12345) * NS;
		bool after = noon + passed >= at_ns * NS;
		struct correction at =
			smeared(leaps, noon, passed, after ? -sign : 0, after ? 0 : at_ns, &told);
		long double exact = (long double)passed / length_s / (long double)NS;
		long double got = (long double)(noon + passed - at.utc) / (long double)NS;

		if (passed >= length_s * SECOND * NS)
			break;
		cr_assert_lt((double)__builtin_fabsl(got - sign * exact), 1e-6, "%lld s",
			     (long long)s);
		cr_assert_leq(distance(told, (int64_t)exact), 1);
		cr_assert_eq(at.leap_ns, 0);
		cr_assert_eq(at.leap, 0);
		cr_assert_eq(at.tai_offset_s, UNKNOWN);
		cr_assert_geq(at.bound.total_ns, 5000);
		cr_assert_eq(at.bound.total_ns, at.bound.ageing_ns);
		/* The slope is the curve's. */
		cr_assert_float_eq((double)at.mult * 0x1p-54, 86400.0 / (double)length_s, 1e-15);
	}
}

Test(leap, the_smear_is_a_straight_line_from_noon_to_noon)
{
	smear_check(&table, JANUARY_2017, 1);
	smear_check(&shorter, JULY_2015, -1);
}

Test(leap, the_smear_begins_and_ends_without_a_jump)
{
	__int128 noon = (JANUARY_2017 - 43200 * SECOND) * NS;
	uint64_t slope = (1ULL << 54) / 86401;
	struct correction at;
	int64_t told;

	/* Just before the beginning, just after the end: true UTC; both ends hold the kink. */
	at = smeared(&table, noon, -NS, 0, JANUARY_2017, &told);
	cr_assert(at.utc == noon - NS);
	cr_assert_eq(at.leap, 0);
	cr_assert_eq(at.tai_offset_s, UNKNOWN);
	cr_assert_gt(at.bound.growth, slope);
	at = smeared(&table, noon, 86401 * SECOND * NS, -1, 0, &told);
	cr_assert(at.utc == noon + 86400 * SECOND * NS);
	cr_assert_gt(at.bound.growth, slope);
	at = smeared(&table, noon, 86401 * SECOND * NS - NS, -1, 0, &told);
	cr_assert_leq(distance((int64_t)((noon + 86400 * SECOND * NS - at.utc) >> 64), 1), 1);
	/* In the middle and far from it, the bound is not wider than it must be. */
	at = smeared(&table, noon, 40000 * SECOND * NS, 0, JANUARY_2017, &told);
	cr_assert_lt(at.bound.growth, slope);
	at = smeared(&table, noon, -2 * GROWTH * NS, 0, JANUARY_2017, &told);
	cr_assert_eq(at.bound.growth, 1ULL << 34);
	cr_assert_eq(at.tai_offset_s, 37);
	cr_assert_eq(at.leap_ns, 0, "nobody gets to see the jump");
	at = smeared(&table, noon, 86401 * SECOND * NS + 2 * GROWTH * NS, -1, 0, &told);
	cr_assert_eq(at.tai_offset_s, 37);
	/* The leap second itself: the repeated second and the one before it are told apart. */
	at = smeared(&table, noon, 43200 * SECOND * NS + 5 * NS, 0, JANUARY_2017, &told);
	cr_assert_lt(at.utc, (JANUARY_2017 + 5) * NS);
	at = smeared(&table, noon, 43200 * SECOND * NS + 5 * NS, -1, 0, &told);
	cr_assert_leq(distance(told, 43200 * SECOND / 86401), 1);
}

Test(leap, what_only_the_sources_announce_is_not_smeared)
{
	struct correction at = {.utc = (JANUARY_2018 - 100 * SECOND) * NS,
				.mult = 1ULL << 54,
				.leap = 1,
				.leap_ns = JANUARY_2018,
				.tai_offset_s = UNKNOWN};

	cr_assert_eq(smear_apply(&at, &table), 0);
	cr_assert_eq(at.leap_ns, JANUARY_2018);
	cr_assert_eq(at.leap, 1);
	cr_assert_eq(smear_apply(&at, NULL), 0);
	cr_assert_eq(at.leap, 1);
}
