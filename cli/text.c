/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdarg.h>
#include <time.h>

#include "chronotick_page.h"
#include "text.h"

enum { LABEL_WIDTH = 18 };

char *text_time(char text[TEXT_SIZE], int64_t ns)
{
	int64_t nanoseconds = ns % 1000000000;
	time_t seconds = ns / 1000000000;
	char date[32] = "";
	struct tm tm;

	if (nanoseconds < 0) {
		nanoseconds += 1000000000;
		seconds--;
	}
	if (gmtime_r(&seconds, &tm))
		strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, TEXT_SIZE, "%s.%09dZ", date, (int)nanoseconds);
	return text;
}

char *text_number(char text[TEXT_SIZE], double number, int decimals, bool sign, const char *unit)
{
	if (!isfinite(number))
		snprintf(text, TEXT_SIZE, "unknown");
	else if (fabs(number) >= 1e15)
		snprintf(text, TEXT_SIZE, sign ? "%+.*e%s" : "%.*e%s", decimals, number, unit);
	else
		snprintf(text, TEXT_SIZE, sign ? "%+.*f%s" : "%.*f%s", decimals, number, unit);
	return text;
}

char *text_duration(char text[TEXT_SIZE], double seconds, bool sign)
{
	static const struct {
		double limit, scale;
		const char *unit;
	} units[] = {
		{1e-6, 1e9, " ns"},
		{1e-3, 1e6, " us"},
		{1, 1e3, " ms"},
		{INFINITY, 1, " s"},
	};
	size_t i = 0;

	while (fabs(seconds) >= units[i].limit && i < 3)
		i++;
	return text_number(text, seconds * units[i].scale, 3, sign, units[i].unit);
}

char *text_age(char text[TEXT_SIZE], double seconds)
{
	static const struct {
		double limit, scale;
		int decimals;
		const char *unit;
	} units[] = {
		{9.95, 1, 1, "s"},          {599.5, 1, 0, "s"},
		{5970, 1.0 / 60, 0, "m"},   {358200, 1.0 / 3600, 0, "h"},
		{1e9, 1.0 / 86400, 0, "d"},
	};
	size_t i = 0;

	while (i < 4 && seconds >= units[i].limit)
		i++;
	return text_number(text, seconds * units[i].scale, units[i].decimals, false, units[i].unit);
}

const char *text_leap(unsigned int indicator)
{
	static const char *const leaps[] = {"none", "insert", "delete", "unknown"};

	return leaps[indicator & 3];
}

char *text_plus_minus(char text[TEXT_SIZE], double seconds)
{
	char plain[TEXT_SIZE];

	text_duration(plain, seconds, false);
	snprintf(text, TEXT_SIZE, isfinite(seconds) ? "+-%.*s" : "%.*s", TEXT_SIZE - 3, plain);
	return text;
}

const char *text_colour(const struct cli *cli, enum text_colour colour)
{
	static const char *const sequences[TEXT_COLOURS] = {
		[TEXT_PLAIN] = "\033[0m", [TEXT_GOOD] = "\033[32m", [TEXT_WARN] = "\033[33m",
		[TEXT_BAD] = "\033[31m",  [TEXT_BOLD] = "\033[1m",
	};

	return cli->colour ? sequences[colour] : "";
}

enum text_colour text_source_colour(unsigned int state)
{
	return state == CHRONOTICK_SOURCE_SELECTED    ? TEXT_GOOD
	       : state == CHRONOTICK_SOURCE_CANDIDATE ? TEXT_PLAIN
						      : TEXT_BAD;
}

void text_field(const struct cli *cli, const char *label, enum text_colour colour,
		const char *format, ...)
{
	va_list arguments;

	printf("%s:%*s", label, LABEL_WIDTH - 1 - (int)__builtin_strlen(label), "");
	if (colour != TEXT_PLAIN)
		fputs(text_colour(cli, colour), stdout);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	if (colour != TEXT_PLAIN)
		fputs(text_colour(cli, TEXT_PLAIN), stdout);
	putchar('\n');
}

void text_yes(const struct cli *cli, const char *label, bool yes)
{
	text_field(cli, label, yes ? TEXT_GOOD : TEXT_WARN, "%s", yes ? "yes" : "no");
}
