/* SPDX-License-Identifier: MIT */
#include "engine/filter.h"

#include <math.h>
#include <string.h>

#include "engine/ring.h"

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

int64_t filter_error(const struct sample *sample)
{
	return (sample->delay_ns + 1) / 2 + sample->dispersion_ns +
	       (sample->root_delay_ns + 1) / 2 + sample->root_dispersion_ns;
}

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

static void entry_push(struct filter *filter, const struct filter_entry *new,
		       const struct ring_pairs *pairs, const struct filter_limits *limits)
{
	ring_push(filter, new, pairs);
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
				       const struct ring_pairs *pairs,
				       const struct filter_limits *limits)
{
	bool contradicts = filter->count && ring_contradicts(filter, new, pairs, limits);

	if (contradicts && !filter->disproved) {
		filter->disproved = true;
		contradicts = ring_contradicts(filter, new, pairs, limits);
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
				       const struct ring_pairs *pairs,
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
	};
	struct filter_entry pending[FILTER_CONFIRM];
	enum filter_verdict verdict;
	struct ring_pairs pairs;
	unsigned int i;

	ring_pairs(&pairs, filter, &new);
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
		ring_pairs(&pairs, filter, &pending[i]);
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
