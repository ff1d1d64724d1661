/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "nic/report.h"

#define WIDTH 720
#define HEIGHT 260
#define MARGIN 60

static void text_write(FILE *file, const char *text)
{
	static const char *const escapes[256] = {
		['<'] = "&lt;", ['>'] = "&gt;", ['&'] = "&amp;", ['"'] = "&quot;", ['\''] = "&#39;",
	};

	for (; *text; text++) {
		const char *escape = escapes[(unsigned char)*text];

		if (escape)
			fputs(escape, file);
		else
			fputc(*text, file);
	}
}

static void value_write(FILE *file, const json_t *value);

/* A row for each member */
static void members_write(FILE *file, const json_t *object)
{
	const char *key;
	json_t *value;

	fputs("<table>", file);
	json_object_foreach((json_t *)object, key, value)
	{
		fputs("<tr><th>", file);
		text_write(file, key);
		fputs("</th><td>", file);
		value_write(file, value);
		fputs("</td></tr>\n", file);
	}
	fputs("</table>\n", file);
}

/* A column for each object */
static void columns_write(FILE *file, const json_t *objects)
{
	const json_t *object;
	size_t i;

	fputs("<table><tr>", file);
	json_array_foreach(objects, i, object)
	{
		fputs("<td>", file);
		value_write(file, object);
		fputs("</td>", file);
	}
	fputs("</tr></table>\n", file);
}

/* A row for each list */
static void rows_write(FILE *file, const json_t *lists)
{
	const json_t *list, *value;
	size_t i, j;

	fputs("<table>", file);
	json_array_foreach(lists, i, list)
	{
		fputs("<tr>", file);
		json_array_foreach(list, j, value)
		{
			fputs("<td>", file);
			value_write(file, value);
			fputs("</td>", file);
		}
		fputs("</tr>\n", file);
	}
	fputs("</table>\n", file);
}

static void array_write(FILE *file, const json_t *array)
{
	const json_t *first = json_array_get(array, 0), *value;
	size_t i;

	if (json_is_object(first) || json_is_array(first)) {
		json_is_object(first) ? columns_write(file, array) : rows_write(file, array);
		return;
	}
	json_array_foreach(array, i, value)
	{
		if (i)
			fputs("<br>", file);
		value_write(file, value);
	}
}

static void value_write(FILE *file, const json_t *value)
{
	char *text;

	if (json_is_object(value)) {
		members_write(file, value);
	} else if (json_is_array(value)) {
		array_write(file, value);
	} else if (json_is_string(value)) {
		text_write(file, json_string_value(value));
	} else {
		text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
		text_write(file, text ? text : "");
		free(text);
	}
}

static double scaled(const struct nic_plot *plot, double value)
{
	return plot->logarithmic ? log10(value) : value;
}

static bool is_shown(const struct nic_plot *plot, unsigned int i)
{
	return !plot->logarithmic || (plot->x[i] > 0 && plot->y[i] > 0);
}

static void plot_write(FILE *file, const struct nic_plot *plot)
{
	double left = INFINITY, right = -INFINITY, low = INFINITY, high = -INFINITY;
	unsigned int i, shown = 0;

	for (i = 0; i < plot->count; i++) {
		if (!is_shown(plot, i))
			continue;
		left = fmin(left, scaled(plot, plot->x[i]));
		right = fmax(right, scaled(plot, plot->x[i]));
		low = fmin(low, scaled(plot, plot->y[i]));
		high = fmax(high, scaled(plot, plot->y[i]));
		shown++;
	}
	fputs("<h3>", file);
	text_write(file, plot->title);
	fputs("</h3>\n", file);
	if (shown < 2) {
		fputs("<p>too few points</p>\n", file);
		return;
	}
	if (right <= left)
		right = left + 1;
	if (high <= low)
		high = low + 1;
	fprintf(file,
		"<svg viewBox=\"0 0 %d %d\" width=\"%d\"><rect x=\"%d\" y=\"10\" width=\"%d\" "
		"height=\"%d\" class=\"frame\"/><polyline points=\"",
		WIDTH + MARGIN + 10, HEIGHT + 50, WIDTH + MARGIN + 10, MARGIN, WIDTH, HEIGHT);
	for (i = 0; i < plot->count; i++)
		if (is_shown(plot, i))
			fprintf(file, "%.1f,%.1f ",
				MARGIN + (scaled(plot, plot->x[i]) - left) / (right - left) * WIDTH,
				10 + (high - scaled(plot, plot->y[i])) / (high - low) * HEIGHT);
	fprintf(file,
		"\"/><text x=\"%d\" y=\"%d\">%.4g</text><text x=\"%d\" y=\"%d\" "
		"class=\"end\">%.4g</text>",
		MARGIN, HEIGHT + 26, plot->logarithmic ? pow(10, left) : left, MARGIN + WIDTH,
		HEIGHT + 26, plot->logarithmic ? pow(10, right) : right);
	fprintf(file,
		"<text x=\"%d\" y=\"20\" class=\"end\">%.3g</text><text x=\"%d\" y=\"%d\" "
		"class=\"end\">%.3g</text><text x=\"%d\" y=\"%d\">%s over %s</text></svg>\n",
		MARGIN - 4, plot->logarithmic ? pow(10, high) : high, MARGIN - 4, HEIGHT + 10,
		plot->logarithmic ? pow(10, low) : low, MARGIN, HEIGHT + 44, plot->y_name,
		plot->x_name);
}

int nic_report_write(FILE *file, const json_t *results, const struct nic_plot *plots,
		     unsigned int count)
{
	unsigned int i;

	fputs("<!DOCTYPE html><html><head><meta charset=\"utf-8\"><title>chronotick bench-nic</title>"
	      "<style>body{font:14px sans-serif;margin:2em}table{border-collapse:collapse}"
	      "th,td{border:1px solid #ccc;padding:2px 8px;text-align:left;vertical-align:top}"
	      "polyline{fill:none;stroke:#06c}.frame{fill:none;stroke:#999}"
	      "text{font-size:12px}.end{text-anchor:end}</style></head><body>\n"
	      "<h1>chronotick bench-nic</h1>\n",
	      file);
	members_write(file, results);
	for (i = 0; i < count; i++)
		if (plots[i].count)
			plot_write(file, &plots[i]);
	fputs("</body></html>\n", file);
	return ferror(file) ? -EIO : 0;
}
