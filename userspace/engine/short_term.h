/* SPDX-License-Identifier: MIT */
/*
 * The short-term model (source CPU_MODEL): Kalman filters over offset, rate and drift of the rate,
 * on raw time. How much the oscillator wanders, and how noisy measurements are, is estimated from
 * the data: a bank of filters spans all oscillators there are, and likelihood weighs them.
 */
#ifndef ENGINE_SHORT_TERM_H
#define ENGINE_SHORT_TERM_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/bank.h"
#include "engine/prediction.h"

#define SHORT_TERM_MEMBERS 40

/*
 * So many measurements in a row that are far off, to the same side, contradict what was predicted:
 * the last of them is where the model goes on from (retro.h).
 */
#define SHORT_TERM_CONFIRM 4

/* So many measurements are enough to know an oscillator's wander: as many as evidence rests on */
#define SHORT_TERM_OWN 500

/*
 * What is known beforehand. disciplined: how likely it is, 0 to 1, that what is measured is no
 * oscillator but a clock that somebody else disciplines.
 */
struct short_term_prior {
	double rate_ns_s;
	double rate_sd_ns_s; /* one standard deviation, > 0 */
	double disciplined;
};

struct short_term {
	struct bank bank;
	struct bank_member members[SHORT_TERM_MEMBERS];
	struct short_term_prior prior;
	int64_t reference_ns; /* the bank's offsets are from here */
	int64_t raw_ns;       /* of the last measurement */
	enum retro_method method;
	unsigned int far; /* measurements in a row that are far off to one side */
	bool far_above;
	unsigned int steps;           /* how often a contradiction was confirmed */
	struct measurement agreed[2]; /* the last ones that were not far off, the latest first */
	unsigned int agreed_count;
	bool doubted;                             /* measurements since have been far off; if so: */
	struct kalman before[SHORT_TERM_MEMBERS]; /* the members without these */
	struct retro_past past;                   /* since the latest contradiction */
	/* What an earlier run found out (learnt.h) */
	bool known;
	double known_walk_ns_s, known_slope_ns_s2;
	double known_families[BANK_FAMILIES]; /* likelihoods, already tempered; and below */
	double known_members[SHORT_TERM_MEMBERS];
};

/* method: how the model goes on after a contradiction */
void short_term_init(struct short_term *model, const struct short_term_prior *prior,
		     enum retro_method method);

/*
 * A measurement that is not older than the last one. Returns true if it confirmed a contradiction:
 * then the model has gone on from it as the method says. With RETRO_NONE that never happens.
 */
bool short_term_measure(struct short_term *model, const struct measurement *measurement);

/*
 * Something else has shown that what was predicted is wrong: the model goes on from this
 * measurement as the method says; with RETRO_NONE, as it was.
 */
void short_term_contradict(struct short_term *model, const struct measurement *measurement);

/* The last measurement that agreed before one that contradicts; NULL: there is none. */
const struct measurement *short_term_agreed(const struct short_term *model);

/*
 * What is to be expected from now_ns to horizon_ns > 0 later, as a line. Returns 0, or -EAGAIN:
 * nothing was measured yet.
 */
int short_term_estimate(const struct short_term *model, int64_t now_ns, int64_t horizon_ns,
			struct estimate *ret);

/* Standard deviation of a measurement beside the estimate, ns, if sd_ns is expected of it. */
double short_term_noise(const struct short_term *model, double sd_ns);

/*
 * How the oscillator's rate moves, by what was measured: as a random walk of a standard deviation
 * of *walk_ns_s after a second, rather too much than too little as long as it is vague, and steadily
 * by *slope_ns_s2: what drift there is, and what it may become within a quarter of an hour. Both are
 * 0 before the second measurement.
 *
 * What an earlier run found is the least that they are, by less and less: after
 * SHORT_TERM_OWN measurements this run's own count alone.
 */
void short_term_wander(const struct short_term *model, double *walk_ns_s, double *slope_ns_s2);

/* UTC jumps by shift_ns: the model is as good as before. */
void short_term_shift(struct short_term *model, int64_t shift_ns);

#endif /* ENGINE_SHORT_TERM_H */
