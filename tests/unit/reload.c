/* SPDX-License-Identifier: MIT */
/* What a new configuration changes while the daemon runs, and where it is read from. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "reload.h"

static char kept[1024];

static void on_kept(void *data, const char *name)
{
	(void)data;
	strcat(strcat(kept, name), " ");
}

static struct config parsed(const char *text)
{
	struct config config;

	cr_assert_eq(config_parse(&config, "f.yaml", text, strlen(text), stderr), 0);
	return config;
}

#define SOURCES "sources: [{ntp: a.example}]\n"

Test(reload, what_can_change_does_and_the_rest_is_named)
{
	struct config config = parsed(SOURCES);
	struct config wanted = parsed("page: {shm_name: other, frequency_hz: 7}\n"
				      "clock: {max_slew_ppb: 20000, max_drift_ppb: 4000, "
				      "wander_ppb: 50, max_distance_ms: 600}\n"
				      "counter: monotonic_raw\nwarm_up_s: 7\nlog_level: DEBUG\n"
				      "sources: [{ntp: b.example}, {ntp: c.example}]\n");

	reload_keys(&config, &wanted, on_kept, NULL);
	config_clear(&wanted);
	cr_assert_str_eq(kept, "page.shm_name page.frequency_hz clock.max_slew_ppb counter ");
	cr_assert_str_eq(config.page.shm_name, "chronotick_shm");
	cr_assert_eq(config.page.frequency_hz, 100);
	cr_assert_eq(config.counter_kind, CHRONOTICK_COUNTER_NONE);
	cr_assert_eq(config.max_drift_ppb, 4000);
	cr_assert_eq(config.wander_ppb, 50);
	cr_assert_eq(config.max_distance_ms, 600);
	cr_assert_eq(config.warm_up_s, 7);
	cr_assert_eq(config.log_priority, LOG_DEBUG);
	cr_assert_eq(config.source_count, 1);
	cr_assert_str_eq(config.sources[0].ntp.server, "a.example");
	config_clear(&config);
}

Test(reload, what_is_the_same_is_not_named)
{
	struct config config = parsed("page: {shm_name: one}\n" SOURCES);
	struct config wanted = parsed(SOURCES "page: {shm_name: one}\n");

	reload_keys(&config, &wanted, on_kept, NULL);
	cr_assert_str_eq(kept, "");
	config_clear(&config);
	config_clear(&wanted);
}

Test(reload, it_is_read_from_where_it_was_and_the_command_line_wins)
{
	char directory[] = "/tmp/chronotick-reload-XXXXXX", *errors;
	struct options options = {.config_path = "c.yaml", .frequency_hz = 9};
	struct reload_origin origin;
	struct config config;
	size_t length;
	FILE *stream = open_memstream(&errors, &length), *file;

	cr_assert(mkdtemp(directory) && chdir(directory) == 0);
	file = fopen("c.yaml", "w");
	fputs(SOURCES "page: {frequency_hz: 5}\n", file);
	fclose(file);
	cr_assert_eq(reload_origin_set(&origin, &options), 0);
	cr_assert_eq(chdir("/"), 0);
	cr_assert_eq(reload_read(&origin, &config, stream), 0);
	cr_assert_eq(config.page.frequency_hz, 9);
	config_clear(&config);
	file = fopen(reload_path(&origin), "w");
	fputs("page: {frequency_hz: 0}\n" SOURCES, file);
	fclose(file);
	cr_assert_eq(reload_read(&origin, &config, stream), -EINVAL);
	fclose(stream);
	cr_assert(strstr(errors, "/c.yaml:1: page.frequency_hz: 0 is out of range"), "%s", errors);
	unlink(reload_path(&origin));
	rmdir(directory);
	reload_origin_clear(&origin);
	free(errors);
}

/* Whoever replaces the file by removing it first does not want the built-in servers meanwhile. */
Test(reload, a_file_that_was_read_is_missed_when_it_goes)
{
	char usual[] = "/tmp/chronotick-reload-XXXXXX", *errors;
	const struct options options = {0};
	struct reload_origin origin;
	struct config config;
	size_t length;
	FILE *stream = open_memstream(&errors, &length), *file;
	int fd = mkstemp(usual);

	cr_assert(fd >= 0);
	cr_assert_eq(unlink(usual), 0);
	cr_assert_eq(reload_origin_set(&origin, &options), 0);
	origin.usual = usual;
	cr_assert_eq(reload_read(&origin, &config, stream), 0);
	cr_assert_eq(config.sources[0].type, SOURCE_POOL, "the built-in defaults");
	config_clear(&config);
	close(fd);
	file = fopen(usual, "w");
	fputs(SOURCES, file);
	fclose(file);
	cr_assert_eq(reload_read(&origin, &config, stream), 0, "it has come");
	cr_assert_eq(config.sources[0].type, SOURCE_NTP);
	config_clear(&config);
	unlink(usual);
	cr_assert_eq(reload_read(&origin, &config, stream), -EINVAL, "it has gone");
	fclose(stream);
	cr_assert(strstr(errors, "it cannot be read"), "%s", errors);
	reload_origin_clear(&origin);
	free(errors);
}
