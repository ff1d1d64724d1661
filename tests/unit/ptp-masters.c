/* SPDX-License-Identifier: MIT */
/* Which foreign masters count, and which one is the best */
#include <string.h>

#include <criterion/criterion.h>

#include "sources/ptp_masters.h"

#define SECOND 1000000000LL

static struct ptp_master master_of(uint8_t number)
{
	return (struct ptp_master){
		.port = {{number}, 1},
		.announce = {.priority1 = 128,
			     .clock_class = 6,
			     .accuracy = 0x21,
			     .variance = 100,
			     .priority2 = 128,
			     .grandmaster = {number}},
	};
}

/* Each difference weighs more than all that come after it. */
Test(ptp_masters, the_order_is_the_standards)
{
	struct ptp_master a = master_of(2), b = master_of(1);

	cr_expect_gt(ptp_master_compare(&a, &b, PTP_BEST_DEFAULT), 0);
	a.announce.priority2 = 127;
	cr_expect_lt(ptp_master_compare(&a, &b, PTP_BEST_DEFAULT), 0);
	b.announce.variance = 99;
	cr_expect_gt(ptp_master_compare(&a, &b, PTP_BEST_DEFAULT), 0);
	a.announce.accuracy = 0x20;
	cr_expect_lt(ptp_master_compare(&a, &b, PTP_BEST_DEFAULT), 0);
	b.announce.clock_class = 5;
	cr_expect_gt(ptp_master_compare(&a, &b, PTP_BEST_DEFAULT), 0);
	a.announce.priority1 = 127;
	cr_expect_lt(ptp_master_compare(&a, &b, PTP_BEST_DEFAULT), 0);
	/* ... and G.8275 has no priority1. */
	cr_expect_gt(ptp_master_compare(&a, &b, PTP_BEST_G8275), 0);
}

Test(ptp_masters, of_one_grandmaster_the_shorter_path_counts)
{
	struct ptp_master a = master_of(1), b = master_of(2);

	memcpy(b.announce.grandmaster, a.announce.grandmaster, 8);
	a.announce.steps_removed = 2;
	b.announce.steps_removed = 1;
	cr_expect_gt(ptp_master_compare(&a, &b, PTP_BEST_DEFAULT), 0);
	a.announce.steps_removed = 1;
	cr_expect_lt(ptp_master_compare(&a, &b, PTP_BEST_DEFAULT), 0);
}

Test(ptp_masters, among_primary_references_g8275_goes_by_the_path)
{
	struct ptp_master a = master_of(1), b = master_of(2);

	a.announce.steps_removed = 1;
	cr_expect_lt(ptp_master_compare(&a, &b, PTP_BEST_DEFAULT), 0);
	cr_expect_gt(ptp_master_compare(&a, &b, PTP_BEST_G8275), 0);
	a.announce.clock_class = b.announce.clock_class = 248;
	cr_expect_lt(ptp_master_compare(&a, &b, PTP_BEST_G8275), 0);
}

static struct ptp_masters masters;
static const struct ptp_address here = {4, {192, 0, 2, 1}};

static enum ptp_verdict announce(uint8_t number, uint16_t sequence, int64_t now_ns)
{
	struct ptp_master master = master_of(number);
	const struct ptp_message message = {.type = PTP_ANNOUNCE,
					    .source = master.port,
					    .announce = master.announce,
					    .sequence = sequence,
					    .log_interval = 0};

	return ptp_masters_announce(&masters, &message, &here, now_ns);
}

static void setup(void)
{
	masters = (struct ptp_masters){.timeout = 3, .silent = true, .own = {99}};
}

TestSuite(ptp_masters, .init = setup);

