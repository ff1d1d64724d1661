/* SPDX-License-Identifier: MIT */
#include "engine/base.h"

#include <math.h>
#include <stddef.h>

#include "engine/steer.h"

void base_at(const struct engine *engine, uint64_t counter, struct correction *ret)
{
	const struct correction *base = &engine->base;
	int64_t counts = (int64_t)(counter - base->counter);
	uint64_t distance = counts < 0 ? -(uint64_t)counts : (uint64_t)counts;

	*ret = *base;
	ret->counter = counter;
	ret->utc += (__int128)counts * (__int128)base->mult * 1024;
	if (distance)
		bound_age(&ret->bound, bound_grown(base->bound.growth, distance));
}

int64_t base_offset_ns(const struct engine *engine, uint64_t counter)
{
	struct correction line;

	base_at(engine, counter, &line);
	return (int64_t)((line.utc - timescale_fixed(&engine->config.scale, counter)) >> 64);
}

static uint64_t used_mult(const struct engine *engine, int64_t used_rate)
{
	uint64_t mult = engine->config.scale.mult;

	return mult + (uint64_t)(int64_t)(((__int128)mult * used_rate) >> RATE_SHIFT);
}

static __int128 combined_utc(const struct engine *engine, uint64_t counter,
			     const struct combined *combined)
{
	return timescale_fixed(&engine->config.scale, counter) +
	       (__int128)combined->reference_ns * ((__int128)1 << 64) +
	       (__int128)(combined->estimate_ns * 0x1p32) * ((__int128)1 << 32);
}

/* Of the reference that the estimate rests on most: the one with the least distance */
static uint8_t kind_of(const struct combine_source *sources, unsigned int count)
{
	const struct combine_source *best = NULL;
	unsigned int i;

	for (i = 0; i < count; i++)
		if (combine_uses(&sources[i]) &&
		    (!best || sources[i].interval.distance_ns < best->interval.distance_ns))
			best = &sources[i];
	return best ? filter_newest(best->filter)->sample.kind : 0;
}

void base_set(struct engine *engine, uint64_t counter, int64_t now_ns,
	      const struct combined *combined, const struct combine_source *sources,
	      unsigned int count)
{
	const struct timescale *scale = &engine->config.scale;
	struct correction *base = &engine->base;
	int64_t newest_ns = INT64_MIN;
	unsigned int i;

	*base = (struct correction){
		.counter = counter,
		.utc = combined_utc(engine, counter, combined),
		.mult = used_mult(engine, combined->used_rate),
		.offset_uncertainty_ns = combined->offset_sd_ns,
		.drift_uncertainty = combined->rate_sd,
		.confidence = (double)combined->selected / count,
		.bound = combined->bound,
		.source = steer_source(engine->level, kind_of(sources, count)),
		.tai_offset_s = CHRONOTICK_TAI_UNKNOWN,
	};
	engine->leap_vote = combined->leap;
	base->bound.growth = bound_growth(combined->rate, combined->used_rate, scale->mult);
	for (i = 0; i < count; i++) {
		const struct filter_entry *newest = filter_newest(sources[i].filter);

		if (sources[i].truechimer && newest->raw_ns > newest_ns) {
			newest_ns = newest->raw_ns;
			base->last_sample = newest->sample.counter;
		}
	}
	engine->base_offset = (struct offset_interval){combined->agreed.lo, combined->agreed.hi};
	engine->base_rate = combined->rate;
	engine->base_used_rate = combined->used_rate;
	engine->base_raw_ns = now_ns;
	engine->selected_counter = counter;
	engine->sd_counter = counter;
	engine->selected_bound_ns = combined->bound.total_ns;
	if (!engine->has_base || combined->selected >= engine->most_selected ||
	    now_ns - engine->most_ns > ENGINE_MEMORY_NS) {
		engine->most_selected = combined->selected;
		engine->most_ns = now_ns;
	}
	engine->has_base = true;
}

double base_sd(const struct engine *engine, uint64_t counter)
{
	const struct correction *base = &engine->base;
	double counts = (double)(int64_t)(counter - engine->sd_counter);
	double drifted = base->drift_uncertainty * counts * (double)base->mult * 0x1p-54;

	return sqrt(base->offset_uncertainty_ns * base->offset_uncertainty_ns + drifted * drifted);
}

/* The half-width is another: what is more of it is ageing; what is less, disagreement first. */
static void bound_become(struct bound *bound, int64_t total_ns)
{
	int64_t less_ns = bound->total_ns - total_ns;

	if (less_ns > 0) {
		int64_t agreed_ns =
			less_ns < bound->disagreement_ns ? less_ns : bound->disagreement_ns;

		bound->disagreement_ns -= agreed_ns;
		bound->total_ns -= agreed_ns;
		less_ns -= agreed_ns;
		/* The rest is rounding: the ends move outwards only. */
		if (less_ns > bound->ageing_ns)
			return;
	}
	bound_age(bound, -less_ns);
}

