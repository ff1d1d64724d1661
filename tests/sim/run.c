/* SPDX-License-Identifier: MIT */
#include "run.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"

#define CORRECT_MS 250
#define LINE_LIFE_NS 10000000000LL
#define MAX_DRIFT_PPB 100000
#define HISTOGRAM_BITS 5 /* of a class, within its octave */

static unsigned int histogram_class(int64_t value)
{
	uint64_t positive = value > 0 ? (uint64_t)value : 1;
	unsigned int octave = 63 - (unsigned int)__builtin_clzll(positive);
	uint64_t rest = (octave >= HISTOGRAM_BITS ? positive >> (octave - HISTOGRAM_BITS)
						  : positive << (HISTOGRAM_BITS - octave)) &
			((1 << HISTOGRAM_BITS) - 1);

	return (octave << HISTOGRAM_BITS) + (unsigned int)rest;
}

void histogram_add(struct histogram *histogram, int64_t value)
{
	histogram->count[histogram_class(value)]++;
	histogram->sum++;
}

double histogram_quantile(const struct histogram *histogram, double share)
{
	uint64_t below = 0;
	unsigned int i;

	for (i = 0; i < HISTOGRAM_CLASSES && histogram->sum; i++) {
		below += histogram->count[i];
		if ((double)below >= share * (double)histogram->sum)
			return ldexp(1 + ((i & ((1 << HISTOGRAM_BITS) - 1)) + 1.0) /
						     (1 << HISTOGRAM_BITS),
				     (int)(i >> HISTOGRAM_BITS));
	}
	return 0;
}

static void digest_add(uint64_t *digest, uint64_t value)
{
	*digest = (*digest ^ value) * 0x100000001b3ULL;
}

static bool is_trusted(uint8_t status)
{
	return status == CHRONOTICK_SYNCHRONIZED || status == CHRONOTICK_HOLDOVER;
}

/* A reader, `counter` being now, with the line that `line` gave. */
static void read_line(const struct scenario *scenario, const struct correction *line,
		      uint64_t counter, int64_t true_ns, struct outcome *out)
{
	uint64_t counts = counter - line->counter;
	__int128 utc = line->utc + (__int128)counts * (__int128)line->mult * 1024;
	__int128 truth = (__int128)(WORLD_START_UTC_NS + true_ns) * ((__int128)1 << 64);
	double error = (double)(utc - truth) * 0x1p-64;
	int64_t half = line->bound.total_ns +
		       (int64_t)(((unsigned __int128)line->bound.growth * counts) >> 54) + 1;

	out->reads++;
	if (!is_trusted(line->status))
		return;
	out->trusted++;
	out->holdover += line->status == CHRONOTICK_HOLDOVER;
	out->sum_bound += (double)half;
	histogram_add(&out->bounds, half);
	if (fabs(error) > (double)half) {
		if (out->outside++ == 0 && !scenario->untold)
			printf("# %s, seed %" PRIu64
			       ": at %.3f s the error is %.0f ns, the bound %" PRId64 " ns\n",
			       scenario->name, scenario->seed, 1e-9 * (double)true_ns, error, half);
	}
	out->worst = fmax(out->worst, fabs(error) / (double)half);
	if (1e-9 * (double)true_ns >= scenario->settle_s) {
		out->settled++;
		out->sum2 += error * error;
		out->max = fmax(out->max, fabs(error));
	}
	digest_add(&out->digest, (uint64_t)(utc >> 32));
	digest_add(&out->digest, (uint64_t)half);
}

struct in_flight {
	struct sample sample;
	int64_t done_ns;
	bool busy;
};

/* All that one run is about */
struct run {
	const struct scenario *scenario;
	struct engine *engine;
	struct timescale scale;
	struct oscillator osc;
	struct rng rng;   /* the world's */
	struct rng reads; /* when it is read: the world is the same, however often it is */
	struct in_flight flights[SCENARIO_SERVERS_MAX];
	struct server servers[SCENARIO_SERVERS_MAX];
	double sensor_s; /* next reading */
};

/* Deliver what has arrived by true_ns, start what is due. */
static int advance(struct run *run, int64_t true_ns)
{
	unsigned int i;
	int r;

	for (i = 0; i < run->scenario->server_count; i++) {
		struct in_flight *flight = &run->flights[i];

		for (;;) {
			if (flight->busy) {
				if (flight->done_ns > true_ns)
					break;
				flight->busy = false;
				r = engine_sample_add(run->engine, &flight->sample);
				/* A quick exchange may overtake a slow one in its middle. */
				if (r && r != -ESTALE)
					return r;
			}
			if (run->servers[i].next_ns > true_ns)
				break;
			flight->busy = server_exchange(&run->servers[i], &run->osc, &run->rng,
						       &flight->sample, &flight->done_ns);
			flight->sample.source = (uint16_t)i;
		}
	}
	return 0;
}

