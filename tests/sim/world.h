/* SPDX-License-Identifier: MIT */
/*
 * A small world in virtual time: an oscillator, links and servers, all from one seed. Times are
 * true time, ns since the start of the world.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/sample.h"

#define WORLD_START_UTC_NS 1760000000000000000LL
#define WORLD_COUNTER_BASE 987654321012345ULL

/* xorshift64*; the state is never 0 */
struct rng {
	uint64_t state;
};

uint64_t rng_next(struct rng *rng);
double rng_uniform(struct rng *rng); /* [0, 1) */
double rng_normal(struct rng *rng);  /* mean 0, standard deviation 1 */
double rng_exponential(struct rng *rng, double mean);

/*
 * A counter of 2.5 GHz, off by a rate that wanders: a constant, a slope that changes sign now and
 * then, a bounded random walk. The promise of engine/bound.h holds for it if
 * walk_ppb + slope_ppb_per_1100s <= wander_ppb and |rate| stays within max_drift_ppb.
 */
struct oscillator_config {
	double rate_ppb;      /* UTC against the counter's nominal rate, at the start */
	double walk_ppb;      /* width of the random walk's band */
	double walk_step_ppb; /* standard deviation a second */
	double slope_ppb;     /* per 1,100 s */
	double slope_turn_s;  /* the slope changes sign every so often */
	double step_ppb;      /* once, at step_at_s */
	double step_at_s;
};

struct oscillator {
	int64_t *raw_ps; /* raw time at each whole second */
	double *rate;    /* raw ps per true ps, minus 1, in the second after it */
	unsigned int seconds;
};

int oscillator_init(struct oscillator *osc, const struct oscillator_config *config,
		    unsigned int seconds, struct rng *rng);
void oscillator_clear(struct oscillator *osc);

uint64_t oscillator_counter(const struct oscillator *osc, int64_t true_ns);
void oscillator_timescale(struct timescale *ret);

/* One way of a link: at least fixed_ns, exponential jitter, now and then a burst of more of it */
struct way {
	double fixed_ns;
	double jitter_ns;
};

struct server_config {
	double offset_ns; /* its clock minus UTC */
	double step_ns;   /* added from step_at_s on */
	double step_at_s;
	double root_delay_ns, root_dispersion_ns; /* what it says of itself */
	double silent_from_s, silent_to_s;        /* no answers then; 0, 0: always there */
	struct way to, from;
	double loss;     /* share of the exchanges that get lost */
	double burst;    /* share of the time that the link is congested */
	double burst_ns; /* jitter then */
	double stamp_ns; /* stamps are late by up to this, uniformly */
	double poll_s;   /* after four exchanges 2 s apart */
	uint8_t leap;
};

struct server {
	const struct server_config *config;
	int64_t next_ns; /* next exchange */
	unsigned int exchanges;
	bool congested;
};

/*
 * One exchange that begins at server->next_ns, which is moved on. Returns true and the sample, with
 * the true time at which it is complete, or false if nothing came back.
 */
bool server_exchange(struct server *server, const struct oscillator *osc, struct rng *rng,
		     struct sample *ret, int64_t *done_ns);

#endif /* SIM_WORLD_H */
