/* SPDX-License-Identifier: MIT */
/* Recordings by hand, of every kind, good and bad. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <criterion/criterion.h>

#include "recording.h"

#define CSV "t_s,ntp_offset_ms\n"
#define LOG SAMPLE_LOG_HEADER "\n"
#define LOG_RUN LOG "run a 0\nconfig 1 1 1 1 0\nscale 5 18014398509481984\ngo\n"
#define MS 1000000LL
#define S 1000000000LL

static const struct recording_defaults defaults = {.delay_ns = 77, .dispersion_ns = 5};
static char errors[512];

/* What came out */
static struct {
	char format[16];
	unsigned int kinds[RECORDING_GAP + 1];
	struct sample samples[16];
	unsigned int sample_count;
	char names[4][SAMPLE_WORD_MAX];
	int64_t reference_ns;
	struct recording_counts counts;
} got;

static int read_stream(FILE *stream)
{
	FILE *to = fmemopen(errors, sizeof(errors), "w");
	struct recording *recording;
	struct sample_record record;
	int r;

	cr_assert(stream && to);
	memset(errors, 0, sizeof(errors));
	memset(&got, 0, sizeof(got));
	r = recording_open(&recording, stream, "f", &defaults, to);
	if (r == 0) {
		while ((r = recording_next(recording, &record)) > 0) {
			got.kinds[record.kind]++;
			if (record.kind == ENGINE_INPUT_SAMPLE && got.sample_count < 16)
				got.samples[got.sample_count++] = record.input.sample;
			if (record.kind == SAMPLE_RECORD_NAME && record.input.source < 4)
				strcpy(got.names[record.input.source], record.word);
		}
		strcpy(got.format, recording_format(recording));
		(void)recording_reference(recording, &got.reference_ns);
		recording_count(recording, &got.counts);
		recording_close(recording);
	}
	fclose(stream);
	fclose(to);
	return r;
}

static int read_text(const char *text)
{
	return read_stream(fmemopen((char *)(uintptr_t)text, strlen(text), "r"));
}

struct bad {
	const char *text;
	const char *error;
};

static void check_bad(const struct bad *bad, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		cr_assert_eq(read_text(bad[i].text), -EINVAL, "%s", bad[i].text);
		cr_assert_str_eq(errors, bad[i].error);
	}
}

#define CHECK_BAD(bad) check_bad(bad, sizeof(bad) / sizeof((bad)[0]))

Test(recording, a_csv_s_columns_are_found_by_name)
{
	cr_assert_eq(read_text("x,ntp_delay_ms,t_s,ntp_offset_ms\n"
			       "a,20.5,10,-1.25\r\n"
			       ",,20.5,\n"
			       "b,,30,2\n"
			       "c,0,40,2"),
		     0, "%s", errors);
	cr_assert_str_eq(got.format, "csv");
	cr_assert_eq(got.sample_count, 3);
	cr_assert_eq(got.kinds[ENGINE_INPUT_CORRECT], 7, "before and after each, and between");
	cr_assert_eq(got.samples[0].counter, RECORDING_START_NS + 10 * S);
	cr_assert_eq(got.samples[0].offset_ns - got.reference_ns, -1250000);
	cr_assert_eq(got.samples[0].delay_ns, 20500000);
	cr_assert_eq(got.samples[0].dispersion_ns, 5);
	cr_assert_eq(got.samples[1].counter, RECORDING_START_NS + 30 * S);
	cr_assert_eq(got.samples[1].delay_ns, 77, "the default");
	cr_assert_eq(got.samples[2].delay_ns, 77, "no round trip takes no time");
}

Test(recording, a_csv_needs_no_delay_and_no_row)
{
	cr_assert_eq(read_text(CSV "1,2\n"), 0);
	cr_assert_eq(got.samples[0].delay_ns, 77);
	cr_assert_eq(read_text(CSV), 0);
	cr_assert_eq(got.sample_count, 0);
}

Test(recording, the_times_of_a_csv_may_be_those_of_a_calendar)
{
	cr_assert_eq(read_text(CSV "1760000000.5,1\n1760000010,2\n"), 0, "%s", errors);
	cr_assert_eq(got.samples[0].counter, RECORDING_START_NS + S / 2);
	cr_assert_eq(got.samples[1].counter, RECORDING_START_NS + 10 * S);
}

