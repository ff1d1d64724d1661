/* SPDX-License-Identifier: MIT */
#include "plot.h"

#include <cairo-svg.h>
#include <cairo.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plot_data.h"

/* Points; a PNG has SCALE times as many pixels. */
#define WIDTH 1000
#define HEIGHT 620
#define SCALE 1.6
#define LEFT 78
#define RIGHT 24
#define FONT "sans-serif"
#define DOTS_MANY 600 /* more of them are drawn smaller */

struct colour {
	double r, g, b, a;
};

/* Dark on light, and apart for the colour-blind as well */
static const struct colour ink = {0.13, 0.15, 0.19, 1}, grey = {0.42, 0.45, 0.50, 1},
			   grid = {0.90, 0.91, 0.93, 1}, measured = {0.36, 0.42, 0.50, 0.62},
			   held = {0.84, 0.37, 0.00, 0.85}, told = {0.00, 0.32, 0.66, 1},
			   sigma = {0.00, 0.42, 0.80, 0.26}, bound = {0.35, 0.62, 0.88, 0.14},
			   bound_edge = {0.28, 0.53, 0.78, 0.75};

/* A rectangle of the picture with its axes */
struct panel {
	double x, y, width, height;
	double t_lo, t_hi, lo, hi;
	bool logarithmic;
};

struct drawing {
	cairo_t *cairo;
	const struct plot_data *data;
	struct panel panel;
};

static void colour_set(cairo_t *cairo, const struct colour *colour)
{
	cairo_set_source_rgba(cairo, colour->r, colour->g, colour->b, colour->a);
}

static double x_of(const struct panel *panel, double t)
{
	return panel->x + (t - panel->t_lo) / (panel->t_hi - panel->t_lo) * panel->width;
}

static double y_of(const struct panel *panel, double value)
{
	double share = panel->logarithmic ? log10(value / panel->lo) / log10(panel->hi / panel->lo)
					  : (value - panel->lo) / (panel->hi - panel->lo);

	/* Far beyond the clip, but not where a number of cairo's overflows */
	return panel->y + panel->height * (1 - fmin(fmax(share, -10), 10));
}

enum align { LEFT_OF, MIDDLE, RIGHT_OF };

static void text_at(cairo_t *cairo, double x, double y, double size, enum align align,
		    const struct colour *colour, const char *text)
{
	cairo_text_extents_t extents;

	cairo_set_font_size(cairo, size);
	cairo_text_extents(cairo, text, &extents);
	if (align == RIGHT_OF)
		x -= extents.x_advance;
	else if (align == MIDDLE)
		x -= extents.x_advance / 2;
	colour_set(cairo, colour);
	cairo_move_to(cairo, x, y);
	cairo_show_text(cairo, text);
}

static void text_upright(cairo_t *cairo, double x, double y, double size,
			 const struct colour *colour, const char *text)
{
	cairo_save(cairo);
	cairo_translate(cairo, x, y);
	cairo_rotate(cairo, -M_PI / 2);
	text_at(cairo, 0, 0, size, MIDDLE, colour, text);
	cairo_restore(cairo);
}

/* A line of one pixel lies on pixels, not between them. */
static void hair(cairo_t *cairo, double x1, double y1, double x2, double y2)
{
	if (x1 == x2)
		x1 = x2 = floor(x1) + 0.5;
	else
		y1 = y2 = floor(y1) + 0.5;
	cairo_set_line_width(cairo, 1);
	cairo_move_to(cairo, x1, y1);
	cairo_line_to(cairo, x2, y2);
	cairo_stroke(cairo);
}

static void value_mark(const struct drawing *drawing, double value, const char *text)
{
	const struct panel *panel = &drawing->panel;
	double y = y_of(panel, value);

	colour_set(drawing->cairo, &grid);
	hair(drawing->cairo, panel->x, y, panel->x + panel->width, y);
	text_at(drawing->cairo, panel->x - 8, y + 4, 11.5, RIGHT_OF, &grey, text);
}

static void value_axis(const struct drawing *drawing)
{
	const struct panel *panel = &drawing->panel;
	double marks[PLOT_MARKS_MAX], value;
	unsigned int count, i;
	char text[32];

	if (panel->logarithmic) {
		/* Each power of ten, or every other one where there are many */
		double every = log10(panel->hi / panel->lo) > 4.5 ? 100 : 10;

		for (value = panel->lo; value < panel->hi * 1.01; value *= every) {
			snprintf(text, sizeof(text), "%g", value);
			value_mark(drawing, value, text);
		}
		return;
	}
	count = plot_marks(panel->lo, panel->hi, 8, marks);
	for (i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "%.*f", plot_digits(marks, count), marks[i]);
		value_mark(drawing, marks[i], text);
	}
}

