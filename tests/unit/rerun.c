/* SPDX-License-Identifier: MIT */
/* What is scored, against what it must come to by hand. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "rerun.h"

static struct rerun rerun;
static char *text;
static size_t size;
static FILE *to;

static const struct rerun_options plain = {
	.config = {.max_drift_ppb = 200000,
		   .wander_ppb = 1000,
		   .max_bound_ns = 1000000000,
		   .max_distance_ms = 1000},
};

static void begin(void)
{
	to = open_memstream(&text, &size);
	cr_assert(to);
	fprintf(to, "t_s,ntp_offset_ms,ntp_delay_ms\n");
}

static void replay(const struct rerun_options *wanted)
{
	const struct recording_defaults defaults = {.dispersion_ns = 1000000};
	struct rerun_options options = *wanted;
	struct recording *recording;
	struct sample_record record;
	FILE *stream;
	int r;

	options.models = models_default;
	fclose(to);
	stream = fmemopen(text, size, "r");
	cr_assert_eq(rerun_init(&rerun, &options), 0);
	cr_assert_eq(recording_open(&recording, stream, "f", &defaults, stderr), 0);
	while ((r = recording_next(recording, &record)) > 0)
		cr_assert_eq(rerun_record(&rerun, recording, &record), 0);
	cr_assert_eq(r, 0);
	recording_close(recording);
	fclose(stream);
	free(text);
}

static double mae(const struct tally *tally)
{
	return tally->error_ms / tally->count;
}

Test(rerun, plain_predictors_of_a_line)
{
	unsigned int i;

	begin();
	for (i = 1; i <= 100; i++)
		fprintf(to, "%u,%u,20\n", 10 * i, i);
	replay(&plain);
	cr_assert_eq(rerun.samples, 100);
	cr_assert_eq(rerun.ahead[PREDICTOR_ENGINE].count, 90);
	cr_assert_float_eq(mae(&rerun.ahead[PREDICTOR_BASELINES + BASELINE_LAST]), 1, 1e-9);
	cr_assert_float_eq(mae(&rerun.ahead[PREDICTOR_BASELINES + BASELINE_MEAN]), 5.5, 1e-9);
	cr_assert_float_eq(mae(&rerun.ahead[PREDICTOR_BASELINES + BASELINE_LINE]), 0, 1e-6);
	cr_assert_lt(mae(&rerun.ahead[PREDICTOR_ENGINE]), 0.1);
	cr_assert_eq(rerun.ahead[PREDICTOR_ENGINE].within_bound, 90);
	cr_assert_eq(rerun.kept[PREDICTOR_ENGINE].count, 0);
	cr_assert_eq(rerun.ahead[PREDICTOR_MODELS + MODEL_FEED].count, 0);
	cr_assert_gt(rerun.ahead[PREDICTOR_MODELS + MODEL_SHORT_TERM].count, 80);
	cr_assert_float_eq(sqrt(rerun.ahead[PREDICTOR_BASELINES].square_ms2 / 90), 1, 1e-9);
	rerun_clear(&rerun);
}

/* Those that are held are 3 ms off, which nothing but their own scores may know of. */
Test(rerun, what_is_held_is_scored_and_given_to_nobody)
{
	struct rerun_options options = plain;
	unsigned int i;

	begin();
	for (i = 1; i <= 200; i++)
		fprintf(to, "%u,%d,20\n", 10 * i, i % 4 == 0 ? 3 : 0);
	options.hold.every = 4;
	replay(&options);
	cr_assert_eq(rerun.ahead[PREDICTOR_ENGINE].count, 150 - 10);
	cr_assert_eq(rerun.kept[PREDICTOR_ENGINE].count, 50 - 3);
	cr_assert_float_eq(mae(&rerun.ahead[PREDICTOR_ENGINE]), 0, 1e-6);
	cr_assert_float_eq(mae(&rerun.kept[PREDICTOR_ENGINE]), 3, 1e-6);
	for (i = 0; i < BASELINES; i++) {
		cr_assert_float_eq(mae(&rerun.ahead[PREDICTOR_BASELINES + i]), 0, 1e-9);
		cr_assert_float_eq(mae(&rerun.kept[PREDICTOR_BASELINES + i]), 3, 1e-9);
	}
	cr_assert_eq(rerun.engine->views[0].samples, 150);
	rerun_clear(&rerun);
}

Test(rerun, a_single_time_has_no_line)
{
	struct baselines all = {.count = 0};
	double said[BASELINES];
	unsigned int i;

	for (i = 0; i < BASELINES_SAMPLES; i++) {
		cr_assert_not(baselines_ready(&all));
		baselines_add(&all, 5, i);
	}
	cr_assert(baselines_ready(&all));
	baselines_predict(&all, 6, said);
	cr_assert_eq(said[BASELINE_LAST], 9);
	cr_assert_float_eq(said[BASELINE_MEAN], 4.5, 1e-12);
	cr_assert_float_eq(said[BASELINE_LINE], 4.5, 1e-12);
}

Test(rerun, points_are_kept_for_a_plot_and_thinned)
{
	struct rerun_options options = plain;
	unsigned int i, measured = 0;

	begin();
	for (i = 1; i <= 100000; i++)
		fprintf(to, "%u,%s,\n", 2 * i, i % 100 == 0 ? "1.5" : "");
	options.points = true;
	replay(&options);
	for (i = 0; i < rerun.point_count; i++) {
		const struct rerun_point *point = &rerun.points[i];

		cr_assert(i == 0 || point->t_s >= point[-1].t_s);
		cr_assert_eq(point->begins, i == 0);
		if (isnan(point->measured_ms))
			continue;
		cr_assert_float_eq(point->measured_ms, 1.5, 1e-9);
		measured++;
	}
	cr_assert_eq(measured, 1000, "no measurement is thinned out");
	cr_assert(rerun.point_count > 5000 && rerun.point_count < 25000);
	rerun_clear(&rerun);
}

Test(rerun, a_configuration_out_of_range_is_refused)
{
	struct rerun_options options = plain;
	struct recording *recording;
	struct recording_defaults defaults = {0};
	static const char log[] = SAMPLE_LOG_HEADER "\nrun a 0\nconfig 0 1 1 1 0\n"
						    "scale 5 18014398509481984\ngo\n";
	struct sample_record record;
	FILE *stream = fmemopen((char *)(uintptr_t)log, strlen(log), "r");
	int r = 0;

	options.models = models_default;
	cr_assert_eq(rerun_init(&rerun, &options), 0);
	cr_assert_eq(recording_open(&recording, stream, "f", &defaults, stderr), 0);
	while (r == 0 && recording_next(recording, &record) > 0)
		r = rerun_record(&rerun, recording, &record);
	cr_assert_eq(r, -EINVAL);
	recording_close(recording);
	fclose(stream);
	rerun_clear(&rerun);
}
