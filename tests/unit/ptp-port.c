/* SPDX-License-Identifier: MIT */
/* A PTP port among masters that do what they should, and others: samples hold the truth. */
#include <string.h>

#include <criterion/criterion.h>

#include "chronotick_page.h"
#include "support/ptp-world.h"

#define SECOND PTP_WORLD_S

static struct ptp_world world;

static void setup(void)
{
	ptp_world_begin(&world);
}

static void teardown(void)
{
	ptp_world_end(&world);
}

TestSuite(ptp_port, .init = setup, .fini = teardown);

/* What follows holds for every case in which all goes well. */
static void expect_good(unsigned int samples, int64_t error_ns)
{
	struct ptp_statistics statistics = ptp_world_statistics(&world);

	cr_expect_geq(world.samples, samples, "%u samples", world.samples);
	cr_expect_eq(world.outside, 0, "%u outside, by up to %lld", world.outside,
		     (long long)world.worst_outside_ns);
	cr_expect_leq(world.error_ns, error_ns, "error %lld", (long long)world.error_ns);
	cr_expect_geq(world.error_ns, -error_ns, "error %lld", (long long)world.error_ns);
	cr_expect_eq(statistics.received,
		     statistics.accepted + statistics.rejected + statistics.dropped);
}

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

Test(ptp_port, a_master_that_is_worse_than_10_s_is_not_used)
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

Test(ptp_port, the_offset_may_be_configured)
{
	world.masters[0].flags = PTP_FLAG_TIMESCALE;
	world.masters[0].announce.utc_offset_s = 0;
	world.config.utc.offset_s = 37;
	ptp_world_port(&world);
	ptp_world_pass(&world, 10 * SECOND);
	expect_good(6, 60);
}

Test(ptp_port, a_master_that_dies_is_gone_within_its_timeout_and_another_takes_over)
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

Test(ptp_port, the_better_one_of_two_is_followed)
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
Test(ptp_port, a_spoofed_announcement_changes_nothing)
{
	ptp_world_port(&world);
	ptp_world_pass(&world, 10 * SECOND);
	ptp_world_master(&world, 1, 0)->silent = true;
	ptp_world_pass(&world, 20 * SECOND);
	cr_expect_eq(ptp_world_view(&world).master.clock[7], 1);
	expect_good(26, 60);
}

Test(ptp_port, what_alternate_masters_send_is_for_others)
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

/* One that sends time, but does not answer, loses its place to one that does. */
Test(ptp_port, a_master_that_does_not_answer_is_left)
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

/* The master's identity, from elsewhere */
Test(ptp_port, spoofed_messages_are_refused_and_counted)
{
	const struct ptp_address other = {6, {6, 6, 6, 6, 6, 6}};
	struct ptp_world_master *master = &world.masters[0];
	struct ptp_message message;
	unsigned int i;

	ptp_world_port(&world);
	ptp_world_pass(&world, 10 * SECOND);
	for (i = 0; i < 10; i++) {
		message =
			ptp_world_message(master, PTP_SYNC, (uint16_t)(master->sync_sequence + i));
		message.time_ns = ptp_world_time(&world, master) + 1000000;
		ptp_world_send(&world, &message, &other, NULL, 100);
		message.type = PTP_FOLLOW_UP;
		ptp_world_send(&world, &message, &other, NULL, 200);
		message = ptp_world_message(master, PTP_ANNOUNCE,
					    (uint16_t)(master->announce_sequence + 5));
		message.announce.utc_offset_s = 0;
		ptp_world_send(&world, &message, &other, NULL, 300);
		message = ptp_world_message(master, PTP_DELAY_RESP, (uint16_t)i);
		message.requesting = world.config.identity;
		message.time_ns = ptp_world_time(&world, master) + 1000000;
		ptp_world_send(&world, &message, &other, NULL, 400);
		ptp_world_pass(&world, SECOND);
	}
	expect_good(16, 60);
	cr_expect_eq(ptp_world_statistics(&world).rejects[PTP_BOGUS], 40);
	cr_expect_eq(world.losts, 0);
}

