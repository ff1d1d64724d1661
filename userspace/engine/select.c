/* SPDX-License-Identifier: MIT */
#include "engine/select.h"

#include <errno.h>
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

/* Mark the intervals that touch [lo, hi]. */
static void mark_touching(bool *marks, const struct select_interval *intervals, unsigned int count,
			  int64_t lo, int64_t hi)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		marks[i] = marks[i] || (intervals[i].lo <= hi && intervals[i].hi >= lo);
}

unsigned int select_need(unsigned int count, unsigned int absent)
{
	unsigned int most_false = (count + absent - 1) / 2;

	return count > most_false ? count - most_false : 0;
}

int select_agreement(struct select_result *ret, bool *truechimer,
		     const struct select_interval *intervals, unsigned int count, unsigned int need)
{
	unsigned int depth = 0, i;
	struct edge edges[2 * SELECT_MAX];
	bool found = false;

	memset(ret, 0, sizeof(*ret));
	memset(truechimer, 0, count * sizeof(*truechimer));
	for (i = 0; i < count; i++) {
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
			mark_touching(truechimer, intervals, count, edges[i].at, edges[i + 1].at);
	}
	return 0;
}
