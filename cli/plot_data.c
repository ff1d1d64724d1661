/* SPDX-License-Identifier: MIT */
#include "plot_data.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Measurements so many times the middle half's width beyond it are outliers. */
#define FAR_OUT 3
/* A bound that makes the picture more than so many times as high is left to the other panel. */
#define BOUND_MOST 4
#define MARGIN 0.12

/* The last unit whose number is still readable is taken. */
static const struct plot_unit offset_units[] = {
	{"ns", 1e-6}, {"\302\265s", 1e-3}, {"ms", 1}, {"s", 1e3}};
static const struct plot_unit time_units[] = {{"s", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct plot_unit unit_of(const struct plot_unit *units, unsigned int count, double range,
				double least)
{
	unsigned int i = 0;

	while (i + 1 < count && range / units[i + 1].per >= least)
		i++;
	return units[i];
}

/* Take the line of least squares through what was told off a run. Returns its slope, ms per s. */
static double level_run(struct rerun_point *points, size_t count)
{
	double n = 0, t = 0, y = 0, stt = 0, sty = 0, slope;
	size_t i;

	for (i = 0; i < count; i++)
		if (!isnan(points[i].told_ms))
			n++, t += points[i].t_s, y += points[i].told_ms;
	if (n == 0)
		return 0;
	t /= n, y /= n;
	for (i = 0; i < count; i++) {
		if (isnan(points[i].told_ms))
			continue;
		stt += (points[i].t_s - t) * (points[i].t_s - t);
		sty += (points[i].t_s - t) * (points[i].told_ms - y);
	}
	slope = stt > 0 ? sty / stt : 0;
	for (i = 0; i < count; i++) {
		double line = y + slope * (points[i].t_s - t);

		points[i].told_ms -= line;
		points[i].measured_ms -= line;
	}
	return slope;
}

static double level(struct rerun_point *points, size_t count)
{
	double first = 0, slope;
	size_t from = 0, to;

	while (from < count) {
		for (to = from + 1; to < count && !points[to].begins; to++)
			;
		slope = level_run(points + from, to - from);
		if (from == 0)
			first = slope;
		from = to;
	}
	return 1e3 * first;
}

static void widen(double *lo, double *hi, double value_lo, double value_hi)
{
	/* fmin() and fmax() pass over NAN. */
	*lo = fmin(*lo, value_lo);
	*hi = fmax(*hi, value_hi);
}

static void column_begin(struct plot_column *column)
{
	*column = (struct plot_column){
		.t = NAN,
		.measured_lo = NAN,
		.measured_hi = NAN,
		.held_lo = NAN,
		.held_hi = NAN,
		.told = NAN,
		.sigma_lo = NAN,
		.sigma_hi = NAN,
		.bound_lo = NAN,
		.bound_hi = NAN,
		.sigma = NAN,
		.bound = NAN,
	};
}

static void column_add(struct plot_column *column, const struct rerun_point *point)
{
	column->t = isnan(column->t) ? point->t_s : (column->t + point->t_s) / 2;
	column->begins = column->begins || point->begins;
	if (point->held)
		widen(&column->held_lo, &column->held_hi, point->measured_ms, point->measured_ms);
	else
		widen(&column->measured_lo, &column->measured_hi, point->measured_ms,
		      point->measured_ms);
	if (isnan(point->told_ms))
		return;
	column->told = isnan(column->told) ? point->told_ms : (column->told + point->told_ms) / 2;
	widen(&column->sigma_lo, &column->sigma_hi, point->told_ms - point->sigma_ms,
	      point->told_ms + point->sigma_ms);
	widen(&column->bound_lo, &column->bound_hi, point->told_ms - point->bound_ms,
	      point->told_ms + point->bound_ms);
	column->sigma = fmax(column->sigma, point->sigma_ms);
	column->bound = fmax(column->bound, point->bound_ms);
}

/* The points as columns: one each if there are few, else those of so much time together. */
static void columns_make(struct plot_data *data, const struct rerun_point *points, size_t count)
{
	double span = data->t_hi - data->t_lo;
	size_t i, last = 0;

	for (i = 0; i < count; i++) {
		size_t at = count <= PLOT_COLUMNS_MAX ? i
						      : (size_t)((points[i].t_s - data->t_lo) /
								 span * (PLOT_COLUMNS_MAX - 1));

		if (data->count == 0 || (at != last && data->count < PLOT_COLUMNS_MAX))
			column_begin(&data->columns[data->count++]);
		last = at;
		column_add(&data->columns[data->count - 1], &points[i]);
		if (isnan(points[i].measured_ms))
			continue;
		data->measured += !points[i].held;
		data->held += points[i].held;
	}
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Values, as they are gathered; then in order. */
struct values {
	double value[4 * PLOT_COLUMNS_MAX];
	size_t count;
};

static void values_add(struct values *values, double value)
{
	if (!isnan(value))
		values->value[values->count++] = value;
}

/* The value that this share of them lies below; NAN: there are none. They are in order afterwards. */
static double quantile(struct values *values, double share)
{
	if (!values->count)
		return NAN;
	qsort(values->value, values->count, sizeof(values->value[0]), by_size);
	return values->value[(size_t)(share * (double)(values->count - 1) + 0.5)];
}

/* What the offset axis has to show, ms: no outliers, and of the bound the usual one if it is near. */
static void range_set(struct plot_data *data)
{
	struct values measured = {.count = 0}, below = {.count = 0}, above = {.count = 0};
	double lo = NAN, hi = NAN, q1, q3, margin;
	unsigned int i;

	for (i = 0; i < data->count; i++) {
		const struct plot_column *column = &data->columns[i];

		values_add(&measured, column->measured_lo);
		values_add(&measured, column->measured_hi);
		values_add(&measured, column->held_lo);
		values_add(&measured, column->held_hi);
		values_add(&below, column->bound_lo);
		values_add(&above, column->bound_hi);
		widen(&lo, &hi, column->told, column->told);
	}
	q1 = quantile(&measured, 0.25);
	q3 = quantile(&measured, 0.75);
	if (measured.count)
		widen(&lo, &hi, fmax(measured.value[0], q1 - FAR_OUT * (q3 - q1)),
		      fmin(measured.value[measured.count - 1], q3 + FAR_OUT * (q3 - q1)));
	if (quantile(&above, 0.5) - quantile(&below, 0.5) < BOUND_MOST * (hi - lo))
		widen(&lo, &hi, quantile(&below, 0.5), quantile(&above, 0.5));
	margin = hi > lo ? MARGIN * (hi - lo) : fmax(fabs(hi) * MARGIN, 1e-6);
	data->lo = lo - margin;
	data->hi = hi + margin;
}

static void widths_set(struct plot_data *data)
{
	double lo = NAN, hi = NAN;
	unsigned int i;

	for (i = 0; i < data->count; i++) {
		const struct plot_column *column = &data->columns[i];

		widen(&lo, &hi, column->sigma > 0 ? column->sigma : NAN,
		      column->bound > 0 ? column->bound : NAN);
		widen(&lo, &hi, column->bound > 0 ? column->bound : NAN,
		      column->sigma > 0 ? column->sigma : NAN);
	}
	if (isnan(lo) || isnan(hi))
		lo = hi = 1;
	data->width_lo = pow(10, floor(log10(lo)));
	data->width_hi = pow(10, ceil(log10(hi)));
	if (data->width_hi <= data->width_lo)
		data->width_hi = 10 * data->width_lo;
}

static void units_set(struct plot_data *data)
{
	double *const range[] = {&data->lo, &data->hi, &data->width_lo, &data->width_hi};
	unsigned int i, j;

	data->time = unit_of(time_units, COUNT(time_units), data->t_hi - data->t_lo, 3);
	data->offset =
		unit_of(offset_units, COUNT(offset_units), fmax(fabs(data->lo), fabs(data->hi)), 1);
	data->t_lo /= data->time.per;
	data->t_hi /= data->time.per;
	for (i = 0; i < COUNT(range); i++)
		*range[i] /= data->offset.per;
	for (i = 0; i < data->count; i++) {
		struct plot_column *column = &data->columns[i];
		double *const offsets[] = {
			&column->measured_lo, &column->measured_hi, &column->held_lo,
			&column->held_hi,     &column->told,        &column->sigma_lo,
			&column->sigma_hi,    &column->bound_lo,    &column->bound_hi,
			&column->sigma,       &column->bound,
		};

		column->t /= data->time.per;
		for (j = 0; j < COUNT(offsets); j++)
			*offsets[j] /= data->offset.per;
	}
}

int plot_data_make(struct plot_data *ret, struct rerun_point *points, size_t count, bool level_off)
{
	bool told = false;
	size_t i;

	memset(ret, 0, sizeof(*ret));
	ret->t_lo = HUGE_VAL, ret->t_hi = -HUGE_VAL;
	for (i = 0; i < count; i++) {
		told = told || !isnan(points[i].told_ms);
		widen(&ret->t_lo, &ret->t_hi, points[i].t_s, points[i].t_s);
	}
	if (!told)
		return -ENODATA;
	if (!(ret->t_hi > ret->t_lo))
		ret->t_hi = ret->t_lo + 1;
	if (level_off)
		ret->drift_ppm = level(points, count);
	columns_make(ret, points, count);
	range_set(ret);
	widths_set(ret);
	units_set(ret);
	return 0;
}

unsigned int plot_marks(double lo, double hi, unsigned int most, double ret[PLOT_MARKS_MAX])
{
	static const double steps[] = {1, 2, 5, 10};
	double least, power, step = 0, mark;
	unsigned int count = 0, i;

	if (most > PLOT_MARKS_MAX)
		most = PLOT_MARKS_MAX;
	if (!(hi > lo) || most < 2)
		return 0;
	least = (hi - lo) / most;
	power = pow(10, floor(log10(least)));
	for (i = 0; i < COUNT(steps) && step < least; i++)
		step = steps[i] * power;
	for (mark = ceil(lo / step); mark * step <= hi && count < most; mark++)
		ret[count++] = mark == 0 ? 0 : mark * step; /* no -0 */
	return count;
}

int plot_digits(const double *marks, unsigned int count)
{
	double step = count > 1 ? marks[1] - marks[0] : 1;
	int digits = (int)-floor(log10(step) + 1e-9);

	return digits > 0 ? digits : 0;
}