/* Who was there first with the master's identity does not keep it from him. */
Test(ptp_port, an_identity_is_not_kept_from_its_owner)
{
	const struct ptp_address other = {6, {6, 6, 6, 6, 6, 6}};
	struct ptp_world_master *master = &world.masters[0];
	struct ptp_message message;
	unsigned int i;

	ptp_world_port(&world);
	for (i = 0; i < 200; i++) {
		message = ptp_world_message(master, PTP_ANNOUNCE, (uint16_t)(i + 100));
		message.announce.priority1 = 0;
		ptp_world_send(&world, &message, &other, NULL, 100);
		if (i < 80) { /* and sends Sync messages, but does not answer */
			message = ptp_world_message(master, PTP_SYNC, (uint16_t)(i + 100));
			message.time_ns = ptp_world_time(&world, master) + 1000000;
			ptp_world_send(&world, &message, &other, NULL, 200);
		}
		ptp_world_pass(&world, SECOND / 10);
	}
	expect_good(1, 60);
	cr_expect_eq(ptp_world_view(&world).masters, 1);
	cr_expect_geq(ptp_world_statistics(&world).rejects[PTP_BOGUS], 50);
	world.samples = 0;
	ptp_world_pass(&world, 10 * SECOND);
	expect_good(8, 60);
}

Test(ptp_port, what_was_recorded_and_comes_again_is_refused)
{
	struct ptp_world_master *master = &world.masters[0];
	struct ptp_message message;
	unsigned int i;

	ptp_world_port(&world);
	ptp_world_pass(&world, 10 * SECOND);
	for (i = 0; i < 10; i++) {
		message =
			ptp_world_message(master, PTP_SYNC, (uint16_t)(master->sync_sequence - 3));
		message.time_ns = ptp_world_time(&world, master) - 3 * SECOND;
		ptp_world_send(&world, &message, &master->address, NULL, 100);
		message.type = PTP_FOLLOW_UP;
		ptp_world_send(&world, &message, &master->address, NULL, 200);
		message = ptp_world_message(master, PTP_ANNOUNCE,
					    (uint16_t)(master->announce_sequence - 2));
		ptp_world_send(&world, &message, &master->address, NULL, 300);
		message = ptp_world_message(master, PTP_DELAY_RESP, 1);
		message.requesting = world.config.identity;
		ptp_world_send(&world, &message, &master->address, NULL, 400);
		ptp_world_pass(&world, SECOND);
	}
	expect_good(16, 60);
	cr_expect_eq(ptp_world_statistics(&world).rejects[PTP_DUPLICATE], 20);
	cr_expect_eq(ptp_world_statistics(&world).rejects[PTP_LATE], 20);
}

Test(ptp_port, other_domains_are_counted_and_not_listened_to)
{
	world.masters[0].domain = 3;
	ptp_world_port(&world);
	ptp_world_pass(&world, 10 * SECOND);
	cr_expect_eq(world.samples, 0);
	cr_expect_geq(ptp_world_statistics(&world).rejects[PTP_OTHER_DOMAIN], 25);
	cr_expect_eq(ptp_world_view(&world).masters, 0);
}

/* Two that are the best in turn: each time it is known whose samples they are, none is wrong. */
Test(ptp_port, two_masters_that_flap_keep_the_bound)
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

/* There is room for some masters, and those that were there keep their places. */
Test(ptp_port, a_flood_of_masters_does_not_drive_out_the_one_that_is_followed)
{
	struct ptp_world_master spoof;
	struct ptp_message message;
	unsigned int i, j;

	ptp_world_port(&world);
	ptp_world_pass(&world, 10 * SECOND);
	for (i = 0; i < 200; i++) {
		for (j = 0; j < 10; j++) {
			spoof = world.masters[0];
			spoof.port.clock[0] = (uint8_t)i;
			spoof.port.clock[1] = (uint8_t)(j + 1);
			spoof.announce.priority1 = 0;
			memcpy(spoof.announce.grandmaster, spoof.port.clock, 8);
			message = ptp_world_message(&spoof, PTP_ANNOUNCE, (uint16_t)i);
			ptp_world_send(&world, &message, &spoof.address, NULL, 100 * j);
		}
		ptp_world_pass(&world, SECOND / 10);
	}
	cr_expect_leq(ptp_world_view(&world).masters, PTP_MASTERS_MAX);
	expect_good(26, 60);
	cr_expect_eq(world.losts, 0);
}

