/* SPDX-License-Identifier: MIT */
#include "engine/ring.h"

#include <math.h>
#include <string.h>

static const struct rate_interval rate_unknown = {-RATE_ONE, RATE_ONE};

/* 0 is the oldest. */
static inline unsigned int anchor_index(const struct filter *filter, unsigned int place)
{
	return (filter->anchor_next + FILTER_ANCHORS - filter->anchor_count + place) %
	       FILTER_ANCHORS;
}

static inline const struct filter_entry *anchor_at(const struct filter *filter, unsigned int place)
{
	return &filter->anchors[anchor_index(filter, place)];
}

/* A rate in 2^-50 as a whole number, within what there is */
static int64_t rate_clamp(double rate)
{
	return rate > (double)RATE_ONE    ? RATE_ONE
	       : rate < -(double)RATE_ONE ? -RATE_ONE
					  : (int64_t)rate;
}

/*
 * What two samples say of the mean rate between them. Quotients of doubles are quick, and off by
 * less than a half in what is not clamped: up to 2^50, with 53 bits.
 */
static struct rate_interval pair_rate(const struct filter_entry *old,
				      const struct filter_entry *new)
{
	int64_t error = old->error_ns + new->error_ns, diff;
	double per_ns = (double)(new->raw_ns - old->raw_ns);

	/* Centuries apart: any number that is clamped below will do. */
	if (__builtin_sub_overflow(new->sample.offset_ns, old->sample.offset_ns, &diff) ||
	    diff > INT64_MAX / 2 || diff < -INT64_MAX / 2)
		diff = new->sample.offset_ns > old->sample.offset_ns ? INT64_MAX / 2
								     : -INT64_MAX / 2;

	return (struct rate_interval){
		rate_clamp(floor((double)(diff - error) * (double)RATE_ONE / per_ns) - 1),
		rate_clamp(ceil((double)(diff + error) * (double)RATE_ONE / per_ns) + 1),
	};
}

void ring_pairs(struct ring_pairs *ret, const struct filter *filter, const struct filter_entry *new)
{
	unsigned int i;

	for (i = 0; i < filter->count; i++)
		ret->entries[i] = pair_rate(&filter->entries[i], new);
	for (i = 0; i < filter->anchor_count; i++)
		ret->anchors[i] = pair_rate(&filter->anchors[i], new);
}

/* Where the rate lies without any sample, up to reach_ns after now_ns. */
static struct rate_interval rate_before(const struct filter *filter, int64_t now_ns,
					int64_t reach_ns, const struct filter_limits *limits,
					const struct wander *wander)
{
	struct rate_interval rate = {-limits->max_drift, limits->max_drift};
	const struct filter_prior *prior = &limits->prior;
	int64_t age = now_ns > prior->raw_ns ? now_ns - prior->raw_ns : 0;

	if (prior->sd_ns_s > 0 && !filter->disproved)
		rate_intersect(&rate, rate_widen(prior->rate, rate_wander(wander, age + reach_ns)));
	return rate;
}

/* Can what is widened by the wander, over however long, not narrow *rate? */
static inline bool rate_is_within(const struct rate_interval *rate, struct rate_interval by,
				  const struct wander *wander)
{
	return by.lo - wander->steady <= rate->lo && by.hi + wander->steady >= rate->hi;
}

/*
 * Narrow *rate to what the pairs that begin with an entry say of it, see rate_from_to(). Do newer
 * ones say more yet?
 */
static inline bool rate_narrow(struct rate_interval *rate, const struct filter_entry *entry,
			       int64_t from_ns, int64_t to_ns, int64_t reach_ns,
			       const struct wander *wander)
{
	int64_t began = entry->raw_ns < from_ns ? entry->raw_ns : from_ns;

	if (rate_is_within(rate, entry->newer, wander))
		return false;
	if (!rate_is_within(rate, entry->rate, wander))
		rate_intersect(rate, rate_widen(entry->rate,
						rate_wander(wander, to_ns - began + reach_ns)));
	return true;
}

/*
 * The rate from from_ns to to_ns and reach_ns beyond each of them. Any instant of it is no farther
 * from any of a pair's window than reach_ns more than the earlier of from_ns and the window's
 * beginning is from to_ns.
 */
