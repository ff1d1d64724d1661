/* SPDX-License-Identifier: MIT */
/* The set of sources, with sources and names that are made up. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "sources/set.h"
#include "support/fake-sources.h"

#define SECOND 1000000000LL
#define MULT ((uint64_t)1 << 54) /* counter values are ns */
#define BASE 5000000000ULL
#define OFFSET 1700000000000000000LL

static struct engine engine;
static struct source_set *set;
static struct timescale scale = {BASE, MULT};
static char told[8192];
static int64_t now_ns;

static void on_changed(void *data, const char *text)
{
	size_t used = strlen(told);

	(void)data;
	snprintf(told + used, sizeof(told) - used, "%s\n", text);
}

static void setup(void)
{
	const struct engine_config config = {
		.scale = scale,
		.max_drift_ppb = 200000,
		.wander_ppb = 1000,
		.max_bound_ns = SECOND,
		.max_distance_ms = 1000,
	};
	const struct source_set_context context = {
		.scale = &scale,
		.engine = &engine,
		.ops = fake_ops,
		.resolver = &fake_resolver,
		.changed = on_changed,
	};

	cr_assert_eq(engine_init(&engine, &config, 0), 0);
	cr_assert_eq(source_set_new(&set, &context), 0);
}

static void teardown(void)
{
	source_set_free(set);
}

TestSuite(set, .init = setup, .fini = teardown);

static struct source_config server(const char *name)
{
	return (struct source_config){
		.ntp = {.server = name, .port = 123, .minpoll = 6, .maxpoll = 10},
		.type = SOURCE_NTP,
		.maxsources = 4,
	};
}

static struct source_config pool(const char *name, uint8_t maxsources)
{
	struct source_config config = server(name);

	config.type = SOURCE_POOL;
	config.maxsources = maxsources;
	return config;
}

static void add(struct source_config config)
{
	cr_assert_eq(source_set_add(set, &config), 0);
}

static void names(unsigned int i, const char *name, const char *octets)
{
	fake_names[i].name = name;
	memset(fake_names[i].octets, 0, sizeof(fake_names[i].octets));
	memcpy(fake_names[i].octets, octets, strlen(octets));
}

/* Go on for so long, looking after the set as often as it asks. */
static void pass(int64_t duration_ns)
{
	int64_t end_ns = now_ns + duration_ns;

	while (now_ns < end_ns) {
		struct correction correction;
		int64_t next_ns = source_set_tick(set, now_ns);

		cr_assert(next_ns > now_ns && next_ns <= now_ns + SECOND);
		now_ns = next_ns;
		engine_correct(&engine, BASE + (uint64_t)now_ns, &correction);
	}
}

/* A sample at this very moment; it also says that the source is reached. */
static void sample_from(struct fake_source *fake, int64_t offset_ns)
{
	struct sample sample = {
		.counter = BASE + (uint64_t)now_ns,
		.offset_ns = OFFSET + offset_ns,
		.delay_ns = 100000,
		.dispersion_ns = 1000,
		.source = (uint16_t)fake->index,
		.stratum = 1,
	};

	fake->reach = 0xff;
	fake->statistics.sent += 8;
	fake->statistics.accepted++;
	fake->context.events->sample(fake->context.events->data, &sample);
}

static struct source_status status_of(const char *name)
{
	struct source_status status;
	unsigned int i;

	for (i = 0; i < source_set_count(set); i++) {
		source_set_describe(set, i, &status);
		if (strcmp(status.summary.name, name) == 0)
			return status;
	}
	cr_assert(false, "there is no %s", name);
	return status;
}

Test(set, each_source_has_its_index_and_is_described)
{
	struct source_status status;

	cr_assert_eq(source_set_count(set), 0);
	add(server("192.0.2.1"));
	add(server("time.example"));
	cr_assert_eq(source_set_count(set), 2);
	cr_assert_eq(engine.source_count, 2);
	sample_from(&fake_sources[1], 0);
	pass(3 * SECOND);
	source_set_describe(set, 1, &status);
	cr_assert_str_eq(status.config_name, "time.example");
	cr_assert_eq(status.index, 1);
	cr_assert_eq(status.type, SOURCE_NTP);
	cr_assert(status.online);
	cr_assert_eq(status.summary.state, CHRONOTICK_SOURCE_SELECTED);
	cr_assert_str_eq(status.reason, "agrees with the majority");
	cr_assert_eq(status.ntp.accepted, 1);
	source_set_describe(set, 0, &status);
	cr_assert_eq(status.summary.state, CHRONOTICK_SOURCE_UNREACHABLE);
	cr_assert_str_eq(status.reason, "no sample yet");
}

