/* SPDX-License-Identifier: MIT */
/* When an external model is used, and when no more: by scores made by hand, and in a known world. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "engine/engine.h"
#include "support/noise.h"

#define S 1000000000LL
#define BASE 1760000000000000000LL

/* ---- The proof ---- */

static struct external external;
static struct score score;
static struct rivalry rivalry;

static void blank(void)
{
	external_init(&external);
	score_init(&score);
	rivalry = (struct rivalry){0};
}

TestSuite(proof, .init = blank);

static bool scored(double error_ns, double sd_ns, double line_error_ns)
{
	double distance = error_ns / (sd_ns * score.factor);

	score_add(&score, error_ns, sd_ns);
	rivalry_add(&rivalry, line_error_ns, error_ns);
	return external_score(&external, &score, &rivalry, distance);
}

Test(proof, it_takes_ten_measurements)
{
	unsigned int i;

	for (i = 1; i < EXTERNAL_SCORED_MIN; i++) {
		cr_assert(!scored(i % 2 ? 0.5 : 1.2, 1, 2));
		cr_assert_eq(external.state, EXTERNAL_UNPROVEN);
	}
	scored(1, 1, 2);
	cr_assert_eq(external.state, EXTERNAL_USED);
	cr_assert_eq(external.drops, 0);
}

Test(proof, it_must_have_been_as_good_as_the_line)
{
	unsigned int i;

	/* By so little worse that the rivalry does not call it certain yet */
	for (i = 0; i < EXTERNAL_SCORED_MIN + 5; i++)
		scored(1, 1, 0.9);
	cr_assert(!rivalry.ahead);
	cr_assert_eq(external.state, EXTERNAL_UNPROVEN);
}

Test(proof, who_loses_is_dropped_and_taken_again_who_wins)
{
	unsigned int i;

	for (i = 0; i < 30; i++)
		scored(1, 1, 2);
	cr_assert_eq(external.state, EXTERNAL_USED);
	for (i = 0; i < 100; i++)
		scored(2, 1, 0.5);
	cr_assert_eq(external.state, EXTERNAL_BEHIND);
	cr_assert_eq(external.drops, 1);
	/* As good as the line is not enough then. */
	for (i = 0; i < 100; i++)
		scored(i % 2 ? 0.9 : 1.1, 1, i % 2 ? 1.1 : 0.9);
	cr_assert_eq(external.state, EXTERNAL_BEHIND);
	for (i = 0; i < 100; i++)
		scored(0.5, 1, 2);
	cr_assert_eq(external.state, EXTERNAL_USED);
	cr_assert_eq(external.drops, 1);
}

/* Too sure of itself, by ever more, so that no error is far off; who is too modest may be used. */
Test(proof, it_must_know_how_far_off_it_is)
{
	unsigned int i;

	for (i = 0; i < 100; i++)
		scored(i % 2 ? 1e-3 : -2e-3, 1, 2);
	cr_assert_eq(score.factor, 1 / SCORE_FACTOR_MAX);
	cr_assert_eq(external.state, EXTERNAL_USED);
	blank();
	for (i = 0; i < 200; i++)
		scored(3.9 * score.factor, 1, 100);
	cr_assert_eq(score.factor, SCORE_FACTOR_MAX);
	cr_assert_eq(external.state, EXTERNAL_UNCALIBRATED);
	/* Back in use at half of the limit only, not right below it */
	for (i = 0; i < 64; i++)
		scored(6, 1, 100);
	cr_assert_float_eq(score.factor, 6, 0.1);
	cr_assert_eq(external.state, EXTERNAL_UNCALIBRATED);
	for (i = 0; i < 64; i++)
		scored(2, 1, 100);
	cr_assert_eq(external.state, EXTERNAL_USED);
}

Test(proof, three_far_ones_in_a_row_are_enough)
{
	unsigned int i;

	for (i = 0; i < 50; i++)
		scored(1, 1, 2);
	cr_assert_eq(external.state, EXTERNAL_USED);
	cr_assert(!scored(100, 1, 2));
	cr_assert(!scored(-100, 1, 2));
	cr_assert(!scored(1, 1, 2));
	cr_assert(!scored(100, 1, 2));
	cr_assert(!scored(100, 1, 2));
	cr_assert_eq(external.state, EXTERNAL_USED);
	cr_assert(scored(100, 1, 2));
	cr_assert_eq(external.state, EXTERNAL_FAR);
	cr_assert_eq(external.drops, 1);
}

