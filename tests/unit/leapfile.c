/* SPDX-License-Identifier: MIT */
/* The leap seconds file: a whole one is taken, anything else refused with its line. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "leapfile.h"

#define SECOND 1000000000LL

/* The hash is of 3676924800 3928521600 3550089600 35 3644697600 36 3692217600 37, run together. */
#define HEAD "#\tsome words\n#$\t 3676924800\n#@\t3928521600\n#\n"
#define BODY "3550089600\t35\t# 1 Jul 2012\n3644697600 36 # 1 Jul 2015\n3692217600  37\r\n"
#define HASH "#h\tf18ef7ac 7418366d 2de63b02 91a32347 327dab9b\n"

static char why[256];

static int parse(struct leap_table *ret, const char *text)
{
	why[0] = '\0';
	return leapfile_parse(ret, "f", text, strlen(text), why, sizeof(why));
}

Test(leapfile, a_whole_one_is_taken)
{
	struct leap_table table;

	cr_assert_eq(parse(&table, HEAD BODY "\n#\n" HASH), 0, "%s", why);
	cr_assert_eq(table.count, 3);
	cr_assert_eq(table.entries[0].from_ns, 1341100800 * SECOND);
	cr_assert_eq(table.entries[0].tai_s, 35);
	cr_assert_eq(table.entries[2].from_ns, 1483228800 * SECOND);
	cr_assert_eq(table.entries[2].tai_s, 37);
	cr_assert_eq(table.expires_ns, 1719532800 * SECOND);
	cr_assert_str_eq(why, "");
}

/* tzdata's own, where it is installed */
Test(leapfile, the_machines_own_is_taken)
{
	struct leap_table table;

	if (access(LEAPFILE_PATH, R_OK) < 0)
		cr_skip_test("no tzdata here");
	cr_assert_eq(leapfile_load(&table, LEAPFILE_PATH, why, sizeof(why)), 0, "%s", why);
	cr_assert_geq(table.count, 28);
	cr_assert_eq(leap_tai(&table, 1483228799 * SECOND), 36);
	cr_assert_eq(leap_tai(&table, 1483228800 * SECOND), 37);
}

Test(leapfile, what_is_wrong_is_named_with_its_line)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{"", "f:1: no leap second in it"},
		{"# words\n\n", "f:2: no leap second in it"},
		{BODY HASH, "f:4: it has no update (#$)"},
		{"#$ 3676924800\n" BODY HASH, "f:5: it has no expiry (#@)"},
		{HEAD BODY, "f:7: it has no hash (#h)"},
		{HEAD "#$ 3676924800\n" BODY HASH, "f:5: a second update; the first is in line 2"},
		{HEAD "#@ 3676924800\n" BODY HASH, "f:5: a second expiry; the first is in line 3"},
		{HEAD HASH BODY HASH, "f:9: a second hash; the first is in line 5"},
		{"#$ soon\n", "f:1: the update is no time from 1972 to 2261 in NTP seconds"},
		{"#@ 3676924800 x\n",
		 "f:1: the expiry is no time from 1972 to 2261 in NTP seconds"},
		{"#@ 99999999999999999999999999\n",
		 "f:1: the expiry is no time from 1972 to 2261 in NTP seconds"},
		{"#@ 999999999999999999\n",
		 "f:1: the expiry is no time from 1972 to 2261 in NTP seconds"},
		{"#@ 9999999999999999999\n",
		 "f:1: the expiry is no time from 1972 to 2261 in NTP seconds"},
		{"#@ -3676924800\n", "f:1: the expiry is no time from 1972 to 2261 in NTP seconds"},
		{"#h 1 2 3 4\n", "f:1: the hash is not five words of 32 bits"},
		{"#h 1 2 3 4 123456789\n", "f:1: the hash is not five words of 32 bits"},
		{"#h 1 2 3 4 5 6\n", "f:1: more than a hash"},
		{"words\n", "f:1: no time from 1972 to 2261 in NTP seconds"},
		{"1000 10\n", "f:1: no time from 1972 to 2261 in NTP seconds"},
		{"11423635201 10\n", "f:1: no time from 1972 to 2261 in NTP seconds"},
		{"3550089600\n", "f:1: no TAI - UTC from -1000 to 1000 s"},
		{"3550089600 1001\n", "f:1: no TAI - UTC from -1000 to 1000 s"},
		{"3550089600 35 36\n", "f:1: more than a time and TAI - UTC"},
		{"3550089601 35\n", "f:1: a leap second elsewhere than at the end of a month"},
		{"3550176000 35\n", "f:1: a leap second elsewhere than at the end of a month"},
		{"3644697600 35\n3550089600 36\n", "f:2: not later than the line before it"},
		{"3550089600 35\n3550089600 36\n", "f:2: not later than the line before it"},
		{"3550089600 35\n3644697600 37\n",
		 "f:2: TAI - UTC changes by something else than one second"},
		{"3550089600 35\n3644697600 35\n",
		 "f:2: TAI - UTC changes by something else than one second"},
		{"#$ 3928521600\n#@ 3676924800\n" BODY HASH, "f:2: it expires before its update"},
		{HEAD "3550089600 34\n" HASH, "f:6: the hash is of other numbers than these"},
		{HEAD BODY "#h f18ef7ac 7418366d 2de63b02 91a32347 327dab90\n",
		 "f:8: the hash is of other numbers than these"},
	};
	struct leap_table table = {.count = 77};
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_expect_eq(parse(&table, cases[i].text), -EINVAL, "case %u", i);
		cr_expect_str_eq(why, cases[i].why, "case %u: %s", i, why);
	}
	cr_assert_eq(table.count, 77, "nothing is stored");
	/* Room for the words or not */
	cr_assert_eq(leapfile_parse(&table, "f", "x", 1, why, 4), -EINVAL);
	cr_assert_str_eq(why, "f:1");
	cr_assert_eq(leapfile_parse(&table, "f", "x", 1, NULL, 0), -EINVAL);
}

