/* SPDX-License-Identifier: MIT */
/* What the programs have in common that restart engines in a simulated world */
#ifndef SIM_RESTART_H
#define SIM_RESTART_H

#include <stdio.h>

#include "engine/engine.h"
#include "world.h"

/* An engine with one source. Returns 0 or -EINVAL. */
static inline int restart_engine(struct engine *engine, uint32_t wander_ppb)
{
	struct engine_config config = {
		.max_drift_ppb = 200000,
		.wander_ppb = wander_ppb,
		.max_bound_ns = 1000000000,
		.max_distance_ms = 1000,
	};

	oscillator_timescale(&config.scale);
	return engine_init(engine, &config, 1);
}

/* A server in the next room; polled every poll_s */
static inline struct server_config restart_server(double poll_s)
{
	return (struct server_config){
		.to = {20e3, 10e3},
		.from = {20e3, 10e3},
		.stamp_ns = 2e3,
		.root_delay_ns = 20e3,
		.root_dispersion_ns = 10e3,
		.poll_s = poll_s,
	};
}

/* Of UTC that is told at true time true_ns, ns */
static inline double restart_error(__int128 utc, int64_t true_ns)
{
	return (double)(utc - (__int128)(WORLD_START_UTC_NS + true_ns) * ((__int128)1 << 64)) *
	       0x1p-64;
}

static inline bool restart_expect(bool good, const char *what)
{
	if (!good)
		printf("# not so: %s\n", what);
	return good;
}

#endif /* SIM_RESTART_H */
