/* SPDX-License-Identifier: MIT */
/* The configuration: what is taken, and where each value arrives. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "local/peer.h"
#include "support/configuration.h"

Test(config, the_engine_is_given_the_method_of_correction)
{
	struct models_config models;
	struct engine_config engine;
	enum retro_method method;
	struct config config;
	char text[128], *errors;

	cr_assert_eq(parse(&config, GOOD, &errors), 0);
	config_engine(&config, &engine, &models);
	cr_assert_eq(models.retroactive, models_default.retroactive);
	config_clear(&config);
	free(errors);
	for (method = 0; method < RETRO_METHODS; method++) {
		snprintf(text, sizeof(text), GOOD "models: {retroactive: %s}\n",
			 retro_name(method));
		cr_assert_eq(parse(&config, text, &errors), 0, "%s", errors);
		config_engine(&config, &engine, &models);
		cr_assert_eq(engine.models->retroactive, method);
		config_clear(&config);
		free(errors);
	}
}

Test(config, hosts_are_names_or_addresses)
{
	static const char *const good[] = {
		"a",
		"a.example",
		"a.example.",
		"0.debian.pool.ntp.org",
		"192.0.2.1",
		"::1",
		"2001:db8::1",
		"fe80::1%eth0",
		"_ntp._udp.example",
		"xn--bcher-kva.example",
		"3com",
	};
	static const char *const refused[] = {
		"",
		"-a",
		"a-",
		"a-.b",
		".",
		"a..b",
		".a",
		"a b",
		"a/b",
		"300.0.2.1",
		"1.2.3",
		"1",
		"2001:db8::g",
		"fe80::1%",
		"fe80::1%a/b",
		"fe80::1%sixteen-and-more",
		"b\303\274cher.example",
		"a:123",
		"[::1]",
		"a;b",
		"$(a)",
	};
	char text[512], label[65];
	struct config config;
	char *errors;
	size_t i;

	for (i = 0; i < LENGTH(good); i++) {
		snprintf(text, sizeof(text), "sources: [{ntp: \"%s\"}]", good[i]);
		cr_assert_eq(parse(&config, text, &errors), 0, "%s: %s", text, errors);
		cr_assert_str_eq(config.sources[0].ntp.server, good[i]);
		config_clear(&config);
		free(errors);
	}
	for (i = 0; i < LENGTH(refused); i++) {
		snprintf(text, sizeof(text), "sources: [{ntp: \"%s\"}]", refused[i]);
		cr_assert_eq(parse(&config, text, &errors), -EINVAL, "%s", text);
		cr_assert(strstr(errors, "f.yaml:1: sources[0].ntp: "), "%s", errors);
		free(errors);
	}
	for (i = 63; i <= 64; i++) {
		memset(label, 'a', i);
		label[i] = '\0';
		snprintf(text, sizeof(text), "sources: [{ntp: %s.example}]", label);
		cr_assert_eq(parse(&config, text, &errors), i == 63 ? 0 : -EINVAL);
		config_clear(&config);
		free(errors);
	}
}

Test(config, every_value_arrives_in_its_member)
{
	static const char text[] =
		"page:\n  backend: shm\n  shm_name: other\n  frequency_hz: 1000\n"
		"  writer_timeout_ms: 2000\n  max_bound_ns: 4000000000\n  record_order: python\n"
		"clock:\n  max_slew_ppb: 20000\n  step_threshold_ns: 3000\n"
		"  max_drift_ppb: 4000\n  wander_ppb: 50\n"
		"  max_distance_ms: 600\n"
		"leap:\n  file: /etc/leaps\n  mode: smear\n"
		"covariates: {temperature: /sys/x*, cpu_frequency: false, cpu_load: false,\n"
		"  memory: false, interval_s: 3600}\n"
		"keys: /a/b\ncounter: monotonic_raw\nwarm_up_s: 7\nlog_level: DEBUG\n"
		"control: {socket: /run/x/y.sock, group: operators}\n"
		"sources:\n  - ntp: a.example\n    port: 65535\n    iburst: true\n"
		"    minpoll: -3\n    maxpoll: 17\n    samples_per_poll: 8\n    offline: true\n"
		"    xleave: true\n    hwtimestamp: eth0\n    key: 4294967295\n    prefer: true\n    trust: true\n"
		"  - {ntp: \"::1\", noselect: true}\n  - {pool: b.example, maxsources: 16, port: 124}\n";
	struct config config;
	char *errors;

	cr_assert_eq(parse(&config, text, &errors), 0, "%s", errors);
	cr_assert_str_eq(errors, "");
	free(errors);
	cr_assert_eq(config.page.backend, PUBLISH_SHM);
	cr_assert_str_eq(config.page.shm_name, "other");
	cr_assert_eq(config.page.frequency_hz, 1000);
	cr_assert_eq(config.page.writer_timeout_ms, 2000);
	cr_assert_eq(config.page.max_bound_ns, 4000000000);
	cr_assert_eq(config.page.record_order, CHRONOTICK_ORDER_PYTHON);
	cr_assert_eq(config.page.max_slew_ppb, 20000);
	cr_assert_eq(config.page.step_threshold_ns, 3000);
	cr_assert_eq(config.max_drift_ppb, 4000);
	cr_assert_eq(config.wander_ppb, 50);
	cr_assert_eq(config.max_distance_ms, 600);
	cr_assert_str_eq(config.leap.file, "/etc/leaps");
	cr_assert_eq(config.leap.mode, LEAP_SMEAR);
	cr_assert_str_eq(config.covariates.temperature, "/sys/x*");
	cr_assert_eq(config.covariates.cpu_frequency, false);
	cr_assert_eq(config.covariates.cpu_load, false);
	cr_assert_eq(config.covariates.memory, false);
	cr_assert_eq(config.covariates.interval_s, 3600);
	cr_assert_eq(config.counter_kind, CHRONOTICK_COUNTER_MONOTONIC_RAW);
	cr_assert_eq(config.warm_up_s, 7);
	cr_assert_eq(config.log_priority, LOG_DEBUG);
	cr_assert_str_eq(config.control.socket, "/run/x/y.sock");
	cr_assert_str_eq(config.control.group, "operators");
	cr_assert_eq(config.source_count, 3);
	cr_assert_str_eq(config.sources[0].ntp.server, "a.example");
	cr_assert_eq(config.sources[0].ntp.port, 65535);
	cr_assert_eq(config.sources[0].ntp.iburst, true);
	cr_assert_eq(config.sources[0].ntp.minpoll, -3);
	cr_assert_eq(config.sources[0].ntp.maxpoll, 17);
	cr_assert_eq(config.sources[0].ntp.samples, 8);
	cr_assert_eq(config.sources[1].ntp.samples, 1);
	cr_assert_eq(config.sources[0].offline, true);
	cr_assert_eq(config.sources[0].ntp.xleave, true);
	cr_assert_str_eq(config.sources[0].ntp.interface, "eth0");
	cr_assert_eq(config.sources[0].ntp.key.id, 4294967295);
	cr_assert_str_eq(config.keys, "/a/b");
	cr_assert(config.sources[0].prefer && config.sources[0].trust);
	cr_assert(!config.sources[0].noselect && config.sources[1].noselect);
	cr_assert(!config.sources[1].prefer && !config.sources[1].trust);
	cr_assert_eq(config.sources[1].ntp.xleave, false);
	cr_assert_null(config.sources[1].ntp.interface);
	cr_assert_eq(config.sources[1].ntp.key.id, 0);
	cr_assert_str_eq(config.sources[1].ntp.server, "::1");
	cr_assert_eq(config.sources[1].ntp.port, 123);
	cr_assert_eq(config.sources[1].ntp.iburst, false);
	cr_assert_eq(config.sources[1].ntp.minpoll, 6);
	cr_assert_eq(config.sources[1].ntp.maxpoll, 10);
	cr_assert_eq(config.sources[1].offline, false);
	cr_assert_eq(config.sources[1].type, SOURCE_NTP);
	cr_assert_eq(config.sources[2].type, SOURCE_POOL);
	cr_assert_str_eq(config.sources[2].ntp.server, "b.example");
	cr_assert_eq(config.sources[2].ntp.port, 124);
	cr_assert_eq(config.sources[2].maxsources, 16);
	cr_assert_null(config.feed.path);
	config_clear(&config);
	cr_assert_null(config.strings);
}

Test(config, a_feed_stands_apart_from_the_sources_of_time)
{
	static const char text[] = "sources:\n  - {ntp: a, key: 0}\n"
				   "  - {feed: /run/feed.sock, group: models, offline: true}\n"
				   "  - {pool: b, maxsources: 3}\n";
	struct config config;
	char *errors;

	cr_assert_eq(parse(&config, text, &errors), 0, "%s", errors);
	free(errors);
	cr_assert_eq(config.source_count, 2);
	cr_assert_str_eq(config.sources[0].ntp.server, "a");
	cr_assert_str_eq(config.sources[1].ntp.server, "b");
	cr_assert_eq(config.sources[1].maxsources, 3);
	cr_assert_null(config.sources[1].feed);
	cr_assert_str_eq(config.feed.path, "/run/feed.sock");
	cr_assert_str_eq(config.feed.group, "models");
	cr_assert(config.feed.offline);
	config_clear(&config);
	cr_assert_eq(parse(&config, "sources: [{feed: /a}, {ntp: b}]\n", &errors), 0);
	free(errors);
	cr_assert_str_eq(config.feed.group, LOCAL_NO_GROUP);
	cr_assert(!config.feed.offline);
	config_clear(&config);
}

Test(config, defaults_are_debians_pool)
{
	struct config config;

	cr_assert_eq(config_defaults(&config), 0);
	cr_assert_eq(config.source_count, 1);
	cr_assert_eq(config.sources[0].type, SOURCE_POOL);
	cr_assert_str_eq(config.sources[0].ntp.server, "2.debian.pool.ntp.org");
	cr_assert_eq(config.sources[0].ntp.iburst, true);
	cr_assert_eq(config.sources[0].maxsources, 4);
	cr_assert_eq(config.page.backend, PUBLISH_AUTO);
	cr_assert(!config.page.standby);
	cr_assert_str_eq(config.page.shm_name, "chronotick_shm");
	cr_assert_eq(config.page.frequency_hz, 100);
	cr_assert_eq(config.page.writer_timeout_ms, 10000);
	cr_assert_eq(config.page.max_bound_ns, 1000000000);
	cr_assert_eq(config.warm_up_s, 180);
	cr_assert_eq(config.counter_kind, CHRONOTICK_COUNTER_NONE);
	cr_assert_eq(config.log_priority, LOG_INFO);
	cr_assert_str_eq(config.control.socket, "/run/chronotick/control.sock");
	cr_assert_str_eq(config.control.group, LOCAL_NO_GROUP);
	config_clear(&config);
}

Test(config, none_is_no_control_socket)
{
	struct config config;
	char *errors;

	cr_assert_eq(parse(&config, GOOD "control: {socket: none}\n", &errors), 0, "%s", errors);
	cr_assert_null(config.control.socket);
	config_clear(&config);
	free(errors);
}

Test(config, sixty_four_sources_are_taken_and_no_more)
{
	char text[4096] = "sources:\n";
	struct config config;
	size_t used;
	char *errors;
	unsigned int i;

	for (i = 0; i < 64; i++) {
		used = strlen(text);
		snprintf(text + used, sizeof(text) - used, "  - ntp: 192.0.2.%u\n", i);
	}
	cr_assert_eq(parse(&config, text, &errors), 0, "%s", errors);
	cr_assert_eq(config.source_count, 64);
	cr_assert_str_eq(config.sources[63].ntp.server, "192.0.2.63");
	config_clear(&config);
	free(errors);
	strcat(text, "  - ntp: 192.0.2.64\n");
	cr_assert_eq(parse(&config, text, &errors), -EINVAL);
	cr_assert_str_eq(errors,
			 "f.yaml:66: sources: too many sources; allowed: " ALLOWED_SOURCES "\n");
	free(errors);
	/* A feed is none of the sixty-four. */
	*strrchr(text, '-') = '\0';
	strcat(text, "- feed: /run/x\n");
	cr_assert_eq(parse(&config, text, &errors), 0, "%s", errors);
	cr_assert_eq(config.source_count, 64);
	cr_assert_str_eq(config.feed.path, "/run/x");
	config_clear(&config);
	free(errors);
}

