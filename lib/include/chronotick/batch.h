/* SPDX-License-Identifier: MIT */
/* Many counter values under one line. Include <chronotick/chronotick.h>, not this file. */
#ifndef CHRONOTICK_BATCH_H
#define CHRONOTICK_BATCH_H

#include "take.h"

/*
 * How many counts before its anchor the line may be trusted, but for where its growth ends, as
 * chronotick_line_evaluate() has it; 0 where that must be asked.
 */
static inline uint64_t chronotick_line_back(const struct chronotick_taken *taken)
{
	const struct chronotick_clock *line = &taken->line;
	uint64_t back = line->anchor - taken->generation_start;

	if ((CHRONOTICK_STATE_STATUS(line->state) & CHRONOTICK_STATUS_MASK) <=
		    CHRONOTICK_WARMING_UP ||
	    line->span == 0 || back > CHRONOTICK_SPAN_MAX)
		return 0;
	return back;
}

/*
 * One value after the other: most are before the anchor, as stamps of the past are, or after it.
 * The products are of 64 by 64 bits, for which there are no vectors.
 */
CHRONOTICK_API int chronotick_at_batch(const struct chronotick *ct, const uint64_t *counters,
				       size_t count, struct chronotick_interval *ret, int *results)
{
	const unsigned int shift = 64 - CHRONOTICK_MULT_SHIFT;
	struct chronotick_taken taken;
	uint64_t after, before, back;
	int first = 0, lost, r;
	size_t i;

	lost = chronotick_take(&taken, chronotick_private_of(ct), CHRONOTICK_READ_AT, 0);
	chronotick_taken_count(&taken, chronotick_private_of(ct), lost);
	back = chronotick_line_back(&taken);
	for (i = 0; i < count; i++) {
		after = counters[i] - taken.line.anchor;
		before = taken.line.anchor - counters[i];
		r = 0;
		if (after <= taken.line.span && taken.line.span) {
			chronotick_interval_set(&ret[i], after << shift, &taken.line);
		} else if (before - 1 < back && /* 0: the anchor, without a span */
			   (chronotick_u128)(before << shift) * taken.line.mult >> 64 <=
				   CHRONOTICK_GROWTH_NS) {
			chronotick_interval_before(&ret[i], before, &taken.line);
		} else {
			r = lost ? chronotick_lost(&ret[i])
				 : chronotick_line_evaluate(&taken.line, counters[i],
							    taken.generation_start, &ret[i]);
			if (!first)
				first = r;
		}
		if (results)
			results[i] = r;
	}
	return first;
}

#endif /* CHRONOTICK_BATCH_H */
