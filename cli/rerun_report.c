/* SPDX-License-Identifier: MIT */
#include "rerun_report.h"

#include <math.h>

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#include "json_values.h"

static double share(unsigned int part, unsigned int of)
{
	return of ? (double)part / of : NAN;
}

static double mae_ms(const struct tally *tally)
{
	return tally->count ? tally->error_ms / tally->count : NAN;
}

static json_t *model_json(const struct tally *tally, double factor)
{
	return json_pack("{s:I, s:o, s:o, s:o, s:f}", "scored", (json_int_t)tally->count, "mae_ms",
			 json_finite(mae_ms(tally)), "rms_ms",
			 json_finite(tally->count ? sqrt(tally->square_ms2 / tally->count) : NAN),
			 "within_1sigma", json_finite(share(tally->within_sigma, tally->count)),
			 "factor", factor);
}

static json_t *models_json(const struct rerun *rerun, const struct tally tallies[PREDICTORS])
{
	const struct models *models = &rerun->engine->models;
	json_t *object = json_object();
	unsigned int i;

	for (i = 0; i < MODEL_COUNT; i++)
		if (i != MODEL_FEED || tallies[PREDICTOR_MODELS + i].count)
			json_object_set_new(object, predictor_names[PREDICTOR_MODELS + i],
					    model_json(&tallies[PREDICTOR_MODELS + i],
						       models->scores[i].factor));
	json_object_set_new(object, predictor_names[PREDICTOR_LINES],
			    model_json(&tallies[PREDICTOR_LINES], models->ntp.factor));
	return object;
}

/* What is told of measurements, of those that came next or of those that were held */
static void scores_set(json_t *object, const struct rerun *rerun,
		       const struct tally tallies[PREDICTORS])
{
	const struct tally *engine = &tallies[PREDICTOR_ENGINE];
	json_t *plain = json_object();
	unsigned int i;

	for (i = 0; i < BASELINES; i++)
		json_object_set_new(plain, baseline_names[i],
				    json_finite(mae_ms(&tallies[PREDICTOR_BASELINES + i])));
	json_object_set_new(object, "scored", json_integer(engine->count));
	json_object_set_new(object, "mae_ms", json_finite(mae_ms(engine)));
	json_object_set_new(
		object, "rms_ms",
		json_finite(engine->count ? sqrt(engine->square_ms2 / engine->count) : NAN));
	json_object_set_new(object, "baseline_mae_ms", plain);
	json_object_set_new(object, "coverage_1sigma",
			    json_finite(share(engine->within_sigma, engine->count)));
	json_object_set_new(object, "coverage_bound",
			    json_finite(share(engine->within_bound, engine->count)));
	json_object_set_new(object, "models", models_json(rerun, tallies));
}

json_t *rerun_json(struct rerun *rerun, const char *format, const struct recording_counts *counts)
{
	json_t *object = json_object(), *sources = json_object(), *held;
	const struct hold *hold = &rerun->options.hold;
	const struct rerun_told *told = &rerun->told;
	unsigned int i;

	json_object_set_new(object, "format", json_string(format));
	json_object_set_new(object, "runs", json_integer(rerun->runs));
	json_object_set_new(object, "samples", json_integer(rerun->samples));
	json_object_set_new(object, "refused", json_integer(rerun->refused));
	json_object_set_new(object, "false", json_integer(rerun->false_ones));
	json_object_set_new(object, "invalid", json_integer((json_int_t)counts->invalid));
	json_object_set_new(object, "torn", json_integer((json_int_t)counts->torn));
	json_object_set_new(object, "untrusted", json_integer(rerun->untrusted));
	scores_set(object, rerun, rerun->ahead);
	json_object_set_new(object, "bound_median_ms", json_finite(rerun_bound_median_ms(rerun)));
	for (i = 0; i <= CHRONOTICK_PHC; i++)
		if (rerun->by_source[i])
			json_object_set_new(sources, chronotick_source_name(i),
					    json_real(share(rerun->by_source[i],
							    rerun->ahead[PREDICTOR_ENGINE].count)));
	json_object_set_new(object, "sources", sources);
	if (hold->every || hold->source) {
		held = json_object();
		scores_set(held, rerun, rerun->kept);
		json_object_set_new(object, "held", held);
	}
	if (told->compared)
		json_object_set_new(object, "told",
				    json_pack("{s:i, s:i, s:I, s:b}", "compared",
					      (int)told->compared, "same", (int)told->same,
					      "apart_ns", (json_int_t)told->apart_ns, "whole",
					      told->whole));
	return object;
}

