/* SPDX-License-Identifier: MIT */
#include "rerun.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_MS 1e6
#define NS_PER_S 1e9
/* Points of the plot without a measurement; twice as far apart each time that they are too many. */
#define IDLE_POINTS_MAX 20000
#define IDLE_GAP_S 1.0

const char *const predictor_names[PREDICTORS] = {
	[PREDICTOR_ENGINE] = "chronotick",
	[PREDICTOR_MODELS + MODEL_SHORT_TERM] = "cpu_model",
	[PREDICTOR_MODELS + MODEL_LONG_TERM] = "gpu_model",
	[PREDICTOR_MODELS + MODEL_FEED] = "feed",
	[PREDICTOR_LINES] = "ntp",
	[PREDICTOR_BASELINES + BASELINE_LAST] = "last",
	[PREDICTOR_BASELINES + BASELINE_MEAN] = "mean10",
	[PREDICTOR_BASELINES + BASELINE_LINE] = "line10",
};

int rerun_init(struct rerun *rerun, const struct rerun_options *options)
{
	memset(rerun, 0, sizeof(*rerun));
	rerun->options = *options;
	rerun->engine = malloc(sizeof(*rerun->engine));
	rerun->peek = malloc(sizeof(*rerun->peek));
	rerun->told.whole = true;
	rerun->idle_gap_s = IDLE_GAP_S;
	if (rerun->engine && rerun->peek)
		return 0;
	rerun_clear(rerun);
	return -ENOMEM;
}

void rerun_clear(struct rerun *rerun)
{
	free(rerun->engine);
	free(rerun->peek);
	free(rerun->bounds_ms);
	free(rerun->points);
	memset(rerun, 0, sizeof(*rerun));
}

static double seconds_at(const struct rerun *rerun, uint64_t counter)
{
	return (double)timescale_ns(&rerun->engine->config.scale, counter) / NS_PER_S;
}

static double error_ms(const struct rerun *rerun, int64_t offset_ns)
{
	return (double)(offset_ns - rerun->reference_ns) / NS_PER_MS;
}

/* UTC minus raw time as told, from the reference */
static double told_ms(const struct rerun *rerun, const struct correction *now)
{
	int64_t raw_ns = timescale_ns(&rerun->engine->config.scale, now->counter);

	return (double)((now->utc >> 64) - raw_ns - rerun->reference_ns) / NS_PER_MS;
}

/* The array, with room for one more than count; NULL: out of memory, it is as it was. */
static void *with_room(void *array, size_t *room, size_t count, size_t size)
{
	size_t wanted = *room ? 2 * *room : 1024;

	if (count < *room)
		return array;
	array = reallocarray(array, wanted, size);
	if (array)
		*room = wanted;
	return array;
}

/* Every other point without a measurement goes. */
static void points_thin(struct rerun *rerun)
{
	size_t to = 0, i, idle = 0;

	for (i = 0; i < rerun->point_count; i++) {
		const struct rerun_point *point = &rerun->points[i];

		if (isnan(point->measured_ms) && !point->begins && idle++ % 2)
			continue;
		rerun->points[to++] = *point;
	}
	rerun->point_count = to;
	rerun->idle_count = (idle + 1) / 2;
	rerun->idle_gap_s *= 2;
}

/* measured_ms: NAN: there was no measurement */
static int point_add(struct rerun *rerun, const struct correction *now, double measured_ms,
		     bool held)
{
	bool trusted = now->source != CHRONOTICK_NO_DATA, idle = isnan(measured_ms);
	int64_t utc_ns =
		timescale_ns(&rerun->engine->config.scale, now->counter) + rerun->reference_ns;
	struct rerun_point *points = rerun->points, *point;

	if (!rerun->options.points || !rerun->has_reference)
		return 0;
	if (!rerun->point_count)
		rerun->first_ns = utc_ns;
	if (idle && rerun->point_count && !rerun->point_begins &&
	    (double)(utc_ns - rerun->first_ns) / NS_PER_S - points[rerun->point_count - 1].t_s <
		    rerun->idle_gap_s)
		return 0;
	points = with_room(points, &rerun->point_room, rerun->point_count, sizeof(*points));
	if (!points)
		return -ENOMEM;
	rerun->points = points;
	point = &points[rerun->point_count++];
	*point = (struct rerun_point){
		.t_s = (double)(utc_ns - rerun->first_ns) / NS_PER_S,
		.measured_ms = measured_ms,
		.told_ms = trusted ? told_ms(rerun, now) : NAN,
		.sigma_ms = now->offset_uncertainty_ns / NS_PER_MS,
		.bound_ms = (double)now->bound.total_ns / NS_PER_MS,
		.held = held,
		.begins = rerun->point_begins,
	};
	rerun->point_begins = false;
	rerun->idle_count += idle;
	if (rerun->idle_count > IDLE_POINTS_MAX)
		points_thin(rerun);
	return 0;
}

