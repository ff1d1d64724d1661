/* SPDX-License-Identifier: MIT */
/*
 * A system clock against the counter, for stamps that come in one by one: each is brought to the
 * counter by a cross-timestamp that is read right after it. A step of the clock in between, which that
 * alone would not show, is known from where the clock was expected by those before.
 */
#ifndef TIMESTAMPING_CLOCK_TRACK_H
#define TIMESTAMPING_CLOCK_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "timestamping/cross.h"

/* All zero: nothing has been read. */
struct clock_track {
	struct cross last; /* the latest cross-timestamp */
	struct cross base; /* what the rate is measured from */
	bool has_base, has_rate;
	double rate;            /* of the clock against the counter's nominal rate, less 1 */
	int64_t unexplained_ns; /* how far the latest one may have stepped */
};

/*
 * Take a cross-timestamp, newer than all before. Returns 0; -EAGAIN: too little is known yet of the
 * clock's rate; -ESTALE: the clock has stepped, or begun to slew by more than 50 ppm, since the one
 * before.
 */
int clock_track_take(struct clock_track *track, const struct counter *counter,
		     const struct cross *cross);

/* The same with one that is read now. Also a negative errno of clock_gettime(2). */
int clock_track_read(struct clock_track *track, const struct counter *counter, clockid_t clock);

/*
 * The counter value at which the clock showed system_ns, by the latest cross-timestamp, which must have
 * been taken with a 0. *error_ns: what that may err, a step that was too small to be refused included.
 * Returns 0, or -ERANGE if the stamp is more than a second away.
 */
int clock_track_at(const struct clock_track *track, const struct counter *counter,
		   int64_t system_ns, uint64_t *ret, int64_t *error_ns);

#endif /* TIMESTAMPING_CLOCK_TRACK_H */
