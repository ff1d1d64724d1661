/* SPDX-License-Identifier: MIT */
/*
 * The engine in a simulated world: is the truth inside the bound in every read, and how good is the
 * estimate? Each scenario states its limits; each runs twice and must give the same digits.
 *
 * A read is what a reader of the page does: it takes the line of an earlier correction, up to ten
 * seconds old, and extends it with its mult and growth.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "scenario.h"
#include "world.h"

#define CORRECT_NS 250000000LL /* a correction is made so often */
#define LINE_LIFE_NS 10000000000LL
#define READS 4 /* per correction */
#define WORLDS 100
#define US 1e3

struct outcome {
	uint64_t reads, trusted, holdover, outside, settled;
	double sum2, max, sum_bound, first_trusted_s, worst;
	uint64_t digest;
	unsigned int false_mask;
};

static void digest_add(uint64_t *digest, uint64_t value)
{
	*digest = (*digest ^ value) * 0x100000001b3ULL;
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
	if (line->status != CHRONOTICK_SYNCHRONIZED && line->status != CHRONOTICK_HOLDOVER)
		return;
	out->trusted++;
	out->holdover += line->status == CHRONOTICK_HOLDOVER;
	out->sum_bound += (double)half;
	if (fabs(error) > (double)half) {
		if (out->outside++ == 0)
			printf("# %s: at %.3f s the error is %.0f ns, the bound %" PRId64 " ns\n",
			       scenario->name, 1e-9 * (double)true_ns, error, half);
	}
	if (fabs(error) / (double)half > out->worst)
		out->worst = fabs(error) / (double)half;
	if (1e-9 * (double)true_ns >= scenario->settle_s) {
		out->settled++;
		out->sum2 += error * error;
		if (fabs(error) > out->max)
			out->max = fabs(error);
	}
	digest_add(&out->digest, (uint64_t)(utc >> 32));
	digest_add(&out->digest, (uint64_t)half);
}

/* Deliver what has arrived by true_ns, start what is due. */
struct in_flight {
	struct sample sample;
	int64_t done_ns;
	bool busy;
};

static int advance(struct engine *engine, const struct scenario *scenario, struct server *servers,
		   struct in_flight *flights, const struct oscillator *osc, struct rng *rng,
		   int64_t true_ns)
{
	unsigned int i;
	int r;

	for (i = 0; i < scenario->server_count; i++) {
		for (;;) {
			if (flights[i].busy) {
				if (flights[i].done_ns > true_ns)
					break;
				flights[i].busy = false;
				r = engine_sample_add(engine, &flights[i].sample);
				/* A quick exchange may overtake a slow one in its middle. */
				if (r && r != -ESTALE)
					return -1;
			}
			if (servers[i].next_ns > true_ns)
				break;
			flights[i].busy = server_exchange(&servers[i], osc, rng, &flights[i].sample,
							  &flights[i].done_ns);
			flights[i].sample.source = (uint16_t)i;
		}
	}
	return 0;
}

/* A source without an answer for eight polls is lost, as a register of reachability would say. */
static void lose_silent(struct engine *engine, const struct scenario *scenario, uint64_t counter,
			const struct timescale *scale)
{
	unsigned int i;

	for (i = 0; i < scenario->server_count; i++) {
		const struct source_view *view = &engine->views[i];
		double age;

		if (!view->has_sample || view->state == CHRONOTICK_SOURCE_UNREACHABLE)
			continue;
		age = 1e-9 * (double)(timescale_ns(scale, counter) -
				      timescale_ns(scale, view->last.counter));
		if (age > 8 * scenario->servers[i].poll_s + 4)
			engine_source_unreachable(engine, i, CHRONOTICK_SOURCE_UNREACHABLE);
	}
}