static struct rate_interval rate_from_to(const struct filter *filter, int64_t from_ns,
					 int64_t to_ns, int64_t reach_ns,
					 const struct filter_limits *limits)
{
	struct rate_interval limit = {-limits->max_drift, limits->max_drift};
	struct rate_interval rate = rate_before(filter, to_ns, reach_ns, limits, &limits->wander);
	const struct wander *wander = &limits->wander;
	unsigned int i;
	bool more = true;

	/* The oldest say most, and then the others nothing more. */
	for (i = 0; i < filter->anchor_count && more; i++)
		more = rate_narrow(&rate, anchor_at(filter, i), from_ns, to_ns, reach_ns, wander);
	for (i = filter->count; i-- > 1 && more;)
		more = rate_narrow(&rate, entry_at(filter, i), from_ns, to_ns, reach_ns, wander);
	return rate.lo <= rate.hi ? rate : limit;
}

struct rate_interval filter_rate(const struct filter *filter, int64_t now_ns,
				 const struct filter_limits *limits)
{
	return rate_from_to(filter, now_ns, now_ns, BOUND_WANDER_WINDOW_NS, limits);
}

/* Is the wander the same over all times up to age_ns? */
static bool wander_is_even(const struct wander *wander, int64_t age_ns)
{
	return wander->walk <= 0 && age_ns <= BOUND_WANDER_WINDOW_NS;
}

struct filter_interval filter_interval(const struct filter *filter, int64_t now_ns,
				       const struct filter_limits *limits)
{
	struct rate_interval rate = rate_from_to(filter, now_ns, now_ns, 0, limits);
	double half = (double)(rate.hi - rate.lo) / 2 / (double)RATE_ONE, least = INFINITY;
	struct filter_interval ret = {.best = NULL};
	unsigned int i;
	int64_t age;

	/* Which is best need not be told to the last digit. */
	for (i = 0; i < filter->candidate_count; i++) {
		const struct filter_entry *entry = entry_at(filter, filter->candidates[i]);
		double lambda =
			(double)entry->error_ns + half * fabs((double)(now_ns - entry->raw_ns));

		if (lambda < least) {
			least = lambda;
			ret.best = entry;
		}
	}
	age = now_ns - ret.best->raw_ns;
	if (age < 0)
		rate = rate_from_to(filter, now_ns, ret.best->raw_ns, 0, limits);
	else if (!wander_is_even(&limits->wander, age))
		rate = rate_from_to(filter, ret.best->raw_ns, now_ns, 0, limits);
	ret.offset = bound_project(ret.best->sample.offset_ns, ret.best->error_ns, rate, age);
	ret.distance_ns = (ret.offset.hi - ret.offset.lo + 1) / 2;
	return ret;
}

/* ... at the time of a new entry, with the pair that they make */
static inline void rate_narrow_by_pair(struct rate_interval *rate, const struct filter_entry *entry,
				       struct rate_interval pair, int64_t new_ns,
				       const struct wander *wander)
{
	rate_intersect(&pair, entry->rate);
	if (!rate_is_within(rate, pair, wander))
		rate_intersect(rate, rate_widen(pair, rate_wander(wander, new_ns - entry->raw_ns)));
}

bool ring_contradicts(const struct filter *filter, const struct filter_entry *new,
		      const struct ring_pairs *pairs, const struct filter_limits *limits)
{
	struct filter_interval old = filter_interval(filter, new->raw_ns, limits);
	/* What was learnt of the wander rests on the prior: where that is false, it looks restless. */
	const struct wander least = {.steady = limits->wander_least};
	struct rate_interval rate = rate_before(filter, new->raw_ns, 0, limits, &least);
	unsigned int i;

	if (new->sample.offset_ns - new->error_ns > old.offset.hi ||
	    new->sample.offset_ns + new->error_ns < old.offset.lo)
		return true;

	for (i = 0; i < filter->anchor_count; i++)
		rate_narrow_by_pair(&rate, &filter->anchors[i], pairs->anchors[i], new->raw_ns,
				    &limits->wander);
	for (i = 0; i < filter->count; i++)
		rate_narrow_by_pair(&rate, &filter->entries[i], pairs->entries[i], new->raw_ns,
				    &limits->wander);
	return rate.lo > rate.hi;
}

