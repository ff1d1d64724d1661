/* SPDX-License-Identifier: MIT */
#include "sources/pool.h"

#include "chronotick_page.h"

#define NO_TROUBLE (-1)

bool pool_asks(const struct pool *pool, unsigned int good, int64_t now_ns)
{
	return good < pool->wanted && (!pool->asked || now_ns >= pool->ask_ns);
}

void pool_answered(struct pool *pool, unsigned int taken, unsigned int members, int64_t now_ns)
{
	int64_t again_ns = members ? POOL_AGAIN_NS : POOL_AGAIN_EMPTY_NS;

	if (taken)
		pool->useless = 0;
	pool->asked = true;
	pool->ask_ns = now_ns + (again_ns << pool->useless);
	if (!taken && pool->useless < POOL_DOUBLINGS)
		pool->useless++;
}

void pool_retry(struct pool *pool)
{
	pool->asked = false;
	pool->useless = 0;
}

/* Does it answer? One that could not even be asked does not either. */
static bool member_silent(const struct pool_facts *facts)
{
	if (facts->reach)
		return false;
	return !facts->sent || facts->sent >= (facts->answered ? POOL_SILENT : POOL_SILENT_NEW);
}

/* How long it may go on like this, or NO_TROUBLE */
static int64_t member_patience(const struct pool_facts *facts)
{
	switch (facts->state) {
	case CHRONOTICK_SOURCE_DENIED:
	case CHRONOTICK_SOURCE_LOOP:
		return 0;
	case CHRONOTICK_SOURCE_FALSETICKER:
	case CHRONOTICK_SOURCE_UNSYNCHRONIZED:
		return POOL_WRONG_NS;
	default:
		return member_silent(facts) ? POOL_SILENT_NS : NO_TROUBLE;
	}
}

bool pool_member_bad(struct pool_trouble *trouble, const struct pool_facts *facts, int64_t now_ns)
{
	int64_t patience_ns = member_patience(facts);

	if (patience_ns == NO_TROUBLE) {
		trouble->present = false;
		return false;
	}
	if (!trouble->present) {
		trouble->present = true;
		trouble->since_ns = now_ns;
	}
	return now_ns - trouble->since_ns >= patience_ns;
}