static int run(const struct scenario *scenario, struct outcome *out)
{
	struct engine_config config = {
		.max_drift_ppb = 100000,
		.wander_ppb = scenario->wander_ppb,
		.max_bound_ns = 1000000000,
		.max_distance_ms = 1500,
	};
	struct rng rng = {scenario->seed};
	struct in_flight flights[SCENARIO_SERVERS_MAX] = {0};
	struct server servers[SCENARIO_SERVERS_MAX] = {0};
	struct oscillator osc;
	struct engine *engine;
	int64_t end_ns = (int64_t)scenario->seconds * 1000000000;
	int64_t now;
	unsigned int i;
	int err = -1;

	memset(out, 0, sizeof(*out));
	out->digest = 0xcbf29ce484222325ULL;
	if (oscillator_init(&osc, &scenario->oscillator, scenario->seconds + 20, &rng))
		return -1;
	engine = malloc(sizeof(*engine));
	oscillator_timescale(&config.scale);
	if (!engine || engine_init(engine, &config, scenario->server_count))
		goto out;
	for (i = 0; i < scenario->server_count; i++) {
		servers[i].config = &scenario->servers[i];
		servers[i].next_ns = 100000000 + llrint(2e8 * rng_uniform(&rng));
	}
	for (now = 0; now < end_ns; now += CORRECT_NS) {
		uint64_t counter = oscillator_counter(&osc, now);
		struct correction line;

		if (advance(engine, scenario, servers, flights, &osc, &rng, now))
			goto out;
		lose_silent(engine, scenario, counter, &config.scale);
		engine_correct(engine, counter, &line);
		for (i = 0; i < READS; i++) {
			/* Mostly fresh lines, now and then one whose writer is gone. */
			double life = rng_uniform(&rng) < 0.9 ? CORRECT_NS : LINE_LIFE_NS;
			int64_t at = now + llrint(life * rng_uniform(&rng));

			read_line(scenario, &line, oscillator_counter(&osc, at), at, out);
		}
		if (line.status == CHRONOTICK_SYNCHRONIZED || line.status == CHRONOTICK_HOLDOVER) {
			const struct bound *b = &line.bound;

			if (out->first_trusted_s == 0)
				out->first_trusted_s = 1e-9 * (double)now;
			if (b->total_ns != b->root_ns + b->delay_ns + b->dispersion_ns +
						   b->ageing_ns + b->disagreement_ns) {
				printf("# %s: the terms do not sum up\n", scenario->name);
				goto out;
			}
		}
	}
	for (i = 0; i < scenario->server_count; i++)
		if (engine->views[i].state == CHRONOTICK_SOURCE_FALSETICKER)
			out->false_mask |= 1U << i;
	err = 0;
out:
	free(engine);
	oscillator_clear(&osc);
	return err;
}

static int check(const char *name, const char *what, double value, double limit, bool at_most)
{
	if (at_most ? value <= limit : value >= limit)
		return 0;
	printf("# %s: %s is %g, the limit %g\n", name, what, value, limit);
	return 1;
}

static int judge(const struct scenario *s, const struct outcome *o)
{
	double rms = o->settled ? sqrt(o->sum2 / (double)o->settled) / US : INFINITY;
	double bound = o->trusted ? o->sum_bound / (double)o->trusted / US : INFINITY;
	int bad = 0;

	printf("%-34s reads %8" PRIu64 " outside %" PRIu64
	       " rms %9.3f us max %9.3f us bound %10.3f us error/bound %.3f first %.2f s "
	       "trusted %.4f holdover %.4f digest %016" PRIx64 "\n",
	       s->name, o->reads, o->outside, rms, o->max / US, bound, o->worst, o->first_trusted_s,
	       (double)o->trusted / (double)o->reads, (double)o->holdover / (double)o->reads,
	       o->digest);
	bad += check(s->name, "reads outside the bound", (double)o->outside, 0, true);
	bad += check(s->name, "rms error, us", rms, s->rms_us, true);
	bad += check(s->name, "greatest error, us", o->max / US, s->max_us, true);
	bad += check(s->name, "mean bound, us", bound, s->mean_bound_us, true);
	bad += check(s->name, "first trusted read, s", o->first_trusted_s, s->first_trusted_s,
		     true);
	bad += check(s->name, "share of trusted reads", (double)o->trusted / (double)o->reads,
		     s->trusted_share, false);
	bad += check(s->name, "share of holdover", (double)o->holdover / (double)o->reads,
		     s->holdover_share, false);
	bad += check(s->name, "mask of the false servers", o->false_mask, s->false_mask, true) ||
	       check(s->name, "mask of the false servers", o->false_mask, s->false_mask, false);
	return bad;
}

