/* SPDX-License-Identifier: MIT */
/* Distributions as the BPF programs count them. */
#include <criterion/criterion.h>

#include "distribution.h"
#include "events.h"

/* The buckets follow each other without gap, and none is wider than an eighth of where it begins. */
Test(trace_distribution, edges)
{
	uint64_t edge = 0, after, buckets = 0;

	while (edge < UINT64_MAX) {
		after = distribution_edge_after(edge);
		cr_assert_gt(after, edge);
		cr_assert(after - edge == 1 || after - edge <= edge / BUCKETS_PER_OCTAVE, "%lu",
			  (unsigned long)edge);
		edge = after;
		buckets++;
	}
	/* 16 single ones, then 8 for each of the 60 further powers of two */
	cr_assert_eq(buckets, 16 + 60 * BUCKETS_PER_OCTAVE);
}

Test(trace_distribution, empty)
{
	struct distribution none = {0};

	distribution_sort(&none);
	cr_assert_eq(distribution_quantile(&none, 0.5), 0);
	cr_assert_eq(distribution_min(&none), 0);
	cr_assert_eq(distribution_max(&none), 0);
	distribution_clear(&none);
}

Test(trace_distribution, quantiles)
{
	struct distribution distribution = {0};
	double p50;

	/* Out of order, as a hash map gives them */
	cr_assert_eq(distribution_add(&distribution, 208, 90), 0);
	cr_assert_eq(distribution_add(&distribution, 3, 9), 0);
	cr_assert_eq(distribution_add(&distribution, 1 << 20, 1), 0);
	distribution_sort(&distribution);
	cr_assert_eq(distribution.count, 100);
	cr_assert_eq(distribution_min(&distribution), 3);
	cr_assert_eq(distribution_max(&distribution), (1 << 20) + (1 << 17) - 1);
	cr_assert_eq(distribution_quantile(&distribution, 0.05), 3);
	p50 = distribution_quantile(&distribution, 0.5);
	cr_assert(p50 >= 208 && p50 < 224, "%f", p50);
	cr_assert_geq(distribution_quantile(&distribution, 1), 1 << 20);
	distribution_clear(&distribution);
	cr_assert_eq(distribution.count, 0);
}

/* Rooms for many: it grows. */
Test(trace_distribution, many)
{
	struct distribution distribution = {0};
	uint64_t edge = 0;
	unsigned int i;

	for (i = 0; i < 400; i++, edge = distribution_edge_after(edge))
		cr_assert_eq(distribution_add(&distribution, edge, 1), 0);
	distribution_sort(&distribution);
	cr_assert_eq(distribution.bucket_count, 400);
	cr_assert_eq(distribution.count, 400);
	distribution_clear(&distribution);
}
