/* SPDX-License-Identifier: MIT */
/* A distribution as the BPF programs leave it: counts by bucket. Pure. */
#ifndef BPF_DISTRIBUTION_H
#define BPF_DISTRIBUTION_H

#include <stddef.h>
#include <stdint.h>

struct distribution_bucket {
	uint64_t at_least; /* an edge as bucket_edge() in count.bpf.h makes them */
	uint64_t count;
};

struct distribution {
	struct distribution_bucket *buckets; /* from the lowest to the highest once sorted */
	size_t bucket_count, room;
	uint64_t count; /* of all */
};

/* Returns 0 or -ENOMEM. */
int distribution_add(struct distribution *distribution, uint64_t at_least, uint64_t count);

/* To be called after the last one was added, and before what follows. */
void distribution_sort(struct distribution *distribution);
void distribution_clear(struct distribution *distribution);

/* One more than the largest value in the bucket that begins there; UINT64_MAX for the last. */
uint64_t distribution_edge_after(uint64_t at_least);

/*
 * The value that the share `quantile`, 0 to 1, of all lies at or below, taken as spread evenly over
 * a bucket: good to 1/16 of the value. 0 without any.
 */
double distribution_quantile(const struct distribution *distribution, double quantile);

/* Where the lowest bucket begins, and the highest one's largest value. */
uint64_t distribution_min(const struct distribution *distribution);
uint64_t distribution_max(const struct distribution *distribution);

#endif /* BPF_DISTRIBUTION_H */