static double real_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_real(value) ? json_real_value(value) : NAN;
}

static long long count_of(const json_t *object, const char *key)
{
	return (long long)json_integer_value(json_object_get(object, key));
}

/* A number with a unit, or a dash for none */
static void cell(int width, int digits, double value, const char *unit)
{
	if (isfinite(value))
		printf(" %*.*f%s", width - (int)strlen(unit), digits, value, unit);
	else
		printf(" %*s", width, "-");
}

static void row(const char *name, long long scored, double mae, double best, double within,
		double bound)
{
	printf("%-12s %8lld", name, scored);
	cell(12, 6, mae, "");
	cell(8, 3, mae / best, "");
	cell(9, 1, 100 * within, " %");
	cell(9, 1, 100 * bound, " %");
	putchar('\n');
}

static void scores_print(const json_t *scores, const char *title)
{
	const json_t *plain = json_object_get(scores, "baseline_mae_ms");
	json_t *models = json_object_get(scores, "models"), *value;
	double best = HUGE_VAL;
	unsigned int i;
	const char *name;

	for (i = 0; i < BASELINES; i++)
		best = fmin(best, real_of(plain, baseline_names[i]));
	printf("%-12s %8s %12s %8s %9s %9s\n", title, "scored", "MAE, ms", "of best", "in 1sd",
	       "in bound");
	row(predictor_names[PREDICTOR_ENGINE], count_of(scores, "scored"),
	    real_of(scores, "mae_ms"), best, real_of(scores, "coverage_1sigma"),
	    real_of(scores, "coverage_bound"));
	json_object_foreach(models, name, value)
		row(name, count_of(value, "scored"), real_of(value, "mae_ms"), best,
		    real_of(value, "within_1sigma"), NAN);
	for (i = 0; i < BASELINES; i++)
		row(baseline_names[i], count_of(scores, "scored"),
		    real_of(plain, baseline_names[i]), best, NAN, NAN);
}

static void note(const json_t *report, const char *key, const char *what)
{
	if (count_of(report, key))
		printf("%lld %s\n", count_of(report, key), what);
}

void rerun_print(const json_t *report)
{
	const json_t *held = json_object_get(report, "held"),
		     *told = json_object_get(report, "told");
	json_t *sources = json_object_get(report, "sources"), *value;
	const char *name;

	scores_print(report, "next ones");
	if (held) {
		putchar('\n');
		scores_print(held, "held ones");
	}
	printf("\n%lld samples; median bound", count_of(report, "samples"));
	cell(0, 6, real_of(report, "bound_median_ms"), " ms");
	printf("; rests on");
	json_object_foreach(sources, name, value)
		printf(" %s %.1f %%", name, 100 * json_real_value(value));
	putchar('\n');
	if (told)
		printf("%lld of %lld times as the daemon told, to the last digit; at most %lld ns "
		       "apart%s\n",
		       count_of(told, "same"), count_of(told, "compared"),
		       count_of(told, "apart_ns"),
		       json_is_true(json_object_get(told, "whole"))
			       ? ""
			       : "; lines are missing, or the beginning");
	if (count_of(report, "runs") > 1)
		note(report, "runs", "runs, each with an engine that began anew");
	note(report, "refused", "samples that the engine refused");
	note(report, "false", "not scored: their source was false, as the others had it");
	note(report, "invalid", "samples that chronyd itself did not believe");
	note(report, "untrusted", "scored without a trusted time: the last offset stood in");
	note(report, "torn", "torn lines passed over");
}
