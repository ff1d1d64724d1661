/* SPDX-License-Identifier: MIT */
/*
 * A helper thread that reads the sensors, since one of them may hold up its reader for milliseconds,
 * or for ever. The loop asks it at intervals, and takes the answer a look later; neither waits for
 * the other, and while one question is open no other is asked.
 */
#ifndef COVARIATES_READER_H
#define COVARIATES_READER_H

#include "covariates/sensors.h"

/* A reading that took longer is of no known time, and is dropped. */
#define COVARIATE_LATE_NS 5000000000LL

struct covariate_reading {
	struct covariates values;
	char thermometer[THERMOMETER_NAME_MAX]; /* "" while none is read */
};

struct covariate_reader;

/*
 * `root`: before every path, "" outside of tests; at most THERMOMETER_PATH_MAX / 2 bytes. Where all
 * is switched off there is no thread, and *ret is NULL. Returns 0 or a negative errno.
 */
int covariate_reader_new(struct covariate_reader **ret, const struct covariate_config *config,
			 const char *root);

/*
 * To be called about once a second, and more often in tests: asks for a reading every
 * config.interval_s. now_ns: CLOCK_MONOTONIC. Returns whether a reading has come; it is from
 * between the call before and this one. NULL is allowed.
 */
bool covariate_reader_tick(struct covariate_reader *reader, int64_t now_ns,
			   struct covariate_reading *ret);

/* Waits for nothing: the thread ends by itself, after the reading that it is at. NULL is allowed. */
void covariate_reader_free(struct covariate_reader *reader);

#endif /* COVARIATES_READER_H */
