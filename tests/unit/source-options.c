/* SPDX-License-Identifier: MIT */
/* What the operator says of sources: prefer, trust and noselect, against honest and false ones. */
#include <errno.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "engine/engine.h"

#define SECOND 1000000000LL
#define MS 1000000LL
#define OFFSET 1760000000123456789LL
#define BASE 5000U
#define ERROR 11000 /* of a sample: half of the delay, and the dispersion */

static struct engine engine;
static struct correction now;

static void start(unsigned int sources)
{
	/* The counter counts ns of raw time. */
	const struct engine_config config = {
		.scale = {.base = BASE, .mult = 1ULL << 54},
		.max_drift_ppb = 100000,
		.wander_ppb = 1000,
		.max_bound_ns = SECOND,
		.max_distance_ms = 1000,
	};

	cr_assert_eq(engine_init(&engine, &config, sources), 0);
}

static void options(unsigned int source, unsigned int are)
{
	cr_assert_eq(engine_source_options(&engine, source, are), 0);
}

static void says(unsigned int source, int64_t raw_ns, int64_t off_ns)
{
	const struct sample sample = {
		.counter = BASE + (uint64_t)raw_ns,
		.offset_ns = OFFSET + off_ns,
		.delay_ns = 20000,
		.dispersion_ns = 1000,
		.source = (uint16_t)source,
		.stratum = 1,
	};

	cr_assert_eq(engine_sample_add(&engine, &sample), 0);
}

/* Each says how far it is off, at the same time; then it is told. */
static void all_say(int64_t raw_ns, unsigned int count, const int64_t *off_ns)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		says(i, raw_ns, off_ns[i]);
	engine_correct(&engine, BASE + (uint64_t)raw_ns, &now);
}
#define ALL_SAY(raw_ns, ...)                                                                       \
	all_say(raw_ns, sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t),                        \
		(const int64_t[]){__VA_ARGS__})

static int64_t told_ns(int64_t raw_ns)
{
	return (int64_t)((now.utc + ((__int128)1 << 63)) >> 64) - raw_ns - OFFSET;
}

static void is(unsigned int source, uint8_t state, const char *reason)
{
	cr_assert_eq(engine.views[source].state, state, "source %u is %u", source,
		     engine.views[source].state);
	cr_assert_str_eq(engine.views[source].reason, reason);
}

static void is_selected(unsigned int source)
{
	is(source, CHRONOTICK_SOURCE_SELECTED, "agrees with the majority");
	cr_assert_eq(engine.views[source].false_by_ns, 0);
}

Test(source_options, what_is_none_is_refused)
{
	start(1);
	cr_assert_eq(engine_source_options(&engine, 1, 0), -EINVAL);
	cr_assert_eq(engine_source_options(&engine, 0, ENGINE_SOURCE_OPTIONS + 1), -EINVAL);
	options(0, ENGINE_SOURCE_OPTIONS);
	engine_reset(&engine);
	cr_assert_eq(engine.sources[0].options, ENGINE_SOURCE_OPTIONS);
	engine_source_remove(&engine, 0);
	cr_assert_eq(engine_source_add(&engine, 0), 0);
	cr_assert_eq(engine.sources[0].options, 0);
}

/* 50 ms off, and both are sure to 11 us */
Test(source_options, a_falseticker_is_named_with_its_distance)
{
	start(3);
	ALL_SAY(SECOND, 0, 50 * MS, 0);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	is(1, CHRONOTICK_SOURCE_FALSETICKER, "disagrees with the majority");
	cr_assert_eq(engine.views[1].false_by_ns, 50 * MS - 2 * ERROR);
	is_selected(0);
	/* It becomes true. */
	ALL_SAY(2 * SECOND, 0, 0, 0);
	ALL_SAY(3 * SECOND, 0, 0, 0);
	ALL_SAY(4 * SECOND, 0, 0, 0);
	ALL_SAY(5 * SECOND, 0, 0, 0);
	is_selected(1);
}

