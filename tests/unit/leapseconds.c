/* SPDX-License-Identifier: MIT */
/* The daemon's leap seconds: the file is read again when it changes, and what is logged. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "leapseconds.h"
#include "log.h"

#define SECOND 1000000000LL
#define HOUR LEAPSECONDS_CHECK_NS
#define NS ((__int128)1 << 64)
#define JULY (1782864000 * SECOND)    /* 2026-07-01 */
#define JANUARY (1798761600 * SECOND) /* 2027-01-01 */

static struct leapseconds leaps;
static struct engine engine;
static char path[] = "/tmp/chronotick-leapseconds-XXXXXX", got[4096];
static int logs;

static void begin(void)
{
	int ends[2], fd;

	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	cr_assert_eq(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	log_open();
	logs = ends[0];
	fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	close(fd);
}

static void end(void)
{
	unlink(path);
}

TestSuite(leapseconds, .init = begin, .fini = end);

static void write_file(const char *text)
{
	FILE *file;

	unlink(path); /* a new file, as a package brings it */
	file = fopen(path, "w");
	cr_assert(file);
	fputs(text, file);
	fclose(file);
}

static const char *logged(void)
{
	ssize_t size = read(logs, got, sizeof(got) - 1);

	got[size > 0 ? size : 0] = '\0';
	return got;
}

#define OLD                                                                                        \
	"#$ 3960835200\n#@ 3991593600\n3644697600 36\n3692217600 37\n"                             \
	"#h ae85f6f9 da6aaf74 c8eb0544 5e2ec81d ef95e0a4\n"
#define NEW                                                                                        \
	"#$ 3976646400\n#@ 4023129600\n3644697600 36\n3692217600 37\n4007750400 38\n"              \
	"#h 2e4aec48 fdffa500 8b29aae7 3c91ba80 5cc278a4\n"

static void configure(const char *file, enum leap_mode mode)
{
	struct leap_config config = {file, mode};

	leapseconds_configure(&leaps, &config, 0);
}

static struct source_status source_of(unsigned int index, uint8_t leap)
{
	struct source_status source = {.index = index};

	snprintf(source.summary.name, sizeof(source.summary.name), "10.0.0.%u", index);
	source.summary.state = CHRONOTICK_SOURCE_SELECTED;
	source.summary.samples = 1;
	source.summary.leap = leap;
	return source;
}

static void tick(int64_t utc_ns, int64_t now_ns, uint8_t first, uint8_t second)
{
	struct source_status sources[2] = {source_of(1, first), source_of(2, second)};
	struct correction correction = {.utc = utc_ns * NS,
					.mult = 1ULL << 54,
					.status = CHRONOTICK_SYNCHRONIZED,
					.leap_ns = engine.leap.next.at_ns};

	leapseconds_tick(&leaps, &engine, &correction, sources, 2, now_ns);
}

Test(leapseconds, the_file_is_read_again_when_it_has_changed)
{
	write_file(OLD);
	configure(path, LEAP_STEP);
	cr_assert(strstr(logged(), "TAI - UTC is 37 s from 2017-01-01 on, expires 2026-06-28"),
		  "%s", got);
	cr_assert_eq(leaps.table.count, 2);
	write_file(NEW);
	tick(JULY - 40 * 24 * HOUR, HOUR - 1, 0, 0);
	cr_assert_eq(leaps.table.count, 2, "not yet");
	tick(JULY - 40 * 24 * HOUR, HOUR, 0, 0);
	cr_assert_eq(leaps.table.count, 3);
	cr_assert(strstr(logged(), "TAI - UTC is 38 s from 2027-01-01 on"), "%s", got);
	/* A reload does not wait for the hour. */
	write_file(OLD);
	leapseconds_look(&leaps);
	tick(JULY - 40 * 24 * HOUR, HOUR + 1, 0, 0);
	cr_assert_eq(leaps.table.count, 2);
	write_file(NEW);
	leapseconds_look(&leaps);
	tick(JULY - 40 * 24 * HOUR, HOUR + 2, 0, 0);
	cr_assert_eq(leaps.table.count, 3);
	logged();
	/* What is broken, or gone, changes nothing, and is told once. */
	write_file(OLD "3 5\n");
	tick(JULY - 40 * 24 * HOUR, 2 * HOUR + 2, 0, 0);
	cr_assert_eq(leaps.table.count, 3);
	cr_assert(strstr(logged(), ":6: no time from 1972 to 2261 in NTP seconds; what was read "
				   "before stands"),
		  "%s", got);
	tick(JULY - 40 * 24 * HOUR, 3 * HOUR + 2, 0, 0);
	cr_assert_str_eq(logged(), "");
	unlink(path);
	tick(JULY - 40 * 24 * HOUR, 4 * HOUR + 2, 0, 0);
	cr_assert(strstr(logged(), "No such file"), "%s", got);
	cr_assert_eq(leaps.table.count, 3);
	configure(NULL, LEAP_STEP);
	cr_assert_eq(leaps.table.count, 0);
	cr_assert_str_eq(logged(), "");
}

Test(leapseconds, expiry_is_told_once_a_file)
{
	write_file(OLD);
	configure(path, LEAP_STEP);
	logged();
	tick(JULY - 4 * 24 * HOUR, 1, 0, 0);
	cr_assert_str_eq(logged(), "");
	tick(JULY - 2 * 24 * HOUR, 2, 0, 0);
	cr_assert(strstr(logged(), "<4>leap seconds: "), "%s", got);
	cr_assert(strstr(got, "has expired on 2026-06-28"), "%s", got);
	tick(JULY + 4 * 24 * HOUR, 3, 0, 0);
	cr_assert_str_eq(logged(), "");
}

Test(leapseconds, sources_that_contradict_are_named_once)
{
	write_file(NEW);
	configure(path, LEAP_STEP);
	logged();
	/* The file knows of none at the end of June. */
	tick(JULY - 24 * HOUR, 1, 0, 1);
	cr_assert_str_eq(logged(),
			 "<4>source 10.0.0.2 announces a leap second that the leap seconds "
			 "file does not have; the file is followed\n");
	tick(JULY - 24 * HOUR, 2, 0, 1);
	cr_assert_str_eq(logged(), "");
	tick(JULY - 24 * HOUR, 3, 0, 0);
	cr_assert_str_eq(logged(), "");
	/* At the end of December there is one; half an hour before, all should know. */
	engine.leap.next = (struct leap){JANUARY, -SECOND};
	tick(JANUARY - 2 * HOUR, 4, 1, 0);
	cr_assert_str_eq(logged(), "");
	tick(JANUARY - HOUR / 2, 5, 1, 0);
	cr_assert_str_eq(logged(),
			 "<4>source 10.0.0.2 does not announce the leap second at the end of "
			 "this month\n");
	/* A leftover of it is none of January's. */
	engine.leap.last = engine.leap.next;
	engine.leap.next = (struct leap){0, 0};
	tick(JANUARY + HOUR, 6, 1, 0);
	cr_assert_str_eq(logged(),
			 "<6>leap seconds: at the end of 2026-12-31 a second was inserted\n");
	tick(JANUARY + 25 * HOUR, 7, 1, 0);
	cr_assert(strstr(logged(), "10.0.0.1 announces a leap second that the leap seconds file"),
		  "%s", got);
}

Test(leapseconds, without_a_file_a_lone_source_is_named)
{
	configure(NULL, LEAP_STEP);
	tick(JULY - 24 * HOUR, 1, 1, 0);
	cr_assert_str_eq(logged(),
			 "<4>source 10.0.0.1 announces a leap second that a majority of the "
			 "selected sources does not; it is not followed\n");
	tick(JULY + 24 * HOUR, 2, 1, 0);
	cr_assert_str_eq(logged(), "<4>source 10.0.0.1 announces a leap second in a month that has "
				   "never had one; it is not followed\n");
}

Test(leapseconds, a_smear_is_told_at_its_beginning_and_its_end)
{
	struct correction at = {.utc = (JANUARY - 6 * HOUR) * NS,
				.mult = 1ULL << 54,
				.status = CHRONOTICK_SYNCHRONIZED,
				.leap_ns = JANUARY};

	write_file(NEW);
	configure(path, LEAP_SMEAR);
	logged();
	engine.leap.next = (struct leap){JANUARY, -SECOND};
	tick(JANUARY - 13 * HOUR, 1, 1, 1);
	cr_assert_str_eq(logged(), "");
	tick(JANUARY - 6 * HOUR, 2, 1, 1);
	cr_assert_str_eq(logged(), "<6>leap seconds: the smear is under way\n");
	leapseconds_apply(&leaps, &at);
	cr_assert_lt(at.utc, (JANUARY - 6 * HOUR - SECOND / 5) * NS);
	cr_assert_eq(at.leap_ns, 0);
	engine.leap = (struct leap_watch){.last_raw_ns = 0};
	tick(JANUARY + 13 * HOUR, 3, 0, 0);
	cr_assert_str_eq(logged(), "<6>leap seconds: the smear is over\n");
	/* In the other mode nothing of this happens. */
	configure(path, LEAP_STEP);
	at.utc = (JANUARY - 6 * HOUR) * NS;
	leapseconds_apply(&leaps, &at);
	cr_assert(at.utc == (JANUARY - 6 * HOUR) * NS);
}
