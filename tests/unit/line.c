/* SPDX-License-Identifier: MIT */
/* The clock line: joins, limits, bounds and spans against closed forms. */
#include <string.h>

#include <criterion/criterion.h>

#include "publish/line.h"
#include "support/publication.h"

#define BASE 1000000000000ULL /* counter value of these tests' present */

static uint64_t ppb(uint64_t rate, int64_t value)
{
	return rate + (uint64_t)((__int128)rate * value / SECOND);
}

/* Half-width of a line at a counter value, as a read computes it, without the reading's floor */
static __int128 half(const struct chronotick_clock *clock, uint64_t counter)
{
	return clock->bound_ns * NS + ((__int128)(counter - clock->anchor) << 10) * clock->growth;
}

static __int128 truth(const struct correction *at, uint64_t counter)
{
	return at->utc + ((__int128)(int64_t)(counter - at->counter) << 10) * at->mult;
}

static __int128 absolute(__int128 value)
{
	return value < 0 ? -value : value;
}

Test(line, the_first_is_the_estimate)
{
	struct line_config limits = config();
	struct correction at = correction(BASE - 3000, EPOCH, ppb(ONE, 20000));
	struct line line;

	at.utc += 12345;
	line_next(&line, &limits, NULL, 7, &at, BASE, limits.window, LINE_SLEW);
	cr_assert(line.trusted);
	cr_assert(!line.new_generation);
	cr_assert(!line.falling);
	cr_assert_eq(line.clock.anchor, BASE - limits.lead);
	cr_assert_eq(line.clock.mult, at.mult);
	cr_assert_eq(line.clock.growth, at.bound.growth);
	cr_assert_eq(line.clock.span, limits.span);
	cr_assert(line_utc(&line.clock, at.counter) == at.utc);
	cr_assert_eq(CHRONOTICK_STATE_GENERATION(line.clock.state), 7);
	cr_assert_eq(CHRONOTICK_STATE_STATUS(line.clock.state), CHRONOTICK_SYNCHRONIZED);
	cr_assert_eq(CHRONOTICK_STATE_TAI(line.clock.state), 37);
	/* 47 us of growth at 1 ppm is 0.047 ns: rounded up to one; two for the read; the step. */
	cr_assert_eq(line.clock.bound_ns, 1000 + 1 + 2 + 11);
}

Test(line, a_bound_without_a_fraction_is_not_rounded)
{
	struct line_config limits = config();
	struct correction at = correction(BASE, EPOCH, ONE);
	struct line line;

	at.bound.growth = 0;
	limits.step_ns = 0;
	line_next(&line, &limits, NULL, 1, &at, BASE, limits.window, LINE_SLEW);
	cr_assert_eq(line.clock.bound_ns, 1002);
	at.bound.growth = 1; /* the least that there is */
	line_next(&line, &limits, NULL, 1, &at, BASE, limits.window, LINE_SLEW);
	cr_assert_eq(line.clock.bound_ns, 1003);
}

