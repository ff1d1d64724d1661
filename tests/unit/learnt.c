/* SPDX-License-Identifier: MIT */
/* What an engine's models have learnt: that it is kept, what is refused, and how it grows old. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include <criterion/criterion.h>

#include "engine/learnt_models.h"
#include "engine/memory.h"
#include "support/noise.h"

#define MULT (1ULL << 54) /* 1 GHz */
#define S 1000000000LL
#define UTC (1760000000 * S)
#define HOUR (3600 * S)
#define NUMBERS (sizeof(struct learnt) / sizeof(double))

static struct engine first, engine, other;
static struct learnt learnt;
static struct engine_memory memory;
static double offset_ns; /* of UTC minus raw time of the first engine */

static void start(struct engine *ret)
{
	const struct engine_config config = {
		.scale = {.base = 0, .mult = MULT},
		.max_drift_ppb = 200000,
		.wander_ppb = 1000,
		.max_bound_ns = 1000000000,
		.max_distance_ms = 1000,
	};

	cr_assert_eq(engine_init(ret, &config, 1), 0);
}

static double temperature(double s)
{
	return 45 + 3 * sin(2 * M_PI * s / 2400);
}

/* From s seconds on: runs 5 ppm slow and 200 ppb more for each kelvin. */
static void live(struct engine *to, double from_s, unsigned int seconds)
{
	struct correction told;
	unsigned int s;

	for (s = 0; s < seconds; s++) {
		uint64_t counter = (uint64_t)(s + 1) * S;
		struct sample sample = {
			.counter = counter,
			.offset_ns = UTC + llrint(offset_ns + 300 * noise()),
			.delay_ns = 4000,
			.tx_stamp = CHRONOTICK_STAMP_KERNEL,
			.rx_stamp = CHRONOTICK_STAMP_KERNEL,
			.stratum = 1,
		};

		if (s % 8 == 0) {
			(void)engine_covariates(to, counter,
						&(struct covariates){
							.present = 1,
							.value = {temperature(from_s + s)},
						});
			cr_assert_eq(engine_sample_add(to, &sample), 0);
		}
		engine_correct(to, counter, &told);
		cr_assert(isfinite(told.offset_uncertainty_ns) && isfinite(told.drift_uncertainty));
		offset_ns += 5000 + 200 * (temperature(from_s + s) - 45);
	}
}

static void learn(void)
{
	start(&first);
	live(&first, 0, 9600);
	cr_assert_eq(engine_memory_get(&first, &memory), 0);
	engine_learnt_get(&first, &learnt);
}

TestSuite(learnt, .init = learn);

static void begin(struct engine *ret, const struct learnt *with, int64_t age_ns, bool same)
{
	start(ret);
	engine_memory_learnt(ret, with);
	cr_assert_eq(engine_memory_set(ret, &memory, age_ns, same), 0);
}

static double coefficient(const struct learnt *of)
{
	return of->families[LONG_TERM_TEMPERATURE].mean[1 + COVARIATE_TEMPERATURE];
}

Test(learnt, rows_have_every_number_once)
{
	unsigned int seen[NUMBERS] = {0}, i, j;
	struct learnt_row row, before;

	for (i = 0; learnt_row(i, &row); i++) {
		cr_assert(row.count >= 1 && row.count <= LEARNT_ROW_MAX);
		cr_assert_leq(row.first + row.count, NUMBERS);
		for (j = 0; j < row.count; j++)
			seen[row.first + j]++;
		before = row;
	}
	cr_assert_str_eq(before.name, "time_of_day_covariance");
	for (i = 0; i < NUMBERS; i++)
		cr_assert_eq(seen[i], 1, "number %u", i);
}

Test(learnt, both_parts_are_there_and_in_range)
{
	struct learnt same = learnt;

	cr_assert_eq(learnt.short_term_members, short_term_members(0));
	cr_assert_eq(learnt.long_term_inputs, LONG_TERM_INPUTS);
	cr_assert_null(engine_learnt_check(&first, &same));
	cr_assert_eq(memcmp(&same, &learnt, sizeof(learnt)), 0);
	cr_assert_float_eq(coefficient(&learnt), 200, 10);
	cr_assert_eq(learnt.known[COVARIATE_TEMPERATURE], 1);
	cr_assert_float_eq(learnt.value[COVARIATE_TEMPERATURE], temperature(9600 - 8), 1e-6);
	cr_assert_eq(learnt.known[COVARIATE_CPU_LOAD], 0);
}

