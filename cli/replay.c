/* SPDX-License-Identifier: MIT */
/*
 * chronotick-replay: recorded measurements through the engine, and how far its predictions were from
 * what was measured next, beside plain predictors.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "config.h"
#include "plot.h"
#include "recording.h"
#include "rerun.h"
#include "rerun_report.h"

#define NS_PER_MS 1e6

enum { EXIT_BROKEN = 2 }; /* usage, or what a file holds */

struct options {
	bool json;
	const char *config;
	const char *plot;
	struct hold hold;
	double delay_ms;
	double dispersion_ms;
};

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

/* A number: every so many-th measurement; anything else is a source's name. */
static int hold_option(const char *text, struct hold *ret)
{
	char *end;
	unsigned long every;

	if (text[strspn(text, "0123456789")]) {
		ret->source = text;
		return 0;
	}
	every = strtoul(text, &end, 10);
	if (*text && every >= 2 && every <= 1000000) {
		ret->every = (unsigned int)every;
		return 0;
	}
	fprintf(stderr,
		"chronotick-replay: --hold: '%s' is neither a number from 2 to 1000000 nor the name "
		"of a source\n",
		text);
	return -EINVAL;
}

static int plot_option(const char *path, const char **ret)
{
	int r = plot_check(path);

	*ret = path;
	if (r == -ENOTSUP)
		fprintf(stderr,
			"chronotick-replay: --plot: this build draws nothing: it needs cairo "
			"(libcairo2-dev), then build it again with -Dplot=enabled\n");
	else if (r < 0)
		fprintf(stderr,
			"chronotick-replay: --plot: '%s' ends neither in .svg nor in .png\n", path);
	return r;
}

static void usage(FILE *stream)
{
	fprintf(stream,
		"usage: chronotick-replay [--json] [--plot FILE.svg|FILE.png] [--hold N|SOURCE]\n"
		"                         [--config FILE] [--delay-ms N] [--dispersion-ms N]\n"
		"                         RECORDING...\n"
		"\n"
		"Recorded measurements through the engine: how far its predictions were from\n"
		"what was measured next, beside plain predictors. Recordings are CSV with a\n"
		"header, the sample log of chronotickd, or the measurements.log of chronyd, plain\n"
		"or compressed. chronotick-replay(1) tells more.\n");
}

/* Returns -1 to go on, or the exit status. */
static int options_read(int argc, char **argv, struct options *ret)
{
	enum { HELP = 256, VERSION, JSON, PLOT, CONFIG, HOLD, DELAY, DISPERSION };
	static const struct option longs[] = {
		{"help", no_argument, NULL, HELP},
		{"version", no_argument, NULL, VERSION},
		{"json", no_argument, NULL, JSON},
		{"plot", required_argument, NULL, PLOT},
		{"config", required_argument, NULL, CONFIG},
		{"hold", required_argument, NULL, HOLD},
		{"delay-ms", required_argument, NULL, DELAY},
		{"dispersion-ms", required_argument, NULL, DISPERSION},
		{0},
	};
	int c, r = 0;

	while (r == 0 && (c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case HELP:
			usage(stdout);
			return EXIT_SUCCESS;
		case VERSION:
			printf("chronotick-replay %s\n", CHRONOTICK_VERSION);
			return EXIT_SUCCESS;
		case JSON:
			ret->json = true;
			break;
		case PLOT:
			r = plot_option(optarg, &ret->plot);
			break;
		case CONFIG:
			ret->config = optarg;
			break;
		case HOLD:
			r = hold_option(optarg, &ret->hold);
			break;
		case DELAY:
			r = number_option("delay-ms", optarg, RECORDING_DELAY_MAX_MS,
					  &ret->delay_ms);
			break;
		case DISPERSION:
			r = number_option("dispersion-ms", optarg, RECORDING_DELAY_MAX_MS,
					  &ret->dispersion_ms);
			break;
		default:
			usage(stderr);
			return EXIT_BROKEN;
		}
	}
	if (r == 0 && optind < argc)
		return -1;
	if (r == 0)
		usage(stderr);
	return EXIT_BROKEN;
}

static int complain(const char *path, int r)
{
	if (r == -EBADMSG)
		fprintf(stderr,
			"chronotick-replay: %s: its compressed data is damaged, or ends too early\n",
			path);
	else
		fprintf(stderr, "chronotick-replay: %s: %s\n", path, strerror(-r));
	return r == -EBADMSG ? EXIT_BROKEN : EXIT_FAILURE;
}

/* What was read, and from what */
struct reading {
	struct recording_counts counts;
	char format[16];
	bool disciplined; /* raw time is */
};

