/* SPDX-License-Identifier: MIT */
#include "distribution.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"

int distribution_add(struct distribution *distribution, uint64_t at_least, uint64_t count)
{
	if (distribution->bucket_count == distribution->room) {
		size_t room = distribution->room ? distribution->room * 2 : 32;
		struct distribution_bucket *more =
			realloc(distribution->buckets, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		distribution->buckets = more;
		distribution->room = room;
	}
	distribution->buckets[distribution->bucket_count++] =
		(struct distribution_bucket){at_least, count};
	distribution->count += count;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct distribution_bucket *left = a, *right = b;

	return (left->at_least > right->at_least) - (left->at_least < right->at_least);
}

void distribution_sort(struct distribution *distribution)
{
	if (distribution->bucket_count)
		qsort(distribution->buckets, distribution->bucket_count,
		      sizeof(*distribution->buckets), compare);
}

void distribution_clear(struct distribution *distribution)
{
	free(distribution->buckets);
	memset(distribution, 0, sizeof(*distribution));
}

uint64_t distribution_edge_after(uint64_t at_least)
{
	uint64_t width = 1;

	if (at_least >= 2 * BUCKETS_PER_OCTAVE)
		width = 1ULL << (63 - __builtin_clzll(at_least) - 3);
	return at_least + width < at_least ? UINT64_MAX : at_least + width;
}

double distribution_quantile(const struct distribution *distribution, double quantile)
{
	double wanted = quantile * (double)distribution->count, seen = 0;
	size_t i;

	for (i = 0; i < distribution->bucket_count; i++) {
		const struct distribution_bucket *bucket = &distribution->buckets[i];
		uint64_t after = distribution_edge_after(bucket->at_least);

		if (seen + (double)bucket->count >= wanted || i + 1 == distribution->bucket_count) {
			double share = (wanted - seen) / (double)bucket->count;

			/* A bucket of one value is that value. */
			return (double)bucket->at_least +
			       share * (double)(after - bucket->at_least - 1);
		}
		seen += (double)bucket->count;
	}
	return 0;
}

uint64_t distribution_min(const struct distribution *distribution)
{
	return distribution->bucket_count ? distribution->buckets[0].at_least : 0;
}

uint64_t distribution_max(const struct distribution *distribution)
{
	size_t count = distribution->bucket_count;

	return count ? distribution_edge_after(distribution->buckets[count - 1].at_least) - 1 : 0;
}
