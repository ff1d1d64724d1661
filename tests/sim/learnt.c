/* SPDX-License-Identifier: MIT */
/*
 * Restarts of an oscillator that the temperature moves: a run of the engine learns how, and after a
 * gap others begin side by side, with and without what it has learnt. Soon after, the source is lost.
 * How good is the time that is held over, is the truth inside the bound in every read, and does what
 * was learnt ever make the bound allow for less wander?
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/memory.h"
#include "restart.h"

#define WORLDS 24
#define S 1000000000LL
#define FIRST_S 14400
#define GAP_MAX_S 7200
#define MEASURED_S 240
#define HELD_S 1200
#define END_S (FIRST_S + GAP_MAX_S + MEASURED_S + HELD_S)
#define CORRECT_NS 500000000LL
#define SENSOR_S 10

enum use {
	UNINTERRUPTED,
	FREQUENCY,
	LEARNT,
	FALSE_LEARNT,
	REBOOTED_FREQUENCY,
	REBOOTED,
	USES,
};

/* With the rate's prior as it has, and nothing of what the models learnt */
static const enum use without[USES] = {
	[FREQUENCY] = FREQUENCY,         [LEARNT] = FREQUENCY,
	[FALSE_LEARNT] = FREQUENCY,      [REBOOTED_FREQUENCY] = REBOOTED_FREQUENCY,
	[REBOOTED] = REBOOTED_FREQUENCY,
};

static const char *const use_names[USES] = {
	"not restarted",
	"frequency alone is known",
	"and what the models learnt",
	"what was learnt is false",
	"a reboot, frequency alone",
	"and what the models learnt",
};

struct outcome {
	uint64_t reads, outside, narrower;
	double error2, worst, ends;
};

/* Of oscillators */
struct kind {
	const char *name;
	double walk_step_ppb, walk_ppb, ppb_k;
	uint32_t wander_ppb; /* that is configured */
	bool learnable;      /* what moves it can be read */
};

static const struct kind kinds[] = {
	{"moved by the temperature", 0.2, 300, 30, 1000, true},
	{"worse than is configured", 15, 20000, 0, 100, false},
};

/* Engines that are given the same, from the use-th on */
struct run {
	struct engine *engines;
	unsigned int first, end;
	struct outcome *outcomes; /* NULL: nobody asks */
	struct server server;
	struct rng rng;
};

static void ask(struct run *run, const struct oscillator *osc, int64_t now_ns, bool last)
{
	struct correction line;
	unsigned int i;

	for (i = run->first; i < run->end; i++) {
		const struct wander *least = &run->engines[without[i]].limits.wander;
		const struct wander *wander = &run->engines[i].limits.wander;
		struct outcome *out = run->outcomes ? &run->outcomes[i] : NULL;
		double error;

		engine_correct(&run->engines[i], oscillator_counter(osc, now_ns), &line);
		if (!out ||
		    (line.status != CHRONOTICK_SYNCHRONIZED && line.status != CHRONOTICK_HOLDOVER))
			continue;
		error = restart_error(line.utc, now_ns);
		out->reads++;
		out->outside += fabs(error) > (double)line.bound.total_ns + 1;
		if (i > FREQUENCY)
			out->narrower +=
				rate_wander(wander, S) < rate_wander(least, S) ||
				rate_wander(wander, 3600 * S) < rate_wander(least, 3600 * S);
		if (last) {
			out->error2 += error * error;
			out->worst = fmax(out->worst, fabs(error));
			out->ends++;
		}
	}
}

static void live(struct run *run, const struct oscillator *osc,
		 const struct temperature_config *temperature, int64_t from_ns, int64_t to_ns,
		 int64_t lost_ns)
{
	const struct server_config server_config = restart_server(8);
	int64_t now_ns, done_ns = 0, sensor_ns = from_ns;
	struct sample sample;
	bool busy = false, lost = false;
	unsigned int i;

	run->server = (struct server){.config = &server_config, .next_ns = from_ns};
	for (now_ns = from_ns; now_ns < to_ns; now_ns += CORRECT_NS) {
		uint64_t counter = oscillator_counter(osc, now_ns);

		if (now_ns >= sensor_ns) {
			struct covariates covariates =
				temperature_read(temperature, 1e-9 * (double)now_ns, &run->rng);

			for (i = run->first; i < run->end; i++)
				engine_covariates(&run->engines[i], counter, &covariates);
			sensor_ns += SENSOR_S * S;
		}
		while (now_ns < lost_ns &&
		       (busy ? done_ns <= now_ns : run->server.next_ns <= now_ns)) {
			for (i = run->first; i < run->end && busy; i++)
				engine_sample_add(&run->engines[i], &sample);
			busy = !busy &&
			       server_exchange(&run->server, osc, &run->rng, &sample, &done_ns);
		}
		for (i = run->first; i < run->end && !lost && now_ns >= lost_ns; i++)
			engine_source_unreachable(&run->engines[i], 0,
						  CHRONOTICK_SOURCE_UNREACHABLE);
		lost = now_ns >= lost_ns;
		ask(run, osc, now_ns, now_ns + CORRECT_NS >= to_ns);
	}
}

/* The opposite of what is true, and no wander */
static void lie(struct learnt *learnt)
{
	unsigned int i, j;

	learnt->walk_ns_s = 0;
	learnt->slope_ns_s2 = 0;
	for (i = 0; i < LONG_TERM_FAMILIES; i++)
		for (j = 1; j < LEARNT_STATES; j++)
			learnt->families[i].mean[j] *= -1;
}

