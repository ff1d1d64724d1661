/* SPDX-License-Identifier: MIT */
#include "screen.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "text.h"

/* Widths of the left column, and of the numbers in front of the sparklines */
enum { LABEL = 12, FIGURE = 13, PIECE_MAX = 512 };
/* With fewer rows there are no empty ones, with fewer columns no ranges beside the sparklines */
enum { AIRY_HEIGHT = 20, RANGE_WIDTH = 70 };
/* The sparklines' levels, from low to high */
enum { LEVELS = 8, LEVEL_BYTES = 3 };

struct canvas {
	const struct screen *screen;
	struct cli cli; /* for text_colour() */
	char *text;
	size_t size, used;
	unsigned int width, height, row, column;
};

static unsigned int within(unsigned int value, unsigned int most)
{
	return value == 0 ? 1 : value > most ? most : value;
}

/* Append bytes, all of them or none, and leave room for what ends a colour and the text. */
static void bytes_put(struct canvas *c, const char *bytes, size_t count)
{
	if (c->used + count + 8 > c->size)
		return;
	memcpy(c->text + c->used, bytes, count);
	c->used += count;
}

/* One column wide */
static void cell_put(struct canvas *c, const char *bytes, size_t count)
{
	if (c->row >= c->height || c->column >= c->width)
		return;
	bytes_put(c, bytes, count);
	c->column++;
}

static void colour_put(struct canvas *c, enum text_colour colour)
{
	const char *sequence = text_colour(&c->cli, colour);

	if (c->row < c->height)
		bytes_put(c, sequence, strlen(sequence));
}

static void vput(struct canvas *c, enum text_colour colour, const char *format, va_list values)
{
	char piece[PIECE_MAX];
	const char *at;

	vsnprintf(piece, sizeof(piece), format, values);
	if (colour != TEXT_PLAIN)
		colour_put(c, colour);
	for (at = piece; *at; at++)
		cell_put(c, *at >= ' ' && *at <= '~' ? at : "?", 1);
	if (colour != TEXT_PLAIN)
		colour_put(c, TEXT_PLAIN);
}

static void __attribute__((format(printf, 3, 4)))
put(struct canvas *c, enum text_colour colour, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	vput(c, colour, format, values);
	va_end(values);
}

static void row_end(struct canvas *c)
{
	c->row++;
	c->column = 0;
	if (c->row < c->height)
		bytes_put(c, "\n", 1);
}

static void row_empty(struct canvas *c)
{
	if (c->height >= AIRY_HEIGHT)
		row_end(c);
}

/* A row of a label and a text */
static void __attribute__((format(printf, 4, 5)))
row(struct canvas *c, const char *label, enum text_colour colour, const char *format, ...)
{
	va_list values;

	put(c, TEXT_PLAIN, "%-*s", LABEL, label);
	va_start(values, format);
	vput(c, colour, format, values);
	va_end(values);
	row_end(c);
}

static void head_draw(struct canvas *c, const struct view *view)
{
	put(c, TEXT_BOLD, "chronotick monitor");
	put(c, TEXT_PLAIN, "  %s, every %g s; q quits", view->path, c->screen->interval_s);
	row_end(c);
	if (c->screen->notice) {
		put(c, TEXT_WARN, "%s", c->screen->notice);
		row_end(c);
	}
}

static void time_draw(struct canvas *c, const struct view *view)
{
	char time[TEXT_SIZE] = "unknown", bound[TEXT_SIZE] = "unknown";
	enum text_colour colour = view->trust < 0                           ? TEXT_BAD
				  : view->status == CHRONOTICK_SYNCHRONIZED ? TEXT_GOOD
									    : TEXT_WARN;

	if (view_utc_ns(view))
		text_time(time, view_utc_ns(view));
	if (view->trust == 0)
		text_plus_minus(bound, (double)view_bound_ns(view) * 1e-9);
	row(c, "UTC", TEXT_BOLD, "%s  %s", time, bound);
	put(c, TEXT_PLAIN, "%-*s", LABEL, "Status");
	put(c, colour, "%s", chronotick_status_name(view->status));
	put(c, TEXT_PLAIN, ": %s", view->reason);
	row_end(c);
}

