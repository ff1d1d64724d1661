/* SPDX-License-Identifier: MIT */
#include "engine/combine.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* Rounding of a sample's offset and of the estimate to whole ns */
#define ROUNDING_NS 2
/* With fewer samples the jitter of a source is not known: the register of RFC 5905 section 10 */
#define JITTER_SAMPLES 8

static double clamped(double value, double lo, double hi)
{
	return value < lo ? lo : value > hi ? hi : value;
}

/* Whose word counts */
struct voters {
	bool votes[SELECT_MAX];
	unsigned int heard;
	unsigned int all;  /* with those that are still to be heard */
	unsigned int need; /* so many must agree */
};

/*
 * Where the voters agree, and how far each source is from that; one that has no vote from any of
 * it, as it does not tell where in it the truth is.
 */
static int voters_agree(const struct voters *voters, const struct select_interval *intervals,
			unsigned int count, struct select_result *ret, uint64_t *apart)
{
	struct select_interval voted[SELECT_MAX] = {{0}}, agreed;
	unsigned int whose[SELECT_MAX], heard = 0, i;
	uint64_t voter_apart[SELECT_MAX];
	int err;

	for (i = 0; i < count; i++) {
		if (!voters->votes[i])
			continue;
		whose[heard] = i;
		voted[heard++] = intervals[i];
	}
	err = select_agreement(ret, voter_apart, voted, heard, voters->need);
	if (!err) {
		ret->lo_from = whose[ret->lo_from];
		ret->hi_from = whose[ret->hi_from];
	}
	agreed = (struct select_interval){ret->lo, ret->hi};
	for (i = 0; i < count; i++)
		apart[i] = err ? SELECT_NOWHERE : select_apart(intervals[i], agreed);
	for (i = 0; i < heard; i++)
		apart[whose[i]] = voter_apart[i];
	return err;
}

static void combine_rate(struct combined *ret, const struct combine_source *sources,
			 unsigned int count, const struct voters *voters, int64_t now_ns,
			 const struct filter_limits *limits)
{
	struct select_interval intervals[SELECT_MAX];
	double weight = 0, mean = 0, best = 0, shared = 0;
	struct select_result result;
	uint64_t ignored[SELECT_MAX];
	unsigned int i;

	for (i = 0; i < count; i++) {
		struct rate_interval rate = filter_rate(sources[i].filter, now_ns, limits);

		intervals[i] = (struct select_interval){rate.lo, rate.hi};
	}
	if (voters_agree(voters, intervals, count, &result, ignored) == 0)
		ret->rate = (struct rate_interval){result.lo, result.hi};
	else
		ret->rate = (struct rate_interval){-limits->max_drift, limits->max_drift};

	for (i = 0; i < count; i++) {
		const struct fit *fit = &sources[i].filter->fit;
		struct fit_prior prior;

		if (!combine_uses(&sources[i]))
			continue;
		prior = filter_prior_at(sources[i].filter, now_ns, limits);
		if (weight > 0)
			shared += 1 / (prior.sd_ns_s * prior.sd_ns_s);
		best = fmax(best, 1 / fit->var_rate);
		weight += 1 / fit->var_rate;
		mean += fit->rate_ns_s / fit->var_rate;
	}
	mean = 1e-9 * mean / weight * (double)RATE_ONE;
	ret->used_rate = (int64_t)clamped(mean, (double)ret->rate.lo, (double)ret->rate.hi);
	/* Each line has the prior in it, but it is known only once. */
	ret->rate_sd = 1e-9 * sqrt(1 / fmax(weight - shared, best));
}

/* By which its estimate, and what that rests on, err beside a constant */
static double source_jitter(const struct combine_source *source, int64_t now_ns)
{
	if (source->filter->count < JITTER_SAMPLES)
		return INFINITY;
	return hypot(source->filter->jitter_ns, filter_sd(source->filter, now_ns));
}

