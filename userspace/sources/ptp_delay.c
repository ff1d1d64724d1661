/* SPDX-License-Identifier: MIT */
#include "sources/ptp_delay.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define NS_PER_S 1000000000LL

#define RATE_MAX 500e-6  /* no oscillator is off by more, nor the clock of a master */
#define RATE_WANDER 2e-6 /* while it is being measured */
#define RATE_WANDER_S 2e-7
#define RATE_LEAST_NS (NS_PER_S / 2) /* between two points; nearer ones say too little */
#define RATE_AGE_NS (100 * NS_PER_S)
#define POINT_APART_NS NS_PER_S

#define APART_MAX_NS (60 * NS_PER_S)
#define LEAST_TURN 64
#define LEAST_PART 0.5     /* of what most wait */
#define LEAST_PART_FEW 5.0 /* ... and of it beyond that, with the first one */
#define LEAST_KNOWN 16
#define MEAN_OF 16

/* The age-th newest */
static const struct ptp_rate_point *point_at(const struct ptp_rate *rate, unsigned int age)
{
	return &rate->points[(rate->next + PTP_RATE_POINTS - 1 - age) % PTP_RATE_POINTS];
}

/* Offsets are larger than what a double holds to the nanosecond, their differences are not. */
static double moved(int64_t to_ns, int64_t from_ns)
{
	return (double)((__int128)to_ns - from_ns);
}

/* What the pairs say. Returns false if they contradict each other. */
static bool rate_between(const struct ptp_rate *rate, int64_t raw_ns, struct ptp_rate_range *ret)
{
	const struct ptp_rate_point *newest = point_at(rate, 0);
	double lo = -RATE_MAX, hi = RATE_MAX;
	unsigned int i;

	for (i = 1; i < rate->count; i++) {
		const struct ptp_rate_point *old = point_at(rate, i);
		double age_ns = fabs((double)(raw_ns - old->raw_ns));
		double apart_ns = (double)(newest->raw_ns - old->raw_ns);
		double wander = RATE_WANDER + RATE_WANDER_S * 1e-9 * age_ns;

		if (apart_ns < RATE_LEAST_NS || age_ns > RATE_AGE_NS)
			continue;
		lo = fmax(lo, moved(newest->lo_ns, old->hi_ns) / apart_ns - wander);
		hi = fmin(hi, moved(newest->hi_ns, old->lo_ns) / apart_ns + wander);
	}
	*ret = (struct ptp_rate_range){(lo + hi) / 2, (hi - lo) / 2};
	return lo <= hi;
}

void ptp_rate_add(struct ptp_rate *rate, int64_t raw_ns, int64_t lo_ns, int64_t hi_ns)
{
	const struct ptp_rate_point new = {raw_ns, lo_ns, hi_ns};
	struct ptp_rate_range range;

	/* The newest place is for the newest; those before it stay apart. */
	if (rate->count >= 2 &&
	    point_at(rate, 0)->raw_ns - point_at(rate, 1)->raw_ns < POINT_APART_NS)
		rate->next = (rate->next + PTP_RATE_POINTS - 1) % PTP_RATE_POINTS;
	else if (rate->count < PTP_RATE_POINTS)
		rate->count++;
	rate->points[rate->next] = new;
	rate->next = (rate->next + 1) % PTP_RATE_POINTS;
	if (!rate_between(rate, raw_ns, &range)) /* the other clock has stepped */
		rate->count = 1;
}

struct ptp_rate_range ptp_rate_at(const struct ptp_rate *rate, int64_t raw_ns)
{
	struct ptp_rate_range ret;

	if (rate->count == 0 || !rate_between(rate, raw_ns, &ret))
		return (struct ptp_rate_range){0, RATE_MAX};
	return ret;
}

int ptp_offset_between(struct ptp_offset *ret, const struct ptp_limit *forth,
		       const struct ptp_limit *back, struct ptp_rate_range rate)
{
	int64_t apart_ns = back->raw_ns - forth->raw_ns, delay_ns, unknown_ns;
	double moved_ns = rate.mid * (double)apart_ns;

	if (apart_ns > APART_MAX_NS || apart_ns < -APART_MAX_NS ||
	    __builtin_sub_overflow(back->offset_ns, forth->offset_ns, &delay_ns))
		return -ERANGE;
	ret->raw_ns = forth->raw_ns + apart_ns / 2;
	ret->offset_ns = forth->offset_ns + delay_ns / 2;
	if (delay_ns > APART_MAX_NS || delay_ns < -APART_MAX_NS)
		return -ERANGE;
	delay_ns -= llrint(moved_ns);
	ret->stamps_ns = forth->error_ns > back->error_ns ? forth->error_ns : back->error_ns;
	unknown_ns = (int64_t)ceil(rate.half * fabs((double)apart_ns));
	ret->dispersion_ns = ret->stamps_ns + (unknown_ns + 1) / 2 + 2;
	if (delay_ns < -2 * ret->dispersion_ns)
		return -ERANGE;
	ret->delay_ns = delay_ns > 0 ? delay_ns : 1;
	return 0;
}

int64_t ptp_least_add(struct ptp_least *least, int64_t delay_ns)
{
	double part;
	int64_t ret;

	if (least->count == LEAST_TURN) {
		least->before_ns = least->now_ns;
		least->has_before = true;
		least->count = 0;
	}
	if (least->count++ == 0 || delay_ns < least->now_ns)
		least->now_ns = delay_ns;
	if (!least->has_before && least->count == 1)
		least->mean_ns = (double)delay_ns;
	least->mean_ns += ((double)delay_ns - least->mean_ns) / MEAN_OF;
	ret = least->has_before && least->before_ns < least->now_ns ? least->before_ns
								    : least->now_ns;
	/* The least of a few may have waited, too. */
	part = LEAST_PART;
	if (!least->has_before)
		part += LEAST_PART_FEW * (1 - (double)least->count / LEAST_TURN);
	return ret - (int64_t)(fmax(least->mean_ns - (double)ret, 0) * part);
}

bool ptp_least_is_known(const struct ptp_least *least)
{
	return least->has_before || least->count >= LEAST_KNOWN;
}

int64_t ptp_allowed_delay_ns(int64_t one_way_ns, int64_t least_ns, int64_t asymmetry_ns,
			     int64_t max_ns)
{
	int64_t all_ns = one_way_ns + (asymmetry_ns < 0 ? -asymmetry_ns : asymmetry_ns);
	int64_t waited_ns = one_way_ns > least_ns ? one_way_ns - least_ns : 0;
	int64_t allowed_ns = all_ns;

	if (max_ns >= 0 && max_ns + waited_ns < all_ns)
		allowed_ns = max_ns + waited_ns;
	return allowed_ns > 0 ? 2 * allowed_ns : 1;
}
