/* SPDX-License-Identifier: MIT */
/*
 * The simulated world against what it promises: noise of an oscillator by its Allan deviation,
 * distributions by their mean and quantiles, samples of honest servers by whether the truth is
 * inside of them, and all of it by a digest that must be the same with any compiler.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/bound.h"
#include "engine/filter.h"
#include "scenario.h"

#define DRAWS 1000000
#define LONG_S 200000
#define US 1e3
#define MS 1e6
#define DIGEST 0xfea2e0dbcd315ffeULL

static int failures;

static void expect(const char *what, double value, double wanted, double tolerance)
{
	bool good = fabs(value - wanted) <= tolerance;

	printf("%-46s %12.5g, must be %g +- %.2g\n", what, value, wanted, tolerance);
	if (!good) {
		printf("# not so: %s\n", what);
		failures++;
	}
}

/* Overlapping Allan deviation, ppb */
static double allan(const struct oscillator *osc, unsigned int tau_s)
{
	double sum = 0;
	unsigned int i;

	for (i = 0; i + 2 * tau_s <= osc->seconds; i++) {
		double second = (double)(osc->raw_ps[i + 2 * tau_s] - 2 * osc->raw_ps[i + tau_s] +
					 osc->raw_ps[i]);

		sum += second * second;
	}
	return sqrt(sum / (2.0 * (osc->seconds - 2 * tau_s + 1))) / (1e3 * tau_s);
}

/* What an Allan deviation must be at some times, in ratio to that at the first */
struct noise {
	const char *name;
	struct oscillator_config config;
	double slope; /* exponent of tau */
	double at_1_s;
	unsigned int from_s; /* the law holds from here on */
};

static void check_noise(void)
{
	static const struct noise noises[] = {
		{"white FM", {.white_ppb = 10}, -0.5, 10, 1},
		{"flicker FM", {.flicker_ppb = 10}, 0, 10, 4},
		/* A walk of rate steps sd has an Allan deviation of sd * sqrt(tau / 3), from some s on. */
		{"random walk FM", {.walk_step_ppb = 1, .walk_ppb = 1e6}, 0.5, 0.57735, 16},
	};
	struct oscillator osc;
	char text[64];
	unsigned int i, tau_s;

	for (i = 0; i < sizeof(noises) / sizeof(noises[0]); i++) {
		struct rng rng = {7};

		if (oscillator_init(&osc, &noises[i].config, LONG_S, &rng)) {
			failures++;
			return;
		}
		for (tau_s = noises[i].from_s; tau_s <= 4096; tau_s *= 4) {
			double wanted = noises[i].at_1_s * pow(tau_s, noises[i].slope);

			snprintf(text, sizeof(text), "%s, Allan deviation at %u s", noises[i].name,
				 tau_s);
			expect(text, allan(&osc, tau_s), wanted, 0.25 * wanted);
		}
		oscillator_clear(&osc);
	}
}

/* By looking at all pairs */
static double wander_of_pairs(const struct oscillator *osc)
{
	double window_s = 1e-9 * (double)BOUND_WANDER_WINDOW_NS, ret = 0;
	unsigned int i, j;

	for (i = 0; i <= osc->seconds; i++)
		for (j = i; j <= osc->seconds; j++)
			ret = fmax(ret, 1e9 * fabs(osc->rate[j] - osc->rate[i]) /
						fmax(1, (j - i - 1.0) / window_s));
	return ret;
}

