/* SPDX-License-Identifier: MIT */
#include "engine/verdict.h"

/*
 * So many samples of a source in a row must contradict the ones before them to take it out of use;
 * after it was lost, the first one is enough.
 */
#define PENDING_FALSE 2

const char verdict_none[] = "no sample yet";
const char verdict_held[] = "contradicts what more sources agreed on before";
const char verdict_recanted[] = "contradicts what it said before, and others don't";
const char verdict_wait[] = "waits for more sources to be heard";

static const char *const reason_selected = "agrees with the majority";
static const char *const reason_false = "disagrees with the majority";
static const char *const reason_distrusted = "disagreed with an earlier majority";
static const char *const reason_alone = "no majority of the sources agrees";
static const char *const reason_contradicts = "its new samples contradict those before them";
static const char *const reason_stale = "no fresh sample";
static const char *const reason_distance = "its root distance is too large";

static const char *lost_reason(uint8_t state)
{
	switch (state) {
	case CHRONOTICK_SOURCE_UNSYNCHRONIZED:
		return "the server is not synchronised";
	case CHRONOTICK_SOURCE_DENIED:
		return "the server denies access";
	case CHRONOTICK_SOURCE_LOOP:
		return "its time comes from this host itself";
	default:
		return "does not answer";
	}
}

static bool source_stale(const struct engine_source *source, int64_t now_ns)
{
	int64_t age = now_ns - source->last_raw_ns;

	return age > ENGINE_STALE_NS && age / 3 > source->longest_gap_ns;
}

static void view_set(struct source_view *view, uint8_t state, const char *reason)
{
	view->state = state;
	view->reason = reason;
}

bool verdict_usable(struct engine *engine, unsigned int index, int64_t now_ns,
		    struct combine_source *ret)
{
	const struct engine_source *source = &engine->sources[index];
	struct source_view *view = &engine->views[index];
	int64_t limit = (int64_t)engine->config.max_distance_ms * 1000000;

	if (!source->present)
		return false;
	if (source->excluded) {
		view_set(view, CHRONOTICK_SOURCE_UNREACHABLE, source->excluded);
		return false;
	}
	if (source->lost != CHRONOTICK_SOURCE_SELECTED) {
		view_set(view, source->lost, lost_reason(source->lost));
		return false;
	}
	if (source->filter.count == 0) {
		view_set(view, CHRONOTICK_SOURCE_UNREACHABLE, verdict_none);
		return false;
	}
	if (source_stale(source, now_ns)) {
		view_set(view, CHRONOTICK_SOURCE_UNREACHABLE, reason_stale);
		return false;
	}
	ret->filter = &source->filter;
	ret->index = index;
	ret->interval = filter_interval(&source->filter, now_ns, &engine->limits);
	view->root_distance_ns = ret->interval.distance_ns;
	if (ret->interval.distance_ns > limit) {
		view_set(view, CHRONOTICK_SOURCE_UNSYNCHRONIZED, reason_distance);
		return false;
	}
	if (source->filter.pending_count >= (source->returning ? 1 : PENDING_FALSE)) {
		view_set(view, CHRONOTICK_SOURCE_FALSETICKER, reason_contradicts);
		return false;
	}
	view_set(view, CHRONOTICK_SOURCE_CANDIDATE, reason_alone);
	return true;
}

unsigned int verdict_absent(const struct engine *engine, unsigned int usable, int64_t now_ns)
{
	unsigned int expected = 0, i;

	if (now_ns - engine->first_ns >= ENGINE_START_WAIT_NS)
		return 0;
	for (i = 0; i < engine->source_end; i++) {
		const struct engine_source *source = &engine->sources[i];

		expected += source->present && !source->excluded &&
			    source->lost == CHRONOTICK_SOURCE_SELECTED &&
			    (!source->late || engine->views[i].has_sample);
	}
	return expected - usable;
}

bool verdict_give(struct engine *engine, const struct combine_source *sources, unsigned int count)
{
	bool any = false;
	unsigned int i;

	for (i = 0; i < count; i++)
		any = any ||
		      (sources[i].truechimer && !engine->sources[sources[i].index].distrusted);
	for (i = 0; i < count; i++) {
		struct source_view *view = &engine->views[sources[i].index];

		if (!any)
			view->reason = reason_distrusted;
		else if (sources[i].truechimer)
			view_set(view, CHRONOTICK_SOURCE_SELECTED, reason_selected);
		else
			view_set(view, CHRONOTICK_SOURCE_FALSETICKER, reason_false);
		if (any)
			engine->sources[sources[i].index].distrusted = !sources[i].truechimer;
		if (any && sources[i].truechimer)
			engine->sources[sources[i].index].recanted = false;
	}
	return any;
}
