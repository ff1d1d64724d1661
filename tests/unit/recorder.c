/* SPDX-License-Identifier: MIT */
/* From an engine that is recorded, through files, to another engine. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "archive/recorder.h"
#include "recording.h"
#include "rerun.h"
#include "support/noise.h"

#define SECOND 1000000000LL
#define OFFSET 1760000000123456789LL

static char directory[] = "/tmp/chronotick-recorder-XXXXXX";
static struct engine engine;
static struct scribe *scribe;
static struct recorder *recorder;
static struct rerun again;
static struct recording_counts counts;
static int64_t monotonic_ns;

static const struct engine_config config = {
	.scale = {.base = 5000, .mult = 1ULL << 54},
	.max_drift_ppb = 100000,
	.wander_ppb = 1000,
	.max_bound_ns = 10000000,
	.max_distance_ms = 1000,
};

static const char *path_of(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void make(void)
{
	struct timespec now;

	cr_assert(mkdtemp(directory));
	clock_gettime(CLOCK_MONOTONIC, &now);
	monotonic_ns = now.tv_sec * SECOND + now.tv_nsec;
}

static void clean(void)
{
	struct dirent *entry;
	DIR *dir = opendir(directory);

	while (dir && (entry = readdir(dir)))
		unlink(path_of(entry->d_name));
	closedir(dir);
	rmdir(directory);
	rerun_clear(&again);
}

static const char *name_of(void *data, unsigned int source)
{
	static const char *const names[] = {"first", "second"};

	(void)data;
	return names[source];
}

static void begin(uint32_t rotate_s)
{
	const struct journal_config wanted = {directory, {.rotate_s = rotate_s}};

	cr_assert_eq(scribe_new(&scribe), 0);
	cr_assert_eq(engine_init(&engine, &config, 0), 0);
	cr_assert_eq(recorder_new(&recorder, &wanted, &engine, scribe, name_of, NULL), 0);
	cr_assert_eq(engine_source_add(&engine, 0), 0);
	cr_assert_eq(engine_source_add(&engine, 1), 0);
}

static void end(void)
{
	recorder_end(recorder);
	scribe_free(scribe);
	recorder_free(recorder);
	cr_assert_null(engine.observer);
}

/* So many seconds, as the daemon has them: with a sample every other one. */
static void live(unsigned int from_s, unsigned int to_s)
{
	struct correction now;
	unsigned int s, i;

	for (s = from_s; s < to_s; s++) {
		int64_t raw_ns = s * SECOND;
		struct sample sample = {
			.counter = 5000 + (uint64_t)raw_ns - 20000,
			.offset_ns = OFFSET + (int64_t)(1000 * noise()),
			.delay_ns = 20000,
			.dispersion_ns = 1000,
			.source = s / 2 % 2,
			.stratum = 1,
		};

		if (s % 2)
			cr_assert_eq(engine_sample_add(&engine, &sample), 0);
		for (i = 0; i < 10; i++)
			engine_correct(&engine, 5000 + (uint64_t)(raw_ns + i * SECOND / 10), &now);
		monotonic_ns += SECOND;
		recorder_tick(recorder, monotonic_ns);
	}
}

static int names(struct dirent ***ret)
{
	int count = scandir(directory, ret, NULL, alphasort);

	cr_assert_geq(count, 2);
	free((*ret)[0]), free((*ret)[1]); /* . and .. */
	return count;
}

/* Files from the first-th to the one before the last-th */
static void replay(unsigned int first, unsigned int last)
{
	const struct rerun_options options = {.config = config, .models = models_default};
	struct dirent **found;
	int count = names(&found), i;

	cr_assert_eq(rerun_init(&again, &options), 0);
	for (i = 2; i < count; i++) {
		const struct recording_defaults defaults = {0};
		struct recording *recording;
		struct sample_record record;
		FILE *stream;
		int r;

		if ((unsigned int)i - 2 < first || (unsigned int)i - 2 >= last)
			continue;
		stream = recording_stream(path_of(found[i]->d_name));
		cr_assert(stream);
		cr_assert_eq(recording_open(&recording, stream, "f", &defaults, stderr), 0);
		while ((r = recording_next(recording, &record)) > 0)
			cr_assert_eq(rerun_record(&again, recording, &record), 0);
		cr_assert_eq(r, 0);
		recording_count(recording, &counts);
		recording_close(recording);
		fclose(stream);
		free(found[i]);
	}
	free(found);
}

TestSuite(recorder, .init = make, .fini = clean);

Test(recorder, what_was_told_is_told_again)
{
	begin(10);
	live(1, 101);
	end();
	replay(0, 1000);
	cr_assert_eq(again.told.compared, 100);
	cr_assert_eq(again.told.same, 100);
	cr_assert_eq(again.told.apart_ns, 0);
	cr_assert(again.told.whole);
	cr_assert_eq(again.runs, 1);
	cr_assert_eq(again.samples, 50);
	cr_assert_str_eq(again.names[0].text, "first");
	cr_assert_str_eq(again.names[1].text, "second");
	cr_assert_eq(again.engine->measurement_count, engine.measurement_count);
	cr_assert_eq(again.engine->base.utc, engine.base.utc);
}

Test(recorder, a_file_without_those_before_it_can_be_begun_with)
{
	begin(10);
	live(1, 101);
	end();
	replay(5, 1000);
	cr_assert_not(again.told.whole);
	cr_assert_eq(again.runs, 1);
	cr_assert(again.samples > 20 && again.samples < 30);
	cr_assert_eq(again.refused, 0);
	cr_assert_lt(again.told.same, again.told.compared);
	cr_assert_leq(again.told.apart_ns, 20000, "it has learnt anew");
}

Test(recorder, runs_follow_each_other_in_one_file)
{
	begin(604800);
	live(1, 51);
	end();
	begin(604800);
	live(1, 51);
	end();
	replay(0, 1000);
	cr_assert_eq(again.runs, 2);
	cr_assert(again.told.compared == 100 && again.told.same == 100 && again.told.whole);
}

/*
 * A flood of records: the loop never waits for the disk, so some may be lost. Then the log says so.
 */
Test(recorder, lines_that_are_lost_are_told)
{
	struct correction now;
	unsigned int i;

	begin(604800);
	for (i = 0; i < 400000; i++)
		engine_correct(&engine, 5000 + i * (uint64_t)SECOND / 10, &now);
	recorder_tick(recorder, monotonic_ns + SECOND);
	end();
	replay(0, 1000);
	cr_assert_eq(counts.torn, 0);
	if (!again.told.whole)
		cr_assert_lt(again.number, 400000);
	else
		cr_assert_eq(again.number, 400000 + 2);
}
