/* SPDX-License-Identifier: MIT */
/* What several sources say together at one instant. */
#ifndef ENGINE_COMBINE_H
#define ENGINE_COMBINE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/bound.h"
#include "engine/cluster.h"
#include "engine/filter.h"
#include "engine/prediction.h"
#include "engine/select.h"
#include "engine/source_options.h"

/* One source's say; the first four are filled in by the caller, place with what it was before. */
struct combine_source {
	const struct filter *filter;     /* not empty */
	struct filter_interval interval; /* filter_interval() at now_ns */
	unsigned int index;              /* the caller's */
	unsigned int options;            /* ENGINE_SOURCE_*, not NOSELECT */
	enum cluster_place place;        /* of a truechimer: is the estimate made of it? */
	bool truechimer;
	uint64_t apart_ns;  /* of its interval from what is agreed on; 0: truechimer */
	double estimate_ns; /* from combined.reference_ns */
};

/* Sources that are still to be heard */
struct combine_absent {
	unsigned int all;
	unsigned int trusted; /* of them */
};

struct combined {
	int64_t reference_ns; /* estimate of UTC minus raw time: reference + estimate */
	double estimate_ns;
	double offset_sd_ns;
	double rate_sd;              /* s/s */
	struct rate_interval rate;   /* where the rate lies */
	int64_t used_rate;           /* best estimate, within it */
	struct bound bound;          /* growth is not set */
	unsigned int selected;       /* truechimers */
	unsigned int used;           /* those of them that the estimate is made of */
	bool trusted;                /* the trusted ones alone had votes */
	struct select_result agreed; /* the selected interval; reference_ns is its lower end */
	uint8_t leap; /* RFC 5905 leap indicator 0 to 2, by majority of the selected */
};

/*
 * Combine `count` <= SELECT_MAX sources at raw time now_ns, while `absent` more are still to be
 * heard: more than half of all of them are taken to be right, and must agree, at the instant of the
 * newest sample and at now_ns. The former tells who is a truechimer. With a trusted one among them
 * only the trusted ones are asked (source_options.h).
 *
 * The bound is the selected interval's farther end from the estimate. The estimate is the mean of
 * the lines of those truechimers that cluster() leaves in, weighted with 1 / root distance^2, moved
 * into the selected interval. The rate lies where a majority of the rate intervals agree (else
 * within +-max_drift); the best estimate is the mean of the rates of the same truechimers, weighted
 * with 1 / variance, moved into it.
 *
 * Returns 0, or -ENOENT if no majority agrees; combined.trusted is then set, too.
 */
int combine(struct combined *ret, struct combine_source *sources, unsigned int count,
	    const struct combine_absent *absent, int64_t now_ns,
	    const struct filter_limits *limits);

/* Is the estimate made of this source? */
static inline bool combine_uses(const struct combine_source *source)
{
	return source->truechimer && source->place == CLUSTER_IN;
}

/* The estimate, as combine() or combine_follow() left it, as a line */
struct estimate combined_line(const struct combined *combined, int64_t now_ns);

/*
 * Let the estimate be that of another line, moved into the selected interval, and its rate into
 * where the rate lies; the bound is the farther end from there. Distances that are moved are in the
 * standard deviation.
 */
void combine_follow(struct combined *combined, const struct combine_source *sources,
		    const struct estimate *line, int64_t now_ns);

#endif /* ENGINE_COMBINE_H */
