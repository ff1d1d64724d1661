/* SPDX-License-Identifier: MIT */
/*
 * Is a sample an outlier among those of its source? Two tests of its innovation: how far it is from
 * where the ones before it point to, in units of what it was expected to be off.
 *
 *	MAD	from the median of the latest ones, in median absolute deviations of these. It is
 *		quick to follow, and up to half of the latest may be outliers themselves.
 *	Z	in standard deviations of what is usual, which adapts slowly and is moved little by
 *		any single one. It tells what the other has got used to: a burst.
 *
 * Neither calls an outlier what is within a few times of what was expected anyway. What to do with
 * one, and that several in a row are a step and no outliers, is the filter's business.
 */
#ifndef ENGINE_OUTLIER_H
#define ENGINE_OUTLIER_H

/* The latest innovations, for the MAD */
#define OUTLIER_WINDOW 16
/* With fewer of them nothing is an outlier. */
#define OUTLIER_LEAST 8

enum outlier {
	OUTLIER_NO,
	OUTLIER_MAD,
	OUTLIER_Z,
};

/* All zero: nothing is known. */
struct outlier_tests {
	double latest[OUTLIER_WINDOW]; /* a ring */
	unsigned int count;            /* filled */
	unsigned int next;             /* where the next one goes */
	double usual;                  /* mean square, adapts slowly */
	unsigned int seen;             /* up to how slowly that is */
};

/* Is it one, by what was learned before it? */
enum outlier outlier_test(const struct outlier_tests *tests, double innovation);

/* Learn from it, be it an outlier or not. */
void outlier_learn(struct outlier_tests *tests, double innovation);

#endif /* ENGINE_OUTLIER_H */
