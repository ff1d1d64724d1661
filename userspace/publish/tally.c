/* SPDX-License-Identifier: MIT */
#include "publish/tally.h"

void tally_add(struct tally *tally, bool trusted, uint64_t counts)
{
	tally->published++;
	tally->corrections += trusted;
	tally->last_counts = counts;
	tally->sum_counts += counts;
	if (counts > tally->max_counts)
		tally->max_counts = counts;
}

static uint64_t nanoseconds(const struct counter *counter, uint64_t counts)
{
	return (uint64_t)counter_to_ns(counter, counts);
}

#define store(where, value) __atomic_store_n((where), (value), __ATOMIC_RELAXED)

void tally_figures(const struct tally *tally, const struct counter *counter,
		   struct chronotick_statistics *ret)
{
	uint64_t mean = tally->published ? tally->sum_counts / tally->published : 0;

	store(&ret->publish_count, tally->published);
	store(&ret->publish_rebuilt, tally->rebuilt);
	store(&ret->publish_last_ns, nanoseconds(counter, tally->last_counts));
	store(&ret->publish_mean_ns, nanoseconds(counter, mean));
	store(&ret->publish_max_ns, nanoseconds(counter, tally->max_counts));
}
