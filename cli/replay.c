/* SPDX-License-Identifier: MIT */
/*
 * chronotick-replay: recorded offsets through the engine, and how far its predictions were from what
 * was measured next, beside plain predictors.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>
#include <jansson.h>

#include "config.h"
#include "engine/engine.h"
#include "recording.h"

/* Rows with an offset that come before those that are scored, and that the baselines look back at */
#define FIRST 10
/* Raw time of the first row is this instant: recordings begin at 0. */
#define EPOCH_NS 1700000000000000000LL
#define START_NS 1000000000LL
#define MS 1e6

struct replay {
	/* What a measurement without a delay is taken to have had, and what every one errs by beside */
	double delay_ms;
	double dispersion_ms;

	struct engine *engine;
	struct models_config models; /* the engine's */
	struct correction now;
	double last[FIRST]; /* offsets, ms */
	double last_t[FIRST];
	unsigned int samples;
	unsigned int scored;
	unsigned int refused; /* by the engine */
	unsigned int
		untrusted; /* scored where there was no trusted time: the last offset stands in */
	unsigned int by_source[CHRONOTICK_PHC + 1];
	double error_ms;
	double baseline_ms[3];
	unsigned int within_sigma;
	unsigned int within_bound;
	double *bounds_ms;
};

enum baseline { LAST, MEAN, LINE };
static const char *const baseline_names[] = {"last", "mean10", "line10"};

static uint64_t counter_at(double t_s)
{
	return (uint64_t)START_NS + (uint64_t)llrint(t_s * 1e9);
}

/* What the plain predictors say of t_s, ms */
static void baselines(const struct replay *replay, double t_s, double ret[3])
{
	double mean = 0, mean_t = 0, sxx = 0, sxy = 0;
	unsigned int i;

	for (i = 0; i < FIRST; i++) {
		mean += replay->last[i] / FIRST;
		mean_t += replay->last_t[i] / FIRST;
	}
	for (i = 0; i < FIRST; i++) {
		double x = replay->last_t[i] - mean_t;

		sxx += x * x;
		sxy += x * (replay->last[i] - mean);
	}
	ret[LAST] = replay->last[(replay->samples - 1) % FIRST];
	ret[MEAN] = mean;
	ret[LINE] = mean + sxy / sxx * (t_s - mean_t);
}

static double delay_of(const struct replay *replay, const struct recording_row *row)
{
	return row->has_delay ? row->delay_ms : replay->delay_ms;
}

static void score(struct replay *replay, const struct recording_row *row)
{
	const struct correction *now = &replay->now;
	double reach_ms = delay_of(replay, row) / 2 + replay->dispersion_ms;
	double plain[3], offset_ms, error_ms;
	bool trusted = now->source != CHRONOTICK_NO_DATA;
	unsigned int i;

	baselines(replay, row->t_s, plain);
	for (i = 0; i < 3; i++)
		replay->baseline_ms[i] += fabs(row->offset_ms - plain[i]);
	/* Raw time is the local clock, set to begin at the epoch. */
	offset_ms = trusted ? (double)((now->utc >> 64) - EPOCH_NS -
				       (__int128)(counter_at(row->t_s) - START_NS)) /
				      MS
			    : plain[LAST];
	error_ms = fabs(row->offset_ms - offset_ms);
	replay->error_ms += error_ms;
	replay->untrusted += !trusted;
	replay->within_sigma += trusted && error_ms <= now->measurement_sd_ns / MS;
	replay->within_bound += trusted && error_ms <= (double)now->bound.total_ns / MS + reach_ms;
	replay->bounds_ms[replay->scored] = trusted ? (double)now->bound.total_ns / MS : HUGE_VAL;
	replay->by_source[now->source]++;
	replay->scored++;
}

