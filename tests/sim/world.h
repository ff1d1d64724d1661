/* SPDX-License-Identifier: MIT */
/*
 * A small world in virtual time: an oscillator (oscillator.h), links and servers, all from one
 * seed. Times are true time, ns since the start of the world.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/sample.h"
#include "oscillator.h"
#include "random.h"

#define WORLD_START_UTC_NS 1760000000000000000LL
#define SERVER_ROUTES_MAX 4

/* How what a packet waits in queues is distributed. All but normal jitter have the mean jitter_ns. */
enum jitter {
	JITTER_EXPONENTIAL,
	JITTER_GAMMA,  /* four queues in a row */
	JITTER_PARETO, /* a heavy tail, see rng_pareto() */
	JITTER_NORMAL, /* sd jitter_ns about six of it: there is no quickest packet to go by */
	JITTERS,
};

/* One way of a link: at least fixed_ns, and jitter */
struct way {
	double fixed_ns;
	double jitter_ns;
	enum jitter jitter;
};

/* From at_s on (0: never), this is added to the fixed delays, in place of the one before. */
struct route {
	double at_s;
	double to_ns, from_ns;
};

/*
 * A server restarts: it is silent, then answers with leap 3 and half a second off, then is back with
 * an error that it works off evenly, and that it tells of in its root dispersion.
 */
struct restart {
	double at_s;    /* 0: never */
	double every_s; /* and again so often; 0: only once */
	double silent_s;
	double unsynchronised_s;
	double error_ns;
	double settle_s;
};

enum congested_way { CONGESTED_BOTH, CONGESTED_TO, CONGESTED_FROM };

struct server_config {
	double offset_ns; /* its clock minus UTC */
	double step_ns;   /* added from step_at_s to step_to_s (0: for good) */
	double step_at_s, step_to_s;
	double drift_ppb;      /* its clock runs away, from the start */
	double wander_ns;      /* its clock strays at random, so far at most on either side */
	double wander_step_ns; /* standard deviation a second */
	double root_delay_ns, root_dispersion_ns; /* what it says of itself */
	double silent_from_s, silent_to_s;        /* no answers then; 0, 0: always there */
	struct restart restart;
	struct way to, from;
	struct route routes[SERVER_ROUTES_MAX];
	double loss;     /* share of the exchanges that get lost */
	double burst;    /* share of the time that the link is congested */
	double burst_ns; /* mean jitter then */
	enum congested_way congested;
	double stamp_ns; /* stamps are late by up to this, uniformly */
	double poll_s;   /* after four exchanges 2 s apart */
	uint8_t leap;
};

struct server {
	const struct server_config *config;
	int64_t next_ns; /* next exchange */
	unsigned int exchanges;
	bool congested;
	double strayed_ns; /* its clock, by its wander */
	int64_t strayed_at_ns;
};

/*
 * One exchange that begins at server->next_ns, which is moved on. Returns true and the sample, with
 * the true time at which it is complete, or false if nothing came back.
 */
bool server_exchange(struct server *server, const struct oscillator *osc, struct rng *rng,
		     struct sample *ret, int64_t *done_ns);

#endif /* SIM_WORLD_H */
