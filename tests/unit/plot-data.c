/* SPDX-License-Identifier: MIT */
/* What a plot shows: columns, ranges, units and marks. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "plot_data.h"
#include "support/noise.h"

static struct plot_data data;
static struct rerun_point points[20000];

static struct rerun_point point_of(double t_s, double measured_ms, double told_ms)
{
	return (struct rerun_point){
		.t_s = t_s,
		.measured_ms = measured_ms,
		.told_ms = told_ms,
		.sigma_ms = 0.1,
		.bound_ms = 2,
	};
}

Test(plot_data, few_points_are_a_column_each)
{
	unsigned int i;

	for (i = 0; i < 100; i++)
		points[i] = point_of(i, i % 2 ? NAN : 1, 0);
	points[50].held = true;
	cr_assert_eq(plot_data_make(&data, points, 100, false), 0);
	cr_assert_eq(data.count, 100);
	cr_assert(data.measured == 49 && data.held == 1);
	cr_assert_str_eq(data.time.name, "s");
	cr_assert_str_eq(data.offset.name, "ms");
	cr_assert(isnan(data.columns[1].measured_lo) && isnan(data.columns[50].measured_lo));
	cr_assert_eq(data.columns[50].held_hi, 1);
	cr_assert_float_eq(data.columns[3].sigma_lo, -0.1, 1e-12);
	cr_assert_float_eq(data.columns[3].bound_hi, 2, 1e-12);
	cr_assert(data.t_lo == 0 && data.t_hi == 99);
	cr_assert(data.width_lo <= 0.1 && data.width_hi == 10);
}

/* The extremes of many points are kept, whatever they are together with. */
Test(plot_data, many_points_keep_their_extremes)
{
	double lo = HUGE_VAL, hi = -HUGE_VAL;
	unsigned int i;

	for (i = 0; i < 20000; i++)
		points[i] = point_of(i, noise(), 0);
	points[7777].measured_ms = 50;
	points[12345].measured_ms = -40;
	points[4444].bound_ms = 30;
	cr_assert_eq(plot_data_make(&data, points, 20000, false), 0);
	cr_assert_leq(data.count, PLOT_COLUMNS_MAX);
	cr_assert_geq(data.count, PLOT_COLUMNS_MAX - 1);
	for (i = 0; i < data.count; i++) {
		cr_assert(i == 0 || data.columns[i].t > data.columns[i - 1].t);
		lo = fmin(lo, data.columns[i].measured_lo);
		hi = fmax(hi, data.columns[i].measured_hi);
	}
	cr_assert(lo == -40 && hi == 50);
	cr_assert_eq(data.measured, 20000);
	cr_assert(data.hi < 20 && data.lo > -20, "outliers don't set the scale");
	cr_assert_gt(data.hi, 2.5, "but the rest is seen");
	cr_assert_eq(data.width_hi, 100, "the widest bound is seen");
	cr_assert_str_eq(data.time.name, "h");
	cr_assert_float_eq(data.t_hi, 19999 / 3600.0, 1e-9);
}

Test(plot_data, a_line_is_taken_off_each_run_of_a_free_counter)
{
	unsigned int i;

	/* 20 ppm, then -3 ppm from another beginning */
	for (i = 0; i < 200; i++)
		points[i] = i < 100 ? point_of(i, 0.02 * i + 1e-4, 0.02 * i)
				    : point_of(i, 700 - 0.003 * i, 700 - 0.003 * i);
	points[100].begins = true;
	cr_assert_eq(plot_data_make(&data, points, 200, true), 0);
	cr_assert_float_eq(data.drift_ppm, 20, 1e-9);
	for (i = 0; i < 200; i++)
		cr_assert_float_eq(data.columns[i].told * data.offset.per, 0, 1e-9);
	cr_assert_float_eq(data.columns[5].measured_hi * data.offset.per, 1e-4, 1e-9);
	cr_assert(data.columns[100].begins && !data.columns[101].begins);
}

Test(plot_data, units_follow_the_numbers)
{
	static const struct {
		double told_ms, bound_ms, t_s;
		const char *offset, *time;
	} cases[] = {
		{0.5e-3, 1e-4, 100, "ns", "s"},
		{0.5, 1e-4, 1000, "\302\265s", "min"},
		{500, 1, 100000, "ms", "h"},
		{50000, 1, 1e6, "s", "d"},
	};
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		points[0] = point_of(0, NAN, 0);
		points[1] = point_of(cases[i].t_s, NAN, cases[i].told_ms);
		points[0].bound_ms = points[1].bound_ms = cases[i].bound_ms;
		cr_assert_eq(plot_data_make(&data, points, 2, false), 0);
		cr_assert_str_eq(data.offset.name, cases[i].offset);
		cr_assert_str_eq(data.time.name, cases[i].time);
	}
}

Test(plot_data, a_single_point_has_a_picture_and_none_has_not)
{
	points[0] = point_of(0, NAN, 0);
	points[0].sigma_ms = points[0].bound_ms = 0;
	cr_assert_eq(plot_data_make(&data, points, 1, true), 0);
	cr_assert(data.hi > data.lo && data.t_hi > data.t_lo && data.width_hi > data.width_lo);
	points[0].told_ms = NAN;
	cr_assert_eq(plot_data_make(&data, points, 1, false), -ENODATA);
	cr_assert_eq(plot_data_make(&data, points, 0, false), -ENODATA);
}

Test(plot_data, marks_are_round_and_inside)
{
	static const struct {
		double lo, hi;
		unsigned int most, count;
		double first, step;
		int digits;
	} cases[] = {
		{0, 9.3, 11, 10, 0, 1, 0},           {-9.6, 13.4, 7, 4, -5, 5, 0},
		{0.011, 0.094, 7, 4, 0.02, 0.02, 2}, {-1, 1, 4, 5, -1, 0.5, 1},
		{1e6, 3e6, 5, 5, 1e6, 5e5, 0},
	};
	double marks[PLOT_MARKS_MAX];
	unsigned int i, count;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		count = plot_marks(cases[i].lo, cases[i].hi, cases[i].most + 1, marks);
		cr_expect_eq(count, cases[i].count, "%u: %u", i, count);
		cr_expect_float_eq(marks[0], cases[i].first, 1e-9, "%u: %g", i, marks[0]);
		cr_expect_float_eq(marks[1] - marks[0], cases[i].step, 1e-9 * cases[i].step + 1e-9);
		cr_expect_eq(plot_digits(marks, count), cases[i].digits);
	}
	cr_assert_eq(plot_marks(1, 1, 8, marks), 0);
}
