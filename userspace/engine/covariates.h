/* SPDX-License-Identifier: MIT */
/* What may move the oscillator, as it was read at one instant. Reading it is done elsewhere. */
#ifndef ENGINE_COVARIATES_H
#define ENGINE_COVARIATES_H

#include <stdint.h>

enum covariate {
	COVARIATE_TEMPERATURE,   /* degrees C */
	COVARIATE_CPU_FREQUENCY, /* mean of all CPUs, MHz */
	COVARIATE_CPU_LOAD, /* share of the CPUs' time that was busy since the last reading, 0 to 1 */
	COVARIATE_MEMORY, /* memory pressure: share of the time that tasks waited for it, 0 to 1 */
	COVARIATE_COUNT,
};

struct covariates {
	uint32_t present; /* bit 1 << enum covariate: it could be read */
	double value[COVARIATE_COUNT];
};

#endif /* ENGINE_COVARIATES_H */
