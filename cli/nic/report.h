/* SPDX-License-Identifier: MIT */
/* chronotick-bench-nic's results as a self-contained page of HTML, with plots. */
#ifndef CLI_NIC_REPORT_H
#define CLI_NIC_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#define NIC_REPORT_POINTS 20000

/* A curve; logarithmic: both axes, points that are not above 0 are left out. All values are finite. */
struct nic_plot {
	const char *title, *x_name, *y_name;
	bool logarithmic;
	unsigned int count;
	double x[NIC_REPORT_POINTS], y[NIC_REPORT_POINTS];
};

/*
 * results: what the JSON file has. Plots without a point are left out. Returns 0, or a negative errno of
 * writing.
 */
int nic_report_write(FILE *file, const json_t *results, const struct nic_plot *plots,
		     unsigned int count);

#endif /* CLI_NIC_REPORT_H */
