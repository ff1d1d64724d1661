/* SPDX-License-Identifier: MIT */
/* Corrections and settings that the tests of publication share. */
#ifndef SUPPORT_PUBLICATION_H
#define SUPPORT_PUBLICATION_H

#include "publish/line.h"

#define SECOND 1000000000LL
#define EPOCH (1700000000 * SECOND)
#define ONE (1ULL << CHRONOTICK_MULT_SHIFT) /* a nanosecond per count */
#define NS ((__int128)1 << 64)              /* a nanosecond in lines' own unit */

/* A counter of 1 GHz, 100 publications a second. */
static inline struct line_config config(void)
{
	return (struct line_config){
		.mult = ONE,
		.lead = 50000,
		.early = 1000,
		.window = 400000,
		.span = 10ULL * SECOND,
		.period = SECOND / 100,
		.settle = SECOND / 10,
		.max_slew_ppb = 500000,
		.max_fall_ppb = LINE_FALL_PPB,
		.step_ns = 11,
		.max_bound_ns = SECOND,
		.step_threshold_ns = 100000000,
	};
}

/* Synchronised, with a bound of 1 us that grows by 1 ppm. */
static inline struct correction correction(uint64_t counter, int64_t utc_ns, uint64_t mult)
{
	return (struct correction){
		.counter = counter,
		.utc = utc_ns * NS,
		.mult = mult,
		.bound = {.total_ns = 1000, .growth = ONE / 1000000},
		.confidence = 0.5,
		.offset_uncertainty_ns = 250,
		.measurement_count = 9,
		.last_sample = counter,
		.status = CHRONOTICK_SYNCHRONIZED,
		.source = CHRONOTICK_NTP,
		.tai_offset_s = 37,
	};
}

/* A line that the value can be told from in every word. */
static inline struct chronotick_clock line(uint64_t value)
{
	return (struct chronotick_clock){
		.bound_ns = (uint32_t)value,
		.state = CHRONOTICK_STATE(4, CHRONOTICK_SYNCHRONIZED, 37),
		.anchor = value,
		.span = 10ULL * SECOND,
		.mult = ONE,
		.growth = value,
		.utc_ns = (int64_t)value,
		.utc_frac = value,
	};
}

#endif /* SUPPORT_PUBLICATION_H */