Test(set, takes_sixty_four_and_refuses_what_it_cannot_take)
{
	struct source_config config = server("192.0.2.1"), none = server(NULL),
			     bad = server("broken");
	char name[32];
	unsigned int i;

	cr_assert_eq(source_set_add(set, &none), -EINVAL);
	cr_assert_eq(source_set_add(set, &bad), -EINVAL);
	config.type = SOURCE_TYPES;
	cr_assert_eq(source_set_add(set, &config), -EINVAL);
	config = pool("a", POOL_MEMBERS_MAX + 1);
	cr_assert_eq(source_set_add(set, &config), -EINVAL);
	cr_assert_eq(source_set_count(set), 0);
	cr_assert_eq(engine.source_count, 0);
	for (i = 0; i < SOURCE_SET_MAX; i++) {
		snprintf(name, sizeof(name), "192.0.2.%u", i + 1);
		add(server(name));
	}
	config = server("192.0.2.99");
	cr_assert_eq(source_set_add(set, &config), -ENOSPC);
	cr_assert_eq(source_set_count(set), SOURCE_SET_MAX);
}

Test(set, a_pool_takes_addresses_without_waiting_and_none_twice)
{
	fake_names[0].slow = true;
	names(0, "p.example", "\1\2\3\4\5");
	names(1, "q.example", "\4\5\6");
	add(server("192.0.2.2"));
	add(pool("p.example", 3));
	cr_assert_eq(source_set_count(set), 2); /* the pool itself tells why it has none */
	cr_assert_str_eq(status_of("p.example").reason, "its name has no address yet");
	cr_assert_eq(status_of("p.example").index, SOURCE_SET_NO_INDEX);
	pass(SECOND);
	cr_assert_eq(fake_lookups, 1);
	cr_assert_eq(source_set_count(set), 2);
	fake_names[0].slow = false;
	pass(SECOND);
	cr_assert_eq(source_set_count(set), 4);
	cr_assert_str_eq(status_of("192.0.2.4").config_name, "p.example");
	cr_assert_eq(status_of("192.0.2.4").type, SOURCE_POOL);
	add(pool("q.example", 3));
	pass(2 * SECOND);
	cr_assert_eq(source_set_count(set), 6);
	cr_assert_str_eq(status_of("192.0.2.5").config_name, "q.example");
	cr_assert_str_eq(told, "pool p.example: 192.0.2.1\npool p.example: 192.0.2.3\n"
			       "pool p.example: 192.0.2.4\npool q.example: 192.0.2.5\n"
			       "pool q.example: 192.0.2.6\n");
}

Test(set, a_name_without_addresses_is_asked_less_and_less_often)
{
	unsigned int i;

	add(pool("nowhere.example", 4));
	pass(SECOND / 2);
	cr_assert_eq(fake_lookups, 1);
	pass(130 * SECOND); /* after 1, 2, 4, ... 64 s more */
	cr_assert(fake_lookups >= 7 && fake_lookups <= 8, "%u", fake_lookups);
	i = fake_lookups;
	pass(640 * SECOND);
	cr_assert(fake_lookups - i >= 9 && fake_lookups - i <= 10, "%u", fake_lookups - i);
	cr_assert_str_eq(told, "pool nowhere.example: its name has no address\n");
	/* Back online it is not made to wait. */
	i = fake_lookups;
	cr_assert_eq(source_set_online(set, NULL, false), 1);
	pass(200 * SECOND);
	cr_assert_eq(fake_lookups, i);
	cr_assert_str_eq(status_of("nowhere.example").reason, "offline");
	cr_assert_eq(source_set_online(set, "no*", true), 1);
	pass(SECOND);
	cr_assert_eq(fake_lookups, i + 1);
}