/* Which truechimers the estimate is made of */
static void combine_cluster(struct combined *ret, struct combine_source *sources,
			    unsigned int count, int64_t now_ns)
{
	struct cluster_source members[SELECT_MAX];
	unsigned int of[SELECT_MAX], i;

	for (i = 0; i < count; i++) {
		const struct combine_source *source = &sources[i];

		if (!source->truechimer)
			continue;
		of[ret->selected] = i;
		members[ret->selected++] = (struct cluster_source){
			.estimate_ns = source->estimate_ns,
			.jitter_ns = source_jitter(source, now_ns),
			.preferred = source->options & ENGINE_SOURCE_PREFER,
			.place = source->place,
		};
	}
	ret->used = cluster(members, ret->selected);
	for (i = 0; i < ret->selected; i++)
		sources[of[i]].place = members[i].place;
}

/* The weighted mean of their lines; between them, their spread counts as error. */
static void combine_offset(struct combined *ret, struct combine_source *sources, unsigned int count,
			   int64_t now_ns)
{
	double weight = 0, mean = 0, variance = 0, spread = 0, inside;
	unsigned int i;

	for (i = 0; i < count; i++) {
		const struct combine_source *source = &sources[i];
		double distance = (double)source->interval.distance_ns + 1;
		double w = 1 / (distance * distance);
		double sd = filter_sd(source->filter, now_ns);

		if (!combine_uses(source))
			continue;
		weight += w;
		mean += w * source->estimate_ns;
		variance += w * w * sd * sd;
	}
	mean /= weight;
	for (i = 0; i < count; i++) {
		double distance = (double)sources[i].interval.distance_ns + 1;
		double off = sources[i].estimate_ns - mean;

		if (combine_uses(&sources[i]))
			spread += off * off / (distance * distance);
	}
	inside = clamped(mean, 0, (double)(ret->agreed.hi - ret->agreed.lo));
	ret->estimate_ns = inside;
	ret->offset_sd_ns =
		sqrt(variance / (weight * weight) + spread / weight / (double)ret->used +
		     (mean - inside) * (mean - inside));
}

static void combine_bound(struct combined *ret, const struct combine_source *sources)
{
	const struct select_result *result = &ret->agreed;
	int64_t width = result->hi - result->lo;
	int64_t above = (int64_t)ceil((double)width - ret->estimate_ns);
	int64_t below = (int64_t)ceil(ret->estimate_ns);
	const struct combine_source *farther =
		&sources[above > below ? result->hi_from : result->lo_from];
	const struct filter_entry *best = farther->interval.best;
	const struct sample *sample = &best->sample;

	ret->bound = (struct bound){
		.root_ns = (sample->root_delay_ns + 1) / 2 + sample->root_dispersion_ns,
		.root_delay_ns = (sample->root_delay_ns + 1) / 2,
		.delay_ns = (sample->delay_ns + 1) / 2,
		.dispersion_ns = sample->dispersion_ns,
		.stamps_ns = sample->stamps_ns,
		.ageing_ns = farther->interval.distance_ns > best->error_ns
				     ? farther->interval.distance_ns - best->error_ns
				     : 0,
	};
	bound_attribute(&ret->bound, (above > below ? above : below) + ROUNDING_NS);
}

static uint8_t combine_leap(const struct combine_source *sources, unsigned int count,
			    const struct voters *voters)
{
	unsigned int votes[4] = {0}, selected = 0, i;

	for (i = 0; i < count; i++) {
		if (!sources[i].truechimer || !voters->votes[i])
			continue;
		votes[filter_newest(sources[i].filter)->sample.leap & 3]++;
		selected++;
	}
	for (i = 1; i <= 2; i++)
		if (votes[i] > selected / 2)
			return (uint8_t)i;
	return 0;
}

/*
 * Do they agree at the instant of the newest sample? What the local clock may have drifted since
 * then is common to all. At now_ns it widens each interval, and those of sources that contradict
 * each other would meet.
 */
