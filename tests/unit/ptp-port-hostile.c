/* SPDX-License-Identifier: MIT */
/* A PTP port among those who forge, repeat, flood and lie. */
#include <string.h>

#include <criterion/criterion.h>

#include "support/ptp_port_rig.h"

TestSuite(ptp_port_hostile, .init = set_up, .fini = take_down);

/* The master's identity, from elsewhere */

Test(ptp_port_hostile, spoofed_messages_are_refused_and_counted)
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

Test(ptp_port_hostile, an_identity_is_not_kept_from_its_owner)
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

Test(ptp_port_hostile, what_was_recorded_and_comes_again_is_refused)
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

/* There is room for some masters, and those that were there keep their places. */

Test(ptp_port_hostile, a_flood_of_masters_does_not_drive_out_the_one_that_is_followed)
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

Test(ptp_port_hostile, authentic_messages_alone_are_listened_to)
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

Test(ptp_port_hostile, authentic_messages_of_a_master_that_is_gone_are_not_its_time)
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
