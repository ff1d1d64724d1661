/* SPDX-License-Identifier: MIT */
#include "engine/leap.h"

#include <errno.h>

#include "chronotick_page.h"

#define DAY (86400 * LEAP_SECOND_NS)
/* Months are counted from 1970 to 2261. */
#define UTC_MAX_NS (INT64_MAX - 32 * DAY)

enum { JUNE = 5, DECEMBER = 11 };

static bool year_is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days from 1970 to the beginning of a year from 1970 on, by the Gregorian calendar's rules */
static int64_t year_begin(int year)
{
	int before = year - 1;

	return 365LL * (year - 1970) + (before / 4 - 1969 / 4) - (before / 100 - 1969 / 100) +
	       (before / 400 - 1969 / 400);
}

/* Days from 1970 to the end of the month that holds that day; *month: 0 to 11. */
static int64_t month_end(int64_t day, int *month)
{
	static const uint8_t lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	/* No later than it is, and up to 2261 by one year at most. */
	int year = 1970 + (int)(day / 366);
	int64_t end;

	while (year_begin(year + 1) <= day)
		year++;
	end = year_begin(year);
	for (*month = 0;; (*month)++) {
		end += lengths[*month] + (*month == 1 && year_is_leap(year));
		if (end > day || *month == DECEMBER)
			return end;
	}
}

static bool utc_in_range(int64_t utc_ns)
{
	return utc_ns >= 0 && utc_ns <= UTC_MAX_NS;
}

int64_t leap_ns(int64_t utc_ns, uint16_t leap)
{
	int64_t end;
	int month;

	leap &= CHRONOTICK_LEAP_MASK;
	if (leap == 0 || !utc_in_range(utc_ns))
		return INT64_MAX;
	end = month_end(utc_ns / DAY, &month) * DAY;
	return leap == CHRONOTICK_LEAP_DELETE ? end - LEAP_SECOND_NS : end;
}

bool leap_is_month(int64_t utc_ns)
{
	int month;

	if (!utc_in_range(utc_ns) || utc_ns % DAY)
		return false;
	return utc_ns == 0 || month_end(utc_ns / DAY - 1, &month) * DAY == utc_ns;
}

/* The end of the last month that the table knows the end of. */
static int64_t table_end(const struct leap_table *table)
{
	int64_t last_ns = table->count ? table->entries[table->count - 1].from_ns : 0;
	int64_t end_ns = table->expires_ns > last_ns ? table->expires_ns : last_ns;

	return leap_is_month(end_ns) ? end_ns : leap_ns(end_ns, CHRONOTICK_LEAP_INSERT);
}

int16_t leap_tai(const struct leap_table *table, int64_t utc_ns)
{
	int16_t tai_s = CHRONOTICK_TAI_UNKNOWN;
	unsigned int i;

	if (!table || utc_ns >= table_end(table) - CHRONOTICK_GROWTH_NS)
		return CHRONOTICK_TAI_UNKNOWN;
	for (i = 0; i < table->count && table->entries[i].from_ns <= utc_ns; i++)
		tai_s = table->entries[i].tai_s;
	return tai_s;
}

bool leap_table_covers(const struct leap_table *table, int64_t utc_ns)
{
	int64_t end_ns = leap_ns(utc_ns, CHRONOTICK_LEAP_INSERT);

	if (!table || !table->count || end_ns == INT64_MAX)
		return false;
	return end_ns <= table->expires_ns || end_ns <= table->entries[table->count - 1].from_ns;
}

static void leap_set(struct leap *ret, int64_t end_ns, int64_t shift_ns)
{
	*ret = (struct leap){shift_ns > 0 ? end_ns - shift_ns : end_ns, shift_ns};
}

/* What the table's i-th entry, not the first, did to UTC */
static void table_leap(const struct leap_table *table, unsigned int i, struct leap *ret)
{
	leap_set(ret, table->entries[i].from_ns,
		 (table->entries[i - 1].tai_s - table->entries[i].tai_s) * LEAP_SECOND_NS);
}

