/* SPDX-License-Identifier: MIT */
/* Whatever is out of the ordinary in a read. Include <chronotick/chronotick.h>, not this file. */
#ifndef CHRONOTICK_SLOW_H
#define CHRONOTICK_SLOW_H

#include "take.h"

CHRONOTICK_API uint64_t chronotick_counter(const struct chronotick *ct)
{
	return chronotick_counter_of(chronotick_private_of(ct)->kind, CHRONOTICK_READ_ORDERED);
}

CHRONOTICK_API uint64_t chronotick_torn_reads(void)
{
	return chronotick_torn_count;
}

CHRONOTICK_API __attribute__((noinline, cold)) int chronotick_read_slow(
	const struct chronotick *ct, enum chronotick_read_mode mode, uint64_t at,
	struct chronotick_interval *ret)
{
	const struct chronotick_private *own = chronotick_private_of(ct);
	struct chronotick_taken taken;

	if (chronotick_take(&taken, own, mode, at) < 0) {
		chronotick_torn_count++;
		return chronotick_lost(ret);
	}
	/* Had the first line been whole, the fast path had taken it. */
	chronotick_torn_count += taken.torn | (chronotick_kind_is_native(own->kind) &&
					       taken.counter - taken.line.anchor < taken.line.span);
	if (mode != CHRONOTICK_READ_AT)
		return chronotick_now_evaluate(&taken, ret);
	return chronotick_line_evaluate(&taken.line, taken.counter, taken.generation_start, ret);
}

#endif /* CHRONOTICK_SLOW_H */