/* Returns the absolute error, ms. */
static double tally_add(struct tally *tally, double error, double sigma_ms)
{
	tally->count++;
	tally->error_ms += fabs(error);
	tally->square_ms2 += error * error;
	tally->within_sigma += fabs(error) <= sigma_ms;
	return fabs(error);
}

static void estimate_score(const struct rerun *rerun, struct tally *tally,
			   const struct estimate *line, double factor, const struct sample *sample,
			   int64_t raw_ns)
{
	double error = -estimate_offset(line, raw_ns, sample->offset_ns) / NS_PER_MS;
	double sd = models_measurement_sd(&rerun->peek->models, factor * estimate_sd(line, raw_ns));

	tally_add(tally, error, sd / NS_PER_MS);
}

static void models_score(struct rerun *rerun, struct tally tallies[PREDICTORS],
			 const struct sample *sample, int64_t raw_ns)
{
	struct models *models = &rerun->peek->models;
	unsigned int i;

	for (i = 0; i < MODEL_COUNT; i++) {
		const struct prediction *served = schedule_serve(&models->schedules[i], raw_ns);

		if (served)
			estimate_score(rerun, &tallies[PREDICTOR_MODELS + i], &served->line,
				       models->scores[i].factor, sample, raw_ns);
	}
	if (rerun->peek->has_lines)
		estimate_score(rerun, &tallies[PREDICTOR_LINES], &rerun->peek->lines,
			       models->ntp.factor, sample, raw_ns);
}

static int bound_add(struct rerun *rerun, double bound_ms)
{
	double *bounds_ms =
		with_room(rerun->bounds_ms, &rerun->bound_room, rerun->bound_count, sizeof(double));

	if (!bounds_ms)
		return -ENOMEM;
	rerun->bounds_ms = bounds_ms;
	bounds_ms[rerun->bound_count++] = bound_ms;
	return 0;
}

/* now: what the engine said of the sample's time before it was given the sample */
static int score(struct rerun *rerun, const struct sample *sample, const struct correction *now,
		 bool held)
{
	int64_t raw_ns = timescale_ns(&rerun->engine->config.scale, sample->counter);
	double measured = error_ms(rerun, sample->offset_ns);
	double reach_ms = (double)filter_error(sample) / NS_PER_MS, plain[BASELINES], error;
	struct tally *tallies = held ? rerun->kept : rerun->ahead;
	bool trusted = now->source != CHRONOTICK_NO_DATA;
	unsigned int i;

	baselines_predict(&rerun->baselines, (double)raw_ns / NS_PER_S, plain);
	for (i = 0; i < BASELINES; i++)
		tally_add(&tallies[PREDICTOR_BASELINES + i], measured - plain[i], -1);
	error = tally_add(&tallies[PREDICTOR_ENGINE],
			  measured - (trusted ? told_ms(rerun, now) : plain[BASELINE_LAST]),
			  trusted ? now->measurement_sd_ns / NS_PER_MS : -1);
	if (trusted && error <= (double)now->bound.total_ns / NS_PER_MS + reach_ms)
		tallies[PREDICTOR_ENGINE].within_bound++;
	models_score(rerun, tallies, sample, raw_ns);
	if (held)
		return 0;
	rerun->untrusted += !trusted;
	rerun->by_source[now->source]++;
	return bound_add(rerun, trusted ? (double)now->bound.total_ns / NS_PER_MS : HUGE_VAL);
}

/* Does the engine take it for false, by what others say? One source alone has no others. */
static bool is_false(const struct rerun *rerun, const struct sample *sample)
{
	return rerun->engine->source_count > 1 &&
	       rerun->engine->views[sample->source].state == CHRONOTICK_SOURCE_FALSETICKER;
}