Test(line, its_terms_sum_up_to_its_bound)
{
	struct line_config limits = config();
	struct correction at = correction(BASE, EPOCH, ONE);
	uint64_t c0 = BASE + limits.period;
	struct line old, next;
	int64_t rest;

	at.bound = (struct bound){
		.total_ns = 2800,
		.root_ns = 500,
		.root_delay_ns = 200,
		.delay_ns = 900,
		.dispersion_ns = 700,
		.stamps_ns = 600,
		.ageing_ns = 400,
		.disagreement_ns = 300,
		.growth = ONE / 1000,
	};
	line_next(&old, &limits, NULL, 1, &at, BASE, limits.window, LINE_SLEW);
	for (rest = -40000; rest <= 40000; rest += 777) {
		const struct bound_terms *terms = &next.terms;

		at.counter = c0 - 1234;
		at.utc = line_utc(&old.clock, at.counter) + rest * NS + 99;
		line_next(&next, &limits, &old.clock, 1, &at, c0, limits.window, LINE_SLEW);
		cr_assert(next.trusted);
		cr_assert_eq(bound_terms_sum(terms), next.clock.bound_ns);
		cr_assert_eq(terms->root_delay_ns, 200);
		cr_assert_eq(terms->root_dispersion_ns, 300);
		cr_assert_eq(terms->delay_ns, 900);
		cr_assert_eq(terms->dispersion_ns, 100);
		cr_assert_eq(terms->stamps_ns, 600);
		/* From the correction to the anchor, 48,766 counts at 1 part in 1,000 */
		cr_assert_eq(terms->ageing_ns, 400 + 48);
		cr_assert_eq(terms->disagreement_ns, 300);
		cr_assert_eq(terms->slew_ns, absolute(truth(&at, next.clock.anchor) -
						      line_utc(&next.clock, next.clock.anchor)) /
						     NS);
		cr_assert_eq(terms->step_ns, 11);
		/* Two for the read, and up to one for each of the fractions */
		cr_assert(terms->rounding_ns >= 2 && terms->rounding_ns <= 4);
	}
	at.status = CHRONOTICK_WARMING_UP;
	line_next(&next, &limits, &old.clock, 1, &at, c0, limits.window, LINE_SLEW);
	cr_assert_eq(bound_terms_sum(&next.terms), 0);
}

Test(line, joins_are_exact)
{
	struct line_config limits = config();
	struct correction at = correction(BASE, EPOCH, ppb(ONE, 20000) + 12347);
	struct line old, next;
	uint64_t c0 = BASE + limits.period + 7;
	int64_t rest;

	line_next(&old, &limits, NULL, 1, &at, BASE, limits.window, LINE_SLEW);
	old.clock.utc_frac = 0x123456789abcdef1;
	for (rest = -40000; rest <= 40000; rest += 777) {
		uint64_t join;

		at.counter = c0 - 1234;
		at.utc = line_utc(&old.clock, at.counter) + rest * NS + 99;
		line_next(&next, &limits, &old.clock, 1, &at, c0, limits.window, LINE_SLEW);
		cr_assert(next.trusted);
		cr_assert(!next.new_generation);
		cr_assert_eq(next.falling, rest < 0);
		join = rest < 0 ? c0 + limits.window : c0 - limits.early;
		cr_assert_eq(next.join, join);
		cr_assert(line_utc(&next.clock, join) == line_utc(&old.clock, join));
		/* Before W is over reads go from the old line to one that is not behind it. */
		cr_assert(line_utc(&next.clock, c0) >= line_utc(&old.clock, c0));
		cr_assert(line_utc(&next.clock, c0 + limits.window / 2) >=
			  line_utc(&old.clock, c0 + limits.window / 2));
	}
}

Test(line, the_slope_stays_within_its_limits)
{
	struct line_config limits = config();
	struct correction at = correction(BASE, EPOCH, ONE);
	struct line old, next;
	uint64_t c0 = BASE + limits.period;

	line_next(&old, &limits, NULL, 1, &at, BASE, limits.window, LINE_SLEW);
	/* Far ahead: up to the slew limit at once. */
	at = correction(c0, EPOCH + limits.period + 50000000, ONE);
	line_next(&next, &limits, &old.clock, 1, &at, c0, limits.window, LINE_SLEW);
	cr_assert_eq(next.clock.mult, ONE + ONE / SECOND * 500000 + ONE % SECOND * 500000 / SECOND);
	/* Far behind: 10 ppm at a time. */
	at = correction(c0, EPOCH + limits.period - 50000000, ONE);
	line_next(&next, &limits, &old.clock, 1, &at, c0, limits.window, LINE_SLEW);
	cr_assert_eq(next.clock.mult, ONE - ONE / 100000);
	/* A rate that fell by 100 ppm is followed no faster, and the difference is in the growth.
	 */
	at = correction(c0, EPOCH + limits.period, ppb(ONE, -100000));
	line_next(&next, &limits, &old.clock, 1, &at, c0, limits.window, LINE_SLEW);
	cr_assert_eq(next.clock.mult, ONE - ONE / 100000);
	cr_assert_eq(next.clock.growth, at.bound.growth + (next.clock.mult - at.mult));
}