static void row_replay(struct replay *replay, const struct recording_row *row)
{
	struct sample sample = {
		.counter = counter_at(row->t_s),
		.offset_ns = EPOCH_NS - START_NS + llrint(row->offset_ms * MS),
		.delay_ns = llrint(delay_of(replay, row) * MS),
		.dispersion_ns = llrint(replay->dispersion_ms * MS),
		.stratum = 1,
	};

	engine_correct(replay->engine, sample.counter, &replay->now);
	if (!row->has_offset)
		return;
	if (replay->samples >= FIRST)
		score(replay, row);
	replay->last[replay->samples % FIRST] = row->offset_ms;
	replay->last_t[replay->samples % FIRST] = row->t_s;
	replay->samples++;
	replay->refused += engine_sample_add(replay->engine, &sample) < 0;
	engine_correct(replay->engine, sample.counter, &replay->now);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static const struct {
	const char *name;
	enum model model;
} models[] = {
	{"cpu_model", MODEL_SHORT_TERM},
	{"gpu_model", MODEL_LONG_TERM},
};

static json_t *score_json(const struct score *score)
{
	return json_pack("{s:I, s:f, s:f, s:f}", "scored", (json_int_t)score->count, "mae_ms",
			 score->error_ns / MS, "within_1sigma", score->within, "factor",
			 score->factor);
}

static json_t *result_json(struct replay *replay)
{
	const struct models *all = &replay->engine->models;
	json_t *object = json_object(), *plain = json_object(), *scores = json_object();
	json_t *sources = json_object();
	double n = replay->scored;
	unsigned int i;

	for (i = 0; i < 3; i++)
		json_object_set_new(plain, baseline_names[i],
				    json_real(replay->baseline_ms[i] / n));
	for (i = 0; i < sizeof(models) / sizeof(models[0]); i++)
		json_object_set_new(scores, models[i].name,
				    score_json(&all->scores[models[i].model]));
	json_object_set_new(scores, "ntp", score_json(&all->ntp));
	for (i = 0; i <= CHRONOTICK_PHC; i++)
		if (replay->by_source[i])
			json_object_set_new(sources, chronotick_source_name(i),
					    json_real(replay->by_source[i] / n));
	qsort(replay->bounds_ms, replay->scored, sizeof(double), by_size);
	json_object_set_new(object, "samples", json_integer(replay->samples));
	json_object_set_new(object, "scored", json_integer(replay->scored));
	json_object_set_new(object, "refused", json_integer(replay->refused));
	json_object_set_new(object, "untrusted", json_integer(replay->untrusted));
	json_object_set_new(object, "mae_ms", json_real(replay->error_ms / n));
	json_object_set_new(object, "baseline_mae_ms", plain);
	json_object_set_new(object, "coverage_1sigma", json_real(replay->within_sigma / n));
	json_object_set_new(object, "coverage_bound", json_real(replay->within_bound / n));
	json_object_set_new(object, "bound_median_ms",
			    isfinite(replay->bounds_ms[replay->scored / 2])
				    ? json_real(replay->bounds_ms[replay->scored / 2])
				    : json_null());
	json_object_set_new(object, "models", scores);
	json_object_set_new(object, "sources", sources);
	return object;
}

static void table_row(const char *name, double mae_ms, double best_ms)
{
	printf("%-24s %10.4f %8.3f\n", name, mae_ms, mae_ms / best_ms);
}

static void print_table(const json_t *result)
{
	const json_t *plain = json_object_get(result, "baseline_mae_ms"), *value;
	double best = HUGE_VAL;
	unsigned int i;
	const char *name;

	for (i = 0; i < 3; i++)
		best = fmin(best, json_real_value(json_object_get(plain, baseline_names[i])));
	printf("%-24s %10s %8s\n", "mean absolute error", "ms", "of best");
	table_row("chronotick", json_real_value(json_object_get(result, "mae_ms")), best);
	for (i = 0; i < 3; i++)
		table_row(baseline_names[i],
			  json_real_value(json_object_get(plain, baseline_names[i])), best);
	printf("\n%lld samples, %lld scored, %lld without a trusted time\n",
	       (long long)json_integer_value(json_object_get(result, "samples")),
	       (long long)json_integer_value(json_object_get(result, "scored")),
	       (long long)json_integer_value(json_object_get(result, "untrusted")));
	printf("within one sigma %.1f %%, within the bound %.1f %%, median bound %.3f ms\n",
	       100 * json_real_value(json_object_get(result, "coverage_1sigma")),
	       100 * json_real_value(json_object_get(result, "coverage_bound")),
	       json_real_value(json_object_get(result, "bound_median_ms")));
	json_object_foreach(json_object_get((json_t *)(uintptr_t)result, "models"), name, value)
		printf("%-12s scored %5lld, lately %8.4f ms, within one sigma %.2f, factor %.2f\n",
		       name, (long long)json_integer_value(json_object_get(value, "scored")),
		       json_real_value(json_object_get(value, "mae_ms")),
		       json_real_value(json_object_get(value, "within_1sigma")),
		       json_real_value(json_object_get(value, "factor")));
}

static int engine_start(struct replay *replay, const char *path)
{
	struct engine_config engine;
	struct config config;
	int r = path ? config_load(&config, path, stderr) : config_defaults(&config);

	if (r < 0)
		return r;
	config_engine(&config, &engine, &replay->models);
	config_clear(&config);
	engine.scale = (struct timescale){.mult = 1ULL << 54};
	engine.raw_is_disciplined = true;
	replay->engine = malloc(sizeof(*replay->engine));
	return replay->engine ? engine_init(replay->engine, &engine, 1) : -ENOMEM;
}

static int number_option(const char *name, const char *text, double max, double *ret)
{
	char *end;

	*ret = strtod(text, &end);
	if (end != text && !*end && *ret >= 0 && *ret <= max)
		return 0;
	fprintf(stderr, "chronotick-replay: --%s: '%s' is no number from 0 to %g\n", name, text,
		max);
	return -EINVAL;
}

static void usage(FILE *stream)
{
	fprintf(stream,
		"usage: chronotick-replay [--json] [--config FILE] [--delay-ms N]\n"
		"                         [--dispersion-ms N] RECORDING.csv\n"
		"\n"
		"Recorded offsets through the engine: how far its predictions were from what was\n"
		"measured next, beside plain predictors. chronotick-replay(1) tells more.\n");
}

int main(int argc, char **argv)
{
	enum { HELP = 256, VERSION, JSON, CONFIG, DELAY, DISPERSION };
	static const struct option options[] = {
		{"help", no_argument, NULL, HELP},
		{"version", no_argument, NULL, VERSION},
		{"json", no_argument, NULL, JSON},
		{"config", required_argument, NULL, CONFIG},
		{"delay-ms", required_argument, NULL, DELAY},
		{"dispersion-ms", required_argument, NULL, DISPERSION},
		{0},
	};
	struct replay replay = {.delay_ms = 100, .dispersion_ms = 1};
	struct recording_row *rows = NULL;
	const char *config = NULL;
	bool json = false;
	json_t *result;
	FILE *stream;
	long count, i;
	int c, r = EXIT_FAILURE;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case HELP:
			usage(stdout);
			return EXIT_SUCCESS;
		case VERSION:
			printf("chronotick-replay %s\n", CHRONOTICK_VERSION);
			return EXIT_SUCCESS;
		case JSON:
			json = true;
			break;
		case CONFIG:
			config = optarg;
			break;
		case DELAY:
			if (number_option("delay-ms", optarg, RECORDING_DELAY_MAX_MS,
					  &replay.delay_ms) < 0)
				return 2;
			break;
		case DISPERSION:
			if (number_option("dispersion-ms", optarg, RECORDING_DELAY_MAX_MS,
					  &replay.dispersion_ms) < 0)
				return 2;
			break;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind + 1 != argc) {
		usage(stderr);
		return 2;
	}
	stream = fopen(argv[optind], "re");
	if (!stream) {
		fprintf(stderr, "chronotick-replay: %s: %s\n", argv[optind], strerror(errno));
		return EXIT_FAILURE;
	}
	count = recording_read(&rows, stream, argv[optind], stderr);
	fclose(stream);
	if (count < 0) {
		if (count != -EINVAL)
			fprintf(stderr, "chronotick-replay: %s: %s\n", argv[optind],
				strerror((int)-count));
		return EXIT_FAILURE;
	}
	replay.bounds_ms = calloc((size_t)count + 1, sizeof(double));
	if (!replay.bounds_ms || engine_start(&replay, config) < 0) {
		fprintf(stderr, "chronotick-replay: the engine could not be started\n");
		goto out;
	}
	for (i = 0; i < count; i++)
		row_replay(&replay, &rows[i]);
	if (!replay.scored) {
		fprintf(stderr,
			"chronotick-replay: %s: %u offsets: more than %d are needed to score one\n",
			argv[optind], replay.samples, FIRST);
		goto out;
	}
	result = result_json(&replay);
	if (json)
		json_dumpf(result, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	else
		print_table(result);
	if (json)
		putchar('\n');
	json_decref(result);
	r = EXIT_SUCCESS;
out:
	free(replay.bounds_ms);
	free(replay.engine);
	free(rows);
	return r;
}
