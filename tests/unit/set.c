/* SPDX-License-Identifier: MIT */
/* The set of sources, with sources and names that are made up. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/set_rig.h"

TestSuite(set, .init = set_up, .fini = take_down);

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