static void warmup_draw(struct canvas *c, const struct view *view)
{
	unsigned int percent = view_warmup_percent(view), i, cells = 0;

	if (c->width > LABEL + 10)
		cells = c->width - LABEL - 10 > 40 ? 40 : c->width - LABEL - 10;
	put(c, TEXT_PLAIN, "%-*s[", LABEL, "Warm-up");
	for (i = 0; i < cells; i++) {
		bool full = (i + 1) * 100 <= percent * cells;

		if (c->screen->utf8)
			cell_put(c, full ? "\u2588" : "\u2591", 3);
		else
			cell_put(c, full ? "#" : "-", 1);
	}
	put(c, TEXT_PLAIN, "] %u %%", percent);
	row_end(c);
}

static void state_draw(struct canvas *c, const struct view *view)
{
	const struct chronotick_statistics *s = &view->statistics;
	char last[TEXT_SIZE], mean[TEXT_SIZE], max[TEXT_SIZE], rate[TEXT_SIZE];
	char heartbeat[TEXT_SIZE] = "never", tai[TEXT_SIZE] = "unknown";
	unsigned int leap = view->now.status >> CHRONOTICK_LEAP_SHIFT & 3;

	if (view->now.tai_offset_s != CHRONOTICK_TAI_UNKNOWN)
		snprintf(tai, sizeof(tai), "%d s", view->now.tai_offset_s);
	if (view->heartbeat_age_ns != INT64_MAX) {
		text_duration(heartbeat, (double)view->heartbeat_age_ns * 1e-9, false);
		strncat(heartbeat, " ago", sizeof(heartbeat) - strlen(heartbeat) - 1);
	}
	row(c, "Clock", TEXT_PLAIN, "generation %" PRIu32 ", leap %s, TAI-UTC %s, counter %s",
	    view->now.generation, text_leap(leap), tai,
	    chronotick_counter_name(view->header.counter_kind));
	row(c, "Published", TEXT_PLAIN, "%s, latency last %s, mean %s, max %s",
	    text_number(rate, c->screen->published_hz, 1, false, " a second"),
	    text_duration(last, (double)s->publish_last_ns * 1e-9, false),
	    text_duration(mean, (double)s->publish_mean_ns * 1e-9, false),
	    text_duration(max, (double)s->publish_max_ns * 1e-9, false));
	row(c, "Writer", view->writer_gone ? TEXT_BAD : TEXT_PLAIN, "pid %" PRIu32 ", heartbeat %s",
	    (uint32_t)view->header.writer_pid, heartbeat);
}

static void level_put(struct canvas *c, double value, double low, double high)
{
	static const char blocks[] = "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588";
	static const char ascii[] = "_.:-=+*#";
	double place = 0;
	unsigned int level;

	if (!isfinite(value)) {
		cell_put(c, " ", 1);
		return;
	}
	if (high > low)
		place = (value / 2 - low / 2) / (high / 2 - low / 2) * LEVELS;
	level = place >= LEVELS ? LEVELS - 1 : place > 0 ? (unsigned int)place : 0;
	if (c->screen->utf8)
		cell_put(c, &blocks[level * LEVEL_BYTES], LEVEL_BYTES);
	else
		cell_put(c, &ascii[level], 1);
}

/* A sparkline over the rest of the row, the newest value at its right end, from `least` or lower */
static void spark_draw(struct canvas *c, const char *label, const double *values, double least,
		       bool sign)
{
	unsigned int history = c->screen->history, room, first, i;
	double low = least, high = -INFINITY, newest;
	char text[TEXT_SIZE], lowest[TEXT_SIZE], highest[TEXT_SIZE];

	newest = history ? values[history - 1] : (double)NAN;
	put(c, TEXT_PLAIN, "%-*s%-*s", LABEL, label, FIGURE, text_duration(text, newest, sign));
	room = c->width > c->column ? c->width - c->column : 0;
	if (c->width >= RANGE_WIDTH)
		room -= 2 * FIGURE + 2;
	first = history > room ? history - room : 0;
	for (i = first; i < history; i++) {
		if (!isfinite(values[i]))
			continue;
		low = values[i] < low ? values[i] : low;
		high = values[i] > high ? values[i] : high;
	}
	for (i = first; i < history; i++)
		level_put(c, values[i], low, high);
	if (c->width >= RANGE_WIDTH && high >= low)
		put(c, TEXT_PLAIN, " %s..%s", text_duration(lowest, low, sign),
		    text_duration(highest, high, sign));
	row_end(c);
}