Test(proof, every_state_has_a_name)
{
	unsigned int i, j;

	for (i = 0; i < EXTERNAL_STATES; i++)
		for (j = 0; j < i; j++)
			cr_assert_str_neq(external_state_name(i), external_state_name(j));
	cr_assert_str_eq(external_state_name(EXTERNAL_STATES), "unknown");
}

/* ---- In a known world ---- */

#define POLL_S 16
#define NOISE_NS 20000.0

static struct models models;
static struct fused fused;
static double truth_ns; /* UTC - raw time, from BASE */
static struct estimate line;
static int t_s;

static const struct short_term_prior prior = {.rate_sd_ns_s = 30000};

static void start(void)
{
	cr_assert_eq(models_init(&models, &models_default), 0);
	models_reset(&models, &prior);
	truth_ns = 0;
	t_s = 0;
	line = (struct estimate){.reference_ns = BASE, .offset_sd_ns = NOISE_NS};
}

TestSuite(external, .init = start);

static int64_t now_ns(void)
{
	return t_s * S;
}

/* The rate goes up and down by 2 us/s in 20 minutes: the line and the Kalman filters lag behind. */
static double rate(int s)
{
	return 5000 + 2000 * sin(2 * M_PI * s / 1200.0);
}

/* For the next 60 s, by one who knows the truth, but for an error of his */
static struct prediction prophecy(double error_ns, double sd_ns)
{
	double later_ns = truth_ns;
	int i;

	for (i = 0; i < POLL_S; i++)
		later_ns += rate(t_s + i);
	return (struct prediction){
		.made_ns = now_ns(),
		.from_ns = now_ns(),
		.until_ns = now_ns() + 60 * S,
		.line =
			{
				.at_ns = now_ns(),
				.reference_ns = BASE,
				.offset_ns = truth_ns + error_ns,
				.drift_ns_s = (later_ns - truth_ns) / POLL_S,
				.offset_sd_ns = sd_ns,
			},
	};
}

static void told(double error_ns, double sd_ns)
{
	const struct prediction prediction = prophecy(error_ns, sd_ns);

	cr_assert_eq(models_feed(&models, now_ns(), &prediction), 0);
}

static void measured(void)
{
	const struct measurement measurement = {
		.raw_ns = now_ns(),
		.offset_ns = BASE + llrint(truth_ns + NOISE_NS * noise()),
		.sd_ns = NOISE_NS,
	};

	/* As a line through the last samples is: late */
	models_measure(&models, &measurement, &line);
	line.at_ns = now_ns();
	line.offset_ns = (double)(measurement.offset_ns - BASE);
	line.drift_ns_s = 5000;
	models_predict(&models, now_ns(), &fused);
}

static void go_on(void)
{
	int i;

	for (i = 0; i < POLL_S; i++)
		truth_ns += rate(t_s++);
	measured();
}

static double off(void)
{
	return estimate_offset(&fused.line, now_ns(), BASE) - truth_ns;
}

static void proven(void)
{
	int i;

	for (i = 0; i < 100; i++) {
		go_on();
		told(0, 5000);
	}
	cr_assert_eq(models.external.state, EXTERNAL_USED);
	models_predict(&models, now_ns(), &fused);
}

Test(external, unproven_it_is_scored_and_not_believed)
{
	unsigned int i;

	for (i = 0; i < MODELS_MEASURED_MIN; i++)
		go_on();
	cr_assert_eq(fused.level, FUSE_SHORT_TERM);
	for (i = 0; i < EXTERNAL_SCORED_MIN; i++) {
		cr_assert_eq(models.scores[MODEL_FEED].count, i);
		told(0, 5000);
		models_predict(&models, now_ns(), &fused);
		cr_assert_eq(fused.level, FUSE_SHORT_TERM, "after %u", i);
		cr_assert(!models.external_fused);
		go_on();
	}
	cr_assert_eq(models.scores[MODEL_FEED].count, EXTERNAL_SCORED_MIN);
}

