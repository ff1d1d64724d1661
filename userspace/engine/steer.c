/* SPDX-License-Identifier: MIT */
#include "engine/steer.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/* What is known of a counter's rate before it is measured: its limit is so many standard deviations */
#define LIMIT_SD 3.0
/* How likely it is that what is said to be disciplined is: the other may be true, for a while. */
#define LIKELY 0.5
/* How far a source is apart from all together is the mean over so many of its samples. */
#define APART_SAMPLES 64
/* The first ones say more of noise than of that: it is taken to be none with so many's weight. */
#define APART_PRIOR 4

/* Samples that come between two looks */
#define FRESH_MAX SELECT_MAX

/* Begin anew with the models; does what an earlier run knew count? */
static void models_begin(struct engine *engine, bool disproved)
{
	const struct filter_prior *known = &engine->limits.prior;
	struct short_term_prior prior = {
		.rate_sd_ns_s =
			1e9 * (double)engine->limits.max_drift / (double)RATE_ONE / LIMIT_SD,
		.disciplined = engine->config.raw_is_disciplined ? LIKELY : 0,
	};
	if (known->sd_ns_s > 0 && known->sd_ns_s < FILTER_RATE_SD_NS_S && !disproved) {
		prior.rate_ns_s = known->rate_ns_s;
		prior.rate_sd_ns_s = known->sd_ns_s;
	}
	models_reset(&engine->models, &prior);
	if (known->sd_ns_s > 0)
		models_know(&engine->models, &engine->learnt, engine->learnt_age_ns,
			    engine->learnt_same, disproved);
	engine->disproved = disproved;
}

void steer_reset(struct engine *engine)
{
	unsigned int i;

	models_begin(engine, false);
	for (i = 0; i < ENGINE_SOURCES_MAX; i++)
		engine->sources[i].apart_count = 0, engine->sources[i].apart_ns = 0;
	engine->has_lines = false;
	engine->level = FUSE_NO_DATA;
}

/* How far the source's line lies from the mean of all: a constant of its ways, by and large */
static double source_apart(struct engine_source *source, double apart_ns)
{
	if (source->apart_count < APART_SAMPLES)
		source->apart_count++;
	source->apart_ns += (apart_ns - source->apart_ns) / (APART_PRIOR + source->apart_count);
	return source->apart_ns;
}

/* A sample that the models have not been given */
struct fresh {
	const struct combine_source *source;
	const struct filter_entry *entry;
};

/* Those of the truechimers, by their time; how many. Without room for all, the older go. */
static unsigned int fresh_samples(struct engine *engine, const struct combine_source *sources,
				  unsigned int count, struct fresh *ret)
{
	unsigned int found = 0, i, j, age;

	for (i = 0; i < count; i++) {
		struct engine_source *slot = &engine->sources[sources[i].index];
		unsigned int fresh = slot->fresh;

		if (fresh > sources[i].filter->count)
			fresh = sources[i].filter->count;
		slot->fresh = 0;
		for (age = 0; combine_uses(&sources[i]) && age < fresh; age++) {
			const struct filter_entry *entry = filter_entry_at(sources[i].filter, age);

			if (found == FRESH_MAX) {
				if (entry->raw_ns < ret[0].entry->raw_ns)
					continue;
				memmove(ret, ret + 1, --found * sizeof(*ret));
			}
			for (j = found++; j > 0 && ret[j - 1].entry->raw_ns > entry->raw_ns; j--)
				ret[j] = ret[j - 1];
			ret[j] = (struct fresh){&sources[i], entry};
		}
	}
	return found;
}

static void measure(struct engine *engine, const struct combined *combined,
		    const struct fresh *fresh)
{
	const struct combine_source *source = fresh->source;
	struct engine_source *slot = &engine->sources[source->index];
	double apart_ns = combined->used > 1 ? source->estimate_ns - combined->estimate_ns : 0;
	struct measurement measurement = {
		.raw_ns = fresh->entry->raw_ns,
		.offset_ns = fresh->entry->sample.offset_ns -
			     llrint(filter_sample_excess(source->filter, fresh->entry) +
				    source_apart(slot, apart_ns)),
		.sd_ns = filter_sample_sd(source->filter, fresh->entry),
		.source = (uint16_t)source->index,
	};
	int64_t late_ns = engine->models.short_term.raw_ns - measurement.raw_ns;

	/* A slow exchange may end after a quick one that began later. */
	if (engine->models.short_term.bank.measured && late_ns > 0) {
		measurement.raw_ns += late_ns;
		measurement.offset_ns += rate_times_floor(combined->used_rate, late_ns);
	}
	models_measure(&engine->models, &measurement, engine->has_lines ? &engine->lines : NULL);
}

