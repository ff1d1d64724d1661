/* SPDX-License-Identifier: MIT */
/* A PTP port among masters that do what they should: what it measures holds the truth. */
#include <criterion/criterion.h>

#include "chronotick_page.h"
#include "support/ptp_port_rig.h"

TestSuite(ptp_port, .init = set_up, .fini = take_down);

Test(ptp_port, follows_a_master_with_two_steps)
{
	ptp_world_port(&world);
	ptp_world_pass(&world, 20 * SECOND);
	expect_good(16, 60);
	cr_expect_eq(ptp_world_view(&world).state, PTP_SLAVE);
	cr_expect_eq(ptp_world_view(&world).reach, 255);
	cr_expect_eq(ptp_world_view(&world).utc_offset_s, 37);
	cr_expect_eq(world.last.root_dispersion_ns, 100);
	cr_expect_eq(world.last.stratum, 1);
	cr_expect_eq(world.last.tx_stamp, CHRONOTICK_STAMP_HARDWARE);
	cr_expect_eq(ptp_world_statistics(&world).rejected, 0);
	/* The bound allows for all of the path's delay, and for little more. */
	cr_expect_geq(world.last.delay_ns, 2 * 1900);
	cr_expect_leq(world.last.delay_ns / 2 + world.last.dispersion_ns, 2200);
}

Test(ptp_port, follow_ups_may_come_first)
{
	world.masters[0].follow_up_first = true;
	ptp_world_port(&world);
	ptp_world_pass(&world, 20 * SECOND);
	expect_good(16, 60);
	cr_expect_eq(ptp_world_statistics(&world).rejected, 0);
}

/* Neither does what comes before a Sync message belong to one of that number that comes much later, */

Test(ptp_port, a_follow_up_of_another_time_is_none)
{
	struct ptp_world_master *master = &world.masters[0];
	struct ptp_message message;
	unsigned int i;

	world.config.mechanism = PTP_P2P;
	ptp_world_port(&world);
	ptp_world_pass(&world, 10 * SECOND);
	for (i = 0; i < 3; i++) {
		message = ptp_world_message(master, PTP_FOLLOW_UP,
					    (uint16_t)(master->sync_sequence + 2));
		message.time_ns = ptp_world_time(&world, master);
		ptp_world_send(&world, &message, &master->address, NULL, 100);
		ptp_world_pass(&world, 5 * SECOND);
	}
	expect_good(16, 60);
}

/* ... nor to one that tells its time itself. */

Test(ptp_port, a_sync_message_of_one_step_has_no_follow_up)
{
	struct ptp_world_master *master = &world.masters[0];
	struct ptp_message message;
	unsigned int i;

	master->one_step = true;
	ptp_world_port(&world);
	ptp_world_pass(&world, 10 * SECOND);
	for (i = 0; i < 8; i++) {
		message = ptp_world_message(master, PTP_FOLLOW_UP, master->sync_sequence);
		message.time_ns = ptp_world_time(&world, master);
		message.correction = 500 * 65536;
		ptp_world_send(&world, &message, &master->address, NULL,
			       master->sync_ns - world.now_ns - 1000);
		ptp_world_pass(&world, SECOND);
	}
	expect_good(16, 60);
}

Test(ptp_port, one_step_and_corrections_of_transparent_clocks)
{
	world.masters[0].one_step = true;
	world.masters[0].correction_ns = 123456;
	ptp_world_port(&world);
	ptp_world_pass(&world, 20 * SECOND);
	expect_good(16, 60);
	cr_expect_eq(ptp_world_view(&world).correction_ns, 123456);
	cr_expect_leq(world.last.delay_ns, 2 * 2200);
}

Test(ptp_port, asks_as_often_as_the_master_wants_and_no_more_than_8_times_a_second)
{
	world.masters[0].log_sync = -7;
	world.masters[0].log_delay = -7;
	ptp_world_port(&world);
	ptp_world_pass(&world, 20 * SECOND);
	expect_good(100, 60);
	cr_expect_leq(world.requests, 20 * 8 + 16);
	world.masters[0].log_delay = 2;
	world.requests = 0;
	ptp_world_pass(&world, 40 * SECOND);
	cr_expect_leq(world.requests, 14);
	cr_expect_geq(world.requests, 7);
}

Test(ptp_port, measures_the_link_with_the_neighbour)
{
	world.config.mechanism = PTP_P2P;
	world.masters[0].log_sync = -3;
	ptp_world_port(&world);
	ptp_world_pass(&world, 20 * SECOND);
	expect_good(100, 60);
	cr_expect_eq(world.requests, 0);
	cr_expect_geq(world.peer_requests, 18);
	cr_expect_leq(world.last.delay_ns / 2 + world.last.dispersion_ns, 2200);
}

