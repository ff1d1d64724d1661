/* SPDX-License-Identifier: MIT */
/*
 * The clock line: a correction and the line before it become the next line. Pure.
 *
 * Arithmetic is in 2^-64 ns and 128 bits, exact: joins leave not even a fraction of a nanosecond.
 */
#ifndef PUBLISH_LINE_H
#define PUBLISH_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "chronotick_page.h"
#include "engine/engine.h"

/* max_fall_ppb in use: of the time that a writer is stopped in a publication, what it steps back */
#define LINE_FALL_PPB 10000U
/* The most that a line's slope may differ from the nominal rate to be one of this counter, ppm */
#define LINE_RATE_PPM 10000U

struct line_config {
	uint64_t mult;   /* nominal rate, 2^-54 ns per count */
	uint64_t lead;   /* counts from the anchor to c0, at least `early` */
	uint64_t early;  /* a rising slope joins so many counts before c0 */
	uint64_t window; /* W, counts: how soon after c0 a falling slope joins, at first */
	uint64_t span;   /* validity, counts */
	uint64_t period; /* between publications, counts; at least 1 */
	uint64_t settle; /* time constant of a slew, counts; at least 1 */
	uint32_t max_slew_ppb;
	uint32_t max_fall_ppb; /* of the slope in one publication */
	uint32_t step_ns;      /* how far a counter value may lie behind its instant, rounded up */
	int64_t max_bound_ns;
	int64_t step_threshold_ns;
};

enum line_slope {
	LINE_SLEW, /* towards the best estimate */
	LINE_KEEP, /* keep the line before it, renew bound and span: never late for a join */
};

struct line {
	struct chronotick_clock clock; /* seq is 0 */
	struct bound_terms terms;      /* of clock.bound_ns; all 0 without trust */
	uint64_t join; /* counter value at which it meets the line that it continues */
	bool trusted;
	bool new_generation; /* it jumps: it starts at the best estimate, without a join */
	bool falling;        /* it must be readable before c0 + W */
};

/* The line's UTC at a counter value, before or after its anchor, 2^-64 ns since 1970. */
__int128 line_utc(const struct chronotick_clock *line, uint64_t counter);

/* Does the line tell a time at all, trusted or not? */
bool line_is_set(const struct chronotick_clock *line);

/* May it be trusted at that counter value? */
bool line_stands(const struct chronotick_clock *line, uint64_t counter);

/*
 * Is the standing line of a predecessor better left alone than followed by one of that correction? As
 * long as it is in the first half of its span and its half-width is less than the correction's
 * bound, it says more, and going on there could only be a jump, or a slew away from the truth.
 */
bool line_outdoes(const struct chronotick_clock *line, const struct correction *correction,
		  uint64_t counter);

/* Can it be a line of a counter with that nominal rate, 2^-54 ns per count? */
bool line_is_plausible(const struct chronotick_clock *line, uint64_t mult);

/*
 * The next line.
 *
 * previous: the line that stands; one that is not set counts as none. generation: the latest that
 * was used. c0: the counter now, the correction's counter being at or shortly before it. window:
 * W for this build, counts, at most 2^40.
 *
 * The result is not trusted if the correction is below SYNCHRONIZED, is not of this time, or gives
 * a bound beyond max_bound_ns or 32 bits: it then holds the previous line with span 0.
 */
void line_next(struct line *ret, const struct line_config *config,
	       const struct chronotick_clock *previous, uint32_t generation,
	       const struct correction *correction, uint64_t c0, uint64_t window,
	       enum line_slope slope);

#endif /* PUBLISH_LINE_H */
