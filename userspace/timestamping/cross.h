/* SPDX-License-Identifier: MIT */
/* Cross-timestamps: the same instant on the counter and on a system clock. */
#ifndef TIMESTAMPING_CROSS_H
#define TIMESTAMPING_CROSS_H

#include <stdint.h>
#include <time.h>

#include "timestamping/counter.h"

struct cross {
	uint64_t counter;  /* middle of the bracket */
	int64_t system_ns; /* the system clock, ns since its epoch */
	int64_t error_ns;  /* half of the bracket, rounded up, plus the clock's resolution */
};

/*
 * Read `clock` between two counter reads, several times, and keep the narrowest bracket.
 * Returns 0, or a negative errno of clock_gettime(2).
 */
int cross_read(struct cross *ret, const struct counter *counter, clockid_t clock);

/*
 * The counter value at which the system clock showed system_ns, by the line through two
 * cross-timestamps that were taken before and after it (or up to a second outside of them).
 *
 * *error_ns: what the result may err, ns, a step of the clock between the two included that is no
 * greater than a slew could be. Returns 0; -ERANGE if system_ns lies further outside;
 * -ESTALE if the clock stepped or slewed by more than 1,000 ppm between the two.
 */
int cross_counter_at(const struct cross *before, const struct cross *after,
		     const struct counter *counter, int64_t system_ns, uint64_t *ret,
		     int64_t *error_ns);

#endif /* TIMESTAMPING_CROSS_H */
