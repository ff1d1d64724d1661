/* SPDX-License-Identifier: MIT */
#include "engine/learnt.h"

#include <math.h>
#include <stdio.h>

/* No more than a counter's rate may be off, 1000 ppm; coefficients neither, for a usual change */
#define RATE_MAX_NS_S 1e6
#define SLOPE_MAX_NS_S2 1e3
#define SCALE_LEAST 1e-9
#define SCALE_MAX 1e9
#define VALUE_MAX 1e9
#define DAYS_MAX_S 1e10
/* Correlations may pass 1 by as much in rounding. */
#define ROUNDING 1e-9

#define AT(member) (offsetof(struct learnt, member) / sizeof(double))
#define SPAN(member) (sizeof(((struct learnt *)0)->member) / sizeof(double))

_Static_assert(sizeof(struct learnt) % sizeof(double) == 0, "nothing but doubles");

/* Blocks of numbers, in rows of `width` */
struct block {
	const char *name;
	unsigned int first, count, width;
};

static const struct block heads[] = {
	{"short_term_wander", AT(short_term_members), 3, 3},
	{"short_term_families", AT(short_term_families), SPAN(short_term_families), BANK_FAMILIES},
	{"short_term_likelihoods", AT(short_term_likelihoods), SPAN(short_term_likelihoods), 8},
	{"long_term", AT(long_term_inputs), 3, 3},
	{"long_term_known", AT(known), SPAN(known), COVARIATE_COUNT},
	{"long_term_values", AT(value), SPAN(value), COVARIATE_COUNT},
};
#define HEADS (sizeof(heads) / sizeof(heads[0]))

static const char *const family_names[LONG_TERM_FAMILIES] = {
	[LONG_TERM_NOTHING] = "nothing",
	[LONG_TERM_TEMPERATURE] = "temperature",
	[LONG_TERM_COVARIATES] = "covariates",
	[LONG_TERM_TIME_OF_DAY] = "time_of_day",
};

#define FAMILY_AT(member) (offsetof(struct learnt_family, member) / sizeof(double))
static const struct block family_blocks[] = {
	{"likelihoods", FAMILY_AT(likelihood), 1 + LONG_TERM_WALKS, 1 + LONG_TERM_WALKS},
	{"mean", FAMILY_AT(mean), LEARNT_STATES, LEARNT_STATES},
	{"covariance", FAMILY_AT(covariance), LEARNT_PAIRS, 7},
};
#define FAMILY_BLOCKS (sizeof(family_blocks) / sizeof(family_blocks[0]))

_Static_assert(1 + LONG_TERM_WALKS <= LEARNT_ROW_MAX && LEARNT_STATES <= LEARNT_ROW_MAX, "fits");

/* Is it the *index-th row of the block? If not, *index counts on from its end. */
static bool block_row(const struct block *block, unsigned int *index, unsigned int first,
		      struct learnt_row *ret)
{
	unsigned int rows = (block->count + block->width - 1) / block->width;

	if (*index >= rows) {
		*index -= rows;
		return false;
	}
	ret->first = first + block->first + *index * block->width;
	ret->count = block->count - *index * block->width;
	if (ret->count > block->width)
		ret->count = block->width;
	return true;
}

bool learnt_row(unsigned int index, struct learnt_row *ret)
{
	unsigned int i, family;

	for (i = 0; i < HEADS; i++) {
		if (block_row(&heads[i], &index, 0, ret)) {
			snprintf(ret->name, sizeof(ret->name), "%s", heads[i].name);
			return true;
		}
	}
	for (family = 0; family < LONG_TERM_FAMILIES; family++) {
		for (i = 0; i < FAMILY_BLOCKS; i++) {
			if (block_row(&family_blocks[i], &index, (unsigned int)AT(families[family]),
				      ret)) {
				snprintf(ret->name, sizeof(ret->name), "%s_%s",
					 family_names[family], family_blocks[i].name);
				return true;
			}
		}
	}
	return false;
}

static bool within(double value, double min, double max)
{
	return value >= min && value <= max; /* not if it is no number */
}

static bool all_within(const double *values, unsigned int count, double min, double max)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (!within(values[i], min, max))
			return false;
	return true;
}

