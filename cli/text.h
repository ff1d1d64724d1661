/* SPDX-License-Identifier: MIT */
/* Text for people: times, durations and fields, with colour where the terminal has it. */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include "cli.h"

/* Room for any text below */
#define TEXT_SIZE 64

/* "2026-01-31T12:34:56.123456789Z"; ns since 1970. Returns `text`. */
char *text_time(char text[TEXT_SIZE], int64_t ns);

/* A signed or plain duration in the unit that suits it, "+1.234 us"; "unknown" if not finite. */
char *text_duration(char text[TEXT_SIZE], double seconds, bool sign);

/* How long ago, in five characters: "1.5s", "250s", "17m", "3h", "12d". */
char *text_age(char text[TEXT_SIZE], double seconds);

/* What leap second is to come: the leap indicator of RFC 5905, from 0 to 3, as a word. */
const char *text_leap(unsigned int indicator);

/* "+-1.234 us"; "unknown" if not finite. */
char *text_plus_minus(char text[TEXT_SIZE], double seconds);

/* A number with `decimals` places and a unit; "unknown" if it is not finite. */
char *text_number(char text[TEXT_SIZE], double number, int decimals, bool sign, const char *unit);

/* The sequences that begin a colour, and end any; empty where there is none. */
enum text_colour { TEXT_PLAIN, TEXT_GOOD, TEXT_WARN, TEXT_BAD, TEXT_BOLD, TEXT_COLOURS };
const char *text_colour(const struct cli *cli, enum text_colour colour);

/* How good it is that a source has that state, enum chronotick_source_state */
enum text_colour text_source_colour(unsigned int state);

/* "Label:           value" on stdout. */
void text_field(const struct cli *cli, const char *label, enum text_colour colour,
		const char *format, ...) __attribute__((format(printf, 4, 5)));

/* "yes" or "no", coloured. */
void text_yes(const struct cli *cli, const char *label, bool yes);

#endif /* CLI_TEXT_H */