Test(recording, what_is_wrong_in_a_csv_is_told_with_its_place)
{
	static const struct bad bad[] = {
		{"\n", "f:1: t_s: no such column in the header\n"},
		{"t_s,x\n", "f:1: ntp_offset_ms: no such column in the header\n"},
		{"t_s,t_s,ntp_offset_ms\n", "f:1: t_s: stands twice\n"},
		{CSV "1,2\n,3\n", "f:3: t_s: empty\n"},
		{CSV "1\n", "f:2: ntp_offset_ms: the line ends before this column\n"},
		{CSV "1,2x\n", "f:2: ntp_offset_ms: \"2x\" is no number\n"},
		{CSV "1,nan\n", "f:2: ntp_offset_ms: \"nan\" is no number\n"},
		{CSV "1,inf\n", "f:2: ntp_offset_ms: \"inf\" is no number\n"},
		{CSV "2,1\n2,1\n", "f:3: t_s: 2 is not after the row before\n"},
		{CSV "-1,1\n", "f:2: t_s: -1 is out of range; allowed: 0 to 3.2e+09\n"},
		{CSV "1,1\n1760000000,1\n",
		 "f:3: t_s: 1.76e+09 is out of range; allowed: 0 to 1e+09\n"},
		{"t_s,ntp_offset_ms,ntp_delay_ms\n1,1,-1\n",
		 "f:2: ntp_delay_ms: -1 is out of range; allowed: 0 to 16000\n"},
	};

	CHECK_BAD(bad);
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
	cr_assert_eq(read_stream(fmemopen((char *)(uintptr_t) "t_s\0,ntp_offset_ms\n", 19, "r")),
		     -EINVAL);
	cr_assert(strstr(errors, "NUL"));
}

/* Lines as chronyd 4.3 writes them */
#define TITLE                                                                                      \
	"=====================================================================\n"                  \
	"   Date (UTC) Time     IP Address   L St 123 567 ABCD  LP RP Score    Offset  Peer del. " \
	"Peer disp.  Root del. Root disp. Refid     MTxRx\n"                                       \
	"=====================================================================\n"
#define WHEN "2026-11-25 22:00:0"
#define TAIL " 2.0e-03  1.5e-05  1.0e-03  2.0e-03 CB00717B 4B D K\n"

Test(recording, chrony_s_measurements_are_samples_of_several_sources)
{
	cr_assert_eq(
		read_text(TITLE WHEN
			  "0 203.0.113.15    N  2 111 111 1111  6  6 0.10  -4.966e-04" TAIL WHEN
			  "2 2001:db8::1     +  1 111 111 1110  6  6 0.10   1.000e-05 -1.0e-05  "
			  "1.5e-05  0.0e+00  0.0e+00 CB00717B 4I H H\n" WHEN
			  "1 203.0.113.15    N  2 111 111 1111  6  6 0.10   1.000e-03" TAIL WHEN
			  "3 203.0.113.15    N  2 111 101 1111  6  6 0.10   1.000e-03" TAIL),
		0, "%s", errors);
	cr_assert_str_eq(got.format, "chrony");
	cr_assert_eq(got.sample_count, 3);
	cr_assert_eq(got.counts.invalid, 1, "test 6 failed");
	cr_assert_str_eq(got.names[0], "203.0.113.15");
	cr_assert_str_eq(got.names[1], "2001:db8::1");
	cr_assert_eq(got.kinds[ENGINE_INPUT_ADD], 2);
	cr_assert(got.samples[0].source == 0 && got.samples[1].source == 1 &&
		  got.samples[2].source == 0);
	cr_assert_eq(got.samples[0].counter, RECORDING_START_NS);
	cr_assert_eq(got.samples[1].counter, RECORDING_START_NS + 2 * S);
	cr_assert_eq(got.samples[2].counter, RECORDING_START_NS + S, "a little out of order");
	/* 2026-11-25 22:00:00 UTC */
	cr_assert_eq(got.reference_ns + RECORDING_START_NS, 1795644000 * S);
	cr_assert_eq(got.samples[0].offset_ns - got.reference_ns, -496600);
	cr_assert_eq(got.samples[0].delay_ns, 2 * MS);
	cr_assert_eq(got.samples[0].dispersion_ns, 15000);
	cr_assert_eq(got.samples[0].root_delay_ns, MS);
	cr_assert_eq(got.samples[0].root_dispersion_ns, 2 * MS);
	cr_assert(got.samples[0].stratum == 2 && got.samples[0].leap == 0 &&
		  got.samples[0].tx_stamp == CHRONOTICK_STAMP_USER &&
		  got.samples[0].rx_stamp == CHRONOTICK_STAMP_KERNEL);
	cr_assert(got.samples[1].leap == 1 && got.samples[1].delay_ns == 0 &&
		  got.samples[1].tx_stamp == CHRONOTICK_STAMP_HARDWARE);
}

