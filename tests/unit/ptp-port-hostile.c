/* SPDX-License-Identifier: MIT */
/* A PTP port among those who forge, repeat, flood and lie. */
#include <string.h>

#include <criterion/criterion.h>

#include "chronotick_page.h"
#include "sources/ptp_unicast.h"
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

/* One whose time was too far ahead takes nothing from the one that comes after it. */
Test(ptp_port_hostile, an_authentic_master_counts_for_itself)
{
	struct ptp_world_master *next;

	world.config.mechanism = PTP_P2P;
	world.config.auth = secret;
	world.masters[0].auth = &secret;
	world.masters[0].error_ns = 86400 * SECOND;
	ptp_world_port(&world);
	ptp_world_pass(&world, 20 * SECOND);
	next = ptp_world_master(&world, 1, 1);
	next->auth = &secret;
	ptp_world_pass(&world, 10 * SECOND);
	world.samples = world.outside = 0;
	ptp_world_pass(&world, 20 * SECOND);
	cr_expect_geq(world.samples, 16);
	cr_expect_eq(world.outside, 0);
}

/* Whatever is asked of it, it sends nothing that only masters do. */
Test(ptp_port_hostile, a_client_sends_what_clients_do_and_nothing_else)
{
	static const uint16_t allowed[] = {
		1 << PTP_DELAY_REQ,
		1 << PTP_PDELAY_REQ | 1 << PTP_PDELAY_RESP | 1 << PTP_PDELAY_RESP_FOLLOW_UP,
		1 << PTP_DELAY_REQ | 1 << PTP_SIGNALING,
	};
	const struct ptp_unicast_tlv what = {.message = PTP_ANNOUNCE, .duration_s = 100};
	const struct ptp_instant rx = {1, 1, CHRONOTICK_STAMP_HARDWARE};
	struct ptp_world_master *master = &world.masters[0];
	uint8_t data[PTP_OUT_MAX];
	unsigned int how, type;
	size_t size;

	for (how = 0; how < 3; how++) {
		world.config.mechanism = how == 1 ? PTP_P2P : PTP_E2E;
		world.config.negotiates = master->negotiates = how == 2;
		world.config.master = how == 2 ? master->address : (struct ptp_address){0};
		world.types = 0;
		ptp_world_port(&world);
		ptp_world_pass(&world, 10 * SECOND);
		for (type = 0; type < 32; type++) {
			struct ptp_message message =
				ptp_world_message(master, type % 16, (uint16_t)type);

			/* Of somebody else, too */
			message.source.port = (uint16_t)(message.source.port + type / 16);
			message.requesting = world.config.identity;
			size = ptp_message_write(&message, data);
			if (message.type == PTP_SIGNALING)
				size = ptp_unicast_tlv_append(data, size, PTP_TLV_REQUEST_UNICAST,
							      &what);
			ptp_port_receive(world.port, world.now_ns, data, size, &master->address,
					 message.type < PTP_EVENT_TYPES ? &rx : NULL);
			ptp_world_pass(&world, SECOND / 4);
		}
		master->on = false;
		ptp_world_pass(&world, 60 * SECOND);
		master->on = true;
		master->announce_ns = master->sync_ns = world.now_ns;
		cr_expect_eq(world.types & ~allowed[how], 0, "%x", world.types);
		cr_expect_eq(world.types & allowed[how], allowed[how], "%x", world.types);
		ptp_world_end(&world);
	}
}

/* Intervals that cannot be are not the master's; nor are they told to anybody. */
Test(ptp_port_hostile, intervals_that_cannot_be_are_not_taken)
{
	world.masters[0].one_step = true;
	world.masters[0].log_delay = -1;
	ptp_world_port(&world);
	ptp_world_pass(&world, 10 * SECOND);
	world.tells = true;
	for (world.told = -128; world.told < 127; world.told += 5) {
		ptp_world_pass(&world, 2 * SECOND);
		cr_expect_geq(ptp_world_view(&world).log_sync, -7);
		cr_expect_leq(ptp_world_view(&world).log_sync, 6);
		cr_expect_geq(ptp_world_view(&world).log_delay, -7);
		cr_expect_leq(ptp_world_view(&world).log_delay, 6);
	}
	expect_good(60, 60);
}
