/* SPDX-License-Identifier: MIT */
/* The state file: what is written is read, and nothing else is. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include <criterion/criterion.h>

#include "archive/state.h"

static const struct state good = {
	.moment = {.counter_kind = CHRONOTICK_COUNTER_TSC,
		   .boot_id = {0x01, 0x23, 0xff},
		   .boottime_ns = 123456789012,
		   .utc_ns = 1792400000000000000,
		   .clocksource = "tsc-early"},
	.memory = {.mult = 7205759403792793,
		   .mult_lo = 7205759403792000,
		   .mult_hi = 7205759403793000,
		   .rate_sd = 1.25e-9,
		   .noise_ns = 1500},
	.learnt = {.short_term_members = 32,
		   .walk_ns_s = 0.1,
		   .long_term_inputs = 6,
		   .families = {{0}, {.likelihood = -1.5, .mean = {0.125, -48.25, 1.0 / 3}}}},
};

static char text[STATE_TEXT_MAX], why[STATE_WHY_MAX];

Test(state, is_text_of_one_value_a_line)
{
	char *learnt;

	state_format(text, &good);
	*strstr(text, "crc32") = '\0';
	/* Here what the models have learnt begins. */
	learnt = strstr(text, "short_term_wander");
	cr_assert(learnt &&
		  strncmp(learnt, "short_term_wander 32 0.10000000000000001 0\n", 43) == 0);
	cr_assert(strstr(learnt, "\ntemperature_mean 0.125 -48.25 0.33333333333333331 0 0 0 0\n"));
	*learnt = '\0';
	cr_assert_str_eq(text, "chronotick-state 3\n"
			       "counter tsc\n"
			       "boot_id 0123ff00000000000000000000000000\n"
			       "boottime_ns 123456789012\n"
			       "utc_ns 1792400000000000000\n"
			       "mult 7205759403792793\n"
			       "mult_lo 7205759403792000\n"
			       "mult_hi 7205759403793000\n"
			       "rate_sd 1.250000000e-09\n"
			       "noise_ns 1.500000000e+03\n"
			       "clocksource tsc-early\n");
}

Test(state, comes_back_as_it_was)
{
	struct state state;

	cr_assert_eq(state_parse(&state, text, state_format(text, &good), why), 0, "%s", why);
	cr_assert_eq(memcmp(&state.moment, &good.moment, sizeof(state.moment)), 0);
	cr_assert_eq(state.memory.mult, good.memory.mult);
	cr_assert_eq(state.memory.mult_lo, good.memory.mult_lo);
	cr_assert_eq(state.memory.mult_hi, good.memory.mult_hi);
	cr_assert_eq(state.memory.rate_sd, good.memory.rate_sd);
	cr_assert_eq(state.memory.noise_ns, good.memory.noise_ns);
	cr_assert_eq(memcmp(&state.learnt, &good.learnt, sizeof(state.learnt)), 0);
}

Test(state, no_byte_may_be_missing_or_other)
{
	size_t size = state_format(text, &good), i;
	char changed[STATE_TEXT_MAX];
	struct state state;

	for (i = 0; i < size; i++) {
		cr_expect_eq(state_parse(&state, text, i, why), -EINVAL, "cut at %zu", i);
		memcpy(changed, text, size);
		changed[i] ^= 1;
		cr_expect_eq(state_parse(&state, changed, size, why), -EINVAL, "byte %zu", i);
	}
	memcpy(changed, text, size);
	changed[size] = '\n';
	cr_expect_eq(state_parse(&state, changed, size + 1, why), -EINVAL, "a byte too much");
}

/* With a right checksum: what somebody has edited, or another version has written */
static int parse_edited(const char *from, const char *to)
{
	char edited[STATE_TEXT_MAX];
	struct state state;
	const char *at;
	size_t used;

	state_format(text, &good);
	*strstr(text, "crc32") = '\0';
	at = strstr(text, from);
	cr_assert(at, "%s", from);
	used = (size_t)snprintf(edited, sizeof(edited), "%.*s%s%s", (int)(at - text), text, to,
				at + strlen(from));
	used += (size_t)snprintf(edited + used, sizeof(edited) - used, "crc32 %08lx\n",
				 crc32(0, (const Bytef *)edited, (uInt)used));
	return state_parse(&state, edited, used, why);
}

