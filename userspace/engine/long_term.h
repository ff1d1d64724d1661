/* SPDX-License-Identifier: MIT */
/*
 * The long-term model (source GPU_MODEL): what moves the oscillator. A bank of Kalman filters whose
 * rate is the sum of a random walk and of covariates, each times a coefficient that is learnt. Its
 * families are suppositions: that nothing else moves it, that the temperature does, that all that
 * can be read does, that the time of day does as well. What each foretold of the next measurement
 * decides between them, so whatever is said to matter has shown that out of sample.
 *
 * While nothing is measured the covariates go on being read: in holdover the prediction follows the
 * temperature.
 */
#ifndef ENGINE_LONG_TERM_H
#define ENGINE_LONG_TERM_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/bank.h"
#include "engine/covariates.h"
#include "engine/prediction.h"

#define LONG_TERM_WALKS 7
#define LONG_TERM_DAY 2 /* sine and cosine */
#define LONG_TERM_INPUTS (COVARIATE_COUNT + LONG_TERM_DAY)

/* Nothing is said before so many measurements; before fewer, if an earlier run has learnt (learnt.h) */
#define LONG_TERM_MEASURED_MIN 60
#define LONG_TERM_AGAIN 8
/* A day has to be seen before its time can be said to matter; then it has this share. */
#define LONG_TERM_DAY_S 86400.0
#define LONG_TERM_DAY_SHARE 0.1

enum long_term_family {
	LONG_TERM_NOTHING,
	LONG_TERM_TEMPERATURE,
	LONG_TERM_COVARIATES,
	LONG_TERM_TIME_OF_DAY,
	LONG_TERM_FAMILIES,
};

struct long_term_input {
	bool known;   /* it has been read */
	double zero;  /* the first reading: inputs count from there, in units of their usual size */
	double value; /* the latest, so scaled */
	double integral; /* over raw time, unit times s, up to covariates_ns */
};

struct long_term {
	struct bank bank;
	struct bank_member members[LONG_TERM_FAMILIES * LONG_TERM_WALKS];
	struct long_term_input inputs[COVARIATE_COUNT];
	int64_t covariates_ns; /* raw time of the latest reading */
	bool has_covariates;

	/* What was measured since the bank was: sums, weighted with the inverse variances */
	double weight;
	double offset; /* from reference_ns */
	double time_s; /* from origin_ns */
	double integrals[LONG_TERM_INPUTS];
	int64_t first_ns; /* of these */

	int64_t reference_ns;
	int64_t origin_ns;                       /* of the first measurement */
	double bank_s;                           /* time that the bank was measured for */
	double bank_integrals[LONG_TERM_INPUTS]; /* likewise */
	double day_s;                            /* how long it has learnt, up to a day and more */
	bool known;                              /* it goes on from what an earlier run learnt */
};

/* What is known of the rate beforehand: ns/s and its standard deviation, > 0 */
void long_term_init(struct long_term *model, double rate_ns_s, double rate_sd_ns_s);

/* A reading at raw_ns. What is not finite is taken for not present. */
void long_term_covariates(struct long_term *model, int64_t raw_ns,
			  const struct covariates *covariates);

/* A measurement, not older than the one before. */
void long_term_measure(struct long_term *model, const struct measurement *measurement);

/*
 * A measurement contradicts what was predicted; agreed: the last one that did not, or NULL. The model
 * goes on from it as the method says; what it has been given since that one, as outliers, stays.
 */
void long_term_contradict(struct long_term *model, enum retro_method method,
			  const struct measurement *measurement, const struct measurement *agreed);

/*
 * What is to be expected from now_ns to horizon_ns > 0 later (up to some hours), as a line. What is
 * still to come of the covariates is taken to be as it is now. Returns 0, or -EAGAIN: it is not
 * known, because nothing has been shown to move the oscillator, or too little was measured.
 */
int long_term_estimate(const struct long_term *model, int64_t now_ns, int64_t horizon_ns,
		       struct estimate *ret);

/* How much a supposition counts, 0 to 1 */
double long_term_weight(const struct long_term *model, enum long_term_family family);

/* A coefficient as it was learnt, ppb per K, GHz or 1, and its standard deviation; 0 if unknown. */
double long_term_coefficient(const struct long_term *model, enum covariate covariate, double *sd);

/* UTC jumps by shift_ns: the model is as good as before. */
void long_term_shift(struct long_term *model, int64_t shift_ns);

#endif /* ENGINE_LONG_TERM_H */