int64_t filter_pending_apart(const struct filter *filter, const struct filter_limits *limits)
{
	const struct filter_entry *new;
	struct filter_interval old;
	int64_t above, below;

	if (!filter->pending_count || !filter->count)
		return 0;
	new = &filter->pending[filter->pending_count - 1];
	old = filter_interval(filter, new->raw_ns, limits);
	above = new->sample.offset_ns - new->error_ns - old.offset.hi;
	below = old.offset.lo - new->sample.offset_ns - new->error_ns;
	return above > 0 ? above : below > 0 ? below : 0;
}

/* A new entry has come: what newer ones say with each, and which are candidates */
static void ring_sum_up(struct filter *filter)
{
	struct rate_interval newer = rate_unknown;
	int64_t least_ns = INT64_MAX;
	struct filter_entry *entry;
	unsigned int i;

	filter->candidate_count = 0;
	for (i = 0; i < filter->count; i++) {
		entry = &filter->entries[entry_index(filter, i)];
		rate_intersect(&newer, entry->rate);
		entry->newer = newer;
		if (entry->error_ns < least_ns) {
			least_ns = entry->error_ns;
			filter->candidates[filter->candidate_count++] = (uint8_t)i;
		}
	}
	for (i = filter->anchor_count; i-- > 0;) {
		entry = &filter->anchors[anchor_index(filter, i)];
		rate_intersect(&newer, entry->rate);
		entry->newer = newer;
	}
}

/* An entry leaves the ring. Where that is as long as the window, older ones say nothing more. */
static void anchor_keep(struct filter *filter, const struct filter_entry *entry, int64_t now_ns)
{
	unsigned int newest = (filter->anchor_next + FILTER_ANCHORS - 1) % FILTER_ANCHORS;

	if (now_ns - entry->raw_ns >= BOUND_WANDER_WINDOW_NS)
		return;
	if (filter->anchor_count && entry->raw_ns - filter->anchor_ns < FILTER_ANCHOR_NS) {
		if (entry->error_ns < filter->anchors[newest].error_ns)
			filter->anchors[newest] = *entry;
		return;
	}
	filter->anchors[filter->anchor_next] = *entry;
	filter->anchor_next = (filter->anchor_next + 1) % FILTER_ANCHORS;
	filter->anchor_ns = entry->raw_ns;
	if (filter->anchor_count < FILTER_ANCHORS)
		filter->anchor_count++;
}

/* The delays of the ring without one that leaves it */
static void delay_drop(struct filter *filter, int64_t delay_ns)
{
	unsigned int i = 0;

	while (filter->delays[i] != delay_ns)
		i++;
	memmove(&filter->delays[i], &filter->delays[i + 1],
		(filter->count - i - 1) * sizeof(filter->delays[0]));
}

/* ... and with one that comes, as the count-th */
static void delay_add(struct filter *filter, int64_t delay_ns, unsigned int count)
{
	unsigned int i = count - 1;

	for (; i > 0 && filter->delays[i - 1] > delay_ns; i--)
		filter->delays[i] = filter->delays[i - 1];
	filter->delays[i] = delay_ns;
}

void ring_push(struct filter *filter, const struct filter_entry *new,
	       const struct ring_pairs *pairs)
{
	unsigned int i;

	for (i = 0; i < filter->anchor_count; i++)
		rate_intersect(&filter->anchors[i].rate, pairs->anchors[i]);
	for (i = 0; i < filter->count; i++)
		rate_intersect(&filter->entries[i].rate, pairs->entries[i]);
	if (filter->count == FILTER_SAMPLES) {
		anchor_keep(filter, &filter->entries[filter->next], new->raw_ns);
		delay_drop(filter, filter->entries[filter->next].sample.delay_ns);
	}
	filter->entries[filter->next] = *new;
	filter->entries[filter->next].rate = rate_unknown;
	filter->next = (filter->next + 1) % FILTER_SAMPLES;
	if (filter->count < FILTER_SAMPLES)
		filter->count++;
	delay_add(filter, new->sample.delay_ns, filter->count);
	ring_sum_up(filter);
}
