/* SPDX-License-Identifier: MIT */
/*
 * What a read costs, beside the counter and the system's own clocks.
 *
 * Every operation runs in batches of MEASURE_BATCH back to back, timed from outside by
 * CLOCK_MONOTONIC_RAW. The operations take turns, batch by batch, so that a change of the CPU's
 * speed meets all of them; figures are medians over the rounds, ratios medians over the ratios of
 * each round.
 *
 * Single reads are timed by themselves: what the reads of a row answer differs by what one of them
 * takes, from counter sample to counter sample. So nothing has to be taken off for the timing, and
 * what keeps a reader waiting is in the figure of that read.
 */
#ifndef CLI_MEASURE_H
#define CLI_MEASURE_H

#include <stdint.h>

#include <chronotick/chronotick.h>

#define MEASURE_BATCH 1000

enum measure_operation {
	MEASURE_RDTSC,
	MEASURE_LFENCE_RDTSC,
	MEASURE_RDTSCP,
	MEASURE_REALTIME,
	MEASURE_REALTIME_COARSE,
	MEASURE_READ_ORDERED,
	MEASURE_READ_UNORDERED,
	MEASURE_OPERATIONS,
};

struct measure {
	double ns[MEASURE_OPERATIONS]; /* of one operation; NaN where the machine has none */
	double average_ns;             /* of an ordered read, over all batches */
	double p50_ns, p99_ns, p999_ns,
		max_ns;      /* of single ordered reads; NaN without trusted ones */
	double step_ns;      /* smallest step of the CPU's counter, 1 at least */
	uint64_t reads;      /* all reads of the page */
	uint64_t torn_reads; /* of them met a line being written */
	unsigned int rounds;
	double *round_ns; /* [rounds][MEASURE_OPERATIONS] */
};

/*
 * Measure `iterations` of each operation (at least one batch). Returns 0, or -ENOMEM.
 * measure_free() afterwards.
 */
int measure_run(struct measure *measure, const struct chronotick *ct, uint64_t iterations);

/* Only the single reads: p50 and so on, reads and torn_reads. Returns 0, or -ENOMEM. */
int measure_singles(struct measure *measure, const struct chronotick *ct, uint64_t iterations);

/* Median over the rounds of what one operation costs against another; NaN if there is none. */
double measure_ratio(const struct measure *measure, enum measure_operation operation,
		     enum measure_operation against);

/* After measure_run() or measure_singles(), whatever came of them */
void measure_free(struct measure *measure);

/* "lfence_rdtsc_ns" and so on: the JSON key. And what to call it in a table. */
const char *measure_key(enum measure_operation operation);
const char *measure_label(enum measure_operation operation);

#endif /* CLI_MEASURE_H */
