/* SPDX-License-Identifier: MIT */
#include "archive/recorder.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "archive/sample_text.h"

#define NS_PER_S 1000000000LL

static const struct journal_kind kind = {
	.key = "sample_log.directory",
	.name = "the sample log",
	.names = {"samples-", ".log", SAMPLE_LOG_HEADER "\n"},
};

struct recorder {
	struct journal *journal;
	struct journal_limits limits;
	struct engine *engine;
	recorder_name_fn name;
	void *data;

	/* Files are named by CLOCK_REALTIME as it was at the start, so that they stay in order. */
	int64_t start_ns; /* of the epoch, when CLOCK_MONOTONIC was 0 */
	int64_t utc_ns;
	char run[SAMPLE_WORD_MAX];
	uint64_t number; /* lines of the run so far, without those that tell the state */
	bool tell;       /* the next correction is recorded with what it told */
	bool named[ENGINE_SOURCES_MAX];
	struct leap_table leaps; /* as it was recorded */

	char text[JOURNAL_TEXT_MAX]; /* not handed over yet */
	size_t used;
};

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void flush(struct recorder *recorder)
{
	if (recorder->used)
		journal_put(recorder->journal, recorder->utc_ns, recorder->text, recorder->used);
	recorder->used = 0;
}

static void record_write(struct recorder *recorder, const struct sample_record *record)
{
	char line[SAMPLE_LINE_MAX];
	size_t length = sample_record_format(line, record);

	if (recorder->used + length > sizeof(recorder->text))
		flush(recorder);
	memcpy(recorder->text + recorder->used, line, length);
	recorder->used += length;
}

static void event_write(struct recorder *recorder, const struct sample_record *record)
{
	record_write(recorder, record);
	recorder->number++;
}

static void name_write(struct recorder *recorder, unsigned int source)
{
	struct sample_record record = {.kind = SAMPLE_RECORD_NAME, .input.source = source};
	const char *name = recorder->name ? recorder->name(recorder->data, source) : NULL;

	if (!name)
		return;
	snprintf(record.word, sizeof(record.word), "%s", name);
	event_write(recorder, &record);
	recorder->named[source] = true;
}

static void leaps_write(struct recorder *recorder,
			void (*write)(struct recorder *recorder,
				      const struct sample_record *record))
{
	const struct leap_table *table = &recorder->leaps;
	struct sample_record record = {.kind = SAMPLE_RECORD_LEAP};
	unsigned int i;

	for (i = 0; i < table->count; i++) {
		record.leap = table->entries[i];
		write(recorder, &record);
	}
	record.kind = SAMPLE_RECORD_LEAPS;
	record.expires_ns = table->expires_ns;
	write(recorder, &record);
}

/* With what an engine has to begin here, if no earlier line is known. */
static void state_write(struct recorder *recorder)
{
	const struct engine *engine = recorder->engine;
	struct sample_record record = {
		.kind = SAMPLE_RECORD_RUN,
		.number = recorder->number,
		.input = {.config = engine->config, .scale = engine->config.scale},
		.models = engine->models.config,
	};
	static const unsigned int kinds[] = {
		SAMPLE_RECORD_RUN,
		ENGINE_INPUT_CONFIGURE,
		SAMPLE_RECORD_MODELS,
		ENGINE_INPUT_RESTART,
	};
	unsigned int i;

	memcpy(record.word, recorder->run, sizeof(record.word));
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		record.kind = kinds[i];
		record_write(recorder, &record);
	}
	leaps_write(recorder, record_write);
	for (i = 0; i < engine->source_end; i++) {
		if (!engine->sources[i].present)
			continue;
		record.input.source = i;
		record.kind = ENGINE_INPUT_ADD;
		record_write(recorder, &record);
		record.input.excluded = true;
		record.kind = ENGINE_INPUT_EXCLUDE;
		if (engine->sources[i].excluded)
			record_write(recorder, &record);
		record.input.options = engine->sources[i].options;
		record.kind = ENGINE_INPUT_OPTIONS;
		if (record.input.options)
			record_write(recorder, &record);
		recorder->named[i] = false; /* again with its next sample */
	}
	record.kind = SAMPLE_RECORD_GO;
	record_write(recorder, &record);
}

