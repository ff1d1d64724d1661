/* SPDX-License-Identifier: MIT */
/* What comes from the server, and what is made of it */
#include "sources/ntp_private.h"

#include <errno.h>
#include <string.h>

#define STAMP_NS 50000000LL /* how long an answer waits for its request's transmit stamp */

/*
 * How long the socket is watched after that: a duplicate or a late stamp is counted. Then it stays
 * open, as it keeps the kernel's stamps on, but costs poll(2) nothing until the next request.
 */
#define WATCHED_NS 10000000LL

/* Answers to a plain header have 48 bytes; some room for what servers put behind it */
#define ANSWER_SIZE 512

/* Has all come of the transmit stamps that is to be waited for? The NIC's counts only with both. */
static bool stamps_complete(const struct ntp *ntp)
{
	const struct ntp_times *times = &ntp->exchange.times;

	return times->has_tx &&
	       (!ntp->hardware || !times->hardware_rx.has || times->hardware_tx.has);
}

static void rest(struct ntp *ntp)
{
	/* An interleaved answer will ask for the stamp, however late it comes. */
	if (stamps_complete(ntp) || !ntp->interleaved.wanted)
		loop_fd_until(ntp->context.loop, ntp->fd, loop_now_ns() + WATCHED_NS);
	ntp_rest(ntp);
}

/*
 * An answer has passed all tests, and the stamp of its request has come, will not come or is not
 * needed yet. The first of a burst gives no sample: caches are cold in it, on the way there and on
 * the way back by different amounts, and a better one is to follow within seconds.
 */
void ntp_complete(struct ntp *ntp)
{
	const struct exchange *judged =
		ntp->use == NTP_USE_PREVIOUS ? &ntp->previous : &ntp->exchange;
	struct ntp_packet answer = ntp->exchange.answer;
	struct sample sample;
	bool warming;

	ntp->misses = 0;
	if (ntp->use == NTP_USE_NONE) {
		ntp_poll_heard(&ntp->poll);
		ntp->statistics.dropped++;
		rest(ntp);
		return;
	}
	if (ntp->use == NTP_USE_PREVIOUS)
		answer = ntp_interleaved_join(&judged->answer, &answer);
	if (ntp->fd_stamps && !judged->times.has_tx)
		ntp->statistics.stamps_missing++;
	if (ntp->hardware && !(judged->times.hardware_tx.has && judged->times.hardware_rx.has)) {
		ntp->statistics.hardware_missing++;
		hardware_unstamped(ntp->hardware);
	}
	if (ntp_times_sample(&sample, &judged->times, ntp->context.counter, ntp->context.scale,
			     &answer) < 0) {
		/* Perhaps the server keeps wrong times: the next one is basic. */
		ntp->exchange.answered = false;
		ntp->statistics.dropped++;
		ntp_missed(ntp, false);
		return;
	}
	sample.source = (uint16_t)ntp->index;
	sample.arrived = ntp_times_arrival(&ntp->exchange.times, ntp->context.counter);
	ntp->told = CHRONOTICK_SOURCE_CANDIDATE;
	ntp_poll_answered(&ntp->poll, &sample, timescale_ns(ntp->context.scale, sample.counter));
	warming = !ntp->warm && ntp->poll.burst;
	ntp->warm = true;
	if (warming) {
		ntp->statistics.dropped++;
		rest(ntp);
		return;
	}
	ntp->last = sample;
	ntp->statistics.accepted++;
	rest(ntp);
	ntp->context.events->sample(ntp->context.events->data, &sample);
}

/*
 * A datagram that is no usable answer. One with our origin, and authentic where it has to be, ends
 * the wait for a better one; all others change nothing.
 */
static void reject(struct ntp *ntp, enum ntp_verdict verdict)
{
	ntp->statistics.rejected++;
	ntp->statistics.rejects[verdict]++;
	switch (verdict) {
	case NTP_KISS_DENY:
		ntp_stop(ntp);
		break;
	case NTP_KISS_RATE:
		ntp_poll_rate(&ntp->poll);
		ntp_missed(ntp, false);
		break;
	case NTP_UNSYNCHRONIZED:
	case NTP_TOO_DISTANT:
	case NTP_KISS_OTHER:
		ntp_missed(ntp, false);
		ntp_tell_lost(ntp, CHRONOTICK_SOURCE_UNSYNCHRONIZED);
		break;
	case NTP_LOOP:
		ntp_missed(ntp, false);
		ntp_tell_lost(ntp, CHRONOTICK_SOURCE_LOOP);
		break;
	default:
		break;
	}
}