/* All that are there answer, but for one. */
static void answer_all_but(uint8_t silent, int64_t wrong_ns, uint8_t wrong)
{
	uint8_t octet;

	for (octet = 1; octet < 100; octet++) {
		struct fake_source *fake = fake_source_at(octet);

		if (fake && octet != silent)
			sample_from(fake, octet == wrong ? wrong_ns : 0);
		else if (fake)
			fake->statistics.sent++;
	}
}

Test(set, a_silent_member_is_replaced_after_a_new_lookup)
{
	unsigned int i, lookups;

	names(0, "p.example", "\1\2\3\4");
	add(pool("p.example", 4));
	pass(SECOND);
	names(0, "p.example", "\1\2\3\4\5\6");
	lookups = fake_lookups;
	for (i = 0; i < 30; i++) {
		answer_all_but(2, 0, 0);
		pass(SECOND);
	}
	cr_assert_eq(fake_lookups, lookups + 1);
	cr_assert_null(fake_source_at(2));
	cr_assert(fake_source_at(5));
	cr_assert_null(fake_source_at(6));
	cr_assert(strstr(told, "192.0.2.5 in place of 192.0.2.2 (no sample yet)\n"), "%s", told);
	cr_assert_eq(source_set_count(set), 4);
}

Test(set, a_bad_member_stays_while_there_is_no_other_and_asking_slows_down)
{
	unsigned int i;

	names(0, "p.example", "\1\2\3");
	add(pool("p.example", 3));
	for (i = 0; i < 2000; i++) {
		pass(SECOND);
		answer_all_but(2, 0, 0);
	}
	cr_assert(fake_source_at(2));
	cr_assert_eq(fake_sources_made, 3);
	/* 16, 32, ... 1024 s apart */
	cr_assert(fake_lookups >= 7 && fake_lookups <= 9, "%u", fake_lookups);
}

Test(set, one_that_denies_goes_at_once_and_one_that_is_false_after_five_minutes)
{
	unsigned int i;

	names(0, "p.example", "\1\2\3\4\5");
	add(pool("p.example", 5));
	pass(SECOND);
	answer_all_but(0, 0, 0);
	pass(20 * SECOND);
	names(0, "p.example", "\1\2\3\4\5\6");
	fake_source_at(1)->context.events->lost(fake_source_at(1)->context.events->data,
						fake_source_at(1)->index, CHRONOTICK_SOURCE_DENIED);
	pass(2 * SECOND);
	cr_assert_null(fake_source_at(1));
	cr_assert(fake_source_at(6));
	names(0, "p.example", "\1\2\3\4\5\6\7");
	for (i = 0; i < 290; i++) {
		answer_all_but(0, SECOND / 2, 3);
		pass(SECOND);
	}
	cr_assert_eq(status_of("192.0.2.3").summary.state, CHRONOTICK_SOURCE_FALSETICKER);
	for (i = 0; i < 20; i++) {
		answer_all_but(0, SECOND / 2, 3);
		pass(SECOND);
	}
	cr_assert_null(fake_source_at(3));
	cr_assert(fake_source_at(7) || fake_source_at(1));
}

Test(set, two_names_of_one_address_are_one_source)
{
	struct correction correction;

	add(server("a.example"));
	add(server("b.example"));
	add(server("192.0.2.9"));
	fake_sources[0].has_address = fake_sources[1].has_address = true;
	fake_address(&fake_sources[0].address, 1);
	fake_address(&fake_sources[1].address, 1);
	/* Even before it is looked after, the second one's samples are not used. */
	sample_from(&fake_sources[1], 0);
	cr_assert_eq(engine.measurement_count, 0);
	pass(SECOND);
	engine_correct(&engine, BASE + (uint64_t)now_ns, &correction);
	cr_assert_not(fake_sources[1].online);
	cr_assert(status_of("b.example").online); /* the operator's will is another matter */
	cr_assert_str_eq(status_of("b.example").reason, "another source has its address");
	cr_assert_str_eq(told, "source b.example: not used: another source has its address\n");
	cr_assert(fake_sources[0].online);
	cr_assert_str_eq(status_of("a.example").reason, "no sample yet");
	/* The first one moves: the second one is asked again. */
	fake_address(&fake_sources[0].address, 2);
	pass(SECOND);
	cr_assert(fake_sources[1].online);
	cr_assert_eq(fake_sources[1].bursts, 1);
	sample_from(&fake_sources[1], 0);
	cr_assert_eq(engine.measurement_count, 1);
	/* The same host on another port is another server. */
	((struct sockaddr_in *)&fake_sources[0].address.address)->sin_port = 99;
	fake_address(&fake_sources[1].address, 2);
	pass(SECOND);
	cr_assert(fake_sources[1].online);
}