static int sample_take(struct rerun *rerun, const struct engine_input *input)
{
	const struct sample *sample = &input->sample;
	bool every =
		rerun->options.hold.every && (rerun->samples + 1) % rerun->options.hold.every == 0;
	bool known = sample->source < ENGINE_SOURCES_MAX, held;
	struct correction now;
	int r;

	held = every || (known && rerun->held[sample->source]);
	rerun->samples++;
	engine_copy(rerun->peek, rerun->engine);
	/* A sample that would be refused is none to be scored either. */
	r = engine_input(held ? rerun->peek : rerun->engine, input, NULL);
	if (r < 0 || sample->leap == 3) {
		rerun->refused += r < 0;
		return 0;
	}
	if (held)
		engine_copy(rerun->peek, rerun->engine);
	if (!rerun->has_reference) {
		rerun->reference_ns = sample->offset_ns;
		rerun->has_reference = true;
	}
	engine_correct(rerun->peek, sample->counter, &now);
	if (is_false(rerun, sample)) {
		rerun->false_ones++;
		return 0;
	}
	r = point_add(rerun, &now, error_ms(rerun, sample->offset_ns), held);
	if (r == 0 && baselines_ready(&rerun->baselines))
		r = score(rerun, sample, &now, held);
	if (!held)
		baselines_add(&rerun->baselines, seconds_at(rerun, sample->counter),
			      error_ms(rerun, sample->offset_ns));
	return r;
}

static void told_compare(struct rerun *rerun, const struct sample_told *then,
			 const struct correction *now)
{
	struct rerun_told *told = &rerun->told;
	bool trusted = now->source != CHRONOTICK_NO_DATA;
	int64_t utc_ns = trusted ? (int64_t)(now->utc >> 64) : 0;
	int64_t apart_ns;

	told->compared++;
	told->same += then->utc_ns == utc_ns && then->mult == now->mult &&
		      then->bound_ns == now->bound.total_ns && then->status == now->status &&
		      then->uncertainty_ns == now->offset_uncertainty_ns &&
		      then->source == now->source;
	if (!then->utc_ns || !trusted || __builtin_sub_overflow(then->utc_ns, utc_ns, &apart_ns))
		return;
	if (apart_ns < 0)
		apart_ns = apart_ns == INT64_MIN ? INT64_MAX : -apart_ns;
	if (apart_ns > told->apart_ns)
		told->apart_ns = apart_ns;
}

/* With all that the records have told of its beginning */
static int engine_begin(struct rerun *rerun)
{
	int r;

	if (rerun->running)
		return 0;
	rerun->config.models = &rerun->models;
	rerun->config.leaps = &rerun->leaps;
	r = engine_init(rerun->engine, &rerun->config, 0);
	if (r == 0)
		rerun->running = true;
	return r;
}

/* Raw time is another one: nothing that was measured before is comparable. */
static void timescale_begin(struct rerun *rerun)
{
	memset(&rerun->baselines, 0, sizeof(rerun->baselines));
	rerun->has_reference = false;
	rerun->point_begins = true;
}

static void run_begin(struct rerun *rerun, const struct recording *recording,
		      const struct sample_record *record)
{
	bool goes_on = rerun->running && strcmp(rerun->run, record->word) == 0 &&
		       rerun->number == record->number && record->number;

	rerun->collecting = true;
	rerun->passing = goes_on;
	if (goes_on)
		return;
	rerun->runs++;
	rerun->running = false;
	rerun->number = record->number;
	memcpy(rerun->run, record->word, sizeof(rerun->run));
	if (record->number)
		rerun->told.whole = false;
	rerun->config = rerun->options.config;
	rerun->config.raw_is_disciplined = recording_is_disciplined(recording);
	rerun->models = rerun->options.models;
	memset(&rerun->leaps, 0, sizeof(rerun->leaps));
	rerun->next_leaps.count = 0;
	timescale_begin(rerun);
	rerun->has_reference = recording_reference(recording, &rerun->reference_ns);
	memset(rerun->names, 0, sizeof(rerun->names));
	memset(rerun->held, 0, sizeof(rerun->held));
}