static void time_axis(const struct drawing *drawing, bool labels)
{
	const struct panel *panel = &drawing->panel;
	double marks[PLOT_MARKS_MAX], bottom = panel->y + panel->height;
	unsigned int count = plot_marks(panel->t_lo, panel->t_hi, 12, marks), i;
	char text[64];

	for (i = 0; i < count; i++) {
		double x = x_of(panel, marks[i]);

		colour_set(drawing->cairo, &grid);
		hair(drawing->cairo, x, panel->y, x, bottom);
		snprintf(text, sizeof(text), "%.*f", plot_digits(marks, count), marks[i]);
		if (labels)
			text_at(drawing->cairo, x, bottom + 18, 11.5, MIDDLE, &grey, text);
	}
	if (!labels)
		return;
	snprintf(text, sizeof(text), "time since the first measurement, %s",
		 drawing->data->time.name);
	text_at(drawing->cairo, panel->x + panel->width / 2, bottom + 38, 12.5, MIDDLE, &ink, text);
}

static void frame(const struct drawing *drawing)
{
	const struct panel *panel = &drawing->panel;

	colour_set(drawing->cairo, &grey);
	hair(drawing->cairo, panel->x, panel->y, panel->x, panel->y + panel->height);
	hair(drawing->cairo, panel->x, panel->y + panel->height, panel->x + panel->width,
	     panel->y + panel->height);
}

/* A column's value, by where it is in the struct */
static double at(const struct plot_column *column, size_t member)
{
	return *(const double *)(const void *)((const char *)column + member);
}

/* The columns from `from` on that a line may lead through: returns the one after the last. */
static unsigned int stretch(const struct plot_data *data, unsigned int from, size_t member)
{
	unsigned int to = from;

	while (to < data->count && !isnan(at(&data->columns[to], member)) &&
	       (to == from || !data->columns[to].begins))
		to++;
	return to;
}

/* Append one column's value after the other to the path, forwards or backwards. */
static void path_add(const struct drawing *drawing, unsigned int from, unsigned int to,
		     size_t member, bool backwards)
{
	const struct plot_column *columns = drawing->data->columns;
	unsigned int i;

	for (i = 0; i < to - from; i++) {
		const struct plot_column *column = &columns[backwards ? to - 1 - i : from + i];

		cairo_line_to(drawing->cairo, x_of(&drawing->panel, column->t),
			      y_of(&drawing->panel, at(column, member)));
	}
}

static void band(const struct drawing *drawing, size_t lo, size_t hi, const struct colour *colour)
{
	unsigned int from, to;

	colour_set(drawing->cairo, colour);
	for (from = 0; from<drawing->data->count; from = to> from ? to : from + 1) {
		to = stretch(drawing->data, from, lo);
		path_add(drawing, from, to, hi, false);
		path_add(drawing, from, to, lo, true);
		cairo_close_path(drawing->cairo);
		cairo_fill(drawing->cairo);
	}
}

static void curve(const struct drawing *drawing, size_t member, double width,
		  const struct colour *colour)
{
	unsigned int from, to;

	colour_set(drawing->cairo, colour);
	cairo_set_line_width(drawing->cairo, width);
	cairo_set_line_join(drawing->cairo, CAIRO_LINE_JOIN_ROUND);
	for (from = 0; from<drawing->data->count; from = to> from ? to : from + 1) {
		to = stretch(drawing->data, from, member);
		path_add(drawing, from, to, member, false);
		cairo_stroke(drawing->cairo);
	}
}

/* A dot; where it lies beyond the axis, a triangle that points there */
static void dot(const struct drawing *drawing, double t, double value, double radius)
{
	const struct panel *panel = &drawing->panel;
	bool above = value > panel->hi, below = value < panel->lo;
	double x = x_of(panel, t), r = 4.5;
	double y = above ? panel->y + 1 : below ? panel->y + panel->height - 1 : y_of(panel, value);

	if (above || below) {
		cairo_move_to(drawing->cairo, x, y);
		cairo_line_to(drawing->cairo, x - r, y + (above ? r : -r) * 1.5);
		cairo_line_to(drawing->cairo, x + r, y + (above ? r : -r) * 1.5);
		cairo_close_path(drawing->cairo);
	} else {
		cairo_arc(drawing->cairo, x, y, radius, 0, 2 * M_PI);
	}
	cairo_fill(drawing->cairo);
}

