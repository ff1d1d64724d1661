/* SPDX-License-Identifier: MIT */
/* An external model among the models, in a known world. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "engine/models.h"
#include "support/noise.h"
#include "support/prophet.h"

static struct models models;
static struct fused fused;
static struct estimate line;

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
	wait_for_poll();
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