/* Does the server's time come from here? An address may have left this host since they were read. */
static bool is_loop(struct ntp *ntp, const struct ntp_packet *packet)
{
	if (packet->stratum <= 1 || !ntp_local_is_reference(&ntp->local, packet->reference_id))
		return false;
	ntp_local_renew(ntp);
	return ntp_local_is_reference(&ntp->local, packet->reference_id);
}

/* All tests that a datagram has to pass */
static enum ntp_verdict judge(struct ntp *ntp, const uint8_t *data, size_t size,
			      struct ntp_packet *packet)
{
	enum ntp_verdict verdict;

	if (ntp_packet_parse(packet, data, size) < 0)
		return NTP_MALFORMED;
	verdict = ntp_packet_test(packet, &ntp->request);
	/* A MAC is worked out only for what knows our origin: floods are to be cheap. */
	if (verdict == NTP_BOGUS || verdict == NTP_DUPLICATE || verdict == NTP_LATE)
		return verdict;
	if (ntp->key.id && !ntp_mac_check(&ntp->key, data, size))
		return NTP_UNAUTHENTIC;
	if (verdict == NTP_GOOD && is_loop(ntp, packet))
		return NTP_LOOP;
	return verdict;
}

/* A transmit stamp of the socket's only datagram, which may have been answered already */
static void stamp_take(struct ntp *ntp, const struct stamp *stamp)
{
	struct ntp_times *times = &ntp->exchange.times;

	if ((stamp->system_ns && times->has_tx) || (stamp->hardware_ns && times->hardware_tx.has)) {
		ntp->statistics.stamps_twice++;
		return;
	}
	if (stamp->system_ns) {
		times->has_tx = true;
		times->tx_ns = stamp->system_ns;
	}
	ntp_hardware_stamp(ntp, stamp, times->before.counter, &times->hardware_tx);
	/* An interleaved answer will ask for it only with the next request. */
	if (ntp->phase == RESTING && ntp->use == NTP_USE_THIS)
		ntp->statistics.stamps_late++;
	if (ntp->phase == HOLDING && stamps_complete(ntp))
		ntp_complete(ntp);
}

static void receive(struct ntp *ntp)
{
	struct exchange *exchange = &ntp->exchange;
	struct ntp_request *request = &ntp->request;
	uint8_t data[ANSWER_SIZE];
	struct ntp_packet packet;
	enum ntp_verdict verdict;
	struct stamp rx;
	bool truncated;
	long size;

	size = stamp_receive(ntp->fd, data, sizeof(data), NULL, &rx, &truncated);
	if (size < 0) {
		if (size != -EAGAIN && ntp->phase == WAITING)
			ntp_missed(ntp, true);
		return;
	}
	ntp->statistics.received++;
	verdict = truncated ? NTP_MALFORMED : judge(ntp, data, (size_t)size, &packet);
	if (verdict == NTP_GOOD &&
	    cross_read(&exchange->times.after, ntp->context.counter, CLOCK_REALTIME) < 0)
		verdict = NTP_INVALID;
	if (verdict != NTP_GOOD) {
		reject(ntp, verdict);
		return;
	}
	exchange->answered = true;
	exchange->answer = packet;
	exchange->times.rx = rx;
	ntp_hardware_stamp(ntp, &rx, 0, &exchange->times.hardware_rx);
	ntp->use = ntp_interleaved_answered(&ntp->interleaved, &packet, request);
	ntp->statistics.interleaved += ntp_packet_is_interleaved(&packet, request);
	ntp_request_answered(request, &packet);
	/* The stamp of this request is wanted now only if this answer is the one that judges it. */
	if (ntp->use != NTP_USE_THIS || !ntp->fd_stamps || stamps_complete(ntp))
		ntp_complete(ntp);
	else
		ntp_timer_at(ntp, HOLDING, loop_now_ns() + STAMP_NS);
}

/* One message of the error queue. Returns false if it was empty. */
static bool error_queue_take(struct ntp *ntp)
{
	struct stamp stamp;
	uint32_t id;
	int r;

	r = stamp_transmitted(ntp->fd, &id, &stamp);
	if (r == -EAGAIN)
		return false;
	if (r < 0 && ntp->phase == WAITING) {
		ntp_missed(ntp, true);
	} else if (r == 1 && id == 0) {
		stamp_take(ntp, &stamp);
	}
	return true;
}

void ntp_ready(void *data, int fd, short events)
{
	struct ntp *ntp = data;
	bool empty = false;

	if (events & (POLLERR | POLLPRI))
		empty = !error_queue_take(ntp);
	/* An error that is not in the queue is fetched, and cleared, by receiving. */
	if (ntp->fd == fd && (events & POLLIN || empty))
		receive(ntp);
}
