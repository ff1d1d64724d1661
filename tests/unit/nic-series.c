/* SPDX-License-Identifier: MIT */
/* What bench-nic works out of rows of readings, against closed forms. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "nic/series.h"

#define COUNT 20000

static double phase[COUNT], tau[64], adev[64];

/* Uniform in (-1/2, 1/2): xorshift64*, so that every machine has the same numbers */
static double uniform(void)
{
	static uint64_t state = 88172645463325252ULL;

	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (double)(state * 2685821657736338717ULL >> 11) / 9007199254740992.0 - 0.5;
}

Test(nic_series, adev_of_white_phase)
{
	const double sigma_ns = 100 / sqrt(12);
	unsigned int i, found;

	for (i = 0; i < COUNT; i++)
		phase[i] = 100 * uniform();
	found = series_adev(phase, COUNT, 0.1, tau, adev, 64);
	cr_assert_gt(found, 20);
	/* sigma_y(tau) = sqrt(3) sigma_x / tau */
	for (i = 0; i < found && tau[i] < 50; i++)
		cr_assert_float_eq(adev[i] * tau[i] / (sqrt(3) * sigma_ns * 1e-9), 1, 0.15,
				   "at %g s: %g", tau[i], adev[i]);
	cr_assert_float_eq(tau[9], 1, 1e-9, "the tenth one is ten times the first");
}

Test(nic_series, adev_of_random_walk_phase)
{
	unsigned int i, found;
	double walk = 0;

	/* White frequency of sigma a reading: sigma_y(tau) = sigma sqrt(tau0 / tau) */
	for (i = 0; i < COUNT; i++)
		phase[i] = walk += 7 * sqrt(12) * uniform();
	found = series_adev(phase, COUNT, 1, tau, adev, 64);
	for (i = 0; i < found && tau[i] < 200; i++)
		cr_assert_float_eq(adev[i] * sqrt(tau[i]) / 7e-9, 1, 0.15, "at %g s: %g", tau[i],
				   adev[i]);
}

Test(nic_series, adev_of_a_constant_rate_is_0_and_of_a_drift_is_not)
{
	unsigned int i, found;

	for (i = 0; i < 300; i++)
		phase[i] = 5000.0 * i - 3;
	found = series_adev(phase, 300, 1, tau, adev, 64);
	for (i = 0; i < found; i++)
		cr_assert_lt(adev[i], 1e-15);
	/* phase = d t^2 / 2: sigma_y(tau) = d tau / sqrt(2) */
	for (i = 0; i < 300; i++)
		phase[i] = 4 * (double)i * i / 2;
	found = series_adev(phase, 300, 1, tau, adev, 64);
	for (i = 0; i < found; i++)
		cr_assert_float_eq(adev[i] / (4e-9 * tau[i] / sqrt(2)), 1, 1e-9);
}

Test(nic_series, a_reading_that_is_missing_shifts_nothing)
{
	unsigned int i, found;

	for (i = 0; i < 1000; i++)
		phase[i] = i % 7 ? 123.0 * i : NAN;
	found = series_adev(phase, 1000, 0.1, tau, adev, 64);
	cr_assert_gt(found, 5);
	for (i = 0; i < found; i++)
		cr_assert_lt(adev[i], 1e-15);
	for (i = 0; i < 1000; i++)
		phase[i] = i % 2 ? NAN : 1;
	found = series_adev(phase, 1000, 1, tau, adev, 64);
	for (i = 0; i < found; i++)
		cr_assert_eq(fmod(tau[i], 2), 0, "there is nothing to be said of %g s", tau[i]);
}

Test(nic_series, of_too_few_there_is_none)
{
	double four[4] = {1, 2, 4, 8};

	cr_assert_eq(series_adev(four, 0, 1, tau, adev, 64), 0);
	cr_assert_eq(series_adev(four, 4, 1, tau, adev, 64), 0);
	cr_assert_eq(series_adev(phase, COUNT, 1, tau, adev, 5), 5, "room is room");
}

Test(nic_series, the_line_goes)
{
	double at[1000], values[1000], slope;
	unsigned int i;

	for (i = 0; i < 1000; i++) {
		at[i] = 1e4 + i * 0.1;
		values[i] = 2e9 - 37.5 * at[i] + (i % 2 ? 3 : -3);
	}
	values[500] = NAN;
	slope = series_line_remove(values, at, 1000);
	cr_assert_float_eq(slope, -37.5, 0.01);
	cr_assert(isnan(values[500]));
	for (i = 0; i < 1000; i++)
		cr_assert(i == 500 || fabs(fabs(values[i]) - 3) < 0.1, "%u: %g", i, values[i]);
	values[0] = NAN;
	slope = series_line_remove(values, at, 1);
	cr_assert_eq(slope, 0);
	values[0] = 5;
	slope = series_line_remove(values, at, 1);
	cr_assert_eq(slope, 0);
	cr_assert_eq(values[0], 0);
}

Test(nic_series, quantiles)
{
	int64_t values[200], one = -7;
	unsigned int i;

	for (i = 0; i < 200; i++)
		values[i] = 199 - (int64_t)i;
	struct series_quantiles got = series_quantiles_of(values, 200);
	cr_assert_eq(got.min, 0);
	cr_assert_eq(got.p50, 100);
	cr_assert_eq(got.p99, 197);
	cr_assert_eq(got.max, 199);
	got = series_quantiles_of(&one, 1);
	cr_assert(got.min == -7 && got.p50 == -7 && got.p99 == -7 && got.max == -7);
}

Test(nic_series, a_clock_ticks_or_not)
{
	cr_assert(series_ticks(100, 200000100, 200000000));
	cr_assert(series_ticks(100, 200000100, 200100000), "500 ppm off");
	cr_assert_not(series_ticks(100, 100, 200000000), "stands still");
	cr_assert_not(series_ticks(0, 100, 200000000), "as good as");
	cr_assert_not(series_ticks(200000100, 100, 200000000), "goes back");
	cr_assert_not(series_ticks(100, 1200000100, 200000000), "or leaps");
	cr_assert(series_ticks(100, 100, 0), "no time has passed");
}
