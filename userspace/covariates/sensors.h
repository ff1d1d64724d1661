/* SPDX-License-Identifier: MIT */
/* Reads what may move the oscillator from sysfs and proc. Each part may be missing: that is normal. */
#ifndef COVARIATES_SENSORS_H
#define COVARIATES_SENSORS_H

#include <stdbool.h>
#include <stdint.h>

#include "covariates/text.h"
#include "covariates/thermometer.h"
#include "engine/covariates.h"

#define SENSORS_CPUS_MAX 32 /* whose frequency is read: evenly chosen of all */

struct covariate_config {
	const char
		*temperature; /* NULL: none; COVARIATE_AUTO; or a path, see thermometers_init() */
	bool cpu_frequency;
	bool cpu_load;
	bool memory;
	uint32_t interval_s; /* > 0 */
};
#define COVARIATE_AUTO "auto"

struct sensors {
	struct covariate_config config;
	const char *root;
	struct thermometers thermometers;
	int cpus[SENSORS_CPUS_MAX];
	unsigned int cpu_count;
	unsigned int cpu_failures; /* readings without any */
	bool has_time;             /* of an earlier reading */
	struct text_cpu_time time;
	bool has_stalled;
	uint64_t stalled_us;
	int64_t stalled_ns; /* when that was read */
};

/* Reads nothing yet. `root` stands before every path, "" outside of tests, and outlives the sensors. */
void sensors_init(struct sensors *sensors, const struct covariate_config *config, const char *root);

/*
 * Read what is configured. now_ns: of one monotonic clock. Load and memory pressure are shares of
 * the time since the reading before, so the first one has neither. Every value is finite and in the
 * range that enum covariate tells. May block for as long as the sensors' buses take.
 */
void sensors_read(struct sensors *sensors, int64_t now_ns, struct covariates *ret);

#endif /* COVARIATES_SENSORS_H */
