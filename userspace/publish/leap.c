/* SPDX-License-Identifier: MIT */
#include "publish/leap.h"

#include <stdbool.h>

#include "chronotick_page.h"

#define SECOND 1000000000LL
#define DAY (86400 * SECOND)

static bool year_is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days from 1970 to the end of the month that holds that day. */
static int64_t month_end(int64_t day)
{
	static const uint8_t lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64_t end = 0;
	int year = 1970, month = 0, length;

	for (; end + (year_is_leap(year) ? 366 : 365) <= day; year++)
		end += year_is_leap(year) ? 366 : 365;
	for (;; month++) {
		length = lengths[month] + (month == 1 && year_is_leap(year));
		end += length;
		if (end > day || month == 11)
			return end;
	}
}

int64_t leap_ns(int64_t utc_ns, uint16_t leap)
{
	int64_t end;

	leap &= CHRONOTICK_LEAP_MASK;
	if (leap == 0 || utc_ns < 0 || utc_ns > INT64_MAX - 32 * DAY)
		return INT64_MAX;
	end = month_end(utc_ns / DAY) * DAY;
	return leap == CHRONOTICK_LEAP_DELETE ? end - SECOND : end;
}