Test(line, a_slew_ends_at_the_estimate_without_overshoot)
{
	static const int64_t rests[] = {-90000000, -1000000, -20000,  -300,
					300,       20000,    1000000, 90000000};
	struct line_config limits = config();
	struct correction at = correction(BASE, EPOCH, ppb(ONE, -35000));
	struct line line;
	unsigned int i;

	for (i = 0; i < sizeof(rests) / sizeof(rests[0]); i++) {
		struct chronotick_clock current;
		__int128 most = 0;
		uint64_t c0 = BASE;
		int rounds;

		at.bound.growth = 0;
		line_next(&line, &limits, NULL, 1, &at, c0, limits.window, LINE_SLEW);
		current = line.clock;
		at.utc += rests[i] * NS;
		for (rounds = 0; rounds < 400 * 100; rounds++) {
			__int128 beyond;

			c0 += limits.period;
			line_next(&line, &limits, &current, 1, &at, c0, limits.window, LINE_SLEW);
			cr_assert(line.trusted);
			cr_assert(!line.new_generation);
			current = line.clock;
			beyond = line_utc(&current, c0) - truth(&at, c0);
			if (rests[i] < 0)
				beyond = -beyond;
			if (beyond > most)
				most = beyond;
		}
		/* It has arrived, and was never more than 2 % or 20 ns on the other side. */
		cr_assert(absolute(line_utc(&current, c0) - truth(&at, c0)) < NS);
		cr_assert_leq((int64_t)(most / NS), 20 + llabs(rests[i]) / 50, "%ld: %ld beyond",
			      (long)rests[i], (long)(most / NS));
		at.utc -= rests[i] * NS;
	}
}

Test(line, the_bound_holds_over_the_whole_span)
{
	struct line_config limits = config();
	struct correction at = correction(BASE, EPOCH, ONE);
	struct line line;
	struct chronotick_clock current;
	uint64_t c0 = BASE;
	unsigned int round, i;

	line_next(&line, &limits, NULL, 1, &at, BASE, limits.window, LINE_SLEW);
	current = line.clock;
	for (round = 0; round < 2000; round++) {
		/* The estimate wanders; whatever is within its bound may be the truth. */
		int64_t noise = (int64_t)(round * 2654435761U % 200001) - 100000;

		c0 += limits.period;
		at = correction(c0 - round % 100000, EPOCH + (int64_t)(c0 - BASE) + noise,
				ppb(ONE, noise / 2));
		line_next(&line, &limits, &current, 1, &at, c0, limits.window, LINE_SLEW);
		cr_assert(line.trusted);
		current = line.clock;
		for (i = 0; i <= 8; i++) {
			uint64_t c = current.anchor + current.span / 8 * i;
			int64_t age = (int64_t)(c - at.counter);
			__int128 promised =
				at.bound.total_ns * NS +
				((__int128)(age < 0 ? -age : age) << 10) * at.bound.growth;
			__int128 error = absolute(line_utc(&current, c) - truth(&at, c));

			/* As a read computes it: both cut to whole nanoseconds */
			cr_assert(error + promised + NS <= (half(&current, c) / NS) * NS);
		}
	}
}

Test(line, a_step_begins_a_generation_at_the_estimate)
{
	struct line_config limits = config();
	struct correction at = correction(BASE, EPOCH, ONE);
	struct line old, next;
	uint64_t c0 = BASE + limits.period;

	line_next(&old, &limits, NULL, 5, &at, BASE, limits.window, LINE_SLEW);
	at = correction(c0, EPOCH + limits.period + limits.step_threshold_ns, ONE);
	line_next(&next, &limits, &old.clock, 5, &at, c0, limits.window, LINE_SLEW);
	cr_assert(!next.new_generation);
	at.utc += 1;
	line_next(&next, &limits, &old.clock, 5, &at, c0, limits.window, LINE_SLEW);
	cr_assert(next.new_generation);
	cr_assert(next.trusted);
	cr_assert(!next.falling);
	cr_assert_eq(CHRONOTICK_STATE_GENERATION(next.clock.state), 6);
	cr_assert(line_utc(&next.clock, c0) == at.utc);
	cr_assert_eq(next.clock.mult, at.mult);
	at = correction(c0, EPOCH + limits.period - limits.step_threshold_ns - 1, ONE);
	line_next(&next, &limits, &old.clock, UINT32_MAX, &at, c0, limits.window, LINE_SLEW);
	cr_assert(next.new_generation);
	cr_assert_eq(CHRONOTICK_STATE_GENERATION(next.clock.state), 0);
	/* A counter before the old anchor is no continuation either. */
	at = correction(BASE - SECOND, EPOCH - SECOND, ONE);
	line_next(&next, &limits, &old.clock, 5, &at, BASE - SECOND, limits.window, LINE_SLEW);
	cr_assert(next.new_generation);
}

