/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "scenario.h"

#define US 1e3
/* Widest excursion of flicker noise that was seen, in its Allan deviations, and of white noise */
#define FLICKER_SPAN 26
#define WHITE_SPAN 12

static struct way any_way(double scale_ns, struct rng *rng)
{
	struct way ret = {
		.fixed_ns = scale_ns * rng_uniform(rng),
		.jitter_ns = scale_ns * rng_uniform(rng),
		.jitter = (enum jitter)(rng_next(rng) % JITTERS),
	};

	/* What is normal has no long tail, but is six times as wide. */
	if (ret.jitter == JITTER_NORMAL)
		ret.jitter_ns /= 6;
	return ret;
}

/* What the wander is shared out to, by chance: any one of them may have most of it. */
enum cause { WALK, SLOPE, FLICKER, WHITE, TEMPERATURE, STEP, CAUSES };

static void share_out(double wander, double shares[CAUSES], struct rng *rng)
{
	unsigned int first = (unsigned int)(rng_next(rng) % CAUSES), i;
	double rest = wander;

	for (i = 0; i < CAUSES; i++) {
		double share = rest * rng_uniform(rng);

		shares[(first + i) % CAUSES] = share;
		rest -= share;
	}
}

static void any_oscillator(struct oscillator_config *ret, double wander, struct rng *rng)
{
	double shares[CAUSES];

	share_out(0.98 * wander, shares, rng);
	*ret = (struct oscillator_config){
		.rate_ppb = 180000 * (rng_uniform(rng) - 0.5),
		.walk_ppb = shares[WALK],
		.walk_step_ppb = shares[WALK] * rng_uniform(rng),
		.slope_ppb = shares[SLOPE],
		.slope_turn_s = 100 + 2000 * rng_uniform(rng),
		.flicker_ppb = shares[FLICKER] / FLICKER_SPAN,
		.white_ppb = shares[WHITE] / WHITE_SPAN,
		.ppb_k = shares[TEMPERATURE],
		.temperature = {.mean_c = 40,
				.sawtooth_k = 1,
				.sawtooth_s = 60 + 1200 * rng_uniform(rng),
				.sensor_sd_k = 0.05,
				.sensor_s = rng_uniform(rng) < 0.5 ? 10 : 0},
		.steps = {{.at_s = 1400 * rng_uniform(rng),
			   .ppb = shares[STEP] * (rng_uniform(rng) < 0.5 ? -1 : 1)}},
	};
}

static void any_server(struct server_config *server, bool can_be_lost, struct rng *rng)
{
	double scale_ns = 1e6 * pow(10, 4 * rng_uniform(rng) - 2.5);

	*server = (struct server_config){
		.to = any_way(scale_ns, rng),
		.from = any_way(scale_ns, rng),
		.loss = can_be_lost ? 0.3 * rng_uniform(rng) : 0,
		.burst = 0.5 * rng_uniform(rng),
		.burst_ns = 20 * scale_ns * rng_uniform(rng),
		.congested = (enum congested_way)(rng_next(rng) % 3),
		.stamp_ns = 20 * US * rng_uniform(rng),
		.poll_s = floor(pow(2, 6 * rng_uniform(rng))),
		.root_dispersion_ns = scale_ns * rng_uniform(rng),
		.root_delay_ns = scale_ns * rng_uniform(rng),
		.routes = {{.at_s = 1400 * rng_uniform(rng),
			    .to_ns = 5 * scale_ns * rng_uniform(rng),
			    .from_ns = 5 * scale_ns * rng_uniform(rng)}},
	};
	/* Its clock is off for good, and strays, both within what it admits. */
	server->wander_ns = server->root_dispersion_ns * rng_uniform(rng);
	server->wander_step_ns = server->wander_ns * rng_uniform(rng);
	server->offset_ns =
		(server->root_dispersion_ns - server->wander_ns + server->root_delay_ns / 2) *
		(2 * rng_uniform(rng) - 1);
}

/*
 * All are silent for a while, and that is when the rate steps. There must be no false ones among
 * them: they would not be lost, nor come back, at the same time as the others.
 */
static void fall_silent(struct scenario *world, struct rng *rng)
{
	double from_s = 300 + 600 * rng_uniform(rng), to_s = from_s + 600 * rng_uniform(rng);
	unsigned int i;

	for (i = 0; i < world->server_count; i++) {
		world->servers[i].silent_from_s = from_s;
		world->servers[i].silent_to_s = to_s;
	}
	world->oscillator.steps[0].at_s = from_s;
}

void world_by_chance(struct scenario *ret, uint64_t seed)
{
	struct rng rng = {seed * 0x9e3779b97f4a7c15ULL};
	unsigned int right = 1 + (unsigned int)(4 * rng_uniform(&rng));
	unsigned int wrong = (unsigned int)(right * rng_uniform(&rng)), i;
	double wander = 100 + 5000 * rng_uniform(&rng);

	*ret = (struct scenario){
		.name = "by chance",
		.seconds = 1500,
		.seed = seed,
		.wander_ppb = (uint32_t)wander + 1,
		.server_count = right + wrong,
	};
	any_oscillator(&ret->oscillator, wander, &rng);
	for (i = 0; i < right + wrong; i++) {
		struct server_config *server = &ret->servers[i];

		/* A right one that is not heard would leave the false ones a majority. */
		any_server(server, !wrong || i >= right, &rng);
		if (i >= right)
			server->offset_ns += 100e6 * (rng_uniform(&rng) - 0.5);
		else if (i == 0 && right > wrong + 1)
			server->silent_from_s = 600, server->silent_to_s = 900;
		else if (i == 1 && right > wrong + 2)
			server->restart =
				(struct restart){.at_s = 1000 + 200 * rng_uniform(&rng),
						 .silent_s = 60 * rng_uniform(&rng),
						 .unsynchronised_s = 60 * rng_uniform(&rng),
						 .error_ns = 1e6 * rng_uniform(&rng),
						 .settle_s = 100};
	}
	if (!wrong && rng_uniform(&rng) < 0.6)
		fall_silent(ret, &rng);
}