static void check_wander(void)
{
	static const struct oscillator_config configs[] = {
		{.slope_ppb = 100},
		{.walk_step_ppb = 3, .walk_ppb = 1e6},
		{.flicker_ppb = 10, .steps = {{500, 200}, {1700, 200}, {3000, -150}}},
	};
	struct oscillator osc;
	unsigned int i;

	for (i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
		struct rng rng = {11};
		double pairs;

		if (oscillator_init(&osc, &configs[i], 5000, &rng)) {
			failures++;
			return;
		}
		pairs = wander_of_pairs(&osc);
		/* From none to 0.5 % too much, and by way of rounding */
		expect("wander, beside that of all pairs", oscillator_wander(&osc), 1.0035 * pairs,
		       0.0036 * pairs);
		oscillator_clear(&osc);
	}
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double draw(struct rng *rng, unsigned int kind)
{
	switch (kind) {
	case 0:
		return rng_exponential(rng, 1);
	case 1:
		return rng_gamma(rng, 4, 1);
	case 2:
		return rng_pareto(rng, 1);
	default:
		return rng_normal(rng);
	}
}

static void check_distributions(void)
{
	static const struct {
		const char *name;
		double mean, median, p99, tolerance;
	} wanted[] = {
		{"exponential", 1, 0.6931, 4.605, 0.05},
		{"gamma of 4 stages", 1, 0.9180, 2.511, 0.03},
		{"Pareto", 1, 0.2446, 10.99, 0.3},
		{"normal", 0, 0, 2.326, 0.05},
	};
	double *values = calloc(DRAWS, sizeof(*values));
	struct rng rng = {5};
	char text[64];
	unsigned int i, j;

	for (i = 0; values && i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		double sum = 0;

		for (j = 0; j < DRAWS; j++)
			sum += values[j] = draw(&rng, i);
		qsort(values, DRAWS, sizeof(*values), by_size);
		snprintf(text, sizeof(text), "%s, mean", wanted[i].name);
		expect(text, sum / DRAWS, wanted[i].mean, 0.03);
		snprintf(text, sizeof(text), "%s, median", wanted[i].name);
		expect(text, values[DRAWS / 2], wanted[i].median, 0.005);
		snprintf(text, sizeof(text), "%s, 99th percentile", wanted[i].name);
		expect(text, values[DRAWS / 100 * 99], wanted[i].p99, wanted[i].tolerance);
	}
	free(values);
}

static void digest_add(uint64_t *digest, uint64_t value)
{
	*digest = (*digest ^ value) * 0x100000001b3ULL;
}

/* How far the truth lies outside of a sample, ns; at most 0: it is inside. */
static double sample_excess(const struct sample *sample, const struct oscillator *osc,
			    int64_t begin_ns, int64_t done_ns)
{
	int64_t middle_ns = begin_ns + (done_ns - begin_ns) / 2;
	double counts = (double)(int64_t)(sample->counter - oscillator_counter(osc, middle_ns));
	struct timescale scale;
	double raw;

	oscillator_timescale(&scale);
	raw = (double)(timescale_ns(&scale, sample->counter) - middle_ns);
	return fabs((double)(sample->offset_ns - WORLD_START_UTC_NS) - (0.4 * counts - raw)) -
	       (double)filter_error(sample);
}

/* Every server of a world by chance that is right, and the digest of all worlds' samples */
static void check_samples(void)
{
	uint64_t digest = 0, seed, good = 0, bad = 0, wrong = 0;
	struct scenario scenario;
	struct oscillator osc;
	unsigned int i;

	for (seed = 1; seed <= 50; seed++) {
		struct rng rng = {seed};

		world_by_chance(&scenario, seed);
		if (oscillator_init(&osc, &scenario.oscillator, scenario.seconds + 20, &rng)) {
			failures++;
			return;
		}
		for (i = 0; i <= osc.seconds; i++)
			digest_add(&digest, (uint64_t)osc.raw_ps[i]);
		for (i = 0; i < scenario.server_count; i++) {
			struct server server = {.config = &scenario.servers[i]};
			bool is_right = fabs(server.config->offset_ns) <=
					server.config->root_dispersion_ns +
						server.config->root_delay_ns / 2;

			while (server.next_ns < (int64_t)scenario.seconds * 1000000000) {
				int64_t begin_ns = server.next_ns, done_ns;
				struct sample sample;

				if (!server_exchange(&server, &osc, &rng, &sample, &done_ns))
					continue;
				digest_add(&digest, (uint64_t)sample.offset_ns);
				digest_add(&digest, sample.counter);
				if (sample.leap == 3)
					continue;
				if (sample_excess(&sample, &osc, begin_ns, done_ns) <= 0)
					good += is_right;
				else if (is_right)
					bad++;
				else
					wrong++;
			}
		}
		oscillator_clear(&osc);
	}
	printf("samples: %" PRIu64 " of right servers, %" PRIu64
	       " false of others; digest %016" PRIx64 "\n",
	       good + bad, wrong, digest);
	expect("samples of right servers without the truth", (double)bad, 0, 0);
	if (good < 10000 || wrong < 1000) {
		printf("# there are too few samples\n");
		failures++;
	}
	if (digest != DIGEST) {
		printf("# the digits are others\n");
		failures++;
	}
}

/* One long day with a server, in which each share can be counted */
static void check_server(void)
{
	const struct server_config config = {
		.to = {1 * MS, 0},
		.from = {1 * MS, 0},
		.routes = {{20000, 2 * MS, 0}, {40000, 0, 3 * MS}},
		.restart = {.at_s = 60000,
			    .every_s = 10000,
			    .silent_s = 1000,
			    .unsynchronised_s = 500,
			    .error_ns = 4 * MS,
			    .settle_s = 2000},
		.loss = 0.1,
		.poll_s = 1,
	};
	const struct oscillator_config still = {0};
	struct server server = {.config = &config};
	unsigned int lost = 0, asked = 0, unset = 0, silent = 0;
	double offset[3] = {0}, settling_ns = 0;
	struct rng rng = {3};
	struct oscillator osc;
	struct sample sample;

	if (oscillator_init(&osc, &still, 90100, &rng)) {
		failures++;
		return;
	}
	while (server.next_ns < 80000000000000) {
		double t_s = 1e-9 * (double)server.next_ns, phase_s = fmod(t_s, 10000);
		int64_t done_ns;
		bool answered = server_exchange(&server, &osc, &rng, &sample, &done_ns);
		double error_ns = (double)(sample.offset_ns - WORLD_START_UTC_NS);

		if (t_s < 60000) {
			asked++;
			lost += !answered;
			if (answered)
				offset[(int)(t_s / 20000)] = error_ns;
			continue;
		}
		silent += answered && phase_s < 1000;
		unset += answered && sample.leap == 3;
		if (answered && phase_s > 2499 && phase_s < 2501)
			settling_ns = error_ns;
	}
	oscillator_clear(&osc);
	expect("lost", (double)lost / asked, 0.1, 0.01);
	expect("offset of an even way, us", offset[0] / US, 0, 0.01);
	expect("offset with 2 ms more on the way out, us", offset[1] / US, 1000, 0.01);
	expect("offset with 3 ms more on the way back, us", offset[2] / US, -1500, 0.01);
	expect("answers of a silent server", silent, 0, 0);
	expect("answers with leap 3", unset, 2 * 500 * 0.9, 40);
	expect("error at half the settling, us", settling_ns / US, 2000 - 1500, 10);
}

int main(void)
{
	check_noise();
	check_wander();
	check_distributions();
	check_server();
	check_samples();
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