/* Who the neighbour is cannot be known, and so neither how far away the master is. */

Test(ptp_port, two_neighbours_are_none)
{
	unsigned int steps;

	world.config.mechanism = PTP_P2P;
	world.masters[0].log_sync = -3;
	for (steps = 1; steps <= 2; steps++) {
		ptp_world_master(&world, 1, 200)->one_step = steps == 1;
		ptp_world_port(&world);
		ptp_world_pass(&world, 20 * SECOND);
		expect_good(100, 60);
		world.crowded = true;
		ptp_world_pass(&world, 2 * SECOND);
		world.samples = 0;
		ptp_world_pass(&world, 60 * SECOND);
		cr_expect_eq(world.samples, 0, "%u samples", world.samples);
		cr_expect_eq(world.lost, CHRONOTICK_SOURCE_UNREACHABLE);
		cr_expect_geq(ptp_world_statistics(&world).rejects[PTP_BOGUS], 50);
		/* The other one has gone. */
		world.crowded = false;
		ptp_world_pass(&world, 30 * SECOND);
		expect_good(100, 60);
		ptp_world_end(&world);
	}
}

/* Of 128 messages a second a dozen come before the follow-up. */
Test(ptp_port, follow_ups_may_be_late)
{
	world.masters[0].log_sync = -7;
	world.masters[0].follow_up_ns = 100000000;
	ptp_world_port(&world);
	ptp_world_pass(&world, 20 * SECOND);
	expect_good(16, 60);
	ptp_world_end(&world);
	world.config.mechanism = PTP_P2P;
	world.samples = 0;
	ptp_world_port(&world);
	ptp_world_pass(&world, 20 * SECOND);
	expect_good(100, 60);
}

/* However seldom Sync messages come, and wherever the master's time goes */

Test(ptp_port, the_link_serves_slow_masters_and_such_that_step)
{
	world.config.mechanism = PTP_P2P;
	world.masters[0].log_sync = 4;
	ptp_world_port(&world);
	ptp_world_pass(&world, 200 * SECOND);
	expect_good(4, 60);
	cr_expect_leq(world.last.delay_ns / 2 + world.last.dispersion_ns, 10000);
	world.masters[0].log_sync = -3;
	world.masters[0].sync_ns = world.now_ns;
	ptp_world_pass(&world, 20 * SECOND);
	world.masters[0].error_ns = 80000000LL * SECOND;
	ptp_world_pass(&world, 20 * SECOND);
	world.masters[0].error_ns = -80000000LL * SECOND;
	ptp_world_pass(&world, 20 * SECOND);
	world.masters[0].error_ns = 0;
	ptp_world_pass(&world, 20 * SECOND);
	world.outside = 0;
	world.worst_outside_ns = 0;
	ptp_world_pass(&world, 20 * SECOND);
	expect_good(300, 60);
	cr_expect_leq(world.last.delay_ns / 2 + world.last.dispersion_ns, 2200);
}

Test(ptp_port, a_neighbour_may_answer_in_one_step)
{
	world.config.mechanism = PTP_P2P;
	world.config.sdo = 0x100;
	world.masters[0].sdo = 0x100;
	world.masters[0].one_step = true;
	ptp_world_port(&world);
	ptp_world_pass(&world, 20 * SECOND);
	expect_good(15, 60);
}

/* The error is what nobody can measure; the bound has it, as it has all of the delay. */

Test(ptp_port, an_asymmetry_that_nobody_knows_is_within_the_bound)
{
	world.forth_ns = 4000;
	world.back_ns = 0;
	ptp_world_port(&world);
	ptp_world_pass(&world, 20 * SECOND);
	expect_good(16, 2060);
	cr_expect_leq(world.error_ns, -1940);
}

Test(ptp_port, one_that_is_configured_is_taken_out)
{
	world.forth_ns = 4000;
	world.back_ns = 2000;
	world.config.asymmetry_ns = 1000;
	world.config.asymmetry_max_ns = 0;
	ptp_world_port(&world);
	ptp_world_pass(&world, 30 * SECOND);
	expect_good(25, 60);
	cr_expect_leq(world.last.delay_ns / 2 + world.last.dispersion_ns, 100);
}

/* What messages wait in queues, on whatever way, is in the bound also when the path is known. */

