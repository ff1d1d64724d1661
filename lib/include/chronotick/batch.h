/* SPDX-License-Identifier: MIT */
/* Many counter values under one line. Include <chronotick/chronotick.h>, not this file. */
#ifndef CHRONOTICK_BATCH_H
#define CHRONOTICK_BATCH_H

#include "take.h"

CHRONOTICK_API int chronotick_at_batch(const struct chronotick *ct, const uint64_t *counters,
				       size_t count, struct chronotick_interval *ret, int *results)
{
	const unsigned int shift = 64 - CHRONOTICK_MULT_SHIFT;
	struct chronotick_taken taken;
	uint64_t passed;
	int first = 0, lost, r;
	size_t i;

	lost = chronotick_take(&taken, chronotick_private_of(ct), CHRONOTICK_READ_AT, 0);
	chronotick_torn_count += taken.torn;
	for (i = 0; i < count; i++) {
		passed = counters[i] - taken.line.anchor;
		if (__builtin_expect(lost || !taken.line.span || passed > taken.line.span, 0)) {
			r = lost ? chronotick_lost(&ret[i])
				 : chronotick_line_evaluate(&taken.line, counters[i],
							    taken.generation_start, &ret[i]);
			if (!first)
				first = r;
		} else {
			chronotick_interval_set(&ret[i], passed << shift, &taken.line);
			r = 0;
		}
		if (results)
			results[i] = r;
	}
	return first;
}

#endif /* CHRONOTICK_BATCH_H */
