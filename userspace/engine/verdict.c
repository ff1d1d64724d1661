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
const char verdict_split[] = "no majority of the trusted sources agrees";

static const char *const reason_selected = "agrees with the majority";
static const char *const reason_false = "disagrees with the majority";
static const char *const reason_distrusted = "disagreed with an earlier majority";
static const char *const reason_alone = "no majority of the sources agrees";
static const char *const reason_contradicts = "its new samples contradict those before them";
static const char *const reason_false_trusted = "disagrees with the trusted sources";
static const char *const reason_measured = "is measured only, as it has noselect";
static const char *const reason_preferred = "agrees with the majority, but others are preferred";
static const char *const reason_cluster =
	"agrees with the majority, but is an outlier of the cluster";
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
	view->agrees = false;
	view->false_by_ns = 0;
}

bool verdict_usable(struct engine *engine, unsigned int index, int64_t now_ns,
		    struct combine_source *ret)
{
	struct engine_source *source = &engine->sources[index];
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
	ret->options = source->options;
	ret->place = source->place;
	ret->interval = filter_interval(&source->filter, now_ns, &engine->limits);
	view->root_distance_ns = ret->interval.distance_ns;
	if (ret->interval.distance_ns > limit) {
		view_set(view, CHRONOTICK_SOURCE_UNSYNCHRONIZED, reason_distance);
		return false;
	}
	if (source->filter.contradicting >= (source->returning ? 1 : PENDING_FALSE)) {
		view_set(view, CHRONOTICK_SOURCE_FALSETICKER, reason_contradicts);
		view->false_by_ns = filter_pending_apart(&source->filter, &engine->limits);
		return false;
	}
	if (source->options & ENGINE_SOURCE_NOSELECT) {
		view_set(view, CHRONOTICK_SOURCE_CANDIDATE, reason_measured);
		source->fresh = 0; /* nor are they for the models, should it be selected later */
		return false;
	}
	view_set(view, CHRONOTICK_SOURCE_CANDIDATE, reason_alone);
	return true;
}

/* Is it to be waited for at the start, or was it? */
static bool is_expected(const struct engine *engine, unsigned int index)
{
	const struct engine_source *source = &engine->sources[index];

	return source->present && !source->excluded && source->lost == CHRONOTICK_SOURCE_SELECTED &&
	       !(source->options & ENGINE_SOURCE_NOSELECT) &&
	       (!source->late || engine->views[index].has_sample);
}

struct combine_absent verdict_absent(const struct engine *engine,
				     const struct combine_source *sources, unsigned int count,
				     int64_t now_ns)
{
	struct combine_absent absent = {0, 0};
	unsigned int i;

	if (now_ns - engine->first_ns >= ENGINE_START_WAIT_NS)
		return absent;
	for (i = 0; i < engine->source_end; i++) {
		bool expected = is_expected(engine, i);

		absent.all += expected;
		absent.trusted += expected && engine->sources[i].options & ENGINE_SOURCE_TRUST;
	}
	for (i = 0; i < count; i++) {
		absent.all--;
		absent.trusted -= (sources[i].options & ENGINE_SOURCE_TRUST) != 0;
	}
	return absent;
}

/*
 * It agrees with the majority: is the estimate made of it? An outlier of the cluster is selected all
 * the same: it has its vote, the bound rests on it, and the next sample may bring it back.
 */
static void view_agrees(struct source_view *view, enum cluster_place place)
{
	static const struct {
		uint8_t state;
		const char *const *reason;
	} places[] = {
		[CLUSTER_IN] = {CHRONOTICK_SOURCE_SELECTED, &reason_selected},
		[CLUSTER_NOT_PREFERRED] = {CHRONOTICK_SOURCE_CANDIDATE, &reason_preferred},
		[CLUSTER_OUT] = {CHRONOTICK_SOURCE_SELECTED, &reason_cluster},
	};

	view_set(view, places[place].state, *places[place].reason);
	view->agrees = true;
}

bool verdict_give(struct engine *engine, const struct combine_source *sources, unsigned int count,
		  bool trusted)
{
	bool any = trusted;
	unsigned int i;

	for (i = 0; i < count; i++)
		any = any ||
		      (sources[i].truechimer && !engine->sources[sources[i].index].distrusted);
	for (i = 0; i < count; i++) {
		struct source_view *view = &engine->views[sources[i].index];
		struct engine_source *source = &engine->sources[sources[i].index];

		if (!any) {
			view->reason = reason_distrusted;
			continue;
		}
		source->distrusted = !sources[i].truechimer;
		source->place = sources[i].place;
		if (sources[i].truechimer) {
			source->recanted = false;
			view_agrees(view, source->place);
			continue;
		}
		view_set(view, CHRONOTICK_SOURCE_FALSETICKER,
			 trusted ? reason_false_trusted : reason_false);
		view->false_by_ns =
			sources[i].apart_ns < INT64_MAX ? (int64_t)sources[i].apart_ns : INT64_MAX;
	}
	return any;
}

void engine_tally(const struct engine *engine, struct engine_tally *ret)
{
	unsigned int i;

	*ret = (struct engine_tally){0, 0};
	for (i = 0; i < ENGINE_SOURCES_MAX; i++) {
		uint8_t state = engine->views[i].state;

		if (engine->sources[i].options & ENGINE_SOURCE_NOSELECT)
			continue;
		ret->selected += state == CHRONOTICK_SOURCE_SELECTED;
		ret->usable += state == CHRONOTICK_SOURCE_SELECTED ||
			       state == CHRONOTICK_SOURCE_CANDIDATE ||
			       state == CHRONOTICK_SOURCE_FALSETICKER;
	}
}

void verdict_aside(struct engine *engine, int64_t reference_ns, double estimate_ns, int64_t now_ns)
{
	unsigned int i;

	for (i = 0; i < engine->source_end; i++) {
		const struct engine_source *source = &engine->sources[i];

		if (source->options & ENGINE_SOURCE_NOSELECT && source->filter.count)
			engine->views[i].offset_ns =
				(int64_t)(filter_estimate(&source->filter, now_ns, reference_ns) -
					  estimate_ns);
	}
}
