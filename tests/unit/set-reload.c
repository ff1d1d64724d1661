/* SPDX-License-Identifier: MIT */
/* What another configuration does to the set of sources. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/set_rig.h"

TestSuite(set_reload, .init = set_up, .fini = take_down);

static struct source_set_change reconfigure(const struct source_config *configs, unsigned int count)
{
	struct source_set_change change;

	cr_assert_eq(source_set_reconfigure(set, configs, count, &change), 0);
	pass(SECOND);
	return change;
}

Test(set_reload, another_configuration_leaves_what_is_the_same_alone)
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

Test(set_reload, a_reload_looks_for_members_that_lack_without_waiting)
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

Test(set_reload, whom_to_believe_is_told_to_the_engine_and_changes_without_a_loss)
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

Test(set_reload, a_configuration_that_cannot_be_is_refused_as_a_whole)
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
Test(set_reload, what_shrinks_makes_room_for_what_comes)
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

Test(set_reload, a_pool_keeps_those_that_are_of_use)
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
