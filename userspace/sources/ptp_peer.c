/* SPDX-License-Identifier: MIT */
/* The delay of the link, clause 11.4: by asking whoever is at its other end, who may ask us too. */
#include "sources/ptp_private.h"

#include <string.h>

#include "chronotick_page.h"

/* Our own times for peers, in raw time: no clock that anybody is to be set by, so this far from 0 */
#define EPOCH_NS (1LL << 40)
/* Answers to peers in a second */
#define ANSWERS_MAX 32
#define CORRECTION_MAX (1000000000LL << 16)
/* Links that take longer are none. */
#define DELAY_MAX_NS 1000000000LL
/* For so long nothing is measured after two have answered one request. */
#define CROWDED_NS (10000 * PTP_MS)
/* 2^62: sums with raw times stay in range */
#define TIME_MAX_NS (1LL << 62)

/* What was measured is of no use any more. */
static void delays_forget(struct ptp_port *port)
{
	memset(&port->peer_least, 0, sizeof(port->peer_least));
	port->peer_count = 0;
	port->peer_next = 0;
}

void ptp_peer_reset(struct ptp_port *port, int64_t now_ns)
{
	memset(&port->peer, 0, sizeof(port->peer));
	memset(&port->responder, 0, sizeof(port->responder));
	memset(&port->peer_rate, 0, sizeof(port->peer_rate));
	memset(port->answers, 0, sizeof(port->answers));
	delays_forget(port);
	port->peer_unanswered = 0;
	port->peer_crowded_ns = 0;
	port->peer_request_ns = now_ns;
}

bool ptp_peer_delay(const struct ptp_port *port, struct ptp_peer_delay *ret)
{
	unsigned int i, j, below;

	/* After the first one, another neighbour may still answer. */
	if (port->peer_count < 2)
		return false;
	for (i = 0; i < port->peer_count; i++) {
		const struct ptp_peer_delay *delay = &port->peer_delays[i];

		below = 0;
		for (j = 0; j < port->peer_count; j++)
			below += port->peer_delays[j].delay_ns < delay->delay_ns ||
				 (port->peer_delays[j].delay_ns == delay->delay_ns && j < i);
		if (below == port->peer_count / 2) {
			*ret = *delay;
			return true;
		}
	}
	return false;
}

static void peer_complete(struct ptp_port *port, int64_t now_ns)
{
	const struct ptp_request *peer = &port->peer;
	int64_t raw1 = ptp_raw_ns(port, peer->tx.counter);
	int64_t raw4 = ptp_raw_ns(port, port->peer_rx.counter);
	struct ptp_rate_range rate = ptp_rate_at(&port->peer_rate, raw4);
	struct ptp_limit forth, back;
	struct ptp_offset offset;
	int64_t half_ns;

	if (!peer->outstanding || !peer->has_tx || !peer->has_response ||
	    port->peer_two_step != port->peer_followed)
		return;
	port->peer.outstanding = false;
	ptp_reached(port, true);
	if (now_ns < port->peer_crowded_ns)
		return;
	port->peer_unanswered = 0;
	forth = (struct ptp_limit){
		raw4, port->peer_sent_ns + ptp_correction_ns(port->peer_corrections[1]) - raw4,
		port->peer_rx.error_ns};
	back = (struct ptp_limit){
		raw1, port->peer_received_ns - ptp_correction_ns(port->peer_corrections[0]) - raw1,
		peer->tx.error_ns};
	if (ptp_offset_between(&offset, &forth, &back, rate) < 0 ||
	    offset.delay_ns > DELAY_MAX_NS) {
		ptp_drop(port);
		return;
	}
	port->peer_tx_quality = peer->tx.quality;
	port->peer_least_ns = ptp_least_add(&port->peer_least, offset.delay_ns / 2);
	port->peer_delays[port->peer_next] =
		(struct ptp_peer_delay){offset.delay_ns, offset.dispersion_ns};
	port->peer_next = (port->peer_next + 1) % PTP_PEER_DELAYS;
	if (port->peer_count < PTP_PEER_DELAYS)
		port->peer_count++;
	if (!port->peer_two_step)
		return; /* its times are not in it, only how long it took */
	half_ns = offset.delay_ns / 2 + offset.dispersion_ns + 1;
	ptp_rate_add(&port->peer_rate, offset.raw_ns, offset.offset_ns - half_ns,
		     offset.offset_ns + half_ns);
}

