/* SPDX-License-Identifier: MIT */
#include "engine/cluster.h"

#include <math.h>

static void leave_preferred(struct cluster_source *sources, unsigned int count)
{
	bool any = false;
	unsigned int i;

	for (i = 0; i < count; i++)
		any = any || sources[i].preferred;
	for (i = 0; i < count; i++)
		if (any && !sources[i].preferred)
			sources[i].place = CLUSTER_NOT_PREFERRED;
		else if (sources[i].place == CLUSTER_NOT_PREFERRED)
			sources[i].place = CLUSTER_IN;
}

/* What is left in */
struct remaining {
	bool in[CLUSTER_MAX];
	unsigned int count;
	double mean_ns;   /* of the estimates */
	double square_ns; /* sum of the squares of the distances from it */
	double least_ns;  /* jitter */
};

static void remaining_weigh(struct remaining *left, const struct cluster_source *sources,
			    unsigned int count)
{
	unsigned int i;

	left->mean_ns = 0;
	left->square_ns = 0;
	left->least_ns = INFINITY;
	for (i = 0; i < count; i++)
		if (left->in[i])
			left->mean_ns += sources[i].estimate_ns / left->count;
	for (i = 0; i < count; i++) {
		double distance = sources[i].estimate_ns - left->mean_ns;

		if (!left->in[i])
			continue;
		left->square_ns += distance * distance;
		left->least_ns = fmin(left->least_ns, sources[i].jitter_ns);
	}
}

/* Root mean square of a source's distances from the others: those from the mean tell it. */
static double selection_jitter(const struct remaining *left, const struct cluster_source *source)
{
	double distance = source->estimate_ns - left->mean_ns;
	double jitter =
		sqrt((left->square_ns + left->count * distance * distance) / (left->count - 1));

	return source->place == CLUSTER_OUT ? jitter / CLUSTER_RETURN : jitter;
}

unsigned int cluster(struct cluster_source *sources, unsigned int count)
{
	struct remaining left = {.count = 0};
	bool known = true;
	unsigned int i;

	leave_preferred(sources, count);
	for (i = 0; i < count; i++) {
		left.in[i] = sources[i].place != CLUSTER_NOT_PREFERRED;
		left.count += left.in[i];
	}
	for (i = 0; i < count; i++)
		known = known && (!left.in[i] || sources[i].jitter_ns < INFINITY);
	while (known && left.count > CLUSTER_MIN) {
		unsigned int worst = 0;
		double most_ns = -1;

		remaining_weigh(&left, sources, count);
		for (i = 0; i < count; i++) {
			double jitter_ns = selection_jitter(&left, &sources[i]);

			if (left.in[i] && jitter_ns > most_ns)
				most_ns = jitter_ns, worst = i;
		}
		if (most_ns <= left.least_ns)
			break;
		left.in[worst] = false;
		left.count--;
	}
	for (i = 0; i < count; i++)
		if (sources[i].place != CLUSTER_NOT_PREFERRED)
			sources[i].place = left.in[i] ? CLUSTER_IN : CLUSTER_OUT;
	return left.count;
}
