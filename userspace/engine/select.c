/* SPDX-License-Identifier: MIT */
#include "engine/select.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* An end of an interval. Beginnings sort before ends at the same place: intervals are closed. */
struct edge {
	int64_t at;
	unsigned int from;
	bool end;
};

static bool edge_before(const struct edge *a, const struct edge *b)
{
	return a->at != b->at ? a->at < b->at : a->end < b->end;
}

static void edges_sort(struct edge *edges, unsigned int count)
{
	unsigned int i, j;

	for (i = 1; i < count; i++) {
		struct edge edge = edges[i];

		for (j = i; j > 0 && edge_before(&edge, &edges[j - 1]); j--)
			edges[j] = edges[j - 1];
		edges[j] = edge;
	}
}

uint64_t select_apart(struct select_interval a, struct select_interval b)
{
	if (a.lo > b.hi)
		return (uint64_t)a.lo - (uint64_t)b.hi;
	return b.lo > a.hi ? (uint64_t)b.lo - (uint64_t)a.hi : 0;
}

/* The stretch is one of those that the most intervals share. */
static void measure_apart(uint64_t *apart, const struct select_interval *intervals,
			  unsigned int count, struct select_interval stretch)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		uint64_t distance = select_apart(intervals[i], stretch);

		if (distance < apart[i])
			apart[i] = distance;
	}
}

unsigned int select_need(unsigned int count, unsigned int absent)
{
	unsigned int most_false = (count + absent - 1) / 2;

	return count > most_false ? count - most_false : 0;
}

int select_agreement(struct select_result *ret, uint64_t *apart,
		     const struct select_interval *intervals, unsigned int count, unsigned int need)
{
	unsigned int depth = 0, i;
	struct edge edges[2 * SELECT_MAX];
	bool found = false;

	memset(ret, 0, sizeof(*ret));
	for (i = 0; i < count; i++) {
		apart[i] = SELECT_NOWHERE;
		edges[2 * i] = (struct edge){intervals[i].lo, i, false};
		edges[2 * i + 1] = (struct edge){intervals[i].hi, i, true};
	}
	edges_sort(edges, 2 * count);

	for (i = 0; i < 2 * count; i++) {
		if (!edges[i].end) {
			depth++;
			if (depth > ret->depth)
				ret->depth = depth;
			if (depth == need && !found) {
				ret->lo = edges[i].at;
				ret->lo_from = edges[i].from;
				found = true;
			}
		} else {
			if (depth == need) {
				ret->hi = edges[i].at;
				ret->hi_from = edges[i].from;
			}
			depth--;
		}
	}
	if (!found)
		return -ENOENT;

	/* Each stretch of the greatest depth runs from a beginning to the end right after it. */
	for (i = 0; i + 1 < 2 * count; i++) {
		depth += edges[i].end ? -1U : 1U;
		if (depth == ret->depth && !edges[i].end)
			measure_apart(apart, intervals, count,
				      (struct select_interval){edges[i].at, edges[i + 1].at});
	}
	return 0;
}