Test(line, an_expired_line_is_continued)
{
	struct line_config limits = config();
	struct correction at = correction(BASE, EPOCH, ONE);
	struct line old, next;
	uint64_t c0 = BASE + 60ULL * SECOND;

	line_next(&old, &limits, NULL, 5, &at, BASE, limits.window, LINE_SLEW);
	at = correction(c0, EPOCH + 60 * SECOND + 1000, ONE);
	line_next(&next, &limits, &old.clock, 5, &at, c0, limits.window, LINE_SLEW);
	cr_assert(next.trusted);
	cr_assert(!next.new_generation);
	cr_assert(line_utc(&next.clock, c0 - limits.early) ==
		  line_utc(&old.clock, c0 - limits.early));
}

Test(line, keeping_the_slope_keeps_the_line)
{
	struct line_config limits = config();
	struct correction at = correction(BASE, EPOCH, ONE);
	struct line old, next;
	uint64_t c0 = BASE + limits.period;

	line_next(&old, &limits, NULL, 5, &at, BASE, limits.window, LINE_SLEW);
	at = correction(c0, EPOCH + limits.period - 70000, ppb(ONE, -30));
	line_next(&next, &limits, &old.clock, 5, &at, c0, limits.window, LINE_KEEP);
	cr_assert(next.trusted);
	cr_assert(!next.falling);
	cr_assert_eq(next.clock.mult, old.clock.mult);
	cr_assert(line_utc(&next.clock, BASE) == line_utc(&old.clock, BASE));
	cr_assert(line_utc(&next.clock, c0 + SECOND) == line_utc(&old.clock, c0 + SECOND));
	cr_assert_geq(next.clock.bound_ns, 71000);
}

Test(line, trust_ends_where_the_bound_does)
{
	struct line_config limits = config();
	struct correction at = correction(BASE, EPOCH, ONE);
	struct line line;

	/* 1 % of growth reaches 1 ms more than the anchor's bound after 0.1 s. */
	at.bound.growth = ONE / 100;
	limits.max_bound_ns = 2000000;
	line_next(&line, &limits, NULL, 1, &at, BASE, limits.window, LINE_SLEW);
	cr_assert(line.trusted);
	cr_assert_lt(line.clock.span, limits.span);
	cr_assert(half(&line.clock, line.clock.anchor + line.clock.span) <=
		  limits.max_bound_ns * NS);
	cr_assert(half(&line.clock, line.clock.anchor + line.clock.span + 100) >
		  limits.max_bound_ns * NS);
	/* Just too wide at the anchor already */
	at.bound.growth = 0;
	at.bound.total_ns = limits.max_bound_ns - 2 - limits.step_ns;
	line_next(&line, &limits, NULL, 1, &at, BASE, limits.window, LINE_SLEW);
	cr_assert(line.trusted);
	cr_assert_eq(line.clock.bound_ns, limits.max_bound_ns);
	at.bound.total_ns++;
	line_next(&line, &limits, NULL, 1, &at, BASE, limits.window, LINE_SLEW);
	cr_assert(!line.trusted);
	cr_assert_eq(line.clock.span, 0);
	cr_assert_eq(CHRONOTICK_STATE_STATUS(line.clock.state), CHRONOTICK_WARMING_UP);
}