static bool correction_is_good(const struct ptp_message *message)
{
	return message->correction <= CORRECTION_MAX && message->correction >= -CORRECTION_MAX;
}

static enum ptp_verdict response_receive(struct ptp_port *port, int64_t now_ns,
					 const struct ptp_message *message,
					 const struct ptp_instant *rx)
{
	struct ptp_request *peer = &port->peer;

	if (!rx)
		return PTP_BOGUS;
	if (message->sequence != peer->sequence)
		return PTP_LATE;
	/*
	 * A second one, maybe after all of the first one's has come: a link has two ends. Without
	 * knowing who is the neighbour there is no delay.
	 */
	if (peer->has_response && !ptp_identity_equal(&message->source, &port->responder)) {
		peer->outstanding = false;
		delays_forget(port);
		port->peer_crowded_ns = now_ns + CROWDED_NS;
		ptp_tell_lost(port, CHRONOTICK_SOURCE_UNREACHABLE);
		return PTP_BOGUS;
	}
	if (peer->has_response)
		return PTP_DUPLICATE;
	if (!peer->outstanding)
		return PTP_LATE;
	port->peer_two_step = message->flags & PTP_FLAG_TWO_STEP;
	if (!correction_is_good(message) || !timescale_covers(port->scale, rx->counter) ||
	    (port->peer_two_step && (message->time_ns < 0 || message->time_ns > TIME_MAX_NS)))
		return PTP_INVALID;
	if (!ptp_identity_equal(&message->source, &port->responder)) {
		/* Another neighbour, another link */
		memset(&port->peer_rate, 0, sizeof(port->peer_rate));
		delays_forget(port);
	}
	peer->has_response = true;
	port->responder = message->source;
	port->peer_rx = *rx;
	port->peer_followed = false;
	port->peer_received_ns = port->peer_two_step ? message->time_ns : 0;
	port->peer_corrections[0] = message->correction;
	port->peer_sent_ns = 0;
	port->peer_corrections[1] = 0;
	if (!port->peer_two_step)
		peer_complete(port, now_ns);
	return PTP_GOOD;
}

static enum ptp_verdict follow_up_receive(struct ptp_port *port, int64_t now_ns,
					  const struct ptp_message *message)
{
	struct ptp_request *peer = &port->peer;

	if (!peer->outstanding || message->sequence != peer->sequence || !peer->has_response)
		return PTP_LATE;
	if (!ptp_identity_equal(&message->source, &port->responder))
		return PTP_BOGUS;
	if (port->peer_followed || !port->peer_two_step)
		return PTP_DUPLICATE;
	if (!correction_is_good(message) || message->time_ns < 0 || message->time_ns > TIME_MAX_NS)
		return PTP_INVALID;
	port->peer_followed = true;
	port->peer_sent_ns = message->time_ns;
	port->peer_corrections[1] = message->correction;
	peer_complete(port, now_ns);
	return PTP_GOOD;
}

/* Where an answer goes: links have no others on them, but a unicast one was asked for by its sender. */
static enum ptp_destination answer_destination(const struct ptp_port *port)
{
	return port->config.master.size ? PTP_TO_ADDRESS : PTP_TO_PEER;
}

static int64_t answer_time_ns(const struct ptp_port *port, uint64_t counter)
{
	int64_t time_ns = ptp_raw_ns(port, counter) + EPOCH_NS;

	return time_ns > 0 ? time_ns : 0;
}

/* Two steps: when it came in the response, when that left in its follow-up. */
static enum ptp_verdict request_receive(struct ptp_port *port, int64_t now_ns,
					const struct ptp_message *message,
					const struct ptp_address *from,
					const struct ptp_instant *rx)
{
	struct ptp_message response = ptp_begin(port, PTP_PDELAY_RESP, message->sequence);
	struct ptp_answer *answer = &port->answers[port->next_answer++ % PTP_ANSWERS];
	int64_t second = now_ns / (1000 * PTP_MS);
	uint8_t data[PTP_OUT_MAX];

	if (!rx)
		return PTP_BOGUS;
	if (port->answered_s != second)
		port->answered = 0;
	port->answered_s = second;
	if (++port->answered > ANSWERS_MAX || !timescale_covers(port->scale, rx->counter))
		return PTP_IGNORED;
	response.flags |= PTP_FLAG_TWO_STEP;
	response.requesting = message->source;
	response.correction = message->correction;
	response.time_ns = answer_time_ns(port, rx->counter);
	*answer = (struct ptp_answer){
		.sequence = message->sequence, .requesting = message->source, .address = *from};
	answer->number = ptp_send(port, data, ptp_message_write(&response, data), true,
				  answer_destination(port), from);
	answer->used = answer->number >= 0;
	return PTP_IGNORED; /* it says nothing to us */
}