static int agreement_newest(struct combine_source *sources, unsigned int count,
			    const struct voters *voters, const struct filter_limits *limits)
{
	struct select_interval intervals[SELECT_MAX];
	struct select_result result;
	int64_t newest_ns = INT64_MIN;
	uint64_t apart[SELECT_MAX];
	unsigned int i;
	int err;

	for (i = 0; i < count; i++) {
		int64_t raw_ns = filter_newest(sources[i].filter)->raw_ns;

		newest_ns = raw_ns > newest_ns ? raw_ns : newest_ns;
	}
	for (i = 0; i < count; i++) {
		struct filter_interval interval =
			filter_interval(sources[i].filter, newest_ns, limits);

		intervals[i] = (struct select_interval){interval.offset.lo, interval.offset.hi};
	}
	err = voters_agree(voters, intervals, count, &result, apart);
	for (i = 0; i < count; i++) {
		sources[i].apart_ns = apart[i];
		sources[i].truechimer = apart[i] == 0;
	}
	return err;
}

/* With a trusted source, here or still to be heard, nobody else is asked. */
static bool voters_find(struct voters *ret, const struct combine_source *sources,
			unsigned int count, const struct combine_absent *absent)
{
	bool trusted = absent->trusted;
	unsigned int away, i;

	for (i = 0; i < count; i++)
		trusted = trusted || sources[i].options & ENGINE_SOURCE_TRUST;
	away = trusted ? absent->trusted : absent->all;
	ret->heard = 0;
	for (i = 0; i < count; i++) {
		ret->votes[i] = !trusted || sources[i].options & ENGINE_SOURCE_TRUST;
		ret->heard += ret->votes[i];
	}
	ret->all = ret->heard + away;
	ret->need = select_need(ret->heard, away);
	return trusted;
}

int combine(struct combined *ret, struct combine_source *sources, unsigned int count,
	    const struct combine_absent *absent, int64_t now_ns, const struct filter_limits *limits)
{
	struct select_interval intervals[SELECT_MAX];
	uint64_t ignored[SELECT_MAX];
	struct voters voters;
	unsigned int i;
	int err;

	memset(ret, 0, sizeof(*ret));
	if (count == 0 || count > SELECT_MAX)
		return -ENOENT;
	ret->trusted = voters_find(&voters, sources, count, absent);
	if (voters.need == 0)
		return -ENOENT;
	err = agreement_newest(sources, count, &voters, limits);
	if (err)
		return err;
	for (i = 0; i < count; i++)
		intervals[i] = (struct select_interval){sources[i].interval.offset.lo,
							sources[i].interval.offset.hi};
	err = voters_agree(&voters, intervals, count, &ret->agreed, ignored);
	if (!err && ret->agreed.depth < voters.all / 2 + 1)
		err = -ENOENT;
	if (err)
		return err;

	ret->reference_ns = ret->agreed.lo;
	for (i = 0; i < count; i++)
		sources[i].estimate_ns =
			filter_estimate(sources[i].filter, now_ns, ret->reference_ns);
	combine_cluster(ret, sources, count, now_ns);
	combine_offset(ret, sources, count, now_ns);
	combine_rate(ret, sources, count, &voters, now_ns, limits);
	combine_bound(ret, sources);
	ret->leap = combine_leap(sources, count, &voters);
	return 0;
}

struct estimate combined_line(const struct combined *combined, int64_t now_ns)
{
	return (struct estimate){
		.at_ns = now_ns,
		.reference_ns = combined->reference_ns,
		.offset_ns = combined->estimate_ns,
		.drift_ns_s = 1e9 * (double)combined->used_rate / (double)RATE_ONE,
		.offset_sd_ns = combined->offset_sd_ns,
		.drift_sd_ns_s = 1e9 * combined->rate_sd,
	};
}

void combine_follow(struct combined *combined, const struct combine_source *sources,
		    const struct estimate *line, int64_t now_ns)
{
	double width = (double)(combined->agreed.hi - combined->agreed.lo);
	double offset = estimate_offset(line, now_ns, combined->reference_ns);
	double rate = 1e-9 * line->drift_ns_s * (double)RATE_ONE;

	combined->estimate_ns = clamped(offset, 0, width);
	combined->offset_sd_ns = hypot(line->offset_sd_ns, offset - combined->estimate_ns);
	combined->used_rate = rate_inside(combined->rate, line->drift_ns_s);
	combined->rate_sd = hypot(1e-9 * line->drift_sd_ns_s,
				  (rate - (double)combined->used_rate) / (double)RATE_ONE);
	combine_bound(combined, sources);
}