/* Is there a Cholesky factor of it? States of which nothing is unknown have a row of zeros. */
static bool is_covariance(const double *pairs)
{
	double l[LEARNT_STATES][LEARNT_STATES] = {{0}};
	unsigned int i, j, k;

	for (i = 0; i < LEARNT_STATES; i++) {
		double variance = pairs[i * (i + 1) / 2 + i], left = variance;

		if (!within(variance, 0, RATE_MAX_NS_S * RATE_MAX_NS_S))
			return false;
		for (j = 0; j < i; j++) {
			double sum = pairs[i * (i + 1) / 2 + j];
			double other = pairs[j * (j + 1) / 2 + j];

			if (!(sum * sum <= variance * other * (1 + ROUNDING)))
				return false;
			for (k = 0; k < j; k++)
				sum -= l[i][k] * l[j][k];
			l[i][j] = l[j][j] > 0 ? sum / l[j][j] : 0;
			left -= l[i][j] * l[i][j];
		}
		if (!(left >= -ROUNDING * variance))
			return false;
		l[i][i] = left > ROUNDING * variance ? sqrt(left) : 0;
	}
	return true;
}

static const char *short_term_wrong(const struct learnt *learnt, unsigned int members)
{
	if (learnt->short_term_members != members)
		return "it is of other short-term models";
	if (!within(learnt->walk_ns_s, 0, RATE_MAX_NS_S) ||
	    !within(learnt->slope_ns_s2, 0, SLOPE_MAX_NS_S2))
		return "the wander is out of range";
	if (!all_within(learnt->short_term_families, BANK_FAMILIES, LEARNT_LIKELIHOOD_LEAST, 0) ||
	    !all_within(learnt->short_term_likelihoods, SHORT_TERM_MEMBERS, LEARNT_LIKELIHOOD_LEAST,
			0))
		return "a likelihood of the short-term model is out of range";
	return NULL;
}

static const char *long_term_wrong(const struct learnt *learnt)
{
	unsigned int i;

	if (learnt->long_term_inputs != LONG_TERM_INPUTS)
		return "it is of another long-term model";
	if (!within(learnt->scale, SCALE_LEAST, SCALE_MAX) ||
	    !within(learnt->day_s, 0, DAYS_MAX_S) ||
	    !all_within(learnt->value, COVARIATE_COUNT, -VALUE_MAX, VALUE_MAX))
		return "a reading of the long-term model is out of range";
	for (i = 0; i < COVARIATE_COUNT; i++)
		if (learnt->known[i] != 0 && learnt->known[i] != 1)
			return "a reading of the long-term model is out of range";
	for (i = 0; i < LONG_TERM_FAMILIES; i++) {
		const struct learnt_family *family = &learnt->families[i];

		if (!within(family->likelihood, LEARNT_LIKELIHOOD_LEAST, 0) ||
		    !all_within(family->members, LONG_TERM_WALKS, LEARNT_LIKELIHOOD_LEAST, 0))
			return "a likelihood of the long-term model is out of range";
		if (!all_within(family->mean, LEARNT_STATES, -RATE_MAX_NS_S, RATE_MAX_NS_S))
			return "a coefficient is out of range";
		if (!is_covariance(family->covariance) || !(family->covariance[0] > 0))
			return "the coefficients' covariance is none";
	}
	return NULL;
}

const char *learnt_check(struct learnt *learnt, unsigned int short_term_members)
{
	const char *wrong, *ret = NULL;

	if (learnt->short_term_members != 0) {
		wrong = short_term_wrong(learnt, short_term_members);
		if (wrong) {
			learnt->short_term_members = 0;
			ret = wrong;
		}
	}
	if (learnt->long_term_inputs != 0) {
		wrong = long_term_wrong(learnt);
		if (wrong) {
			learnt->long_term_inputs = 0;
			ret = wrong;
		}
	}
	return ret;
}

double learnt_kept(int64_t age_ns, bool same_oscillator)
{
	if (age_ns > LEARNT_OLDEST_NS)
		return 0;
	return exp(-(double)age_ns / (double)LEARNT_AGE_NS) * (same_oscillator ? 1 : 0.5);
}
