/* SPDX-License-Identifier: MIT */
#include "engine/score.h"

#include <limits.h>
#include <math.h>

/* What is kept of the means at each measurement */
#define KEPT 0.98
/* The share of normal errors that is within one standard deviation */
#define ONE_SD 0.6827
/* Before anything was measured, the factor is 1 with the weight of so many ratios; then of fewer. */
#define PRIOR 8
/* Halves of a normal distribution into as many equal parts: the middles, in standard deviations */
static const float normal[PRIOR] = {0.079F, 0.237F, 0.402F, 0.579F, 0.776F, 1.010F, 1.318F, 1.863F};
/* A rival is ahead by so many standard errors, and no longer when it is behind by that. */
#define AHEAD_SD 1.0
#define RIVALRY_MIN 20
/* The factor is worked out anew at every so many measurements. */
#define SOMETIMES 4

void score_init(struct score *score)
{
	*score = (struct score){.within = ONE_SD, .factor = 1};
}

/*
 * The quantile of all ratios that are kept and of the prior: interpolated, so that it moves by
 * little when one comes and one goes.
 */
static double quantile(const struct score *score)
{
	float sorted[SCORE_RATIOS + PRIOR];
	unsigned int count = 0, kept, i, j;
	double at, below;

	kept = score->count < SCORE_RATIOS ? (unsigned int)score->count : SCORE_RATIOS;
	for (i = 0; i < kept + PRIOR * (SCORE_RATIOS - kept) / SCORE_RATIOS; i++) {
		float ratio = i < kept ? score->ratios[i]
				       : normal[(i - kept) * SCORE_RATIOS / (SCORE_RATIOS - kept)];

		for (j = count++; j > 0 && sorted[j - 1] > ratio; j--)
			sorted[j] = sorted[j - 1];
		sorted[j] = ratio;
	}
	at = ONE_SD * count - 0.5;
	i = (unsigned int)at;
	below = at - i;
	return sorted[i] + below * (sorted[i + 1] - sorted[i]);
}

void score_add(struct score *score, double error_ns, double sd_ns)
{
	double size_ns = fabs(error_ns), ratio = size_ns / sd_ns;
	double share = fmax(1 - KEPT, 1.0 / (double)(score->count + 1));

	score->error_ns += share * (size_ns - score->error_ns);
	score->within += (1 - KEPT) * ((ratio <= score->factor) - score->within);
	score->ratios[score->count % SCORE_RATIOS] = (float)fmin(ratio, 1e6);
	score->count++;
	/* Once there are many, one more hardly matters: sorting them costs more than all else here. */
	if (score->count > SCORE_RATIOS && score->count % SOMETIMES)
		return;
	score->factor = fmin(fmax(quantile(score), 1 / SCORE_FACTOR_MAX), SCORE_FACTOR_MAX);
}

void rivalry_add(struct rivalry *rivalry, double error_a_ns, double error_b_ns)
{
	double a = fabs(error_a_ns), b = fabs(error_b_ns), term, share, error;

	term = a + b > 0 ? (b - a) / (b + a) : 0;
	if (rivalry->count < UINT_MAX)
		rivalry->count++;
	share = fmax(1 - KEPT, 1.0 / rivalry->count);
	rivalry->variance += share * (term * term - rivalry->variance);
	rivalry->lead += share * (term - rivalry->lead);
	if (rivalry->count < RIVALRY_MIN)
		return;
	error = sqrt(rivalry->variance * share / (2 - share));
	if (rivalry->lead > AHEAD_SD * error)
		rivalry->ahead = true;
	else if (rivalry->lead < -AHEAD_SD * error)
		rivalry->ahead = false;
}
