/* SPDX-License-Identifier: MIT */
/* What stands behind a handle. Include <chronotick/chronotick.h>, not this file. */
#ifndef CHRONOTICK_HANDLE_H
#define CHRONOTICK_HANDLE_H

#include <time.h>

/* What the library keeps about a handle, CHRONOTICK_HANDLE_DISTANCE in front of the mapped page */
#define CHRONOTICK_HANDLE_DISTANCE 65536 /* a multiple of every machine's page size */
struct chronotick_private {
	const struct chronotick_page *page; /* the page itself; behind a foreign counter's decoy */
	size_t mapped;                      /* bytes from here, for munmap */
	uint32_t kind;                      /* enum chronotick_counter_kind of the page */
};

static inline const struct chronotick_private *chronotick_private_of(const struct chronotick *ct)
{
	return (const struct chronotick_private *)((const char *)ct -
						   offsetof(struct chronotick_page, clock) -
						   CHRONOTICK_HANDLE_DISTANCE);
}

/* Does this machine read counters of that kind without a system call? */
static inline int chronotick_kind_is_native(uint32_t kind)
{
#if defined(__x86_64__)
	return kind == CHRONOTICK_COUNTER_TSC;
#elif defined(__aarch64__)
	return kind == CHRONOTICK_COUNTER_CNTVCT;
#else
	(void)kind;
	return 0;
#endif
}

static inline uint64_t chronotick_counter_of(uint32_t kind, enum chronotick_read_mode mode)
{
	struct timespec raw = {0, 0};
	struct chronotick_halves counter;

	if (chronotick_kind_is_native(kind)) {
#if defined(__aarch64__)
		/* No branch on a load here, as the fast read has: wait for them all. */
		if (mode != CHRONOTICK_READ_UNORDERED)
			__asm__ volatile("dsb ishld" ::: "memory");
#endif
		counter = mode == CHRONOTICK_READ_UNORDERED ? chronotick_counter_unordered()
							    : chronotick_counter_ordered();
		return counter.low + (counter.high << 32);
	}
	clock_gettime(CLOCK_MONOTONIC_RAW, &raw);
	return (uint64_t)raw.tv_sec * 1000000000U + (uint64_t)raw.tv_nsec;
}

#endif /* CHRONOTICK_HANDLE_H */
