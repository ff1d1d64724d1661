/* SPDX-License-Identifier: MIT */
#include "engine/engine.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "engine/base.h"
#include "engine/combine.h"
#include "engine/follow.h"
#include "engine/observe.h"
#include "engine/steer.h"
#include "engine/verdict.h"

/* The sources are weighed anew at least this often */
#define WEIGH_NS 100000000LL
/* From 1970 to 2116 */
#define UTC_MAX_NS ((int64_t)1 << 62)
static bool config_in_range(const struct engine_config *config)
{
	return config->max_drift_ppb >= 1 && config->max_drift_ppb <= 1000000 &&
	       config->wander_ppb <= 1000000 && config->max_bound_ns >= 1 &&
	       config->max_bound_ns <= UINT32_MAX && config->max_distance_ms >= 1;
}

static void config_take(struct engine *engine, const struct engine_config *config)
{
	engine->config = *config;
	engine->limits.max_drift = rate_from_ppb(config->max_drift_ppb);
	engine->limits.wander_least = rate_from_ppb(config->wander_ppb);
	steer_wander(engine);
	engine->dirty = true;
}

int engine_init(struct engine *engine, const struct engine_config *config,
		unsigned int source_count)
{
	unsigned int i;

	if (source_count > ENGINE_SOURCES_MAX || config->scale.mult == 0 ||
	    !config_in_range(config))
		return -EINVAL;

	memset(engine, 0, sizeof(*engine));
	if (models_init(&engine->models, config->models ? config->models : &models_default) < 0)
		return -EINVAL;
	config_take(engine, config);
	for (i = 0; i < source_count; i++)
		(void)engine_source_add(engine, i);
	engine_reset(engine);
	return 0;
}

int engine_configure(struct engine *engine, const struct engine_config *config)
{
	struct engine_config wanted = *config;

	observe(engine, .kind = ENGINE_INPUT_CONFIGURE, .config = *config);
	if (!config_in_range(config))
		return -EINVAL;
	wanted.scale = engine->config.scale;
	config_take(engine, &wanted);
	return 0;
}

/* A slot that is in use, as it is before its first sample */
static void slot_reset(struct engine *engine, unsigned int index)
{
	struct engine_source *source = &engine->sources[index];
	struct source_view *view = &engine->views[index];
	const char *excluded = source->excluded;
	unsigned int options = source->options;
	struct source_view before = *view;

	*source = (struct engine_source){
		.lost = CHRONOTICK_SOURCE_SELECTED,
		.present = true,
		.excluded = excluded,
		.options = options,
	};
	*view = (struct source_view){
		.state = CHRONOTICK_SOURCE_UNREACHABLE,
		.reason = excluded ? excluded : verdict_none,
		.samples = before.samples,
	};
	memcpy(view->verdicts, before.verdicts, sizeof(view->verdicts));
	engine->dirty = true;
}

int engine_source_add(struct engine *engine, unsigned int source)
{
	observe(engine, .kind = ENGINE_INPUT_ADD, .source = source);
	if (source >= ENGINE_SOURCES_MAX)
		return -EINVAL;
	if (engine->sources[source].present)
		return -EEXIST;
	slot_reset(engine, source);
	engine->sources[source].late = engine->has_first;
	engine->source_count++;
	if (engine->source_end <= source)
		engine->source_end = source + 1;
	return 0;
}

static bool source_present(const struct engine *engine, unsigned int source)
{
	return source < engine->source_end && engine->sources[source].present;
}

void engine_source_remove(struct engine *engine, unsigned int source)
{
	observe(engine, .kind = ENGINE_INPUT_REMOVE, .source = source);
	if (!source_present(engine, source))
		return;
	if (engine->views[source].agrees && engine->most_selected)
		engine->most_selected--;
	memset(&engine->sources[source], 0, sizeof(engine->sources[source]));
	memset(&engine->views[source], 0, sizeof(engine->views[source]));
	engine->source_count--;
	while (engine->source_end && !engine->sources[engine->source_end - 1].present)
		engine->source_end--;
	engine->dirty = true;
}

void engine_source_exclude(struct engine *engine, unsigned int source, const char *reason)
{
	struct engine_source *slot;

	if (!source_present(engine, source))
		return;
	slot = &engine->sources[source];
	if (!slot->excluded && !reason)
		return;
	observe(engine, .kind = ENGINE_INPUT_EXCLUDE, .source = source, .excluded = reason);
	if (slot->excluded && !reason)
		slot->lost = CHRONOTICK_SOURCE_UNREACHABLE;
	slot->excluded = reason;
	engine->dirty = true;
}

