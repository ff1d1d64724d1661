/* SPDX-License-Identifier: MIT */
/* Recordings by hand, good and bad. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "recording.h"

static struct recording_row *rows;
static char errors[512];

static long read_text(const char *text)
{
	FILE *stream = fmemopen((char *)(uintptr_t)text, strlen(text), "r");
	FILE *to = fmemopen(errors, sizeof(errors), "w");
	long r;

	cr_assert(stream && to);
	r = recording_read(&rows, stream, "f.csv", to);
	fclose(stream);
	fclose(to);
	return r;
}

Test(recording, columns_are_found_by_name)
{
	cr_assert_eq(read_text("x,ntp_delay_ms,t_s,ntp_offset_ms\n"
			       "a,20.5,10,-1.25\r\n"
			       ",,20.5,\n"
			       "b,,30,2"),
		     3);
	cr_assert_eq(rows[0].t_s, 10);
	cr_assert(rows[0].has_offset && rows[0].has_delay);
	cr_assert_eq(rows[0].offset_ms, -1.25);
	cr_assert_eq(rows[0].delay_ms, 20.5);
	cr_assert(!rows[1].has_offset && !rows[1].has_delay);
	cr_assert_eq(rows[1].t_s, 20.5);
	cr_assert(rows[2].has_offset && !rows[2].has_delay);
	free(rows);
}

Test(recording, a_delay_need_not_be_there)
{
	cr_assert_eq(read_text("t_s,ntp_offset_ms\n1,2\n"), 1);
	cr_assert(!rows[0].has_delay);
	free(rows);
	cr_assert_eq(read_text("t_s,ntp_offset_ms\n"), 0);
}

Test(recording, what_is_wrong_is_told_with_its_place)
{
	static const struct {
		const char *text;
		const char *error;
	} bad[] = {
		{"\n", "f.csv:1: t_s: no such column in the header\n"},
		{"t_s,x\n", "f.csv:1: ntp_offset_ms: no such column in the header\n"},
		{"t_s,t_s,ntp_offset_ms\n", "f.csv:1: t_s: stands twice\n"},
		{"t_s,ntp_offset_ms\n1,2\n,3\n", "f.csv:3: t_s: empty\n"},
		{"t_s,ntp_offset_ms\n1\n",
		 "f.csv:2: ntp_offset_ms: the line ends before this column\n"},
		{"t_s,ntp_offset_ms\n1,2x\n", "f.csv:2: ntp_offset_ms: \"2x\" is no number\n"},
		{"t_s,ntp_offset_ms\n1,nan\n", "f.csv:2: ntp_offset_ms: \"nan\" is no number\n"},
		{"t_s,ntp_offset_ms\n1,inf\n", "f.csv:2: ntp_offset_ms: \"inf\" is no number\n"},
		{"t_s,ntp_offset_ms\n2,1\n2,1\n",
		 "f.csv:3: t_s: 2 is not after the row before, 2\n"},
		{"t_s,ntp_offset_ms\n-1,1\n",
		 "f.csv:2: t_s: -1 is out of range; allowed: 0 to 3.2e+09\n"},
		{"t_s,ntp_offset_ms,ntp_delay_ms\n1,1,-1\n",
		 "f.csv:2: ntp_delay_ms: -1 is out of range; allowed: 0 to 16000\n"},
	};
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(errors, 0, sizeof(errors));
		cr_assert_eq(read_text(bad[i].text), -EINVAL, "%u", i);
		cr_assert_str_eq(errors, bad[i].error);
	}
}

Test(recording, lines_and_columns_have_limits)
{
	char text[RECORDING_LINE_MAX + 100];

	memset(text, ',', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	cr_assert_eq(read_text(text), -EINVAL);
	cr_assert(strstr(errors, "longer than"));
	text[200] = '\0';
	cr_assert_eq(read_text(text), -EINVAL);
	cr_assert(strstr(errors, "more than 64 columns"));
}
