/* SPDX-License-Identifier: MIT */
/*
 * Holdover of an oscillator that the temperature moves: sim-holdover [RUNS]
 *
 * Six hours of measurements every 16 s over ways with exponential jitter, then an hour without. The
 * temperature has a cycle of a day and a sawtooth of 20 minutes, and is read with noise. What the
 * 95th percentile of the error is after that hour, with the short-term model alone, and with both.
 * Both estimate the oscillator's noise by themselves.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/filter.h"
#include "engine/long_term.h"
#include "engine/models.h"
#include "world.h"

#define S 1000000000LL
#define LEARN_S (6 * 3600)
#define HOLD_S 3600
#define POLL_S 16
#define JITTER_NS 1e5
#define WAY_NS 1e5
#define RUNS 100

static const struct scene {
	const char *name;
	double walk;  /* random walk of the rate, ns/s after a second */
	double ppb_k; /* of the rate, for a kelvin */
	bool has_sensor;
	double least_factor; /* short-term alone over both */
} scenes[] = {
	{"50 ppb/K, random walk 3e-11", 0.03, 50, true, 3},
	{"50 ppb/K, random walk 1e-10", 0.1, 50, true, 2},
	{"0 ppb/K, random walk 3e-11", 0.03, 0, true, 1 / 1.15},
	{"0 ppb/K, random walk 1e-10", 0.1, 0, true, 1 / 1.15},
	{"0 ppb/K, random walk 1e-9", 1, 0, true, 1 / 1.15},
	{"50 ppb/K, random walk 1e-10, no sensor", 0.1, 50, false, 1 / 1.05},
};

struct result {
	double alone_ns;
	double both_ns;
	bool known;
};

static void measure(struct models *models, struct filter *filter, struct rng *rng, int64_t raw_ns,
		    double offset_ns)
{
	static const struct filter_limits limits = {.max_drift = RATE_ONE / 5000,
						    .wander.steady = RATE_ONE / 1000000,
						    .wander_least = RATE_ONE / 1000000};
	double to = rng_exponential(rng, JITTER_NS), from = rng_exponential(rng, JITTER_NS);
	struct sample sample = {
		.offset_ns = llrint(offset_ns + (to - from) / 2),
		.delay_ns = llrint(2 * WAY_NS + to + from),
		.dispersion_ns = 100,
		.stratum = 1,
	};
	struct measurement measurement = {.raw_ns = raw_ns, .offset_ns = sample.offset_ns};

	filter_add(filter, &sample, raw_ns, &limits);
	measurement.sd_ns = filter_sample_sd(filter, filter_newest(filter));
	models_measure(models, &measurement, NULL);
}

static struct result run(const struct scene *scene, struct models *models, uint64_t seed)
{
	const struct short_term_prior prior = {.rate_sd_ns_s = 66000};
	struct rng rng = {seed * 0x9e3779b97f4a7c15ULL};
	double offset_ns = 0, rate = 10000 * rng_normal(&rng);
	struct temperature_config room = {
		.mean_c = 40,
		.day_k = 5,
		.sawtooth_k = 1,
		.sawtooth_s = 1200,
		.sensor_sd_k = 0.05,
		.sensor_s = 10,
	};
	struct covariates covariates;
	struct filter filter = {0};
	struct estimate alone, both;
	struct fused fused;
	struct result ret;
	int64_t now_ns;
	int t;

	models_init(models, &models_default);
	models_reset(models, &prior);
	room.day_phase_s = 86400 * rng_uniform(&rng);
	room.sawtooth_phase_s = room.sawtooth_s * rng_uniform(&rng);
	for (t = 0; t < LEARN_S + HOLD_S; t++) {
		if (scene->has_sensor && t % (int)room.sensor_s == 0) {
			covariates = temperature_read(&room, t, &rng);
			models_covariates(models, t * S, &covariates);
		}
		if (t < LEARN_S && t % POLL_S == 0)
			measure(models, &filter, &rng, t * S, offset_ns);
		offset_ns += rate + scene->ppb_k * (temperature_at(&room, t) - room.mean_c);
		rate += scene->walk * rng_normal(&rng);
	}
	now_ns = (LEARN_S + HOLD_S) * S;
	short_term_estimate(&models->short_term, now_ns, S, &alone);
	ret.alone_ns = fabs(estimate_offset(&alone, now_ns, 0) - offset_ns);
	models_predict(models, now_ns, &fused);
	both = fused.line;
	ret.both_ns = fabs(estimate_offset(&both, now_ns, 0) - offset_ns);
	ret.known = fused.level == FUSE_FUSION;
	return ret;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	unsigned int runs = argc > 1 ? (unsigned int)atoi(argv[1]) : RUNS, i, j;
	struct models *models = malloc(sizeof(*models));
	double *alone = calloc(runs, sizeof(*alone)), *both = calloc(runs, sizeof(*both));
	int bad = 0;

	if (!models || !alone || !both || runs < 20) {
		printf("usage: sim-holdover [RUNS, 20 or more]\n");
		return 2;
	}
	for (i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		unsigned int known = 0, at = runs * 95 / 100;
		double factor;

		for (j = 0; j < runs; j++) {
			struct result result = run(&scenes[i], models, j + 1);

			alone[j] = result.alone_ns;
			both[j] = result.both_ns;
			known += result.known;
		}
		qsort(alone, runs, sizeof(*alone), by_size);
		qsort(both, runs, sizeof(*both), by_size);
		factor = alone[at] / both[at];
		printf("%-40s p95 after an hour: short-term %7.1f us, both %7.1f us, factor %.2f "
		       "(at least %.2f); known in %u of %u\n",
		       scenes[i].name, alone[at] / 1e3, both[at] / 1e3, factor,
		       scenes[i].least_factor, known, runs);
		if (factor < scenes[i].least_factor) {
			printf("# %s: the factor is too small\n", scenes[i].name);
			bad++;
		}
	}
	free(alone);
	free(both);
	free(models);
	return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
