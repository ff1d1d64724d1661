/* SPDX-License-Identifier: MIT */
/* Whom the engine believes: majorities, those that are still to be heard, and those that turn. */
#include <stdlib.h>

#include <criterion/criterion.h>

#include "support/engine_rig.h"

Test(engine_majority, does_not_trust_a_lone_early_answer)
{
	start(3);
	cr_assert_eq(add(1, SECOND, OFFSET + 50000000), 0);
	correct(SECOND);
	cr_assert_eq(now.status, CHRONOTICK_WARMING_UP);
	cr_assert_eq(now.source, CHRONOTICK_NO_DATA);
	cr_assert_eq(add(0, SECOND + 1000, OFFSET), 0);
	correct(SECOND + 1000);
	cr_assert_eq(now.status, CHRONOTICK_WARMING_UP); /* one against one */
	cr_assert_eq(add(2, SECOND + 2000, OFFSET), 0);
	correct(SECOND + 2000);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_leq(llabs(error_ns(SECOND + 2000, OFFSET)), 2);
	cr_assert_eq(engine.views[1].state, CHRONOTICK_SOURCE_FALSETICKER);
	cr_assert_eq(engine.views[0].state, CHRONOTICK_SOURCE_SELECTED);
	cr_assert_float_eq((double)engine.views[1].offset_ns, 50e6, 10);
	cr_assert_float_eq(now.confidence, 2.0 / 3 * (1 - 16002.0 / 10e6), 1e-4);
}

/* Two of the first three agree, but five are configured: three must. */
Test(engine_majority, does_not_trust_early_answers_of_one_mind)
{
	start(5);
	cr_assert_eq(add(1, 0, OFFSET + 50000000), 0);
	cr_assert_eq(add(3, 1, OFFSET + 50000000), 0);
	cr_assert_eq(add(0, 2, OFFSET), 0);
	correct(2);
	cr_assert_eq(now.status, CHRONOTICK_WARMING_UP);
	cr_assert_eq(add(2, 3, OFFSET), 0);
	correct(3);
	cr_assert_eq(now.status, CHRONOTICK_WARMING_UP);
	cr_assert_eq(add(4, 4, OFFSET), 0);
	correct(4);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_leq(llabs(error_ns(4, OFFSET)), 2);
}

/* One against one, and the third stays silent: nobody is right. */
Test(engine_majority, refuses_to_choose_between_two)
{
	start(3);
	cr_assert_eq(add(0, 0, OFFSET), 0);
	cr_assert_eq(add(1, 1, OFFSET + 50000000), 0);
	correct(ENGINE_START_WAIT_NS + 1);
	cr_assert_eq(now.status, CHRONOTICK_UNSYNCHRONIZED);
	cr_assert_eq(engine.views[0].state, CHRONOTICK_SOURCE_CANDIDATE);
	cr_assert_str_eq(engine.views[1].reason, "no majority of the sources agrees");
}

/* What the clock may have drifted since is common to all, and widens each one's interval. */
Test(engine_majority, sources_that_contradict_each_other_do_not_agree_later)
{
	static const int64_t said_ns[] = {0, 0, 0, 0, 100000, 50000000, -30000000, 20000000};
	unsigned int i;

	start(8);
	for (i = 0; i < 8; i++)
		cr_assert_eq(add(i, SECOND + i, OFFSET + said_ns[i]), 0);
	for (i = 0; i < 20; i++) {
		correct(SECOND + 8 + i * SECOND / 4);
		cr_assert_eq(now.status, CHRONOTICK_UNSYNCHRONIZED, "after %u quarters", i);
	}
}

Test(engine_majority, waits_no_longer_than_told_for_the_silent)
{
	start(3);
	cr_assert_eq(add(1, SECOND, OFFSET), 0);
	correct(SECOND + ENGINE_START_WAIT_NS - 1);
	cr_assert_eq(now.status, CHRONOTICK_WARMING_UP);
	correct(SECOND + ENGINE_START_WAIT_NS + 100000000);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
}

Test(engine_majority, does_not_wait_for_those_known_to_be_lost)
{
	start(3);
	engine_source_unreachable(&engine, 0, CHRONOTICK_SOURCE_DENIED);
	engine_source_unreachable(&engine, 2, CHRONOTICK_SOURCE_LOOP);
	engine_source_unreachable(&engine, 3, CHRONOTICK_SOURCE_UNREACHABLE);
	cr_assert_eq(add(1, SECOND, OFFSET), 0);
	correct(SECOND);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_eq(engine.views[0].state, CHRONOTICK_SOURCE_DENIED);
	cr_assert_eq(engine.views[2].state, CHRONOTICK_SOURCE_LOOP);
	cr_assert_str_eq(engine.views[2].reason, "its time comes from this host itself");
}

