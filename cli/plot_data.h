/* SPDX-License-Identifier: MIT */
/* What a plot shows, before it is drawn: columns from left to right, units, and marks of an axis. Pure. */
#ifndef CLI_PLOT_DATA_H
#define CLI_PLOT_DATA_H

#include <stdbool.h>
#include <stddef.h>

#include "rerun.h"

/* No plot has more: as many points as these, each one's extremes are kept. */
#define PLOT_COLUMNS_MAX 1200
#define PLOT_MARKS_MAX 12

/* Some points at one place of the time axis; NAN: there is none. Units as for the plot. */
struct plot_column {
	double t;
	double measured_lo, measured_hi;
	double held_lo, held_hi;
	double told;
	double sigma_lo, sigma_hi; /* told less and more one standard deviation */
	double bound_lo, bound_hi;
	double sigma, bound; /* the widest */
	bool begins;         /* no line leads here from the column before */
};

struct plot_unit {
	const char *name;
	double per; /* of the base's unit, ms or s */
};

struct plot_data {
	struct plot_column columns[PLOT_COLUMNS_MAX];
	unsigned int count;
	struct plot_unit time, offset; /* that the columns are in */
	double t_lo, t_hi;
	double lo, hi;             /* of the offset axis: outliers lie beyond it */
	double width_lo, width_hi; /* of half-widths, for a logarithmic axis; powers of 10 */
	unsigned int measured, held;
	double drift_ppm; /* of the lines taken off, of the first run; 0: none */
};

/*
 * level: raw time ran freely, so take a straight line off what each run has told. Changes the points.
 * Returns 0, or -ENODATA if there is not one point that tells a time.
 */
int plot_data_make(struct plot_data *ret, struct rerun_point *points, size_t count, bool level);

/* Round numbers within an axis, at most PLOT_MARKS_MAX of them. Returns how many. */
unsigned int plot_marks(double lo, double hi, unsigned int most, double ret[PLOT_MARKS_MAX]);

/* How many digits behind the point tell two of these marks apart */
int plot_digits(const double *marks, unsigned int count);

#endif /* CLI_PLOT_DATA_H */
