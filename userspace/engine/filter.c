/* SPDX-License-Identifier: MIT */
#include "engine/filter.h"

#include <math.h>
#include <string.h>

/* The wander that is promised never to be exceeded is so many standard deviations */
#define WANDER_SD 10.0
/* Of what is evenly distributed, the whole width over the standard deviation: the root of 12 */
#define EVEN_SD 3.46410162
/* A few delays may be alike by chance: then the quickest is taken to have waited for longer. */
#define FEW_SAMPLES 8
/* What samples are expected to err has the weight of so many in their jitter */
#define JITTER_PRIOR 2
/* The noise of an entry's innovation, in standard deviations */
#define TURNED_SD 4
/* From so many samples on, a source's own noise counts alone */
#define NOISE_SAMPLES 8

static const struct rate_interval rate_unknown = {-RATE_ONE, RATE_ONE};

int64_t filter_error(const struct sample *sample)
{
	return (sample->delay_ns + 1) / 2 + sample->dispersion_ns +
	       (sample->root_delay_ns + 1) / 2 + sample->root_dispersion_ns;
}

/* Without a division: this is the innermost of all. */
static inline unsigned int entry_index(const struct filter *filter, unsigned int age)
{
	return (filter->next + FILTER_SAMPLES - 1 - age) & (FILTER_SAMPLES - 1);
}

static inline const struct filter_entry *entry_at(const struct filter *filter, unsigned int age)
{
	return &filter->entries[entry_index(filter, age)];
}

_Static_assert((FILTER_SAMPLES & (FILTER_SAMPLES - 1)) == 0, "a power of two");

const struct filter_entry *filter_entry_at(const struct filter *filter, unsigned int age)
{
	return entry_at(filter, age);
}

const struct filter_entry *filter_newest(const struct filter *filter)
{
	return filter->count ? entry_at(filter, 0) : NULL;
}

const struct filter_entry *filter_oldest(const struct filter *filter)
{
	return filter->count ? entry_at(filter, filter->count - 1) : NULL;
}

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

/* A new entry's pairs with those that are kept, in the order in which they lie there */
struct pairs {
	struct rate_interval entries[FILTER_SAMPLES];
	struct rate_interval anchors[FILTER_ANCHORS];
};

static void pairs_make(struct pairs *ret, const struct filter *filter,
		       const struct filter_entry *new)
{
	unsigned int i;

	for (i = 0; i < filter->count; i++)
		ret->entries[i] = pair_rate(&filter->entries[i], new);
	for (i = 0; i < filter->anchor_count; i++)
		ret->anchors[i] = pair_rate(&filter->anchors[i], new);
}

double rate_sd_aged(double sd_ns_s, int64_t wander, int64_t age_ns)
{
	double walk = (double)wander / (double)RATE_ONE * 1e9 / WANDER_SD;
	double windows = (double)age_ns / (double)BOUND_WANDER_WINDOW_NS;

	return fmin(sqrt(sd_ns_s * sd_ns_s + walk * walk * fmax(windows, 0)), FILTER_RATE_SD_NS_S);
}