/* Returns an exit status. */
static int file_read_all(struct rerun *rerun, const struct options *options, const char *path,
			 struct reading *reading)
{
	const struct recording_defaults defaults = {
		.delay_ns = llrint(options->delay_ms * NS_PER_MS),
		.dispersion_ns = llrint(options->dispersion_ms * NS_PER_MS),
	};
	struct recording_counts counts;
	struct recording *recording;
	struct sample_record record;
	FILE *stream = recording_stream(path);
	int r, taken = 0;

	if (!stream)
		return complain(path, -errno);
	r = recording_open(&recording, stream, path, &defaults, stderr);
	if (r < 0)
		goto out;
	while (taken == 0 && (r = recording_next(recording, &record)) > 0)
		taken = rerun_record(rerun, recording, &record);
	recording_count(recording, &counts);
	reading->counts.torn += counts.torn;
	reading->counts.invalid += counts.invalid;
	reading->disciplined = recording_is_disciplined(recording);
	snprintf(reading->format, sizeof(reading->format), "%s", recording_format(recording));
	recording_close(recording);
	if (taken == -EINVAL)
		fprintf(stderr,
			"chronotick-replay: %s: the engine does not take this configuration\n",
			path);
out:
	fclose(stream);
	if (taken == -EINVAL || r == -EINVAL) /* where and why was told */
		return EXIT_BROKEN;
	return taken < 0 || r < 0 ? complain(path, taken < 0 ? taken : r) : EXIT_SUCCESS;
}

/* Returns an exit status. */
static int rerun_start(struct rerun *rerun, const struct options *options)
{
	struct rerun_options wanted = {
		.config_counts = options->config,
		.hold = options->hold,
		.points = options->plot,
	};
	struct config config;
	int r = options->config ? config_load(&config, options->config, stderr)
				: config_defaults(&config);

	if (r == -EINVAL)
		return EXIT_BROKEN;
	if (r == 0) {
		config_engine(&config, &wanted.config, &wanted.models);
		config_clear(&config);
		r = rerun_init(rerun, &wanted);
	}
	return r < 0 ? complain("the engine", r) : EXIT_SUCCESS;
}

static int hold_check(const struct rerun *rerun)
{
	const char *wanted = rerun->options.hold.source;
	unsigned int i;

	if (!wanted || rerun->hold_found)
		return EXIT_SUCCESS;
	fprintf(stderr, "chronotick-replay: --hold: no source is called '%s'; there are:", wanted);
	for (i = 0; i < ENGINE_SOURCES_MAX; i++)
		if (*rerun->names[i].text)
			fprintf(stderr, " %s", rerun->names[i].text);
	fputc('\n', stderr);
	return EXIT_BROKEN;
}

/* Returns an exit status. */
static int picture_write(struct rerun *rerun, const struct options *options,
			 const struct reading *reading, const char *name)
{
	const char *slash = strrchr(name, '/');
	const struct plot plot = {
		.title = slash ? slash + 1 : name,
		.points = rerun->points,
		.count = rerun->point_count,
		.level = !reading->disciplined,
	};
	int r = options->plot ? plot_write(options->plot, &plot) : 0;

	return r < 0 ? complain(options->plot, r) : EXIT_SUCCESS;
}

static int results_tell(struct rerun *rerun, const struct options *options,
			const struct reading *reading)
{
	json_t *report = rerun_json(rerun, reading->format, &reading->counts);

	if (options->json && json_dumpf(report, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER) == 0)
		putchar('\n');
	if (!options->json)
		rerun_print(report);
	json_decref(report);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_SUCCESS;
	return complain("standard output", -errno);
}

int main(int argc, char **argv)
{
	struct options options = {.delay_ms = 100, .dispersion_ms = 1};
	struct reading reading = {.format = ""};
	struct rerun rerun = {.engine = NULL};
	int r = options_read(argc, argv, &options), i;

	if (r >= 0)
		return r;
	r = rerun_start(&rerun, &options);
	for (i = optind; i < argc && r == EXIT_SUCCESS; i++)
		r = file_read_all(&rerun, &options, argv[i], &reading);
	if (r == EXIT_SUCCESS)
		r = hold_check(&rerun);
	if (r == EXIT_SUCCESS && !rerun.ahead[PREDICTOR_ENGINE].count) {
		fprintf(stderr,
			"chronotick-replay: %s: %u measurements: more than %d are needed to score "
			"one\n",
			argv[optind], rerun.samples, BASELINES_SAMPLES);
		r = EXIT_FAILURE;
	}
	if (r == EXIT_SUCCESS)
		r = picture_write(&rerun, &options, &reading, argv[optind]);
	if (r == EXIT_SUCCESS)
		r = results_tell(&rerun, &options, &reading);
	rerun_clear(&rerun);
	return r;
}
