/* SPDX-License-Identifier: MIT */
/* The counter that everything runs on. */
#ifndef TIMESTAMPING_COUNTER_H
#define TIMESTAMPING_COUNTER_H

#include <stdint.h>

struct cross_io;

struct counter {
	uint32_t kind;  /* enum chronotick_counter_kind */
	uint32_t step;  /* counts that it may move at a time: how old a reading may be, at most */
	uint32_t apart; /* counts that its values on two CPUs may differ by; 0: not known to */
	uint64_t hz;    /* nominal: measured against CLOCK_MONOTONIC_RAW at start */
	uint64_t mult;  /* nominal, 2^-54 ns per count */
	/* What gives cross-timestamps of it, see cross.h; NULL: brackets of readings do */
	const struct cross_io *cross;
};

/*
 * Make a counter of that kind ready; kind CHRONOTICK_COUNTER_NONE: the best that this machine can
 * be trusted with (TSC only if it is the kernel's clocksource, and is invariant or vouched for by
 * the kernel module; CNTVCT on arm64; else CLOCK_MONOTONIC_RAW). A kind that is asked for by name
 * is held to the same conditions. Takes up to 50 ms for the calibration, twice that if the first
 * one is disturbed; and where the kernel has just started and still refines the TSC's rate, as long
 * as that takes, but 10 s at most.
 *
 * Returns 0; -ENOTSUP if this machine has no such counter; -EIO if the calibration gave no stable
 * rate, and there is no kernel module to tell the nominal one.
 */
int counter_init(struct counter *counter, uint32_t kind);

/* The value now, read after all earlier loads. */
uint64_t counter_read(const struct counter *counter);

/* Counts to ns at the nominal rate, rounded up; at most INT64_MAX. */
int64_t counter_to_ns(const struct counter *counter, uint64_t counts);

/* ns to counts at the nominal rate, rounded up; ns <= 2^62. */
uint64_t counter_from_ns(const struct counter *counter, uint64_t ns);

#endif /* TIMESTAMPING_COUNTER_H */
