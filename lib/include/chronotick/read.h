/* SPDX-License-Identifier: MIT */
/*
 * The inline read path. Include <chronotick/chronotick.h>, not this file.
 *
 * A read touches one cache line of the page: sequence, counter, all data, sequence again. Whatever
 * is out of the ordinary goes to chronotick_read_slow(). Documentation/page.md tells why each
 * barrier stands where it does.
 */
#ifndef CHRONOTICK_READ_H
#define CHRONOTICK_READ_H

#include <string.h>

__extension__ typedef unsigned __int128 chronotick_u128;

/* How a read comes by its counter value */
enum chronotick_read_mode {
	CHRONOTICK_READ_ORDERED,
	CHRONOTICK_READ_UNORDERED,
	CHRONOTICK_READ_AT,
	/* Beside one of them, for the slow path: the fast one met a line that was being written. */
	CHRONOTICK_READ_ODD = 4,
};

/*
 * The read with everything out of the ordinary in it: lines being written, expired, of a foreign
 * counter, or with an anchor after the counter value. Tries the lines in turn, a bounded number of
 * times. at: the counter value, with CHRONOTICK_READ_AT only.
 */
CHRONOTICK_API __attribute__((noinline, cold)) int chronotick_read_slow(
	const struct chronotick *ct, enum chronotick_read_mode mode, uint64_t at,
	struct chronotick_interval *ret);

/*
 * A counter value in the two halves that rdtsc gives, value = low + (high << 32) modulo 2^64. The
 * anchor is taken from the low half while the high one is still being shifted: a cycle less
 * between the counter and the result.
 */
struct chronotick_halves {
	uint64_t low, high;
};

/* The CPU's counter, as soon as the CPU likes. */
chronotick_inline struct chronotick_halves chronotick_counter_unordered(void)
{
	struct chronotick_halves counter = {0, 0};

#if defined(__x86_64__)
	__asm__ volatile("rdtsc" : "=a"(counter.low), "=d"(counter.high)::"memory");
#elif defined(__aarch64__)
	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(counter.low)::"memory");
#endif
	return counter; /* elsewhere every page is on a foreign counter, see chronotick_open() */
}

/*
 * The CPU's counter, read after all earlier loads; on arm64 after those that a branch depends on,
 * and those that are ordered before these: see chronotick_loads_end().
 */
chronotick_inline struct chronotick_halves chronotick_counter_ordered(void)
{
#if defined(__x86_64__)
	__asm__ volatile("lfence" ::: "memory");
#elif defined(__aarch64__)
	__asm__ volatile("isb" ::: "memory");
#endif
	return chronotick_counter_unordered();
}

/*
 * What a load and a branch on its value need before them, for an isb after them to hold up the
 * counter's read until all earlier loads are done. lfence does that alone.
 */
chronotick_inline void chronotick_loads_end(void)
{
#if defined(__aarch64__)
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
#endif
}

/*
 * The sequence once more, to be compared with the first. The fence keeps the data loads before it.
 * On arm64 neither that nor an isb keeps the counter's read before it: the address is made to
 * depend on the counter's value.
 */
chronotick_inline uint32_t chronotick_seq_again(const struct chronotick_clock *line,
						struct chronotick_halves counter)
{
	const uint32_t *seq = &line->seq;

	__atomic_thread_fence(__ATOMIC_ACQUIRE);
#if defined(__aarch64__)
	uint64_t zero;

	__asm__ volatile("eor %0, %1, %1" : "=r"(zero) : "r"(counter.low));
	seq = (const uint32_t *)((const char *)seq + zero);
#else
	(void)counter;
#endif
	return __atomic_load_n(seq, __ATOMIC_RELAXED);
}

/*
 * Fill in *ret from a copy of the line. passed: counts since the anchor, shifted left by
 * 64 - CHRONOTICK_MULT_SHIFT; the products are then in 2^-64 ns.
 */
chronotick_inline void chronotick_interval_set(struct chronotick_interval *ret, uint64_t passed,
					       const struct chronotick_clock *line)
{
	chronotick_u128 anchor = (chronotick_u128)line->utc_ns << 64 | line->utc_frac;
	uint64_t utc = (uint64_t)((anchor + (chronotick_u128)passed * line->mult) >> 64);
	uint64_t half = line->bound_ns + (uint64_t)((chronotick_u128)passed * line->growth >> 64);

	/* Unsigned to here: a page gone mad may overflow, which must not be undefined. */
	ret->earliest_ns = (int64_t)(utc - half);
	ret->utc_ns = (int64_t)utc;
	ret->latest_ns = (int64_t)(utc + half);
	ret->generation = CHRONOTICK_STATE_GENERATION(line->state);
	ret->status = CHRONOTICK_STATE_STATUS(line->state);
	ret->tai_offset_s = CHRONOTICK_STATE_TAI(line->state);
}

