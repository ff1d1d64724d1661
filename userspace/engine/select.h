/* SPDX-License-Identifier: MIT */
/*
 * Selection: which sources agree, and on what. The promise: as long as at least `need` of the
 * intervals contain the truth, so does the selected one.
 */
#ifndef ENGINE_SELECT_H
#define ENGINE_SELECT_H

#include <stdint.h>

#define SELECT_MAX 64
#define SELECT_NOWHERE UINT64_MAX

struct select_interval {
	int64_t lo, hi; /* lo <= hi */
};

struct select_result {
	int64_t lo, hi;       /* hull of the points that at least `need` intervals contain */
	unsigned int lo_from; /* whose end lo is */
	unsigned int hi_from;
	unsigned int depth; /* the most intervals that share a point */
};

/*
 * Intersect `count` <= SELECT_MAX intervals. apart[i]: how far interval i is from the points that
 * the most intervals share; 0: it has one of them, and is a truechimer. need: 1 to count.
 *
 * Returns 0, or -ENOENT if no point is in `need` of them; depth is then set, and none is a
 * truechimer: apart is SELECT_NOWHERE.
 */
int select_agreement(struct select_result *ret, uint64_t *apart,
		     const struct select_interval *intervals, unsigned int count,
		     unsigned int need);

/* How far apart two intervals are; 0: they have a point in common. */
uint64_t select_apart(struct select_interval a, struct select_interval b);

/*
 * How many must agree if more than half of `count` sources and `absent` others are right, but the
 * absent ones have not been heard: those that are heard, less all that can be false. With none
 * absent, count / 2 + 1. 0: too few are heard.
 */
unsigned int select_need(unsigned int count, unsigned int absent);

#endif /* ENGINE_SELECT_H */
