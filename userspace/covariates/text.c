/* SPDX-License-Identifier: MIT */
#include "covariates/text.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define NUMBER_MAX ((uint64_t)1 << 56) /* eight of them can be added */
#define CPU_FIELDS 8                   /* user, nice, system, idle, iowait, irq, softirq, steal */
#define CPU_FIELDS_LEAST 4             /* Linux 2.4 had no more */

struct cursor {
	const char *at, *end;
};

static bool take(struct cursor *text, char c)
{
	if (text->at == text->end || *text->at != c)
		return false;
	text->at++;
	return true;
}

/* Decimal digits. Returns 0, -EINVAL: there are none, -ERANGE: above NUMBER_MAX. */
static int number(struct cursor *text, uint64_t *ret)
{
	const char *start = text->at;
	uint64_t value = 0;

	for (; text->at < text->end && *text->at >= '0' && *text->at <= '9'; text->at++) {
		value = value * 10 + (uint64_t)(*text->at - '0');
		if (value > NUMBER_MAX)
			return -ERANGE;
	}
	*ret = value;
	return text->at == start ? -EINVAL : 0;
}

/* A number, and nothing but the end of the line behind it */
static int number_alone(struct cursor *text, uint64_t *ret)
{
	int r = number(text, ret);

	if (r < 0)
		return r;
	take(text, '\n');
	return text->at == text->end ? 0 : -EINVAL;
}

int text_temperature(const char *text, size_t size, double *ret_c)
{
	struct cursor cursor = {text, text + size};
	bool negative = take(&cursor, '-');
	uint64_t value;
	int r = number_alone(&cursor, &value);

	if (r < 0)
		return r;
	if (value > (negative ? 40000 : 125000))
		return -ERANGE;
	*ret_c = (negative ? -1e-3 : 1e-3) * (double)value;
	return 0;
}

int text_frequency(const char *text, size_t size, double *ret_mhz)
{
	struct cursor cursor = {text, text + size};
	uint64_t value;
	int r = number_alone(&cursor, &value);

	if (r < 0)
		return r;
	if (value < 1000 || value > 20000000)
		return -ERANGE;
	*ret_mhz = (double)value * 1e-3;
	return 0;
}

int text_cpu_time(const char *text, size_t size, struct text_cpu_time *ret)
{
	struct text_cpu_time time = {0, 0};
	struct cursor cursor = {text, text + size};
	unsigned int i;

	if (size < 4 || memcmp(text, "cpu ", 4) != 0)
		return -EINVAL;
	cursor.at += 3;
	for (i = 0; i < CPU_FIELDS; i++) {
		uint64_t value;
		int r;

		while (take(&cursor, ' '))
			;
		r = number(&cursor, &value);
		if (r == -EINVAL && i >= CPU_FIELDS_LEAST)
			break;
		if (r < 0)
			return r;
		if (i == 3 || i == 4)
			time.idle += value;
		else
			time.busy += value;
	}
	/* A number that the end of the buffer has cut off would be another one. */
	if (cursor.at == cursor.end || (*cursor.at != ' ' && *cursor.at != '\n'))
		return -EINVAL;
	*ret = time;
	return 0;
}

int text_stalled(const char *text, size_t size, uint64_t *ret_us)
{
	static const char some[] = "some ", total[] = " total=";
	const char *end = memchr(text, '\n', size), *at;
	struct cursor cursor;
	uint64_t value;
	int r;

	if (!end || (size_t)(end - text) < sizeof(some) - 1 ||
	    memcmp(text, some, sizeof(some) - 1) != 0)
		return -EINVAL;
	at = memmem(text, (size_t)(end - text), total, sizeof(total) - 1);
	if (!at)
		return -EINVAL;
	cursor = (struct cursor){at + sizeof(total) - 1, end};
	r = number(&cursor, &value);
	if (r < 0)
		return r;
	if (cursor.at != end)
		return -EINVAL;
	*ret_us = value;
	return 0;
}