static const struct ptp_auth secret = {{.id = 42, .size = 16, .bytes = "0123456789abcdef"}, 5};

Test(ptp_port, authentic_messages_alone_are_listened_to)
{
	static const struct ptp_auth other = {{.id = 42, .size = 16, .bytes = "0123456789abcdeg"},
					      5};

	world.config.auth = secret;
	world.masters[0].auth = &secret;
	ptp_world_master(&world, 1, 0)->auth = &other;
	ptp_world_master(&world, 2, 0);
	ptp_world_port(&world);
	ptp_world_pass(&world, 10 * SECOND);
	expect_good(6, 60);
	cr_expect_eq(ptp_world_view(&world).master.clock[7], 1);
	cr_expect_geq(ptp_world_statistics(&world).rejects[PTP_UNAUTHENTIC], 50);
}

/*
 * With the link's delay from elsewhere, nothing but its time tells an authentic Sync message that is new
 * from one that was sent before.
 */
Test(ptp_port, authentic_messages_of_a_master_that_is_gone_are_not_its_time)
{
	struct ptp_world_master *master = &world.masters[0];
	struct ptp_message message;
	unsigned int i;

	world.config.mechanism = PTP_P2P;
	world.config.auth = secret;
	master->auth = &secret;
	master->log_announce = -2;
	ptp_world_port(&world);
	ptp_world_pass(&world, 20 * SECOND);
	expect_good(16, 60);
	master->on = false;
	ptp_world_pass(&world, SECOND);
	world.samples = 0;
	for (i = 0; i < 20; i++) {
		message = ptp_world_message(master, PTP_ANNOUNCE,
					    (uint16_t)(master->announce_sequence - 40 + i));
		ptp_world_send(&world, &message, &master->address, &secret, 100);
		message = ptp_world_message(master, PTP_SYNC,
					    (uint16_t)(master->sync_sequence - 40 + i));
		message.flags &= (uint16_t)~PTP_FLAG_TWO_STEP;
		message.time_ns = ptp_world_time(&world, master) - 5 * SECOND;
		ptp_world_send(&world, &message, &master->address, &secret, 200);
		ptp_world_pass(&world, SECOND / 10);
	}
	cr_expect_eq(ptp_world_view(&world).masters, 1);
	cr_expect_eq(world.samples, 0);
	cr_expect_eq(world.outside, 0);
	/* Once it is back it is followed, be it that it counts anew. */
	master->on = true;
	master->sync_sequence = 0;
	master->announce_sequence = 0;
	ptp_world_pass(&world, 20 * SECOND);
	expect_good(10, 60);
}

Test(ptp_port, a_unicast_master_is_asked_for_its_messages)
{
	struct ptp_world_master *master = &world.masters[0];

	master->negotiates = true;
	world.config.master = master->address;
	world.config.negotiates = true;
	world.config.grant_s = 10;
	ptp_world_port(&world);
	ptp_world_pass(&world, 60 * SECOND);
	expect_good(54, 60);
	/* Three services, renewed every 5 s */
	cr_expect_geq(world.signals, 3 * 10);
	cr_expect_leq(world.signals, 3 * 14);
	cr_expect_eq(ptp_world_statistics(&world).rejected, 0);
	ptp_port_leave(world.port, world.now_ns);
	cr_expect_eq(master->cancelled, 3);
}

Test(ptp_port, a_unicast_master_that_denies_is_asked_less_and_less)
{
	world.masters[0].negotiates = true;
	world.masters[0].denies = true;
	world.config.master = world.masters[0].address;
	world.config.negotiates = true;
	ptp_world_port(&world);
	ptp_world_pass(&world, 600 * SECOND);
	cr_expect_eq(world.samples, 0);
	cr_expect_leq(world.signals, 20);
	cr_expect_geq(world.signals, 8);
	world.masters[0].denies = false;
	ptp_world_pass(&world, 80 * SECOND);
	expect_good(5, 60);
}

