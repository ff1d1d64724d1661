/* SPDX-License-Identifier: MIT */
/*
 * How good a predictor has been, by measurements that came after its predictions: the mean error,
 * and whether the errors were as large as it said. From that, the factor that its standard deviations
 * need. And which of two predictors has been better.
 */
#ifndef ENGINE_SCORE_H
#define ENGINE_SCORE_H

#include <stdbool.h>
#include <stdint.h>

/* Ratios of errors that the factor is found from: the latest ones */
#define SCORE_RATIOS 64
/* The factor stays within 1 / SCORE_FACTOR_MAX and SCORE_FACTOR_MAX */
#define SCORE_FACTOR_MAX 8.0

struct score {
	uint64_t count;
	double error_ns; /* mean absolute error, older ones counting less */
	double within; /* share of the errors within one standard deviation as it was told, likewise */
	double factor;              /* for standard deviations to come */
	float ratios[SCORE_RATIOS]; /* error over standard deviation, as it was before the factor */
};

/* Without a measurement: deviations are taken as they are told. */
void score_init(struct score *score);

/*
 * A measurement was error_ns away from what had been predicted for it, with a standard deviation of
 * sd_ns > 0: of the prediction, without the factor, and of the measurement itself together.
 */
void score_add(struct score *score, double error_ns, double sd_ns);

/* Two predictors on the same measurements */
struct rivalry {
	unsigned int count;
	double lead;     /* mean of (b - a) / (b + a), a and b being the absolute errors: -1 to 1 */
	double variance; /* of one such term */
	bool ahead;      /* a is better, by more than a standard error of the lead */
};

/* Both have predicted the same measurement. A single one, however far off, counts as one. */
void rivalry_add(struct rivalry *rivalry, double error_a_ns, double error_b_ns);

#endif /* ENGINE_SCORE_H */