static int feel(struct run *run, int64_t true_ns)
{
	const struct temperature_config *temperature = &run->scenario->oscillator.temperature;
	struct covariates covariates;
	double t_s = 1e-9 * (double)true_ns;

	if (temperature->sensor_s <= 0 || t_s < run->sensor_s)
		return 0;
	run->sensor_s = t_s + temperature->sensor_s;
	covariates = temperature_read(temperature, t_s, &run->rng);
	return engine_covariates(run->engine, oscillator_counter(&run->osc, true_ns), &covariates);
}

/* A source without an answer for eight polls is lost, as a register of reachability would say. */
static void lose_silent(struct run *run, uint64_t counter)
{
	unsigned int i;

	for (i = 0; i < run->scenario->server_count; i++) {
		const struct source_view *view = &run->engine->views[i];
		double age_s;

		if (!view->has_sample || view->state == CHRONOTICK_SOURCE_UNREACHABLE)
			continue;
		age_s = 1e-9 * (double)(timescale_ns(&run->scale, counter) -
					timescale_ns(&run->scale, view->last.counter));
		if (age_s > 8 * run->scenario->servers[i].poll_s + 4)
			engine_source_unreachable(run->engine, i, CHRONOTICK_SOURCE_UNREACHABLE);
	}
}

static int run_init(struct run *run, const struct scenario *scenario, struct outcome *out)
{
	struct engine_config config = {
		.max_drift_ppb = scenario->max_drift_ppb ? scenario->max_drift_ppb : MAX_DRIFT_PPB,
		.wander_ppb = scenario->wander_ppb,
		.max_bound_ns = 1000000000,
		.max_distance_ms = 1500,
	};
	unsigned int i;

	*run = (struct run){
		.scenario = scenario,
		.rng = {scenario->seed},
		.reads = {scenario->seed * 0x9e3779b97f4a7c15ULL | 1},
	};
	memset(out, 0, sizeof(*out));
	out->digest = 0xcbf29ce484222325ULL;
	if (oscillator_init(&run->osc, &scenario->oscillator, scenario->seconds + 20, &run->rng))
		return -ENOMEM;
	out->wander_ppb = oscillator_wander(&run->osc);
	if (out->wander_ppb < 0)
		return -ENOMEM;
	if (out->wander_ppb > scenario->wander_ppb && !scenario->untold) {
		printf("# %s, seed %" PRIu64 ": the oscillator wanders by %.0f ppb, told %u\n",
		       scenario->name, scenario->seed, out->wander_ppb, scenario->wander_ppb);
		return -EINVAL;
	}
	oscillator_timescale(&run->scale);
	config.scale = run->scale;
	run->engine = malloc(sizeof(*run->engine));
	if (!run->engine)
		return -ENOMEM;
	if (engine_init(run->engine, &config, scenario->server_count) < 0)
		return -EINVAL;
	for (i = 0; i < scenario->server_count; i++) {
		run->servers[i].config = &scenario->servers[i];
		run->servers[i].next_ns = 100000000 + llrint(2e8 * rng_uniform(&run->rng));
	}
	return 0;
}

static bool sums_up(const struct bound *b)
{
	return b->total_ns ==
	       b->root_ns + b->delay_ns + b->dispersion_ns + b->ageing_ns + b->disagreement_ns;
}

/* One correction, and the reads until the next */
static int correct(struct run *run, int64_t now_ns, int64_t period_ns, struct outcome *out)
{
	uint64_t counter = oscillator_counter(&run->osc, now_ns);
	struct correction line;
	unsigned int i;

	lose_silent(run, counter);
	engine_correct(run->engine, counter, &line);
	for (i = 0; i < RUN_READS; i++) {
		/* Mostly fresh lines, now and then one whose writer is gone. */
		int64_t life_ns = rng_uniform(&run->reads) < 0.9 ? period_ns : LINE_LIFE_NS;
		int64_t at_ns = now_ns + llrint((double)life_ns * rng_uniform(&run->reads));

		read_line(run->scenario, &line, oscillator_counter(&run->osc, at_ns), at_ns, out);
	}
	if (!is_trusted(line.status))
		return 0;
	if (out->first_trusted_s == 0)
		out->first_trusted_s = 1e-9 * (double)now_ns;
	return sums_up(&line.bound) ? 0 : -EINVAL;
}

