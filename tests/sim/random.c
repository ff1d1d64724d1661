/* SPDX-License-Identifier: MIT */
#include "random.h"

#include <math.h>

/* Mean of the Lomax distribution of shape 4/3 and scale 1, cut off at PARETO_END */
#define PARETO_MEAN 2.787
#define PARETO_END 2787

uint64_t rng_next(struct rng *rng)
{
	rng->state ^= rng->state >> 12;
	rng->state ^= rng->state << 25;
	rng->state ^= rng->state >> 27;
	return rng->state * 0x2545f4914f6cdd1dULL;
}

double rng_uniform(struct rng *rng)
{
	return (double)(rng_next(rng) >> 11) * 0x1p-53;
}

/* The sum of twelve uniform numbers: no libm, so the same digits everywhere */
double rng_normal(struct rng *rng)
{
	double sum = -6;
	int i;

	for (i = 0; i < 12; i++)
		sum += rng_uniform(rng);
	return sum;
}

double rng_exponential(struct rng *rng, double mean)
{
	return -mean * log(1 - rng_uniform(rng));
}

double rng_gamma(struct rng *rng, unsigned int stages, double mean)
{
	double sum = 0;
	unsigned int i;

	for (i = 0; i < stages; i++)
		sum += rng_exponential(rng, mean / stages);
	return sum;
}

/* u^(-3/4) by square roots, which round the same everywhere */
double rng_pareto(struct rng *rng, double mean)
{
	double root = sqrt(1 - rng_uniform(rng));
	double value = 1 / (root * sqrt(root)) - 1;

	return mean / PARETO_MEAN * (value < PARETO_END ? value : PARETO_END);
}