Test(ptp_masters, two_announcements_within_four_intervals_count)
{
	cr_expect_eq(announce(1, 1, SECOND), PTP_GOOD);
	cr_expect_null(ptp_masters_best(&masters, SECOND));
	cr_expect_eq(announce(1, 2, 2 * SECOND), PTP_GOOD);
	cr_assert(ptp_masters_best(&masters, 2 * SECOND));
	/* Silent for three intervals: it is gone, and the next one is its first. */
	cr_expect_eq(ptp_masters_deadline(&masters), 5 * SECOND);
	ptp_masters_expire(&masters, 5 * SECOND - 1);
	cr_expect_eq(masters.count, 1);
	ptp_masters_expire(&masters, 5 * SECOND);
	cr_expect_eq(masters.count, 0);
	cr_expect_eq(announce(1, 1, 6 * SECOND), PTP_GOOD);
	cr_expect_null(ptp_masters_best(&masters, 6 * SECOND));
}

/* Unicast messages may tell no interval: then it is the one that was granted. */
Test(ptp_masters, silence_is_measured_by_the_interval_that_was_granted)
{
	struct ptp_master master = master_of(1);
	struct ptp_message message = {.type = PTP_ANNOUNCE,
				      .source = master.port,
				      .announce = master.announce,
				      .log_interval = PTP_LOG_INTERVAL_NONE};

	masters.log_interval = -2;
	cr_expect_eq(ptp_masters_announce(&masters, &message, &here, SECOND), PTP_GOOD);
	cr_expect_eq(ptp_masters_deadline(&masters), SECOND + 3 * SECOND / 4);
}

Test(ptp_masters, one_must_have_sent_time)
{
	masters.silent = false;
	announce(1, 1, SECOND);
	announce(1, 2, 2 * SECOND);
	cr_expect_null(ptp_masters_best(&masters, 2 * SECOND));
	masters.masters[0].sync_ns = 2 * SECOND;
	cr_expect(ptp_masters_best(&masters, 2 * SECOND));
	masters.masters[0].muted_ns = 4 * SECOND;
	cr_expect_null(ptp_masters_best(&masters, 3 * SECOND));
	cr_expect(ptp_masters_best(&masters, 4 * SECOND));
}

Test(ptp_masters, old_sequence_numbers_and_paths_that_lead_here_are_refused)
{
	struct ptp_message message = {.type = PTP_ANNOUNCE, .source = {{1}, 1}, .sequence = 1};

	cr_expect_eq(announce(2, 65535, SECOND), PTP_GOOD);
	cr_expect_eq(announce(2, 65535, SECOND), PTP_DUPLICATE);
	cr_expect_eq(announce(2, 65534, SECOND), PTP_DUPLICATE);
	cr_expect_eq(announce(2, 0, SECOND), PTP_GOOD); /* they wrap */
	cr_expect_eq(announce(99, 1, SECOND), PTP_IGNORED);
	message.announce.steps_removed = 255;
	cr_expect_eq(ptp_masters_announce(&masters, &message, &here, SECOND), PTP_IGNORED);
	message.announce.steps_removed = 254;
	message.flags = PTP_FLAG_ALTERNATE_MASTER;
	cr_expect_eq(ptp_masters_announce(&masters, &message, &here, SECOND), PTP_IGNORED);
	message.flags = 0;
	cr_expect_eq(ptp_masters_announce(&masters, &message, &here, SECOND), PTP_GOOD);
}

Test(ptp_masters, there_is_an_end_to_them)
{
	unsigned int i;

	for (i = 0; i < PTP_MASTERS_MAX; i++) {
		cr_expect_eq(announce((uint8_t)(i + 1), 1, SECOND), PTP_GOOD);
		cr_expect_eq(announce((uint8_t)(i + 1), 2, SECOND + 1), PTP_GOOD);
	}
	cr_expect_eq(announce(50, 1, SECOND + 2), PTP_FULL);
	masters.masters[3].qualified = false;
	cr_expect_eq(announce(50, 1, SECOND + 2), PTP_GOOD);
	cr_expect_eq(masters.count, PTP_MASTERS_MAX);
}

Test(ptp_masters, intervals_that_cannot_be_are_two_seconds)
{
	cr_expect_eq(ptp_interval_ns(0), SECOND);
	cr_expect_eq(ptp_interval_ns(-7), 7812500);
	cr_expect_eq(ptp_interval_ns(6), 64 * SECOND);
	cr_expect_eq(ptp_interval_ns(127), 2 * SECOND);
	cr_expect_eq(ptp_interval_ns(-128), 2 * SECOND);
}
