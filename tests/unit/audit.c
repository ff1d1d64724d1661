/* SPDX-License-Identifier: MIT */
/* The audit log: its lines, its files from period to period, and who writes them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <criterion/criterion.h>

#include "archive/audit.h"
#include "archive/scribe.h"
#include "support/fixture.h"

#define S 1000000000LL
#define DAY_S 86400
/* 2026-11-22 00:00:00 UTC */
#define MIDNIGHT 1795305600LL
#define HEADER "# header\n"

static const struct journal_names names = {"audit-", ".csv", HEADER};

static char directory[] = "/tmp/chronotick-audit-XXXXXX";
static struct journal_files *files;

static char *path_of(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void make(void)
{
	cr_assert(mkdtemp(directory));
}

static void clean(void)
{
	struct dirent *entry;
	DIR *dir;

	journal_files_close(files);
	dir = opendir(directory);
	while (dir && (entry = readdir(dir)))
		unlink(path_of(entry->d_name));
	closedir(dir);
	rmdir(directory);
}

static void begin(uint32_t rotate_s, uint32_t keep)
{
	const struct journal_limits limits = {rotate_s, keep};

	cr_assert_eq(journal_files_open(&files, directory, &limits, &names), 0);
}

static int add(int64_t s, const char *line)
{
	return journal_files_append(files, s * S, line, strlen(line));
}

/* gzread() reads what is not compressed, too. */
static void expect_file(const char *name, const char *wanted)
{
	char text[512];
	gzFile gz = gzopen(path_of(name), "rb");
	int size;

	cr_assert(gz, "%s", name);
	size = gzread(gz, text, sizeof(text) - 1);
	gzclose(gz);
	cr_assert_geq(size, 0);
	text[size] = '\0';
	cr_expect_str_eq(text, wanted, "%s", name);
}

static unsigned int count_files(void)
{
	struct dirent *entry;
	unsigned int count = 0;
	DIR *dir = opendir(directory);

	while ((entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

static int is_csv(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 4 && strcmp(entry->d_name + length - 4, ".csv") == 0;
}

TestSuite(audit, .init = make, .fini = clean);

Test(audit, a_line_tells_all_that_a_client_was_told)
{
	const struct chronotick_source sources[] = {
		{.name = "192.0.2.1", .state = CHRONOTICK_SOURCE_SELECTED},
		{.name = "192.0.2.2", .state = CHRONOTICK_SOURCE_FALSETICKER},
		{.name = "192.0.2.3", .state = CHRONOTICK_SOURCE_SELECTED},
	};
	struct audit_entry entry = {
		.utc_ns = MIDNIGHT * S + 5,
		.offset_ns = -1234,
		.bound_ns = 56789,
		.status = CHRONOTICK_SYNCHRONIZED | CHRONOTICK_LEAP_INSERT,
		.trusted = true,
		.source = CHRONOTICK_NTP,
		.generation = 3,
		.tai_offset_s = 37,
		.sources = sources,
		.count = 3,
	};
	char line[JOURNAL_TEXT_MAX + 1];

	line[audit_line(line, &entry)] = '\0';
	cr_assert_str_eq(line, "2026-11-22T00:00:00.000000005Z,-1234,56789,yes,synchronized,insert,"
			       "ntp,3,37,192.0.2.1+192.0.2.3\n");
	entry.count = 0;
	entry.trusted = false;
	entry.utc_ns = -1;
	entry.tai_offset_s = CHRONOTICK_TAI_UNKNOWN;
	entry.status = CHRONOTICK_EXPIRED;
	line[audit_line(line, &entry)] = '\0';
	cr_assert_str_eq(line, "1969-12-31T23:59:59.999999999Z,-1234,56789,no,expired,none,ntp,3,"
			       "unknown,\n");
}

Test(audit, a_correction_tells_by_how_much_the_past_was_off)
{
	struct retro_past past = {
		.from_ns = 5 * S,
		.to_ns = 69 * S,
		.reference_ns = (MIDNIGHT - 5) * S,
		.method = RETRO_LINEAR,
	};
	char line[JOURNAL_TEXT_MAX + 1];
	unsigned int i;

	for (i = 0; i < RETRO_POINTS; i++) {
		past.predicted[i] = 7;
		past.corrected[i] = 7 - 100.0 * i;
	}
	line[audit_correction(line, &past)] = '\0';
	cr_assert_str_eq(line, "# corrected from 2026-11-22T00:00:00.000000007Z to "
			       "2026-11-22T00:01:03.999998407Z, linear, by 0 -100 -200 -300 -400 "
			       "-500 -600 -700 -800 -900 -1000 -1100 -1200 -1300 -1400 -1500 "
			       "-1600 ns\n");
	/* There was none, or it cannot be told. */
	past.to_ns = past.from_ns;
	cr_assert_eq(audit_correction(line, &past), 0);
	past.to_ns = 69 * S;
	for (i = 1; i < RETRO_POINTS - 1; i++)
		past.corrected[i] = -1e100;
	cr_assert_eq(audit_correction(line, &past), 0);
	past.corrected[0] = 1e30;
	cr_assert_eq(audit_correction(line, &past), 0);
}

Test(audit, names_that_do_not_fit_are_left_out)
{
	struct chronotick_source sources[CHRONOTICK_SOURCES_MAX];
	struct audit_entry entry = {.sources = sources, .count = CHRONOTICK_SOURCES_MAX};
	char line[JOURNAL_TEXT_MAX + 1];
	size_t length;
	unsigned int i;

	for (i = 0; i < CHRONOTICK_SOURCES_MAX; i++) {
		memset(sources[i].name, 'a', sizeof(sources[i].name)); /* no terminator */
		sources[i].state = CHRONOTICK_SOURCE_SELECTED;
	}
	length = audit_line(line, &entry);
	line[length] = '\0';
	cr_assert_leq(length, JOURNAL_TEXT_MAX);
	cr_assert_str_eq(line + length - 6, "a+...\n");
}

Test(audit, a_period_has_a_file_and_those_before_are_compressed)
{
	begin(DAY_S, 0);
	cr_assert_eq(add(MIDNIGHT, "a\n"), 0);
	cr_assert_eq(add(MIDNIGHT + DAY_S - 1, "b\n"), 0);
	expect_file("audit-20261122T000000Z.csv", HEADER "a\nb\n");
	cr_assert_eq(add(MIDNIGHT + DAY_S, "c\n"), 0);
	expect_file("audit-20261122T000000Z.csv.gz", HEADER "a\nb\n");
	expect_file("audit-20261123T000000Z.csv", HEADER "c\n");
	cr_assert_eq(count_files(), 2);
}

Test(audit, a_new_process_goes_on_in_the_same_file)
{
	begin(DAY_S, 0);
	add(MIDNIGHT, "a\n");
	add(MIDNIGHT + 1, "torn in the mid"); /* as a power cut leaves it */
	journal_files_close(files);
	begin(DAY_S, 0);
	add(MIDNIGHT + 2, "b\n");
	expect_file("audit-20261122T000000Z.csv", HEADER "a\ntorn in the mid\nb\n");
}

Test(audit, what_a_killed_process_left_is_compressed_later)
{
	begin(10, 0);
	add(MIDNIGHT, "a\n");
	journal_files_close(files);
	begin(10, 0);
	add(MIDNIGHT + 100, "b\n");
	expect_file("audit-20261122T000000Z.csv.gz", HEADER "a\n");
	expect_file("audit-20261122T000140Z.csv", HEADER "b\n");
	cr_assert_eq(count_files(), 2);
}

Test(audit, a_period_that_comes_twice_overwrites_nothing)
{
	begin(10, 0);
	add(MIDNIGHT, "a\n");
	add(MIDNIGHT + 10, "b\n");
	add(MIDNIGHT + 5, "c\n"); /* the time stepped back */
	add(MIDNIGHT + 20, "d\n");
	expect_file("audit-20261122T000000Z.csv.gz", HEADER "a\n");
	expect_file("audit-20261122T000000Z-1.csv.gz", HEADER "c\n");
	expect_file("audit-20261122T000010Z.csv.gz", HEADER "b\n");
}

Test(audit, the_oldest_are_deleted_where_that_is_asked_for)
{
	int i;

	begin(10, 2);
	for (i = 0; i < 6; i++)
		cr_assert_eq(add(MIDNIGHT + 10 * i, "a\n"), 0);
	cr_assert_eq(count_files(), 3);
	cr_assert_neq(access(path_of("audit-20261122T000020Z.csv.gz"), F_OK), 0);
	cr_assert_eq(access(path_of("audit-20261122T000030Z.csv.gz"), F_OK), 0);
}

Test(audit, files_of_others_are_left_alone)
{
	close(open(path_of("notes.csv"), O_CREAT | O_WRONLY, 0600));
	close(open(path_of("audit-.txt"), O_CREAT | O_WRONLY, 0600));
	begin(10, 1);
	add(MIDNIGHT, "a\n");
	add(MIDNIGHT + 10, "b\n");
	add(MIDNIGHT + 20, "c\n");
	cr_assert_eq(count_files(), 4);
}

Test(audit, a_file_that_was_removed_or_renamed_is_begun_anew)
{
	char taken[64];

	begin(DAY_S, 0);
	add(MIDNIGHT, "a\n");
	cr_assert_eq(unlink(path_of("audit-20261122T000000Z.csv")), 0);
	cr_assert_eq(add(MIDNIGHT + 1, "b\n"), 0);
	expect_file("audit-20261122T000000Z.csv", HEADER "b\n");
	snprintf(taken, sizeof(taken), "%s/taken", directory);
	cr_assert_eq(rename(path_of("audit-20261122T000000Z.csv"), taken), 0);
	cr_assert_eq(add(MIDNIGHT + 2, "c\n"), 0);
	expect_file("audit-20261122T000000Z.csv", HEADER "c\n");
	expect_file("taken", HEADER "b\n");
}

Test(audit, what_cannot_be_compressed_keeps_no_other_file)
{
	int i;

	cr_assert_eq(mkdir(path_of("audit-20200101T000000Z.csv"), 0700), 0);
	begin(10, 2);
	for (i = 0; i < 6; i++)
		add(MIDNIGHT + 10 * i, "a\n");
	cr_assert_eq(rmdir(path_of("audit-20200101T000000Z.csv")), 0);
	cr_assert_eq(count_files(), 3);
}

/* A limit of the file's size stands for a full disk. */
Test(audit, lines_that_a_full_disk_does_not_take_are_counted)
{
	struct rlimit limit = {sizeof(HEADER) + 8, RLIM_INFINITY};

	signal(SIGXFSZ, SIG_IGN);
	begin(DAY_S, 0);
	cr_assert_eq(add(MIDNIGHT, "first\n"), 0);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	cr_assert_eq(add(MIDNIGHT + 1, "second\n"), -EFBIG);
	cr_assert_eq(add(MIDNIGHT + 2, "third\n"), -EFBIG);
	expect_file("audit-20261122T000000Z.csv", HEADER "first\n");
	limit.rlim_cur = RLIM_INFINITY;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	cr_assert_eq(add(MIDNIGHT + 3, "fourth\n"), 0);
	expect_file("audit-20261122T000000Z.csv",
		    HEADER "first\n# 2 lines lost: File too large\nfourth\n");
}

Test(audit, a_directory_has_one_process)
{
	const struct journal_limits limits = {10, 0};
	struct journal_files *second;

	begin(10, 0);
	cr_assert_eq(journal_files_open(&second, directory, &limits, &names), -EBUSY);
	cr_assert_eq(journal_files_open(&second, path_of("none"), &limits, &names), -ENOENT);
	close(open(path_of("file"), O_CREAT | O_WRONLY, 0600));
	cr_assert_eq(journal_files_open(&second, path_of("file"), &limits, &names), -ENOTDIR);
}

Test(audit, a_link_in_the_place_of_a_file_is_not_followed)
{
	close(open(path_of("precious"), O_CREAT | O_WRONLY, 0600));
	cr_assert_eq(symlink("precious", path_of("audit-20261122T000000Z.csv")), 0);
	begin(DAY_S, 0);
	cr_assert_eq(add(MIDNIGHT, "a\n"), -ELOOP);
	expect_file("precious", "");
}

Test(audit, lines_without_a_page_to_read_are_counted)
{
	const struct journal_config config = {directory, {.rotate_s = DAY_S}};
	struct counter counter;
	struct scribe *scribe;
	struct audit *audit;
	struct dirent **found;
	struct fixture page;
	const struct retro_past past = {.from_ns = S, .to_ns = 2 * S};
	char text[2048] = "", *line;
	gzFile gz;
	int i;

	page_make(&page, CHRONOTICK_COUNTER_MONOTONIC_RAW);
	cr_assert_eq(counter_init(&counter, CHRONOTICK_COUNTER_MONOTONIC_RAW), 0);
	cr_assert_eq(rename(page.path, path_of("page")), 0);
	cr_assert_eq(scribe_new(&scribe), 0);
	cr_assert_eq(audit_new(&audit, &config, page.path, &counter, scribe), 0);
	for (i = 0; i < 3; i++)
		audit_tick(audit, NULL, 0);
	cr_assert_eq(rename(path_of("page"), page.path), 0);
	audit_tick(audit, NULL, 0);
	audit_correct(audit, &past);
	audit_correct(audit, &past);
	scribe_free(scribe);
	cr_assert_eq(scandir(directory, &found, is_csv, NULL), 1);
	gz = gzopen(path_of(found[0]->d_name), "rb");
	cr_assert_gt(gzread(gz, text, sizeof(text) - 1), 0);
	gzclose(gz);
	cr_assert(strstr(text, "\n# 3 lines lost: the page cannot be read\n2"), "%s", text);
	line = strstr(text, "\n# corrected from 1970-01-01T00:00:01.000000000Z to ");
	cr_assert(line && !strstr(line + 5, "corrected"), "%s", text);
	free(found[0]);
	free(found);
	audit_free(audit);
	munmap(page.page, CHRONOTICK_PAGE_SIZE);
	unlink(page.path);
}

struct notes {
	char text[4096];
	size_t used;
	int gate; /* a pipe's end to wait at */
};

static void note(void *data, const char *text, size_t size)
{
	struct notes *notes = data;
	char byte;

	if (read(notes->gate, &byte, 1) < 0)
		return;
	memcpy(notes->text + notes->used, text, size);
	notes->used += size;
}

Test(audit, the_scribe_keeps_order_and_says_when_it_is_behind)
{
	struct notes notes = {.used = 0};
	static const char bytes[2 * SCRIBE_SLOTS];
	struct scribe *scribe;
	unsigned int i;
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	notes.gate = ends[0];
	cr_assert_eq(scribe_new(&scribe), 0);
	for (i = 0; i < SCRIBE_SLOTS; i++)
		cr_assert_eq(scribe_put(scribe, note, &notes, i % 2 ? "b" : "a", 1), 0);
	cr_assert_eq(scribe_put(scribe, note, &notes, "c", 1), -EAGAIN, "the thread waits");
	cr_assert_eq(scribe_put(scribe, note, &notes, notes.text, SCRIBE_TEXT_MAX + 1), -EMSGSIZE);
	cr_assert_eq(write(ends[1], bytes, sizeof(bytes)), (ssize_t)sizeof(bytes));
	scribe_free(scribe);
	cr_assert_eq(notes.used, SCRIBE_SLOTS);
	for (i = 0; i < SCRIBE_SLOTS; i++)
		cr_assert_eq(notes.text[i], i % 2 ? 'b' : 'a');
}
