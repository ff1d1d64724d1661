/* SPDX-License-Identifier: MIT */
/*
 * A PTP port in many worlds made by chance: links and queues of any kind, messages that are lost or
 * come twice, masters that take turns. In each of them every sample holds the truth.
 */
#include <stdlib.h>

#include <criterion/criterion.h>

#include "support/ptp-world.h"

#define WORLDS 200
#define SECOND PTP_WORLD_S

static int below(int limit)
{
	return rand() % limit;
}

static bool one_in(int n)
{
	return below(n) == 0;
}

/* `promise`: both ways take the same time, and the port is told so. */
static void make(struct ptp_world *world, enum ptp_mechanism mechanism, bool promise)
{
	struct ptp_world_master *master = &world->masters[0];

	ptp_world_begin(world);
	world->config.mechanism = mechanism;
	world->config.seed = (uint64_t)rand();
	world->config.log_delay = (int8_t)(below(5) - 3);
	world->rate_ppb = below(200000) - 100000;
	world->forth_ns = one_in(2) ? below(200) : below(10000);
	world->back_ns = one_in(2) ? below(200) : below(10000);
	world->jitter_ns = one_in(2) ? 0 : below(20000);
	world->stamp_ns = one_in(2) ? 0 : below(3000);
	world->loss = one_in(2) ? 0 : (unsigned int)below(40);
	world->twice = one_in(3);
	if (promise) {
		world->back_ns = world->forth_ns;
		world->config.asymmetry_max_ns = 0;
	}
	master->one_step = one_in(2);
	master->follow_up_first = one_in(2);
	master->log_sync = (int8_t)(below(8) - 7);
	master->log_delay = (int8_t)(below(6) - 4);
	if (mechanism == PTP_E2E && one_in(2))
		master->correction_ns = below(100000);
	if (one_in(2)) {
		master = ptp_world_master(world, 1, (uint8_t)below(256));
		master->log_sync = -3;
		master->log_delay = -3;
		master->one_step = one_in(2);
	}
	ptp_world_port(world);
}

/* Two seconds later */
static void change(struct ptp_world *world)
{
	struct ptp_world_master *master = &world->masters[0];

	if (one_in(6))
		master->one_step = !master->one_step;
	if (one_in(8))
		world->masters[1].announce.priority1 = (uint8_t)below(256);
	if (one_in(10))
		master->sync_sequence = UINT16_MAX - 5;
}

static void expect_truth(enum ptp_mechanism mechanism, bool promise)
{
	static struct ptp_world world;
	struct ptp_statistics statistics;
	int i, turn;

	for (i = 1; i <= WORLDS; i++) {
		srand((unsigned int)i);
		make(&world, mechanism, promise);
		for (turn = 0; turn < 30; turn++) {
			ptp_world_pass(&world, 2 * SECOND);
			change(&world);
		}
		statistics = ptp_world_statistics(&world);
		cr_expect_eq(world.outside, 0, "world %d: %u of %u samples, by up to %lld ns", i,
			     world.outside, world.samples, (long long)world.worst_outside_ns);
		cr_expect_geq(world.samples, 1, "world %d: %u samples", i, world.samples);
		cr_expect_eq(statistics.received,
			     statistics.accepted + statistics.rejected + statistics.dropped);
		ptp_world_end(&world);
	}
}

Test(ptp_truth, end_to_end)
{
	expect_truth(PTP_E2E, false);
}

Test(ptp_truth, end_to_end_with_a_promise_of_equal_ways)
{
	expect_truth(PTP_E2E, true);
}

Test(ptp_truth, by_the_link)
{
	expect_truth(PTP_P2P, false);
}

Test(ptp_truth, by_the_link_with_a_promise_of_equal_ways)
{
	expect_truth(PTP_P2P, true);
}