struct fit_prior filter_prior_at(const struct filter *filter, int64_t now_ns,
				 const struct filter_limits *limits)
{
	const struct filter_prior *prior = &limits->prior;

	if (prior->sd_ns_s <= 0 || filter->disproved)
		return (struct fit_prior){.sd_ns_s = FILTER_RATE_SD_NS_S};
	return (struct fit_prior){
		.rate_ns_s = prior->rate_ns_s,
		.sd_ns_s =
			rate_sd_aged(prior->sd_ns_s, limits->wander_least, now_ns - prior->raw_ns),
	};
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

/* Can the entry and the ring not both be right, within the oscillator's limits? */
static bool entry_contradicts(const struct filter *filter, const struct filter_entry *new,
			      const struct pairs *pairs, const struct filter_limits *limits)
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

/* Root mean square of the points' distances from the line; a few may lie on one by chance. */
static double jitter_of(const struct fit *fit, const struct fit_point *points)
{
	double square = 0, expected = 0;
	unsigned int i;

	for (i = 0; i < fit->count; i++) {
		double residual = points[i].y_ns - fit_value(fit, points[i].x_s);

		square += residual * residual;
		expected += points[i].sd_ns * points[i].sd_ns;
	}
	expected /= fit->count;
	return sqrt((square + JITTER_PRIOR * expected) / (fit->count + JITTER_PRIOR));
}

/* What the points' exchanges waited lies on one way each; if on the same, the line is off by this. */
static double uneven_of(const struct filter *filter, const struct fit_point *points)
{
	double weight = 0, sum = 0;
	unsigned int i;

	for (i = 0; i < filter->fit.count; i++) {
		int64_t waited_ns = entry_at(filter, i)->sample.delay_ns - filter->delays[0];
		double w = 1 / (points[i].sd_ns * points[i].sd_ns);

		weight += w;
		sum += w * (double)waited_ns / 2;
	}
	return (1 - filter->asymmetry.told) * sum / weight;
}

/*
 * Expected standard deviations. What an exchange took longer than the quickest one lies on one of
 * its two ways, so its offset errs by up to half of that; what a good exchange (the best eighth)
 * has of it is added, lest one lucky exchange rule the line.
 */
static void fit_update(struct filter *filter, const struct filter_limits *limits)
{
	const struct filter_entry *newest = entry_at(filter, 0);
	struct fit_prior prior = filter_prior_at(filter, newest->raw_ns, limits);
	struct fit_point points[FILTER_SAMPLES];
	double waited_ns[FILTER_SAMPLES];
	const int64_t *sorted = filter->delays;
	unsigned int i;

	filter->waited_ns = (double)(sorted[filter->count / 2] - sorted[0]) /
			    sqrt((double)filter->count) *
			    (1 + FEW_SAMPLES / ((double)filter->count * filter->count));
	filter->noise_ns = (double)(sorted[filter->count / 8] - sorted[0]) / 2;
	if (filter->count < NOISE_SAMPLES)
		filter->noise_ns = fmax(filter->noise_ns, limits->prior.noise_ns);

	for (i = 0; i < filter->count; i++) {
		const struct filter_entry *entry = entry_at(filter, i);

		waited_ns[i] = (double)(entry->sample.delay_ns - sorted[0]);
		points[i] = (struct fit_point){
			.x_s = 1e-9 * (double)(entry->raw_ns - newest->raw_ns),
			.y_ns = (double)(entry->sample.offset_ns - newest->sample.offset_ns),
			.sd_ns = 1 + filter->noise_ns + (double)entry->sample.dispersion_ns +
				 waited_ns[i] / 2,
		};
	}
	if (filter->count == 1)
		points[0].sd_ns = (double)newest->error_ns / 1.7320508 + 1;
	fit_window(&filter->fit, points, filter->count, &prior);
	asymmetry_learn(&filter->asymmetry, points, waited_ns, filter->fit.count);
	if (filter->asymmetry.told > 0) {
		for (i = 0; i < filter->count; i++) {
			points[i].y_ns -= filter->asymmetry.share * waited_ns[i];
			points[i].sd_ns -=
				filter->asymmetry.told * (filter->noise_ns + waited_ns[i] / 2);
		}
		fit_window(&filter->fit, points, filter->count, &prior);
	}
	filter->jitter_ns = jitter_of(&filter->fit, points);
	filter->uneven_ns = uneven_of(filter, points);
}

static double waited_of(const struct filter *filter, const struct filter_entry *entry)
{
	int64_t waited_ns = entry->sample.delay_ns - filter->delays[0];

	return waited_ns > 0 ? (double)waited_ns : 0; /* less: it is none of the ring's */
}

double filter_sample_excess(const struct filter *filter, const struct filter_entry *entry)
{
	return filter->asymmetry.share * waited_of(filter, entry);
}

double filter_sample_sd(const struct filter *filter, const struct filter_entry *entry)
{
	double waited_ns = waited_of(filter, entry) + filter->waited_ns;

	if (filter->count == 1)
		return (double)entry->error_ns / (EVEN_SD / 2) + 1;
	return 1 + (double)entry->sample.dispersion_ns +
	       (1 - filter->asymmetry.told) * waited_ns / EVEN_SD;
}

static void pending_drop(struct filter *filter)
{
	filter->pending_count = 0;
	filter->contradicting = 0;
	filter->above = 0;
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

static void entry_push(struct filter *filter, const struct filter_entry *new,
		       const struct pairs *pairs, const struct filter_limits *limits)
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
	pending_drop(filter);
	fit_update(filter, limits);
}

/* How far it is above the line */
static double entry_off(const struct filter *filter, const struct filter_entry *entry)
{
	return -filter_estimate(filter, entry->raw_ns, entry->sample.offset_ns) -
	       filter_sample_excess(filter, entry);
}

static void entry_set_aside(struct filter *filter, const struct filter_entry *entry,
			    enum filter_verdict verdict)
{
	filter->pending[filter->pending_count++] = *entry;
	filter->contradicting += verdict == FILTER_CONTRADICTION;
	filter->above += entry_off(filter, entry) > 0;
}

/* Are there so many that they are right? */
static bool pending_confirmed(struct filter *filter)
{
	if (filter->pending_count < FILTER_CONFIRM)
		return false;
	if (filter->contradicting || filter->above == 0 || filter->above == FILTER_CONFIRM)
		return true;
	/* Noise on both sides: the tests get used to it. */
	filter->above -= entry_off(filter, &filter->pending[0]) > 0;
	filter->pending_count--;
	memmove(filter->pending, filter->pending + 1,
		filter->pending_count * sizeof(filter->pending[0]));
	return false;
}

/* Taken, or a contradiction */
static enum filter_verdict entry_check(struct filter *filter, const struct filter_entry *new,
				       const struct pairs *pairs,
				       const struct filter_limits *limits)
{
	bool contradicts = filter->count && entry_contradicts(filter, new, pairs, limits);

	if (contradicts && !filter->disproved) {
		filter->disproved = true;
		contradicts = entry_contradicts(filter, new, pairs, limits);
		filter->disproved = !contradicts;
	}
	return contradicts ? FILTER_CONTRADICTION : FILTER_TAKEN;
}

/* What it is expected to be off the line: its own error, the line's */
static double innovation_sd(const struct filter *filter, const struct filter_entry *new)
{
	double quicker_ns = (double)(filter->delays[0] - new->sample.delay_ns);
	/* Against a quick one the others are known to have waited, perhaps all on one way. */
	double uneven_ns = filter->uneven_ns + fmax(quicker_ns, 0) / 2;

	return hypot(filter_sample_sd(filter, new),
		     hypot(filter_sd(filter, new->raw_ns), uneven_ns));
}

/*
 * How far beyond what the oscillator can have done since the newest entry: it may wander, and if
 * that entry is off the line by more than its noise, the rate has begun to change.
 */
static double beyond_wander(const struct filter *filter, const struct filter_entry *new,
			    double off_ns, const struct filter_limits *limits)
{
	const struct filter_entry *newest = entry_at(filter, 0);
	int64_t gap_ns = new->raw_ns - newest->raw_ns;
	double wander_ns = (double)rate_times_ceil(rate_wander(&limits->wander, gap_ns), gap_ns);
	double newest_ns = entry_off(filter, newest);
	double turned_ns = fabs(newest_ns) - TURNED_SD * innovation_sd(filter, newest);
	double can_ns = wander_ns;

	if (turned_ns > 0 && (newest_ns > 0) == (off_ns > 0))
		can_ns += turned_ns;
	return copysign(fmax(fabs(off_ns) - can_ns, 0), off_ns);
}

/* What does not contradict the ring may be an outlier yet. */
static enum filter_verdict entry_judge(struct filter *filter, const struct filter_entry *new,
				       const struct pairs *pairs,
				       const struct filter_limits *limits)
{
	static const enum filter_verdict verdicts[] = {
		[OUTLIER_NO] = FILTER_TAKEN,
		[OUTLIER_MAD] = FILTER_MAD,
		[OUTLIER_Z] = FILTER_Z,
	};
	enum filter_verdict verdict = entry_check(filter, new, pairs, limits);
	double off_ns, sd_ns;

	if (verdict != FILTER_TAKEN || filter->count < OUTLIER_LEAST)
		return verdict;
	off_ns = entry_off(filter, new);
	sd_ns = innovation_sd(filter, new);
	verdict = verdicts[outlier_test(&filter->outliers,
					beyond_wander(filter, new, off_ns, limits) / sd_ns)];
	outlier_learn(&filter->outliers, off_ns / sd_ns);
	return verdict;
}

enum filter_verdict filter_add(struct filter *filter, const struct sample *sample, int64_t raw_ns,
			       const struct filter_limits *limits)
{
	struct filter_entry new = {
		.sample = *sample,
		.raw_ns = raw_ns,
		.error_ns = filter_error(sample),
		.rate = rate_unknown,
	};
	struct filter_entry pending[FILTER_CONFIRM];
	enum filter_verdict verdict;
	struct pairs pairs;
	unsigned int i;

	pairs_make(&pairs, filter, &new);
	verdict = entry_judge(filter, &new, &pairs, limits);
	if (verdict == FILTER_TAKEN) {
		entry_push(filter, &new, &pairs, limits);
		return verdict;
	}
	entry_set_aside(filter, &new, verdict);
	if (!pending_confirmed(filter))
		return verdict;

	memcpy(pending, filter->pending, sizeof(pending));
	if (filter->contradicting) {
		filter->count = 0;
		filter->next = 0;
		filter->anchor_count = 0;
		filter->anchor_next = 0;
	}
	pending_drop(filter);
	/* The first one is taken, so fewer than FILTER_CONFIRM are left over. */
	for (i = 0; i < FILTER_CONFIRM; i++) {
		pairs_make(&pairs, filter, &pending[i]);
		verdict = entry_check(filter, &pending[i], &pairs, limits);
		if (verdict == FILTER_TAKEN)
			entry_push(filter, &pending[i], &pairs, limits);
		else
			entry_set_aside(filter, &pending[i], verdict);
	}
	return FILTER_CONFIRMED;
}

void filter_shift(struct filter *filter, int64_t shift_ns)
{
	unsigned int i;

	/* The line and the rates are differences. */
	for (i = 0; i < FILTER_SAMPLES; i++)
		filter->entries[i].sample.offset_ns += shift_ns;
	for (i = 0; i < FILTER_ANCHORS; i++)
		filter->anchors[i].sample.offset_ns += shift_ns;
	for (i = 0; i < filter->pending_count; i++)
		filter->pending[i].sample.offset_ns += shift_ns;
}

static double seconds_since_newest(const struct filter *filter, int64_t now_ns)
{
	return 1e-9 * (double)(now_ns - entry_at(filter, 0)->raw_ns);
}

double filter_estimate(const struct filter *filter, int64_t now_ns, int64_t reference)
{
	return (double)(entry_at(filter, 0)->sample.offset_ns - reference) +
	       fit_value(&filter->fit, seconds_since_newest(filter, now_ns));
}

double filter_sd(const struct filter *filter, int64_t now_ns)
{
	return fit_sd(&filter->fit, seconds_since_newest(filter, now_ns));
}