/* Good ones vanish, the false one stays: its word is not taken. */
Test(engine_majority, a_falseticker_left_alone_does_not_win)
{
	start(3);
	cr_assert_eq(add(0, 0, OFFSET), 0);
	cr_assert_eq(add(1, 1, OFFSET + 50000000), 0);
	cr_assert_eq(add(2, 2, OFFSET), 0);
	correct(2);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	engine_source_unreachable(&engine, 0, CHRONOTICK_SOURCE_UNREACHABLE);
	engine_source_unreachable(&engine, 2, CHRONOTICK_SOURCE_UNREACHABLE);
	correct(SECOND);
	cr_assert_eq(now.status, CHRONOTICK_HOLDOVER);
	cr_assert_leq(llabs(error_ns(SECOND, OFFSET)), 2);
	cr_assert_eq(engine.views[1].state, CHRONOTICK_SOURCE_CANDIDATE);

	/* One of them returns, but two are no majority. Then the other. */
	cr_assert_eq(add(0, 2 * SECOND, OFFSET), 0);
	correct(2 * SECOND);
	cr_assert_eq(now.status, CHRONOTICK_HOLDOVER);
	cr_assert_eq(add(2, 2 * SECOND, OFFSET), 0);
	correct(2 * SECOND);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
}

/* Three agree, then none answers. The first one that answers again has gone wrong meanwhile. */
Test(engine_majority, the_first_one_back_does_not_outvote_those_before)
{
	unsigned int i;

	start(3);
	for (i = 0; i < 3; i++)
		cr_assert_eq(add(i, 0, OFFSET), 0);
	correct(0);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	/* One by one, as they are lost */
	for (i = 0; i < 3; i++) {
		engine_source_unreachable(&engine, i, CHRONOTICK_SOURCE_UNREACHABLE);
		correct(SECOND + i);
	}
	cr_assert_eq(now.status, CHRONOTICK_HOLDOVER);

	for (i = 2; i < 8; i++) {
		cr_assert_eq(add(0, i * SECOND, OFFSET + 50000000), 0);
		correct(i * SECOND);
		cr_assert_eq(now.status, CHRONOTICK_HOLDOVER);
		cr_assert_leq(llabs(error_ns(i * SECOND, OFFSET)), now.bound.total_ns);
	}
	cr_assert_eq(engine.views[0].state, CHRONOTICK_SOURCE_CANDIDATE);

	/* With the other two it is clear who is wrong. */
	cr_assert_eq(add(1, 8 * SECOND, OFFSET), 0);
	cr_assert_eq(add(2, 8 * SECOND, OFFSET), 0);
	correct(8 * SECOND);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_leq(llabs(error_ns(8 * SECOND, OFFSET)), now.bound.total_ns);
	cr_assert_eq(engine.views[0].state, CHRONOTICK_SOURCE_FALSETICKER);
}

/* Two of three are enough to take back what the three agreed on, and one what it said itself. */
Test(engine_majority, those_that_agreed_before_may_take_it_back)
{
	unsigned int i;

	start(3);
	for (i = 0; i < 3; i++)
		cr_assert_eq(add(i, 0, OFFSET), 0);
	correct(0);
	for (i = 0; i < 3; i++)
		engine_source_unreachable(&engine, i, CHRONOTICK_SOURCE_UNREACHABLE);
	correct(SECOND);
	for (i = 2; i < 6; i++) {
		cr_assert_eq(add(0, i * SECOND, OFFSET + 50000000), 0);
		cr_assert_eq(add(1, i * SECOND, OFFSET + 50000000), 0);
	}
	correct(6 * SECOND);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_leq(llabs(error_ns(6 * SECOND, OFFSET + 50000000)), now.bound.total_ns);
}

/* Sources i < turned of five say another time from `from` s to `to` s, the others the one of before. */
static void some_turn(unsigned int turned, int64_t from, int64_t to)
{
	int64_t s;
	unsigned int i;

	for (s = from; s < to; s++) {
		for (i = 0; i < 5; i++)
			cr_assert_eq(add(i, s * SECOND, OFFSET + (i < turned ? 50000000 : 0)), 0);
		correct(s * SECOND);
	}
}

/* Three of five turn false together: that the two others don't tells that it was not the clock. */
Test(engine_majority, a_majority_that_contradicts_itself_does_not_win)
{
	unsigned int i;

	start(5);
	some_turn(0, 0, 10);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	some_turn(3, 10, 30);
	cr_assert_eq(now.status, CHRONOTICK_HOLDOVER);
	cr_assert_leq(llabs(error_ns(29 * SECOND, OFFSET)), now.bound.total_ns);
	for (i = 0; i < 5; i++)
		cr_assert_neq(engine.views[i].state, CHRONOTICK_SOURCE_SELECTED);
	cr_assert_str_eq(engine.views[0].reason,
			 "contradicts what it said before, and others don't");

	/* One of them has come to its senses. */
	for (i = 30; i < 40; i++) {
		cr_assert_eq(add(0, i * SECOND, OFFSET), 0);
	}
	correct(40 * SECOND);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_leq(llabs(error_ns(40 * SECOND, OFFSET)), now.bound.total_ns);
	cr_assert_eq(engine.views[0].state, CHRONOTICK_SOURCE_SELECTED);
	cr_assert_eq(engine.views[1].state, CHRONOTICK_SOURCE_FALSETICKER);
}

/* All five turn, some a little later: the clock itself has jumped. */
Test(engine_majority, a_majority_may_contradict_itself_if_all_do)
{
	start(5);
	some_turn(0, 0, 10);
	some_turn(5, 10, 16);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_leq(llabs(error_ns(15 * SECOND, OFFSET + 50000000)), now.bound.total_ns);
}
