/* SPDX-License-Identifier: MIT */
/*
 * The one thermometer that is told of: the machine's oscillator has none, so one that feels the same
 * air. A server has dozens, of which some are not connected and some stand still. Of those that move
 * the nearest to the board is taken: first of the chipset and the board itself, then of ACPI's zones,
 * then of the CPU, then whatever there is; of drives, network and graphics cards only without any other.
 */
#ifndef COVARIATES_THERMOMETER_H
#define COVARIATES_THERMOMETER_H

#include <stdbool.h>

#define THERMOMETERS_MAX 32      /* that are watched until one is chosen: the best by place */
#define THERMOMETER_READINGS 18  /* for so many readings: 3 minutes at 10 s */
#define THERMOMETER_FAILURES 30  /* after so many in a row one is looked for anew */
#define THERMOMETER_PATH_MAX 256 /* of a file in sysfs */
#define THERMOMETER_NAME_MAX 64  /* "nct6798 SYSTIN", terminator included */

struct thermometer {
	char path[THERMOMETER_PATH_MAX];
	char name[THERMOMETER_NAME_MAX];
	unsigned int rank; /* the nearest to the board has the smallest */
	bool was_read;
	bool moved;
	double first_c;
};

struct thermometers {
	const char *root;
	const char *wanted; /* NULL: choose */
	struct thermometer at[THERMOMETERS_MAX];
	unsigned int count;
	unsigned int readings; /* since they were looked for */
	unsigned int failures; /* readings in a row without one that can be read */
	const struct thermometer *chosen;
};

/*
 * Reads nothing yet. `root`: before every path, "" outside of tests. `wanted`: the file to be read, or
 * a pattern of glob(7) whose first match is; numbers of hwmon devices may change at every start of
 * the machine, their places below /sys/devices do not. NULL chooses. Both must outlive it.
 */
void thermometers_init(struct thermometers *thermometers, const char *root, const char *wanted);

/*
 * Read. Returns whether there is a temperature: not before one has been chosen, nor while that one
 * cannot be read or says what cannot be. May block for as long as a sensor's bus takes.
 */
bool thermometers_read(struct thermometers *thermometers, double *ret_c);

/* The name of the one that is read; "" while there is none. */
const char *thermometers_name(const struct thermometers *thermometers);

#endif /* COVARIATES_THERMOMETER_H */