Test(line, a_bound_beyond_32_bits_is_not_trusted)
{
	struct line_config limits = config();
	struct correction at = correction(BASE, EPOCH, ONE);
	struct line line;

	limits.max_bound_ns = INT64_MAX;
	at.bound.growth = 0;
	at.bound.total_ns = (int64_t)UINT32_MAX - 2 - limits.step_ns;
	line_next(&line, &limits, NULL, 1, &at, BASE, limits.window, LINE_SLEW);
	cr_assert(line.trusted);
	cr_assert_eq(line.clock.bound_ns, UINT32_MAX);
	at.bound.total_ns++;
	line_next(&line, &limits, NULL, 1, &at, BASE, limits.window, LINE_SLEW);
	cr_assert(!line.trusted);
	at.bound.total_ns = INT64_MAX;
	at.bound.growth = UINT64_MAX;
	line_next(&line, &limits, NULL, 1, &at, BASE, limits.window, LINE_SLEW);
	cr_assert(!line.trusted);
}

Test(line, extremes_do_not_overflow)
{
	struct line_config limits = config();
	struct correction at = correction(BASE, EPOCH, ONE);
	struct line line, next;

	/* A counter of 1 MHz, a span beyond its limit, the fastest growth */
	limits.mult = 1000 * ONE;
	limits.span = UINT64_MAX;
	limits.max_bound_ns = INT64_MAX;
	at.mult = 1000 * ONE;
	at.bound.growth = 0;
	line_next(&line, &limits, NULL, 1, &at, BASE, limits.window, LINE_SLEW);
	cr_assert(line.trusted);
	cr_assert_eq(line.clock.span, CHRONOTICK_SPAN_MAX);
	at.bound.growth = UINT64_MAX;
	at.counter = BASE - limits.lead;
	line_next(&line, &limits, NULL, 1, &at, BASE, limits.window, LINE_SLEW);
	cr_assert(line.trusted);
	cr_assert(half(&line.clock, line.clock.anchor + line.clock.span) <= UINT32_MAX * NS);
	/* Slewing up at the limit from there: the growth saturates. */
	at.utc += 90000000 * NS;
	line_next(&next, &limits, &line.clock, 1, &at, BASE + 1000, limits.window, LINE_SLEW);
	cr_assert_eq(next.clock.growth, UINT64_MAX);
	/* Corrections that are no time */
	at = correction(BASE, EPOCH, 0);
	line_next(&line, &limits, NULL, 1, &at, BASE, limits.window, LINE_SLEW);
	cr_assert(!line.trusted);
	at = correction(BASE + (1ULL << 60), EPOCH, ONE);
	line_next(&line, &limits, NULL, 1, &at, BASE, limits.window, LINE_SLEW);
	cr_assert(!line.trusted);
	at = correction(BASE, EPOCH, ONE);
	at.utc = -NS;
	line_next(&line, &limits, NULL, 1, &at, BASE, limits.window, LINE_SLEW);
	cr_assert(!line.trusted);
	at = correction(BASE, EPOCH, ONE);
	at.bound.total_ns = -1;
	line_next(&line, &limits, NULL, 1, &at, BASE, limits.window, LINE_SLEW);
	cr_assert(!line.trusted);
}

Test(line, without_trust_the_old_line_is_left_for_show)
{
	struct line_config limits = config();
	struct correction at = correction(BASE, EPOCH, ONE);
	struct line old, next;

	line_next(&old, &limits, NULL, 3, &at, BASE, limits.window, LINE_SLEW);
	at.status = CHRONOTICK_WARMING_UP;
	at.leap = 1;
	line_next(&next, &limits, &old.clock, 3, &at, BASE + 100, limits.window, LINE_SLEW);
	cr_assert(!next.trusted);
	cr_assert_eq(next.clock.span, 0);
	cr_assert(line_is_set(&next.clock));
	cr_assert(line_utc(&next.clock, BASE) == line_utc(&old.clock, BASE));
	cr_assert_eq(CHRONOTICK_STATE_GENERATION(next.clock.state), 3);
	cr_assert_eq(CHRONOTICK_STATE_STATUS(next.clock.state),
		     CHRONOTICK_WARMING_UP | CHRONOTICK_LEAP_INSERT);
	line_next(&next, &limits, NULL, 3, &at, BASE + 100, limits.window, LINE_SLEW);
	cr_assert(!line_is_set(&next.clock));
	cr_assert(!line_stands(&next.clock, next.clock.anchor));
}

