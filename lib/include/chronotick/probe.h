/* SPDX-License-Identifier: MIT */
/*
 * USDT probes of the readers. Include <chronotick/chronotick.h>, not this file.
 *
 * With CHRONOTICK_PROBES defined before the header, and <sys/sdt.h> there, the slow path has a probe
 * `chronotick:torn`: one nop, which a tracer may replace. The inline reads have none, and are the
 * same instructions either way. The shared library is built with it where <sys/sdt.h> is found.
 */
#ifndef CHRONOTICK_PROBE_H
#define CHRONOTICK_PROBE_H

#include "handle.h"
#include "torn.h"

/* Counted in the slow paths and not in the fast one, which so stays as it is. */
static __thread uint64_t chronotick_torn_count;

/* A counter value to tell the time of a torn read from; 0 where nobody can ask for it. */
static inline uint64_t chronotick_torn_clock(uint32_t counter_kind)
{
#ifdef CHRONOTICK_PROBES
	return chronotick_counter_of(counter_kind, CHRONOTICK_READ_UNORDERED);
#else
	(void)counter_kind;
	return 0;
#endif
}

/*
 * Count a torn read and fire chronotick:torn(kind, retries, ticks, ns). retries: looks at a line
 * after the one that failed. since: chronotick_torn_clock() when that was found. mult: 2^-54 ns a
 * tick; 0: unknown, and then ns is 0.
 */
static __attribute__((noinline, cold, unused)) void chronotick_torn_tell(
	enum chronotick_torn_kind kind, uint32_t retries, uint32_t counter_kind, uint64_t since,
	uint64_t mult)
{
#ifdef CHRONOTICK_PROBES
	uint64_t ticks = chronotick_torn_clock(counter_kind) - since;
	uint64_t ns = (uint64_t)((chronotick_u128)ticks * mult >> CHRONOTICK_MULT_SHIFT);

	chronotick_torn_count++;
	/* Last, so that a tracer's time is not in what it is told. */
	STAP_PROBE4(chronotick, torn, (uint32_t)kind, retries, ticks, ns);
#else
	(void)kind;
	(void)retries;
	(void)counter_kind;
	(void)since;
	(void)mult;
	chronotick_torn_count++;
#endif
}

#endif /* CHRONOTICK_PROBE_H */