Test(recording, measurements_in_one_second_of_chrony_s_are_told_apart)
{
	const char *line = WHEN "1 10.0.0.1 N  2 111 111 1111  6  6 0.10  1.0e-03" TAIL;
	char lines[1024] = "";
	unsigned int i;

	for (i = 0; i < 4; i++)
		strcat(lines, line);
	cr_assert_eq(read_text(lines), 0, "%s", errors);
	cr_assert_eq(got.sample_count, 4);
	for (i = 0; i < 4; i++)
		cr_assert_eq(got.samples[i].counter, (uint64_t)(RECORDING_START_NS + i * MS));
}

#define GOOD WHEN "1 10.0.0.1 N  2 111 111 1111  6  6 0.10  1.0e-03" TAIL

Test(recording, what_is_wrong_in_chrony_s_log_is_told_with_its_place)
{
	static const struct bad bad[] = {
		{TITLE WHEN "0 10.0.0.1\n", "f:4: fewer than the 20 columns of measurements.log\n"},
		{GOOD WHEN "0 10.0.0.1 N  2 111 111 1111  6  6 0.10  1.0e-03 2 2 2 2 A 4B D K x\n",
		 "f:2: more than the 20 columns of measurements.log\n"},
		{GOOD "2026-11-31 22:00:00 10.0.0.1 N  2 111 111 1111  6  6 0.10  1.0e-03" TAIL,
		 "f:2: date and time: \"2026-11-31 22:00:00\" is none\n"},
		{GOOD "4052-11-25 22:00:00 10.0.0.1 N  2 111 111 1111  6  6 0.10  1.0e-03" TAIL,
		 "f:2: date and time: \"4052-11-25 22:00:00\" is none\n"},
		{GOOD WHEN "2 10.0.0.1 X  2 111 111 1111  6  6 0.10  1.0e-03" TAIL,
		 "f:2: leap status: \"X\" is none of N+-?\n"},
		{GOOD WHEN "2 10.0.0.1 N 17 111 111 1111  6  6 0.10  1.0e-03" TAIL,
		 "f:2: stratum: \"17\" is none\n"},
		{GOOD WHEN "2 10.0.0.1 N  2 111 121 1111  6  6 0.10  1.0e-03" TAIL,
		 "f:2: tests: \"121\" is no row of 3 times 0 or 1\n"},
		{GOOD WHEN "2 10.0.0.1 N  2 111 111 1111  6  6 0.10  1.0e+09" TAIL,
		 "f:2: offset: 1e+09 s is out of range; allowed: -86400 to 86400\n"},
		{GOOD WHEN "2 10.0.0.1 N  2 111 111 1111  6  6 0.10  1.0e-x" TAIL,
		 "f:2: offset: \"1.0e-x\" is no number\n"},
		{GOOD "2026-11-25 21:00:00 10.0.0.1 N  2 111 111 1111  6  6 0.10  1.0e-03" TAIL,
		 "f:2: 2026-11-25 21:00:00 is before the lines above it\n"},
		{GOOD WHEN "2 10.0.0.1 N  2 111 111 1111  6  6 0.10  1.0e-03 1 1 1 1 A 4B D Q\n",
		 "f:2: timestamps: \"D Q\" are not of D, K, H\n"},
	};

	CHECK_BAD(bad);
}

