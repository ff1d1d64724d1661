/* SPDX-License-Identifier: MIT */
/* Lines of the sample log: there and back, what is refused, and what the manual says of them. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "archive/sample_text.h"

static char line[SAMPLE_LINE_MAX], wrong[256];
static struct sample_record record;

static int parse(const char *text)
{
	return sample_record_parse(&record, text, wrong, sizeof(wrong));
}

/* What is read is written again the same. */
static void there_and_back(const char *text)
{
	cr_assert_eq(parse(text), 0, "%s", wrong);
	cr_assert_eq(sample_record_format(line, &record), strlen(line));
	line[strcspn(line, "\n")] = '\0';
	cr_assert_str_eq(line, text);
}

Test(sample_text, every_kind_goes_there_and_back)
{
	static const char *const lines[] = {
		"config 200000 1000 1000000000 1000 1",
		"models 1 5000000000 30000000000 0 0 30000000000 240000000000 7 5",
		"scale 18446744073709551615 18014398509481984",
		"leap -9223372036854775808 -32768",
		"leaps 1798675200000000000",
		"add 63",
		"exclude 3 1",
		"options 3 7",
		"remove 0",
		"lost 3 5",
		"run 1795305600000000000-77 12345678901",
		"go",
		"name 3 fe80::1%eth0",
		"sample 2 6000000000 -17 1 2 1 3 4 2 3 1 15 5",
		"covariates 77 5 45.125 0 0.10000000000000001 0",
		"feed 7 8 -9 10 11 12 0.5 0.125 2 3",
		"learnt 33 -0.5 1 2.5 0 0 0 0 1e-300",
		"memory 18014398509481984 1 2 9.9999999999999995e-08 1.5 60000000000 1",
		"at 7",
		"told 7 -5 18014398509481984 9 0.25 2 1",
	};
	bool seen[SAMPLE_RECORD_KINDS] = {false};
	unsigned int i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		there_and_back(lines[i]);
		seen[record.kind] = true;
	}
	for (i = 0; i < SAMPLE_RECORD_KINDS; i++)
		cr_assert(seen[i], "%s", sample_record_usage(i, line));
}

Test(sample_text, fields_are_where_they_belong)
{
	const struct sample *sample = &record.input.sample;

	cr_assert_eq(parse("sample 2 6000000000 -17 10 20 11 30 40 2 3 1 15"), 0);
	cr_assert_eq(record.kind, ENGINE_INPUT_SAMPLE);
	cr_assert_eq(record.input.kind, ENGINE_INPUT_SAMPLE);
	cr_assert(sample->source == 2 && sample->counter == 6000000000 &&
		  sample->offset_ns == -17 && sample->delay_ns == 10 &&
		  sample->dispersion_ns == 20 && sample->stamps_ns == 11 &&
		  sample->root_delay_ns == 30 && sample->root_dispersion_ns == 40 &&
		  sample->tx_stamp == 2 && sample->rx_stamp == 3 && sample->leap == 1 &&
		  sample->stratum == 15);
	cr_assert_eq(sample->kind, 0); /* in logs of before there were others than NTP */
	cr_assert_eq(parse("sample 2 6000000000 -17 10 20 11 30 40 2 3 1 15 5"), 0);
	cr_assert_eq(sample->kind, 5);
	cr_assert_eq(parse("told 7 5 18014398509481984 9 0.25 2 1"), 0);
	cr_assert(record.input.kind == ENGINE_INPUT_CORRECT && record.input.counter == 7 &&
		  record.told.utc_ns == 5 && record.told.bound_ns == 9 &&
		  record.told.uncertainty_ns == 0.25 && record.told.status == 2 &&
		  record.told.source == 1);
}

Test(sample_text, numbers_keep_all_their_bits)
{
	static const double numbers[] = {M_PI, 1e-300, -1.0 / 3, 12345678.9,
					 0x1.fffffffffffffp1023};
	unsigned int i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		memset(&record, 0, sizeof(record));
		record.kind = ENGINE_INPUT_COVARIATES;
		record.input.covariates.value[COVARIATE_TEMPERATURE] = numbers[i];
		sample_record_format(line, &record);
		line[strcspn(line, "\n")] = '\0';
		cr_assert_eq(parse(line), 0, "%s", wrong);
		cr_assert_eq(record.input.covariates.value[COVARIATE_TEMPERATURE], numbers[i]);
	}
}

