/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { FLAG, NUMBER, PROCESS, BINARY, TEXT };

struct option_row {
	const char *name;
	const char *argument; /* its name in the usage; NULL for flags */
	enum kind kind;
	size_t offset; /* of the value in struct options */
	double min, max;
	const char *help;
};

struct verb {
	const char *name;
	unsigned int what;
	const char *help;
	bool live;
};

static const struct verb verbs[] = {
	{"torn", TRACE_TORN, "reads that met a line being written, by process"},
	{"latency", TRACE_LATENCY, "what a read takes, as the processes' canaries measure it"},
	{"writer", TRACE_WRITER,
	 "publications: window, interval, update, and a packet's way there"},
	{"all", TRACE_TORN | TRACE_LATENCY | TRACE_WRITER, "all of these"},
	{"top", TRACE_TORN | TRACE_LATENCY | TRACE_WRITER, "all of these, live", true},
};

#define AT(member) offsetof(struct options, member)
static const struct option_row rows[] = {
	{"pid", "PID", PROCESS, AT(pid), 1, 4194304, "of this process alone"},
	{"duration", "S", NUMBER, AT(duration_s), 0.1, 1e9, "end after so many seconds"},
	{"interval", "S", NUMBER, AT(interval_s), 0.1, 1e9,
	 "a report so often; else one at the end"},
	{"binary", "FILE", BINARY, 0, 0, 0, "also trace this program or library before it runs"},
	{"pin", "DIR", TEXT, AT(pin), 0, 0, "maps and programs under names in a BPF file system"},
	{"max-torn-rate", "HZ", NUMBER, AT(limits[ALERT_TORN_RATE]), 0, 1e12,
	 "alert: torn reads a second of a process"},
	{"max-read-ns", "NS", NUMBER, AT(limits[ALERT_READ]), 0, 1e12,
	 "alert: 99th percentile of a canary's warm reads"},
	{"max-window-ns", "NS", NUMBER, AT(limits[ALERT_WINDOW]), 0, 1e12, "alert: write window"},
	{"max-missed", "N", NUMBER, AT(limits[ALERT_MISSED]), 0, 1e12,
	 "alert: publications missed by a process"},
	{"preemption", NULL, FLAG, AT(preemption), 0, 0,
	 "tell readers that were preempted: costs every context switch 3 us"},
	{"share", NULL, FLAG, AT(share), 0, 0,
	 "what share of a CPU reads take, by 97 samples a second"},
	{"json", NULL, FLAG, AT(json), 0, 0, "one JSON object a report"},
	{"histograms", NULL, FLAG, AT(histograms), 0, 0, "draw the distributions, too"},
	{"verbose", NULL, FLAG, AT(verbose), 0, 0, "what libbpf has to say"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
enum { FIRST = 256, HELP = FIRST + COUNT(rows), VERSION };

static void usage(FILE *out)
{
	char left[64];
	size_t i;

	fprintf(out, "usage: chronotick-trace VERB [OPTION...]\n\n");
	for (i = 0; i < COUNT(verbs); i++)
		fprintf(out, "  %-10s %s\n", verbs[i].name, verbs[i].help);
	fputc('\n', out);
	for (i = 0; i < COUNT(rows); i++) {
		snprintf(left, sizeof(left), "--%s%s%s", rows[i].name, rows[i].argument ? " " : "",
			 rows[i].argument ? rows[i].argument : "");
		fprintf(out, "  %-24s %s\n", left, rows[i].help);
	}
	fprintf(out,
		"\nEnds with 0: done, 1: nothing could be traced, 2: usage, 3: a threshold was "
		"passed,\n4: nothing was seen that a threshold is of.\n");
}

static int number_parse(const struct option_row *row, const char *text, double *ret)
{
	char *end;

	errno = 0;
	*ret = strtod(text, &end);
	if (end != text && !*end && !errno && isfinite(*ret) && *ret >= row->min &&
	    *ret <= row->max && (row->kind != PROCESS || *ret == floor(*ret)))
		return 0;
	fprintf(stderr, "chronotick-trace: --%s: '%s' is no %s from %.15g to %.15g\n", row->name,
		text, row->kind == PROCESS ? "whole number" : "number", row->min, row->max);
	return -EINVAL;
}

static int option_set(struct options *options, const struct option_row *row, const char *text)
{
	char *member = (char *)options + row->offset;
	double number = 0;

	switch (row->kind) {
	case FLAG:
		*(bool *)(void *)member = true;
		return 0;
	case BINARY:
		if (options->binary_count == OPTIONS_BINARIES_MAX) {
			fprintf(stderr, "chronotick-trace: --binary: no more than %d\n",
				OPTIONS_BINARIES_MAX);
			return -E2BIG;
		}
		options->binaries[options->binary_count++] = text;
		return 0;
	case TEXT:
		*(const char **)(void *)member = text;
		return 0;
	case NUMBER:
	case PROCESS:
		if (number_parse(row, text, &number) < 0)
			return -EINVAL;
		if (row->kind == PROCESS)
			*(uint32_t *)(void *)member = (uint32_t)number;
		else
			*(double *)(void *)member = number;
		return 0;
	}
	return -EINVAL;
}

/* An option that says nothing to the verb is a mistake, above all a threshold that nobody watches. */
static int options_check(const struct options *options)
{
	static const struct {
		unsigned int what; /* of the verb */
		const char *name;
	} limits[ALERTS] = {
		[ALERT_TORN_RATE] = {TRACE_TORN, "max-torn-rate"},
		[ALERT_READ] = {TRACE_LATENCY, "max-read-ns"},
		[ALERT_WINDOW] = {TRACE_WRITER, "max-window-ns"},
		[ALERT_MISSED] = {TRACE_WRITER, "max-missed"},
	};
	const char *idle = NULL;
	size_t i;

	for (i = 0; i < ALERTS; i++)
		if (!isnan(options->limits[i]) &&
		    (options->live || !(options->what & limits[i].what)))
			idle = limits[i].name;
	if (options->live && options->json)
		idle = "json";
	if (options->live && options->histograms)
		idle = "histograms";
	if (options->preemption && !(options->what & TRACE_TORN))
		idle = "preemption";
	if (!idle)
		return 0;
	fprintf(stderr, "chronotick-trace: --%s has no meaning with '%s'\n\n", idle, options->verb);
	return -EINVAL;
}

static int verb_set(struct options *options, const char *name)
{
	size_t i;

	for (i = 0; i < COUNT(verbs); i++) {
		if (strcmp(name, verbs[i].name) == 0) {
			options->verb = verbs[i].name;
			options->what = verbs[i].what;
			options->live = verbs[i].live;
			return 0;
		}
	}
	fprintf(stderr, "chronotick-trace: no verb is called '%s'\n\n", name);
	return -EINVAL;
}

int options_parse(struct options *ret, int argc, char **argv)
{
	struct option longs[COUNT(rows) + 3] = {{0}};
	size_t i;
	int c;

	memset(ret, 0, sizeof(*ret));
	for (i = 0; i < ALERTS; i++)
		ret->limits[i] = NAN;
	for (i = 0; i < COUNT(rows); i++)
		longs[i] = (struct option){
			.name = rows[i].name,
			.has_arg = rows[i].argument ? required_argument : no_argument,
			.val = FIRST + (int)i,
		};
	longs[i++] = (struct option){"help", no_argument, NULL, HELP};
	longs[i] = (struct option){"version", no_argument, NULL, VERSION};
	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (c == HELP || c == 'h') {
			usage(stdout);
			return TRACE_DONE;
		}
		if (c == VERSION) {
			puts("chronotick-trace " CHRONOTICK_VERSION);
			return TRACE_DONE;
		}
		if (c == '?' || option_set(ret, &rows[c - FIRST], optarg) < 0)
			goto usage;
	}
	if (optind == argc) {
		fprintf(stderr, "chronotick-trace: what is to be traced?\n\n");
		goto usage;
	}
	if (verb_set(ret, argv[optind++]) < 0)
		goto usage;
	if (optind < argc) {
		fprintf(stderr, "chronotick-trace: '%s' is not expected\n\n", argv[optind]);
		goto usage;
	}
	if (options_check(ret) < 0)
		goto usage;
	return -1;

usage:
	usage(stderr);
	return TRACE_USAGE;
}
