/* SPDX-License-Identifier: MIT */
/*
 * The monitor's screen as text: a pure function of what was seen and of the terminal's size.
 *
 * No line is wider than the terminal, and nothing but printable ASCII comes from the page: whatever
 * else is in a text is shown as '?'.
 */
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

#include "view/view.h"

/* How far back the sparklines go, and the largest terminal that is filled */
enum { SCREEN_HISTORY = 512, SCREEN_WIDTH_MAX = 1000, SCREEN_HEIGHT_MAX = 500 };

struct screen {
	unsigned int width, height; /* of the terminal, in columns and rows; 0 is taken for 1 */
	bool utf8;                  /* block elements; else ASCII */
	bool colour;
	double interval_s;    /* between two views */
	double published_hz;  /* as measured; NaN: not yet */
	const char *notice;   /* a sentence about what has just happened, or NULL */
	unsigned int history; /* how many of the following are filled: the newest is the last */
	double offset_s[SCREEN_HISTORY]; /* of the system clock; NaN: unknown */
	double bound_s[SCREEN_HISTORY];
};

/* Add what a view shows to the sparklines. */
void screen_add(struct screen *screen, const struct view *view);

/* Room for any text that screen_render() makes for this screen, in bytes. */
size_t screen_size(const struct screen *screen);

/*
 * Draw into `text`, of `size` bytes: at most `height` lines, separated by '\n', and a NUL. Returns
 * its length. What does not fit into `size` is left out. With colour the text has the sequences of
 * text.h in it, which take no columns.
 */
size_t screen_render(const struct screen *screen, const struct view *view, char *text, size_t size);

#endif /* CLI_SCREEN_H */