Test(leapfile, seconds_go_on_in_era_1_and_may_be_left_out)
{
	struct leap_table table;

	/* 2036-02-01, 2036-03-01: NTP's era 1 begins in between; 2038-07-01; and words of the hash
	 * without their leading zeros, as some files have them */
	cr_assert_eq(parse(&table, "#$ 4291747201\n#@ 9000000000\n4294425600 40\n4296931200 41\n"
				   "4370544000 40\n"
				   "#h 24d7388 c2c6d3bf 907cbd27 28c0361a 82837a0\n"),
		     0, "%s", why);
	cr_assert_eq(table.entries[0].from_ns, 2085436800 * SECOND);
	cr_assert_eq(table.entries[1].from_ns, 2087942400 * SECOND);
	cr_assert_eq(table.entries[2].from_ns, 2161555200 * SECOND);
	cr_assert_eq(leap_tai(&table, 2147483648 * SECOND), 41);
	cr_assert_eq(leap_tai(&table, 2161555200 * SECOND), 40);
}

Test(leapfile, it_is_size_limited_and_no_fifo_is_waited_for)
{
	char path[] = "/tmp/chronotick-leapfile-XXXXXX", text[1024];
	struct leap_table table;
	int fd = mkstemp(path), i;

	cr_assert_geq(fd, 0);
	memset(text, '\n', sizeof(text));
	for (i = 0; i < LEAPFILE_SIZE_MAX / (int)sizeof(text); i++)
		cr_assert_eq(write(fd, text, sizeof(text)), sizeof(text));
	cr_assert_eq(leapfile_load(&table, path, why, sizeof(why)), -EINVAL);
	cr_assert(strstr(why, "no leap second"), "%s", why);
	cr_assert_eq(write(fd, "\n", 1), 1);
	cr_assert_eq(leapfile_load(&table, path, why, sizeof(why)), -EINVAL);
	cr_assert(strstr(why, ":1: more than 65536 bytes"), "%s", why);
	close(fd);
	unlink(path);
	cr_assert_eq(leapfile_load(&table, path, why, sizeof(why)), -ENOENT);
	cr_assert(strstr(why, "No such file"), "%s", why);
	cr_assert_eq(leapfile_load(&table, "/tmp", why, sizeof(why)), -EISDIR);
}