Test(ptp_port, waiting_is_within_the_bound_of_a_path_that_is_known)
{
	world.jitter_ns = 5000;
	world.config.asymmetry_max_ns = 0;
	world.masters[0].log_sync = -3;
	world.masters[0].log_delay = -3;
	ptp_world_port(&world);
	ptp_world_pass(&world, 70 * SECOND);
	expect_good(300, 20000);
}

Test(ptp_port, loss_and_duplicates_cost_samples_and_nothing_else)
{
	world.loss = 20;
	world.twice = true;
	world.masters[0].log_sync = -2;
	ptp_world_port(&world);
	ptp_world_pass(&world, 120 * SECOND);
	expect_good(60, 60);
	cr_expect_geq(ptp_world_statistics(&world).rejects[PTP_DUPLICATE] +
			      ptp_world_statistics(&world).rejects[PTP_LATE],
		      100);
}

Test(ptp_port, without_transmit_stamps_there_are_no_samples)
{
	world.no_stamps = true;
	ptp_world_port(&world);
	ptp_world_pass(&world, 20 * SECOND);
	cr_expect_eq(world.samples, 0);
	cr_expect_eq(ptp_world_view(&world).state, PTP_UNCALIBRATED);
}

Test(ptp_port, an_arbitrary_timescale_is_utc_and_a_tai_without_an_offset_is_not_used)
{
	world.masters[0].tai = false;
	world.masters[0].flags = 0;
	ptp_world_port(&world);
	ptp_world_pass(&world, 10 * SECOND);
	expect_good(6, 60);
	world.masters[0].tai = true;
	world.masters[0].flags = PTP_FLAG_TIMESCALE;
	ptp_world_pass(&world, 2 * SECOND);
	world.samples = 0;
	ptp_world_pass(&world, 10 * SECOND);
	cr_expect_eq(world.samples, 0);
	cr_expect_eq(world.lost, CHRONOTICK_SOURCE_UNSYNCHRONIZED);
}

Test(ptp_port, the_offset_may_be_configured)
{
	world.masters[0].flags = PTP_FLAG_TIMESCALE;
	world.masters[0].announce.utc_offset_s = 0;
	world.config.utc.offset_s = 37;
	ptp_world_port(&world);
	ptp_world_pass(&world, 10 * SECOND);
	expect_good(6, 60);
}

Test(ptp_port, answers_a_neighbour_that_measures_the_link_too)
{
	struct ptp_message request;
	unsigned int i;

	world.config.mechanism = PTP_P2P;
	ptp_world_port(&world);
	ptp_world_pass(&world, 2 * SECOND);
	request = ptp_world_message(&world.masters[0], PTP_PDELAY_REQ, 77);
	ptp_world_send(&world, &request, &world.masters[0].address, NULL, 100);
	ptp_world_pass(&world, SECOND / 2);
	cr_expect_eq(world.peer_responses, 1);
	/* A flood of them is not answered. */
	for (i = 0; i < 1000; i++) {
		ptp_world_send(&world, &request, &world.masters[0].address, NULL, 100);
		ptp_world_pass(&world, SECOND / 1000);
	}
	cr_expect_leq(world.peer_responses, 70);
	/* Whoever measures from end to end does not answer at all. */
	ptp_world_end(&world);
	world.config.mechanism = PTP_E2E;
	world.peer_responses = 0;
	ptp_world_port(&world);
	ptp_world_send(&world, &request, &world.masters[0].address, NULL, 100);
	ptp_world_pass(&world, SECOND);
	cr_expect_eq(world.peer_responses, 0);
}

/* A step of the master by 1 ms: the very next samples are of its new time. */

Test(ptp_port, a_step_of_the_master_is_followed)
{
	ptp_world_port(&world);
	ptp_world_pass(&world, 30 * SECOND);
	world.masters[0].error_ns = 1000000;
	ptp_world_pass(&world, 5 * SECOND);
	cr_expect_leq(world.error_ns, 1000060);
	cr_expect_geq(world.error_ns, 999940);
}

Test(ptp_port, configurations_out_of_range_are_refused)
{
	struct ptp_port *port;

	world.config.announce_timeout = 1;
	cr_expect_neq(ptp_port_new(&port, &world.config, &world.scale, &world.ops, 1), 0);
	world.config.announce_timeout = 3;
	world.config.log_sync = 7;
	cr_expect_neq(ptp_port_new(&port, &world.config, &world.scale, &world.ops, 1), 0);
	world.config.log_sync = 0;
	world.config.negotiates = true;
	cr_expect_neq(ptp_port_new(&port, &world.config, &world.scale, &world.ops, 1), 0);
}
