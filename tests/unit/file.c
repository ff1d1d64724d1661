/* SPDX-License-Identifier: MIT */
/* Reading and replacing small files. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/file.h"

static char directory[] = "/tmp/chronotick-file-XXXXXX";
static char path[64], fresh[64], other[64];

static void make(void)
{
	cr_assert(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/a", directory);
	snprintf(fresh, sizeof(fresh), "%s/a.new", directory);
	snprintf(other, sizeof(other), "%s/b", directory);
}

static void clean(void)
{
	unlink(path);
	unlink(fresh);
	unlink(other);
	rmdir(path);
	rmdir(directory);
}

TestSuite(file, .init = make, .fini = clean);

static void expect_content(const char *name, const char *wanted)
{
	char text[64];
	ssize_t size = file_read(name, text, sizeof(text), NULL);

	cr_assert_eq(size, (ssize_t)strlen(wanted));
	cr_assert_eq(memcmp(text, wanted, strlen(wanted)), 0);
}

Test(file, what_was_replaced_is_read_back)
{
	struct stat status;

	cr_assert_eq(file_replace(path, "one", 3), 0);
	expect_content(path, "one");
	cr_assert_eq(file_replace(path, "second", 6), 0);
	expect_content(path, "second");
	cr_assert_eq(stat(path, &status), 0);
	cr_assert_eq(status.st_mode & 0133, 0);
	cr_assert_neq(access(fresh, F_OK), 0, "nothing else is left");
}

Test(file, reading_ends_at_the_size_that_was_asked_for)
{
	char text[4] = "...";

	cr_assert_eq(file_replace(path, "abcdef", 6), 0);
	cr_assert_eq(file_read(path, text, 3, NULL), 3);
	cr_assert_str_eq(text, "abc");
}

Test(file, what_is_no_regular_file_is_not_waited_for)
{
	char text[8];

	cr_assert_eq(file_read(path, text, sizeof(text), NULL), -ENOENT);
	cr_assert_eq(file_read(directory, text, sizeof(text), NULL), -EISDIR);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_assert_eq(file_read(path, text, sizeof(text), NULL), -EINVAL);
}

Test(file, a_link_in_the_way_of_the_new_file_is_not_followed)
{
	cr_assert_eq(file_replace(other, "precious", 8), 0);
	cr_assert_eq(symlink(other, fresh), 0);
	cr_assert_eq(file_replace(path, "text", 4), 0);
	expect_content(path, "text");
	expect_content(other, "precious");
}

Test(file, a_failed_replacement_leaves_no_trace)
{
	cr_assert_eq(mkdir(path, 0700), 0);
	cr_assert_lt(file_replace(path, "text", 4), 0);
	cr_assert_neq(access(fresh, F_OK), 0);
	snprintf(other, sizeof(other), "%s/none/b", directory);
	cr_assert_eq(file_replace(other, "text", 4), -ENOENT);
}
