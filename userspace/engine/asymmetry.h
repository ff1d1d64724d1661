/* SPDX-License-Identifier: MIT */
/*
 * On which of its two ways does a source's exchanges wait? What one waits moves its offset by half of
 * that, up or down. Where it is nearly always the same way, offsets lie on a line over the delays, and
 * its slope takes out most of what waiting did.
 *
 * It tells nothing of an asymmetry that is always there: of that only the bound knows.
 */
#ifndef ENGINE_ASYMMETRY_H
#define ENGINE_ASYMMETRY_H

#include "engine/fit.h"

/* With fewer points nothing is learned. */
#define ASYMMETRY_LEAST 16

/* All zero: not known, and nothing is to be corrected. */
struct asymmetry {
	double share; /* of what an exchange waited, that its offset is too large: -1/2 to 1/2 */
	double told;  /* 0 to 1: of the error that waiting may cause, what that explains */
};

/*
 * Learn it from the points of a line, of whose exchanges each waited waited_ns longer than the
 * quickest. offset = a + b * time + share * waited is fitted to them, weighted like the line. The
 * share is shrunk towards 0 as far as it might be chance: below 4 standard deviations it is 0.
 */
void asymmetry_learn(struct asymmetry *ret, const struct fit_point *points, const double *waited_ns,
		     unsigned int count);

#endif /* ENGINE_ASYMMETRY_H */