Test(set, a_pools_member_makes_room_for_a_server_of_its_address)
{
	names(0, "p.example", "\1\2\3");
	add(pool("p.example", 2));
	pass(SECOND);
	cr_assert(fake_source_at(1) && fake_source_at(2));
	add(server("a.example"));
	fake_sources[2].has_address = true;
	fake_address(&fake_sources[2].address, 1);
	told[0] = '\0';
	pass(20 * SECOND);
	cr_assert_str_eq(told, "pool p.example: 192.0.2.1 goes: another source has its address\n"
			       "pool p.example: 192.0.2.3\n");
	cr_assert_eq(source_set_count(set), 3);
	cr_assert_str_eq(status_of("a.example").reason, "no sample yet");
	cr_assert_eq(fake_source_at(1)->index, 2); /* the only one left */
	cr_assert(fake_source_at(2) && fake_source_at(3));
}

Test(set, offline_sources_are_silent_and_unused_until_they_are_back)
{
	struct source_config config = server("192.0.2.3");

	add(server("192.0.2.1"));
	add(server("Time.Example"));
	config.offline = true;
	add(config);
	names(0, "p.example", "\4\5");
	add(pool("p.example", 2));
	pass(SECOND);
	cr_assert_not(fake_sources[2].online);
	cr_assert_not(status_of("192.0.2.3").online);
	cr_assert_str_eq(status_of("192.0.2.3").reason, "offline");
	cr_assert_eq(source_set_online(set, "*.nowhere", false), 0);
	cr_assert_eq(source_set_online(set, "time.*", false), 1);
	cr_assert_not(fake_sources[1].online);
	sample_from(&fake_sources[1], 0);
	cr_assert_eq(engine.measurement_count, 0);
	/* A member by its address; then the pool with all its members */
	cr_assert_eq(source_set_online(set, "192.0.2.4", false), 1);
	cr_assert_not(fake_source_at(4)->online);
	cr_assert(fake_source_at(5)->online);
	cr_assert_eq(source_set_online(set, "p.example", false), 2);
	cr_assert_not(fake_source_at(5)->online);
	cr_assert_eq(source_set_online(set, NULL, true), 5);
	cr_assert(fake_source_at(4)->online && fake_source_at(5)->online);
	cr_assert_eq(fake_source_at(4)->bursts, 1);
	cr_assert(fake_sources[1].online && fake_sources[2].online);
	sample_from(&fake_sources[1], 0);
	cr_assert_eq(engine.measurement_count, 1);
}

static struct source_set_change reconfigure(const struct source_config *configs, unsigned int count)
{
	struct source_set_change change;

	cr_assert_eq(source_set_reconfigure(set, configs, count, &change), 0);
	pass(SECOND);
	return change;
}

