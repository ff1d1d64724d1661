/* SPDX-License-Identifier: MIT */
/* The inline functions as symbols, for languages that cannot inline C. */
#include <chronotick/chronotick.h>

int chronotick_now_fn(const struct chronotick *ct, struct chronotick_interval *ret)
{
	return chronotick_now(ct, ret);
}

int chronotick_now_unordered_fn(const struct chronotick *ct, struct chronotick_interval *ret)
{
	return chronotick_now_unordered(ct, ret);
}

int chronotick_now_within_fn(const struct chronotick *ct, int64_t max_bound_ns,
			     struct chronotick_interval *ret)
{
	return chronotick_now_within(ct, max_bound_ns, ret);
}

int chronotick_at_fn(const struct chronotick *ct, uint64_t counter, struct chronotick_interval *ret)
{
	return chronotick_at(ct, counter, ret);
}

int chronotick_at_within_fn(const struct chronotick *ct, uint64_t counter, int64_t max_bound_ns,
			    struct chronotick_interval *ret)
{
	return chronotick_at_within(ct, counter, max_bound_ns, ret);
}

enum chronotick_order chronotick_compare_fn(const struct chronotick_interval *a,
					    const struct chronotick_interval *b)
{
	return chronotick_compare(a, b);
}

int chronotick_interval_tai_fn(const struct chronotick_interval *interval,
			       struct chronotick_tai *ret)
{
	return chronotick_interval_tai(interval, ret);
}
