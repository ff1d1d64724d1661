/* SPDX-License-Identifier: MIT */
/*
 * Which truechimers the estimate is made of: the preferred ones, and of many those that lie close
 * together, in the spirit of the cluster algorithm of RFC 5905 section 11.2.2.
 *
 * It takes no vote from anybody: the intervals have been intersected, and the bound stands.
 */
#ifndef ENGINE_CLUSTER_H
#define ENGINE_CLUSTER_H

#include <stdbool.h>

/* Sources at a time */
#define CLUSTER_MAX 64

/* So many are left at least: the estimate of one or two is as good as their ways are even. */
#define CLUSTER_MIN 3

/* What a source that was out has to be better by to come back in, lest the estimate jump about */
#define CLUSTER_RETURN 0.8

enum cluster_place {
	CLUSTER_IN,
	CLUSTER_NOT_PREFERRED, /* others are preferred */
	CLUSTER_OUT,           /* too far from the others */
};

struct cluster_source {
	double estimate_ns; /* from one reference */
	double jitter_ns;   /* by which that errs beside a constant, > 0; INFINITY: not known yet */
	bool preferred;
	enum cluster_place place; /* in: the one it had before; out: the one that it has */
};

/*
 * Find the places of `count` <= CLUSTER_MAX truechimers. With a preferred one all others are out.
 * As long as more than CLUSTER_MIN are left, that one goes whose distances from the others have the
 * greatest root mean square (RFC 5905: selection jitter), if that is more than the least jitter of
 * those left: below that, taking one more out gains nothing. While a jitter is not known, none goes.
 *
 * Returns how many are in.
 */
unsigned int cluster(struct cluster_source *sources, unsigned int count);

#endif /* ENGINE_CLUSTER_H */
