/* SPDX-License-Identifier: MIT */
/*
 * Whether the counters of all CPUs agree. CLOCK_MONOTONIC_RAW is no help there, being made from the
 * very counter of the CPU that reads it; so two threads on two CPUs pass a word to and fro, and
 * each notes its counter in between: an answer's reading lies between that of its question and that
 * of its arrival. What all exchanges allow in common is how far the second CPU's counter may be from
 * the first one's.
 */
#ifndef TIMESTAMPING_CPUS_H
#define TIMESTAMPING_CPUS_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#include "timestamping/counter.h"

#define CPUS_MAX CPU_SETSIZE

/* What is known of the counters of some CPUs, each against that of the first one, counts. */
struct cpus {
	unsigned int count;
	struct cpu_offset {
		int cpu;
		bool measured; /* the first one always is: 0 to 0 */
		int64_t least; /* its counter minus the first one's lies within these */
		int64_t most;
	} at[CPUS_MAX];
};

/* The CPUs of a set, none measured yet but the first. */
void cpus_init(struct cpus *cpus, const cpu_set_t *set);

/* Narrow a CPU's interval by one exchange: question, answer and arrival are counter values. */
void cpus_exchange(struct cpu_offset *offset, uint64_t question, uint64_t answer, uint64_t arrival,
		   uint32_t step);

/*
 * Take in a measurement of the same CPU, older or newer. The two may have nothing in common: then
 * least > most is left, which cpus_disagree() reports.
 */
void cpus_narrow(struct cpu_offset *offset, const struct cpu_offset *with);

/*
 * The CPU whose counter differs from the first one's for certain, the one that does most; NULL:
 * none. *by: by how much at least, counts.
 */
const struct cpu_offset *cpus_disagree(const struct cpus *cpus, uint64_t *by);

/*
 * How far the values of any two measured CPUs may be from each other, counts: no exchange can tell
 * less than its own way takes. 0 with one CPU.
 */
uint64_t cpus_apart(const struct cpus *cpus);

unsigned int cpus_measured(const struct cpus *cpus);

/* The counter as a thread on some CPU reads it, after all earlier loads. */
typedef uint64_t (*cpus_read_fn)(void *data);

struct cpus_config {
	cpus_read_fn read;
	void *data;
	uint32_t step;        /* of the counter */
	unsigned int windows; /* so many times the two meet, for up to 0.3 ms each */
	int rest_ms;          /* between these; 0: none */
};

struct cpus_job; /* two threads that measure, and end by themselves */

/*
 * Start measuring those CPUs of `cpus` from the index `from` on, `count` of them, each against the
 * first. The threads have normal priority, run on the CPUs that they measure, and touch nothing
 * but the job. Returns 0 or a negative errno.
 */
int cpus_start(struct cpus_job **ret, const struct cpus *cpus, unsigned int from,
	       unsigned int count, const struct cpus_config *config);

bool cpus_done(const struct cpus_job *job);

/*
 * Wait for the end, which comes soon with `stop`, take what was measured into `cpus` (NULL: drop
 * it), and free the job.
 */
void cpus_finish(struct cpus_job *job, bool stop, struct cpus *cpus);

#endif /* TIMESTAMPING_CPUS_H */
