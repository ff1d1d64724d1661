/* SPDX-License-Identifier: MIT */
/* The poll interval and the reach register, in virtual time. */
#include <stdlib.h>

#include <criterion/criterion.h>

#include "sources/ntp_poll.h"

#define S 1000000000LL

static int64_t now_ns;

static void answered(struct ntp_poll *poll, int64_t offset_ns)
{
	struct sample sample = {.offset_ns = offset_ns, .delay_ns = 100000, .dispersion_ns = 1000};

	ntp_poll_sent(poll);
	ntp_poll_answered(poll, &sample, now_ns);
	now_ns += ntp_poll_interval_ns(poll);
}

static bool missed(struct ntp_poll *poll)
{
	ntp_poll_sent(poll);
	now_ns += ntp_poll_interval_ns(poll);
	return ntp_poll_missed(poll);
}

Test(ntp_poll, burst)
{
	struct ntp_poll poll;
	unsigned int i;

	ntp_poll_init(&poll, 6, 10, true);
	for (i = 0; i < NTP_BURST_COUNT - 1; i++) {
		ntp_poll_sent(&poll);
		cr_assert_eq(ntp_poll_interval_ns(&poll), 2 * S);
	}
	ntp_poll_sent(&poll);
	cr_assert_eq(ntp_poll_interval_ns(&poll), 64 * S);

	/* A shorter interval is left as it is. */
	ntp_poll_init(&poll, 0, 10, true);
	ntp_poll_sent(&poll);
	cr_assert_eq(ntp_poll_interval_ns(&poll), S);
	ntp_poll_init(&poll, 6, 10, false);
	ntp_poll_sent(&poll);
	cr_assert_eq(ntp_poll_interval_ns(&poll), 64 * S);
}

Test(ntp_poll, rises_while_steady)
{
	struct ntp_poll poll;
	unsigned int i, at_current = 0;
	int8_t current = 0;

	/* A rate error of 20 ppm is no unrest. */
	ntp_poll_init(&poll, 0, 6, false);
	for (i = 0; i < 200; i++) {
		answered(&poll, now_ns / 50000);
		cr_assert(poll.current >= current && poll.current <= current + 1);
		at_current = poll.current == current ? at_current + 1 : 0;
		current = poll.current;
		cr_assert(current == 6 || at_current < 12);
	}
	cr_assert_eq(poll.reach, 0xff);
	cr_assert_eq(poll.current, 6);
}

Test(ntp_poll, stays_while_not_steady)
{
	struct ntp_poll poll;
	unsigned int i;

	/* 1 ms to and fro is more than 50 us of delay explain. */
	ntp_poll_init(&poll, 0, 6, false);
	for (i = 0; i < 200; i++)
		answered(&poll, i % 2 ? 1000000 : 0);
	cr_assert_eq(poll.current, 0);
}

Test(ntp_poll, falls_when_answers_are_lost)
{
	struct ntp_poll poll;
	unsigned int i;

	ntp_poll_init(&poll, 0, 6, false);
	for (i = 0; i < 200; i++)
		answered(&poll, 0);
	cr_assert_eq(poll.current, 6);
	cr_assert_not(missed(&poll));
	cr_assert_eq(poll.current, 5);
	cr_assert_eq(poll.reach, 0xfe);
}

Test(ntp_poll, loss_is_told_once)
{
	struct ntp_poll poll;
	unsigned int i;

	ntp_poll_init(&poll, 0, 6, true);
	/* Never answered: nothing to lose */
	for (i = 0; i < 20; i++)
		cr_assert_not(missed(&poll));
	/* A server that does not answer is asked ever less. */
	cr_assert_eq(poll.current, 6);

	answered(&poll, 0);
	for (i = 0; i < 7; i++)
		cr_assert_not(missed(&poll));
	cr_assert(missed(&poll));
	cr_assert_eq(poll.reach, 0);
	cr_assert_not(missed(&poll));

	/* Back again: the next three come soon. */
	for (i = 0; i < 20; i++)
		missed(&poll);
	cr_assert_eq(ntp_poll_interval_ns(&poll), 64 * S);
	answered(&poll, 0);
	cr_assert_eq(ntp_poll_interval_ns(&poll), 2 * S);
}

Test(ntp_poll, rate)
{
	struct ntp_poll poll;
	unsigned int i;

	ntp_poll_init(&poll, 3, 4, true);
	ntp_poll_sent(&poll);
	ntp_poll_rate(&poll);
	cr_assert_eq(ntp_poll_interval_ns(&poll), 16 * S);
	/* It never comes back to what was too often. */
	answered(&poll, 0);
	for (i = 0; i < 4; i++)
		missed(&poll);
	cr_assert_eq(poll.current, 4);
	/* Nor does a burst, when it is back after a silence. */
	for (i = 0; i < 8; i++)
		missed(&poll);
	answered(&poll, 0);
	cr_assert_eq(ntp_poll_interval_ns(&poll), 16 * S);
	for (i = 0; i < 100; i++)
		ntp_poll_rate(&poll);
	cr_assert_eq(poll.current, NTP_POLL_MAX);
}

