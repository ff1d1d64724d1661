/* SPDX-License-Identifier: MIT */
#include "engine/fit.h"

#include <math.h>
#include <stdbool.h>

/* The share of the points' own sd in the errors, in points */
#define FIT_PRIOR_POINTS 2
#define FIT_WINDOW_MIN 4
/* Points with more than so many times the least sd are not good */
#define GOOD_SD 16
/* Residuals below this share of the points' sd are not looked at for structure */
#define RESIDUAL_MIN 0.02
/* Runs may be fewer than expected by so many standard deviations */
#define RUNS_SD 1.5
/* The share of the points that is left out when a line does not explain them */
#define WINDOW_PART 4

void fit_line(struct fit *ret, const struct fit_point *points, unsigned int count,
	      const struct fit_prior *prior)
{
	double w_sum = 0, x_mean = 0, y_mean = 0, sxx = 0, sxy = 0, chi2 = 0;
	double ridge, rate, factor, var_rate, var_mean;
	unsigned int i;

	for (i = 0; i < count; i++) {
		double w = 1 / (points[i].sd_ns * points[i].sd_ns);

		w_sum += w;
		x_mean += w * points[i].x_s;
		y_mean += w * points[i].y_ns;
	}
	x_mean /= w_sum;
	y_mean /= w_sum;
	for (i = 0; i < count; i++) {
		double w = 1 / (points[i].sd_ns * points[i].sd_ns);
		double x = points[i].x_s - x_mean;

		sxx += w * x * x;
		sxy += w * x * (points[i].y_ns - y_mean);
	}

	ridge = prior->sd_ns_s > 0 ? 1 / (prior->sd_ns_s * prior->sd_ns_s) : 0;
	rate = sxx + ridge > 0 ? (sxy + ridge * prior->rate_ns_s) / (sxx + ridge) : 0;
	for (i = 0; i < count; i++) {
		double r = (points[i].y_ns - y_mean - rate * (points[i].x_s - x_mean)) /
			   points[i].sd_ns;

		chi2 += r * r;
	}
	factor = (chi2 + FIT_PRIOR_POINTS) /
		 (count > 2 ? count - 2 + FIT_PRIOR_POINTS : FIT_PRIOR_POINTS);
	var_rate = sxx + ridge > 0 ? factor / (sxx + ridge) : 0;
	var_mean = factor / w_sum;

	*ret = (struct fit){
		.offset_ns = y_mean - rate * x_mean,
		.rate_ns_s = rate,
		.var_offset = var_mean + var_rate * x_mean * x_mean,
		.var_rate = var_rate,
		.covariance = -var_rate * x_mean,
		.count = count,
	};
}

/*
 * Do the residuals' signs change as often as those of independent noise would? Only good points
 * vote: those that are much worse than the best say nothing of the line. Residuals far below the
 * points' own sd are rounding. *misfit_ns: how far the good points lie from the line, rms.
 */
static bool fit_explains(const struct fit *fit, const struct fit_point *points, double *misfit_ns)
{
	double chi2 = 0, square = 0, best = points[0].sd_ns, both, expected, variance;
	unsigned int above = 0, runs = 1, n = 0, i;
	bool before = false;

	for (i = 1; i < fit->count; i++)
		best = fmin(best, points[i].sd_ns);
	for (i = 0; i < fit->count; i++) {
		double residual = points[i].y_ns - fit_value(fit, points[i].x_s);
		bool now = residual > 0;

		if (points[i].sd_ns > GOOD_SD * best)
			continue;
		chi2 += residual * residual / (points[i].sd_ns * points[i].sd_ns);
		square += residual * residual;
		above += now;
		runs += n > 0 && now != before;
		before = now;
		n++;
	}
	*misfit_ns = sqrt(square / n);
	if (n <= FIT_WINDOW_MIN || chi2 < RESIDUAL_MIN * RESIDUAL_MIN * n)
		return true;
	both = 2.0 * above * (n - above);
	expected = both / n + 1;
	variance = both * (both - n) / ((double)n * n * (n - 1));
	return runs >= expected - RUNS_SD * sqrt(variance > 0 ? variance : 0);
}

void fit_window(struct fit *ret, const struct fit_point *points, unsigned int count,
		const struct fit_prior *prior)
{
	struct fit shorter;
	double misfit_ns;

	fit_line(ret, points, count, prior);
	while (count > FIT_WINDOW_MIN && !fit_explains(ret, points, &misfit_ns)) {
		count -= (count + WINDOW_PART - 1) / WINDOW_PART;
		fit_line(&shorter, points, count, prior);
		/* What is left must not be vaguer than the longer line is wrong. */
		if (shorter.var_offset > misfit_ns * misfit_ns)
			return;
		*ret = shorter;
	}
}

double fit_value(const struct fit *fit, double x_s)
{
	return fit->offset_ns + fit->rate_ns_s * x_s;
}

double fit_sd(const struct fit *fit, double x_s)
{
	double variance = fit->var_offset + 2 * fit->covariance * x_s + fit->var_rate * x_s * x_s;

	return sqrt(variance > 0 ? variance : 0);
}
