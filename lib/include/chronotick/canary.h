/* SPDX-License-Identifier: MIT */
/*
 * One round of a canary's reads: what a read costs, in three circumstances, without touching
 * anybody's own reads. Include <chronotick/chronotick.h> first, and link nothing.
 *
 * A read is too short for the counter's steps, so reads are timed in batches, from outside, and what a
 * batch without reads takes is taken off.
 */
#ifndef CHRONOTICK_CANARY_H
#define CHRONOTICK_CANARY_H

#include "handle.h"

#define CHRONOTICK_CANARY_MAX 32 /* batches of a kind */

/* Counts that a batch took, what it took without reads taken off; 0: it can't be told */
struct chronotick_canary_batches {
	unsigned int batches;
	unsigned int reads; /* in each */
	uint64_t counts[CHRONOTICK_CANARY_MAX];
};

struct chronotick_canary_round {
	struct chronotick_canary_batches warm; /* back to back, as fast as the CPU likes */
	struct chronotick_canary_batches cold; /* the line not in any cache; 0: can't be had */
	struct chronotick_canary_batches serialised; /* each begun after the one before has ended */
};

static inline void chronotick_canary_read(const struct chronotick *ct)
{
	struct chronotick_interval interval;

	chronotick_now(ct, &interval);
	__asm__ volatile("" ::"r"(&interval) : "memory");
}

/* Nothing after it begins before all that is before it has ended. */
static inline void chronotick_canary_serialise(void)
{
#if defined(__x86_64__)
	__asm__ volatile("lfence" ::: "memory");
#elif defined(__aarch64__)
	__asm__ volatile("dsb ish\n\tisb" ::: "memory");
#endif
}

/* Put the line out of all caches; false: this machine has no way to. */
static inline int chronotick_canary_evict(const struct chronotick *ct)
{
#if defined(__x86_64__)
	__asm__ volatile("clflush (%0)\n\tmfence" ::"r"(ct) : "memory");
	return 1;
#elif defined(__aarch64__)
	__asm__ volatile("dc civac, %0\n\tdsb ish" ::"r"(ct) : "memory");
	return 1;
#else
	(void)ct;
	return 0;
#endif
}

static inline uint64_t chronotick_canary_clock(const struct chronotick *ct)
{
	return chronotick_counter_of(chronotick_private_of(ct)->kind, CHRONOTICK_READ_ORDERED);
}

/* Counts that a batch without reads takes */
static inline uint64_t chronotick_canary_overhead(const struct chronotick *ct)
{
	uint64_t least = UINT64_MAX, before, passed;
	unsigned int i;

	for (i = 0; i < 8; i++) {
		before = chronotick_canary_clock(ct);
		passed = chronotick_canary_clock(ct) - before;
		if (passed < least)
			least = passed;
	}
	return least;
}

static inline uint64_t chronotick_canary_less(uint64_t counts, uint64_t overhead)
{
	return counts > overhead ? counts - overhead : 0;
}

/*
 * A round of `warm` batches and a quarter as many of the other kinds, at most CHRONOTICK_CANARY_MAX
 * and at least 4, each of so many reads.
 */
static inline void chronotick_canary_measure(const struct chronotick *ct, unsigned int warm,
					     unsigned int reads,
					     struct chronotick_canary_round *ret)
{
	uint64_t overhead = chronotick_canary_overhead(ct), before, sum;
	unsigned int i, j;

	ret->warm.batches = warm;
	ret->cold.batches = ret->serialised.batches = warm / 4;
	ret->warm.reads = ret->cold.reads = ret->serialised.reads = reads;
	for (i = 0; i < warm; i++) {
		before = chronotick_canary_clock(ct);
		for (j = 0; j < reads; j++)
			chronotick_canary_read(ct);
		sum = chronotick_canary_clock(ct) - before;
		ret->warm.counts[i] = chronotick_canary_less(sum, overhead);
	}
	for (i = 0; i < warm / 4; i++) {
		before = chronotick_canary_clock(ct);
		for (j = 0; j < reads; j++) {
			chronotick_canary_read(ct);
			chronotick_canary_serialise();
		}
		sum = chronotick_canary_clock(ct) - before;
		ret->serialised.counts[i] = chronotick_canary_less(sum, overhead);
	}
	for (i = 0; i < warm / 4; i++) {
		/* One by one: evicting takes longer than reading. */
		for (sum = 0, j = 0; j < reads; j++) {
			if (!chronotick_canary_evict(ct))
				break;
			before = chronotick_canary_clock(ct);
			chronotick_canary_read(ct);
			sum += chronotick_canary_clock(ct) - before;
		}
		ret->cold.counts[i] = chronotick_canary_less(sum, overhead * reads);
	}
}

/* What a read took in a batch, ps; mult: 2^-54 ns per count. 0: it can't be told. */
static inline uint64_t chronotick_canary_ps(const struct chronotick_canary_batches *batches,
					    unsigned int batch, uint64_t mult)
{
	return (uint64_t)((chronotick_u128)batches->counts[batch] * mult * 1000 / batches->reads >>
			  CHRONOTICK_MULT_SHIFT);
}

/* The median of the batches, ps of a read. */
static inline uint64_t chronotick_canary_median_ps(const struct chronotick_canary_batches *batches,
						   uint64_t mult)
{
	struct chronotick_canary_batches sorted = *batches;
	unsigned int i, j;

	for (i = 1; i < sorted.batches; i++) {
		uint64_t counts = sorted.counts[i];

		for (j = i; j > 0 && sorted.counts[j - 1] > counts; j--)
			sorted.counts[j] = sorted.counts[j - 1];
		sorted.counts[j] = counts;
	}
	return chronotick_canary_ps(&sorted, sorted.batches / 2, mult);
}

/*
 * Fire chronotick:canary(warm_ps, cold_ps, serialised_ps, reads) with the medians; nothing without
 * CHRONOTICK_PROBES. Not inline in its callers: one probe a program.
 */
static __attribute__((noinline, unused)) void chronotick_canary_tell(
	const struct chronotick_canary_round *round, uint64_t mult)
{
#ifdef CHRONOTICK_PROBES
	uint64_t warm = chronotick_canary_median_ps(&round->warm, mult);
	uint64_t cold = chronotick_canary_median_ps(&round->cold, mult);
	uint64_t serialised = chronotick_canary_median_ps(&round->serialised, mult);
	uint32_t reads = round->warm.batches * round->warm.reads +
			 round->cold.batches * round->cold.reads +
			 round->serialised.batches * round->serialised.reads;

	STAP_PROBE4(chronotick, canary, warm, cold, serialised, reads);
#else
	(void)round;
	(void)mult;
#endif
}

#endif /* CHRONOTICK_CANARY_H */
