/* SPDX-License-Identifier: MIT */
/*
 * A simulated counter of 2.5 GHz and the temperature that moves it. Times are true time since the
 * start of the world.
 */
#ifndef SIM_OSCILLATOR_H
#define SIM_OSCILLATOR_H

#include <stdint.h>

#include "engine/covariates.h"
#include "engine/sample.h"
#include "random.h"

#define WORLD_COUNTER_BASE 987654321012345ULL
#define OSCILLATOR_STEPS_MAX 4

/* A room: a cycle of a day about a mean, and a sawtooth that an air conditioner makes */
struct temperature_config {
	double mean_c;
	double day_k; /* peak to peak */
	double day_phase_s;
	double sawtooth_k; /* peak to peak */
	double sawtooth_s; /* its period */
	double sawtooth_phase_s;
	double sensor_sd_k; /* noise of a reading, one standard deviation */
	double sensor_s;    /* it is read so often; 0: there is no sensor */
};

/* True temperature, degrees C */
double temperature_at(const struct temperature_config *config, double t_s);

/* What the sensor says of it: the engine's covariates */
struct covariates temperature_read(const struct temperature_config *config, double t_s,
				   struct rng *rng);

/*
 * Its rate is UTC's against the counter's nominal one, ppb. It is the sum of all of these, and
 * constant within a second:
 *
 *	rate			at the start
 *	walk, walk_step		random walk FM: step a second (one standard deviation), kept within
 *				a band of width `walk`
 *	slope, slope_turn_s	a line, per 1,100 s, that changes its sign so often
 *	white			white FM, by its Allan deviation at 1 s
 *	flicker			flicker FM, by its Allan deviation, the same from 4 s to a day
 *	ageing			a line, per day
 *	temperature		ppb_k for each kelvin from the mean
 *	steps			each from its at_s on; at_s 0: none
 *
 * The promise of engine/bound.h holds for it if oscillator_wander() is at most wander_ppb and the
 * rate stays within max_drift_ppb.
 */
struct oscillator_config {
	double rate_ppb;
	double walk_ppb, walk_step_ppb;
	double slope_ppb, slope_turn_s;
	double white_ppb;
	double flicker_ppb;
	double ageing_ppb_day;
	double ppb_k;
	struct temperature_config temperature;
	struct {
		double at_s, ppb;
	} steps[OSCILLATOR_STEPS_MAX];
};

struct oscillator {
	int64_t *raw_ps; /* raw time at each whole second */
	double *rate;    /* raw ps per true ps, minus 1, in the second after it */
	unsigned int seconds;
};

/* Returns 0 or -ENOMEM. The counter can be read until `seconds` after the start. */
int oscillator_init(struct oscillator *osc, const struct oscillator_config *config,
		    unsigned int seconds, struct rng *rng);
void oscillator_clear(struct oscillator *osc);

uint64_t oscillator_counter(const struct oscillator *osc, int64_t true_ns);
void oscillator_timescale(struct timescale *ret);

/*
 * How much wander this oscillator would have to be allowed, ppb: the least `wander` with which the
 * promise of engine/bound.h held for it, or up to 0.5 % more. Negative: out of memory.
 */
double oscillator_wander(const struct oscillator *osc);

#endif /* SIM_OSCILLATOR_H */
