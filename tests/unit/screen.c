/* SPDX-License-Identifier: MIT */
/* The monitor's screen: within the terminal whatever its size, and whatever the page says. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "screen.h"

static struct view view;
static struct screen screen;
static char *text;

static void good_view(void)
{
	view = (struct view){
		.path = "/dev/shm/page",
		.backend = "shm",
		.status = CHRONOTICK_SYNCHRONIZED,
		.now = {.earliest_ns = 1760000000000000000 - 1500,
			.utc_ns = 1760000000000000000,
			.latest_ns = 1760000000000000000 + 1500,
			.generation = 7,
			.status = CHRONOTICK_SYNCHRONIZED | CHRONOTICK_LEAP_INSERT,
			.tai_offset_s = 37},
		.has_record = true,
		.record = {.offset_correction = -2.5e-6},
		.statistics = {.warmup_percent = 50, .publish_last_ns = 1200},
		.source = {{.name = "192.0.2.1",
			    .state = CHRONOTICK_SOURCE_SELECTED,
			    .stratum = 1,
			    .reach = 0377,
			    .offset_ns = 1234},
			   {.name = "192.0.2.2", .state = CHRONOTICK_SOURCE_FALSETICKER}},
		.source_count = 2,
		.source_age_ns = {900000000, -1},
		.reason = "synchronized to the selected sources",
	};
	view.header.counter_kind = CHRONOTICK_COUNTER_TSC;
}

static void start(void)
{
	good_view();
	screen = (struct screen){.width = 120, .height = 40, .interval_s = 1, .published_hz = NAN};
}

static void end(void)
{
	free(text);
}

TestSuite(screen, .init = start, .fini = end);

static const char *render(void)
{
	size_t size = screen_size(&screen), length;

	free(text);
	text = malloc(size);
	cr_assert(text);
	length = screen_render(&screen, &view, text, size);
	cr_assert_lt(length, size);
	cr_assert_eq(length, strlen(text));
	return text;
}

/* Bytes of what stands at `at`, and how many columns it takes; a colour takes none. */
static size_t piece_size(const char *at, unsigned int *columns)
{
	unsigned char first = (unsigned char)*at;

	*columns = 1;
	if (first == 033) {
		size_t length = strcspn(at, "m");

		cr_assert(screen.colour);
		cr_assert_eq(at[1], '[');
		cr_assert_eq(strspn(at + 2, "0123456789"), length - 2);
		*columns = 0;
		return length + 1;
	}
	if (first < 0x80) {
		cr_assert(first >= ' ' && first <= '~', "byte %u", first);
		return 1;
	}
	/* The block elements, U+2581 to U+2591 */
	cr_assert(screen.utf8);
	cr_assert_eq(first, 0xe2);
	cr_assert_eq((unsigned char)at[1], 0x96);
	cr_assert((unsigned char)at[2] >= 0x81 && (unsigned char)at[2] <= 0x91);
	return 3;
}

static void check_fits(void)
{
	unsigned int rows = 1, width = 0, columns;
	bool coloured = false;
	const char *at = render();

	while (*at) {
		if (*at == '\n') {
			cr_assert(!coloured, "a colour that goes on in the next row");
			rows++;
			width = 0;
			at++;
			continue;
		}
		if (*at == 033)
			coloured = at[2] != '0';
		at += piece_size(at, &columns);
		width += columns;
		cr_assert_leq(width, screen.width ? screen.width : 1, "row %u", rows);
	}
	cr_assert(!coloured);
	cr_assert_leq(rows, screen.height ? screen.height : 1);
}

static void check_all_sizes(void)
{
	unsigned int mode;

	for (mode = 0; mode < 4; mode++) {
		screen.utf8 = mode & 1;
		screen.colour = mode & 2;
		for (screen.width = 0; screen.width < 140;
		     screen.width += screen.width < 5 ? 1 : 13)
			for (screen.height = 0; screen.height < 45;
			     screen.height += screen.height < 3 ? 1 : 11)
				check_fits();
		screen.width = UINT_MAX, screen.height = UINT_MAX;
		check_fits();
	}
}