Test(sample_text, what_may_not_stand_in_a_word_is_replaced)
{
	record = (struct sample_record){.kind = SAMPLE_RECORD_NAME, .word = "a b\nc"};
	sample_record_format(line, &record);
	cr_assert_str_eq(line, "name 0 a_b_c\n");
	strcpy(record.word, "");
	sample_record_format(line, &record);
	cr_assert_str_eq(line, "name 0 _\n");
}

Test(sample_text, the_longest_line_has_room)
{
	unsigned int i;

	memset(&record, 0xff, sizeof(record));
	record.input.excluded = record.input.same_oscillator = true;
	record.input.config.raw_is_disciplined = true;
	record.models.short_term_enabled = record.models.long_term_enabled = true;
	memset(record.word, 'a', sizeof(record.word));
	record.word[sizeof(record.word) - 1] = '\0';
	for (i = 0; i < COVARIATE_COUNT; i++)
		record.input.covariates.value[i] = -0x1.fffffffffffffp-1022;
	record.input.memory.rate_sd = record.input.memory.noise_ns = record.told.uncertainty_ns =
		-0x1.fffffffffffffp-1022;
	for (i = 0; i < SAMPLE_RECORD_KINDS; i++) {
		record.kind = i;
		cr_assert_lt(sample_record_format(line, &record), SAMPLE_LINE_MAX - 1);
	}
}

Test(sample_text, what_is_wrong_is_told)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{"", "\"\" is no kind of line"},
		{"at", "at: counter: the line ends before this field"},
		{"at ", "at: counter: \"\" is no integer"},
		{"at  7", "at: counter: \"\" is no integer"},
		{"at 7 8", "at: more than 1 fields"},
		{"at 7x", "at: counter: \"7x\" is no integer"},
		{"at +7", "at: counter: \"+7\" is no integer"},
		{"at -7", "at: counter: -7 is out of range; allowed: 0 to 18446744073709551615"},
		{"at 18446744073709551616",
		 "at: counter: 18446744073709551616 is out of range; allowed: 0 to "
		 "18446744073709551615"},
		{"add 64", "add: source: 64 is out of range; allowed: 0 to 63"},
		{"options 1 8", "options: options: 8 is out of range; allowed: 0 to 7"},
		{"exclude 1 2", "exclude: excluded: 2 is out of range; allowed: 0 to 1"},
		{"leap -9223372036854775809 1",
		 "leap: from_ns: -9223372036854775809 is out of range; allowed: "
		 "-9223372036854775808 to 9223372036854775807"},
		{"scale 1 0",
		 "scale: mult: 0 is out of range; allowed: 1099511627776 to 18014398509481984000"},
		{"covariates 7 1 nan 0 0 0", "covariates: temperature: \"nan\" is no number"},
		{"covariates 7 1 1e999 0 0 0", "covariates: temperature: \"1e999\" is no number"},
		{"covariates 7 16 0 0 0 0",
		 "covariates: present: 16 is out of range; allowed: 0 to 15"},
		{"name 1 a/b", "name: name: \"a/b\" is no word"},
		{"AT 7", "\"AT\" is no kind of line"},
	};
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_assert_eq(parse(bad[i].text), -EINVAL, "%s", bad[i].text);
		cr_assert_str_eq(wrong, bad[i].why);
	}
	memset(line, '1', sizeof(line));
	memcpy(line, "at ", 3);
	line[sizeof(line) - 1] = '\0';
	cr_assert_eq(parse(line), -EINVAL);
}

Test(sample_text, the_manual_has_every_line)
{
	static char text[65536];
	char usage[SAMPLE_LINE_MAX], wanted[SAMPLE_LINE_MAX + 8];
	FILE *stream = fopen(DOCUMENTATION "/sample-log.md", "re");
	unsigned int i;

	cr_assert(stream);
	cr_assert_gt(fread(text, 1, sizeof(text) - 1, stream), 0);
	fclose(stream);
	for (i = 0; i < SAMPLE_RECORD_KINDS; i++) {
		snprintf(wanted, sizeof(wanted), "\n`%s`\n", sample_record_usage(i, usage));
		cr_expect(strstr(text, wanted), "the manual lacks %s", wanted);
	}
	snprintf(wanted, sizeof(wanted), "\n\t%s\n", SAMPLE_LOG_HEADER);
	cr_expect(strstr(text, wanted), "the manual lacks %s", wanted);
}
