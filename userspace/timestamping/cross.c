/* SPDX-License-Identifier: MIT */
#include "timestamping/cross.h"

#include <errno.h>
#include <stdbool.h>

#include "chronotick_ioctl.h"

#define NS_PER_S 1000000000LL

#define BRACKETS 5

/* What the kernel rounds off, here and where it stamps a packet, ns */
#define DEVICE_ROUNDING_NS 2

/* How far a system clock's rate may be from the counter's nominal one: 1,000 ppm */
#define SLEW_PART 1000

/* How far outside of the two cross-timestamps the line is still used */
#define OUTSIDE_NS NS_PER_S

int cross_take(struct cross *ret, const struct counter *counter, clockid_t clock,
	       const struct cross_io *io)
{
	struct chronotick_cross all = {0};
	uint64_t before, early, width;
	int r;

	before = counter_read(counter);
	r = io->take(io->data, &all);
	width = counter_read(counter) - before;
	if (r < 0)
		return r;
	/* It is this counter's, and of just now; the thread may have moved to another CPU. */
	early = all.counter - before + counter->apart;
	if ((int64_t)width < 0 || early > width + 2ULL * counter->apart)
		return -EPROTO;
	switch (clock) {
	case CLOCK_REALTIME:
		ret->system_ns = all.realtime_ns;
		break;
	case CLOCK_MONOTONIC:
		ret->system_ns = all.monotonic_ns;
		break;
	case CLOCK_MONOTONIC_RAW:
		ret->system_ns = all.monotonic_raw_ns;
		break;
	case CLOCK_BOOTTIME:
		ret->system_ns = all.boottime_ns;
		break;
	default:
		return -EINVAL;
	}
	ret->counter = all.counter;
	/* The clocks follow from that value, so a step of the counter is in neither. */
	ret->error_ns = DEVICE_ROUNDING_NS + counter_to_ns(counter, counter->apart);
	return 0;
}

int cross_read(struct cross *ret, const struct counter *counter, clockid_t clock)
{
	uint64_t best = UINT64_MAX;
	struct timespec resolution;
	unsigned int i;

	if (counter->cross && cross_take(ret, counter, clock, counter->cross) == 0)
		return 0;
	if (clock_getres(clock, &resolution) < 0)
		return -errno;
	for (i = 0; i < BRACKETS; i++) {
		struct timespec now;
		uint64_t before, width;

		before = counter_read(counter);
		if (clock_gettime(clock, &now) < 0)
			return -errno;
		width = counter_read(counter) - before;
		if (width >= best)
			continue;
		best = width;
		ret->counter = before + width / 2;
		ret->system_ns = now.tv_sec * NS_PER_S + now.tv_nsec;
	}
	/* Both ends of the bracket, and the clock's own reading, may be a counter step old. */
	ret->error_ns = counter_to_ns(counter, (best + 1) / 2 + counter->step + counter->apart) +
			resolution.tv_sec * NS_PER_S + resolution.tv_nsec;
	return 0;
}

/* Signed counts as ns of raw time, rounded towards zero */
static int64_t signed_ns(const struct counter *counter, int64_t counts)
{
	return (int64_t)(((__int128)counts * (__int128)counter->mult) >> CHRONOTICK_MULT_SHIFT);
}

static int64_t magnitude(int64_t value)
{
	return value < 0 ? -value : value;
}

int cross_counter_at(const struct cross *before, const struct cross *after,
		     const struct counter *counter, int64_t system_ns, uint64_t *ret,
		     int64_t *error_ns)
{
	int64_t counts = (int64_t)(after->counter - before->counter);
	int64_t errors = before->error_ns + after->error_ns;
	const struct cross *near = before;
	int64_t passed, raw, apart, from_near, distance;
	__int128 offset;

	if (__builtin_sub_overflow(after->system_ns, before->system_ns, &passed) || counts < 0)
		return -ESTALE;
	raw = signed_ns(counter, counts);
	if (__builtin_sub_overflow(passed, raw, &apart) || apart == INT64_MIN ||
	    magnitude(apart) > raw / SLEW_PART + errors + 1)
		return -ESTALE;
	if (system_ns < before->system_ns - OUTSIDE_NS || system_ns > after->system_ns + OUTSIDE_NS)
		return -ERANGE;

	if (magnitude(system_ns - after->system_ns) < magnitude(system_ns - before->system_ns))
		near = after;
	from_near = system_ns - near->system_ns;
	distance = magnitude(from_near);

	/*
	 * From the nearer of the two along the line; but two that are so close together that their
	 * errors tilt it by more than a clock may slew say nothing about its slope.
	 */
	if (passed > 0 && counts > 0 && passed / SLEW_PART > errors)
		offset = (__int128)from_near * counts / passed;
	else
		offset = (__int128)from_near * (1LL << CHRONOTICK_MULT_SHIFT) /
			 (__int128)counter->mult;
	*ret = near->counter + (uint64_t)(int64_t)offset;
	/*
	 * A slew that began or ended in between bends the line; a step breaks it. One too small to
	 * be told from a slew may lie right beside the nearer end.
	 */
	*error_ns = near->error_ns + distance / SLEW_PART + magnitude(apart) + 1;
	return 0;
}
