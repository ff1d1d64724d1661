/* SPDX-License-Identifier: MIT */
#include "nic/series.h"

#include <math.h>
#include <stdlib.h>

#define DIFFERENCES_MIN 3

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

struct series_quantiles series_quantiles_of(int64_t *values, unsigned int count)
{
	qsort(values, count, sizeof(*values), compare);
	return (struct series_quantiles){values[0], values[count / 2],
					 values[count - 1 - count / 100], values[count - 1]};
}

double series_line_remove(double *values, const double *at, unsigned int count)
{
	double mean_x = 0, mean_y = 0, over = 0, under = 0, slope;
	unsigned int known = 0, i;

	for (i = 0; i < count; i++) {
		if (isnan(values[i]))
			continue;
		known++;
		mean_x += (at[i] - mean_x) / known;
		mean_y += (values[i] - mean_y) / known;
	}
	for (i = 0; i < count; i++) {
		if (isnan(values[i]))
			continue;
		over += (at[i] - mean_x) * (values[i] - mean_y);
		under += (at[i] - mean_x) * (at[i] - mean_x);
	}
	slope = under > 0 ? over / under : 0;
	for (i = 0; i < count; i++)
		values[i] -= mean_y + slope * (at[i] - mean_x);
	return slope;
}

unsigned int series_adev(const double *phase_ns, unsigned int count, double tau0_s, double *tau_s,
			 double *adev, unsigned int room)
{
	unsigned int m, i, found = 0;

	for (m = 1; 3 * m <= count && found < room; m = m < 10 ? m + 1 : m + m / 4) {
		unsigned int differences = 0;
		double sum = 0;

		for (i = 0; i + 2 * m < count; i++) {
			double second = phase_ns[i + 2 * m] - 2 * phase_ns[i + m] + phase_ns[i];

			if (isnan(second))
				continue;
			sum += second * second;
			differences++;
		}
		if (differences < DIFFERENCES_MIN)
			continue;
		tau_s[found] = m * tau0_s;
		adev[found++] = sqrt(sum / (2.0 * differences)) / (m * tau0_s) * 1e-9;
	}
	return found;
}

bool series_ticks(int64_t first, int64_t last, int64_t passed)
{
	int64_t gone = last - first;

	return passed <= 0 || (gone > passed / 2 && gone < passed + passed / 2);
}