/* It knows of no grants then, and counts anew. */
Test(ptp_port, a_unicast_master_that_restarts_is_asked_soon)
{
	struct ptp_world_master *master = &world.masters[0];

	master->negotiates = true;
	world.config.master = master->address;
	world.config.negotiates = true;
	ptp_world_port(&world);
	ptp_world_pass(&world, 20 * SECOND);
	memset(master->granted_ns, 0, sizeof(master->granted_ns));
	master->announce_sequence = 0;
	ptp_world_pass(&world, 15 * SECOND);
	world.samples = 0;
	ptp_world_pass(&world, 10 * SECOND);
	expect_good(9, 60);
	/* Of Sync messages alone, too */
	master->granted_ns[PTP_SYNC] = 0;
	ptp_world_pass(&world, 15 * SECOND);
	world.samples = 0;
	ptp_world_pass(&world, 10 * SECOND);
	expect_good(9, 60);
	/* And before there was any message */
	ptp_world_end(&world);
	ptp_world_port(&world);
	ptp_world_pass(&world, SECOND / 2);
	memset(master->granted_ns, 0, sizeof(master->granted_ns));
	ptp_world_pass(&world, 60 * SECOND);
	world.samples = 0;
	ptp_world_pass(&world, 10 * SECOND);
	expect_good(9, 60);
}

/* A signaling message with several TLVs, of which the first one is not waited for, to all ports */
Test(ptp_port, each_grant_counts_by_itself)
{
	struct ptp_world_master *master = &world.masters[0];
	struct ptp_message message = ptp_world_message(master, PTP_SIGNALING, 9);
	struct ptp_unicast_tlv what = {
		.message = PTP_SYNC, .log_interval = -4, .duration_s = 100, .renewal = true};
	uint8_t data[PTP_OUT_MAX];
	size_t size;

	world.config.master = master->address;
	world.config.negotiates = true;
	master->deaf = true;
	ptp_world_port(&world);
	ptp_world_pass(&world, 3 * SECOND);
	memcpy(message.requesting.clock, world.config.identity.clock, 8);
	message.requesting.port = 0xffff;
	size = ptp_message_write(&message, data);
	size = ptp_unicast_tlv_append(data, size, PTP_TLV_GRANT_UNICAST, &what);
	cr_expect_eq(ptp_port_receive(world.port, world.now_ns, data, size, &master->address, NULL),
		     PTP_GOOD);
	cr_expect_eq(ptp_world_view(&world).log_sync, -4);
	what.message = PTP_DELAY_RESP;
	what.log_interval = -2;
	size = ptp_unicast_tlv_append(data, size, PTP_TLV_GRANT_UNICAST, &what);
	cr_expect_eq(ptp_port_receive(world.port, world.now_ns, data, size, &master->address, NULL),
		     PTP_GOOD);
	cr_expect_eq(ptp_world_view(&world).log_delay, -2);
	cr_expect_eq(ptp_port_receive(world.port, world.now_ns, data, size, &master->address, NULL),
		     PTP_LATE);
	message.requesting.port = world.config.identity.port + 1;
	size = ptp_message_write(&message, data);
	cr_expect_eq(ptp_port_receive(world.port, world.now_ns, data, size, &master->address, NULL),
		     PTP_IGNORED);
}

Test(ptp_port, a_master_may_cancel_what_it_granted)
{
	struct ptp_world_master *master = &world.masters[0];
	struct ptp_message message = ptp_world_message(master, PTP_SIGNALING, 9);
	const struct ptp_unicast_tlv what = {.message = PTP_SYNC};
	uint8_t data[PTP_OUT_MAX];
	size_t size;

	master->negotiates = true;
	world.config.master = master->address;
	world.config.negotiates = true;
	ptp_world_port(&world);
	ptp_world_pass(&world, 10 * SECOND);
	world.signals = 0;
	message.requesting = world.config.identity;
	size = ptp_message_write(&message, data);
	size = ptp_unicast_tlv_append(data, size, PTP_TLV_CANCEL_UNICAST, &what);
	cr_assert_eq(ptp_port_receive(world.port, world.now_ns, data, size, &master->address, NULL),
		     PTP_GOOD);
	master->granted_ns[PTP_SYNC] = 0;
	ptp_port_tick(world.port, world.now_ns);
	cr_expect_eq(world.signals, 1); /* an acknowledgement */
	cr_assert_eq(ptp_port_receive(world.port, world.now_ns, data, size, &master->address, NULL),
		     PTP_LATE);
	ptp_world_pass(&world, 10 * SECOND);
	cr_expect_geq(world.signals, 2); /* and another request */
	expect_good(12, 60);
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