Test(line, foreign_lines_are_told)
{
	struct chronotick_clock line = {.mult = ONE, .span = CHRONOTICK_SPAN_MAX};

	cr_assert(line_is_plausible(&line, ONE));
	line.mult = ONE + ONE / 101;
	cr_assert(line_is_plausible(&line, ONE));
	line.mult = ONE + ONE / 99;
	cr_assert(!line_is_plausible(&line, ONE));
	line.mult = ONE - ONE / 99;
	cr_assert(!line_is_plausible(&line, ONE));
	line.mult = ONE;
	line.span++;
	cr_assert(!line_is_plausible(&line, ONE));
}

Test(line, none_is_valid_across_a_leap_second)
{
	struct line_config limits = config();
	/* 2016-12-31 23:59:55, before the latest leap second */
	const int64_t before = 1483228795 * SECOND, midnight = 1483228800 * SECOND;
	struct correction at = correction(BASE, before, ONE);
	struct line line;
	__int128 end;

	at.leap_ns = midnight;
	line_next(&line, &limits, NULL, 1, &at, BASE, limits.window, LINE_SLEW);
	cr_assert(line.trusted);
	end = line_utc(&line.clock, line.clock.anchor + line.clock.span) +
	      half(&line.clock, line.clock.anchor + line.clock.span);
	cr_assert(end < midnight * NS);
	cr_assert(end > (midnight - 20000) * NS);
	at.leap_ns = midnight - SECOND;
	line_next(&line, &limits, NULL, 1, &at, BASE, limits.window, LINE_SLEW);
	end = line_utc(&line.clock, line.clock.anchor + line.clock.span);
	cr_assert(end < (midnight - SECOND) * NS);
	cr_assert(end > (midnight - SECOND - 20000) * NS);
	/* Within the bound of it there is no time to be trusted. */
	at = correction(BASE, midnight - 900, ONE);
	at.leap_ns = midnight;
	line_next(&line, &limits, NULL, 1, &at, BASE + limits.lead, limits.window, LINE_SLEW);
	cr_assert(!line.trusted);
	/* Nor when the best estimate is past it, but not all of the interval. */
	at = correction(BASE, midnight + 900, ONE);
	at.leap_ns = midnight;
	line_next(&line, &limits, NULL, 1, &at, BASE + limits.lead, limits.window, LINE_SLEW);
	cr_assert(!line.trusted);
}

Test(line, a_standing_line_outdoes_a_vaguer_correction_for_half_of_its_span)
{
	struct chronotick_clock standing = line(1000000);
	struct correction at = correction(1000000, EPOCH, ONE);

	standing.bound_ns = 1000;
	standing.growth = ONE / 1000000;
	at.bound.total_ns = 1001;
	cr_assert(line_outdoes(&standing, &at, 1000000));
	at.bound.total_ns = 1000;
	cr_assert(!line_outdoes(&standing, &at, 1000000));
	/* It has grown by 2 us in 2 s, rounded down. */
	at.bound.total_ns = 2999;
	cr_assert(!line_outdoes(&standing, &at, 1000000 + 2 * SECOND));
	at.bound.total_ns = 3001;
	cr_assert(line_outdoes(&standing, &at, 1000000 + 2 * SECOND));
	at.bound.total_ns = SECOND;
	cr_assert(line_outdoes(&standing, &at, 1000000 + 5 * SECOND));
	cr_assert(!line_outdoes(&standing, &at, 1000001 + 5 * SECOND));
	cr_assert(!line_outdoes(&standing, &at, 999999));
	at.bound.total_ns = -1;
	cr_assert(!line_outdoes(&standing, &at, 1000000));
	standing.span = 0;
	at.bound.total_ns = SECOND;
	cr_assert(!line_outdoes(&standing, &at, 1000000));
}
