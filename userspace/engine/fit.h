/* SPDX-License-Identifier: MIT */
/* A weighted straight line through points, with its errors. */
#ifndef ENGINE_FIT_H
#define ENGINE_FIT_H

#define FIT_POINTS_MAX 64

struct fit_point {
	double x_s;   /* time from the reference, s; the newest point first */
	double y_ns;  /* offset from the reference, ns */
	double sd_ns; /* expected standard deviation of y, > 0: the weight is 1 / sd^2 */
};

/* What was known of the rate before any point was seen; sd_ns_s 0: nothing */
struct fit_prior {
	double rate_ns_s;
	double sd_ns_s;
};

/* y = offset + rate * x; variances of the parameters at x = 0 */
struct fit {
	double offset_ns;
	double rate_ns_s;
	double var_offset;  /* ns^2 */
	double var_rate;    /* (ns/s)^2 */
	double covariance;  /* ns^2/s */
	unsigned int count; /* points used */
};

/*
 * Fit all `count` >= 1 points. The prior rules a single point and matters little to a good line.
 *
 * The errors follow the residuals, to which the points' own sd is added with the weight of two
 * points, so that a few points that happen to lie on a line claim no perfection.
 */
void fit_line(struct fit *ret, const struct fit_point *points, unsigned int count,
	      const struct fit_prior *prior);

/*
 * Fit as many of the newest points as one line explains: as long as the residuals' signs come in
 * too few runs (Wald and Wolfowitz, 1.5 standard deviations), the oldest quarter is left out,
 * unless what remains is vaguer than the longer line is wrong.
 */
void fit_window(struct fit *ret, const struct fit_point *points, unsigned int count,
		const struct fit_prior *prior);

/* Value and standard deviation of the line at x. */
double fit_value(const struct fit *fit, double x_s);
double fit_sd(const struct fit *fit, double x_s);

#endif /* ENGINE_FIT_H */