Test(screen, shows_what_the_page_says)
{
	screen.published_hz = 99.96;
	screen_add(&screen, &view);
	render();
	cr_assert(strstr(text, "2025-10-09T08:53:20.000000000Z  +-1.500 us\n"), "%s", text);
	cr_assert(strstr(text, "synchronized: synchronized to the selected sources\n"));
	cr_assert(strstr(text, "[####################--------------------] 50 %\n"));
	cr_assert(strstr(text, "generation 7, leap insert, TAI-UTC 37 s, counter tsc\n"));
	cr_assert(strstr(text, "100.0 a second, latency last 1.200 us"));
	cr_assert(strstr(text, "-2.500 us"));
	cr_assert(strstr(text, "\n192.0.2.1            selected        1   377  +1.234 us"));
	cr_assert(strstr(text, "\n192.0.2.2            falseticker "));
}

Test(screen, draws_the_past_from_low_to_high)
{
	unsigned int i;

	for (i = 0; i < 8; i++) {
		view.record.offset_correction = i * 1e-6;
		screen_add(&screen, &view);
	}
	render();
	cr_assert(strstr(text, "_.:-=+*#"), "%s", text);
	/* All the same are a flat line, and what is not known a gap. */
	for (i = 0; i < SCREEN_HISTORY; i++) {
		view.record.offset_correction = 1e-6;
		view.has_record = i != SCREEN_HISTORY - 3;
		screen_add(&screen, &view);
	}
	cr_assert_eq(screen.history, SCREEN_HISTORY);
	render();
	cr_assert(strstr(text, "_____ __ +1.000 us..+1.000 us"), "%s", text);
	screen.utf8 = true;
	render();
	cr_assert(strstr(text, "\u2581 \u2581\u2581 +1.000 us"), "%s", text);
}

Test(screen, says_why_there_is_no_page)
{
	view.open = view.trust = -ENOENT;
	strcpy(view.reason, "there is no page: start chronotickd");
	screen.notice = "the page that was shown is gone";
	screen_add(&screen, &view);
	render();
	cr_assert(strstr(text, "there is no page: start chronotickd"));
	cr_assert(strstr(text, "the page that was shown is gone"));
	cr_assert(!strstr(text, "192.0.2.1"));
	cr_assert(isnan(screen.offset_s[0]) && isnan(screen.bound_s[0]));
}

Test(screen, tells_of_sources_that_have_no_room)
{
	view.source_count = CHRONOTICK_SOURCES_MAX;
	screen.height = 16;
	render();
	cr_assert(strstr(text, " more: see chronotick status"), "%s", text);
	screen.height = 80;
	render();
	cr_assert(!strstr(text, " more: see chronotick status"));
}

Test(screen, fits_into_any_terminal)
{
	unsigned int i;

	for (i = 0; i < 200; i++) {
		view.record.offset_correction = i % 7 * 1e-6;
		screen_add(&screen, &view);
	}
	check_all_sizes();
	view.open = view.trust = -ENOENT;
	check_all_sizes();
}

Test(screen, lets_nothing_of_a_hostile_page_through)
{
	static const double extremes[] = {NAN, INFINITY, -INFINITY, 1e308, -1e308, 0};
	unsigned int i;

	memset(&view.header, 0xff, sizeof(view.header));
	memset(&view.statistics, 0xff, sizeof(view.statistics));
	memset(&view.source, 0xff, sizeof(view.source));
	view.path = "/tmp/\033[2J\033]0;title\007\n\r\t\x9b";
	strcpy(view.reason, "\033[31mreason\n");
	screen.notice = "\033c";
	for (i = 0; i < CHRONOTICK_SOURCES_MAX; i++)
		memset(view.source[i].name, i < 16 ? 033 : '\n', sizeof(view.source[i].name));
	view.source_count = CHRONOTICK_SOURCES_MAX;
	view.status = view.now.status = UINT16_MAX;
	view.now.utc_ns = INT64_MIN;
	view.now.earliest_ns = INT64_MAX;
	view.heartbeat_age_ns = INT64_MIN;
	for (i = 0; i < sizeof(extremes) / sizeof(extremes[0]); i++) {
		view.record.offset_correction = extremes[i];
		screen.published_hz = screen.interval_s = extremes[i];
		screen_add(&screen, &view);
		check_all_sizes();
	}
}

Test(screen, cuts_what_does_not_fit_into_the_buffer)
{
	char small[200];
	size_t size;

	screen.colour = screen.utf8 = true;
	for (size = 0; size < sizeof(small); size++) {
		memset(small, 'x', sizeof(small));
		cr_assert(screen_render(&screen, &view, small, size) < (size ? size : 1));
		cr_assert_eq(small[size], 'x', "written past %zu", size);
	}
}