Test(recording, the_daemon_s_log_is_passed_on)
{
	cr_assert_eq(read_text(LOG_RUN
			       "add 0\nname 0 a.b\n# a remark\n"
			       "sample 0 6 7 8 9 0 1 2 1 1 0 1\nat 7\ntold 8 1 2 3 4 2 1\n"),
		     0, "%s", errors);
	cr_assert_str_eq(got.format, "log");
	cr_assert_eq(got.sample_count, 1);
	cr_assert_eq(got.samples[0].offset_ns, 7);
	cr_assert_str_eq(got.names[0], "a.b");
	cr_assert(got.kinds[SAMPLE_RECORD_RUN] == 1 && got.kinds[SAMPLE_RECORD_GO] == 1 &&
		  got.kinds[ENGINE_INPUT_CORRECT] == 1 && got.kinds[SAMPLE_RECORD_TOLD] == 1);
	cr_assert_eq(got.kinds[RECORDING_GAP], 0);
	cr_assert_eq(read_text(LOG_RUN "# 12 lines lost: the disk is too slow\n"), 0);
	cr_assert_eq(got.kinds[RECORDING_GAP], 1);
}

Test(recording, what_is_wrong_in_the_daemon_s_log_is_told_with_its_place)
{
	static const struct bad bad[] = {
		{SAMPLE_LOG_MAGIC "2\n", "f:1: version 2 of the sample log; known: version 1\n"},
		{LOG_RUN "at x\nat 8\n", "f:6: at: counter: \"x\" is no integer\n"},
		{LOG_RUN "bogus\nat 8\n", "f:6: \"bogus\" is no kind of line\n"},
	};

	CHECK_BAD(bad);
}

/* A crash leaves them at the end, where the next run goes on in the same file. */
Test(recording, torn_lines_are_passed_over_where_a_crash_leaves_them)
{
	cr_assert_eq(read_text(LOG_RUN "at 7\nat 123"), 0, "%s", errors);
	cr_assert(got.counts.torn == 1 && got.kinds[RECORDING_GAP] == 1 &&
		  got.kinds[ENGINE_INPUT_CORRECT] == 1);
	cr_assert_eq(read_text(LOG_RUN "at 7\nsample 0 6\nrun b 0\nat 8\n"), 0, "%s", errors);
	cr_assert(got.counts.torn == 1 && got.kinds[SAMPLE_RECORD_RUN] == 2 &&
		  got.kinds[ENGINE_INPUT_CORRECT] == 2);
	cr_assert_eq(read_text(LOG_RUN "sample 0 6\n"), 0, "%s", errors);
	cr_assert_eq(got.counts.torn, 1);
}

Test(recording, what_is_nothing_is_told_too)
{
	static const struct bad bad[] = {
		{"nonsense\n", "f:1: t_s: no such column in the header\n"},
	};

	CHECK_BAD(bad);
	cr_assert_eq(read_stream(fopen("/dev/null", "r")), -EINVAL);
	cr_assert_str_eq(errors, "f:1: empty\n");
}

Test(recording, compressed_files_are_read_and_damaged_ones_are_not)
{
	char path[] = "/tmp/chronotick-recording-XXXXXX";
	int fd = mkstemp(path), i;
	gzFile gz;
	off_t size;

	cr_assert_geq(fd, 0);
	gz = gzdopen(dup(fd), "wb");
	gzprintf(gz, CSV);
	for (i = 1; i < 2000; i++)
		gzprintf(gz, "%d,%d\n", i, i * 7919 % 1000);
	gzclose(gz);
	cr_assert_eq(read_stream(recording_stream(path)), 0, "%s", errors);
	cr_assert_eq(got.kinds[ENGINE_INPUT_SAMPLE], 1999);
	size = lseek(fd, 0, SEEK_END);
	cr_assert_eq(ftruncate(fd, size / 2), 0);
	cr_assert_eq(read_stream(recording_stream(path)), -EBADMSG);
	cr_assert_null(recording_stream("/nonexistent/x"));
	cr_assert_eq(errno, ENOENT);
	close(fd);
	unlink(path);
}
