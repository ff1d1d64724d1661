/* SPDX-License-Identifier: MIT */
/* The command line: every option, every way to be wrong with its message. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include <criterion/criterion.h>

#include "options.h"

#define WORDS_MAX 80

/* Words with a space between them; free *errors. */
static int parse(struct options *ret, const char *line, char **errors)
{
	static char copy[1024]; /* the options point into it */
	char *words[WORDS_MAX + 1] = {"chronotickd"};
	size_t length;
	FILE *stream = open_memstream(errors, &length);
	char *word;
	int count = 1, r;

	snprintf(copy, sizeof(copy), "%s", line);
	for (word = strtok(copy, " "); word && count < WORDS_MAX; word = strtok(NULL, " "))
		words[count++] = word;
	r = options_parse(ret, count, words, stream);
	fclose(stream);
	return r;
}

static const struct {
	const char *line;
	const char *error;
} bad[] = {
	{"--nosuch", "unknown or ambiguous option \"--nosuch\""},
	{"-x", "unknown or ambiguous option \"-x\""},
	{"-xy", "unknown or ambiguous option \"-x\""},
	{"--co", "unknown or ambiguous option \"--co\""},
	{"left-over", "unexpected argument \"left-over\""},
	{"--foreground 3", "unexpected argument \"3\""},
	{"--foreground -- 3", "unexpected argument \"3\""},
	{"--standby=1", "--standby: takes no argument"},
	{"--foreground=yes", "--foreground: takes no argument"},
	{"--config", "--config: missing argument PATH"},
	{"--config=", "--config: an empty path"},
	{"--freq", "--freq: missing argument HZ"},
	{"--freq fast", "--freq: \"fast\" is no integer; allowed: an integer from 1 to 1000"},
	{"--freq 1001", "--freq: 1001 is out of range; allowed: an integer from 1 to 1000"},
	{"--freq 0", "--freq: 0 is out of range; allowed: an integer from 1 to 1000"},
	{"--freq=", "--freq: it has no value; allowed: an integer from 1 to 1000"},
	{"--log-level LOUD",
	 "--log-level: \"LOUD\" is no such choice; allowed: DEBUG, INFO, WARNING or ERROR"},
	{"--cpu-affinity", "--cpu-affinity: missing argument N..."},
	{"--cpu-affinity a", "--cpu-affinity: \"a\" is no list of CPUs; allowed: "
			     "numbers from 0 to 1023, with ',' or space between them"},
	{"--cpu-affinity 1, 2", "--cpu-affinity: \"1,\" is no list of CPUs; allowed: "
				"numbers from 0 to 1023, with ',' or space between them"},
	{"--cpu-affinity 1024", "--cpu-affinity: \"1024\" is no list of CPUs; allowed: "
				"numbers from 0 to 1023, with ',' or space between them"},
	{"--cpu-affinity 1 +2", "--cpu-affinity: \"+2\" is no list of CPUs; allowed: "
				"numbers from 0 to 1023, with ',' or space between them"},
	{"--cpu-affinity 1 --foreground 2", "unexpected argument \"2\""},
};

Test(options, every_mistake_is_told)
{
	struct options options;
	char expected[256], *errors;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(expected, sizeof(expected), "chronotickd: %s; --help shows the options\n",
			 bad[i].error);
		cr_expect_eq(parse(&options, bad[i].line, &errors), -EINVAL, "%s", bad[i].line);
		cr_expect_str_eq(errors, expected, "%s gives %s", bad[i].line, errors);
		free(errors);
	}
}

Test(options, without_any_nothing_is_set)
{
	struct options options, none = {0};
	char *errors;

	memset(&options, 1, sizeof(options));
	cr_assert_eq(parse(&options, "", &errors), 0);
	cr_assert_eq(memcmp(&options, &none, sizeof(none)), 0);
	free(errors);
}

