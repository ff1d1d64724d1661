/* SPDX-License-Identifier: MIT */
/* A PTP port that asks a unicast master for its messages. */
#include <string.h>

#include <criterion/criterion.h>

#include "support/ptp_port_rig.h"

TestSuite(ptp_port_unicast, .init = set_up, .fini = take_down);

Test(ptp_port_unicast, a_unicast_master_is_asked_for_its_messages)
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

Test(ptp_port_unicast, a_unicast_master_that_denies_is_asked_less_and_less)
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

Test(ptp_port_unicast, a_unicast_master_that_restarts_is_asked_soon)
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

Test(ptp_port_unicast, each_grant_counts_by_itself)
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

Test(ptp_port_unicast, a_master_may_cancel_what_it_granted)
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