Test(external, proven_it_is_fused_and_the_time_is_better)
{
	double squares = 0, own_squares = 0;
	struct estimate own;
	int i;

	proven();
	cr_assert_eq(fused.level, FUSE_FUSION);
	cr_assert(models_ready(&models));
	for (i = 0; i < 300; i++) {
		go_on();
		told(0, 5000);
		models_predict(&models, now_ns(), &fused);
		cr_assert_eq(short_term_estimate(&models.short_term, now_ns(), 30 * S, &own), 0);
		squares += off() * off();
		own_squares += pow(estimate_offset(&own, now_ns(), BASE) - truth_ns, 2);
	}
	cr_assert_eq(models.external.state, EXTERNAL_USED);
	cr_assert_eq(models.external.drops, 0);
	cr_assert_lt(sqrt(squares / own_squares), 0.8, "%g of %g ns", sqrt(squares / 300),
		     sqrt(own_squares / 300));
}

/* Wrong by ten times the noise, and soon gone; right again, and soon taken. */
Test(external, the_bad_one_is_dropped_and_taken_again_when_it_is_good)
{
	int i, after;

	proven();
	for (after = 0; models.external.state == EXTERNAL_USED && after < 100; after++) {
		told(10 * NOISE_NS, 5000);
		go_on();
	}
	cr_assert_eq(after, EXTERNAL_FAR_MAX);
	cr_assert_eq(models.external.state, EXTERNAL_FAR);
	cr_assert_eq(fused.level, FUSE_SHORT_TERM);
	cr_assert_lt(fabs(off()), 2 * NOISE_NS);
	for (i = 0; i < 20; i++) {
		told(10 * NOISE_NS, 5000);
		go_on();
		cr_assert_eq(fused.level, FUSE_SHORT_TERM);
	}
	for (i = 0; i < 100; i++) {
		told(0, 5000);
		go_on();
	}
	cr_assert_eq(models.external.state, EXTERNAL_USED);
	cr_assert_eq(fused.level, FUSE_FUSION);
	cr_assert_eq(models.external.drops, 1);
}

/* By less than three far ones in a row: by the rivalry */
Test(external, one_that_is_worse_than_the_line_is_dropped)
{
	int i;

	proven();
	for (i = 0; i < 200 && models.external.state == EXTERNAL_USED; i++) {
		told((i % 2 ? 1 : -1) * 2.5 * NOISE_NS, 2 * NOISE_NS);
		go_on();
	}
	cr_assert_eq(models.external.state, EXTERNAL_BEHIND);
	cr_assert_eq(fused.level, FUSE_SHORT_TERM);
}

/* The noise hides that it is 3 us off: it does not get all of the weight for claiming 1 ns. */
Test(external, it_is_no_surer_than_measurements_can_tell)
{
	double least_ns, sd_ns;
	int i;

	for (i = 0; i < 200; i++) {
		go_on();
		told(3000, 1);
	}
	cr_assert_eq(models.external.state, EXTERNAL_USED);
	models_predict(&models, now_ns(), &fused);
	least_ns = external_resolution(&models.scores[MODEL_FEED]);
	cr_assert_float_eq(least_ns, 0.14 * 0.8 * NOISE_NS, 0.4 * least_ns);
	sd_ns = fused.line.offset_sd_ns;
	cr_assert_gt(sd_ns, least_ns * 0.99);
}

/* It predicts nothing for what may have been measured when it came. */
Test(external, what_has_been_is_no_prediction)
{
	struct prediction prediction;
	int i;

	for (i = 0; i < 20; i++)
		go_on();
	prediction = prophecy(0, 5000);
	prediction.from_ns = prediction.made_ns -= 30 * S;
	cr_assert_eq(models_feed(&models, now_ns() + 1, &prediction), 0);
	measured(); /* at the instant before it came */
	cr_assert_eq(models.scores[MODEL_FEED].count, 0);
	go_on();
	cr_assert_eq(models.scores[MODEL_FEED].count, 1);
}