Test(learnt, a_run_that_learns_nothing_passes_it_on)
{
	struct learnt again;
	unsigned int i;

	begin(&engine, &learnt, 0, true);
	engine_learnt_get(&engine, &again);
	for (i = 0; i < SHORT_TERM_MEMBERS; i++)
		cr_expect_eq(again.short_term_likelihoods[i], learnt.short_term_likelihoods[i]);
	cr_expect_eq(again.walk_ns_s, learnt.walk_ns_s);
	cr_expect_float_eq(coefficient(&again), coefficient(&learnt), 1e-9);
	cr_expect_float_eq(again.families[LONG_TERM_TEMPERATURE].covariance[2],
			   learnt.families[LONG_TERM_TEMPERATURE].covariance[2],
			   1e-6 * learnt.families[LONG_TERM_TEMPERATURE].covariance[2]);
	cr_expect_eq(again.value[COVARIATE_TEMPERATURE], learnt.value[COVARIATE_TEMPERATURE]);
}

Test(learnt, the_long_term_model_goes_on_when_it_has_proven_itself_again)
{
	struct estimate line;

	begin(&engine, &learnt, 60 * S, true);
	live(&engine, 9660, 100);
	cr_assert_eq(long_term_estimate(&engine.models.long_term, 100 * S, S, &line), -EAGAIN,
		     "not before");
	begin(&engine, &learnt, 60 * S, true);
	live(&engine, 9660, 240);
	cr_assert_eq(long_term_estimate(&engine.models.long_term, 240 * S, S, &line), 0);
	cr_assert_gt(long_term_weight(&engine.models.long_term, LONG_TERM_TEMPERATURE) +
			     long_term_weight(&engine.models.long_term, LONG_TERM_COVARIATES),
		     0.8);

	/* Without it nothing is known so soon. */
	begin(&other, &(struct learnt){0}, 60 * S, true);
	live(&other, 9660, 240);
	cr_assert_eq(long_term_estimate(&other.models.long_term, 240 * S, S, &line), -EAGAIN);
}

Test(learnt, it_counts_for_less_with_age_and_in_the_end_for_nothing)
{
	struct learnt day, started;
	unsigned int variance = 2; /* of the first coefficient */

	begin(&engine, &learnt, 24 * HOUR, true);
	engine_learnt_get(&engine, &day);
	begin(&engine, &learnt, 24 * HOUR, false);
	engine_learnt_get(&engine, &started);
	cr_expect_float_eq(day.families[LONG_TERM_TEMPERATURE].covariance[variance],
			   2 * learnt.families[LONG_TERM_TEMPERATURE].covariance[variance], 1e-3);
	cr_expect_gt(day.families[LONG_TERM_TEMPERATURE].covariance[0],
		     2 * learnt.families[LONG_TERM_TEMPERATURE].covariance[0]);
	cr_expect_gt(started.families[LONG_TERM_TEMPERATURE].covariance[0], 1e6);
	cr_expect_float_eq(day.short_term_likelihoods[0],
			   exp(-1) * learnt.short_term_likelihoods[0], 1e-9);
	cr_expect_float_eq(started.short_term_likelihoods[0],
			   exp(-1) / 2 * learnt.short_term_likelihoods[0], 1e-9);
	cr_expect_eq(day.walk_ns_s, learnt.walk_ns_s, "the bound's part does not shrink");

	begin(&engine, &learnt, 8 * 24 * HOUR, true);
	cr_expect_not(engine.models.long_term.known);
	cr_expect_not(engine.models.short_term.known);
}

/* Six hours after a day's phase of 0 what was its sine is its cosine. */
Test(learnt, the_day_goes_on_in_between)
{
	double *mean = learnt.families[LONG_TERM_TIME_OF_DAY].mean;
	struct long_term *model = &engine.models.long_term;
	const struct kalman *kalman =
		&model->members[LONG_TERM_TIME_OF_DAY * LONG_TERM_WALKS].kalman;

	memset(mean, 0, sizeof(learnt.families[0].mean));
	mean[1 + COVARIATE_COUNT] = 100;
	learnt.day_s = 2 * LONG_TERM_DAY_S;
	begin(&engine, &learnt, 6 * HOUR, true);
	cr_assert_float_eq(kalman->x[2 + COVARIATE_COUNT], 0, 1e-6);
	cr_assert_float_eq(kalman->x[2 + COVARIATE_COUNT + 1], 100, 1e-6);
	cr_assert_gt(model->bank.families[LONG_TERM_TIME_OF_DAY].share, 0);
}

static bool wander_is_less(const struct wander *a, const struct wander *b)
{
	return rate_wander(a, S) < rate_wander(b, S) || rate_wander(a, HOUR) < rate_wander(b, HOUR);
}