static double dot_radius(const struct plot_data *data)
{
	return data->measured + data->held > DOTS_MANY ? 1.5 : 2.4;
}

static void dots(const struct drawing *drawing, size_t lo, size_t hi, const struct colour *colour)
{
	const struct plot_data *data = drawing->data;
	double radius = dot_radius(data);
	unsigned int i;

	colour_set(drawing->cairo, colour);
	for (i = 0; i < data->count; i++) {
		const struct plot_column *column = &data->columns[i];

		if (isnan(at(column, lo)))
			continue;
		dot(drawing, column->t, at(column, lo), radius);
		if (at(column, hi) > at(column, lo))
			dot(drawing, column->t, at(column, hi), radius);
	}
}

#define COLUMN(member) offsetof(struct plot_column, member)

static void clip(const struct drawing *drawing)
{
	const struct panel *panel = &drawing->panel;

	cairo_save(drawing->cairo);
	cairo_rectangle(drawing->cairo, panel->x, panel->y, panel->width, panel->height);
	cairo_clip(drawing->cairo);
}

/* What the panel shows, with its unit, beside it */
static void axis_name(struct drawing *drawing, const char *what)
{
	char text[128];

	snprintf(text, sizeof(text), "%s, %s", what, drawing->data->offset.name);
	text_upright(drawing->cairo, 20, drawing->panel.y + drawing->panel.height / 2, 12.5, &ink,
		     text);
}

static void offsets_draw(struct drawing *drawing)
{
	const struct plot_data *data = drawing->data;

	drawing->panel = (struct panel){
		.x = LEFT,
		.y = 88,
		.width = WIDTH - LEFT - RIGHT,
		.height = 314,
		.t_lo = data->t_lo,
		.t_hi = data->t_hi,
		.lo = data->lo,
		.hi = data->hi,
	};
	time_axis(drawing, false);
	value_axis(drawing);
	clip(drawing);
	band(drawing, COLUMN(bound_lo), COLUMN(bound_hi), &bound);
	curve(drawing, COLUMN(bound_lo), 1, &bound_edge);
	curve(drawing, COLUMN(bound_hi), 1, &bound_edge);
	dots(drawing, COLUMN(measured_lo), COLUMN(measured_hi), &measured);
	dots(drawing, COLUMN(held_lo), COLUMN(held_hi), &held);
	band(drawing, COLUMN(sigma_lo), COLUMN(sigma_hi), &sigma);
	curve(drawing, COLUMN(told), 1.7, &told);
	cairo_restore(drawing->cairo);
	frame(drawing);
	axis_name(drawing, "offset");
}

static void widths_draw(struct drawing *drawing)
{
	const struct plot_data *data = drawing->data;

	drawing->panel.y = 432;
	drawing->panel.height = 126;
	drawing->panel.lo = data->width_lo;
	drawing->panel.hi = data->width_hi;
	drawing->panel.logarithmic = true;
	time_axis(drawing, true);
	value_axis(drawing);
	clip(drawing);
	curve(drawing, COLUMN(bound), 1.6, &bound_edge);
	curve(drawing, COLUMN(sigma), 1.6, &told);
	cairo_restore(drawing->cairo);
	frame(drawing);
	axis_name(drawing, "half-width");
}

/* One entry of the legend; returns where the next begins. */
static double legend_entry(cairo_t *cairo, double x, double y, const struct colour *fill,
			   const struct colour *line, double radius, const char *text)
{
	cairo_text_extents_t extents;

	if (radius > 0) {
		colour_set(cairo, fill);
		cairo_arc(cairo, x + 11, y - 4, radius, 0, 2 * M_PI);
		cairo_fill(cairo);
	} else {
		if (fill) {
			colour_set(cairo, fill);
			cairo_rectangle(cairo, x, y - 10, 22, 12);
			cairo_fill(cairo);
		}
		if (line) {
			colour_set(cairo, line);
			cairo_set_line_width(cairo, 1.7);
			cairo_move_to(cairo, x, y - 4);
			cairo_line_to(cairo, x + 22, y - 4);
			cairo_stroke(cairo);
		}
	}
	text_at(cairo, x + 29, y, 12.5, LEFT_OF, &ink, text);
	cairo_text_extents(cairo, text, &extents);
	return x + 29 + extents.x_advance + 26;
}

