/* SPDX-License-Identifier: MIT */
/* What the models are given beside samples: covariates of the oscillator. */
#ifndef USERSPACE_INPUTS_H
#define USERSPACE_INPUTS_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "covariates/reader.h"

/* Zero it before first use. */
struct inputs {
	struct covariate_reader *reader;
	struct covariate_reading covariates; /* the latest */
	int64_t covariates_ns;               /* CLOCK_MONOTONIC when it came */
	bool has_covariates;
};

/* Returns 0 or a negative errno, after an error was logged. */
int inputs_open(struct inputs *inputs, const struct config *config);
void inputs_close(struct inputs *inputs);

/* Once a second. now_ns: CLOCK_MONOTONIC. Returns the covariates if there are new ones, or NULL. */
const struct covariates *inputs_tick(struct inputs *inputs, int64_t now_ns);

#endif /* USERSPACE_INPUTS_H */
