/* SPDX-License-Identifier: MIT */
/*
 * What sources say together, and how a prediction is held against it: it is plausible inside of the
 * selected interval alone.
 */
#include <math.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "engine/combine.h"
#include "support/noise.h"

#define SECOND 1000000000LL
#define OFFSET 1760000000000000000LL

static const struct filter_limits limits = {
	.max_drift = (int64_t)(100e-6 * 0x1p50),
	.wander = {.steady = (int64_t)(1e-6 * 0x1p50)},
	.wander_least = (int64_t)(1e-6 * 0x1p50),
};
static struct filter filter;
static struct combine_source source;
static struct combined combined;

/* One measurement of an exact OFFSET, +- 11 us */
static void setup(void)
{
	const struct sample sample = {
		.offset_ns = OFFSET,
		.delay_ns = 20000,
		.dispersion_ns = 1000,
		.stratum = 1,
	};
	const struct combine_absent absent = {0};

	filter = (struct filter){0};
	filter_add(&filter, &sample, SECOND, &limits);
	source = (struct combine_source){
		.filter = &filter,
		.interval = filter_interval(&filter, SECOND, &limits),
	};
	cr_assert_eq(combine(&combined, &source, 1, &absent, SECOND, &limits), 0);
}

TestSuite(combine, .init = setup);

static void follow(double offset_ns)
{
	combine_follow(&combined, &source,
		       &(struct estimate){
			       .at_ns = SECOND,
			       .reference_ns = OFFSET,
			       .offset_ns = offset_ns,
			       .offset_sd_ns = 10,
		       },
		       SECOND);
}

/* From OFFSET */
static double estimate(void)
{
	return (double)(combined.reference_ns - OFFSET) + combined.estimate_ns;
}

Test(combine, one_source_is_believed)
{
	cr_assert_eq(combined.selected, 1);
	cr_assert_float_eq(estimate(), 0, 1);
	cr_assert_eq(combined.agreed.lo, OFFSET - 11000);
	cr_assert_eq(combined.agreed.hi, OFFSET + 11000);
	cr_assert_float_eq((double)combined.bound.total_ns, 11000, 5);
}

Test(combine, a_plausible_prediction_is_followed_as_it_is)
{
	follow(4000);
	cr_assert_float_eq(estimate(), 4000, 1);
	cr_assert_float_eq(combined.offset_sd_ns, 10, 0.1);
	/* The truth may be at the other end. */
	cr_assert_float_eq((double)combined.bound.total_ns, 15000, 5);
}

Test(combine, an_implausible_one_is_shrunk_to_the_end_of_the_interval)
{
	follow(50000);
	cr_assert_float_eq(estimate(), 11000, 1);
	cr_assert_float_eq(combined.offset_sd_ns, 39000, 10);
	cr_assert_float_eq((double)combined.bound.total_ns, 22000, 5);
	follow(-1e9);
	cr_assert_float_eq(estimate(), -11000, 1);
	cr_assert_float_eq((double)combined.bound.total_ns, 22000, 5);
}

/* Small predictions above all: a cap must not make them larger. */
Test(combine, no_prediction_gets_away_from_the_measurement)
{
	unsigned int i;

	for (i = 0; i < 10000; i++) {
		double predicted = noise() * pow(10, i % 9);

		follow(predicted);
		cr_assert_leq(fabs(estimate()), fabs(predicted) + 1, "%g became %g", predicted,
			      estimate());
		cr_assert_geq(estimate() * predicted, -1, "%g became %g", predicted, estimate());
	}
}

Test(combine, a_rate_that_cannot_be_is_moved_too)
{
	combine_follow(&combined, &source,
		       &(struct estimate){
			       .at_ns = SECOND,
			       .reference_ns = OFFSET,
			       .drift_ns_s = 250000,
			       .drift_sd_ns_s = 1,
		       },
		       SECOND);
	cr_assert_leq(combined.used_rate, limits.max_drift);
	cr_assert_geq(combined.used_rate, limits.max_drift - 2);
	cr_assert_float_eq(combined.rate_sd, 150e-6, 1e-6);
}
