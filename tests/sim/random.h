/* SPDX-License-Identifier: MIT */
/* Chance for simulations: the same seed gives the same digits. */
#ifndef SIM_RANDOM_H
#define SIM_RANDOM_H

#include <stdint.h>

/* xorshift64*; the state is never 0 */
struct rng {
	uint64_t state;
};

uint64_t rng_next(struct rng *rng);
double rng_uniform(struct rng *rng); /* [0, 1) */
double rng_normal(struct rng *rng);  /* mean 0, standard deviation 1, never beyond 6 */
double rng_exponential(struct rng *rng, double mean);

/* Of so many exponential stages, as many queues in a row: mean `mean`, sd mean / sqrt(stages) */
double rng_gamma(struct rng *rng, unsigned int stages, double mean);

/*
 * Lomax (a Pareto that begins at 0) of shape 4/3: without its end at 1,000 times the mean, it would
 * have no variance. The median is 0.24 of the mean, the 99th percentile 11 of them.
 */
double rng_pareto(struct rng *rng, double mean);

#endif /* SIM_RANDOM_H */