Test(set, another_configuration_leaves_what_is_the_same_alone)
{
	struct source_config configs[4];
	struct source_set_change change;
	struct source_totals totals;
	struct fake_source before;

	names(0, "p.example", "\4\5\6\7");
	add(server("192.0.2.1"));
	add(server("192.0.2.2"));
	add(server("192.0.2.3"));
	add(pool("p.example", 3));
	pass(SECOND);
	answer_all_but(0, 0, 0);
	pass(3 * SECOND);
	source_set_online(set, "192.0.2.1", false);
	before = fake_sources[0];
	told[0] = '\0';

	configs[0] = pool("P.EXAMPLE", 3);
	configs[1] = server("192.0.2.8");
	configs[2] = server("192.0.2.1");
	configs[3] = server("192.0.2.2");
	configs[3].ntp.maxpoll = 7;
	change = reconfigure(configs, 4);
	cr_assert_eq(change.kept, 2);
	cr_assert_eq(change.added, 1);
	cr_assert_eq(change.removed, 1);
	cr_assert_eq(change.changed, 1);
	cr_assert_eq(fake_sources_made, 7);
	cr_assert_eq(memcmp(&before, &fake_sources[0], sizeof(before)), 0);
	cr_assert_not(status_of("192.0.2.1").online); /* as it was switched, not as configured */
	cr_assert_null(fake_source_at(3));
	cr_assert(fake_source_at(8));
	cr_assert_eq(fake_source_at(2)->config.ntp.maxpoll, 7);
	cr_assert_eq(engine.views[fake_source_at(2)->index].samples, 1);
	cr_assert_str_eq(told, "source 192.0.2.3: removed\nsource 192.0.2.2: changed\n"
			       "source 192.0.2.8: added\n");
	source_set_totals(set, &totals);
	cr_assert_eq(totals.sent, 6 * 8); /* those of the one that has gone included */

	/* What a source cannot take over makes it start anew, alone. */
	configs[3].ntp.iburst = true;
	change = reconfigure(configs, 4);
	cr_assert_eq(change.changed, 1);
	cr_assert_eq(change.kept, 3);
	cr_assert_eq(fake_sources_made, 8);
	cr_assert_eq(engine.views[fake_source_at(2)->index].samples, 0);

	/* A pool grows and shrinks; offline by configuration, and back. */
	configs[0].maxsources = 4;
	change = reconfigure(configs, 4);
	pass(20 * SECOND);
	cr_assert(fake_source_at(7));
	configs[0].maxsources = 1;
	configs[0].offline = true;
	change = reconfigure(configs, 4);
	cr_assert_eq(source_set_count(set), 4);
	cr_assert_eq(source_set_online(set, "p.example", false), 1);
	configs[0].offline = false;
	change = reconfigure(configs, 4);
	cr_assert(status_of("192.0.2.4").online);
	change = reconfigure(configs, 1);
	cr_assert_eq(change.removed, 3);
	cr_assert_eq(source_set_count(set), 1);
}

Test(set, a_reload_looks_for_members_that_lack_without_waiting)
{
	struct source_config config = pool("p.example", 4);
	unsigned int i;

	names(0, "p.example", "\1\2");
	add(config);
	for (i = 0; i < 300; i++) {
		answer_all_but(0, 0, 0);
		pass(SECOND);
	}
	names(0, "p.example", "\1\2\3\4");
	i = fake_lookups;
	pass(SECOND);
	cr_assert_eq(fake_lookups, i, "it is long until the next lookup");
	reconfigure(&config, 1);
	pass(SECOND);
	cr_assert_eq(fake_lookups, i + 1);
	cr_assert(fake_source_at(1) && fake_source_at(2) && fake_source_at(3) && fake_source_at(4));
	cr_assert_eq(fake_sources_made, 4, "those that were there lose nothing");
	reconfigure(&config, 1);
	pass(SECOND);
	cr_assert_eq(fake_lookups, i + 1, "none lacks");
}

Test(set, whom_to_believe_is_told_to_the_engine_and_changes_without_a_loss)
{
	struct source_config configs[2];
	struct source_set_change change;

	names(0, "p.example", "\4\5");
	configs[0] = pool("p.example", 2);
	configs[0].trust = true;
	configs[1] = server("192.0.2.1");
	configs[1].prefer = true;
	add(configs[0]);
	add(configs[1]);
	pass(SECOND);
	cr_assert_eq(engine.sources[fake_source_at(4)->index].options, ENGINE_SOURCE_TRUST);
	cr_assert_eq(engine.sources[fake_source_at(5)->index].options, ENGINE_SOURCE_TRUST);
	cr_assert_eq(engine.sources[fake_source_at(1)->index].options, ENGINE_SOURCE_PREFER);
	cr_assert_eq(status_of("192.0.2.1").options, ENGINE_SOURCE_PREFER);
	answer_all_but(0, 0, 0);

	configs[0].trust = false;
	configs[1].prefer = false;
	configs[1].noselect = true;
	change = reconfigure(configs, 2);
	cr_assert_eq(change.changed, 2);
	cr_assert_eq(fake_sources_made, 3);
	cr_assert_eq(engine.sources[fake_source_at(4)->index].options, 0);
	cr_assert_eq(engine.sources[fake_source_at(1)->index].options, ENGINE_SOURCE_NOSELECT);
	cr_assert_eq(engine.views[fake_source_at(1)->index].samples, 1);
}

