/* SPDX-License-Identifier: MIT */
/* What the long-term model finds out about oscillators that are moved by what is known. */
#include <errno.h>
#include <math.h>

#include <criterion/criterion.h>

#include "engine/long_term.h"
#include "support/noise.h"

#define S 1000000000LL
#define BASE 1760000000000000000LL

static struct long_term model;
static double offset_ns; /* of UTC, from BASE */
static int t_s;

static void setup(void)
{
	long_term_init(&model, 0, 30000);
	offset_ns = 0;
	t_s = 0;
}

TestSuite(long_term, .init = setup);

/* A room that is 4 K warmer every other 20 minutes, little by little */
static double temperature(int s)
{
	return 40 + 2 * sin(2 * M_PI * s / 2400.0);
}

/*
 * So many seconds of an oscillator that runs at 5000 ns/s and ppb_k for each K above 40, measured
 * every 16 s to 1 us if it is measured; its temperature is read every 10 s.
 */
static void run(int seconds, double ppb_k, bool measured)
{
	for (; seconds > 0; seconds--, t_s++) {
		if (t_s % 10 == 0) {
			const struct covariates covariates = {
				.present = 1U << COVARIATE_TEMPERATURE,
				.value = {[COVARIATE_TEMPERATURE] = temperature(t_s)},
			};

			long_term_covariates(&model, t_s * S, &covariates);
		}
		if (measured && t_s % 16 == 0) {
			const struct measurement measurement = {
				.raw_ns = t_s * S,
				.offset_ns = BASE + llrint(offset_ns + 1000 * noise()),
				.sd_ns = 1000,
			};

			long_term_measure(&model, &measurement);
		}
		offset_ns += 5000 + ppb_k * (temperature(t_s) - 40);
	}
}

static double off(struct estimate *line)
{
	cr_assert_eq(long_term_estimate(&model, t_s * S, 240 * S, line), 0);
	return estimate_offset(line, t_s * S, BASE) - offset_ns;
}

Test(long_term, it_does_not_know_at_first)
{
	struct estimate line;

	cr_assert_eq(long_term_estimate(&model, 0, S, &line), -EAGAIN);
	run(600, 50, true);
	cr_assert_eq(long_term_estimate(&model, t_s * S, S, &line), -EAGAIN);
}

Test(long_term, the_coefficient_of_the_temperature_is_learnt)
{
	double value, sd;

	run(4 * 3600, 50, true);
	value = long_term_coefficient(&model, COVARIATE_TEMPERATURE, &sd);
	cr_assert_float_eq(value, 50, 2);
	cr_assert_lt(sd, 2);
	cr_assert_lt(long_term_weight(&model, LONG_TERM_NOTHING), 0.01);
}

Test(long_term, in_holdover_it_follows_the_temperature)
{
	struct estimate line;

	run(4 * 3600, 50, true);
	/* A quarter of a period: without the temperature it would be wrong by 30 us and more. */
	run(600, 50, false);
	cr_assert_lt(fabs(off(&line)), 3000);
	cr_assert_lt(line.offset_sd_ns, 6000);
	run(1800, 50, false);
	cr_assert_lt(fabs(off(&line)), 6000);
}

Test(long_term, what_does_not_matter_is_not_believed)
{
	struct estimate line;

	run(4 * 3600, 0, true);
	cr_assert_eq(long_term_estimate(&model, t_s * S, 240 * S, &line), -EAGAIN);
	cr_assert_gt(long_term_weight(&model, LONG_TERM_NOTHING), 0.2);
}

Test(long_term, readings_that_make_no_sense_do_no_harm)
{
	struct covariates wrong = {.present = ~0U, .value = {NAN, INFINITY, -INFINITY, NAN}};
	struct estimate line;

	run(3 * 3600, 50, true);
	long_term_covariates(&model, t_s * S, &wrong);
	long_term_covariates(&model, (t_s - 100) * S, &wrong);
	run(3600, 50, true);
	cr_assert_lt(fabs(off(&line)), 3000);

	/* One that goes mad is found out: the time told stays near. */
	wrong = (struct covariates){.present = 1, .value = {1e300}};
	long_term_covariates(&model, t_s * S, &wrong);
	run(2 * 3600, 50, true);
	if (long_term_estimate(&model, t_s * S, S, &line) == 0)
		cr_assert_lt(fabs(estimate_offset(&line, t_s * S, BASE) - offset_ns), 1e5);
}

Test(long_term, a_step_leaves_what_was_learnt)
{
	struct estimate line;

	run(4 * 3600, 50, true);
	offset_ns += 1e8;
	long_term_contradict(&model, RETRO_ADVANCE_ABSOLUTE,
			     &(struct measurement){
				     .raw_ns = t_s * S,
				     .offset_ns = BASE + llrint(offset_ns),
				     .sd_ns = 1000,
			     },
			     NULL);
	cr_assert_lt(fabs(off(&line)), 2000);
	run(1800, 50, true);
	cr_assert_lt(fabs(off(&line)), 3000);
	long_term_shift(&model, -S);
	cr_assert_float_eq(off(&line), -1e9, 3000);
}

/* A month of it: nothing grows beyond measure, and what is learnt stays. */
Test(long_term, a_month_is_no_trouble)
{
	struct estimate line;

	run(30 * 86400, 50, true);
	cr_assert_lt(fabs(off(&line)), 3000);
	cr_assert_lt(line.offset_sd_ns, 6000);
}