struct rate_interval base_rate_at(const struct engine *engine, int64_t now_ns, int64_t reach_ns)
{
	const struct filter_limits *limits = &engine->limits;
	int64_t held_ns = now_ns - timescale_ns(&engine->config.scale, engine->selected_counter);
	int64_t beyond_ns = held_ns + reach_ns - BOUND_WANDER_WINDOW_NS;
	struct rate_interval rate = engine->base_rate;

	if (beyond_ns > 0) {
		int64_t window_ns = BOUND_WANDER_WINDOW_NS;

		rate = rate_widen(rate, rate_wander(&limits->wander, window_ns + beyond_ns) -
						rate_wander(&limits->wander, window_ns));
	}
	rate_intersect(&rate, (struct rate_interval){-limits->max_drift, limits->max_drift});
	return rate;
}

/* The half-width about a point inside_ns to inside_ns + 1 after an interval's lower end */
static int64_t bound_from(const struct offset_interval *interval, int64_t inside_ns)
{
	int64_t above = interval->hi - interval->lo - inside_ns, below = inside_ns + 1;

	return (above > below ? above : below) + 1;
}

void base_hold(struct engine *engine, uint64_t counter, int64_t now_ns)
{
	const struct timescale *scale = &engine->config.scale;
	struct rate_interval rate = base_rate_at(engine, now_ns, 0);
	struct offset_interval *interval = &engine->base_offset;
	int64_t age_ns = now_ns - engine->base_raw_ns, inside_ns;
	struct correction now;
	struct estimate line;

	if (age_ns <= 0)
		return;
	base_at(engine, counter, &now);
	*interval = (struct offset_interval){
		interval->lo + rate_times_floor(rate.lo, age_ns),
		interval->hi + rate_times_ceil(rate.hi, age_ns),
	};
	rate = base_rate_at(engine, now_ns, BOUND_WANDER_WINDOW_NS);
	engine->level = FUSE_HOLDOVER;
	if (steer_hold(engine, *interval, now_ns, &line)) {
		engine->base_used_rate = rate_inside(rate, line.drift_ns_s);
		now.mult = used_mult(engine, engine->base_used_rate);
		now.utc = timescale_fixed(scale, counter) +
			  (__int128)line.reference_ns * ((__int128)1 << 64) +
			  (__int128)(line.offset_ns * 0x1p32) * ((__int128)1 << 32);
		now.source = steer_source(engine->held, 0);
		now.offset_uncertainty_ns = line.offset_sd_ns;
		now.drift_uncertainty = 1e-9 * line.drift_sd_ns_s;
		engine->sd_counter = counter;
	}
	inside_ns = (int64_t)((now.utc - timescale_fixed(scale, counter)) >> 64) - interval->lo;
	bound_become(&now.bound, bound_from(interval, inside_ns));
	now.bound.growth = bound_growth(rate, engine->base_used_rate, scale->mult);
	engine->base = now;
	engine->base_raw_ns = now_ns;
}

bool base_outvotes(const struct engine *engine, uint64_t counter, const struct combined *combined)
{
	struct correction held;
	__int128 apart;

	if (!engine->has_base || combined->trusted ||
	    combined->selected > engine->most_selected / 2)
		return false;
	base_at(engine, counter, &held);
	apart = (combined_utc(engine, counter, combined) - held.utc) >> 64;
	return (apart < 0 ? -apart : apart) > held.bound.total_ns + combined->bound.total_ns;
}

bool base_recanted(const struct engine *engine, uint64_t counter, int64_t now_ns,
		   const struct combine_source *sources, unsigned int count)
{
	int64_t since_ns = INT64_MIN, offset_ns;
	struct correction held;
	unsigned int i;

	if (!engine->has_base)
		return false;
	for (i = 0; i < count; i++) {
		if (!sources[i].truechimer)
			continue;
		if (!engine->sources[sources[i].index].recanted)
			return false;
		if (filter_oldest(sources[i].filter)->raw_ns > since_ns)
			since_ns = filter_oldest(sources[i].filter)->raw_ns;
	}
	base_at(engine, counter, &held);
	offset_ns = (int64_t)(held.utc >> 64) - now_ns;
	for (i = 0; i < count; i++) {
		const struct engine_source *witness = &engine->sources[sources[i].index];

		if (!sources[i].truechimer && !witness->recanted && !witness->distrusted &&
		    filter_newest(&witness->filter)->raw_ns > since_ns &&
		    sources[i].interval.offset.lo <= offset_ns + held.bound.total_ns &&
		    sources[i].interval.offset.hi >= offset_ns - held.bound.total_ns)
			return true;
	}
	return false;
}