int engine_source_options(struct engine *engine, unsigned int source, unsigned int options)
{
	observe(engine, .kind = ENGINE_INPUT_OPTIONS, .source = source, .options = options);
	if (!source_present(engine, source) || options & ~ENGINE_SOURCE_OPTIONS)
		return -EINVAL;
	engine->sources[source].options = options;
	engine->dirty = true;
	return 0;
}

void engine_reset(struct engine *engine)
{
	unsigned int i;

	for (i = 0; i < engine->source_end; i++)
		if (engine->sources[i].present)
			slot_reset(engine, i);
	engine->limits.prior = (struct filter_prior){0};
	engine->learnt = (struct learnt){0};
	engine->epoch++;
	steer_reset(engine);
	engine->has_base = false;
	engine->has_first = false;
	engine->has_weighed = false;
	engine->has_seen = false;
	engine->leap.next = (struct leap){0, 0};
	engine->leap.last_raw_ns = INT64_MIN / 2; /* raw time may be another now */
	engine->status = CHRONOTICK_UNSYNCHRONIZED;
	engine->dirty = true;
}

void engine_restart(struct engine *engine, const struct timescale *scale)
{
	observe(engine, .kind = ENGINE_INPUT_RESTART, .scale = *scale);
	engine->config.scale = *scale;
	engine_reset(engine);
}

static bool error_in_range(int64_t ns)
{
	return ns >= 0 && ns <= ENGINE_ERROR_MAX_NS;
}

static int sample_check(const struct engine *engine, const struct sample *sample, int64_t *raw_ns)
{
	const struct source_view *view;
	__int128 utc;

	if (!source_present(engine, sample->source) ||
	    !timescale_covers(&engine->config.scale, sample->counter))
		return -EINVAL;
	if (!error_in_range(sample->delay_ns) || !error_in_range(sample->dispersion_ns) ||
	    !error_in_range(sample->root_delay_ns) || !error_in_range(sample->root_dispersion_ns))
		return -EINVAL;
	if (sample->stamps_ns < 0 || sample->stamps_ns > sample->dispersion_ns)
		return -EINVAL;
	if (sample->leap > 3 || sample->stratum < 1 || sample->stratum > 15 ||
	    sample->kind > CHRONOTICK_PHC)
		return -EINVAL;

	*raw_ns = timescale_ns(&engine->config.scale, sample->counter);
	utc = (__int128)sample->offset_ns + *raw_ns;
	if (utc < 0 || utc > UTC_MAX_NS)
		return -EINVAL;

	view = &engine->views[sample->source];
	if (view->has_sample && *raw_ns <= engine->sources[sample->source].last_raw_ns)
		return -ESTALE;
	if (engine->has_seen && *raw_ns > engine->seen_ns + ENGINE_FUTURE_NS)
		return -EINVAL;
	if (engine->has_seen && *raw_ns < engine->seen_ns - ENGINE_PAST_NS)
		return -ESTALE;
	return engine->sources[sample->source].excluded ? -EPERM : 0;
}

/* Add the sample to its source's filter. Did the ones before go, since they contradict it? */
static void filter_take(struct engine *engine, const struct sample *sample, int64_t raw_ns)
{
	struct engine_source *source = &engine->sources[sample->source];
	struct filter *filter = &source->filter;
	int64_t newest_ns = filter->count ? filter_newest(filter)->raw_ns : INT64_MAX;
	enum filter_verdict verdict = filter_add(filter, sample, raw_ns, &engine->limits);

	engine->views[sample->source].verdicts[verdict]++;
	/*
	 * The models get the whole row of a source that is alone, and step by it; of one among others,
	 * that may have jumped without them, the last: theirs say what is right.
	 */
	if (verdict == FILTER_CONFIRMED && engine->source_count == 1 &&
	    filter_oldest(filter)->raw_ns <= newest_ns)
		source->fresh += FILTER_CONFIRM - filter->pending_count;
	else if (filter->pending_count == 0)
		source->fresh++;
	if (filter_oldest(filter)->raw_ns > newest_ns)
		source->recanted = true;
}