Test(set, a_configuration_that_cannot_be_is_refused_as_a_whole)
{
	struct source_config configs[2] = {server("192.0.2.2"), pool("p", 0)};
	struct source_set_change change;

	add(server("192.0.2.1"));
	cr_assert_eq(source_set_reconfigure(set, configs, 2, &change), -EINVAL);
	cr_assert_eq(change.removed, 0);
	cr_assert(fake_source_at(1));
	/* One that fails by itself is told, and the others are there. */
	configs[1] = server("broken");
	cr_assert_eq(source_set_reconfigure(set, configs, 2, &change), -EINVAL);
	cr_assert_eq(change.added, 1);
	cr_assert(fake_source_at(2));
	cr_assert(strstr(told, "source broken: Invalid argument\n"));
}

/* Four pools of 16 fill the set; one of them shrinks for a server that stands before it. */
Test(set, what_shrinks_makes_room_for_what_comes)
{
	struct source_config configs[6];
	struct source_set_change change;
	char octets[17] = "";
	unsigned int i;

	for (i = 0; i < 4; i++) {
		static char name[4][10];
		unsigned int j;

		snprintf(name[i], sizeof(name[i]), "p%u.test", i);
		for (j = 0; j < 16; j++)
			octets[j] = (char)(16 * i + j + 1);
		names(i, name[i], octets);
		configs[i + 2] = pool(name[i], 16);
		add(configs[i + 2]);
	}
	pass(SECOND);
	cr_assert_eq(source_set_count(set), SOURCE_SET_MAX);
	configs[0] = server("192.0.2.101");
	configs[1] = server("192.0.2.102");
	configs[5].maxsources = 14;
	change = reconfigure(configs, 6);
	cr_assert_eq(change.added, 2);
	cr_assert_eq(change.changed, 1);
	cr_assert_eq(change.kept, 3);
	cr_assert(fake_source_at(101) && fake_source_at(102));
	cr_assert_eq(source_set_count(set), SOURCE_SET_MAX);
}

Test(set, one_that_was_denied_is_so_after_it_was_offline)
{
	add(server("192.0.2.1"));
	add(server("192.0.2.2"));
	answer_all_but(0, 0, 0);
	pass(SECOND);
	fake_source_at(1)->denied = true;
	fake_source_at(1)->context.events->lost(fake_source_at(1)->context.events->data,
						fake_source_at(1)->index, CHRONOTICK_SOURCE_DENIED);
	pass(SECOND);
	cr_assert_eq(status_of("192.0.2.1").summary.state, CHRONOTICK_SOURCE_DENIED);
	source_set_online(set, NULL, false);
	pass(SECOND);
	source_set_online(set, NULL, true);
	pass(SECOND);
	cr_assert_eq(status_of("192.0.2.1").summary.state, CHRONOTICK_SOURCE_DENIED);
	cr_assert_eq(status_of("192.0.2.2").summary.state, CHRONOTICK_SOURCE_UNREACHABLE);
}

Test(set, those_that_are_online_begin_anew_on_another_counter)
{
	add(server("192.0.2.1"));
	add(server("192.0.2.2"));
	pass(SECOND);
	source_set_online(set, "192.0.2.2", false);
	source_set_restart(set);
	cr_assert(fake_sources[0].online);
	cr_assert_eq(fake_sources[0].bursts, 1);
	cr_assert_not(fake_sources[1].online);
	cr_assert_eq(fake_sources[1].bursts, 0);
}

Test(set, a_pool_keeps_those_that_are_of_use)
{
	struct source_config config = pool("p.example", 4);

	names(0, "p.example", "\1\2\3\4");
	add(config);
	pass(SECOND);
	/* One that is switched off may be silent for as long as it likes. */
	cr_assert_eq(source_set_online(set, "192.0.2.4", false), 1);
	names(0, "p.example", "\1\2\3\4\5");
	for (unsigned int i = 0; i < 60; i++) {
		answer_all_but(4, SECOND / 2, 1);
		pass(SECOND);
	}
	cr_assert(fake_source_at(4));
	cr_assert_null(fake_source_at(5));
	config.maxsources = 2;
	cr_assert_eq(reconfigure(&config, 1).changed, 1);
	cr_assert_null(fake_source_at(4));
	cr_assert_null(fake_source_at(1)); /* false, but not for so long as to be replaced */
	cr_assert(fake_source_at(2) && fake_source_at(3));
}
