/* SPDX-License-Identifier: MIT */
/* The inline reads as symbols, for languages that cannot inline C. */
#include <chronotick/chronotick.h>

int chronotick_now_fn(const struct chronotick *ct, struct chronotick_interval *ret)
{
	return chronotick_now(ct, ret);
}

int chronotick_now_unordered_fn(const struct chronotick *ct, struct chronotick_interval *ret)
{
	return chronotick_now_unordered(ct, ret);
}

int chronotick_at_fn(const struct chronotick *ct, uint64_t counter, struct chronotick_interval *ret)
{
	return chronotick_at(ct, counter, ret);
}
