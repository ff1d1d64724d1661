/* SPDX-License-Identifier: MIT */
/*
 * What the models of one run have learnt of the oscillator, as numbers for the next run. It comes in
 * rows of a few numbers, in which it is written, recorded and given to an engine.
 *
 * It counts for less the older it is. With d = age / LEARNT_AGE_NS, and twice what likelihoods lose
 * if the machine was started anew in between:
 *	likelihoods	are tempered: logarithms times exp(-d), or exp(-d) / 2
 *	states		have their covariance times 1 + d; the rate's variance grows beyond that by
 *			the random walk of each member over the age, and by (1 ppm)^2 after a start
 *	wander		stays as it is: it is only ever added to the bound
 * and beyond LEARNT_OLDEST_NS it is nothing.
 */
#ifndef ENGINE_LEARNT_H
#define ENGINE_LEARNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/long_term.h"
#include "engine/short_term.h"

#define LEARNT_AGE_NS 86400000000000LL
#define LEARNT_OLDEST_NS (7 * LEARNT_AGE_NS)
/* Of the rate, one standard deviation: what another start of the machine may change */
#define LEARNT_RESTART_SD_NS_S 1000.0

/* The rate, with inputs as they were at the end of the run, and the coefficients */
#define LEARNT_STATES (1 + LONG_TERM_INPUTS)
#define LEARNT_PAIRS (LEARNT_STATES * (LEARNT_STATES + 1) / 2)
/* Logarithms of likelihoods are relative to the best one's, and not less than this. */
#define LEARNT_LIKELIHOOD_LEAST (-40.0)

/* The mean of a family's members; rates and what moves them in ns/s, from the best estimate */
struct learnt_family {
	double likelihood;
	double members[LONG_TERM_WALKS]; /* likelihoods */
	double mean[LEARNT_STATES];
	double covariance[LEARNT_PAIRS]; /* lower triangle, row by row */
};

/* All members are doubles: struct learnt is an array of them, too. Counts of 0: it has no such part */
struct learnt {
	double short_term_members; /* how many there were */
	double walk_ns_s;          /* as of short_term_wander() */
	double slope_ns_s2;
	double short_term_families[BANK_FAMILIES]; /* likelihoods, likewise: */
	double short_term_likelihoods[SHORT_TERM_MEMBERS];

	double long_term_inputs; /* how many inputs there were */
	double scale;
	double day_s;
	double known[COVARIATE_COUNT]; /* 1: the value below has been read */
	double value[COVARIATE_COUNT]; /* latest readings, in units of their usual change */
	struct learnt_family families[LONG_TERM_FAMILIES];
};

#define LEARNT_ROW_MAX 8

/* A row: some members of struct learnt that follow each other */
struct learnt_row {
	char name[40];
	unsigned int first; /* as an array of doubles */
	unsigned int count; /* 1 to LEARNT_ROW_MAX */
};

/* The index-th row, from 0 on; false: there is none. */
bool learnt_row(unsigned int index, struct learnt_row *ret);

/*
 * Drop the parts that cannot be: numbers that are not finite, out of range, of other counts than
 * models have here (short_term_members: as these have), or a covariance that is none. Returns NULL,
 * or what was wrong with the last part dropped.
 */
const char *learnt_check(struct learnt *learnt, unsigned int short_term_members);

/* What is left of a logarithm of a likelihood, a factor from 0 to 1 */
double learnt_kept(int64_t age_ns, bool same_oscillator);

#endif /* ENGINE_LEARNT_H */
