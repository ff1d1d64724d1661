/* SPDX-License-Identifier: MIT */
/*
 * Bounds: intervals of rate, what they make of an offset over time, and the half-width's terms.
 *
 * The promise rests on two limits of the oscillator. With r(t) the rate of UTC minus raw time at t:
 *
 *	|r(t)| <= max_drift
 *	|r(t) - r(u)| <= the greater of steady * max(1, |t - u| / BOUND_WANDER_WINDOW_NS)
 *				     and walk * sqrt(|t - u|)
 *
 * max_drift and the least that steady can be are configured; an oscillator that turns out to be
 * worse is given more (steer.h).
 *
 * So a mean rate over a window binds the rate at any t by the wander between t and that end of the
 * window which is farther from it.
 *
 * Everything here rounds outwards.
 */
#ifndef ENGINE_BOUND_H
#define ENGINE_BOUND_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

/* Rates are integers of 2^-50: ns of UTC minus raw time per ns of raw time */
#define RATE_SHIFT 50
#define RATE_ONE ((int64_t)1 << RATE_SHIFT)

/* Within this time (18 minutes) the rate stays within `wander`; over longer ones it is in ratio */
#define BOUND_WANDER_SHIFT 40
#define BOUND_WANDER_WINDOW_NS ((int64_t)1 << BOUND_WANDER_SHIFT)

struct rate_interval {
	int64_t lo, hi;
};

/* How far the rate may move */
struct wander {
	int64_t steady; /* within BOUND_WANDER_WINDOW_NS; over longer times in ratio */
	double walk; /* 2^-50 within 1 ns; over longer times with their square root; 0: no more */
};

/* The bound's terms at the correction's counter value; their sum is the half-width, ns. */
struct bound {
	int64_t total_ns;
	int64_t root_ns;         /* root delay / 2 + root dispersion of the sources that set it */
	int64_t root_delay_ns;   /* of root_ns, half the root delay */
	int64_t delay_ns;        /* delay / 2 of the exchange */
	int64_t dispersion_ns;   /* precision, stamps and cross-timestamps of the exchange */
	int64_t stamps_ns;       /* of dispersion_ns, stamps and cross-timestamps */
	int64_t ageing_ns;       /* drift and wander since the exchange */
	int64_t disagreement_ns; /* of the estimate from the sample that set the bound */
	uint64_t growth;         /* of total_ns from here on, 2^-54 ns per count */
};

/*
 * A published half-width, term by term, ns, each at least 0: those of the correction that it was
 * made of, and what publication adds. Their sum is the line's bound_ns.
 */
struct bound_terms {
	int64_t root_delay_ns;      /* half of the sources' own root delay */
	int64_t root_dispersion_ns; /* what they say they may err beyond that */
	int64_t delay_ns;           /* half of the exchange's round trip */
	int64_t dispersion_ns;      /* precision, and the counter's rate during the exchange */
	int64_t stamps_ns;          /* stamps and cross-timestamps of the exchange */
	int64_t ageing_ns;          /* drift and wander since the exchange, up to the anchor */
	int64_t disagreement_ns;    /* of the estimate from the sample that set the bound */
	int64_t slew_ns;            /* what of a correction is still to be worked off */
	int64_t step_ns;            /* of the counter */
	int64_t rounding_ns;        /* of the line and of reads */
};

static inline int64_t bound_terms_sum(const struct bound_terms *terms)
{
	return terms->root_delay_ns + terms->root_dispersion_ns + terms->delay_ns +
	       terms->dispersion_ns + terms->stamps_ns + terms->ageing_ns + terms->disagreement_ns +
	       terms->slew_ns + terms->step_ns + terms->rounding_ns;
}

/* ppb as a rate, rounded up. */
static inline int64_t rate_from_ppb(uint32_t ppb)
{
	return (int64_t)(((__int128)ppb * RATE_ONE + 999999999) / 1000000000);
}

/* rate * ns, rounded down; |rate| <= 2^60. */
static inline int64_t rate_times_floor(int64_t rate, int64_t ns)
{
	return (int64_t)(((__int128)rate * ns) >> RATE_SHIFT);
}

/* rate * ns, rounded up. */
static inline int64_t rate_times_ceil(int64_t rate, int64_t ns)
{
	return -rate_times_floor(-rate, ns);
}

/* How far the rate may move within age_ns >= 0; at most RATE_ONE. */
static inline int64_t rate_wander(const struct wander *wander, int64_t age_ns)
{
	__int128 moved = age_ns <= BOUND_WANDER_WINDOW_NS
				 ? wander->steady
				 : (((__int128)wander->steady * age_ns) >> BOUND_WANDER_SHIFT) + 1;

	if (wander->walk > 0) {
		double walked = wander->walk * sqrt((double)age_ns);

		if (walked > (double)moved)
			moved = walked < (double)RATE_ONE ? (__int128)walked + 1 : RATE_ONE;
	}
	return moved < RATE_ONE ? (int64_t)moved : RATE_ONE;
}

/* Narrow *a to what it has in common with b; may leave it empty (lo > hi). */
static inline void rate_intersect(struct rate_interval *a, struct rate_interval b)
{
	if (b.lo > a->lo)
		a->lo = b.lo;
	if (b.hi < a->hi)
		a->hi = b.hi;
}

/* The rate in it that is nearest to one in ns/s; it must not be empty. */
static inline int64_t rate_inside(struct rate_interval rate, double ns_s)
{
	double value = 1e-9 * ns_s * (double)RATE_ONE;

	return value < (double)rate.lo   ? rate.lo
	       : value > (double)rate.hi ? rate.hi
					 : (int64_t)value;
}

static inline struct rate_interval rate_widen(struct rate_interval a, int64_t by)
{
	return (struct rate_interval){a.lo - by, a.hi + by};
}

/* An offset interval, ns */
struct offset_interval {
	int64_t lo, hi;
};

/*
 * What an offset of `offset` +- `error` has become age_ns later (or, if negative, earlier), the
 * mean rate in between lying in `rate`.
 */
static inline struct offset_interval bound_project(int64_t offset, int64_t error,
						   struct rate_interval rate, int64_t age_ns)
{
	int64_t slow = age_ns >= 0 ? rate.lo : rate.hi;
	int64_t fast = age_ns >= 0 ? rate.hi : rate.lo;

	return (struct offset_interval){
		offset - error + rate_times_floor(slow, age_ns),
		offset + error + rate_times_ceil(fast, age_ns),
	};
}

/*
 * Growth of the half-width in 2^-54 ns per count, rounded up, of a line that runs at `used` while
 * the true rate lies in `rate`. mult: raw ns per count, 2^-54 ns. One unit more covers the rounding
 * of the line's own mult.
 */
uint64_t bound_growth(struct rate_interval rate, int64_t used, uint64_t mult);

/* Growth over a distance in counts, ns, rounded up; saturates at INT64_MAX / 2. */
int64_t bound_grown(uint64_t growth, uint64_t counts);

/*
 * Tell a half-width of total_ns apart. `terms` holds the root, delay, dispersion and ageing terms
 * of the sample whose interval gave the farther end of the selected interval. What total_ns has
 * beyond their sum is disagreement: the estimate lies beside that sample. If it is less, the
 * sources together are better than that sample, and its terms shrink in proportion.
 */
void bound_attribute(struct bound *terms, int64_t total_ns);

/* The bound by_ns later in its life: all of it is ageing. */
void bound_age(struct bound *bound, int64_t by_ns);

#endif /* ENGINE_BOUND_H */
