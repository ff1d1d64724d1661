/* SPDX-License-Identifier: MIT */
/* Taking a whole line, and answering from it. Include <chronotick/chronotick.h>, not this file. */
#ifndef CHRONOTICK_TAKE_H
#define CHRONOTICK_TAKE_H

#include "handle.h"
#include "probe.h"

/*
 * A writer leaves each line whole for longer than a read takes, so even under one that never
 * rests a handful of tries do; the limit is there for a page gone mad.
 */
#define CHRONOTICK_TRIES 4096

/*
 * So far before a line's anchor a counter may be read under it: CPUs' counters are that much apart
 * at most.
 */
#define CHRONOTICK_BACK_NS 1000000000

/* A line that was whole, with what belongs to it */
struct chronotick_taken {
	struct chronotick_clock line;
	uint64_t counter; /* read between the sequences, or as given */
	uint64_t generation_start;
	unsigned int torn;                   /* was a line met that was being written? */
	unsigned int looks;                  /* at a line */
	enum chronotick_torn_kind torn_kind; /* of the first such line */
	uint64_t torn_since;                 /* chronotick_torn_clock() when it was met */
};

/*
 * Take a line in the slow way: those of [0] and [1] in turn, a bounded number of times. at: the
 * counter value, with CHRONOTICK_READ_AT only. Returns 0, or -ESTALE if none was whole: the line is
 * then one of zeros.
 */
static inline int chronotick_take(struct chronotick_taken *ret,
				  const struct chronotick_private *own,
				  enum chronotick_read_mode mode, uint64_t at)
{
	const struct chronotick_page *page = own->page;
	unsigned int tries;

	memset(ret, 0, sizeof(*ret));
	for (tries = 0; tries < CHRONOTICK_TRIES; tries++) {
		/*
		 * [0] first: it is never older than [1], so whoever has had an answer from it gets
		 * none from [1] that is older. [1] only while [0] is odd, from before the counter is
		 * read until after: so the counter is from before the join with the line in [0].
		 */
		const struct chronotick_clock *first = &page->clock[0];
		const struct chronotick_clock *line = &page->clock[tries & 1];
		struct chronotick_halves counter = {at, 0};
		struct chronotick_clock copy;
		uint64_t start;
		uint32_t first_seq, seq;

		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		first_seq = __atomic_load_n(&first->seq, __ATOMIC_ACQUIRE);
		if (line != first && !(first_seq & 1))
			continue;
		ret->looks++;
		seq = line == first ? first_seq : __atomic_load_n(&line->seq, __ATOMIC_ACQUIRE);
		if (!(seq & 1)) {
			if (mode != CHRONOTICK_READ_AT)
				counter.low = chronotick_counter_of(own->kind, mode);
			chronotick_clock_load(&copy, line);
			start = __atomic_load_n(&page->header.generation_start, __ATOMIC_RELAXED);
			if (chronotick_seq_again(line, counter) == seq &&
			    chronotick_seq_again(first, counter) == first_seq) {
				copy.seq = seq;
				ret->line = copy;
				ret->counter = counter.low;
				ret->generation_start = start;
				return 0;
			}
		}
		if (!ret->torn) {
			ret->torn = 1;
			ret->torn_kind = seq & 1 ? CHRONOTICK_TORN_ODD : CHRONOTICK_TORN_CHANGED;
			ret->torn_since = chronotick_torn_clock(own->kind);
		}
	}
	return -ESTALE;
}

/* Count what was torn in a chronotick_take() that returned r. */
static inline void chronotick_taken_count(const struct chronotick_taken *taken,
					  const struct chronotick_private *own, int r)
{
	if (taken->torn)
		chronotick_torn_tell(r < 0 ? CHRONOTICK_TORN_LOST : taken->torn_kind,
				     taken->looks - 1, own->kind, taken->torn_since,
				     taken->line.mult);
}

