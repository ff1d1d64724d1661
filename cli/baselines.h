/* SPDX-License-Identifier: MIT */
/* Plain predictors of the next measurement, from the last ones. */
#ifndef CLI_BASELINES_H
#define CLI_BASELINES_H

#include <stdbool.h>

/* They look back at so many. */
#define BASELINES_SAMPLES 10

enum baseline { BASELINE_LAST, BASELINE_MEAN, BASELINE_LINE, BASELINES };

extern const char *const baseline_names[BASELINES];

/* Zero it before first use. */
struct baselines {
	double offset[BASELINES_SAMPLES];
	double t_s[BASELINES_SAMPLES];
	unsigned int count; /* that were added */
};

/* t_s: s, from any time on; offset: in the unit in which it is to be predicted */
void baselines_add(struct baselines *baselines, double t_s, double offset);

/* Are there enough of them to predict? */
static inline bool baselines_ready(const struct baselines *baselines)
{
	return baselines->count >= BASELINES_SAMPLES;
}

/*
 * What each says of t_s: the last one, the mean of the last ten, the line of least squares through the
 * last ten; where all ten are of one time, their mean. They must be ready.
 */
void baselines_predict(const struct baselines *baselines, double t_s, double ret[BASELINES]);

#endif /* CLI_BASELINES_H */