int engine_sample_add(struct engine *engine, const struct sample *taken)
{
	struct sample shifted = *taken, *sample = &shifted;
	struct engine_source *source;
	struct source_view *view;
	int64_t raw_ns, shift_ns;
	int err;

	observe(engine, .kind = ENGINE_INPUT_SAMPLE, .sample = *taken);
	err = sample_check(engine, sample, &raw_ns);
	if (err)
		return err;
	if (!follow_sample(engine, sample, raw_ns, &shift_ns))
		return -EAGAIN;
	sample->offset_ns += shift_ns;

	source = &engine->sources[sample->source];
	view = &engine->views[sample->source];
	if (view->has_sample && raw_ns - source->last_raw_ns > source->longest_gap_ns)
		source->longest_gap_ns = raw_ns - source->last_raw_ns;
	source->last_raw_ns = raw_ns;
	source->returning = source->returning || source->lost != CHRONOTICK_SOURCE_SELECTED;
	source->lost = CHRONOTICK_SOURCE_SELECTED;
	view->has_sample = true;
	view->last = *sample;
	view->samples++;
	if (sample->leap == 3)
		source->lost = CHRONOTICK_SOURCE_UNSYNCHRONIZED;
	else
		filter_take(engine, sample, raw_ns);
	if (source->filter.contradicting == 0)
		source->returning = false;

	if (!engine->has_first && !(source->options & ENGINE_SOURCE_NOSELECT)) {
		engine->has_first = true;
		engine->first_ns = raw_ns;
	}
	if (engine->measurement_count < UINT32_MAX)
		engine->measurement_count++;
	engine->dirty = true;
	return 0;
}

int engine_covariates(struct engine *engine, uint64_t counter, const struct covariates *covariates)
{
	observe(engine, .kind = ENGINE_INPUT_COVARIATES, .counter = counter,
		.covariates = *covariates);
	if (!timescale_covers(&engine->config.scale, counter))
		return -EINVAL;
	models_covariates(&engine->models, timescale_ns(&engine->config.scale, counter),
			  covariates);
	return 0;
}

int engine_feed(struct engine *engine, uint64_t counter, const struct prediction *prediction)
{
	observe(engine, .kind = ENGINE_INPUT_FEED, .counter = counter, .prediction = *prediction);
	if (!timescale_covers(&engine->config.scale, counter))
		return -EINVAL;
	return models_feed(&engine->models, timescale_ns(&engine->config.scale, counter),
			   prediction);
}

void engine_source_unreachable(struct engine *engine, unsigned int source, uint8_t state)
{
	observe(engine, .kind = ENGINE_INPUT_UNREACHABLE, .source = source, .state = state);
	if (!source_present(engine, source))
		return;
	if (state != CHRONOTICK_SOURCE_UNSYNCHRONIZED && state != CHRONOTICK_SOURCE_DENIED &&
	    state != CHRONOTICK_SOURCE_LOOP)
		state = CHRONOTICK_SOURCE_UNREACHABLE;
	engine->sources[source].lost = state;
	engine->dirty = true;
}

/* Without an agreement, how far each source is off is told from the line that is held. */
static void offsets_from_base(struct engine *engine, uint64_t counter,
			      const struct combine_source *sources, unsigned int count,
			      int64_t now_ns)
{
	int64_t held_ns = base_offset_ns(engine, counter);
	unsigned int i;

	for (i = 0; i < count; i++)
		engine->views[sources[i].index].offset_ns =
			(int64_t)filter_estimate(sources[i].filter, now_ns, held_ns);
	verdict_aside(engine, held_ns, 0, now_ns);
}