static void source_draw(struct canvas *c, const struct chronotick_source *source, int64_t age_ns)
{
	char offset[TEXT_SIZE], delay[TEXT_SIZE], distance[TEXT_SIZE], age[TEXT_SIZE] = "never";
	enum text_colour colour = text_source_colour(source->state);

	if (age_ns >= 0)
		text_number(age, (double)age_ns * 1e-9, 1, false, " s");
	put(c, TEXT_PLAIN, "%-20.*s ", (int)sizeof(source->name),
	    source->name[0] ? source->name : "-");
	put(c, colour, "%-14s", chronotick_source_state_name(source->state));
	put(c, TEXT_PLAIN, " %2u   %03o  %-12s %-11s %-11s %s", source->stratum, source->reach,
	    text_duration(offset, (double)source->offset_ns * 1e-9, true),
	    text_duration(delay, (double)source->delay_ns * 1e-9, false),
	    text_duration(distance, (double)source->root_distance_ns * 1e-9, false), age);
	row_end(c);
}

static void sources_draw(struct canvas *c, const struct view *view)
{
	unsigned int i, room;

	put(c, TEXT_BOLD, "%-20s %-14s %2s %5s  %-12s %-11s %-11s %s", "Source", "state", "st",
	    "reach", "offset", "delay", "distance", "last");
	row_end(c);
	room = c->row < c->height ? c->height - c->row : 0;
	for (i = 0; i < view->source_count; i++) {
		if (i + 1 == room && i + 1 < view->source_count) {
			put(c, TEXT_WARN, "and %u more: see chronotick status",
			    view->source_count - i);
			row_end(c);
			return;
		}
		source_draw(c, &view->source[i], view->source_age_ns[i]);
	}
}

void screen_add(struct screen *screen, const struct view *view)
{
	unsigned int last;

	if (screen->history == SCREEN_HISTORY) {
		screen->history--;
		memmove(screen->offset_s, screen->offset_s + 1,
			screen->history * sizeof(screen->offset_s[0]));
		memmove(screen->bound_s, screen->bound_s + 1,
			screen->history * sizeof(screen->bound_s[0]));
	}
	last = screen->history++;
	screen->offset_s[last] =
		view->open < 0 ? (double)NAN : view_double(view, view->record.offset_correction);
	screen->bound_s[last] = view->trust < 0 ? (double)NAN : (double)view_bound_ns(view) * 1e-9;
}

size_t screen_size(const struct screen *screen)
{
	size_t width = within(screen->width, SCREEN_WIDTH_MAX);
	size_t height = within(screen->height, SCREEN_HEIGHT_MAX);

	/* Three bytes a column, and some ten colours a row */
	return height * (LEVEL_BYTES * width + 128) + 16;
}

size_t screen_render(const struct screen *screen, const struct view *view, char *text, size_t size)
{
	struct canvas c = {
		.screen = screen,
		.cli = {.colour = screen->colour},
		.text = text,
		.size = size,
		.width = within(screen->width, SCREEN_WIDTH_MAX),
		.height = within(screen->height, SCREEN_HEIGHT_MAX),
	};

	if (size == 0)
		return 0;
	head_draw(&c, view);
	if (view->open < 0) {
		row(&c, "Status", TEXT_BAD, "%s", view->reason);
	} else {
		time_draw(&c, view);
		warmup_draw(&c, view);
		state_draw(&c, view);
	}
	row_empty(&c);
	spark_draw(&c, "Offset", screen->offset_s, INFINITY, true);
	spark_draw(&c, "Bound", screen->bound_s, 0, false);
	row_empty(&c);
	if (view->open == 0)
		sources_draw(&c, view);
	/* The end of the last row of all began no other. */
	while (c.used > 0 && text[c.used - 1] == '\n')
		c.used--;
	text[c.used] = '\0';
	return c.used;
}
