/* SPDX-License-Identifier: MIT */
/* Which of several masters a PTP port follows. */
#include <criterion/criterion.h>

#include "chronotick_page.h"
#include "support/ptp_port_rig.h"

TestSuite(ptp_port_masters, .init = set_up, .fini = take_down);

Test(ptp_port_masters, a_master_that_is_worse_than_10_s_is_not_used)
{
	world.masters[0].announce.accuracy = 0x31;
	ptp_world_port(&world);
	ptp_world_pass(&world, 10 * SECOND);
	cr_expect_eq(world.samples, 0);
	cr_expect_eq(world.lost, CHRONOTICK_SOURCE_UNSYNCHRONIZED);
	ptp_world_end(&world);
	world.config.accuracy_ns = 1000;
	ptp_world_port(&world);
	ptp_world_pass(&world, 10 * SECOND);
	expect_good(6, 60);
	cr_expect_eq(world.last.root_dispersion_ns, 1000);
}

Test(ptp_port_masters, a_master_that_dies_is_gone_within_its_timeout_and_another_takes_over)
{
	ptp_world_port(&world);
	ptp_world_pass(&world, 10 * SECOND);
	world.masters[0].on = false;
	ptp_world_pass(&world, 4 * SECOND);
	cr_expect_eq(world.losts, 1);
	cr_expect_eq(world.lost, CHRONOTICK_SOURCE_UNREACHABLE);
	cr_expect_eq(ptp_world_view(&world).state, PTP_LISTENING);

	ptp_world_master(&world, 1, 200);
	ptp_world_pass(&world, 10 * SECOND);
	cr_expect_eq(ptp_world_view(&world).state, PTP_SLAVE);
	cr_expect_eq(ptp_world_view(&world).master.clock[7], 2);
	expect_good(14, 60);
}

Test(ptp_port_masters, the_better_one_of_two_is_followed)
{
	ptp_world_master(&world, 1, 200);
	ptp_world_port(&world);
	ptp_world_pass(&world, 10 * SECOND);
	cr_expect_eq(ptp_world_view(&world).master.clock[7], 1);
	ptp_world_master(&world, 2, 1);
	ptp_world_pass(&world, 10 * SECOND);
	cr_expect_eq(ptp_world_view(&world).master.clock[7], 3);
	cr_expect_eq(ptp_world_view(&world).masters, 3);
	cr_expect_eq(ptp_world_statistics(&world).changes, 1);
	world.masters[2].on = false;
	ptp_world_pass(&world, 10 * SECOND);
	cr_expect_eq(ptp_world_view(&world).master.clock[7], 1);
	cr_expect_eq(world.losts, 0); /* nobody was without a master */
	expect_good(25, 60);
}

/* Whoever only announces takes nobody's place. */

Test(ptp_port_masters, a_spoofed_announcement_changes_nothing)
{
	ptp_world_port(&world);
	ptp_world_pass(&world, 10 * SECOND);
	ptp_world_master(&world, 1, 0)->silent = true;
	ptp_world_pass(&world, 20 * SECOND);
	cr_expect_eq(ptp_world_view(&world).master.clock[7], 1);
	expect_good(26, 60);
}

Test(ptp_port_masters, what_alternate_masters_send_is_for_others)
{
	struct ptp_world_master *master = &world.masters[0];
	struct ptp_message message;
	uint64_t ignored;
	unsigned int i;

	ptp_world_port(&world);
	ptp_world_pass(&world, 10 * SECOND);
	ignored = ptp_world_statistics(&world).ignored;
	for (i = 0; i < 10; i++) {
		message = ptp_world_message(master, PTP_SYNC, master->sync_sequence);
		message.flags = PTP_FLAG_ALTERNATE_MASTER;
		message.time_ns = ptp_world_time(&world, master) + 1000000;
		ptp_world_send(&world, &message, &master->address, NULL, 100);
		message = ptp_world_message(master, PTP_DELAY_RESP, world.sequences[PTP_DELAY_REQ]);
		message.flags = PTP_FLAG_ALTERNATE_MASTER;
		message.requesting = world.config.identity;
		ptp_world_send(&world, &message, &master->address, NULL, 100);
		ptp_world_pass(&world, SECOND);
	}
	expect_good(16, 60);
	cr_expect_eq(ptp_world_statistics(&world).ignored - ignored, 20);
	cr_expect_eq(ptp_world_statistics(&world).rejected, 0);
}

/* What goes to all is answered by each of two that are active at once. */

Test(ptp_port_masters, the_answer_of_another_master_is_no_attack)
{
	struct ptp_world_master *other = ptp_world_master(&world, 1, 200);
	struct ptp_message message;
	uint64_t ignored;
	unsigned int i;

	ptp_world_port(&world);
	ptp_world_pass(&world, 10 * SECOND);
	ignored = ptp_world_statistics(&world).ignored;
	for (i = 0; i < 10; i++) {
		message = ptp_world_message(other, PTP_DELAY_RESP, world.sequences[PTP_DELAY_REQ]);
		message.requesting = world.config.identity;
		ptp_world_send(&world, &message, &other->address, NULL, 100);
		ptp_world_pass(&world, SECOND);
	}
	expect_good(16, 60);
	cr_expect_geq(ptp_world_statistics(&world).ignored - ignored, 10);
	cr_expect_eq(ptp_world_statistics(&world).rejected, 0);
}

/* One that sends time, but does not answer, loses its place to one that does. */

Test(ptp_port_masters, a_master_that_does_not_answer_is_left)
{
	ptp_world_port(&world);
	ptp_world_pass(&world, 10 * SECOND);
	ptp_world_master(&world, 1, 0)->deaf = true;
	ptp_world_pass(&world, 25 * SECOND);
	cr_expect_eq(ptp_world_view(&world).master.clock[7], 1);
	world.samples = 0;
	ptp_world_pass(&world, 10 * SECOND);
	expect_good(8, 60);
}

Test(ptp_port_masters, other_domains_are_counted_and_not_listened_to)
{
	world.masters[0].domain = 3;
	ptp_world_port(&world);
	ptp_world_pass(&world, 10 * SECOND);
	cr_expect_eq(world.samples, 0);
	cr_expect_geq(ptp_world_statistics(&world).rejects[PTP_OTHER_DOMAIN], 25);
	cr_expect_eq(ptp_world_view(&world).masters, 0);
}

/* Two that are the best in turn: each time it is known whose samples they are, none is wrong. */

Test(ptp_port_masters, two_masters_that_flap_keep_the_bound)
{
	unsigned int i;

	ptp_world_port(&world);
	ptp_world_master(&world, 1, 128);
	world.masters[0].log_sync = world.masters[1].log_sync = -3;
	for (i = 0; i < 40; i++) {
		world.masters[0].announce.priority1 = i % 2 ? 10 : 200;
		ptp_world_pass(&world, 2 * SECOND);
	}
	expect_good(40, 60);
	cr_expect_geq(ptp_world_statistics(&world).changes, 20);
	cr_expect_leq(ptp_world_statistics(&world).changes, 80);
}