static int engines_start(struct engine *engines, int64_t gap_ns, uint32_t wander_ppb)
{
	struct engine_memory memory;
	struct learnt learnt, told;
	unsigned int use;
	int r;

	r = engine_memory_get(&engines[UNINTERRUPTED], &memory);
	if (r < 0)
		return r;
	engine_learnt_get(&engines[UNINTERRUPTED], &learnt);
	for (use = FREQUENCY; use < USES && r == 0; use++) {
		told = learnt;
		if (use == FALSE_LEARNT)
			lie(&told);
		r = restart_engine(&engines[use], wander_ppb);
		if (r == 0 && without[use] != use) {
			const char *wrong = engine_learnt_check(&engines[use], &told);

			if (wrong) {
				printf("# refused: %s\n", wrong);
				return -1;
			}
			engine_memory_learnt(&engines[use], &told);
		}
		if (r == 0)
			r = engine_memory_set(&engines[use], &memory, gap_ns,
					      use < REBOOTED_FREQUENCY);
	}
	return r;
}

static int world(const struct kind *kind, uint64_t seed, struct engine *engines,
		 struct outcome outcomes[USES])
{
	struct rng rng = {seed * 0x9e3779b97f4a7c15ULL | 1};
	const struct oscillator_config config = {
		.rate_ppb = 40000 * (2 * rng_uniform(&rng) - 1),
		.walk_step_ppb = kind->walk_step_ppb,
		.walk_ppb = kind->walk_ppb,
		.ppb_k = kind->ppb_k * (1 + 2 * rng_uniform(&rng)),
		.temperature = {.mean_c = 45,
				.sawtooth_k = 6,
				.sawtooth_s = 3000,
				.sawtooth_phase_s = 3000 * rng_uniform(&rng),
				.sensor_sd_k = 0.1,
				.sensor_s = SENSOR_S},
	};
	int64_t gap_ns = (int64_t)(rng_uniform(&rng) * GAP_MAX_S) * S;
	int64_t end_ns = FIRST_S * S, from_ns = end_ns + gap_ns;
	int64_t lost_ns = from_ns + MEASURED_S * S, last_ns = lost_ns + HELD_S * S;
	struct run run = {.engines = engines, .first = UNINTERRUPTED, .end = UNINTERRUPTED + 1};
	struct oscillator osc;
	int r;

	if (oscillator_init(&osc, &config, END_S + 60, &rng) < 0)
		return -1;
	run.rng = rng;
	r = restart_engine(&engines[UNINTERRUPTED], kind->wander_ppb);
	live(&run, &osc, &config.temperature, 0, end_ns, INT64_MAX);
	if (r == 0)
		r = engines_start(engines, gap_ns, kind->wander_ppb);
	/* The one that is not restarted lives through the gap. */
	live(&run, &osc, &config.temperature, end_ns, from_ns, INT64_MAX);
	run.end = USES;
	run.outcomes = outcomes;
	if (r == 0)
		live(&run, &osc, &config.temperature, from_ns, last_ns, lost_ns);
	oscillator_clear(&osc);
	return r;
}

/* What is true of each kind of oscillator */
static bool bounds_hold(const struct kind *kind, const struct outcome *outcomes)
{
	bool good = true;
	unsigned int use;

	for (use = 0; use < USES; use++) {
		const struct outcome *out = &outcomes[use];

		printf("%s, %s: after %d s measured and %d s held over: error %.1f us rms, %.1f "
		       "at most; outside the bound %" PRIu64 " of %" PRIu64
		       ", wander below that without %" PRIu64 "\n",
		       kind->name, use_names[use], MEASURED_S, HELD_S,
		       1e-3 * sqrt(out->error2 / out->ends), 1e-3 * out->worst, out->outside,
		       out->reads, out->narrower);
		good &= restart_expect(out->reads > WORLDS * HELD_S, "there is trusted time");
		good &= restart_expect(out->outside == 0, "the truth is inside the bound");
		good &= restart_expect(out->narrower == 0, "what was learnt narrows nothing");
	}
	return good;
}

static bool errors_are_small(const struct outcome *outcomes)
{
	double error[USES];
	bool good = true;
	unsigned int use;

	for (use = 0; use < USES; use++)
		error[use] = sqrt(outcomes[use].error2 / outcomes[use].ends);
	good &= restart_expect(error[LEARNT] < 0.5 * error[FREQUENCY],
			       "what was learnt is of use in holdover soon after a restart");
	good &= restart_expect(error[LEARNT] < 2 * error[UNINTERRUPTED],
			       "... nearly as much as without a restart");
	good &= restart_expect(error[REBOOTED] < 0.5 * error[REBOOTED_FREQUENCY],
			       "also after a reboot");
	good &= restart_expect(error[FALSE_LEARNT] < 2 * error[FREQUENCY],
			       "what is false is found out");
	return good;
}

int main(void)
{
	struct engine *engines = calloc(USES, sizeof(*engines));
	struct outcome outcomes[USES];
	bool good = engines != NULL;
	unsigned int kind;
	uint64_t seed;

	for (kind = 0; engines && kind < sizeof(kinds) / sizeof(kinds[0]); kind++) {
		memset(outcomes, 0, sizeof(outcomes));
		for (seed = 1; seed <= WORLDS; seed++)
			good &= restart_expect(world(&kinds[kind], seed, engines, outcomes) == 0,
					       "it could be run");
		good &= bounds_hold(&kinds[kind], outcomes);
		if (kinds[kind].learnable)
			good &= errors_are_small(outcomes);
	}
	free(engines);
	return good ? 0 : 1;
}