/* Does everybody who looks see that the sources cannot be trusted, and why? */
static bool ended_well(const struct run *run, const struct outcome *out)
{
	const struct engine *engine = run->engine;
	unsigned int i;

	if (run->scenario->end == END_ANY)
		return true;
	for (i = 0; i < run->scenario->server_count; i++)
		if (engine->views[i].state == CHRONOTICK_SOURCE_SELECTED ||
		    !engine->views[i].reason)
			return false;
	return run->scenario->end == END_REFUSED
		       ? out->trusted == 0 && engine->status == CHRONOTICK_UNSYNCHRONIZED
		       : engine->status == CHRONOTICK_HOLDOVER;
}

int scenario_run(const struct scenario *scenario, const struct run_watch *watch,
		 struct outcome *out)
{
	int64_t end_ns = (int64_t)scenario->seconds * 1000000000, now_ns;
	int64_t period_ns =
		(scenario->correct_ms ? scenario->correct_ms : CORRECT_MS) * (int64_t)1000000;
	double watch_s = watch ? watch->every_s : INFINITY;
	struct run run;
	unsigned int i;
	int err;

	err = run_init(&run, scenario, out);
	for (now_ns = 0; now_ns < end_ns && !err; now_ns += period_ns) {
		err = feel(&run, now_ns);
		if (!err)
			err = advance(&run, now_ns);
		if (!err)
			err = correct(&run, now_ns, period_ns, out);
		if (1e-9 * (double)now_ns >= watch_s) {
			watch->watch(watch->data, watch_s, out);
			watch_s += watch->every_s;
		}
	}
	for (i = 0; i < scenario->server_count && !err; i++)
		if (run.engine->views[i].state == CHRONOTICK_SOURCE_FALSETICKER)
			out->false_mask |= 1U << i;
	if (err)
		printf("# %s, seed %" PRIu64 ": could not be run, at %.3f s: %s\n", scenario->name,
		       scenario->seed, 1e-9 * (double)now_ns, strerror(-err));
	else
		out->ended_well = ended_well(&run, out);
	free(run.engine);
	oscillator_clear(&run.osc);
	return err ? -1 : 0;
}

void outcome_add(struct outcome *sum, const struct outcome *more)
{
	unsigned int i;

	sum->reads += more->reads;
	sum->trusted += more->trusted;
	sum->holdover += more->holdover;
	sum->outside += more->outside;
	sum->settled += more->settled;
	sum->sum2 += more->sum2;
	sum->sum_bound += more->sum_bound;
	sum->max = fmax(sum->max, more->max);
	sum->worst = fmax(sum->worst, more->worst);
	sum->wander_ppb = fmax(sum->wander_ppb, more->wander_ppb);
	sum->first_trusted_s = fmax(sum->first_trusted_s, more->first_trusted_s);
	digest_add(&sum->digest, more->digest);
	for (i = 0; i < HISTOGRAM_CLASSES; i++)
		sum->bounds.count[i] += more->bounds.count[i];
	sum->bounds.sum += more->bounds.sum;
}

double outcome_rms(const struct outcome *out)
{
	return out->settled ? sqrt(out->sum2 / (double)out->settled) : INFINITY;
}

double outcome_mean_bound(const struct outcome *out)
{
	return out->trusted ? out->sum_bound / (double)out->trusted : INFINITY;
}

void outcome_table_head(void)
{
	printf("%-42s %10s %10s %12s %12s %9s %9s %8s %8s %9s %11s\n", "(us)", "rms", "max",
	       "median bound", "mean bound", "reads", "trusted", "holdover", "outside", "err/bound",
	       "wander, ppb");
}

void outcome_table_row(const char *name, const struct outcome *out)
{
	double settled = out->settled ? outcome_rms(out) : 0;

	printf("%-42s %10.3f %10.3f %12.3f %12.3f %9" PRIu64 " %8.3f%% %7.3f%% %8" PRIu64
	       " %9.3f %11.1f\n",
	       name, settled / RUN_US, out->max / RUN_US,
	       histogram_quantile(&out->bounds, 0.5) / RUN_US,
	       out->trusted ? outcome_mean_bound(out) / RUN_US : 0, out->reads,
	       100 * (double)out->trusted / (double)out->reads,
	       100 * (double)out->holdover / (double)out->reads, out->outside, out->worst,
	       out->wander_ppb);
}

int limit_check(const char *name, const char *what, double value, double limit, bool at_most)
{
	if (at_most ? value <= limit : value >= limit)
		return 0;
	printf("# %s: %s is %g, the limit %g\n", name, what, value, limit);
	return 1;
}