/* The intervals of the right ones share [-11000, 11000], and more; distances are from what they share. */
Test(source_options, falsetickers_below_half_are_named_with_their_distances)
{
	static const struct {
		unsigned int count;
		int64_t off_ns[8];
		int64_t by_ns[8]; /* 0: right */
	} cases[] = {
		/* Two of five: of different minds, of one mind, just beside */
		{5, {0, 50 * MS, 0, -30 * MS, 0}, {0, 50 * MS - 22000, 0, 30 * MS - 22000, 0}},
		{5, {50 * MS, 50 * MS, 0, 0, 0}, {50 * MS - 22000, 50 * MS - 22000, 0, 0, 0}},
		{5, {0, 0, 0, 22001, -22003}, {0, 0, 0, 1, 3}},
		/* Three of eight */
		{8,
		 {50 * MS, 0, -30 * MS, 0, 0, 400000, 0, 0},
		 {50 * MS - 22000, 0, 30 * MS - 22000, 0, 0, 400000 - 22000, 0, 0}},
		{8,
		 {-MS, -MS, -MS, 0, 0, 0, 0, 0},
		 {MS - 22000, MS - 22000, MS - 22000, 0, 0, 0, 0, 0}},
	};
	unsigned int i, j;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start(cases[i].count);
		all_say(SECOND, cases[i].count, cases[i].off_ns);
		cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED, "case %u", i);
		cr_assert_eq(told_ns(SECOND), 0, "case %u", i);
		cr_assert_float_eq((double)now.bound.total_ns, ERROR, 3);
		for (j = 0; j < cases[i].count; j++) {
			cr_assert_eq(engine.views[j].false_by_ns, cases[i].by_ns[j],
				     "case %u, source %u: %ld", i, j,
				     (long)engine.views[j].false_by_ns);
			if (cases[i].by_ns[j])
				is(j, CHRONOTICK_SOURCE_FALSETICKER, "disagrees with the majority");
			else
				is_selected(j);
		}
	}
}

/* Three of five of different minds, four of eight even of one: there is no majority. */
Test(source_options, half_and_more_false_ones_are_refused)
{
	static const struct {
		unsigned int count;
		int64_t off_ns[8];
	} cases[] = {
		{5, {0, 50 * MS, 0, -30 * MS, 400000}},
		{5, {50 * MS, 50 * MS, 0, 0, -MS}},
		{8, {0, 0, 0, 0, 50 * MS, 50 * MS, 50 * MS, 50 * MS}},
		{8, {0, 50 * MS, 0, -30 * MS, 0, MS, 0, -MS}},
	};
	unsigned int i, j;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start(cases[i].count);
		all_say(SECOND, cases[i].count, cases[i].off_ns);
		cr_assert_eq(now.status, CHRONOTICK_UNSYNCHRONIZED, "case %u", i);
		cr_assert_eq(now.source, CHRONOTICK_NO_DATA);
		for (j = 0; j < cases[i].count; j++)
			is(j, CHRONOTICK_SOURCE_CANDIDATE, "no majority of the sources agrees");
	}
}

Test(source_options, one_that_contradicts_itself_is_named_with_its_distance)
{
	int i;

	start(1);
	for (i = 1; i < 10; i++)
		ALL_SAY(i * SECOND, 0);
	ALL_SAY(10 * SECOND, 30 * MS);
	ALL_SAY(11 * SECOND, 30 * MS);
	is(0, CHRONOTICK_SOURCE_FALSETICKER, "its new samples contradict those before them");
	/* The ring holds since a second or two, and the rate to some ppm. */
	cr_assert_float_eq((double)engine.views[0].false_by_ns, 30 * MS - 2 * ERROR, 10000);
}

