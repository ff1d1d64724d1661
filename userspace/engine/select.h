/* SPDX-License-Identifier: MIT */
/*
 * Selection: which sources agree, and on what. The promise: as long as more than half of the
 * intervals contain the truth, so does the selected one.
 */
#ifndef ENGINE_SELECT_H
#define ENGINE_SELECT_H

#include <stdbool.h>
#include <stdint.h>

#define SELECT_MAX 64

struct select_interval {
	int64_t lo, hi; /* lo <= hi */
};

struct select_result {
	int64_t lo, hi;       /* hull of the points that at least half + 1 intervals contain */
	unsigned int lo_from; /* whose end lo is */
	unsigned int hi_from;
	unsigned int depth; /* the most intervals that share a point */
};

/*
 * Intersect `count` <= SELECT_MAX intervals: the points that at least count / 2 + 1 of them contain
 * (one interval: itself; two: what both have). truechimer[i]: does interval i touch the points that
 * the most intervals share?
 *
 * Returns 0, or -ENOENT if no point has a majority; depth is then set, and all are no truechimers.
 */
int select_majority(struct select_result *ret, bool *truechimer,
		    const struct select_interval *intervals, unsigned int count);

#endif /* ENGINE_SELECT_H */
