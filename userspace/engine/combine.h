/* SPDX-License-Identifier: MIT */
/* What several sources say together at one instant. */
#ifndef ENGINE_COMBINE_H
#define ENGINE_COMBINE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/bound.h"
#include "engine/filter.h"
#include "engine/prediction.h"
#include "engine/select.h"

/* One source's say; the first three are filled in by the caller. */
struct combine_source {
	const struct filter *filter;     /* not empty */
	struct filter_interval interval; /* filter_interval() at now_ns */
	unsigned int index;              /* the caller's */
	bool truechimer;
	double estimate_ns; /* from combined.reference_ns */
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
	struct select_result agreed; /* the selected interval; reference_ns is its lower end */
	uint8_t leap; /* RFC 5905 leap indicator 0 to 2, by majority of the selected */
};

/*
 * Combine `count` <= SELECT_MAX sources at raw time now_ns, while `absent` more are still to be
 * heard: more than half of all of them are taken to be right, and must agree, at the instant of the
 * newest sample and at now_ns. The former tells who is a truechimer.
 *
 * The bound is the selected interval's farther end from the estimate. The estimate is the mean of
 * the truechimers' lines, weighted with 1 / root distance^2, moved into the selected interval. The
 * rate lies where a majority of the rate intervals agree (else within +-max_drift); the best
 * estimate is the mean of the truechimers' rates, weighted with 1 / variance, moved into it.
 *
 * Returns 0, or -ENOENT if no majority agrees.
 */
int combine(struct combined *ret, struct combine_source *sources, unsigned int count,
	    unsigned int absent, int64_t now_ns, const struct filter_limits *limits);

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