Test(learnt, wander_is_only_ever_added_and_given_up_slowly)
{
	struct learnt restless = learnt;
	int64_t at_once;
	double before_ns, walk, own_walk, slope;
	static struct short_term own;

	start(&other);
	cr_assert_eq(engine_memory_set(&other, &memory, HOUR, true), 0);
	begin(&engine, &learnt, HOUR, true);
	cr_expect_not(wander_is_less(&engine.limits.wander, &other.limits.wander));

	restless.walk_ns_s = 100;
	begin(&engine, &restless, HOUR, true);
	at_once = rate_wander(&engine.limits.wander, HOUR);
	cr_expect_gt(at_once, 2 * rate_wander(&other.limits.wander, HOUR));
	cr_expect_lt(engine.limits.prior.rate.lo, other.limits.prior.rate.lo);
	cr_expect_gt(engine.limits.prior.rate.hi, other.limits.prior.rate.hi);
	/* It is given up little by little, and not for less than this run has seen for itself. */
	before_ns = offset_ns;
	live(&engine, 9600, 400);
	own = engine.models.short_term;
	own.known = false;
	short_term_wander(&own, &own_walk, &slope);
	short_term_wander(&engine.models.short_term, &walk, &slope);
	cr_expect_geq(walk, own_walk);
	cr_expect_float_eq(walk, 100 * (1 - own.bank.measured / (double)SHORT_TERM_OWN), 1e-9);
	/* Once it has seen enough for itself, its own counts. */
	offset_ns = before_ns;
	begin(&engine, &restless, HOUR, true);
	live(&engine, 9600, 8 * SHORT_TERM_OWN + 80);
	own = engine.models.short_term;
	own.known = false;
	short_term_wander(&own, &own_walk, &slope);
	short_term_wander(&engine.models.short_term, &walk, &slope);
	cr_expect_eq(walk, own_walk);
	cr_expect_lt(walk, 50);
}

Test(learnt, a_reset_forgets_it)
{
	struct learnt none;

	begin(&engine, &learnt, 0, true);
	engine_reset(&engine);
	engine_learnt_get(&engine, &none);
	cr_assert_eq(none.short_term_members, 0);
	cr_assert_eq(none.long_term_inputs, 0);
}

Test(learnt, a_rate_that_is_disproved_takes_the_models_with_it_but_not_the_wander)
{
	memory.mult += MULT / 20000;
	memory.mult_lo += MULT / 20000;
	memory.mult_hi += MULT / 20000;
	learnt.walk_ns_s = 100;
	begin(&engine, &learnt, 0, true);
	live(&engine, 9600, 60);
	cr_assert(engine.disproved);
	cr_assert_not(engine.models.long_term.known);
	cr_assert_eq(engine.models.short_term.known_members[0], 0);
	cr_assert_eq(engine.models.short_term.known_walk_ns_s, 100);
}

/* Whatever stands in a place: the part is refused, or the engine comes through with it. */
Test(learnt, no_number_can_do_harm)
{
	static const double hostile[] = {NAN, INFINITY, -INFINITY, 1e300, -1e300, 1e-300, -1, 0.5};
	unsigned int i, j, refused = 0;

	for (i = 0; i < NUMBERS; i++) {
		for (j = 0; j < sizeof(hostile) / sizeof(hostile[0]); j++) {
			struct learnt bad = learnt;

			((double *)&bad)[i] = hostile[j];
			begin(&engine, &bad, HOUR, j % 2);
			live(&engine, 0, 20);
			if (!engine_learnt_check(&engine, &bad))
				continue;
			refused++;
			/* The other part is kept. */
			cr_expect((bad.short_term_members > 0) != (bad.long_term_inputs > 0));
		}
		cr_expect_gt(refused, 0, "number %u", i);
	}
	cr_assert_gt(refused, 3 * NUMBERS);
}

Test(learnt, what_cannot_be_is_refused_with_a_reason)
{
	struct learnt bad;

#define REFUSED(why, ...)                                                                          \
	do {                                                                                       \
		bad = learnt;                                                                      \
		__VA_ARGS__;                                                                       \
		cr_expect_str_eq(engine_learnt_check(&first, &bad), why, #__VA_ARGS__);            \
	} while (0)
	REFUSED("it is of other short-term models", bad.short_term_members = 40);
	REFUSED("the wander is out of range", bad.walk_ns_s = -1);
	REFUSED("a likelihood of the short-term model is out of range",
		bad.short_term_likelihoods[3] = 0.1);
	REFUSED("it is of another long-term model", bad.long_term_inputs = 5);
	REFUSED("a reading of the long-term model is out of range", bad.scale = 0);
	REFUSED("a likelihood of the long-term model is out of range",
		bad.families[1].members[2] = NAN);
	REFUSED("a coefficient is out of range", bad.families[1].mean[1] = 2e6);
	REFUSED("the coefficients' covariance is none", bad.families[1].covariance[1] = 1e5);
	REFUSED("the coefficients' covariance is none", bad.families[0].covariance[0] = 0);

	start(&engine);
	cr_expect_eq(engine_memory_row(&engine, 1000, (double[LEARNT_ROW_MAX]){0}), -EINVAL);
	live(&engine, 0, 1);
	cr_expect_eq(engine_memory_row(&engine, 0, (double[LEARNT_ROW_MAX]){0}), -EINVAL,
		     "too late");
}