/* A rate in ns/s */
static double rate_from_ns_s(double ns_s)
{
	return 1e-9 * ns_s * (double)RATE_ONE;
}

void steer_wander(struct engine *engine)
{
	struct wander *wander = &engine->limits.wander;
	double walk_ns_s, slope_ns_s2, steady;

	short_term_wander(&engine->models.short_term, &walk_ns_s, &slope_ns_s2);
	steady = rate_from_ns_s(slope_ns_s2 * 1e-9 * (double)BOUND_WANDER_WINDOW_NS);
	wander->steady = engine->limits.wander_least;
	if (steady > (double)wander->steady)
		wander->steady = steady < (double)RATE_ONE ? (int64_t)steady : RATE_ONE;
	wander->walk = STEER_WANDER_SD * rate_from_ns_s(walk_ns_s) / sqrt(1e9);
	if (wander->walk * sqrt((double)BOUND_WANDER_WINDOW_NS) <= (double)wander->steady)
		wander->walk = 0;
}

/*
 * The truth is in the selected interval. A model may well be a little beside it; one that is farther
 * away than the interval is wide has missed a step.
 */
static bool is_impossible(const struct combined *combined, const struct estimate *line,
			  int64_t now_ns)
{
	double width = (double)(combined->agreed.hi - combined->agreed.lo);
	double offset = estimate_offset(line, now_ns, combined->agreed.lo);

	return offset < -width || offset > 2 * width;
}

void steer(struct engine *engine, struct combined *combined, const struct combine_source *sources,
	   unsigned int count, int64_t now_ns)
{
	struct fresh fresh[FRESH_MAX];
	unsigned int found, i;
	struct fused fused;

	/* The models cannot know it, and would take samples that contradict for outliers. */
	for (i = 0; i < count && !engine->disproved; i++)
		if (sources[i].truechimer && sources[i].filter->disproved)
			models_begin(engine, true);
	found = fresh_samples(engine, sources, count, fresh);
	for (i = 0; i < found; i++)
		measure(engine, combined, &fresh[i]);
	if (found)
		steer_wander(engine);
	engine->lines = combined_line(combined, now_ns);
	engine->has_lines = true;
	models_predict(&engine->models, now_ns, &fused);
	if (fused.level != FUSE_NTP && is_impossible(combined, &fused.line, now_ns)) {
		models_contradict(
			&engine->models,
			&(struct measurement){
				.raw_ns = now_ns,
				.offset_ns = combined->reference_ns + llrint(combined->estimate_ns),
				.sd_ns = combined->offset_sd_ns + 1,
			});
		models_predict(&engine->models, now_ns, &fused);
	}
	engine->level = fused.level;
	if (fused.level != FUSE_NTP)
		combine_follow(combined, sources, &fused.line, now_ns);
}

bool steer_hold(struct engine *engine, struct offset_interval interval, int64_t now_ns,
		struct estimate *ret)
{
	struct fused fused;
	double offset_ns;

	models_predict(&engine->models, now_ns, &fused);
	if (fused.level == FUSE_NTP)
		return false;
	engine->held = fused.level;
	*ret = fused.line;
	offset_ns = estimate_offset(ret, now_ns, interval.lo);
	ret->reference_ns = interval.lo;
	ret->offset_ns = fmin(fmax(offset_ns, 0), (double)(interval.hi - interval.lo));
	ret->offset_sd_ns = hypot(ret->offset_sd_ns, offset_ns - ret->offset_ns);
	return true;
}

uint8_t steer_source(enum fuse_level level, uint8_t kind)
{
	static const uint8_t sources[FUSE_LEVELS] = {
		[FUSE_FUSION] = CHRONOTICK_FUSION,       [FUSE_SHORT_TERM] = CHRONOTICK_CPU_MODEL,
		[FUSE_LONG_TERM] = CHRONOTICK_GPU_MODEL, [FUSE_NTP] = CHRONOTICK_NTP,
		[FUSE_HOLDOVER] = CHRONOTICK_NTP,        [FUSE_NO_DATA] = CHRONOTICK_NO_DATA,
	};

	return sources[level] == CHRONOTICK_NTP && kind ? kind : sources[level];
}

void steer_shift(struct engine *engine, int64_t shift_ns)
{
	models_shift(&engine->models, shift_ns);
	engine->lines.reference_ns += shift_ns;
	engine->base_offset.lo += shift_ns;
	engine->base_offset.hi += shift_ns;
}
