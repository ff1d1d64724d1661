/* SPDX-License-Identifier: MIT */
/* chronotickd's command line. */
#ifndef USERSPACE_OPTIONS_H
#define USERSPACE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "config.h"

struct options {
	const char *config_path; /* NULL: not given */
	bool check_config;
	bool foreground;
	bool standby;
	bool help;
	bool version;
	bool has_counter_kind;
	bool has_log_priority;
	uint32_t frequency_hz; /* 0: not given */
	uint32_t counter_kind;
	int log_priority;
	int cpus[CONFIG_CPUS_MAX];
	unsigned int cpu_count; /* 0: not given */
};

/*
 * Read the command line; values have the ranges of the configuration's keys. The first error goes
 * to `errors` as one line. Returns 0 or -EINVAL. Not for several threads at once: getopt(3).
 */
int options_parse(struct options *ret, int argc, char *const argv[], FILE *errors);

/* An option on the command line wins over the configuration. */
void options_apply(const struct options *options, struct config *config);

/* The --help text */
void options_usage(FILE *out);

#endif /* USERSPACE_OPTIONS_H */
