/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#include "engine/describe.h"
#include "log.h"

#define MINUTE_NS 60000000000LL

/* How each status is logged; a change for the worse is a warning. */
static const struct {
	int priority;
	const char *text;
} statuses[] = {
	[CHRONOTICK_UNSYNCHRONIZED] = {LOG_WARNING, "no trusted time"},
	[CHRONOTICK_WARMING_UP] = {LOG_INFO, "not enough measured to be trusted yet"},
	[CHRONOTICK_SYNCHRONIZED] = {LOG_INFO, "a majority of the sources agrees"},
	[CHRONOTICK_HOLDOVER] = {LOG_WARNING, "running on without a reference, the bound grows"},
};

static void report_past(struct report *report, const struct retro_past *past)
{
	if (past->to_ns == past->from_ns || past->to_ns == report->past_ns)
		return;
	report->past_ns = past->to_ns;
	log_info("measurements contradict what was predicted, by %+.0f ns now; %.1f s ago it is "
		 "thought to have been off by %+.0f ns (%s)",
		 past->error_ns, (double)(past->to_ns - past->from_ns) * 1e-9,
		 past->corrected[0] - past->predicted[0], retro_name(past->method));
}

void report_clock(struct report *report, const struct engine *engine,
		  const struct correction *correction)
{
	static const char *const leaps[] = {"no leap second is ahead", "a leap second is ahead",
					    "a leap second will be left out"};
	struct engine_tally tally;
	uint8_t status = correction->status;
	const char *reason;

	engine_tally(engine, &tally);
	if (status != report->status && status < sizeof(statuses) / sizeof(statuses[0])) {
		report->status = status;
		if (status >= CHRONOTICK_SYNCHRONIZED)
			log_write(statuses[status].priority,
				  "%s: %s; %u of %u usable sources selected, bound %" PRId64 " ns",
				  chronotick_status_name(status), statuses[status].text,
				  tally.selected, tally.usable, correction->bound.total_ns);
		else
			log_write(statuses[status].priority, "%s: %s; %u of %u sources usable",
				  chronotick_status_name(status), statuses[status].text,
				  tally.usable, engine->source_count);
	}
	if (status >= CHRONOTICK_SYNCHRONIZED && engine->level != report->level) {
		report->level = engine->level;
		reason = engine_level_reason(
			engine, timescale_ns(&engine->config.scale, correction->counter));
		log_info("the time rests on: %s%s%s", fuse_level_name(engine->level),
			 reason ? "; " : "", reason ? reason : "");
	}
	report_past(report, &engine->models.short_term.past);
	if (status >= CHRONOTICK_SYNCHRONIZED && correction->leap != report->leap &&
	    correction->leap < sizeof(leaps) / sizeof(leaps[0])) {
		report->leap = correction->leap;
		log_info("%s", leaps[correction->leap]);
	}
}

static int source_priority(uint8_t state, uint8_t before)
{
	if (state == CHRONOTICK_SOURCE_FALSETICKER || state == CHRONOTICK_SOURCE_DENIED ||
	    state == CHRONOTICK_SOURCE_LOOP)
		return LOG_WARNING;
	if (before == CHRONOTICK_SOURCE_SELECTED && state != CHRONOTICK_SOURCE_CANDIDATE)
		return LOG_WARNING;
	return LOG_INFO;
}

void report_sources(struct report *report, const struct source_status *sources, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		const struct source_status *source = &sources[i];
		char by[48] = "";
		const struct chronotick_source *summary = &source->summary;
		const char **reason;
		uint8_t *state;

		if (source->index == SOURCE_SET_NO_INDEX)
			continue;
		state = &report->states[source->index];
		reason = &report->reasons[source->index];
		if (summary->state == *state && source->reason == *reason)
			continue;
		if (source->false_by_ns)
			snprintf(by, sizeof(by), " by %" PRId64 " ns", source->false_by_ns);
		if (summary->state != *state || *reason)
			log_write(source_priority(summary->state, *state),
				  "source %.*s: %s, %s%s; offset %" PRId64 " ns",
				  (int)sizeof(summary->name), summary->name,
				  chronotick_source_state_name(summary->state),
				  source->reason ? source->reason : "no reason known", by,
				  (int64_t)summary->offset_ns);
		*state = summary->state;
		*reason = source->reason;
	}
}

void report_late(struct report *report, uint64_t late, int64_t now_ns)
{
	if (late == report->late ||
	    (report->late_told_ns && now_ns - report->late_told_ns < MINUTE_NS))
		return;
	log_warning("%" PRIu64 " publications came too late and were left out: the CPU is busy",
		    late - report->late);
	report->late = late;
	report->late_told_ns = now_ns;
}

void report_silence(struct report *report, const struct engine *engine, int64_t uptime_ns)
{
	if (report->silence_told || engine->measurement_count > 0 || uptime_ns < REPORT_SILENCE_NS)
		return;
	report->silence_told = true;
	log_warning("no source has answered in %lld s: are their names and the network all right?",
		    REPORT_SILENCE_NS / 1000000000);
}

void report_external_text(const struct models *models, char *text, size_t size)
{
	const char *state = external_state_name(models->external.state);
	const struct score *score = &models->scores[MODEL_FEED];

	if (score->count)
		snprintf(text, size, "%s; mean error %.0f ns of %" PRIu64 ", deviations times %.2f",
			 state, score->error_ns, score->count, score->factor);
	else
		snprintf(text, size, "%s; nothing to score it by", state);
}

void report_external(struct report *report, const struct models *models)
{
	enum external_state state = models->external.state;
	char text[128];

	if (state == report->external)
		return;
	report_external_text(models, text, sizeof(text));
	log_write(report->external == EXTERNAL_USED ? LOG_WARNING : LOG_INFO,
		  "the external model: %s", text);
	report->external = state;
}