/*
 * All words of a line but its sequence, in the order in which the result needs them: after a
 * serialised counter read the CPU is held up by how fast it takes instructions in.
 */
chronotick_inline void chronotick_clock_load(struct chronotick_clock *copy,
					     const struct chronotick_clock *line)
{
	copy->anchor = __atomic_load_n(&line->anchor, __ATOMIC_RELAXED);
	copy->mult = __atomic_load_n(&line->mult, __ATOMIC_RELAXED);
	copy->utc_frac = __atomic_load_n(&line->utc_frac, __ATOMIC_RELAXED);
	copy->utc_ns = __atomic_load_n(&line->utc_ns, __ATOMIC_RELAXED);
	copy->growth = __atomic_load_n(&line->growth, __ATOMIC_RELAXED);
	copy->bound_ns = __atomic_load_n(&line->bound_ns, __ATOMIC_RELAXED);
	copy->span = __atomic_load_n(&line->span, __ATOMIC_RELAXED);
	copy->state = __atomic_load_n(&line->state, __ATOMIC_RELAXED);
}

/*
 * Where in the program a read of "now" begins (type 1) and its last load of the line has been (type
 * 2), as notes of the ELF file, which no instruction and no memory is spent on. A tracer tells by
 * them that a thread was stopped in a read, see Documentation/tracing.md. CHRONOTICK_NO_RANGES leaves
 * them out.
 */
#if defined(__ELF__) && (defined(__x86_64__) || defined(__aarch64__)) &&                           \
	!defined(CHRONOTICK_NO_RANGES)
#define CHRONOTICK_MARK(type)                                                                      \
	__asm__ __volatile__ __inline__("9900:\n\t"                                                \
					".pushsection .note.chronotick,\"?\",\"note\"\n\t"         \
					".balign 4\n\t"                                            \
					".4byte 11, 8, " #type "\n\t"                              \
					".asciz \"chronotick\"\n\t"                                \
					".balign 4\n\t"                                            \
					".8byte 9900b\n\t"                                         \
					".popsection")
#else
#define CHRONOTICK_MARK(type) ((void)0)
#endif

chronotick_inline int chronotick_read_fast(const struct chronotick *ct,
					   enum chronotick_read_mode mode, uint64_t at,
					   struct chronotick_interval *ret)
{
	const struct chronotick_clock *line = &ct->clock;
	struct chronotick_halves counter = {at, 0};
	struct chronotick_clock copy;
	uint32_t seq, again;

	if (mode == CHRONOTICK_READ_ORDERED)
		chronotick_loads_end();
	if (mode != CHRONOTICK_READ_AT)
		CHRONOTICK_MARK(1);
	seq = __atomic_load_n(&line->seq, __ATOMIC_ACQUIRE);
	if (__builtin_expect(seq & 1, 0))
		return chronotick_read_slow(
			ct, (enum chronotick_read_mode)(mode | CHRONOTICK_READ_ODD), at, ret);
	if (mode == CHRONOTICK_READ_ORDERED)
		counter = chronotick_counter_ordered();
	else if (mode == CHRONOTICK_READ_UNORDERED)
		counter = chronotick_counter_unordered();
	chronotick_clock_load(&copy, line);
	counter.low -= copy.anchor;
	again = chronotick_seq_again(line, counter);
	if (mode != CHRONOTICK_READ_AT)
		CHRONOTICK_MARK(2);
	if (__builtin_expect(again != seq || counter.low + (counter.high << 32) > copy.span, 0))
		return chronotick_read_slow(ct, mode, at, ret);
	/* Only a caller can name the anchor itself, where a span of 0 would pass. */
	if (mode == CHRONOTICK_READ_AT && __builtin_expect(!copy.span, 0))
		return chronotick_read_slow(ct, mode, at, ret);
	chronotick_interval_set(ret, (counter.low << 10) + (counter.high << 42), &copy);
	return 0;
}

chronotick_inline int chronotick_now(const struct chronotick *ct, struct chronotick_interval *ret)
{
	return chronotick_read_fast(ct, CHRONOTICK_READ_ORDERED, 0, ret);
}

chronotick_inline int chronotick_now_unordered(const struct chronotick *ct,
					       struct chronotick_interval *ret)
{
	return chronotick_read_fast(ct, CHRONOTICK_READ_UNORDERED, 0, ret);
}

chronotick_inline int chronotick_at(const struct chronotick *ct, uint64_t counter,
				    struct chronotick_interval *ret)
{
	return chronotick_read_fast(ct, CHRONOTICK_READ_AT, counter, ret);
}

#endif /* CHRONOTICK_READ_H */