/*
 * Worlds by chance, all within what the bound is promised for: some right servers with any ways and
 * any honest statements of their own error, and fewer false ones than right ones at all times.
 */
static void world_by_chance(struct scenario *ret, uint64_t seed)
{
	struct rng rng = {seed * 0x9e3779b97f4a7c15ULL};
	unsigned int right = 1 + (unsigned int)(4 * rng_uniform(&rng));
	unsigned int wrong = (unsigned int)(right * rng_uniform(&rng)), i;
	double wander = 100 + 5000 * rng_uniform(&rng);
	double walk = wander * rng_uniform(&rng);

	*ret = (struct scenario){
		.name = "by chance",
		.seconds = 1500,
		.seed = seed,
		.wander_ppb = (uint32_t)wander + 1,
		.oscillator = {.rate_ppb = 180000 * (rng_uniform(&rng) - 0.5),
			       .walk_ppb = walk,
			       .walk_step_ppb = walk * rng_uniform(&rng),
			       .slope_ppb = wander - walk,
			       .slope_turn_s = 100 + 2000 * rng_uniform(&rng)},
		.server_count = right + wrong,
	};
	for (i = 0; i < right + wrong; i++) {
		struct server_config *server = &ret->servers[i];
		double ms = 1e6 * pow(10, 4 * rng_uniform(&rng) - 2.5);

		*server = (struct server_config){
			.to = {ms * rng_uniform(&rng), ms * rng_uniform(&rng)},
			.from = {ms * rng_uniform(&rng), ms * rng_uniform(&rng)},
			/* A right one that is not heard would leave the false ones a majority. */
			.loss = wrong && i < right ? 0 : 0.3 * rng_uniform(&rng),
			.burst = 0.5 * rng_uniform(&rng),
			.burst_ns = 20 * ms * rng_uniform(&rng),
			.stamp_ns = 20 * US * rng_uniform(&rng),
			.poll_s = floor(pow(2, 6 * rng_uniform(&rng))),
			.root_dispersion_ns = ms * rng_uniform(&rng),
		};
		server->root_delay_ns = ms * rng_uniform(&rng);
		server->offset_ns = (server->root_dispersion_ns + server->root_delay_ns / 2) *
				    (2 * rng_uniform(&rng) - 1);
		if (i >= right)
			server->offset_ns += 100e6 * (rng_uniform(&rng) - 0.5);
		else if (i == 0 && right > wrong + 1)
			server->silent_from_s = 600, server->silent_to_s = 900;
	}
}

static int run_by_chance(void)
{
	uint64_t reads = 0, trusted = 0, outside = 0, seed;
	struct scenario scenario;
	struct outcome out;
	double worst = 0;

	for (seed = 1; seed <= WORLDS; seed++) {
		world_by_chance(&scenario, seed);
		if (run(&scenario, &out)) {
			printf("# by chance, seed %" PRIu64 ": could not be run\n", seed);
			return 1;
		}
		if (out.outside)
			printf("# by chance, seed %" PRIu64 ": %" PRIu64 " reads outside\n", seed,
			       out.outside);
		reads += out.reads;
		trusted += out.trusted;
		outside += out.outside;
		worst = fmax(worst, out.worst);
	}
	printf("%d worlds by chance: reads %" PRIu64 " trusted %.4f outside %" PRIu64
	       " error/bound %.3f\n",
	       WORLDS, reads, (double)trusted / (double)reads, outside, worst);
	return check("by chance", "reads outside the bound", (double)outside, 0, true) +
	       check("by chance", "share of trusted reads", (double)trusted / (double)reads, 0.95,
		     false);
}

int main(void)
{
	struct outcome first, again;
	unsigned int i;
	int bad = 0;

	for (i = 0; i < scenario_count; i++) {
		if (run(&scenarios[i], &first) || run(&scenarios[i], &again)) {
			printf("# %s: could not be run\n", scenarios[i].name);
			bad++;
			continue;
		}
		bad += judge(&scenarios[i], &first);
		if (first.digest != again.digest) {
			printf("# %s: the same seed gave other digits\n", scenarios[i].name);
			bad++;
		}
	}
	bad += run_by_chance();
	return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