Test(external, what_can_not_be_is_refused)
{
	const struct prediction good = prophecy(0, 5000);
	struct prediction p = good;
	unsigned int i;

	t_s = 100;
#define REFUSED(member, value, expected)                                                           \
	p = prophecy(0, 5000);                                                                     \
	p.member = (value);                                                                        \
	cr_expect_eq(models_feed(&models, now_ns(), &p), expected, #member " = " #value)
	REFUSED(made_ns, now_ns() + 1, -EINVAL); /* after it is for */
	p.from_ns = now_ns() + 1;                /* for then, and made in the future */
	cr_assert_eq(models_feed(&models, now_ns(), &p), -EINVAL);
	REFUSED(from_ns, now_ns() - 1, -EINVAL);
	REFUSED(from_ns, now_ns() + 60 * S, -EINVAL);
	REFUSED(until_ns, now_ns() + MODELS_FEED_SHORTEST_NS - 1, -EINVAL);
	REFUSED(until_ns, INT64_MIN, -EINVAL);
	REFUSED(line.offset_sd_ns, 0, -EINVAL);
	REFUSED(line.offset_sd_ns, NAN, -EINVAL);
	REFUSED(line.offset_sd_ns, INFINITY, -EINVAL);
	REFUSED(line.offset_ns, NAN, -EINVAL);
	REFUSED(line.drift_ns_s, INFINITY, -EINVAL);
	REFUSED(line.drift_sd_ns_s, -1, -EINVAL);
	cr_assert_eq(models_feed(&models, now_ns(), &good), -ESTALE); /* over since t_s = 60 */
	cr_assert_eq(models.schedules[MODEL_FEED].count, 0);
	/* Without end: the latest few are kept. */
	for (i = 0; i < 1000; i++)
		told(0, 5000);
	cr_assert_eq(models.schedules[MODEL_FEED].count, SCHEDULE_KEPT);
}

static void stepped(void)
{
	models_contradict(&models, &(struct measurement){
					   .raw_ns = now_ns(),
					   .offset_ns = BASE + llrint(truth_ns),
					   .sd_ns = NOISE_NS,
				   });
	models_predict(&models, now_ns(), &fused);
}

/* A proven model turns, and what is fused cannot be: the others have done nothing wrong. */
Test(external, the_impossible_costs_it_its_proof_and_the_others_nothing)
{
	struct short_term before;

	proven();
	told(1e9, 5000);
	models_predict(&models, now_ns(), &fused);
	before = models.short_term;
	stepped();
	cr_assert_eq(models.external.state, EXTERNAL_IMPOSSIBLE);
	cr_assert_eq(fused.level, FUSE_SHORT_TERM);
	cr_assert_eq(memcmp(&before, &models.short_term, sizeof(before)), 0);
	cr_assert_eq(models.scores[MODEL_FEED].count, 0);
	cr_assert_eq(models.schedules[MODEL_FEED].count, 0);
	/* Then it is the others' turn. */
	stepped();
	cr_assert_neq(memcmp(&before, &models.short_term, sizeof(before)), 0);
}

Test(external, a_step_voids_what_was_predicted_before_it)
{
	struct prediction early;

	proven();
	early = prophecy(0, 5000);
	models_feed_begin(&models); /* so that it has no part in what is stepped */
	cr_assert_eq(models.external.state, EXTERNAL_UNPROVEN);
	told(0, 5000);
	t_s += 1;
	truth_ns += 1e6;
	stepped();
	cr_assert_eq(models.schedules[MODEL_FEED].count, 0);
	cr_assert_eq(models_feed(&models, now_ns(), &early), -ESTALE);
	told(0, 5000);
}

Test(external, a_leap_second_shifts_what_was_predicted_and_measured)
{
	const struct measurement *measurement;
	int64_t offset_ns;
	uint64_t next = 0;

	proven();
	offset_ns = models_given(&models, &next)->offset_ns;
	next--;
	models_shift(&models, -S);
	truth_ns -= 1e9;
	models_predict(&models, now_ns(), &fused);
	cr_assert_eq(fused.level, FUSE_FUSION);
	cr_assert_lt(fabs(off()), NOISE_NS);
	measurement = models_given(&models, &next);
	cr_assert_eq(measurement->offset_ns, offset_ns - S);
	models_reset(&models, &prior);
	cr_assert_eq(models.external.state, EXTERNAL_UNPROVEN);
	cr_assert_eq(models.schedules[MODEL_FEED].count, 0);
	cr_assert_null(models_given(&models, &next));
}

Test(external, alone_it_is_ready_as_long_as_it_predicts)
{
	struct models_config alone = models_default;

	alone.short_term_enabled = alone.long_term_enabled = false;
	cr_assert_eq(models_init(&models, &alone), 0);
	models_reset(&models, &prior);
	proven();
	cr_assert_eq(fused.level, FUSE_LONG_TERM);
	cr_assert(models_ready(&models));
	t_s += 70;
	models_predict(&models, now_ns(), &fused);
	cr_assert_eq(fused.level, FUSE_NTP);
	cr_assert(!models_ready(&models));
}

Test(external, when_it_predicts_no_more_the_others_go_on)
{
	proven();
	t_s += 70;
	models_predict(&models, now_ns(), &fused);
	cr_assert_eq(fused.level, FUSE_SHORT_TERM);
	cr_assert_eq(models.external.state, EXTERNAL_USED);
	cr_assert(!models.external_fused);
}

/* All that the models were given, once and in order; who is late misses the oldest. */
Test(external, measurements_can_be_read)
{
	const struct measurement *measurement;
	uint64_t next = 0, other = 0;
	int i, j;

	cr_assert_null(models_given(&models, &next));
	for (i = 0; i < 40; i++) {
		go_on();
		measurement = models_given(&models, &next);
		cr_assert_eq(measurement->raw_ns, now_ns());
		cr_assert_null(models_given(&models, &next));
	}
	for (i = 0; i < MODELS_GIVEN; i++)
		go_on();
	for (j = 0; j < 2; j++) {
		for (i = 0; i < MODELS_GIVEN; i++) {
			measurement = models_given(&models, j ? &other : &next);
			cr_assert_eq(measurement->raw_ns,
				     now_ns() - (MODELS_GIVEN - 1 - i) * POLL_S * S);
		}
		cr_assert_null(models_given(&models, j ? &other : &next));
	}
}

/* ---- In the engine ---- */

static struct engine engine;
static struct correction now;

/* The counter counts ns of raw time from here. */
#define COUNTER 5000

static const struct engine_config config = {
	.scale = {.base = COUNTER, .mult = 1ULL << 54},
	.max_drift_ppb = 100000,
	.wander_ppb = 1000,
	.max_bound_ns = 10000000,
	.max_distance_ms = 1000,
};

static uint64_t counter(void)
{
	return COUNTER + (uint64_t)now_ns();
}

static void switch_on(void)
{
	start();
	cr_assert_eq(engine_init(&engine, &config, 1), 0);
}

TestSuite(external_engine, .init = switch_on);

/* The truth is in the bound, whatever is fed. */
static void look(void)
{
	engine_correct(&engine, counter(), &now);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_leq(llabs((int64_t)(now.utc >> 64) - now_ns() - BASE - llrint(truth_ns)),
		      now.bound.total_ns + 1);
}

/* A poll, and what is fed after it; error_ns: NAN: nothing */
static void live(double error_ns)
{
	struct sample sample = {.delay_ns = 200000, .root_delay_ns = 4000, .stratum = 1};
	struct prediction prediction;
	int i;

	for (i = 0; i < POLL_S; i++)
		truth_ns += rate(t_s++);
	sample.counter = counter();
	sample.offset_ns = BASE + llrint(truth_ns + fmin(fmax(NOISE_NS * noise(), -90000), 90000));
	cr_assert_eq(engine_sample_add(&engine, &sample), 0);
	look();
	if (isnan(error_ns))
		return;
	prediction = prophecy(error_ns, 5000);
	cr_assert_eq(engine_feed(&engine, counter(), &prediction), 0);
	look();
}

/* The long-term model in the daemon has no covariates to go by here. */
static bool is_followed(void)
{
	return now.source == CHRONOTICK_FUSION || now.source == CHRONOTICK_GPU_MODEL;
}

Test(external_engine, the_bound_holds_whoever_predicts)
{
	unsigned int used = 0, i;

	for (i = 0; i < 60; i++)
		live(0);
	for (i = 0; i < 60; i++) {
		live(0);
		used += is_followed();
	}
	cr_assert_gt(used, 50, "%u", used);
	/* Anything from a little off to what is impossible, before it is dropped */
	for (i = 0; i < 10; i++)
		live(20000 * pow(2, i));
	cr_assert_neq(engine.models.external.state, EXTERNAL_USED);
	for (i = 0; i < 20; i++)
		live(NAN);
	cr_assert(!is_followed());
}

Test(external_engine, epochs_are_counted)
{
	const struct prediction prediction = prophecy(0, 5000);
	uint32_t epoch = engine.epoch;

	cr_assert_eq(engine_feed(&engine, COUNTER + (1ULL << 62), &prediction), -EINVAL);
	cr_assert_eq(engine_feed(&engine, COUNTER, &prediction), 0);
	engine_leap(&engine, -S);
	cr_assert_eq(engine.epoch, epoch + 1);
	cr_assert_eq(engine.models.schedules[MODEL_FEED].count, 1);
	engine_restart(&engine, &config.scale);
	cr_assert_eq(engine.epoch, epoch + 2);
	cr_assert_eq(engine.models.schedules[MODEL_FEED].count, 0);
}
