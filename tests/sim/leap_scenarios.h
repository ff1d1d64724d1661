/* SPDX-License-Identifier: MIT */
/* What leap seconds are met in: when, by which servers, and what must come of it. */
#ifndef SIM_LEAP_SCENARIOS_H
#define SIM_LEAP_SCENARIOS_H

#include <stdbool.h>
#include <stdint.h>

#define SECOND 1000000000LL
#define LEAP_SERVERS 5

/* Times are relative to the leap second. */
struct manner {
	double poll_s;
	double delay_ns, jitter_ns, offset_ns;
	double follows_s;   /* it follows the leap second so late; 1e9: never */
	double announces_s; /* from when on; 0: not at all */
	double lingers_s;   /* how long after the leap it still does */
	uint8_t lies;       /* leap indicator that it announces at all times */
	double silent_from_s, silent_to_s;
};

struct leap_scenario {
	const char *name;
	int64_t at_ns;  /* end of the month, UTC */
	int sign;       /* 1: inserted, -1: left out, 0: none */
	bool file;      /* there is a leap seconds file, and it has this */
	bool file_none; /* ... and it says that there is none */
	bool smear;
	double from_s, to_s;                 /* of the run */
	double stopped_from_s, stopped_to_s; /* the daemon does not run */
	double period_s;
	struct manner servers[LEAP_SERVERS];
	unsigned int count;
	/* What must come of it */
	unsigned int false_mask; /* at the end */
	unsigned int jumps;      /* new generations */
	double gap_ms;           /* longest time without trust after the first trusted read */
	bool tai_known;
};

extern const struct leap_scenario leap_scenarios[];
extern const unsigned int leap_scenario_count;

#endif /* SIM_LEAP_SCENARIOS_H */
