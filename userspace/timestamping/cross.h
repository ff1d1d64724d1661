/* SPDX-License-Identifier: MIT */
/*
 * Cross-timestamps: the same instant on the counter and on a system clock. By a bracket of
 * readings; or from the kernel module, which works the clocks out from one reading of the counter.
 */
#ifndef TIMESTAMPING_CROSS_H
#define TIMESTAMPING_CROSS_H

#include <stdint.h>
#include <time.h>

#include "timestamping/counter.h"

struct chronotick_cross;

/* The kernel module's cross-timestamps: 0 or a negative errno. */
struct cross_io {
	void *data;
	int (*take)(void *data, struct chronotick_cross *ret);
};

struct cross {
	uint64_t counter;  /* middle of the bracket, or the very value */
	int64_t system_ns; /* the system clock, ns since its epoch */
	int64_t error_ns;  /* half of the bracket, rounded up, plus the clock's resolution; or the
			    * rounding of both */
};

/*
 * Where the counter has a device for it (counter->cross), by that. Else, and where that fails, read
 * `clock` between two counter reads, several times, and keep the narrowest bracket.
 * Returns 0, or a negative errno of clock_gettime(2).
 */
int cross_read(struct cross *ret, const struct counter *counter, clockid_t clock);

/*
 * By the device alone: CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW or CLOCK_BOOTTIME. What
 * it says of the counter is held against the counter itself.
 *
 * Returns 0; -EINVAL for another clock; -EPROTO if it was another counter's, or another instant's;
 * or its own negative errno.
 */
int cross_take(struct cross *ret, const struct counter *counter, clockid_t clock,
	       const struct cross_io *io);

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