static void told_set(struct sample_record *record, const struct correction *told)
{
	bool trusted = told->source != CHRONOTICK_NO_DATA;

	record->kind = SAMPLE_RECORD_TOLD;
	record->told = (struct sample_told){
		.utc_ns = trusted ? (int64_t)(told->utc >> 64) : 0,
		.mult = told->mult,
		.bound_ns = told->bound.total_ns,
		.uncertainty_ns = told->offset_uncertainty_ns,
		.status = told->status,
		.source = told->source,
	};
}

static void on_input(void *data, const struct engine_input *input, const struct correction *told)
{
	struct recorder *recorder = data;
	struct sample_record record = {.kind = input->kind, .input = *input};

	switch (input->kind) {
	case ENGINE_INPUT_ADD:
	case ENGINE_INPUT_REMOVE:
		if (input->source < ENGINE_SOURCES_MAX)
			recorder->named[input->source] = false;
		break;
	case ENGINE_INPUT_SAMPLE:
		if (input->sample.source < ENGINE_SOURCES_MAX &&
		    !recorder->named[input->sample.source])
			name_write(recorder, input->sample.source);
		break;
	case ENGINE_INPUT_CORRECT:
		if (recorder->tell)
			told_set(&record, told);
		recorder->tell = false;
		break;
	default:
		break;
	}
	event_write(recorder, &record);
}

/* Has the table changed since it was recorded? */
static bool leaps_take(struct recorder *recorder)
{
	static const struct leap_table none;
	const struct leap_table *now = recorder->engine->config.leaps;
	struct leap_table *known = &recorder->leaps;
	bool changed;
	unsigned int i;

	if (!now)
		now = &none;
	changed = now->count != known->count || now->expires_ns != known->expires_ns;
	for (i = 0; i < now->count && !changed; i++)
		changed = now->entries[i].from_ns != known->entries[i].from_ns ||
			  now->entries[i].tai_s != known->entries[i].tai_s;
	if (changed)
		*known = *now;
	return changed;
}

int recorder_new(struct recorder **ret, const struct journal_config *config, struct engine *engine,
		 struct scribe *scribe, recorder_name_fn name, void *data)
{
	struct recorder *recorder;
	int r;

	*ret = NULL;
	if (!config->directory)
		return 0;
	recorder = calloc(1, sizeof(*recorder));
	if (!recorder)
		return -ENOMEM;
	recorder->limits = config->limits;
	recorder->engine = engine;
	recorder->name = name;
	recorder->data = data;
	recorder->tell = true;
	r = journal_new(&recorder->journal, config, &kind, scribe);
	if (r < 0) {
		free(recorder);
		return r;
	}
	recorder->utc_ns = clock_ns(CLOCK_REALTIME);
	recorder->start_ns = recorder->utc_ns - clock_ns(CLOCK_MONOTONIC);
	snprintf(recorder->run, sizeof(recorder->run), "%" PRId64 "-%d", recorder->utc_ns,
		 (int)getpid());
	(void)leaps_take(recorder);
	state_write(recorder);
	engine_observe(engine, on_input, recorder);
	*ret = recorder;
	return 0;
}

void recorder_tick(struct recorder *recorder, int64_t now_ns)
{
	int64_t before_ns;

	if (!recorder)
		return;
	journal_tell(recorder->journal);
	flush(recorder);
	before_ns = recorder->utc_ns;
	recorder->utc_ns = recorder->start_ns + now_ns;
	if (leaps_take(recorder))
		leaps_write(recorder, event_write);
	if (journal_period(&recorder->limits, recorder->utc_ns) !=
	    journal_period(&recorder->limits, before_ns)) {
		flush(recorder); /* the new file begins with the state */
		state_write(recorder);
	}
	recorder->tell = true;
}

void recorder_end(struct recorder *recorder)
{
	if (!recorder)
		return;
	engine_observe(recorder->engine, NULL, NULL);
	flush(recorder);
}

void recorder_free(struct recorder *recorder)
{
	if (!recorder)
		return;
	journal_free(recorder->journal);
	free(recorder);
}
