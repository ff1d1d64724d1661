/* SPDX-License-Identifier: MIT */
/*
 * Four cases that chrony was measured in under a simulator of its own: sim-cases [SEEDS]
 *
 * One server, delay and exponential jitter on both ways, a frequency that walks at random without
 * limit, 10,000 s of which the first 400 s are skipped, ten seeds. The RMS true error over all seeds
 * must not be above chrony's in any case, nor the truth outside the bound in any read, nor the median
 * bound wider than 1.5 times chrony's: but for where the engine is told of much wander. The engine
 * is told the default wander, which is too little in the second case already. In the last one the
 * oscillator wanders up to 15 times as far: there all of it must hold, told how far or not told.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

#define SEEDS 10
#define DEFAULT_WANDER_PPB 1000
#define DEFAULT_MAX_DRIFT_PPB 200000
#define MS 1e6
#define US 1e3

static const struct sim_case {
	const char *name;
	double delay_ns, jitter_ns;
	double poll_s;
	double walk_ppb; /* frequency's random walk, standard deviation a second */
	double chrony_rms_us;
	double chrony_bound_us;
	double bound_factor; /* the median bound may be so many times as wide */
	uint32_t wander_ppb; /* as the engine is told */
} cases[] = {
	{"J 100 us, W 1e-9", 100 * US, 100 * US, 64, 1, 23, 214, 1.5, DEFAULT_WANDER_PPB},
	{"D 10 ms, J 1 ms, W 1e-8", 10 * MS, 1 * MS, 64, 10, 232, 10600, 1.5, DEFAULT_WANDER_PPB},
	{"D 10 us, J 1 us, poll 16 s", 10 * US, 1 * US, 16, 1, 0.58, 28, 1.5, DEFAULT_WANDER_PPB},
	{"J 100 us, W 1e-7, told", 100 * US, 100 * US, 64, 100, 140, 421, INFINITY, 20000},
	{"J 100 us, W 1e-7, to be learnt", 100 * US, 100 * US, 64, 100, 140, 421, 1.5,
	 DEFAULT_WANDER_PPB},
};

static int run_case(const struct sim_case *c, uint64_t seed, struct outcome *sum)
{
	struct rng rng = {seed * 0x9e3779b97f4a7c15ULL | 1};
	struct scenario scenario = {
		.name = c->name,
		.seconds = 10000,
		.seed = seed * 0xd1342543de82ef95ULL | 1,
		.wander_ppb = c->wander_ppb,
		.max_drift_ppb = DEFAULT_MAX_DRIFT_PPB,
		.correct_ms = 1000,
		.untold = c->wander_ppb == DEFAULT_WANDER_PPB,
		/* A band so wide that it is none */
		.oscillator = {.rate_ppb = 100000 * (2 * rng_uniform(&rng) - 1),
			       .walk_step_ppb = c->walk_ppb,
			       .walk_ppb = 100000},
		.servers = {{.to = {c->delay_ns, c->jitter_ns},
			     .from = {c->delay_ns, c->jitter_ns},
			     .poll_s = c->poll_s}},
		.server_count = 1,
		.settle_s = 400,
	};
	struct outcome out;

	if (scenario_run(&scenario, NULL, &out))
		return -1;
	outcome_add(sum, &out);
	return 0;
}

static int judge(const struct sim_case *c, const struct outcome *sum)
{
	double bound_us = histogram_quantile(&sum->bounds, 0.5) / RUN_US;

	return limit_check(c->name, "RMS error, us", outcome_rms(sum) / RUN_US, c->chrony_rms_us,
			   true) +
	       limit_check(c->name, "median bound, us", bound_us,
			   c->bound_factor * c->chrony_bound_us, true) +
	       limit_check(c->name, "reads outside the bound", (double)sum->outside, 0, true) +
	       limit_check(c->name, "share of trusted reads",
			   (double)sum->trusted / (double)sum->reads, 0.99, false);
}

int main(int argc, char **argv)
{
	unsigned int seeds = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : SEEDS, i;
	struct outcome *sum = calloc(1, sizeof(*sum));
	uint64_t seed;
	int bad = 0;

	if (!sum || !seeds) {
		printf("usage: sim-cases [SEEDS]\n");
		return 2;
	}
	printf("%-32s %18s %10s %22s %8s %12s %10s %12s\n", "(us)", "rms, chrony's", "max",
	       "median bound, chrony's", "ratio", "reads", "inside", "wander, ppb");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct sim_case *c = &cases[i];
		double bound_us;

		memset(sum, 0, sizeof(*sum));
		for (seed = 1; seed <= seeds; seed++)
			if (run_case(c, seed, sum))
				bad++;
		bound_us = histogram_quantile(&sum->bounds, 0.5) / RUN_US;
		printf("%-32s %10.3f %7.2f %10.3f %13.2f %8.0f %8.2f %12" PRIu64
		       " %9.4f%% %12.0f\n",
		       c->name, outcome_rms(sum) / RUN_US, c->chrony_rms_us, sum->max / RUN_US,
		       bound_us, c->chrony_bound_us, bound_us / c->chrony_bound_us, sum->trusted,
		       100 - 100 * (double)sum->outside / (double)sum->trusted, sum->wander_ppb);
		bad += judge(c, sum);
	}
	free(sum);
	return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