/* Within its interval, so it may be right; it is counted, and tells no time. */
Test(source_options, an_outlier_is_counted_and_makes_no_falseticker)
{
	int i;

	start(1);
	for (i = 1; i <= 30; i++)
		ALL_SAY(i * SECOND, i % 5 * 20);
	ALL_SAY(31 * SECOND, 9000);
	ALL_SAY(32 * SECOND, -9000);
	ALL_SAY(33 * SECOND, 9000);
	is_selected(0);
	cr_assert_eq(engine.views[0].samples, 33);
	cr_assert_eq(engine.views[0].verdicts[FILTER_MAD], 3);
	cr_assert_eq(engine.views[0].verdicts[FILTER_TAKEN], 30);
	cr_assert_lt(llabs(told_ns(33 * SECOND)), 200);
	engine_reset(&engine);
	cr_assert_eq(engine.views[0].verdicts[FILTER_MAD], 3);
}

Test(source_options, noselect_is_measured_and_has_no_vote)
{
	struct engine_tally tally;

	start(3);
	options(0, ENGINE_SOURCE_NOSELECT | ENGINE_SOURCE_TRUST | ENGINE_SOURCE_PREFER);
	options(2, ENGINE_SOURCE_NOSELECT);
	ALL_SAY(SECOND, 50 * MS, 100, 50 * MS);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_eq(told_ns(SECOND), 100);
	is_selected(1);
	is(0, CHRONOTICK_SOURCE_CANDIDATE, "is measured only, as it has noselect");
	cr_assert_eq(engine.views[0].offset_ns, 50 * MS - 100);
	engine_tally(&engine, &tally);
	cr_assert(tally.selected == 1 && tally.usable == 1);
	cr_assert_eq(engine.views[2].offset_ns, 50 * MS - 100);

	/* It counts from now on, and then again it does not. */
	options(0, 0);
	options(2, 0);
	engine_correct(&engine, BASE + SECOND, &now);
	cr_assert_eq(engine.views[1].state, CHRONOTICK_SOURCE_FALSETICKER);
	options(0, ENGINE_SOURCE_NOSELECT);
	options(2, ENGINE_SOURCE_NOSELECT);
	ALL_SAY(2 * SECOND, 50 * MS, 100, 50 * MS);
	is(0, CHRONOTICK_SOURCE_CANDIDATE, "is measured only, as it has noselect");
}

Test(source_options, offsets_are_told_while_nobody_agrees)
{
	start(3);
	options(2, ENGINE_SOURCE_NOSELECT);
	ALL_SAY(SECOND, 0, 0, 100);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	ALL_SAY(2 * SECOND, 0, 50 * MS, 7 * MS);
	ALL_SAY(3 * SECOND, 0, 50 * MS, 7 * MS);
	ALL_SAY(4 * SECOND, 0, 50 * MS, 7 * MS);
	ALL_SAY(5 * SECOND, 0, 50 * MS, 7 * MS);
	cr_assert_eq(now.status, CHRONOTICK_HOLDOVER);
	cr_assert_lt(llabs(engine.views[0].offset_ns), MS);
	cr_assert_lt(llabs(engine.views[1].offset_ns - 50 * MS), 25 * MS, "%ld",
		     (long)engine.views[1].offset_ns);
	cr_assert_lt(llabs(engine.views[2].offset_ns - 7 * MS), 4 * MS, "%ld",
		     (long)engine.views[2].offset_ns);
}

Test(source_options, all_of_them_noselect_make_no_time)
{
	start(2);
	options(0, ENGINE_SOURCE_NOSELECT);
	options(1, ENGINE_SOURCE_NOSELECT);
	ALL_SAY(SECOND, 0, 0);
	ALL_SAY(5 * SECOND, 0, 0);
	cr_assert_eq(now.status, CHRONOTICK_UNSYNCHRONIZED);
	cr_assert_eq(now.source, CHRONOTICK_NO_DATA);
	is(1, CHRONOTICK_SOURCE_CANDIDATE, "is measured only, as it has noselect");
	/* The start is when the first one is heard that counts. */
	cr_assert_eq(engine_source_add(&engine, 2), 0);
	says(2, 6 * SECOND, 0);
	engine_correct(&engine, BASE + 6 * SECOND, &now);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
}

