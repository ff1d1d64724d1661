/* SPDX-License-Identifier: MIT */
#include "engine/asymmetry.h"

#include <math.h>

/* An offset is off by no more than half of what its exchange waited. */
#define SHARE_MAX 0.5
/* Below so many standard deviations it may be chance: each of many sources tries again and again. */
#define CHANCE_SD 4.0
/* Points that are nearly alike in time or in delay tell no slope. */
#define DETERMINANT_LEAST 1e-9

/* Weighted sums of squares and products, about the means */
struct sums {
	double xx, xe, ee, xy, ey, yy;
};

static void sums_take(struct sums *ret, const struct fit_point *points, const double *waited_ns,
		      unsigned int count)
{
	double weight = 0, x_mean = 0, y_mean = 0, e_mean = 0;
	unsigned int i;

	for (i = 0; i < count; i++) {
		double w = 1 / (points[i].sd_ns * points[i].sd_ns);

		weight += w;
		x_mean += w * points[i].x_s;
		y_mean += w * points[i].y_ns;
		e_mean += w * waited_ns[i];
	}
	x_mean /= weight;
	y_mean /= weight;
	e_mean /= weight;
	*ret = (struct sums){0};
	for (i = 0; i < count; i++) {
		double w = 1 / (points[i].sd_ns * points[i].sd_ns);
		double x = points[i].x_s - x_mean, y = points[i].y_ns - y_mean;
		double e = waited_ns[i] - e_mean;

		ret->xx += w * x * x;
		ret->xe += w * x * e;
		ret->ee += w * e * e;
		ret->xy += w * x * y;
		ret->ey += w * e * y;
		ret->yy += w * y * y;
	}
}

void asymmetry_learn(struct asymmetry *ret, const struct fit_point *points, const double *waited_ns,
		     unsigned int count)
{
	double determinant, rate, share, with, without, variance, sure;
	struct sums s;

	*ret = (struct asymmetry){0, 0};
	if (count < ASYMMETRY_LEAST)
		return;
	sums_take(&s, points, waited_ns, count);
	determinant = s.xx * s.ee - s.xe * s.xe;
	if (determinant <= DETERMINANT_LEAST * s.xx * s.ee)
		return;
	rate = (s.ee * s.xy - s.xe * s.ey) / determinant;
	share = (s.xx * s.ey - s.xe * s.xy) / determinant;
	without = s.yy - s.xy * s.xy / s.xx;
	with = fmax(s.yy - rate * s.xy - share * s.ey, 0);
	variance = with / (count - 3) * s.xx / determinant;
	sure = 1 - CHANCE_SD * CHANCE_SD * variance / (share * share);
	if (!(sure > 0) || !(without > 0))
		return;
	share *= sure;
	ret->share = fmin(fmax(share, -SHARE_MAX), SHARE_MAX);
	ret->told = sure * (1 - sqrt(fmin(with / without, 1)));
}
