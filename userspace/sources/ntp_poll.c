/* SPDX-License-Identifier: MIT */
#include "sources/ntp_poll.h"

#include <string.h>

#include "sources/ntp_packet.h"

#define REACH_FULL 0xff

/* From the longest interval to the shortest */
#define UNREST_MAX (NTP_POLL_MAX - NTP_POLL_MIN)

/* For how long a line through two answers is followed to the third */
#define FOLLOW_NS (4LL * 3600 * 1000000000)

void ntp_poll_init(struct ntp_poll *poll, int8_t minpoll, int8_t maxpoll, bool bursts)
{
	memset(poll, 0, sizeof(*poll));
	poll->minpoll = minpoll;
	poll->maxpoll = maxpoll;
	poll->current = minpoll;
	poll->bursts = bursts;
	poll->burst = bursts ? NTP_BURST_COUNT : 0;
	poll->samples = 1;
}

void ntp_poll_samples(struct ntp_poll *poll, unsigned int samples)
{
	poll->samples = (uint8_t)samples;
	if (poll->more >= samples)
		poll->more = (uint8_t)(samples - 1);
}

void ntp_poll_sent(struct ntp_poll *poll)
{
	if (poll->more) {
		poll->more--;
		poll->made++;
		return;
	}
	poll->reach = (uint8_t)(poll->reach << 1);
	poll->judged = false;
	poll->made = 0;
	if (poll->burst)
		poll->burst--;
	else
		poll->more = poll->samples - 1;
}

void ntp_poll_unsent(struct ntp_poll *poll)
{
	poll->more = 0;
	if (poll->bursts && poll->burst < NTP_BURST_COUNT)
		poll->burst++;
}

/*
 * How far is it from where the line through the two before it points to? In doublings of their
 * noise: 0: within it; -1: there is no such line.
 */
static int unrest(const struct ntp_poll *poll, int64_t raw_ns, int64_t offset_ns, int64_t noise_ns)
{
	int64_t before = poll->last[0].raw_ns - poll->last[1].raw_ns;
	int64_t after = raw_ns - poll->last[0].raw_ns;
	__int128 expected, off, noise;
	int doublings;

	if (poll->answers < 2 || before <= 0 || after <= 0 || after > FOLLOW_NS)
		return -1;
	expected = (__int128)(poll->last[0].offset_ns - poll->last[1].offset_ns) * after / before;
	off = (__int128)offset_ns - poll->last[0].offset_ns - expected;
	if (off < 0)
		off = -off;
	/* The noise of the older ones is stretched along with the line. */
	noise = noise_ns + poll->last[0].noise_ns +
		(__int128)(poll->last[0].noise_ns + poll->last[1].noise_ns) * after / before;
	for (doublings = 0; off > noise && doublings < UNREST_MAX; doublings++)
		off /= 2;
	return doublings;
}

void ntp_poll_heard(struct ntp_poll *poll)
{
	/* After a silence the first answers are wanted soon, as at the start. */
	if (poll->bursts && !poll->burst && !poll->reachable && poll->answers)
		poll->burst = NTP_BURST_COUNT - 1;
	poll->reach |= 1;
	poll->reachable = true;
}

void ntp_poll_answered(struct ntp_poll *poll, const struct sample *sample, int64_t raw_ns)
{
	int64_t noise_ns = sample->delay_ns / 2 + sample->dispersion_ns;
	int doublings = unrest(poll, raw_ns, sample->offset_ns, noise_ns);

	ntp_poll_heard(poll);
	if (poll->judged)
		return;
	poll->judged = true;
	poll->steady = doublings == 0 ? poll->steady + 1 : 0;
	poll->last[1] = poll->last[0];
	poll->last[0].raw_ns = raw_ns;
	poll->last[0].offset_ns = sample->offset_ns;
	poll->last[0].noise_ns = noise_ns;
	if (poll->answers < 2)
		poll->answers++;
	if (doublings > 0)
		poll->current = poll->current - doublings > poll->minpoll
					? (int8_t)(poll->current - doublings)
					: poll->minpoll;
	if (poll->reach != REACH_FULL || poll->steady < NTP_POLL_STEADY)
		return;
	poll->steady = 0;
	if (poll->current < poll->maxpoll)
		poll->current++;
}

bool ntp_poll_missed(struct ntp_poll *poll)
{
	bool lost = poll->reachable && !poll->reach;

	if (poll->more || poll->reach & 1)
		return false;
	poll->steady = 0;
	/* Some are lost: ask sooner. None comes: do not add to what is wrong there. */
	if (poll->reach && poll->current > poll->minpoll)
		poll->current--;
	else if (!poll->reach && !poll->burst && poll->current < poll->maxpoll)
		poll->current++;
	if (lost)
		poll->reachable = false;
	return lost;
}

void ntp_poll_burst(struct ntp_poll *poll)
{
	poll->burst = NTP_BURST_COUNT;
	poll->more = 0;
}

void ntp_poll_range(struct ntp_poll *poll, int8_t minpoll, int8_t maxpoll, bool bursts)
{
	poll->minpoll = minpoll;
	poll->maxpoll = maxpoll;
	poll->bursts = bursts;
	if (poll->current < minpoll)
		poll->current = minpoll;
	if (poll->current > maxpoll)
		poll->current = maxpoll;
}

void ntp_poll_rate(struct ntp_poll *poll)
{
	poll->burst = 0;
	poll->bursts = false;
	ntp_poll_samples(poll, 1);
	poll->steady = 0;
	if (poll->current < NTP_POLL_MAX)
		poll->current++;
	poll->minpoll = poll->current;
	if (poll->maxpoll < poll->minpoll)
		poll->maxpoll = poll->minpoll;
}

int64_t ntp_poll_interval_ns(const struct ntp_poll *poll)
{
	int64_t interval_ns = ntp_log2_to_ns(poll->current);
	int64_t apart_ns = interval_ns / poll->samples;

	if (apart_ns > NTP_BURST_NS)
		apart_ns = NTP_BURST_NS;
	if (poll->more)
		return apart_ns;
	if (poll->burst && interval_ns > NTP_BURST_NS)
		return NTP_BURST_NS;
	return interval_ns - (poll->made < poll->samples ? poll->made : 0) * apart_ns;
}
