/* SPDX-License-Identifier: MIT */
/* The three inline reads, each in a function of its own for one-cache-line to disassemble. */
#include <chronotick/chronotick.h>

_Static_assert(offsetof(struct chronotick_page, clock) % 64 == 0, "the line begins a cache line");
_Static_assert(sizeof(struct chronotick_clock) == 64, "the line is one cache line");

int fast_now(const struct chronotick *ct, struct chronotick_interval *ret);
int fast_now_unordered(const struct chronotick *ct, struct chronotick_interval *ret);
int fast_at(const struct chronotick *ct, struct chronotick_interval *ret, uint64_t counter);

int fast_now(const struct chronotick *ct, struct chronotick_interval *ret)
{
	return chronotick_now(ct, ret);
}

int fast_now_unordered(const struct chronotick *ct, struct chronotick_interval *ret)
{
	return chronotick_now_unordered(ct, ret);
}

int fast_at(const struct chronotick *ct, struct chronotick_interval *ret, uint64_t counter)
{
	return chronotick_at(ct, counter, ret);
}
