/* SPDX-License-Identifier: MIT */
/*
 * What the methods of retroactive correction are worth: sim-retro [RUNS]
 *
 * An hour of a quiet oscillator, measured every 16 s over ways with exponential jitter, then
 * something happens that the models did not expect. For 10 minutes from when a contradiction can be
 * confirmed the error of the time told counts in each second, and after each contradiction that of
 * what is thought of the past since the last measurement that agreed. All methods get the same
 * measurements. Prints the tables of Documentation/retroactive.md.
 */
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/models.h"
#include "world.h"

#define S 1000000000LL
#define LEARN_S 3600
#define POLL_S 16
#define CONFIRM_S (SHORT_TERM_CONFIRM * POLL_S)
#define AFTER_S 600
#define ALL_S (LEARN_S + POLL_S + CONFIRM_S + AFTER_S)
#define JITTER_NS 1e4 /* of each way */
#define QUIET 0.1     /* random walk of the rate, ns/s after a second */
#define RUNS 60

/* All that can happen; each to either side */
struct event {
	double offset_ns[2]; /* a step of so much, from and to */
	double rate_ns_s[2];
	double walk_ns_s;
	double ramp_ns_s2; /* the rate's, for ramp_s */
	int ramp_s;
	int outliers; /* measurements in a row that are off by outlier_ns, from and to */
	double outlier_ns[2];
};

/* The rms error over that of the best method: at least and at most */
struct limits {
	double least, most;
};

static const struct scene {
	const char *name;
	struct event event;
	struct limits limits[RETRO_METHODS]; /* in the order of enum retro_method */
} scenes[] = {
	{
		.name = "the offset steps by 0.2 to 1 ms",
		.event = {.offset_ns = {2e5, 1e6}},
		.limits = {{50, 200}, {20, 80}, {1.1, 2.5}, {1.1, 2.7}, {1, 1}, {20, 80}},
	},
	{
		.name = "the rate steps by 2 to 10 ppm",
		.event = {.rate_ns_s = {2e3, 1e4}},
		.limits = {{3, 12}, {1, 1.1}, {1, 1.25}, {1, 1.25}, {2, 6}, {1, 1.1}},
	},
	{
		.name = "the rate drifts by 0.1 ppm/s for 5 min",
		.event = {.ramp_ns_s2 = 100, .ramp_s = 300},
		.limits = {{1.3, 2.2}, {1, 1.15}, {1, 1.05}, {1, 1.05}, {1.3, 2.2}, {1.05, 1.5}},
	},
	{
		.name = "the rate begins to walk by 0.3 ppm/sqrt(s)",
		.event = {.walk_ns_s = 300},
		.limits = {{1.1, 1.7}, {1, 1.1}, {1, 1.05}, {1, 1.05}, {1.03, 1.5}, {1, 1.1}},
	},
	{
		.name = "6 measurements are off by 0.2 to 1 ms",
		.event = {.outliers = 6, .outlier_ns = {2e5, 1e6}},
		.limits = {{1, 1}, {40, 200}, {30, 150}, {30, 150}, {30, 150}, {40, 200}},
	},
	{
		.name = "nothing happens",
		.limits = {{1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}},
	},
};
#define SCENES (sizeof(scenes) / sizeof(scenes[0]))

struct world {
	int at_s; /* when it happens */
	double truth[ALL_S + 1];
	double measured[ALL_S / POLL_S + 1];
};

struct result {
	double rms_us, p95_us;
	double past_us; /* rms */
	double contradictions;
};

static double between(struct rng *rng, const double *ends)
{
	return ends[0] + (ends[1] - ends[0]) * rng_uniform(rng);
}

static void world_make(struct world *world, const struct event *event, uint64_t seed)
{
	struct rng rng = {seed * 0x9e3779b97f4a7c15ULL};
	double offset = 0, rate = 10000 * rng_normal(&rng);
	double side = rng_uniform(&rng) < 0.5 ? -1 : 1;
	int at = LEARN_S + (int)(POLL_S * rng_uniform(&rng)), t;

	world->at_s = at;
	for (t = 0; t <= ALL_S; t++) {
		bool since = t >= at;

		if (t == at) {
			offset += side * between(&rng, event->offset_ns);
			rate += side * between(&rng, event->rate_ns_s);
		}
		if (since && t < at + event->ramp_s)
			rate += side * event->ramp_ns_s2;
		rate += (since && event->walk_ns_s > 0 ? event->walk_ns_s : QUIET) *
			rng_normal(&rng);
		world->truth[t] = offset;
		if (t % POLL_S == 0) {
			double to = rng_exponential(&rng, JITTER_NS);
			double from = rng_exponential(&rng, JITTER_NS);
			double *measured = &world->measured[t / POLL_S];

			*measured = offset + (to - from) / 2;
			if (since && t < at + event->outliers * POLL_S)
				*measured += side * between(&rng, event->outlier_ns);
		}
		offset += rate;
	}
}

struct sums {
	double past; /* squares */
	unsigned int pasts, contradictions;
};

static void past_judge(const struct retro_past *past, const struct world *world, struct sums *sums)
{
	int t;

	for (t = 0; t <= ALL_S; t++) {
		int64_t offset_ns;
		double error;

		if (retro_past_at(past, t * S, &offset_ns) < 0)
			continue;
		error = (double)offset_ns - world->truth[t];
		sums->past += error * error;
		sums->pasts++;
	}
}

