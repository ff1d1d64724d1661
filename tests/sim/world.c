/* SPDX-License-Identifier: MIT */
#include "world.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define PS_PER_COUNT 400
#define STARTUP_EXCHANGES 4

uint64_t rng_next(struct rng *rng)
{
	rng->state ^= rng->state >> 12;
	rng->state ^= rng->state << 25;
	rng->state ^= rng->state >> 27;
	return rng->state * 0x2545f4914f6cdd1dULL;
}

double rng_uniform(struct rng *rng)
{
	return (double)(rng_next(rng) >> 11) * 0x1p-53;
}

/* The sum of twelve uniform numbers: no libm, so the same digits everywhere */
double rng_normal(struct rng *rng)
{
	double sum = -6;
	int i;

	for (i = 0; i < 12; i++)
		sum += rng_uniform(rng);
	return sum;
}

double rng_exponential(struct rng *rng, double mean)
{
	return -mean * log(1 - rng_uniform(rng));
}

int oscillator_init(struct oscillator *osc, const struct oscillator_config *config,
		    unsigned int seconds, struct rng *rng)
{
	double centre = config->rate_ppb, walk = 0, half = config->walk_ppb / 2;
	double slope = config->slope_ppb / 1100, turn = 0;
	unsigned int i;

	osc->raw_ps = calloc(seconds + 2, sizeof(*osc->raw_ps));
	osc->rate = calloc(seconds + 2, sizeof(*osc->rate));
	osc->seconds = seconds;
	if (!osc->raw_ps || !osc->rate) {
		oscillator_clear(osc);
		return -ENOMEM;
	}
	for (i = 0; i <= seconds; i++) {
		double utc_rate;

		walk += config->walk_step_ppb * rng_normal(rng);
		walk = walk > half ? half : walk < -half ? -half : walk;
		centre += slope;
		turn += 1;
		if (config->slope_turn_s > 0 && turn >= config->slope_turn_s) {
			slope = -slope;
			turn = 0;
		}
		utc_rate = 1e-9 * (centre + walk);
		if (config->step_at_s > 0 && i >= config->step_at_s)
			utc_rate += 1e-9 * config->step_ppb;
		osc->rate[i] = 1 / (1 + utc_rate) - 1;
		osc->raw_ps[i + 1] =
			osc->raw_ps[i] + 1000000000000 + llrint(osc->rate[i] * 1000000000000);
	}
	return 0;
}

void oscillator_clear(struct oscillator *osc)
{
	free(osc->raw_ps);
	free(osc->rate);
	*osc = (struct oscillator){0};
}

uint64_t oscillator_counter(const struct oscillator *osc, int64_t true_ns)
{
	int64_t second = true_ns / 1000000000;
	int64_t rest_ps = true_ns % 1000000000 * 1000;
	int64_t raw_ps =
		osc->raw_ps[second] + rest_ps + llrint(osc->rate[second] * (double)rest_ps);

	return WORLD_COUNTER_BASE + (uint64_t)(raw_ps / PS_PER_COUNT);
}

void oscillator_timescale(struct timescale *ret)
{
	ret->base = WORLD_COUNTER_BASE;
	ret->mult = (uint64_t)(((__int128)PS_PER_COUNT << 54) / 1000);
}

static int64_t way_delay(const struct way *way, const struct server *server, struct rng *rng)
{
	double mean = server->congested ? server->config->burst_ns : way->jitter_ns;

	return llrint(way->fixed_ns + rng_exponential(rng, mean));
}

static int64_t server_clock(const struct server_config *config, int64_t true_ns)
{
	double offset = config->offset_ns;

	if (config->step_at_s > 0 && (double)true_ns >= 1e9 * config->step_at_s)
		offset += config->step_ns;
	return WORLD_START_UTC_NS + true_ns + llrint(offset);
}

bool server_exchange(struct server *server, const struct oscillator *osc, struct rng *rng,
		     struct sample *ret, int64_t *done_ns)
{
	const struct server_config *config = server->config;
	double begin_s = 1e-9 * (double)server->next_ns;
	struct timescale scale;
	int64_t sent, arrived, left, back, t1, t2, t3, t4;
	uint64_t c1, c4;
	bool lost;

	/* Congestion lasts about ten exchanges. */
	if (rng_uniform(rng) < 0.1)
		server->congested = rng_uniform(rng) < config->burst;
	lost = rng_uniform(rng) < config->loss ||
	       (begin_s >= config->silent_from_s && begin_s < config->silent_to_s);

	/* A stamp of sending is early, one of receiving late. */
	sent = server->next_ns + llrint(config->stamp_ns * rng_uniform(rng));
	arrived = sent + way_delay(&config->to, server, rng);
	left = arrived + 20000 + llrint(rng_exponential(rng, 10000));
	back = left + way_delay(&config->from, server, rng);
	*done_ns = back + llrint(config->stamp_ns * rng_uniform(rng));

	c1 = oscillator_counter(osc, server->next_ns);
	c4 = oscillator_counter(osc, *done_ns);
	t2 = server_clock(config, arrived);
	t3 = server_clock(config, left);
	oscillator_timescale(&scale);
	*ret = (struct sample){
		.counter = c1 + (c4 - c1) / 2,
		.root_delay_ns = llrint(config->root_delay_ns),
		.root_dispersion_ns = llrint(config->root_dispersion_ns),
		.dispersion_ns = 100,
		.leap = config->leap,
		.stratum = 1,
	};
	t1 = timescale_ns(&scale, c1);
	t4 = timescale_ns(&scale, c4);
	ret->offset_ns = (t2 - t1) / 2 + (t3 - t4) / 2;
	ret->delay_ns = (t4 - t1) - (t3 - t2);
	/* The oscillator's drift during the exchange is in the delay, rounding in neither. */
	ret->dispersion_ns += 2 + (t4 - t1) / 10000;

	server->exchanges++;
	server->next_ns +=
		server->exchanges < STARTUP_EXCHANGES
			? 2000000000
			: llrint(1e9 * config->poll_s * (0.98 + 0.04 * rng_uniform(rng)));
	return !lost && ret->delay_ns >= 0;
}