bool ptp_peer_transmitted(struct ptp_port *port, int64_t now_ns, int64_t number,
			  const struct ptp_instant *tx)
{
	struct ptp_message follow_up;
	uint8_t data[PTP_OUT_MAX];
	unsigned int i;

	if (!timescale_covers(port->scale, tx->counter))
		return false;
	if (port->peer.outstanding && port->peer.number == number) {
		if (port->peer.has_tx)
			return true;
		port->statistics.stamps_missing += tx->quality == CHRONOTICK_STAMP_USER;
		port->peer.has_tx = true;
		port->peer.tx = *tx;
		peer_complete(port, now_ns);
		return true;
	}
	for (i = 0; i < PTP_ANSWERS; i++) {
		struct ptp_answer *answer = &port->answers[i];

		if (!answer->used || answer->number != number)
			continue;
		answer->used = false;
		if (tx->quality == CHRONOTICK_STAMP_USER)
			return true; /* nothing to be told to others */
		follow_up = ptp_begin(port, PTP_PDELAY_RESP_FOLLOW_UP, answer->sequence);
		follow_up.requesting = answer->requesting;
		follow_up.time_ns = answer_time_ns(port, tx->counter);
		(void)ptp_send(port, data, ptp_message_write(&follow_up, data), false,
			       answer_destination(port), &answer->address);
		return true;
	}
	return false;
}

enum ptp_verdict ptp_peer_receive(struct ptp_port *port, int64_t now_ns,
				  const struct ptp_message *message, const struct ptp_address *from,
				  const struct ptp_instant *rx)
{
	if (message->type == PTP_PDELAY_REQ)
		return request_receive(port, now_ns, message, from, rx);
	if (!ptp_identity_equal(&message->requesting, &port->config.identity))
		return PTP_IGNORED;
	if (message->type == PTP_PDELAY_RESP)
		return response_receive(port, now_ns, message, rx);
	return follow_up_receive(port, now_ns, message);
}

static void request_send(struct ptp_port *port, int64_t now_ns)
{
	struct ptp_message message = ptp_begin(port, PTP_PDELAY_REQ, ++port->peer_sequence);
	int64_t interval_ns = ptp_interval_ns(port->config.log_delay);
	uint8_t data[PTP_OUT_MAX];

	if (interval_ns < PTP_SAMPLE_INTERVAL_NS)
		interval_ns = PTP_SAMPLE_INTERVAL_NS;
	if (port->config.sdo) /* 802.1AS tells the interval; 1588 has none here */
		message.log_interval = port->config.log_delay;
	port->peer = (struct ptp_request){
		.sequence = message.sequence, .sent_ns = now_ns, .outstanding = true};
	port->peer_request_ns = now_ns + interval_ns;
	port->peer.number = ptp_send(port, data, ptp_message_write(&message, data), true,
				     answer_destination(port), &port->config.master);
	port->peer.outstanding = port->peer.number >= 0;
}

int64_t ptp_peer_tick(struct ptp_port *port, int64_t now_ns)
{
	struct ptp_request *peer = &port->peer;

	if (port->config.mechanism != PTP_P2P)
		return INT64_MAX;
	if (peer->outstanding &&
	    (now_ns >= port->peer_request_ns || now_ns - peer->sent_ns >= PTP_ANSWER_NS)) {
		port->statistics.unanswered += !peer->has_response;
		peer->outstanding = false;
		ptp_reached(port, peer->has_response);
		/* Whoever is there now may be farther away. */
		if (++port->peer_unanswered >= PTP_UNANSWERED_MAX) {
			delays_forget(port);
			ptp_tell_lost(port, CHRONOTICK_SOURCE_UNREACHABLE);
		}
	}
	if (now_ns >= port->peer_request_ns)
		request_send(port, now_ns);
	return port->peer_request_ns;
}