Test(state, values_that_cannot_be_are_refused)
{
	static const char *const edits[][3] = {
		{"state 3", "state 1", "it is of another version"},
		{"state 3", "state 4", "it is of another version"},
		{"state 3", "state 2", "its checksum is wrong"},
		{"tsc", "hpet", "line 2 has no possible value for \"counter\""},
		{"0123ff", "0123fg", "line 3 has no possible value for \"boot_id\""},
		{"0123ff", "0123f", "line 3 has no possible value for \"boot_id\""},
		{"123456789012", "99999999999999999999",
		 "line 4 has no possible value for \"boottime_ns\""},
		{"mult 7", "mult -7", "line 6 has no possible value for \"mult\""},
		{"1.25", "nan", "line 9 has no possible value for \"rate_sd\""},
		{"1.25", "9e999", "line 9 has no possible value for \"rate_sd\""},
		{"1.25", "0x1", "line 9 has no possible value for \"rate_sd\""},
		{"utc_ns", "tai_ns", "line 5 is not \"utc_ns\" with its value"},
		{"tsc-early", "tsc early", "line 11 has no possible value for \"clocksource\""},
		{"tsc-early", "a123456789b123456789c123456789d1",
		 "line 11 has no possible value for \"clocksource\""},
		{"wander 32 0", "wander 32 nan",
		 "line 12 has no 3 numbers for \"short_term_wander\""},
		{"wander 32 0", "wander 32  0",
		 "line 12 has no 3 numbers for \"short_term_wander\""},
		{"wander 32 ", "wander ", "line 12 has no 3 numbers for \"short_term_wander\""},
		{"wander 32 ", "wander 32 1 ",
		 "line 12 has no 3 numbers for \"short_term_wander\""},
		{"short_term_families", "families",
		 "line 13 is not \"short_term_families\" with its values"},
		{"noise_ns 1.500000000e+03\n", "", "line 10 is not \"noise_ns\" with its value"},
	};
	unsigned int i;

	cr_assert_eq(parse_edited("tsc", "tsc"), 0);
	cr_assert_eq(parse_edited("tsc", "cntvct"), 0);
	for (i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		cr_expect_eq(parse_edited(edits[i][0], edits[i][1]), -EINVAL, "%s", edits[i][1]);
		cr_expect_str_eq(why, edits[i][2]);
	}
}

/* One of before anything was kept of the models */
Test(state, an_earlier_version_is_read_as_before)
{
	static const struct learnt none;
	struct state state;
	char *end;
	size_t used;

	state_format(text, &good);
	text[strlen("chronotick-state ")] = '2';
	end = strstr(text, "short_term_wander");
	used = (size_t)(end - text);
	used += (size_t)sprintf(end, "crc32 %08lx\n",
				crc32(0, (const Bytef *)text, (uInt)(end - text)));
	cr_assert_eq(state_parse(&state, text, used, why), 0, "%s", why);
	cr_assert_eq(state.memory.mult, good.memory.mult);
	cr_assert_eq(memcmp(&state.learnt, &none, sizeof(none)), 0);
}

Test(state, its_age_goes_by_the_boot_it_was_seen_in)
{
	struct state_moment now = good.moment;
	struct state raw = good;
	int64_t age_ns;
	bool same;

	now.boottime_ns += 60;
	now.utc_ns -= 1000; /* a wrong clock does not matter */
	cr_assert_eq(state_age(&good, &now, &age_ns, &same, why), 0);
	cr_assert(same);
	cr_assert_eq(age_ns, 60);

	now.boot_id[15] = 1;
	now.boottime_ns = 5;
	cr_assert_eq(state_age(&good, &now, &age_ns, &same, why), -ENOTSUP);
	cr_assert_str_eq(why, "it is of a time still to come");
	now.utc_ns += 3000;
	cr_assert_eq(state_age(&good, &now, &age_ns, &same, why), 0);
	cr_assert_not(same);
	cr_assert_eq(age_ns, 2000);

	now.counter_kind = CHRONOTICK_COUNTER_MONOTONIC_RAW;
	cr_assert_eq(state_age(&good, &now, &age_ns, &same, why), -ENOTSUP);
	cr_assert_str_eq(why, "it is of counter tsc");
	raw.moment.counter_kind = CHRONOTICK_COUNTER_MONOTONIC_RAW;
	cr_assert_eq(state_age(&raw, &now, &age_ns, &same, why), -ENOTSUP);

	now = raw.moment;
	cr_assert_eq(state_age(&raw, &now, &age_ns, &same, why), 0);
	strcpy(now.clocksource, "hpet");
	cr_assert_eq(state_age(&raw, &now, &age_ns, &same, why), -ENOTSUP);
	cr_assert_str_eq(why, "counter monotonic_raw had its rate from clocksource tsc-early");
	strcpy(raw.moment.clocksource, STATE_NAME_UNKNOWN);
	now = raw.moment;
	cr_assert_eq(state_age(&raw, &now, &age_ns, &same, why), -ENOTSUP);

	now = good.moment;
	now.boottime_ns = INT64_MIN;
	cr_assert_eq(state_age(&good, &now, &age_ns, &same, why), -ENOTSUP);
}
