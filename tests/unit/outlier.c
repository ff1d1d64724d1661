/* SPDX-License-Identifier: MIT */
/* Which innovations are outliers; limits worked out by hand. */
#include <criterion/criterion.h>

#include "engine/outlier.h"

static struct outlier_tests tests;

static void learn(double innovation, unsigned int times)
{
	while (times--)
		outlier_learn(&tests, innovation);
}

/* As many at +1 as at -1: the median is 0, the MAD 1, the mean square 1. */
static void learn_ones(unsigned int pairs)
{
	while (pairs--) {
		outlier_learn(&tests, 1);
		outlier_learn(&tests, -1);
	}
}

Test(outlier, of_a_few_none_is_one)
{
	learn(0, OUTLIER_LEAST - 1);
	cr_assert_eq(outlier_test(&tests, 1e9), OUTLIER_NO);
	learn(0, 1);
	cr_assert_eq(outlier_test(&tests, 1e9), OUTLIER_MAD);
}

/* Eight standard deviations, of 1 and of 1.4826 by the MAD: the former is the stricter one. */
Test(outlier, limits_are_in_standard_deviations)
{
	learn_ones(8);
	cr_assert_eq(outlier_test(&tests, 7.99), OUTLIER_NO);
	cr_assert_eq(outlier_test(&tests, -7.99), OUTLIER_NO);
	cr_assert_eq(outlier_test(&tests, 8.01), OUTLIER_Z);
	cr_assert_eq(outlier_test(&tests, -8.01), OUTLIER_Z);
	cr_assert_eq(outlier_test(&tests, 8 * 1.4826 - 0.01), OUTLIER_Z);
	cr_assert_eq(outlier_test(&tests, 8 * 1.4826 + 0.01), OUTLIER_MAD);
}

/* What is expected may be twice too large, and no more: eight times a half. */
Test(outlier, what_was_expected_is_none)
{
	learn(0, OUTLIER_WINDOW);
	cr_assert_eq(outlier_test(&tests, 3.99), OUTLIER_NO);
	cr_assert_eq(outlier_test(&tests, 4.01), OUTLIER_MAD);
}

/* Seven of sixteen at 100 change neither the median nor the MAD of the others. */
Test(outlier, seven_of_sixteen_do_not_blind_the_mad)
{
	learn(0, 9);
	learn(100, 7);
	cr_assert_eq(outlier_test(&tests, 100), OUTLIER_MAD);
	learn(100, 9);
	cr_assert_neq(outlier_test(&tests, 100), OUTLIER_MAD);
}

/*
 * A window full of 20 is no outlier to the MAD. The mean square, 1 after 64 of them, grows by an
 * eighth with each: after 16 it is 6.6, and the limit 20.6.
 */
Test(outlier, what_is_usual_adapts_slowly)
{
	int i;

	learn_ones(32);
	for (i = 0; i < 8; i++) {
		cr_assert_neq(outlier_test(&tests, 20 - 40 * (i % 2)), OUTLIER_NO);
		outlier_learn(&tests, 20 - 40 * (i % 2));
	}
	for (; i < 15; i++) {
		cr_assert_eq(outlier_test(&tests, 20 - 40 * (i % 2)), OUTLIER_Z);
		outlier_learn(&tests, 20 - 40 * (i % 2));
	}
	cr_assert_float_eq(tests.usual, 5.852, 0.001);
	outlier_learn(&tests, 20);
	cr_assert_eq(outlier_test(&tests, 20), OUTLIER_NO);
}
