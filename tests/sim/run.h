/* SPDX-License-Identifier: MIT */
/*
 * Runs the engine in a simulated world, and reads its time.
 *
 * A read is what a reader of the page does: it takes the line of an earlier correction, up to ten
 * seconds old, and extends it with its mult and growth.
 */
#ifndef SIM_RUN_H
#define SIM_RUN_H

#include <stdint.h>

#include "scenario.h"

#define RUN_READS 16 /* per correction */
#define RUN_US 1e3   /* ns */

/* Counts of values, by their logarithm: 32 classes an octave */
#define HISTOGRAM_CLASSES (64 * 32)

struct histogram {
	uint64_t count[HISTOGRAM_CLASSES];
	uint64_t sum;
};

void histogram_add(struct histogram *histogram, int64_t value); /* > 0 */

/* The value that `share` of them do not pass, or up to 3 % more; 0 if there are none. */
double histogram_quantile(const struct histogram *histogram, double share);

struct outcome {
	uint64_t reads, trusted, holdover, outside;
	uint64_t settled;  /* trusted reads after settle_s: sum2 and max are of these */
	double sum2, max;  /* error, ns */
	double sum_bound;  /* ns, of all trusted reads */
	double worst;      /* error / bound */
	double wander_ppb; /* what the oscillator did */
	double first_trusted_s;
	uint64_t digest;
	unsigned int false_mask; /* at the end */
	bool ended_well;         /* as scenario.end wants it */
	struct histogram bounds; /* half-widths of the trusted reads, ns */
};

/* Called after so many seconds of the world, with what has come out so far; every_s 0: never */
struct run_watch {
	double every_s;
	void (*watch)(void *data, double t_s, const struct outcome *so_far);
	void *data;
};

/*
 * Returns 0, or -1 after a line that says why: the engine refused what it must take, its terms did
 * not sum up, or the world would break the promise that the engine rests on. `watch` may be NULL.
 */
int scenario_run(const struct scenario *scenario, const struct run_watch *watch,
		 struct outcome *out);

/* Add another run's figures, for a common row. */
void outcome_add(struct outcome *sum, const struct outcome *more);

double outcome_rms(const struct outcome *out);        /* ns; infinite if there was nothing */
double outcome_mean_bound(const struct outcome *out); /* ns; infinite if there was nothing */

/* The table of all scenarios */
void outcome_table_head(void);
void outcome_table_row(const char *name, const struct outcome *out);

/* Is it within the limit? Prints a line if not. Returns how many limits were not kept: 0 or 1. */
int limit_check(const char *name, const char *what, double value, double limit, bool at_most);

#endif /* SIM_RUN_H */
