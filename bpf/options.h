/* SPDX-License-Identifier: MIT */
/* The command line of chronotick-trace. */
#ifndef BPF_OPTIONS_H
#define BPF_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alerts.h"

/* Exit codes */
enum trace_exit {
	TRACE_DONE = 0,
	TRACE_FAILED = 1, /* nothing could be traced, or the output failed */
	TRACE_USAGE = 2,
	TRACE_ALERT = 3,  /* a threshold was passed */
	TRACE_UNSEEN = 4, /* none was, but of one there was nothing to be seen */
};

#define OPTIONS_BINARIES_MAX 32

/* What is traced, a bit each */
#define TRACE_TORN 1U
#define TRACE_WRITER 2U
#define TRACE_LATENCY 4U

struct options {
	const char *verb;
	unsigned int what;     /* TRACE_* */
	uint32_t pid;          /* 0: all processes */
	double duration_s;     /* 0: until a signal */
	double interval_s;     /* 0: one report, at the end */
	double limits[ALERTS]; /* NaN: none */
	const char *pin;       /* directory; NULL: none */
	bool live;             /* a table that is drawn again and again */
	bool share;            /* sample where threads are, too */
	bool preemption;       /* watch context switches, too */
	bool json;
	bool histograms;
	bool verbose;
	const char *binaries[OPTIONS_BINARIES_MAX];
	size_t binary_count;
};

/* Returns -1: go on; or an exit code, all having been said. */
int options_parse(struct options *ret, int argc, char **argv);

#endif /* BPF_OPTIONS_H */
