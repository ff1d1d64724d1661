/* SPDX-License-Identifier: MIT */
/*
 * Restarts in a simulated world: a run of the engine leaves its memory, and after a gap another
 * begins with it, without it, or with a false one. Is the truth inside the bound in every read, and
 * what is the memory good for?
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/memory.h"
#include "restart.h"

#define WORLDS 40
#define FIRST_S 1800
#define SECOND_S 300
#define SECONDS 12000
#define CORRECT_NS 250000000LL
#define HORIZON_NS 10000000000LL /* a reader's line is as old as this at most */
#define SETTLED_S 60

enum use { FORGOTTEN, REMEMBERED, RESTARTED, FALSE_MEMORY, USES };

static const char *const use_names[USES] = {
	"without memory",
	"with memory",
	"with memory, after a reboot",
	"with a false memory",
};

struct outcome {
	uint64_t reads, outside, outside_settled;
	double early_bound, early_error2, early_reads; /* holdover of 10 s from the first seconds */
	double worst_settled;
};

static void read_line(const struct correction *line, const struct oscillator *osc, int64_t true_ns,
		      bool early, bool settled, struct outcome *out)
{
	uint64_t counts = oscillator_counter(osc, true_ns) - line->counter;
	__int128 utc = line->utc + (__int128)counts * (__int128)line->mult * 1024;
	double error = restart_error(utc, true_ns);
	double half = (double)line->bound.total_ns +
		      (double)(((unsigned __int128)line->bound.growth * counts) >> 54) + 1;

	out->reads++;
	out->outside += fabs(error) > half;
	out->outside_settled += settled && fabs(error) > half;
	if (settled)
		out->worst_settled = fmax(out->worst_settled, fabs(error));
	if (early) {
		out->early_bound += half;
		out->early_error2 += error * error;
		out->early_reads++;
	}
}

/* One run of an engine with a server, from true time from_ns on. */
static void run(struct engine *engine, const struct oscillator *osc, struct rng *rng,
		int64_t from_ns, int64_t to_ns, struct outcome *out)
{
	const struct server_config server_config = restart_server(16);
	struct server server = {.config = &server_config, .next_ns = from_ns};
	struct correction line;
	struct sample sample;
	int64_t now_ns, done_ns = 0;
	bool busy = false;

	for (now_ns = from_ns; now_ns < to_ns; now_ns += CORRECT_NS) {
		int64_t age_ns = now_ns - from_ns;

		while (busy ? done_ns <= now_ns : server.next_ns <= now_ns) {
			if (busy)
				engine_sample_add(engine, &sample);
			busy = !busy && server_exchange(&server, osc, rng, &sample, &done_ns);
		}
		engine_correct(engine, oscillator_counter(osc, now_ns), &line);
		if (line.status == CHRONOTICK_SYNCHRONIZED || line.status == CHRONOTICK_HOLDOVER)
			read_line(&line, osc, now_ns + HORIZON_NS,
				  age_ns<2000000000LL, age_ns> SETTLED_S * 1000000000LL, out);
	}
}

static int world(uint64_t seed, struct outcome outcomes[USES])
{
	struct rng rng = {seed * 0x9e3779b97f4a7c15ULL | 1};
	const struct oscillator_config config = {
		.rate_ppb = 40000 * (2 * rng_uniform(&rng) - 1),
		.walk_step_ppb = 2,
		.walk_ppb = 900,
	};
	int64_t gap_ns = (int64_t)(rng_uniform(&rng) * 9000e9);
	int64_t end_ns = FIRST_S * 1000000000LL, from_ns = end_ns + gap_ns;
	struct outcome ignored = {0};
	struct engine_memory memory, told;
	struct oscillator osc;
	struct engine engine;
	unsigned int use;
	int r;

	if (oscillator_init(&osc, &config, SECONDS, &rng) < 0)
		return -1;
	r = restart_engine(&engine, 1000);
	run(&engine, &osc, &rng, 0, end_ns, &ignored);
	if (r == 0)
		r = engine_memory_get(&engine, &memory);
	for (use = 0; use < USES && r == 0; use++) {
		struct rng same = rng; /* the same noise for each */
		uint64_t lie = memory.mult / 20000;

		r = restart_engine(&engine, 1000);
		told = memory;
		if (use == FALSE_MEMORY) {
			told.mult += lie;
			told.mult_lo += lie;
			told.mult_hi += lie;
		}
		if (r == 0 && use != FORGOTTEN)
			r = engine_memory_set(&engine, &told, gap_ns, use != RESTARTED);
		run(&engine, &osc, &same, from_ns, from_ns + SECOND_S * 1000000000LL,
		    &outcomes[use]);
	}
	oscillator_clear(&osc);
	return r;
}

int main(void)
{
	struct outcome outcomes[USES] = {{0}};
	double bound[USES], error[USES];
	bool good = true;
	uint64_t seed;
	unsigned int use;

	for (seed = 1; seed <= WORLDS; seed++) {
		if (world(seed, outcomes) < 0) {
			printf("# world %" PRIu64 " could not be run\n", seed);
			return 1;
		}
	}
	for (use = 0; use < USES; use++) {
		const struct outcome *out = &outcomes[use];

		bound[use] = out->early_bound / out->early_reads;
		error[use] = sqrt(out->early_error2 / out->early_reads);
		printf("%-28s first 2 s, 10 s ahead: bound %8.1f us, error %7.2f us rms; after "
		       "%d s: worst error %6.1f us; outside %" PRIu64 " of %" PRIu64 "\n",
		       use_names[use], 1e-3 * bound[use], 1e-3 * error[use], SETTLED_S,
		       1e-3 * out->worst_settled, out->outside, out->reads);
		good &= restart_expect(out->reads > WORLDS * SECOND_S * 3, "there is trusted time");
		good &= restart_expect(use == FALSE_MEMORY || out->outside == 0,
				       "the truth is inside the bound");
	}
	good &= restart_expect(bound[REMEMBERED] < 0.15 * bound[FORGOTTEN],
			       "memory narrows the bound");
	good &= restart_expect(error[REMEMBERED] < 0.2 * error[FORGOTTEN],
			       "memory narrows the error");
	good &= restart_expect(error[RESTARTED] < 0.3 * error[FORGOTTEN],
			       "what a reboot leaves of it narrows the error");
	good &= restart_expect(outcomes[FALSE_MEMORY].outside_settled == 0 &&
				       outcomes[FALSE_MEMORY].worst_settled <
					       2 * outcomes[FORGOTTEN].worst_settled,
			       "a false memory is found out");
	return good ? 0 : 1;
}
