/* SPDX-License-Identifier: MIT */
/* When a pool's name is asked, and which members are to go. */
#include <criterion/criterion.h>

#include "chronotick_page.h"
#include "sources/pool.h"

#define SECOND 1000000000LL

Test(pool, asks_at_once_and_then_no_sooner_than_it_may)
{
	struct pool pool = {.wanted = 4};
	int64_t now_ns = -5 * SECOND, wait_ns;
	unsigned int i;

	cr_assert(pool_asks(&pool, 0, now_ns));
	pool_answered(&pool, 2, 2, now_ns);
	cr_assert_not(pool_asks(&pool, 2, now_ns + POOL_AGAIN_NS - 1));
	cr_assert(pool_asks(&pool, 3, now_ns + POOL_AGAIN_NS));
	cr_assert_not(pool_asks(&pool, 4, now_ns + POOL_AGAIN_NS));
	for (i = 0, wait_ns = POOL_AGAIN_NS; i < 2 * POOL_DOUBLINGS; i++) {
		pool_answered(&pool, 0, 2, now_ns);
		cr_assert_not(pool_asks(&pool, 2, now_ns + wait_ns - 1));
		cr_assert(pool_asks(&pool, 2, now_ns + wait_ns));
		if (i < POOL_DOUBLINGS)
			wait_ns *= 2;
	}
	cr_assert_eq(wait_ns, POOL_AGAIN_NS << POOL_DOUBLINGS);
	pool_answered(&pool, 1, 3, now_ns);
	cr_assert(pool_asks(&pool, 3, now_ns + POOL_AGAIN_NS));
	pool_answered(&pool, 0, 0, now_ns);
	cr_assert(pool_asks(&pool, 0, now_ns + POOL_AGAIN_EMPTY_NS));
	cr_assert_not(pool_asks(&pool, 0, now_ns));
	pool_retry(&pool);
	cr_assert(pool_asks(&pool, 0, now_ns));
}

/* After how many seconds of this is it bad? -1: not within 1000 s */
static int bad_after(struct pool_facts facts)
{
	struct pool_trouble trouble = {0};
	int s;

	for (s = 0; s < 1000; s++)
		if (pool_member_bad(&trouble, &facts, s * SECOND))
			return s;
	return -1;
}

Test(pool, members_are_bad_when_silent_or_refusing_or_wrong_for_long)
{
	/* Answers are a matter of the register, new ones get fewer requests. */
	cr_assert_eq(bad_after((struct pool_facts){.sent = 1}), -1);
	cr_assert_eq(bad_after((struct pool_facts){.sent = 3}), -1);
	cr_assert_eq(bad_after((struct pool_facts){.sent = 4}), 8);
	cr_assert_eq(bad_after((struct pool_facts){.sent = 400, .reach = 1}), -1);
	cr_assert_eq(bad_after((struct pool_facts){.sent = 7, .answered = 1}), -1);
	cr_assert_eq(bad_after((struct pool_facts){.sent = 9, .answered = 1}), 8);
	/* Nothing can be sent there. */
	cr_assert_eq(bad_after((struct pool_facts){.sent = 0}), 8);
	cr_assert_eq(bad_after((struct pool_facts){
			     .sent = 9, .reach = 1, .state = CHRONOTICK_SOURCE_DENIED}),
		     0);
	cr_assert_eq(bad_after((struct pool_facts){
			     .sent = 9, .reach = 1, .state = CHRONOTICK_SOURCE_LOOP}),
		     0);
	cr_assert_eq(bad_after((struct pool_facts){
			     .sent = 9, .reach = 1, .state = CHRONOTICK_SOURCE_FALSETICKER}),
		     300);
	cr_assert_eq(bad_after((struct pool_facts){
			     .sent = 9, .reach = 1, .state = CHRONOTICK_SOURCE_UNSYNCHRONIZED}),
		     300);
	cr_assert_eq(bad_after((struct pool_facts){
			     .sent = 9, .reach = 1, .state = CHRONOTICK_SOURCE_SELECTED}),
		     -1);
}

Test(pool, trouble_that_ends_is_forgotten)
{
	struct pool_facts facts = {.sent = 9, .reach = 1, .state = CHRONOTICK_SOURCE_FALSETICKER};
	struct pool_trouble trouble = {0};

	cr_assert_not(pool_member_bad(&trouble, &facts, 0));
	facts.state = CHRONOTICK_SOURCE_SELECTED;
	cr_assert_not(pool_member_bad(&trouble, &facts, 299 * SECOND));
	facts.state = CHRONOTICK_SOURCE_FALSETICKER;
	cr_assert_not(pool_member_bad(&trouble, &facts, 300 * SECOND));
	cr_assert_not(pool_member_bad(&trouble, &facts, 599 * SECOND));
	cr_assert(pool_member_bad(&trouble, &facts, 600 * SECOND));
}