/* Nothing is known: the widest interval. */
static inline int chronotick_unknown(struct chronotick_interval *ret, uint16_t status, int error)
{
	ret->earliest_ns = INT64_MIN;
	ret->latest_ns = INT64_MAX;
	ret->status = (uint16_t)((ret->status & CHRONOTICK_LEAP_MASK) | status);
	return error;
}

/* The answer where no line was whole. */
static inline int chronotick_lost(struct chronotick_interval *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->tai_offset_s = CHRONOTICK_TAI_UNKNOWN;
	return chronotick_unknown(ret, CHRONOTICK_EXPIRED, -ESTALE);
}

/* What the line says at `before` counts before its anchor: the bound grows there as it does after. */
static inline void chronotick_interval_before(struct chronotick_interval *ret, uint64_t before,
					      const struct chronotick_clock *line)
{
	const uint64_t passed = before << (64 - CHRONOTICK_MULT_SHIFT);
	chronotick_u128 utc = (chronotick_u128)line->utc_ns << 64 | line->utc_frac;
	struct chronotick_clock mirrored = *line;

	utc -= (chronotick_u128)passed * line->mult;
	mirrored.utc_ns = (int64_t)(utc >> 64);
	mirrored.utc_frac = (uint64_t)utc;
	mirrored.mult = 0;
	chronotick_interval_set(ret, passed, &mirrored);
}

/* The answer of one whole line. */
static inline int chronotick_line_evaluate(const struct chronotick_clock *line, uint64_t counter,
					   uint64_t generation_start,
					   struct chronotick_interval *ret)
{
	const unsigned int shift = 64 - CHRONOTICK_MULT_SHIFT;
	uint64_t after = counter - line->anchor, before = line->anchor - counter, past_ns = 0;
	struct chronotick_clock still = *line;

	if (line->span && after <= line->span) {
		chronotick_interval_set(ret, after << shift, line);
		return 0;
	}
	if (before <= CHRONOTICK_SPAN_MAX) {
		chronotick_interval_before(ret, before, line);
		past_ns = (uint64_t)((chronotick_u128)(before << shift) * line->mult >> 64);
	} else if (after <= CHRONOTICK_SPAN_MAX) {
		chronotick_interval_set(ret, after << shift, line);
	} else {
		still.mult = 0;
		chronotick_interval_set(ret, 0, &still);
	}
	if ((ret->status & CHRONOTICK_STATUS_MASK) <= CHRONOTICK_WARMING_UP)
		return chronotick_unknown(ret, ret->status & CHRONOTICK_STATUS_MASK, -EAGAIN);
	if (line->span == 0 || before > CHRONOTICK_SPAN_MAX)
		return chronotick_unknown(ret, CHRONOTICK_EXPIRED, -ESTALE);
	if ((int64_t)(counter - generation_start) < 0 || past_ns > CHRONOTICK_GROWTH_NS)
		return chronotick_unknown(ret, ret->status & CHRONOTICK_STATUS_MASK, -ERANGE);
	return 0;
}

/*
 * The same for a counter that was read just now. A line was there before it, so a counter far before
 * the line's anchor has gone back, as in a suspend: nothing is known of what it is worth.
 */
static inline int chronotick_now_evaluate(const struct chronotick_taken *taken,
					  struct chronotick_interval *ret)
{
	const struct chronotick_clock *line = &taken->line;
	uint64_t before = line->anchor - taken->counter;
	int r = chronotick_line_evaluate(line, taken->counter, taken->generation_start, ret);

	if (r == 0 && before - 1 < CHRONOTICK_SPAN_MAX &&
	    (chronotick_u128)before * line->mult >> CHRONOTICK_MULT_SHIFT > CHRONOTICK_BACK_NS)
		return chronotick_unknown(ret, CHRONOTICK_EXPIRED, -ESTALE);
	return r;
}

#endif /* CHRONOTICK_TAKE_H */