/* The absolute errors of the time told, one a second, ns */
static void run(const struct world *world, struct models *models, enum retro_method method,
		struct sums *sums, double errors[AFTER_S])
{
	const struct short_term_prior prior = {.rate_sd_ns_s = 66000};
	int from = world->at_s + CONFIRM_S, t;
	struct models_config config = models_default;
	unsigned int steps = 0;
	struct fused fused;

	config.retroactive = method;
	models_init(models, &config);
	models_reset(models, &prior);
	for (t = 0; t < from + AFTER_S; t++) {
		if (t % POLL_S == 0)
			models_measure(models,
				       &(struct measurement){
					       .raw_ns = t * S,
					       .offset_ns = llrint(world->measured[t / POLL_S]),
					       .sd_ns = JITTER_NS / M_SQRT2,
				       },
				       NULL);
		models_predict(models, t * S, &fused);
		if (models->short_term.steps != steps) {
			steps = models->short_term.steps;
			past_judge(&models->short_term.past, world, sums);
		}
		if (t >= from)
			errors[t - from] =
				fabs(estimate_offset(&fused.line, t * S, 0) - world->truth[t]);
	}
	sums->contradictions += steps;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void measure(const struct scene *scene, enum retro_method method, unsigned int runs,
		    struct world *world, struct models *models, double *errors, struct result *ret)
{
	size_t all = (size_t)runs * AFTER_S, i;
	struct sums sums = {0};
	double square = 0;

	for (i = 0; i < runs; i++) {
		world_make(world, &scene->event, i + 1);
		run(world, models, method, &sums, errors + i * AFTER_S);
	}
	for (i = 0; i < all; i++)
		square += errors[i] * errors[i];
	qsort(errors, all, sizeof(*errors), by_size);
	*ret = (struct result){
		.rms_us = sqrt(square / (double)all) / 1e3,
		.p95_us = errors[all * 95 / 100] / 1e3,
		.past_us = sums.pasts ? sqrt(sums.past / sums.pasts) / 1e3 : 0,
		.contradictions = (double)sums.contradictions / runs,
	};
}

static double least_of(const struct result *results, size_t member)
{
	double least = HUGE_VAL;
	unsigned int k;

	for (k = 0; k < RETRO_METHODS; k++) {
		double value = *(const double *)((const char *)&results[k] + member);

		if (value > 0)
			least = fmin(least, value);
	}
	return least;
}

/* A table of Markdown, with the best of each line in bold */
static void table_print(const char *title, struct result (*results)[RETRO_METHODS], size_t member)
{
	unsigned int i, k;

	printf("| %s |", title);
	for (k = 0; k < RETRO_METHODS; k++)
		printf(" %s |", retro_name(k));
	printf("\n|---|");
	for (k = 0; k < RETRO_METHODS; k++)
		printf("---|");
	for (i = 0; i < SCENES; i++) {
		double least = least_of(results[i], member);

		printf("\n| %s |", scenes[i].name);
		for (k = 0; k < RETRO_METHODS; k++) {
			double value = *(const double *)((const char *)&results[i][k] + member);
			const char *mark = value == least ? "**" : "";

			if (value > 0)
				printf(" %s%.1f%s |", mark, value, mark);
			else
				printf(" - |");
		}
	}
	printf("\n\n");
}

/* Are the errors within the limits, and is the default the best by the mean over all scenes? */
static unsigned int check(struct result (*results)[RETRO_METHODS])
{
	double worse[RETRO_METHODS] = {0};
	unsigned int bad = 0, i, k;

	for (i = 0; i < SCENES; i++) {
		double least = least_of(results[i], offsetof(struct result, rms_us));

		for (k = 0; k < RETRO_METHODS; k++) {
			const struct limits *limits = &scenes[i].limits[k];
			double ratio = results[i][k].rms_us / least;

			worse[k] += log(ratio) / SCENES;
			if (ratio >= limits->least && ratio <= limits->most)
				continue;
			printf("# %s: %s: %.2f times the best is not within %.2f and %.2f\n",
			       scenes[i].name, retro_name(k), ratio, limits->least, limits->most);
			bad++;
		}
	}
	printf("times the best, geometric mean:");
	for (k = 0; k < RETRO_METHODS; k++)
		printf("%s %s %.2f", k ? "," : "", retro_name(k), exp(worse[k]));
	printf("\n");
	for (k = 0; k < RETRO_METHODS; k++) {
		if (worse[k] >= worse[models_default.retroactive])
			continue;
		printf("# %s is better than the default\n", retro_name(k));
		bad++;
	}
	return bad;
}

int main(int argc, char **argv)
{
	unsigned int runs = argc > 1 ? (unsigned int)atoi(argv[1]) : RUNS, bad = 0, i, k;
	static struct result results[SCENES][RETRO_METHODS];
	struct models *models = malloc(sizeof(*models));
	struct world *world = malloc(sizeof(*world));
	double *errors = calloc((size_t)runs * AFTER_S, sizeof(*errors));

	if (!models || !world || !errors || runs < 50) {
		printf("usage: sim-retro [RUNS, 50 or more]\n");
		bad = 2;
		goto out;
	}
	for (i = 0; i < SCENES; i++)
		for (k = 0; k < RETRO_METHODS; k++)
			measure(&scenes[i], k, runs, world, models, errors, &results[i][k]);
	table_print("rms error, us", results, offsetof(struct result, rms_us));
	table_print("95th percentile, us", results, offsetof(struct result, p95_us));
	table_print("rms error of the past, us", results, offsetof(struct result, past_us));
	table_print("contradictions", results, offsetof(struct result, contradictions));
	bad = check(results) ? 1 : 0;
out:
	free(errors);
	free(world);
	free(models);
	return (int)bad;
}
