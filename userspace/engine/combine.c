/* SPDX-License-Identifier: MIT */
#include "engine/combine.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* Rounding of a sample's offset and of the estimate to whole ns */
#define ROUNDING_NS 2

static double clamped(double value, double lo, double hi)
{
	return value < lo ? lo : value > hi ? hi : value;
}

static void combine_rate(struct combined *ret, const struct combine_source *sources,
			 unsigned int count, unsigned int need, int64_t now_ns,
			 const struct filter_limits *limits)
{
	struct select_interval intervals[SELECT_MAX];
	double weight = 0, mean = 0, best = 0, shared = 0;
	struct select_result result;
	bool ignored[SELECT_MAX];
	unsigned int i;

	for (i = 0; i < count; i++) {
		struct rate_interval rate = filter_rate(sources[i].filter, now_ns, limits);

		intervals[i] = (struct select_interval){rate.lo, rate.hi};
	}
	if (select_agreement(&result, ignored, intervals, count, need) == 0)
		ret->rate = (struct rate_interval){result.lo, result.hi};
	else
		ret->rate = (struct rate_interval){-limits->max_drift, limits->max_drift};

	for (i = 0; i < count; i++) {
		const struct fit *fit = &sources[i].filter->fit;
		struct fit_prior prior;

		if (!sources[i].truechimer)
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

/* The weighted mean of the truechimers' lines; between them, their spread counts as error. */
static void combine_offset(struct combined *ret, struct combine_source *sources, unsigned int count,
			   int64_t now_ns, const struct select_result *result)
{
	double weight = 0, mean = 0, variance = 0, spread = 0, inside;
	unsigned int i;

	ret->reference_ns = result->lo;
	for (i = 0; i < count; i++) {
		struct combine_source *source = &sources[i];
		double distance = (double)source->interval.distance_ns + 1;
		double w = 1 / (distance * distance);
		double sd = filter_sd(source->filter, now_ns);

		source->estimate_ns = filter_estimate(source->filter, now_ns, ret->reference_ns);
		if (!source->truechimer)
			continue;
		ret->selected++;
		weight += w;
		mean += w * source->estimate_ns;
		variance += w * w * sd * sd;
	}
	mean /= weight;
	for (i = 0; i < count; i++) {
		double distance = (double)sources[i].interval.distance_ns + 1;
		double off = sources[i].estimate_ns - mean;

		if (sources[i].truechimer)
			spread += off * off / (distance * distance);
	}
	inside = clamped(mean, 0, (double)(result->hi - result->lo));
	ret->estimate_ns = inside;
	ret->offset_sd_ns =
		sqrt(variance / (weight * weight) + spread / weight / (double)ret->selected +
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
			    unsigned int selected)
{
	unsigned int votes[4] = {0}, i;

	for (i = 0; i < count; i++)
		if (sources[i].truechimer)
			votes[filter_newest(sources[i].filter)->sample.leap & 3]++;
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
static int agreement_newest(struct combine_source *sources, unsigned int count, unsigned int need,
			    const struct filter_limits *limits)
{
	struct select_interval intervals[SELECT_MAX];
	struct select_result result;
	bool truechimer[SELECT_MAX];
	int64_t newest_ns = INT64_MIN;
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
	err = select_agreement(&result, truechimer, intervals, count, need);
	for (i = 0; i < count; i++)
		sources[i].truechimer = truechimer[i];
	return err;
}

int combine(struct combined *ret, struct combine_source *sources, unsigned int count,
	    unsigned int absent, int64_t now_ns, const struct filter_limits *limits)
{
	struct select_interval intervals[SELECT_MAX];
	bool ignored[SELECT_MAX];
	unsigned int need, i;
	int err;

	memset(ret, 0, sizeof(*ret));
	if (count == 0 || count > SELECT_MAX)
		return -ENOENT;
	need = select_need(count, absent);
	if (need == 0)
		return -ENOENT;
	err = agreement_newest(sources, count, need, limits);
	if (err)
		return err;
	for (i = 0; i < count; i++)
		intervals[i] = (struct select_interval){sources[i].interval.offset.lo,
							sources[i].interval.offset.hi};
	err = select_agreement(&ret->agreed, ignored, intervals, count, need);
	if (!err && ret->agreed.depth < (count + absent) / 2 + 1)
		err = -ENOENT;
	if (err)
		return err;

	combine_offset(ret, sources, count, now_ns, &ret->agreed);
	combine_rate(ret, sources, count, need, now_ns, limits);
	combine_bound(ret, sources);
	ret->leap = combine_leap(sources, count, ret->selected);
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