void leap_find(struct leap *ret, const struct leap_table *table, int64_t utc_ns, unsigned int vote)
{
	int64_t end_ns;
	unsigned int i;
	int month;

	*ret = (struct leap){0, 0};
	if (!utc_in_range(utc_ns))
		return;
	end_ns = month_end(utc_ns / DAY, &month) * DAY;
	if (leap_table_covers(table, utc_ns)) {
		for (i = 1; i < table->count; i++)
			if (table->entries[i].from_ns == end_ns)
				table_leap(table, i, ret);
	} else if ((vote == 1 || vote == 2) && (month == JUNE || month == DECEMBER)) {
		leap_set(ret, end_ns, vote == 1 ? -LEAP_SECOND_NS : LEAP_SECOND_NS);
	}
}

int leap_watch_update(struct leap_watch *watch, const struct leap_table *table, int64_t utc_ns,
		      int64_t error_ns, unsigned int vote)
{
	const struct leap none = {0, 0};
	struct leap found;

	if (watch->next.shift_ns && utc_ns >= watch->next.at_ns - LEAP_GUARD_NS - error_ns)
		return 0;
	leap_find(&found, table, utc_ns, vote);
	/* In the second 23:59:59, counted again, it is over already. */
	if (watch->last.shift_ns && watch->last.at_ns == found.at_ns)
		found = none;
	if (found.shift_ns && utc_ns >= found.at_ns - LEAP_GUARD_NS - error_ns) {
		watch->next = none;
		return -EAGAIN;
	}
	watch->next = found;
	return 0;
}

bool leap_watch_is_due(const struct leap_watch *watch, int64_t earliest_ns)
{
	return watch->next.shift_ns && earliest_ns >= watch->next.at_ns + LEAP_MARGIN_NS;
}

int64_t leap_watch_follow(struct leap_watch *watch, int64_t utc_ns, int64_t error_ns,
			  int64_t now_ns)
{
	watch->last = watch->next;
	watch->last_error_ns = error_ns;
	watch->last_raw_ns = now_ns - (utc_ns - watch->next.at_ns);
	watch->next = (struct leap){0, 0};
	return watch->last.shift_ns;
}

bool leap_watch_allows(const struct leap_watch *watch, int64_t utc_ns, int64_t error_ns,
		       int64_t raw_ns)
{
	int64_t after_ns = raw_ns - watch->last_raw_ns;
	int64_t guard_ns = LEAP_GUARD_NS + watch->last_error_ns;

	if (watch->next.shift_ns && utc_ns >= watch->next.at_ns - LEAP_GUARD_NS - error_ns)
		return false;
	return !watch->last.shift_ns || after_ns < -guard_ns || after_ns > guard_ns;
}

int64_t leap_watch_shift(const struct leap_watch *watch, int64_t raw_ns)
{
	return watch->last.shift_ns && raw_ns < watch->last_raw_ns ? watch->last.shift_ns : 0;
}

bool leap_table_allows(const struct leap_table *table, int64_t utc_ns, int64_t error_ns)
{
	unsigned int i;

	for (i = 1; table && i < table->count; i++) {
		int64_t after_ns = utc_ns - table->entries[i].from_ns;

		if (after_ns > -2 * LEAP_GUARD_NS - error_ns && after_ns < LEAP_GUARD_NS + error_ns)
			return false;
	}
	return true;
}

int16_t leap_watch_tai(const struct leap_watch *watch, const struct leap_table *table,
		       int64_t utc_ns)
{
	if (watch->last.shift_ns < 0 && utc_ns < watch->last.at_ns &&
	    utc_ns >= watch->last.at_ns + watch->last.shift_ns)
		utc_ns = watch->last.at_ns;
	return leap_tai(table, utc_ns);
}
