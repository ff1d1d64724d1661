/* SPDX-License-Identifier: MIT */
/* Log lines: their styles, and that no text of strangers makes a second one. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "log.h"

__attribute__((format(printf, 4, 5))) static size_t line(char ret[LOG_LINE_MAX],
							 enum log_style style, int priority,
							 const char *format, ...)
{
	va_list args;
	size_t length;

	va_start(args, format);
	length = log_line(ret, style, priority, format, args);
	va_end(args);
	return length;
}

static void expect(const char *expected, const char *got, size_t length)
{
	cr_expect_eq(length, strlen(expected), "%zu, not %zu", length, strlen(expected));
	cr_expect_eq(memcmp(expected, got, length), 0, "%.*s", (int)length, got);
}

Test(log, styles)
{
	char got[LOG_LINE_MAX], expected[64];

	expect("ERROR: a 1\n", got, line(got, LOG_STYLE_TERMINAL, LOG_ERR, "a %d", 1));
	expect("WARNING: a\n", got, line(got, LOG_STYLE_TERMINAL, LOG_WARNING, "a"));
	expect("INFO: a\n", got, line(got, LOG_STYLE_TERMINAL, LOG_INFO, "a"));
	expect("DEBUG: a\n", got, line(got, LOG_STYLE_TERMINAL, LOG_DEBUG, "a"));
	expect("<3>a\n", got, line(got, LOG_STYLE_JOURNAL, LOG_ERR, "a"));
	expect("<7>a\n", got, line(got, LOG_STYLE_JOURNAL, LOG_DEBUG, "a"));
	snprintf(expected, sizeof(expected), "<30>chronotickd[%d]: a", (int)getpid());
	expect(expected, got, line(got, LOG_STYLE_SYSLOG, LOG_INFO, "a"));
}

Test(log, control_characters_are_shown_not_obeyed)
{
	char got[LOG_LINE_MAX];

	expect("<6>a\\x0a<0>b\\x1b[2J\\x7f\\x0d\n", got,
	       line(got, LOG_STYLE_JOURNAL, LOG_INFO, "%s", "a\n<0>b\x1b[2J\x7f\r"));
}

Test(log, only_utf8_passes)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{"M\xc3\xbcnchen \xe2\x82\xac \xf0\x9f\x95\x90",
		 "M\xc3\xbcnchen \xe2\x82\xac \xf0\x9f\x95\x90"},
		{"\xff", "\\xff"},
		{"\xc2\x9b"
		 "31m",
		 "\\xc2\\x9b31m"},          /* C1: a terminal's CSI */
		{"\xc0\x80", "\\xc0\\x80"}, /* overlong */
		{"\xe0\x80\x80", "\\xe0\\x80\\x80"},
		{"\xed\xa0\x80", "\\xed\\xa0\\x80"}, /* surrogate */
		{"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
		{"\xe2\x82", "\\xe2\\x82"}, /* cut short */
		{"\xe2\x82"
		 "a",
		 "\\xe2\\x82"
		 "a"},
	};
	char got[64];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_expect_eq(log_escape(got, sizeof(got), cases[i].text, strlen(cases[i].text)),
			     strlen(cases[i].shown));
		cr_expect_str_eq(got, cases[i].shown);
	}
}

Test(log, what_does_not_fit_is_cut_with_dots)
{
	char got[9];

	cr_expect_eq(log_escape(got, 9, "12345678", 8), 8);
	cr_expect_str_eq(got, "12345678");
	cr_expect_eq(log_escape(got, 9, "123456789", 9), 8);
	cr_expect_str_eq(got, "12345...");
	cr_expect_eq(log_escape(got, 9, "1234\n6789", 9), 7);
	cr_expect_str_eq(got, "1234...");
	cr_expect_eq(log_escape(got, 9, "12345\xe2\x82\xac", 8), 8);
	cr_expect_str_eq(got, "12345\xe2\x82\xac");
	cr_expect_eq(log_escape(got, 9,
				"1234\xe2\x82\xac"
				"56",
				9),
		     7);
	cr_expect_str_eq(got, "1234...");
}

Test(log, a_long_text_stays_one_line)
{
	char text[4 * LOG_LINE_MAX], got[LOG_LINE_MAX];
	size_t length;

	memset(text, '\n', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	length = line(got, LOG_STYLE_JOURNAL, LOG_INFO, "%s", text);
	cr_expect_leq(length, (size_t)LOG_LINE_MAX);
	cr_expect_eq(memchr(got, '\n', length), got + length - 1);
}

/* A pipe as stderr, of which the reading end does not block; returns that end. */
static int stderr_pipe(void)
{
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	close(ends[1]);
	cr_assert_eq(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	log_open();
	return ends[0];
}

Test(log, levels_filter)
{
	char got[256] = "";
	int fd = stderr_pipe();

	log_debug("unseen");
	log_info("seen");
	log_level_set(LOG_ERR);
	log_warning("unseen");
	log_error("seen %d", 2);
	log_level_set(LOG_DEBUG);
	log_debug("seen 3");
	cr_assert_gt(read(fd, got, sizeof(got) - 1), 0);
	cr_assert_str_eq(got, "<6>seen\n<3>seen 2\n<7>seen 3\n");
}

Test(log, a_reader_that_does_not_read_holds_nothing_up)
{
	static char got[1 << 20];
	int fd = stderr_pipe();
	unsigned int i;
	ssize_t size;

	for (i = 0; i < 20000; i++) /* far more than a pipe holds: this returns */
		log_info("line %u", i);
	cr_assert_gt(read(fd, got, sizeof(got) - 1), 0);
	log_info("the end");
	size = read(fd, got, sizeof(got) - 1);
	cr_assert_gt(size, 0);
	got[size] = '\0';
	cr_assert(strncmp(got, "<4>", 3) == 0 && strstr(got, "log lines dropped"), "%s", got);
	cr_assert(strstr(got, "\n<6>the end\n"), "%s", got);
}