static void head_draw(const struct drawing *drawing, const struct plot *plot)
{
	const struct plot_data *data = drawing->data;
	double x = LEFT, y = 72, radius = fmax(dot_radius(data), 2.4);
	char text[160];

	cairo_select_font_face(drawing->cairo, FONT, CAIRO_FONT_SLANT_NORMAL,
			       CAIRO_FONT_WEIGHT_BOLD);
	text_at(drawing->cairo, LEFT, 30, 16, LEFT_OF, &ink, plot->title);
	cairo_select_font_face(drawing->cairo, FONT, CAIRO_FONT_SLANT_NORMAL,
			       CAIRO_FONT_WEIGHT_NORMAL);
	if (plot->level)
		snprintf(text, sizeof(text),
			 "UTC minus raw counter time, less a straight line of %+.3f ppm",
			 data->drift_ppm);
	else
		snprintf(text, sizeof(text), "UTC minus the recorded system clock");
	text_at(drawing->cairo, LEFT, 49, 12.5, LEFT_OF, &grey, text);
	snprintf(text, sizeof(text), "measured (%u)", data->measured);
	x = legend_entry(drawing->cairo, x, y, &measured, NULL, radius, text);
	if (data->held) {
		snprintf(text, sizeof(text), "held, only scored (%u)", data->held);
		x = legend_entry(drawing->cairo, x, y, &held, NULL, radius, text);
	}
	x = legend_entry(drawing->cairo, x, y, &sigma, &told, 0,
			 "told, \302\261 one standard deviation");
	(void)legend_entry(drawing->cairo, x, y, &bound, &bound_edge, 0, "bound");
}

static void draw(cairo_t *cairo, const struct plot *plot, const struct plot_data *data)
{
	struct drawing drawing = {.cairo = cairo, .data = data};

	cairo_set_source_rgb(cairo, 1, 1, 1);
	cairo_paint(cairo);
	head_draw(&drawing, plot);
	offsets_draw(&drawing);
	widths_draw(&drawing);
}

static bool ends_in(const char *path, const char *ending)
{
	size_t length = strlen(path), end = strlen(ending);

	return length > end && strcmp(path + length - end, ending) == 0;
}

int plot_check(const char *path)
{
	return ends_in(path, ".svg") || ends_in(path, ".png") ? 0 : -EINVAL;
}

static cairo_status_t stream_write(void *stream, const unsigned char *data, unsigned int size)
{
	return fwrite(data, 1, size, stream) == size ? CAIRO_STATUS_SUCCESS
						     : CAIRO_STATUS_WRITE_ERROR;
}

static cairo_status_t surface_end(cairo_surface_t *surface, bool png, FILE *stream)
{
	if (png)
		return cairo_surface_write_to_png_stream(surface, stream_write, stream);
	cairo_surface_finish(surface);
	return cairo_surface_status(surface);
}

int plot_write(const char *path, const struct plot *plot)
{
	bool png = ends_in(path, ".png");
	struct plot_data *data = malloc(sizeof(*data));
	cairo_surface_t *surface;
	cairo_status_t status;
	cairo_t *cairo;
	FILE *stream;
	int r;

	if (!data)
		return -ENOMEM;
	r = plot_data_make(data, plot->points, plot->count, plot->level);
	stream = r == 0 ? fopen(path, "we") : NULL;
	if (!stream) {
		free(data);
		return r < 0 ? r : -errno;
	}
	surface = png ? cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)(WIDTH * SCALE),
						   (int)(HEIGHT * SCALE))
		      : cairo_svg_surface_create_for_stream(stream_write, stream, WIDTH, HEIGHT);
	cairo = cairo_create(surface);
	if (png)
		cairo_scale(cairo, SCALE, SCALE);
	draw(cairo, plot, data);
	status = cairo_status(cairo);
	cairo_destroy(cairo);
	if (status == CAIRO_STATUS_SUCCESS)
		status = surface_end(surface, png, stream);
	cairo_surface_destroy(surface);
	free(data);
	if (status == CAIRO_STATUS_NO_MEMORY)
		r = -ENOMEM;
	else if (status != CAIRO_STATUS_SUCCESS)
		r = -EIO;
	if (fclose(stream) != 0 && r == 0)
		r = -errno;
	if (r < 0)
		unlink(path);
	return r;
}
