/* SPDX-License-Identifier: MIT */
/*
 * A terminal that is drawn on: entered, left as it was found, whatever ends the program, and asked
 * for keys, its size and signals. One at a time, on standard output and, for keys, standard input.
 */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stddef.h>
#include <stdint.h>

enum terminal_event {
	TERMINAL_TIME, /* the deadline has come */
	TERMINAL_DRAW, /* another size, or continued after a stop: draw again */
	TERMINAL_QUIT, /* the key 'q', or SIGINT, SIGTERM, SIGHUP */
};

/*
 * Switch to the alternate screen, without a cursor and without echo, and take over the signals.
 * Returns 0 or a negative errno, and then nothing has changed.
 */
int terminal_enter(void);

/* Put everything back. */
void terminal_leave(void);

/* Columns and rows; 80 and 24 where the terminal does not say. */
void terminal_size(unsigned int *width, unsigned int *height);

/* Show a text of lines that are separated by '\n'. Returns 0, or a negative errno. */
int terminal_draw(const char *text, size_t length);

/* Wait for an event until a CLOCK_MONOTONIC, in ns. A stop by the terminal (SIGTSTP) is obeyed. */
enum terminal_event terminal_wait(int64_t until_ns);

#endif /* CLI_TERMINAL_H */
