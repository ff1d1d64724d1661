/* SPDX-License-Identifier: MIT */
/* What is worked out of a row of readings: quantiles, the line through them, the Allan deviation. Pure. */
#ifndef CLI_NIC_SERIES_H
#define CLI_NIC_SERIES_H

#include <stdbool.h>
#include <stdint.h>

struct series_quantiles {
	int64_t min, p50, p99, max;
};

/* Sorts the values; count >= 1. */
struct series_quantiles series_quantiles_of(int64_t *values, unsigned int count);

/*
 * Take the line through the points out of their values; returns its slope, 0 if all are at one place.
 * Values that are NaN are left out and left as they are.
 */
double series_line_remove(double *values, const double *at, unsigned int count);

/*
 * Overlapping Allan deviation of phases in ns, tau0_s apart, of which some may be missing (NaN):
 * sigma_y(m tau0), for m = 1 to 10 and then by steps of a quarter, as long as a third of the row is as
 * long as m. What has fewer than three differences is left out. Returns how many there are of tau_s and
 * adev, `room` at most.
 */
unsigned int series_adev(const double *phase_ns, unsigned int count, double tau0_s, double *tau_s,
			 double *adev, unsigned int room);

/*
 * Is that a clock which has gone from first to last (ns) in passed ns? It is not if it stands still, or
 * runs so fast or slow that nobody could mean it: by more than a half.
 */
bool series_ticks(int64_t first, int64_t last, int64_t passed);

#endif /* CLI_NIC_SERIES_H */
