/* SPDX-License-Identifier: MIT */
/* Types of keys that a made-up group shows best; config.c tests those of the real file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "keys.h"

struct paths {
	const char *file;
};

static const struct key_choice words[] = {
	{"none", KEY_PATH_NONE, NULL},
	{"auto", 1, NULL},
};

static const struct key file = {
	.name = "file",
	.type = KEY_PATH,
	.initial = "auto",
	.maximum = 20,
	.choices = words,
	.choice_count = 2,
	.offset = offsetof(struct paths, file),
	.width = sizeof(const char *),
};

Test(keys, a_path_is_absolute_or_one_of_its_words)
{
	struct paths paths = {"before"};
	char wrong[KEY_TEXT_MAX];

	cr_assert_eq(key_set(&file, &paths, "/var/lib/a b", false, wrong), 0);
	cr_assert_str_eq(paths.file, "/var/lib/a b");
	cr_assert_eq(key_set(&file, &paths, "auto", false, wrong), 0);
	cr_assert_str_eq(paths.file, "auto");
	cr_assert_eq(key_set(&file, &paths, "none", false, wrong), 0);
	cr_assert_null(paths.file);
}

Test(keys, other_paths_are_refused_and_change_nothing)
{
	static const char *const bad[][2] = {
		{"state", "\"state\" is no absolute path"},
		{"./state", "\"./state\" is no absolute path"},
		{"None", "\"None\" is no absolute path"},
		{"/0123456789/123456789", "\"/0123456789/123456789\" is too long"},
		{"~", "it has no value"},
	};
	char wrong[KEY_TEXT_MAX];
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct paths paths = {"before"};

		cr_expect_eq(key_set(&file, &paths, bad[i][0], false, wrong), -EINVAL);
		cr_expect_str_eq(wrong, bad[i][1]);
		cr_expect_str_eq(paths.file, "before");
	}
}

Test(keys, a_path_says_what_is_allowed)
{
	char allowed[KEY_TEXT_MAX];
	struct key plain = file;

	key_allowed(&file, allowed);
	cr_assert_str_eq(allowed, "none or auto, or an absolute path of up to 20 bytes");
	plain.choice_count = 0;
	plain.maximum = 0;
	key_allowed(&plain, allowed);
	cr_assert_str_eq(allowed, "an absolute path of up to 4095 bytes");
}