/* Load a file with these bytes; NULL: there is none. */
static int load(char *path, const void *bytes, size_t size, char **errors)
{
	struct config config = {0};
	size_t length;
	FILE *stream = open_memstream(errors, &length), *file;
	int r;

	if (bytes) {
		file = fopen(path, "w");
		cr_assert(file);
		cr_assert_eq(fwrite(bytes, 1, size, file), size);
		fclose(file);
	}
	r = config_load(&config, path, stream);
	fclose(stream);
	config_clear(&config);
	return r;
}

Test(config, files_are_read_up_to_a_mebibyte)
{
	char directory[] = "/tmp/chronotick-config-XXXXXX", path[64], expected[256];
	char *text = malloc(CONFIG_SIZE_MAX + 2), *errors;

	cr_assert(text && mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/f.yaml", directory);
	cr_assert_eq(load(path, NULL, 0, &errors), -EINVAL);
	snprintf(expected, sizeof(expected),
		 "%s:1: (file): it cannot be read: No such file or directory; "
		 "allowed: a readable file\n",
		 path);
	cr_assert_str_eq(errors, expected);
	free(errors);

	cr_assert_eq(load(directory, NULL, 0, &errors), -EINVAL);
	snprintf(expected, sizeof(expected),
		 "%s:1: (file): it cannot be read: Is a directory; allowed: a readable file\n",
		 directory);
	cr_assert_str_eq(errors, expected);
	free(errors);

	memset(text, '\n', CONFIG_SIZE_MAX + 2);
	memcpy(text, GOOD, sizeof(GOOD) - 1);
	cr_assert_eq(load(path, text, CONFIG_SIZE_MAX, &errors), 0, "%s", errors);
	free(errors);
	cr_assert_eq(load(path, text, CONFIG_SIZE_MAX + 1, &errors), -EINVAL);
	snprintf(expected, sizeof(expected), "%s:1: (file): too large; allowed: 1048576 bytes\n",
		 path);
	cr_assert_str_eq(errors, expected);
	free(errors);
	free(text);
	unlink(path);
	rmdir(directory);
}

/* ---- The documents ---- */

/* A profile is what the file does not say. */
Test(config, a_ptp_source_has_its_profile_and_what_is_given)
{
	struct config config;
	char *errors;

	cr_assert_eq(parse(&config,
			   "sources:\n  - ptp: eth0\n  - {ptp: eth0, profile: g8275.1}\n"
			   "  - {ptp: eth1, profile: gptp, sync_interval: -5, domain: 20}\n"
			   "  - {ptp: eth1.100, profile: g8275.2, unicast: 192.0.2.1, spp: 7, "
			   "asymmetry_ns: -25, asymmetry_max_ns: 0, accuracy_ns: 40}\n"
			   "  - {ptp: eth2, unicast: \"2001:db8::1\", transport: udp6, "
			   "negotiation: false, grant_s: 60, utc_offset_s: 37, timescale: tai}\n",
			   &errors),
		     0, "%s", errors);
	cr_assert_eq(config.source_count, 5);
	cr_expect_str_eq(config.sources[0].ptp.interface, "eth0");
	cr_expect_eq(config.sources[0].type, SOURCE_PTP);
	cr_expect_eq(config.sources[0].ptp.transport, PTP_L2);
	cr_expect_eq(config.sources[0].ptp.domain, 0);
	cr_expect_eq(config.sources[0].ptp.mechanism, PTP_E2E);
	cr_expect_eq(config.sources[0].ptp.log_announce, 1);
	cr_expect_eq(config.sources[0].ptp.asymmetry_max_ns, -1);
	cr_expect_null(config.sources[0].ptp.unicast);
	cr_expect_eq(config.sources[1].ptp.domain, 24);
	cr_expect_eq(config.sources[1].ptp.log_sync, -4);
	cr_expect_eq(config.sources[1].ptp.algorithm, PTP_BEST_G8275);
	cr_expect_eq(config.sources[2].ptp.mechanism, PTP_P2P);
	cr_expect_eq(config.sources[2].ptp.gptp, true);
	cr_expect_eq(config.sources[2].ptp.log_sync, -5);
	cr_expect_eq(config.sources[2].ptp.domain, 20);
	cr_expect_eq(config.sources[3].ptp.transport, PTP_UDP4);
	cr_expect_eq(config.sources[3].ptp.domain, 44);
	cr_expect_eq(config.sources[3].ptp.announce_timeout, 2);
	cr_expect_str_eq(config.sources[3].ptp.unicast, "192.0.2.1");
	cr_expect_eq(config.sources[3].ptp.negotiates, true);
	cr_expect_eq(config.sources[3].ptp.auth.spp, 7);
	cr_expect_eq(config.sources[3].ptp.asymmetry_ns, -25);
	cr_expect_eq(config.sources[3].ptp.asymmetry_max_ns, 0);
	cr_expect_eq(config.sources[3].ptp.accuracy_ns, 40);
	cr_expect_eq(config.sources[4].ptp.transport, PTP_UDP6);
	cr_expect_eq(config.sources[4].ptp.negotiates, false);
	cr_expect_eq(config.sources[4].ptp.grant_s, 60);
	cr_expect_eq(config.sources[4].ptp.utc_offset_s, 37);
	cr_expect_eq(config.sources[4].ptp.timescale, PTP_TIMESCALE_TAI);
	config_clear(&config);
	free(errors);
}
