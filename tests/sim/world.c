/* SPDX-License-Identifier: MIT */
#include "world.h"

#include <math.h>

#define STARTUP_EXCHANGES 4
#define GAMMA_STAGES 4
#define NORMAL_MEAN 6            /* as far as rng_normal() goes */
#define UNSET_NS 5e8             /* error of a server's clock before it is set */
#define PATIENCE_NS 2000000000LL /* nobody waits longer for an answer */

static double jitter(const struct way *way, struct rng *rng)
{
	switch (way->jitter) {
	case JITTER_GAMMA:
		return rng_gamma(rng, GAMMA_STAGES, way->jitter_ns);
	case JITTER_PARETO:
		return rng_pareto(rng, way->jitter_ns);
	case JITTER_NORMAL:
		return way->jitter_ns * (NORMAL_MEAN + rng_normal(rng));
	default:
		return rng_exponential(rng, way->jitter_ns);
	}
}

static int64_t way_delay(const struct way *way, double route_ns, bool congested, double burst_ns,
			 struct rng *rng)
{
	double waited = congested ? rng_exponential(rng, burst_ns) : jitter(way, rng);

	return llrint(way->fixed_ns + route_ns + waited);
}

static struct route route_at(const struct server_config *config, double t_s)
{
	struct route ret = {0};
	unsigned int i;

	for (i = 0; i < SERVER_ROUTES_MAX; i++)
		if (config->routes[i].at_s > 0 && t_s >= config->routes[i].at_s)
			ret = config->routes[i];
	return ret;
}

/* What a server is like during one exchange */
struct condition {
	bool silent;
	uint8_t leap;
	double offset_ns;
	double root_dispersion_ns;
};

static void restart_apply(const struct restart *restart, double t_s, struct condition *ret)
{
	double age_s = t_s - restart->at_s, error_ns;

	if (restart->at_s <= 0 || age_s < 0)
		return;
	if (restart->every_s > 0)
		age_s = fmod(age_s, restart->every_s);
	ret->silent = ret->silent || age_s < restart->silent_s;
	age_s -= restart->silent_s;
	if (age_s < restart->unsynchronised_s) {
		ret->leap = 3;
		ret->offset_ns += UNSET_NS;
		return;
	}
	age_s -= restart->unsynchronised_s;
	if (age_s < restart->settle_s) {
		error_ns = restart->error_ns * (1 - age_s / restart->settle_s);
		ret->offset_ns += error_ns;
		ret->root_dispersion_ns += ceil(fabs(error_ns));
	}
}

static void server_stray(struct server *server, int64_t true_ns, struct rng *rng)
{
	double most = server->config->wander_ns;
	double passed_s = 1e-9 * (double)(true_ns - server->strayed_at_ns);

	if (most <= 0)
		return;
	if (passed_s > 0)
		server->strayed_ns +=
			server->config->wander_step_ns * sqrt(passed_s) * rng_normal(rng);
	server->strayed_ns = fmin(fmax(server->strayed_ns, -most), most);
	server->strayed_at_ns = true_ns;
}

static struct condition server_condition(struct server *server, int64_t true_ns, struct rng *rng)
{
	const struct server_config *config = server->config;
	double t_s = 1e-9 * (double)true_ns;
	struct condition ret = {
		.silent = t_s >= config->silent_from_s && t_s < config->silent_to_s,
		.leap = config->leap,
		.offset_ns = config->offset_ns + config->drift_ppb * t_s,
		.root_dispersion_ns = config->root_dispersion_ns,
	};

	if (config->step_at_s > 0 && t_s >= config->step_at_s &&
	    (config->step_to_s <= 0 || t_s < config->step_to_s))
		ret.offset_ns += config->step_ns;
	server_stray(server, true_ns, rng);
	ret.offset_ns += server->strayed_ns;
	restart_apply(&config->restart, t_s, &ret);
	return ret;
}

bool server_exchange(struct server *server, const struct oscillator *osc, struct rng *rng,
		     struct sample *ret, int64_t *done_ns)
{
	const struct server_config *config = server->config;
	struct route route = route_at(config, 1e-9 * (double)server->next_ns);
	struct condition condition = server_condition(server, server->next_ns, rng);
	struct timescale scale;
	int64_t sent, arrived, left, back, clock_ns, t1, t2, t3, t4;
	uint64_t c1, c4;
	bool lost;

	/* Congestion lasts about ten exchanges. */
	if (rng_uniform(rng) < 0.1)
		server->congested = rng_uniform(rng) < config->burst;
	lost = rng_uniform(rng) < config->loss || condition.silent;

	/* A stamp of sending is early, one of receiving late. */
	sent = server->next_ns + llrint(config->stamp_ns * rng_uniform(rng));
	arrived = sent + way_delay(&config->to, route.to_ns,
				   server->congested && config->congested != CONGESTED_FROM,
				   config->burst_ns, rng);
	left = arrived + 20000 + llrint(rng_exponential(rng, 10000));
	back = left + way_delay(&config->from, route.from_ns,
				server->congested && config->congested != CONGESTED_TO,
				config->burst_ns, rng);
	*done_ns = back + llrint(config->stamp_ns * rng_uniform(rng));

	c1 = oscillator_counter(osc, server->next_ns);
	c4 = oscillator_counter(osc, *done_ns);
	clock_ns = WORLD_START_UTC_NS + llrint(condition.offset_ns);
	t2 = clock_ns + arrived;
	t3 = clock_ns + left;
	oscillator_timescale(&scale);
	*ret = (struct sample){
		.counter = c1 + (c4 - c1) / 2,
		.root_delay_ns = llrint(config->root_delay_ns),
		.root_dispersion_ns = llrint(condition.root_dispersion_ns),
		.dispersion_ns = 100,
		.leap = condition.leap,
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
	return !lost && ret->delay_ns >= 0 && back - sent <= PATIENCE_NS;
}
