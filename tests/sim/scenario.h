/* SPDX-License-Identifier: MIT */
/* What a simulation of the engine is made of, and the limits that it must keep. */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include <stdint.h>

#include "world.h"

#define SCENARIO_SERVERS_MAX 8

struct scenario {
	const char *name;
	unsigned int seconds;
	uint64_t seed;
	uint32_t wander_ppb;
	struct oscillator_config oscillator;
	struct server_config servers[SCENARIO_SERVERS_MAX];
	unsigned int server_count;
	double settle_s; /* errors count from here on; the bound from the first trusted read */

	/* Limits, beside the first: that the truth is inside the bound in every trusted read */
	double rms_us;
	double max_us;
	double mean_bound_us;
	double first_trusted_s;
	double trusted_share;    /* of the reads, at least */
	double holdover_share;   /* of the reads, at least */
	unsigned int false_mask; /* bit i: server i must be called false at the end */
};

extern const struct scenario scenarios[];
extern const unsigned int scenario_count;

#endif /* SIM_SCENARIO_H */
