/* SPDX-License-Identifier: MIT */
/* What a simulation of the engine is made of, and the limits that it must keep. */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

#include "world.h"

#define SCENARIO_SERVERS_MAX 8

/* What must be so at the end, whatever the other limits say */
enum scenario_end {
	END_ANY,
	END_REFUSED,  /* never a trusted time, no source selected, each with its reason */
	END_HOLDOVER, /* the time of before is held over, no source selected, each with its reason */
};

struct scenario {
	const char *name;
	unsigned int seconds;
	uint64_t seed;
	uint32_t wander_ppb;     /* as the engine is told */
	uint32_t max_drift_ppb;  /* 0: 100,000 */
	unsigned int correct_ms; /* a correction is made so often; 0: 250 */
	bool untold; /* the oscillator wanders farther than the engine is told: it has to find out */
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
	enum scenario_end end;
};

struct scenario_list {
	const struct scenario *scenarios;
	unsigned int count;
};

extern const struct scenario_list scenarios_of_clocks, scenarios_of_servers;

/*
 * Worlds by chance, all within what the bound is promised for: some right servers with any ways and
 * any honest statements of their own error, and fewer false ones than right ones at all times.
 */
void world_by_chance(struct scenario *ret, uint64_t seed);

#endif /* SIM_SCENARIO_H */
