/* SPDX-License-Identifier: MIT */
/* Which way exchanges wait on, on points with known answers. */
#include <criterion/criterion.h>

#include "engine/asymmetry.h"

#define POINTS 32

static struct fit_point points[POINTS];
static double waited_ns[POINTS];
static struct asymmetry found;

/* A line of 40 ns/s; each waits 0 to 6,000 ns, of which its offset has `share`. */
static void make(double share, double noise_ns)
{
	int i;

	for (i = 0; i < POINTS; i++) {
		waited_ns[i] = i * 5 % 7 * 1000;
		points[i].x_s = -i;
		points[i].y_ns = 1000 - i * 40.0 + share * waited_ns[i];
		points[i].y_ns += i * 3 % 4 < 2 ? noise_ns : -noise_ns;
		points[i].sd_ns = 100 + waited_ns[i] / 2;
	}
}

Test(asymmetry, one_way_is_found)
{
	static const double shares[] = {0.5, -0.5, 0.2};
	unsigned int i;

	for (i = 0; i < 3; i++) {
		make(shares[i], 0);
		asymmetry_learn(&found, points, waited_ns, POINTS);
		cr_assert_float_eq(found.share, shares[i], 1e-6);
		cr_assert_float_eq(found.told, 1, 1e-6);
	}
}

Test(asymmetry, it_cannot_be_more_than_half)
{
	make(0.9, 0);
	asymmetry_learn(&found, points, waited_ns, POINTS);
	cr_assert_eq(found.share, 0.5);
}

/* The share, and what is left of the errors: noise of 20 ns, beside up to 3,000 ns */
Test(asymmetry, noise_is_what_it_leaves)
{
	make(0.5, 20);
	asymmetry_learn(&found, points, waited_ns, POINTS);
	cr_assert_float_eq(found.share, 0.5, 0.02);
	cr_assert_lt(found.told, 0.99);
	cr_assert_gt(found.told, 0.7);
}

/* As often up as down, by all that it may be */
Test(asymmetry, what_waits_on_both_ways_tells_nothing)
{
	int i;

	make(0, 0);
	for (i = 0; i < POINTS; i++)
		points[i].y_ns += (i * 3 % 4 < 2 ? 0.5 : -0.5) * waited_ns[i];
	asymmetry_learn(&found, points, waited_ns, POINTS);
	cr_assert_eq(found.share, 0);
	cr_assert_eq(found.told, 0);
}

Test(asymmetry, needs_points_that_differ)
{
	int i;

	make(0.5, 0);
	asymmetry_learn(&found, points, waited_ns, ASYMMETRY_LEAST - 1);
	cr_assert_eq(found.share, 0);
	asymmetry_learn(&found, points, waited_ns, ASYMMETRY_LEAST);
	cr_assert_gt(found.share, 0.49);
	/* All waited alike, or ever longer: that may as well be the rate. */
	for (i = 0; i < POINTS; i++)
		waited_ns[i] = 1000;
	asymmetry_learn(&found, points, waited_ns, POINTS);
	cr_assert_eq(found.share, 0);
	for (i = 0; i < POINTS; i++)
		waited_ns[i] = 100.0 * i;
	asymmetry_learn(&found, points, waited_ns, POINTS);
	cr_assert_eq(found.share, 0);
	cr_assert_eq(found.told, 0);
}
