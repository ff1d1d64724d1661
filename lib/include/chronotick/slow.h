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
	int native = chronotick_kind_is_native(own->kind), r;
	uint64_t since = native ? chronotick_torn_clock(own->kind) : 0;
	struct chronotick_taken taken;

	r = chronotick_take(&taken, own, (enum chronotick_read_mode)(mode & ~CHRONOTICK_READ_ODD),
			    at);
	/* Had the first line been whole, the fast path had taken it. */
	if (native && (taken.torn || taken.counter - taken.line.anchor < taken.line.span))
		chronotick_torn_tell(r < 0                        ? CHRONOTICK_TORN_LOST
				     : mode & CHRONOTICK_READ_ODD ? CHRONOTICK_TORN_ODD
								  : CHRONOTICK_TORN_CHANGED,
				     taken.looks, own->kind, since, taken.line.mult);
	else
		chronotick_taken_count(&taken, own, r);
	if (r < 0)
		return chronotick_lost(ret);
	if ((mode & ~CHRONOTICK_READ_ODD) != CHRONOTICK_READ_AT)
		return chronotick_now_evaluate(&taken, ret);
	return chronotick_line_evaluate(&taken.line, taken.counter, taken.generation_start, ret);
}

#endif /* CHRONOTICK_SLOW_H */