static void config_take(struct rerun *rerun, const struct engine_config *config)
{
	bool disciplined = config->raw_is_disciplined;

	if (!rerun->options.config_counts)
		rerun->config = *config;
	rerun->config.raw_is_disciplined = disciplined;
}

static void leap_take(struct rerun *rerun, const struct leap_entry *entry)
{
	struct leap_table *next = &rerun->next_leaps;

	if (next->count < LEAP_ENTRIES_MAX)
		next->entries[next->count++] = *entry;
}

static void leaps_take(struct rerun *rerun, int64_t expires_ns)
{
	rerun->leaps = rerun->next_leaps;
	rerun->leaps.expires_ns = expires_ns;
	rerun->next_leaps.count = 0;
}

static void name_take(struct rerun *rerun, unsigned int source, const char *name)
{
	const char *wanted = rerun->options.hold.source;

	snprintf(rerun->names[source].text, sizeof(rerun->names[source].text), "%s", name);
	rerun->held[source] = wanted && strcmp(wanted, name) == 0;
	rerun->hold_found = rerun->hold_found || rerun->held[source];
}

/* What is told of a run before its engine begins. Returns 1: this is not; 0; or a negative errno. */
static int beginning_take(struct rerun *rerun, const struct sample_record *record)
{
	switch (record->kind) {
	case ENGINE_INPUT_CONFIGURE:
		if (rerun->running)
			return rerun->options.config_counts ? 0 : 1;
		config_take(rerun, &record->input.config);
		return 0;
	case SAMPLE_RECORD_MODELS:
		if (!rerun->options.config_counts)
			rerun->models = record->models;
		return 0;
	case ENGINE_INPUT_RESTART:
		if (rerun->running)
			return 1;
		rerun->config.scale = record->input.scale;
		return 0;
	case SAMPLE_RECORD_LEAP:
		leap_take(rerun, &record->leap);
		return 0;
	case SAMPLE_RECORD_LEAPS:
		leaps_take(rerun, record->expires_ns);
		return 0;
	case SAMPLE_RECORD_NAME:
		name_take(rerun, record->input.source, record->word);
		return 0;
	default:
		return 1;
	}
}

static int input_take(struct rerun *rerun, const struct sample_record *record)
{
	struct correction now;
	int r;

	switch (record->kind) {
	case ENGINE_INPUT_SAMPLE:
		return sample_take(rerun, &record->input);
	case ENGINE_INPUT_CORRECT:
	case SAMPLE_RECORD_TOLD:
		engine_correct(rerun->engine, record->input.counter, &now);
		if (record->kind == SAMPLE_RECORD_TOLD)
			told_compare(rerun, &record->told, &now);
		return point_add(rerun, &now, NAN, false);
	case ENGINE_INPUT_RESTART:
		timescale_begin(rerun);
		break;
	default:
		break;
	}
	r = engine_input(rerun->engine, &record->input, NULL);
	return record->kind == ENGINE_INPUT_CONFIGURE ? r : 0;
}

int rerun_record(struct rerun *rerun, const struct recording *recording,
		 const struct sample_record *record)
{
	bool passing = rerun->passing;
	int r;

	switch (record->kind) {
	case RECORDING_GAP:
		rerun->told.whole = false;
		return 0;
	case SAMPLE_RECORD_RUN:
		run_begin(rerun, recording, record);
		return 0;
	case SAMPLE_RECORD_GO:
		rerun->collecting = false;
		rerun->passing = false;
		return passing ? 0 : engine_begin(rerun);
	default:
		break;
	}
	if (passing)
		return 0;
	if (!rerun->collecting && !rerun->running) {
		rerun->told.whole = false; /* the beginning is missing */
		return 0;
	}
	rerun->number += !rerun->collecting;
	r = beginning_take(rerun, record);
	if (r <= 0)
		return r;
	r = engine_begin(rerun);
	return r < 0 ? r : input_take(rerun, record);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

double rerun_bound_median_ms(struct rerun *rerun)
{
	double median;

	if (!rerun->bound_count)
		return NAN;
	qsort(rerun->bounds_ms, rerun->bound_count, sizeof(double), by_size);
	median = rerun->bounds_ms[rerun->bound_count / 2];
	return isfinite(median) ? median : NAN;
}