Test(source_options, a_preferred_truechimer_is_the_estimate)
{
	start(3);
	options(1, ENGINE_SOURCE_PREFER);
	ALL_SAY(SECOND, 0, 6000, 9000);
	cr_assert_eq(told_ns(SECOND), 6000);
	is_selected(1);
	is(0, CHRONOTICK_SOURCE_CANDIDATE, "agrees with the majority, but others are preferred");
	cr_assert(engine.views[0].agrees && engine.views[2].agrees);
	/* The others' votes count: two of three agree on [-5000, 17000], and the middle of that. */
	cr_assert_float_eq((double)now.bound.total_ns, ERROR, 3);
	cr_assert_float_eq(now.confidence, 1, 1e-3);
}

Test(source_options, preferred_ones_are_combined_and_taken_back)
{
	start(3);
	options(1, ENGINE_SOURCE_PREFER);
	options(2, ENGINE_SOURCE_PREFER);
	ALL_SAY(SECOND, 0, 6000, 9000);
	cr_assert_float_eq((double)told_ns(SECOND), 7500, 1);
	options(1, 0);
	options(2, 0);
	engine_correct(&engine, BASE + SECOND, &now);
	cr_assert_float_eq((double)told_ns(SECOND), 5000, 1);
	is_selected(0);
}

Test(source_options, a_preferred_falseticker_is_not_believed)
{
	start(3);
	options(1, ENGINE_SOURCE_PREFER);
	ALL_SAY(SECOND, 0, 50 * MS, 2000);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_eq(told_ns(SECOND), 1000);
	is(1, CHRONOTICK_SOURCE_FALSETICKER, "disagrees with the majority");
	is_selected(0);
	is_selected(2);
}

Test(source_options, a_trusted_source_is_right_against_all_others)
{
	start(4);
	options(3, ENGINE_SOURCE_TRUST);
	ALL_SAY(SECOND, 50 * MS, 50 * MS, 50 * MS, 100);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_eq(told_ns(SECOND), 100);
	is_selected(3);
	is(0, CHRONOTICK_SOURCE_FALSETICKER, "disagrees with the trusted sources");
	cr_assert_eq(engine.views[0].false_by_ns, 50 * MS - 100 - 2 * ERROR);
	/* What it says alone is the bound, whatever others agree on. */
	cr_assert_float_eq((double)now.bound.total_ns, ERROR, 3);
	/* Without it those that were false do not make time. */
	engine_source_unreachable(&engine, 3, CHRONOTICK_SOURCE_UNREACHABLE);
	ALL_SAY(2 * SECOND, 50 * MS, 50 * MS, 50 * MS);
	cr_assert_eq(now.status, CHRONOTICK_HOLDOVER);
	cr_assert_leq(llabs(told_ns(2 * SECOND)), now.bound.total_ns);
}

Test(source_options, others_that_meet_the_trusted_one_are_true)
{
	start(3);
	options(0, ENGINE_SOURCE_TRUST);
	ALL_SAY(SECOND, 0, 4000, 2 * ERROR + 100);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	is_selected(0);
	is_selected(1);
	is(2, CHRONOTICK_SOURCE_FALSETICKER, "disagrees with the trusted sources");
	cr_assert_eq(engine.views[2].false_by_ns, 100);
	cr_assert_eq(told_ns(SECOND), 2000);
	cr_assert_float_eq((double)now.bound.total_ns, ERROR + 2000, 3);
}

