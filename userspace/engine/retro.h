/* SPDX-License-Identifier: MIT */
/*
 * Retroactive correction: a measurement contradicts what was predicted, and with it what was told
 * since the last one that agreed. What is to be thought of that time, and how does the model go on?
 *
 * At t0 a measurement y0 agreed. At t1 = t0 + T one, y1, is off by e from what the state of t0
 * predicts for it. c(t) is what has to be added to that prediction at t, t0 <= t <= t1. The model
 * goes on from t1 with its offset moved by c(t1), and its rate by the slope of c there.
 *
 *	none              c = 0: a measurement like any other, which the filter may limit
 *	linear            c = e (t - t0) / T: the rate was wrong all the time
 *	drift_aware       c = e ((1 - s) + s (t - t0) / T), s = T^2 Pr / (Po + T^2 Pr): it was the
 *	                  offset or the rate, in the proportion of the variances that the state of t0
 *	                  has of its offset, Po, and of its rate, Pr
 *	advanced          c = e C(t, t1) / (C(t1, t1) + R / n): the optimal smoother's gain, C being
 *	                  the covariance of the prediction's errors at two times, with all of the
 *	                  model's noise, and R the variance of y1's own error. Such an e was next to
 *	                  impossible, so noise is taken to have been n times what the model thinks,
 *	                  that e be a usual one: n C(t1, t1) + R = e^2, n >= 1
 *	advance_absolute  c = e: the offset stepped just after t0
 *	backtracking      c = a + (e - a) (t - t0) / T, a being y0's distance from the state of t0:
 *	                  what was predicted makes way for the straight line through y0 and y1
 */
#ifndef ENGINE_RETRO_H
#define ENGINE_RETRO_H

#include <stdint.h>

#include "engine/kalman.h"

enum retro_method {
	RETRO_NONE,
	RETRO_LINEAR,
	RETRO_DRIFT_AWARE,
	RETRO_ADVANCED,
	RETRO_ADVANCE_ABSOLUTE,
	RETRO_BACKTRACKING,
	RETRO_METHODS,
};

/* What contradicts a filter. Its variances, and those here, are to be multiplied with `scale`. */
struct retro_error {
	double since_s;         /* >= 0: from the filter's state to t1 */
	double span_s;          /* T; 0: nothing agreed before, all are advance_absolute */
	double agreed_ns;       /* y0 */
	double agreed_variance; /* of its own error, > 0 */
	double measured_ns;     /* y1 */
	double variance;        /* R, > 0 */
	double scale;           /* > 0 */
};

/*
 * c(t), ns, for after_s = t - t0 from 0 to T. kalman: the state of t0, so that since_s is T. Inputs
 * are taken to be 0.
 */
double retro_correction(enum retro_method method, const struct kalman *kalman,
			const struct kalman_noise *noise, const struct retro_error *error,
			double after_s);

/*
 * The filter goes on from t1. inputs as in kalman_advance(), for since_s.
 *
 * Its variances then are those of the new state's errors, if that was gained as it was: with the
 * contribution of y1's own error, and of what of the prediction is still in it. For drift_aware the
 * rate's is s (1 - s) (e / T)^2 more, which is the variance of "the rate by e / T, or not at all".
 */
void retro_move(enum retro_method method, struct kalman *kalman, const struct kalman_noise *noise,
		const double *inputs, const struct retro_error *error);

/* As the configuration has it; "unknown" beyond the last. */
const char *retro_name(enum retro_method method);

#define RETRO_POINTS 17

/* What the time from t0 to t1 is thought to have been, since a contradiction */
struct retro_past {
	int64_t from_ns; /* t0, raw time */
	int64_t to_ns;   /* t1; equal: there was no contradiction */
	int64_t reference_ns;
	enum retro_method method;
	double error_ns;                /* e */
	double predicted[RETRO_POINTS]; /* from reference_ns, evenly from t0 to t1 */
	double corrected[RETRO_POINTS]; /* likewise */
};

/*
 * Points are joined by straight lines. *ret: UTC minus raw time. Returns 0; -ENODATA if raw_ns is
 * not in that time; -ERANGE if it cannot be told in 64 bits.
 */
int retro_past_at(const struct retro_past *past, int64_t raw_ns, int64_t *ret);

#endif /* ENGINE_RETRO_H */