Test(options, every_option_is_taken)
{
	struct options options;
	char *errors;

	cr_assert_eq(
		parse(&options,
		      "--config a.yaml --check-config --freq 1000 --counter monotonic_raw "
		      "--cpu-affinity 2,3 5 --log-level DEBUG --foreground --standby --version --help",
		      &errors),
		0, "%s", errors);
	cr_assert_str_eq(options.config_path, "a.yaml");
	cr_assert(options.check_config && options.foreground && options.version && options.help);
	cr_assert(options.standby);
	cr_assert_eq(options.frequency_hz, 1000);
	cr_assert_eq(options.counter_kind, CHRONOTICK_COUNTER_MONOTONIC_RAW);
	cr_assert_eq(options.log_priority, LOG_DEBUG);
	cr_assert_eq(options.cpu_count, 3);
	cr_assert_eq(options.cpus[0], 2);
	cr_assert_eq(options.cpus[1], 3);
	cr_assert_eq(options.cpus[2], 5);
	free(errors);
}

Test(options, sixty_four_cpus_are_taken_and_no_more)
{
	char line[512] = "--cpu-affinity";
	struct options options;
	char *errors;
	int i;

	for (i = 0; i < CONFIG_CPUS_MAX; i++)
		strcat(line, " 1");
	cr_assert_eq(parse(&options, line, &errors), 0);
	cr_assert_eq(options.cpu_count, CONFIG_CPUS_MAX);
	free(errors);
	strcat(line, " 1");
	cr_assert_eq(parse(&options, line, &errors), -EINVAL);
	cr_assert_str_eq(errors, "chronotickd: --cpu-affinity: too many CPUs; allowed: 64; "
				 "--help shows the options\n");
	free(errors);
}

Test(options, the_command_line_wins_over_the_file)
{
	struct options options;
	struct config config;
	char *errors;

	cr_assert_eq(config_defaults(&config), 0);
	cr_assert_eq(parse(&options, "", &errors), 0);
	free(errors);
	options_apply(&options, &config);
	cr_assert_eq(config.page.frequency_hz, 100);
	cr_assert_eq(config.counter_kind, CHRONOTICK_COUNTER_NONE);
	cr_assert_eq(config.log_priority, LOG_INFO);

	config.counter_kind = CHRONOTICK_COUNTER_MONOTONIC_RAW;
	cr_assert_eq(parse(&options, "--freq 7 --counter auto --log-level ERROR --cpu-affinity 1",
			   &errors),
		     0);
	free(errors);
	options_apply(&options, &config);
	cr_assert_eq(config.page.frequency_hz, 7);
	cr_assert_eq(config.counter_kind, CHRONOTICK_COUNTER_NONE);
	cr_assert_eq(config.log_priority, LOG_ERR);
	cr_assert_eq(config.cpu_count, 1);
	cr_assert_eq(config.cpus[0], 1);
	config_clear(&config);
}

/* Help and manual tell of every option that is taken. */
Test(options, help_and_manual_are_complete)
{
	static const char *const names[] = {"config",       "check-config", "freq",       "counter",
					    "cpu-affinity", "log-level",    "foreground", "standby",
					    "version",      "help"};
	char *help, *manual = calloc(1, 65536), *from, *to;
	char name[64];
	size_t length, i;
	FILE *stream = open_memstream(&help, &length);

	options_usage(stream);
	fclose(stream);
	stream = fopen(DOCUMENTATION "/chronotickd.8.scd", "r");
	cr_assert(stream && manual);
	cr_assert_gt(fread(manual, 1, 65535, stream), 0);
	fclose(stream);
	for (from = to = manual; *from; from++)
		if (*from != '\\')
			*to++ = *from;
	*to = '\0';
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(name, sizeof(name), "\n  --%s ", names[i]);
		cr_expect(strstr(help, name), "--help lacks %s", names[i]);
		snprintf(name, sizeof(name), "\n*--%s*", names[i]);
		cr_expect(strstr(manual, name), "the manual lacks %s", names[i]);
	}
	free(help);
	free(manual);
}
