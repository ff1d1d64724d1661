/* SPDX-License-Identifier: MIT */
#include "engine/outlier.h"

#include <math.h>

/* Of normal noise, the standard deviation over the MAD */
#define MAD_SD 1.4826
/* Beyond so many standard deviations it is an outlier. Queues have longer tails than normal noise. */
#define LIMIT_MAD 8.0
#define LIMIT_Z 8.0
/* What was expected is trusted to be no more than so many times too large. */
#define EXPECTED_LEAST 0.5
/* The mean square is of the latest so many, roughly; one counts as no more than so many sd. */
#define USUAL_SAMPLES 64
#define USUAL_CLIP 3.0

static void sorted_insert(double *sorted, unsigned int count, double value)
{
	for (; count > 0 && sorted[count - 1] > value; count--)
		sorted[count] = sorted[count - 1];
	sorted[count] = value;
}

static double median(const double *sorted, unsigned int count)
{
	return (sorted[count / 2] + sorted[(count - 1) / 2]) / 2;
}

enum outlier outlier_test(const struct outlier_tests *tests, double innovation)
{
	double sorted[OUTLIER_WINDOW], middle, mad;
	unsigned int i;

	if (tests->count < OUTLIER_LEAST)
		return OUTLIER_NO;
	for (i = 0; i < tests->count; i++)
		sorted_insert(sorted, i, tests->latest[i]);
	middle = median(sorted, tests->count);
	for (i = 0; i < tests->count; i++)
		sorted_insert(sorted, i, fabs(tests->latest[i] - middle));
	mad = median(sorted, tests->count);

	if (fabs(innovation - middle) > LIMIT_MAD * fmax(MAD_SD * mad, EXPECTED_LEAST))
		return OUTLIER_MAD;
	if (fabs(innovation) > LIMIT_Z * fmax(sqrt(tests->usual), EXPECTED_LEAST))
		return OUTLIER_Z;
	return OUTLIER_NO;
}

void outlier_learn(struct outlier_tests *tests, double innovation)
{
	double square = innovation * innovation;

	tests->latest[tests->next] = innovation;
	tests->next = (tests->next + 1) % OUTLIER_WINDOW;
	if (tests->count < OUTLIER_WINDOW)
		tests->count++;
	if (tests->seen < USUAL_SAMPLES)
		tests->seen++;
	if (tests->count >= OUTLIER_LEAST)
		square = fmin(square, USUAL_CLIP * USUAL_CLIP *
					      fmax(tests->usual, EXPECTED_LEAST * EXPECTED_LEAST));
	tests->usual += (square - tests->usual) / tests->seen;
}