/* Without a network nothing is sent: the burst is still there when there is one. */
Test(ntp_poll, a_burst_waits_for_the_network)
{
	struct ntp_poll poll;
	int i;

	ntp_poll_init(&poll, 6, 10, true);
	for (i = 0; i < 30; i++) {
		ntp_poll_sent(&poll);
		ntp_poll_unsent(&poll);
		ntp_poll_missed(&poll);
		cr_assert_eq(ntp_poll_interval_ns(&poll), NTP_BURST_NS);
	}
	for (i = 0; i < NTP_BURST_COUNT; i++) {
		cr_assert_eq(ntp_poll_interval_ns(&poll), NTP_BURST_NS);
		ntp_poll_sent(&poll);
		ntp_poll_missed(&poll);
	}
	cr_assert_gt(ntp_poll_interval_ns(&poll), NTP_BURST_NS);

	/* Who has not asked for bursts gets none. */
	ntp_poll_init(&poll, 6, 10, false);
	ntp_poll_sent(&poll);
	ntp_poll_unsent(&poll);
	cr_assert_gt(ntp_poll_interval_ns(&poll), NTP_BURST_NS);
}

/* Errors beyond the noise shorten the interval at once, and the more the larger they are. */
Test(ntp_poll, falls_when_the_offset_leaves_its_noise)
{
	/* The noise of three samples, and of the line through two of them, is 204 us. */
	static const struct {
		int64_t offset_ns;
		int8_t interval;
	} steps[] = {{203000, 6}, {-203000, 6}, {205000, 5}, {5 * 204000, 3}, {1000000000, 0}};
	struct ntp_poll poll;
	unsigned int i, j;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		ntp_poll_init(&poll, 0, 6, false);
		for (j = 0; j < 200; j++)
			answered(&poll, 0);
		cr_assert_eq(poll.current, 6);
		answered(&poll, steps[i].offset_ns);
		cr_assert_eq(poll.current, steps[i].interval, "%u", i);
		/* And it rises again. */
		for (j = 0; j < 200; j++)
			answered(&poll, 0);
		cr_assert_eq(poll.current, 6);
	}
}

/* An answer that is of use only later counts for reach, and for nothing else. */
Test(ntp_poll, heard)
{
	struct ntp_poll poll;
	unsigned int i;

	ntp_poll_init(&poll, 0, 6, false);
	for (i = 0; i < 20; i++) {
		ntp_poll_sent(&poll);
		ntp_poll_heard(&poll);
	}
	cr_assert_eq(poll.reach, 0xff);
	cr_assert(poll.reachable);
	cr_assert_eq(poll.current, 0);
	cr_assert_eq(poll.answers, 0);
}

/* Four requests 2 s apart, and 64 s from the first of one poll to that of the next */
Test(ntp_poll, several_requests_a_poll)
{
	struct ntp_poll poll;
	unsigned int i, j;

	ntp_poll_init(&poll, 6, 10, false);
	ntp_poll_samples(&poll, 4);
	for (i = 0; i < 3; i++) {
		for (j = 0; j < 3; j++) {
			ntp_poll_sent(&poll);
			cr_assert_eq(ntp_poll_interval_ns(&poll), 2 * S);
		}
		ntp_poll_sent(&poll);
		cr_assert_eq(ntp_poll_interval_ns(&poll), 58 * S);
	}
	/* A burst at the start is one of single ones. */
	ntp_poll_init(&poll, 6, 10, true);
	ntp_poll_samples(&poll, 2);
	for (i = 0; i < NTP_BURST_COUNT; i++)
		ntp_poll_sent(&poll);
	cr_assert_eq(ntp_poll_interval_ns(&poll), 64 * S);
	ntp_poll_sent(&poll);
	cr_assert_eq(ntp_poll_interval_ns(&poll), 2 * S);
	/* There is no room for 8 times 2 s in a second. */
	ntp_poll_init(&poll, 0, 0, false);
	ntp_poll_samples(&poll, 8);
	for (i = 0; i < 20; i++) {
		ntp_poll_sent(&poll);
		cr_assert_eq(ntp_poll_interval_ns(&poll), S / 8);
	}
}

Test(ntp_poll, requests_of_a_poll_count_as_one)
{
	struct ntp_poll poll;
	unsigned int i, polls;

	ntp_poll_init(&poll, 0, 6, false);
	ntp_poll_samples(&poll, 4);
	/* Steady from the third poll on: eight of them double the interval. */
	for (i = 0; i < 4 * (2 + NTP_POLL_STEADY) - 4; i++)
		answered(&poll, 0);
	cr_assert_eq(poll.current, 0);
	cr_assert_eq(poll.reach, 0xff);
	answered(&poll, 0);
	cr_assert_eq(poll.current, 1);
	for (i = 0; i < 3; i++)
		answered(&poll, 0);

	/* One answer of four is an answer, whichever it is. */
	cr_assert_not(missed(&poll));
	answered(&poll, 0);
	cr_assert_not(missed(&poll));
	cr_assert_not(missed(&poll));
	cr_assert_eq(poll.current, 1);
	cr_assert_eq(poll.reach, 0xff);
	/* None is none, and eight polls without one are a loss. */
	for (polls = 1; polls <= 8; polls++)
		for (i = 1; i <= 4; i++)
			cr_assert_eq(missed(&poll), polls == 8 && i == 4, "%u of %u", i, polls);
	cr_assert_eq(poll.reach, 0);
	/* Who is asked too often says so once. */
	ntp_poll_sent(&poll);
	ntp_poll_rate(&poll);
	ntp_poll_sent(&poll);
	cr_assert_eq(ntp_poll_interval_ns(&poll), S << poll.current);
}

Test(ntp_poll, without_a_network_a_poll_ends_with_its_first_request)
{
	struct ntp_poll poll;

	ntp_poll_init(&poll, 6, 10, false);
	ntp_poll_samples(&poll, 8);
	ntp_poll_sent(&poll);
	ntp_poll_unsent(&poll);
	ntp_poll_missed(&poll);
	cr_assert_eq(poll.reach, 0);
	cr_assert_geq(ntp_poll_interval_ns(&poll), 64 * S);
}
