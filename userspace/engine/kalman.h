/* SPDX-License-Identifier: MIT */
/*
 * A small Kalman filter of a clock: offset, rate, drift of the rate, and the coefficients of inputs
 * that move the rate. Measured is the offset. The clock's part and its noise are those of C. Zucca
 * and P. Tavella, "The Clock Model and Its Relationship with the Allan and Related Variances", IEEE
 * Trans. UFFC 52 (2005).
 *
 * Units: offset ns, rate ns/s, drift ns/s^2, a coefficient ns/s per unit of its input.
 */
#ifndef ENGINE_KALMAN_H
#define ENGINE_KALMAN_H

#define KALMAN_STATES_MAX 10

enum kalman_state {
	KALMAN_OFFSET,
	KALMAN_RATE,
	KALMAN_DRIFT,
};

struct kalman {
	unsigned int clock;  /* states of the clock: 1 to 3, in the order of enum kalman_state */
	unsigned int states; /* with the coefficients, which follow: clock to KALMAN_STATES_MAX */
	double x[KALMAN_STATES_MAX];
	double p[KALMAN_STATES_MAX][KALMAN_STATES_MAX]; /* symmetric */
};

/* Spectral densities of the noise that drives each state of the clock; those beyond clock: unused */
struct kalman_noise {
	double offset; /* ns^2/s: white frequency noise */
	double rate;   /* (ns/s)^2/s: random walk of the rate */
	double drift;  /* (ns/s^2)^2/s: random run */
};

/* All states 0, with the standard deviations given for each, uncorrelated. */
void kalman_init(struct kalman *kalman, unsigned int clock, unsigned int states, const double *sd);

/*
 * dt_s >= 0 later. inputs: for each coefficient, the integral of its input over that time, unit
 * times s; may be NULL without coefficients.
 */
void kalman_advance(struct kalman *kalman, double dt_s, const struct kalman_noise *noise,
		    const double *inputs);

/* Mean and variance of the offset dt_s later, as kalman_advance() would have them. */
double kalman_ahead(const struct kalman *kalman, double dt_s, const struct kalman_noise *noise,
		    const double *inputs, double *variance);

/*
 * Covariance of the offset's errors at two times later, 0 <= from_s <= to_s, if nothing is measured
 * until then and all inputs are 0.
 */
double kalman_covariance(const struct kalman *kalman, double from_s, double to_s,
			 const struct kalman_noise *noise);

/* What an update found */
struct kalman_innovation {
	double error;    /* measured less expected */
	double variance; /* expected, of that */
	double share;    /* of the influence that the measurement would have had; 1: all of it */
};

/*
 * Measured: the offset is y_ns, with a variance > 0. Beyond `limit` standard deviations the
 * influence stays what it is there (Huber); HUGE_VAL: there is no limit.
 */
struct kalman_innovation kalman_update(struct kalman *kalman, double y_ns, double variance,
				       double limit);

/*
 * The states take their share `gain` of error_ns, by which the offset was measured to be more, with a
 * variance > 0. Whatever the gain is, the variances are those of the result (Joseph's form).
 */
void kalman_correct(struct kalman *kalman, double error_ns, double variance, const double *gain);

#endif /* ENGINE_KALMAN_H */
