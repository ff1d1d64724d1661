/* SPDX-License-Identifier: MIT */
#include "baselines.h"

#define N BASELINES_SAMPLES

const char *const baseline_names[BASELINES] = {"last", "mean10", "line10"};

void baselines_add(struct baselines *baselines, double t_s, double offset)
{
	baselines->offset[baselines->count % N] = offset;
	baselines->t_s[baselines->count % N] = t_s;
	baselines->count++;
}

void baselines_predict(const struct baselines *baselines, double t_s, double ret[BASELINES])
{
	double mean = 0, mean_t = 0, sxx = 0, sxy = 0;
	unsigned int i;

	for (i = 0; i < N; i++) {
		mean += baselines->offset[i] / N;
		mean_t += baselines->t_s[i] / N;
	}
	for (i = 0; i < N; i++) {
		double x = baselines->t_s[i] - mean_t;

		sxx += x * x;
		sxy += x * (baselines->offset[i] - mean);
	}
	ret[BASELINE_LAST] = baselines->offset[(baselines->count - 1) % N];
	ret[BASELINE_MEAN] = mean;
	ret[BASELINE_LINE] = sxx > 0 ? mean + sxy / sxx * (t_s - mean_t) : mean;
}