/* Weigh the sources, as they stand at a counter value. */
static void weigh(struct engine *engine, uint64_t counter, int64_t now_ns)
{
	struct combine_source sources[ENGINE_SOURCES_MAX] = {{0}};
	bool trusted = false, agreed, majority;
	struct combine_absent absent;
	struct combined combined;
	unsigned int count = 0, i;

	for (i = 0; i < engine->source_end; i++)
		if (verdict_usable(engine, i, now_ns, &sources[count]))
			count++;

	absent = verdict_absent(engine, sources, count, now_ns);
	agreed = combine(&combined, sources, count, &absent, now_ns, &engine->limits) == 0;
	majority = agreed;
	if (agreed) {
		const char *refused = base_outvotes(engine, counter, &combined) ? verdict_held
				      : !combined.trusted && base_recanted(engine, counter, now_ns,
									   sources, count)
					      ? verdict_recanted
					      : NULL;

		for (i = 0; i < count && refused; i++)
			if (sources[i].truechimer)
				engine->views[sources[i].index].reason = refused;
		majority = !refused && verdict_give(engine, sources, count, combined.trusted);
		if (majority)
			steer(engine, &combined, sources, count, now_ns);
		for (i = 0; i < count; i++)
			engine->views[sources[i].index].offset_ns =
				(int64_t)(sources[i].estimate_ns - combined.estimate_ns);
		verdict_aside(engine, combined.reference_ns, combined.estimate_ns, now_ns);
		trusted = majority && combined.bound.total_ns <= engine->config.max_bound_ns;
	} else if (count && absent.all) {
		for (i = 0; i < count; i++)
			engine->views[sources[i].index].reason = verdict_wait;
		majority = true;
	} else if (combined.trusted) {
		for (i = 0; i < count; i++)
			engine->views[sources[i].index].reason = verdict_split;
	}

	if (trusted)
		base_set(engine, counter, now_ns, &combined, sources, count);
	else if (engine->has_base)
		base_hold(engine, counter, now_ns);
	if (!agreed && engine->has_base)
		offsets_from_base(engine, counter, sources, count, now_ns);
	engine->status = trusted            ? CHRONOTICK_SYNCHRONIZED
			 : engine->has_base ? CHRONOTICK_HOLDOVER
			 : majority         ? CHRONOTICK_WARMING_UP
					    : CHRONOTICK_UNSYNCHRONIZED;
	engine->dirty = false;
	engine->has_weighed = true;
	engine->weighed_ns = now_ns;
}

/*
 * Holdover is over: nothing is left to be trusted, nor a reason to distrust. With a leap second
 * ahead, the samples would be of another time than the next ones, so they go too.
 */
static void base_drop(struct engine *engine)
{
	unsigned int i;

	if (engine->leap.next.shift_ns)
		engine_reset(engine);
	engine->has_base = false;
	engine->status = CHRONOTICK_UNSYNCHRONIZED;
	engine->dirty = true;
	for (i = 0; i < engine->source_end; i++) {
		engine->sources[i].distrusted = false;
		engine->sources[i].recanted = false;
	}
}

/* How far a correction may be off, and what it is worth */
static void quality_tell(const struct engine *engine, struct correction *ret)
{
	ret->offset_uncertainty_ns = base_sd(engine, ret->counter);
	ret->measurement_sd_ns = models_measurement_sd(&engine->models, ret->offset_uncertainty_ns);
	ret->confidence *= 1 - (double)ret->bound.total_ns / (double)engine->config.max_bound_ns;
	if (ret->status == CHRONOTICK_HOLDOVER)
		ret->confidence *=
			fmin((double)engine->selected_bound_ns / (double)ret->bound.total_ns, 1);
}

void engine_correct(struct engine *engine, uint64_t counter, struct correction *ret)
{
	const struct engine_config *config = &engine->config;
	bool covered = timescale_covers(&config->scale, counter);
	bool was_dirty = engine->dirty, changed = false;
	const struct leap_watch leap = engine->leap;
	int64_t now_ns;

	if (covered) {
		now_ns = timescale_ns(&config->scale, counter);
		engine->seen_ns = now_ns;
		engine->has_seen = true;
		if (engine->dirty || !engine->has_weighed ||
		    now_ns - engine->weighed_ns >= WEIGH_NS) {
			weigh(engine, counter, now_ns);
			changed = true;
		}
		if (engine->has_base) {
			base_at(engine, counter, ret);
			follow_correct(engine, now_ns, ret);
			if (ret->bound.total_ns > config->max_bound_ns)
				base_drop(engine);
		}
	}
	if (!covered || !engine->has_base)
		*ret = (struct correction){
			.counter = counter,
			.mult = config->scale.mult,
			.tai_offset_s = CHRONOTICK_TAI_UNKNOWN,
		};
	ret->measurement_count = engine->measurement_count;
	ret->status = covered ? engine->status : CHRONOTICK_UNSYNCHRONIZED;
	if (ret->source != CHRONOTICK_NO_DATA)
		quality_tell(engine, ret);
	/* Holdover ended, or the leap second came, in a call that did not weigh */
	changed = changed || (engine->dirty && !was_dirty) ||
		  memcmp(&leap, &engine->leap, sizeof(leap)) != 0;
	if (changed && engine->observer)
		engine->observer(engine->observer_data,
				 &(struct engine_input){
					 .kind = ENGINE_INPUT_CORRECT,
					 .counter = counter,
				 },
				 ret);
}