Test(source_options, two_trusted_ones_that_contradict_make_no_time)
{
	start(4);
	options(0, ENGINE_SOURCE_TRUST);
	options(1, ENGINE_SOURCE_TRUST);
	ALL_SAY(SECOND, 0, 50 * MS, 0, 0);
	cr_assert_eq(now.status, CHRONOTICK_UNSYNCHRONIZED);
	is(0, CHRONOTICK_SOURCE_CANDIDATE, "no majority of the trusted sources agrees");
	is(2, CHRONOTICK_SOURCE_CANDIDATE, "no majority of the trusted sources agrees");
	/* A third one decides. */
	options(2, ENGINE_SOURCE_TRUST);
	ALL_SAY(2 * SECOND, 0, 50 * MS, 0, 0);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	is(1, CHRONOTICK_SOURCE_FALSETICKER, "disagrees with the trusted sources");
	is_selected(3);
}

/* Prefer is about truechimers, trust about who is one. */
Test(source_options, a_preferred_one_that_the_trusted_ones_contradict_is_false)
{
	start(3);
	options(0, ENGINE_SOURCE_TRUST);
	options(1, ENGINE_SOURCE_PREFER);
	ALL_SAY(SECOND, 0, 50 * MS, 50 * MS);
	cr_assert_eq(told_ns(SECOND), 0);
	is(1, CHRONOTICK_SOURCE_FALSETICKER, "disagrees with the trusted sources");
	is_selected(0);
}

Test(source_options, trusted_ones_are_waited_for_at_the_start)
{
	start(4);
	options(3, ENGINE_SOURCE_TRUST);
	ALL_SAY(SECOND, 50 * MS, 50 * MS, 50 * MS);
	cr_assert_eq(now.status, CHRONOTICK_WARMING_UP);
	cr_assert_str_eq(engine.views[0].reason, "waits for more sources to be heard");
	says(3, SECOND + 1, 0);
	engine_correct(&engine, BASE + SECOND + 1, &now);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_eq(told_ns(SECOND + 1), 0);
}

Test(source_options, silent_trusted_ones_leave_the_vote_to_the_others)
{
	start(4);
	options(3, ENGINE_SOURCE_TRUST);
	ALL_SAY(SECOND, 0, 0, 50 * MS);
	ALL_SAY(SECOND + ENGINE_START_WAIT_NS, 0, 0, 50 * MS);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	is(2, CHRONOTICK_SOURCE_FALSETICKER, "disagrees with the majority");
	/* It comes back, and knows better than what they agreed on. */
	says(3, 5 * SECOND, 20 * MS);
	engine_correct(&engine, BASE + 5 * SECOND, &now);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_eq(told_ns(5 * SECOND), 20 * MS);
	is(0, CHRONOTICK_SOURCE_FALSETICKER, "disagrees with the trusted sources");
}

/* Four lie close together, the fifth is within their intervals, but apart. */
Test(source_options, an_outlier_of_the_cluster_keeps_its_vote_and_its_place_in_the_bound)
{
	int i;

	start(5);
	for (i = 1; i <= 40; i++)
		ALL_SAY(i * SECOND, i % 2 * 100, 100, i % 3 * 100, 0, -9000);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	is(4, CHRONOTICK_SOURCE_SELECTED,
	   "agrees with the majority, but is an outlier of the cluster");
	cr_assert(engine.views[4].agrees);
	is_selected(0);
	/* Before it was known as one, the time was 1,700 ns off. */
	cr_assert_leq(llabs(told_ns(40 * SECOND)), 300);
	cr_assert_float_eq(now.confidence, 1, 1e-3);
	/* With its vote alone there is a majority. */
	for (i = 0; i < 2; i++)
		engine_source_unreachable(&engine, (unsigned int)i, CHRONOTICK_SOURCE_UNREACHABLE);
	says(2, 41 * SECOND, 50 * MS), says(2, 42 * SECOND, 50 * MS);
	says(3, 42 * SECOND, 0), says(4, 42 * SECOND, -9000);
	engine_correct(&engine, BASE + 42 * SECOND, &now);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	is_selected(3);
	is_selected(4);
}
