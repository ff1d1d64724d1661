/* SPDX-License-Identifier: MIT */
/* What is computed from intervals alone. Include <chronotick/chronotick.h>, not this file. */
#ifndef CHRONOTICK_INTERVAL_H
#define CHRONOTICK_INTERVAL_H

/*
 * The most that times of different generations may be apart without one knowing of a leap second
 * between them: one of the two may count a second that the other does not.
 */
#define CHRONOTICK_LEAP_NS 1000000000

/* Is all of `a` more than `margin` before all of `b`, b being taken `ahead` ns later than it says? */
chronotick_inline int chronotick_precedes(const struct chronotick_interval *a,
					  const struct chronotick_interval *b, int64_t ahead,
					  int64_t margin)
{
	/* An end that is open is nowhere, on TAI as on UTC. */
	if (a->latest_ns == INT64_MAX || b->earliest_ns == INT64_MIN)
		return 0;
	/* In 128 bits: an end may be near those of 64. */
	return (__extension__(__int128) a->latest_ns) + margin <
	       (__extension__(__int128) b->earliest_ns) + ahead;
}

chronotick_inline enum chronotick_order chronotick_compare(const struct chronotick_interval *a,
							   const struct chronotick_interval *b)
{
	int64_t ahead = 0, margin = 0;
	int before, after;

	if (a->tai_offset_s != CHRONOTICK_TAI_UNKNOWN && b->tai_offset_s != CHRONOTICK_TAI_UNKNOWN)
		ahead = ((int64_t)b->tai_offset_s - a->tai_offset_s) * 1000000000;
	else if (a->generation != b->generation)
		margin = CHRONOTICK_LEAP_NS;
	before = chronotick_precedes(a, b, ahead, margin);
	after = chronotick_precedes(b, a, -ahead, margin);
	/* What is both is no pair of intervals, but two of a page gone mad. */
	return (enum chronotick_order)(after - before);
}

chronotick_inline int chronotick_interval_tai(const struct chronotick_interval *interval,
					      struct chronotick_tai *ret)
{
	int64_t offset_ns = (int64_t)interval->tai_offset_s * 1000000000;
	int known = interval->tai_offset_s != CHRONOTICK_TAI_UNKNOWN;

	/* Half-open ends stay open; the sums are unsigned, for a page gone mad. */
	ret->earliest_ns = INT64_MIN;
	ret->latest_ns = INT64_MAX;
	ret->tai_ns = 0;
	if (!known)
		return -ENODATA;
	ret->tai_ns = (int64_t)((uint64_t)interval->utc_ns + (uint64_t)offset_ns);
	if (interval->earliest_ns != INT64_MIN)
		ret->earliest_ns = (int64_t)((uint64_t)interval->earliest_ns + (uint64_t)offset_ns);
	if (interval->latest_ns != INT64_MAX)
		ret->latest_ns = (int64_t)((uint64_t)interval->latest_ns + (uint64_t)offset_ns);
	return 0;
}

/* `r`, the return value of the read that filled in the interval, unless it is too wide. */
chronotick_inline int chronotick_within(int r, const struct chronotick_interval *interval,
					int64_t max_bound_ns)
{
	uint64_t half = (uint64_t)interval->latest_ns - (uint64_t)interval->utc_ns;

	if (r == 0 && (max_bound_ns < 0 || half > (uint64_t)max_bound_ns))
		return -EOVERFLOW;
	return r;
}

chronotick_inline int chronotick_now_within(const struct chronotick *ct, int64_t max_bound_ns,
					    struct chronotick_interval *ret)
{
	int r = chronotick_now(ct, ret);

	return chronotick_within(r, ret, max_bound_ns);
}

chronotick_inline int chronotick_at_within(const struct chronotick *ct, uint64_t counter,
					   int64_t max_bound_ns, struct chronotick_interval *ret)
{
	int r = chronotick_at(ct, counter, ret);

	return chronotick_within(r, ret, max_bound_ns);
}

#endif /* CHRONOTICK_INTERVAL_H */
