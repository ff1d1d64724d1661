/* SPDX-License-Identifier: MIT */
/* The master's time: Sync messages, and with E2E the responses to Delay_Req messages. */
#include "sources/ptp_private.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "chronotick_page.h"

/*
 * A Delay_Req goes out so soon after a Sync message: what the clock's rate does between the two is in
 * the sample's error. At random, as others ask too.
 */
#define AFTER_SYNC_NS (5 * PTP_MS)

/* correctionFields beyond this cannot be: a second on the way */
#define CORRECTION_MAX (1000000000LL << 16)
/* Sync messages of which one is chosen came within */
#define WINDOW_NS (1000 * PTP_MS)
/* A path that takes longer is none of PTP's. */
#define DELAY_MAX_NS 4000000000LL
/* Sync messages that came so long before tell what one has waited, and some older ones if need be. */
#define QUICKEST_AGE_NS (4000 * PTP_MS)
#define QUICKEST_LEAST 5
/* A rate of which this is known is known better in its middle. */
#define QUICKEST_RATE 10e-6
/* Of what most wait longer than the quickest, so much may that one have waited, */
#define QUICKEST_PART 0.5
/* ... and so much more if there were few. */
#define QUICKEST_PART_FEW 8.0

void ptp_sync_reset(struct ptp_port *port, int64_t now_ns)
{
	memset(port->syncs, 0, sizeof(port->syncs));
	memset(&port->paired, 0, sizeof(port->paired));
	memset(&port->request, 0, sizeof(port->request));
	port->has_sequence = false;
	port->window_count = 0;
	port->quickest_count = 0;
	port->quickest_next = 0;
	port->unanswered = 0;
	port->request_ns = INT64_MAX;
	port->request_after_ns = now_ns;
	port->sampled_ns = now_ns - PTP_SAMPLE_INTERVAL_NS;
}

/* How long messages are on their way, ns */
struct way {
	int64_t longest_ns; /* one way, if it took half of both */
	int64_t least_ns;   /* as ptp_least_add() has it */
	int64_t noise_ns;   /* by how much that differs, if the delay says nothing of it */
	bool is_known;      /* ptp_least_is_known() */
};

/* What a sample has of the master, of the way, and of the two stamps that it was made of */
static void sample_send(struct ptp_port *port, int64_t now_ns, const struct ptp_offset *offset,
			const struct way *way, uint64_t counter, uint8_t tx_quality,
			uint8_t rx_quality)
{
	const struct ptp_announce *announce = &port->master.announce;
	int64_t half_ns = offset->delay_ns / 2 + way->noise_ns + offset->dispersion_ns + 1;
	/* A promise about the path says nothing of queues: it waits until those are known. */
	int64_t max_ns = way->is_known ? port->config.asymmetry_max_ns : -1;
	struct sample sample;

	ptp_rate_add(&port->rate, offset->raw_ns, offset->offset_ns - half_ns,
		     offset->offset_ns + half_ns);
	port->path_delay_ns = offset->delay_ns / 2;
	sample = (struct sample){
		.counter = counter,
		.offset_ns = offset->offset_ns + port->config.asymmetry_ns,
		.delay_ns = ptp_allowed_delay_ns(way->longest_ns, way->least_ns,
						 port->config.asymmetry_ns, max_ns),
		.dispersion_ns = offset->dispersion_ns,
		.stamps_ns = offset->stamps_ns,
		.root_dispersion_ns = ptp_master_error_ns(announce, port->config.accuracy_ns),
		.tx_stamp = tx_quality,
		.rx_stamp = rx_quality,
		.leap = port->utc.leap,
		.stratum =
			announce->steps_removed < 15 ? (uint8_t)(announce->steps_removed + 1) : 15,
	};
	ptp_masters_prove(&port->masters, &port->master.port, &port->master.address);
	port->sampled = true;
	port->sampled_ns = now_ns;
	port->told = CHRONOTICK_SOURCE_CANDIDATE;
	port->ops->sample(port->ops->data, &sample);
}

/* What a Sync message says: the offset is not less. */
static struct ptp_limit forth_of(const struct ptp_port *port, const struct ptp_sync *sync)
{
	int64_t raw_ns = ptp_raw_ns(port, sync->rx.counter);

	return (struct ptp_limit){raw_ns, sync->utc_ns - raw_ns, sync->rx.error_ns};
}

/* By how much less one limit tells than another, the clock's rate taken out: so much longer it waited. */
static double longer(const struct ptp_limit *one, const struct ptp_limit *other, double rate)
{
	return (double)(other->offset_ns - one->offset_ns) -
	       rate * (double)(other->raw_ns - one->raw_ns);
}

/* The one in the window that `rank` others waited longer than */
static const struct ptp_sync *window_ranked(const struct ptp_port *port, unsigned int rank,
					    double rate)
{
	struct ptp_limit first = forth_of(port, &port->window[0]);
	double values[PTP_WINDOW];
	unsigned int i, j, below;

	for (i = 0; i < port->window_count; i++) {
		struct ptp_limit forth = forth_of(port, &port->window[i]);

		values[i] = longer(&first, &forth, rate);
	}
	for (i = 0; i < port->window_count; i++) {
		below = 0;
		for (j = 0; j < port->window_count; j++)
			below += values[j] < values[i] || (values[j] == values[i] && j < i);
		if (below == rank)
			return &port->window[i];
	}
	return &port->window[0];
}

/* The age-th newest */
static const struct ptp_limit *quickest_at(const struct ptp_port *port, unsigned int age)
{
	return &port->quickest[(port->quickest_next + PTP_QUICKEST - 1 - age) % PTP_QUICKEST];
}

/*
 * How much longer a Sync message may have waited than what was asked over the link: than the quickest
 * one lately, and a part of what is usual beyond that. Returns DELAY_MAX_NS at most, and a negative
 * number as long as too few have come.
 */
static int64_t sync_waited_ns(const struct ptp_port *port, const struct ptp_limit *forth,
			      const struct ptp_limit *quickest, struct ptp_rate_range rate)
{
	/* Where the rate is known, it is known better in the middle. */
	double unknown = fmax(rate.half - QUICKEST_RATE, 0), part;
	double most = fmax(longer(forth, quickest, rate.mid), 0), sum = most;
	unsigned int i, count = 2; /* the one itself waited no longer */

	for (i = 0; i < port->quickest_count; i++) {
		const struct ptp_limit *other = quickest_at(port, i);
		double age_ns = (double)(forth->raw_ns - other->raw_ns);
		double value = longer(forth, other, rate.mid) + unknown * age_ns;

		if (count >= QUICKEST_LEAST && age_ns > (double)QUICKEST_AGE_NS)
			break;
		most = fmax(most, value);
		sum += value;
		count++;
	}
	if (count < QUICKEST_LEAST)
		return -1;
	part = QUICKEST_PART + QUICKEST_PART_FEW / count;
	return (int64_t)fmin(ceil(most + (most - sum / count) * part), (double)DELAY_MAX_NS);
}

/*
 * By how much messages waited differently, whatever the clock's rate is: of three in a row, how far the
 * one in the middle is from the line between the others.
 */
static int64_t sync_noise_ns(const struct ptp_port *port)
{
	double most = 0;
	unsigned int i;

	for (i = 2; i < port->quickest_count; i++) {
		const struct ptp_limit *first = quickest_at(port, i),
				       *last = quickest_at(port, i - 2);
		double apart_ns = (double)(last->raw_ns - first->raw_ns);
		double rate = (double)(last->offset_ns - first->offset_ns) / fmax(apart_ns, 1);

		most = fmax(most, fabs(longer(first, quickest_at(port, i - 1), rate)));
	}
	return (int64_t)fmin(ceil(most), (double)DELAY_MAX_NS);
}

static void quickest_add(struct ptp_port *port, const struct ptp_limit *forth)
{
	port->quickest[port->quickest_next] = *forth;
	port->quickest_next = (port->quickest_next + 1) % PTP_QUICKEST;
	if (port->quickest_count < PTP_QUICKEST)
		port->quickest_count++;
}

/*
 * P2P: the delay of the link is known from elsewhere. What it errs by counts twice, as the truth may be
 * at the far end of all of it. The middle one of the Sync messages lately is taken.
 */
static void sample_by_link(struct ptp_port *port, int64_t now_ns)
{
	struct ptp_limit forth, back, quickest;
	struct ptp_rate_range rate;
	const struct ptp_sync *sync;
	struct ptp_peer_delay link;
	struct ptp_offset offset;
	struct way way;
	int64_t waited_ns;
	unsigned int points = port->rate.count;

	if (now_ns - port->sampled_ns < PTP_SAMPLE_INTERVAL_NS || !ptp_peer_delay(port, &link))
		return;
	rate = ptp_rate_at(&port->rate, ptp_raw_ns(port, port->window[0].rx.counter));
	sync = window_ranked(port, port->window_count / 2, rate.mid);
	forth = forth_of(port, sync);
	quickest = forth_of(port, window_ranked(port, port->window_count - 1, rate.mid));
	back = forth;
	back.offset_ns += link.delay_ns;
	back.error_ns += link.dispersion_ns;
	port->window_count = 0;
	if (ptp_offset_between(&offset, &forth, &back, rate) < 0)
		return;
	waited_ns = sync_waited_ns(port, &forth, &quickest, rate);
	quickest_add(port, &quickest);
	if (waited_ns == DELAY_MAX_NS) /* the master has another time */
		port->quickest_count = port->quickest_next = 0;
	if (waited_ns < 0 || waited_ns == DELAY_MAX_NS)
		return;
	way = (struct way){offset.delay_ns / 2 + link.dispersion_ns + waited_ns,
			   port->peer_least_ns + link.dispersion_ns, sync_noise_ns(port),
			   ptp_least_is_known(&port->peer_least)};
	sample_send(port, now_ns, &offset, &way, sync->rx.counter, port->peer_tx_quality,
		    sync->rx.quality);
	if (port->rate.count < points) /* the master has stepped */
		port->quickest_count = port->quickest_next = 0;
}

static void request_over(struct ptp_port *port, bool answered)
{
	port->request.outstanding = false;
	port->request_ns = INT64_MAX;
	ptp_reached(port, answered);
	port->unanswered = answered ? 0 : port->unanswered + 1;
	port->statistics.unanswered += !answered;
}

/* The four times are there. */
static void sample_by_request(struct ptp_port *port, int64_t now_ns)
{
	const struct ptp_sync *sync = &port->paired;
	const struct ptp_request *request = &port->request;
	struct ptp_limit forth, back;
	struct ptp_offset offset;
	struct way way = {0};
	int64_t utc_ns, raw_ns, apart;

	if (!request->outstanding || !request->has_tx || !request->has_response || !sync->complete)
		return;
	request_over(port, true);
	raw_ns = ptp_raw_ns(port, request->tx.counter);
	forth = forth_of(port, sync);
	if (ptp_utc_of(&port->utc, port->receive_ns, &utc_ns) < 0)
		goto drop;
	back = (struct ptp_limit){raw_ns,
				  utc_ns - ptp_correction_ns(port->receive_correction) - raw_ns,
				  request->tx.error_ns};
	if (ptp_offset_between(&offset, &forth, &back, ptp_rate_at(&port->rate, raw_ns)) < 0 ||
	    offset.delay_ns > DELAY_MAX_NS)
		goto drop;
	way.longest_ns = offset.delay_ns / 2;
	/* Delays of before the clock's rate was known are no measure of others. */
	if (port->rate.count > 1)
		way.least_ns = ptp_least_add(&port->least, way.longest_ns);
	way.is_known = ptp_least_is_known(&port->least);
	apart = (int64_t)(request->tx.counter - sync->rx.counter);
	sample_send(port, now_ns, &offset, &way, sync->rx.counter + (uint64_t)(apart / 2),
		    request->tx.quality, sync->rx.quality);
	return;

drop:
	ptp_drop(port);
}

/*
 * P2P: an authentic message whose time has been before was sent before, as its delay, which nobody
 * measures, would not tell. A master that was set back is believed once it has caught up; another one
 * is at once.
 */
static bool is_replayed(struct ptp_port *port, const struct ptp_sync *sync)
{
	const struct ptp_identity *master = &port->master.port;
	unsigned int i;

	if (port->config.mechanism != PTP_P2P || !port->config.auth.key.id)
		return false;
	for (i = 0; i < PTP_AUTHENTIC; i++)
		if (port->authentic[i].utc_ns &&
		    ptp_identity_equal(&port->authentic[i].port, master))
			break;
	if (i == PTP_AUTHENTIC) {
		i = port->next_authentic++ % PTP_AUTHENTIC;
		port->authentic[i].port = *master;
	} else if (sync->utc_ns <= port->authentic[i].utc_ns) {
		return true;
	}
	port->authentic[i].utc_ns = sync->utc_ns;
	return false;
}

/* It has all that belongs to it. Returns GOOD, or DUPLICATE for one that came before. */
static enum ptp_verdict sync_complete(struct ptp_port *port, int64_t now_ns, struct ptp_sync *sync)
{
	int64_t time_ns = sync->origin_ns;

	sync->used = false;
	ptp_utc_announced(&port->utc, &port->config.utc, &port->master.announce, port->master.flags,
			  time_ns);
	if (sync->correction > CORRECTION_MAX || sync->correction < -CORRECTION_MAX ||
	    ptp_utc_of(&port->utc, time_ns, &sync->utc_ns) < 0 ||
	    !ptp_master_is_limited(&port->master.announce, port->config.accuracy_ns) ||
	    !timescale_covers(port->scale, sync->rx.counter)) {
		ptp_drop(port);
		ptp_tell_lost(port, CHRONOTICK_SOURCE_UNSYNCHRONIZED);
		return PTP_GOOD;
	}
	if (is_replayed(port, sync)) {
		ptp_tell_lost(port, CHRONOTICK_SOURCE_UNSYNCHRONIZED);
		return PTP_DUPLICATE;
	}
	port->correction_ns = ptp_correction_ns(sync->correction);
	sync->utc_ns += port->correction_ns;
	sync->complete = true;
	if (port->config.mechanism == PTP_E2E) {
		/* The request may have gone out before the follow-up came, and been answered. */
		if (port->paired.has_sync && port->paired.sequence == sync->sequence) {
			port->paired = *sync;
			sample_by_request(port, now_ns);
		}
		return PTP_GOOD;
	}
	/* The time at which somebody found it says nothing of when it came. */
	if (sync->rx.quality == CHRONOTICK_STAMP_USER) {
		ptp_drop(port);
		return PTP_GOOD;
	}
	if (port->window_count == PTP_WINDOW ||
	    (port->window_count && now_ns - port->window[0].came_ns > WINDOW_NS))
		port->window_count = 0;
	port->window[port->window_count++] = *sync;
	sample_by_link(port, now_ns);
	return PTP_GOOD;
}

/* A message and its follow-up belong together only if they are near: the master may count anew. */
static struct ptp_sync *sync_find(struct ptp_port *port, uint16_t sequence, int64_t now_ns)
{
	unsigned int i;

	for (i = 0; i < PTP_SYNCS; i++)
		if (port->syncs[i].used && port->syncs[i].sequence == sequence &&
		    now_ns - port->syncs[i].came_ns < PTP_ANSWER_NS)
			return &port->syncs[i];
	return NULL;
}

static struct ptp_sync *sync_place(struct ptp_port *port, uint16_t sequence, int64_t now_ns)
{
	struct ptp_sync *sync = &port->syncs[port->next_sync++ % PTP_SYNCS];

	*sync = (struct ptp_sync){.used = true, .sequence = sequence, .came_ns = now_ns};
	return sync;
}

/*
 * Not newer than what has come already. After a silence as long as an Announce message's timeout, the
 * master may have begun to count anew.
 */
static bool is_old(const struct ptp_port *port, uint16_t sequence, int64_t now_ns)
{
	return port->has_sequence && (int16_t)(sequence - port->sequence) <= 0 &&
	       now_ns - port->synced_ns < port->config.announce_timeout * port->master.interval_ns;
}

/* Responses are asked for soon after a Sync message. */
static void request_plan(struct ptp_port *port, int64_t now_ns, const struct ptp_sync *sync)
{
	if (port->config.mechanism != PTP_E2E || now_ns < port->request_after_ns ||
	    port->request.outstanding || port->request_ns != INT64_MAX ||
	    (port->config.negotiates &&
	     !ptp_unicast_granted(&port->unicast, PTP_SERVICE_DELAY, now_ns)))
		return;
	port->paired = *sync;
	port->request_ns = now_ns + (int64_t)ptp_random(port, AFTER_SYNC_NS);
}

enum ptp_verdict ptp_sync_receive(struct ptp_port *port, int64_t now_ns,
				  const struct ptp_message *message, const struct ptp_instant *rx)
{
	struct ptp_sync *sync = sync_find(port, message->sequence, now_ns);

	if ((sync && sync->has_sync) || is_old(port, message->sequence, now_ns))
		return PTP_DUPLICATE;
	port->has_sequence = true;
	port->sequence = message->sequence;
	port->synced_ns = now_ns;
	if (ptp_interval_is_told(message->log_interval))
		port->log_sync = message->log_interval;
	if (!sync)
		sync = sync_place(port, message->sequence, now_ns);
	sync->has_sync = true;
	sync->rx = *rx;
	sync->came_ns = now_ns;
	/* One with its own time has no follow-up, so what came was none. */
	if (!(message->flags & PTP_FLAG_TWO_STEP))
		sync->correction = 0;
	if (__builtin_add_overflow(sync->correction, message->correction, &sync->correction))
		return PTP_INVALID;
	if (!(message->flags & PTP_FLAG_TWO_STEP)) {
		if (message->time_ns < 0)
			return PTP_INVALID;
		sync->origin_ns = message->time_ns;
		sync->has_origin = true;
	}
	request_plan(port, now_ns, sync);
	return sync->has_origin ? sync_complete(port, now_ns, sync) : PTP_GOOD;
}

enum ptp_verdict ptp_follow_up_receive(struct ptp_port *port, int64_t now_ns,
				       const struct ptp_message *message)
{
	struct ptp_sync *sync = sync_find(port, message->sequence, now_ns);

	if (message->time_ns < 0)
		return PTP_INVALID;
	if (sync && sync->has_origin)
		return PTP_DUPLICATE;
	/* One that overtook its Sync message waits for it; one that comes again does so in vain. */
	if (!sync && is_old(port, message->sequence, now_ns))
		return PTP_LATE;
	if (!sync)
		sync = sync_place(port, message->sequence, now_ns);
	sync->origin_ns = message->time_ns;
	sync->has_origin = true;
	if (__builtin_add_overflow(sync->correction, message->correction, &sync->correction))
		return PTP_INVALID;
	return sync->has_sync ? sync_complete(port, now_ns, sync) : PTP_GOOD;
}

enum ptp_verdict ptp_delay_resp_receive(struct ptp_port *port, int64_t now_ns,
					const struct ptp_message *message)
{
	struct ptp_request *request = &port->request;

	if (!request->outstanding || message->sequence != request->sequence)
		return PTP_LATE;
	if (request->has_response)
		return PTP_DUPLICATE;
	if (message->time_ns < 0 || message->correction > CORRECTION_MAX ||
	    message->correction < -CORRECTION_MAX)
		return PTP_INVALID;
	if (ptp_interval_is_told(message->log_interval))
		port->log_delay = message->log_interval;
	request->has_response = true;
	port->receive_ns = message->time_ns;
	port->receive_correction = message->correction;
	sample_by_request(port, now_ns);
	return PTP_GOOD;
}

bool ptp_sync_transmitted(struct ptp_port *port, int64_t now_ns, int64_t number,
			  const struct ptp_instant *tx)
{
	struct ptp_request *request = &port->request;

	if (!request->outstanding || request->number != number)
		return false;
	if (request->has_tx || !timescale_covers(port->scale, tx->counter))
		return true; /* a second one is none */
	request->has_tx = true;
	request->tx = *tx;
	port->statistics.stamps_missing += tx->quality == CHRONOTICK_STAMP_USER;
	sample_by_request(port, now_ns);
	return true;
}

/*
 * The time after which the next Sync message has a request sent after it: as the master wants it in the
 * mean, and at random around that
 */
static int64_t request_interval_ns(struct ptp_port *port)
{
	int64_t interval_ns = ptp_interval_ns(port->log_delay);
	int64_t half_ns = ptp_interval_ns(port->log_sync) / 2;

	if (interval_ns < PTP_SAMPLE_INTERVAL_NS)
		interval_ns = PTP_SAMPLE_INTERVAL_NS;
	if (half_ns > interval_ns / 2)
		half_ns = interval_ns / 2;
	return interval_ns - half_ns + (int64_t)ptp_random(port, (uint64_t)half_ns * 3 / 4);
}

static void request_send(struct ptp_port *port, int64_t now_ns)
{
	struct ptp_message message = ptp_begin(port, PTP_DELAY_REQ, ++port->request_sequence);
	uint8_t data[PTP_OUT_MAX];
	size_t size = ptp_message_write(&message, data);
	int64_t r;

	port->request = (struct ptp_request){
		.sequence = message.sequence, .sent_ns = now_ns, .outstanding = true};
	port->request_ns = INT64_MAX;
	port->request_after_ns = now_ns + request_interval_ns(port);
	r = ptp_send(port, data, size, true, ptp_master_destination(port), &port->config.master);
	port->request.number = r;
	if (r < 0)
		request_over(port, false);
}

int64_t ptp_sync_tick(struct ptp_port *port, int64_t now_ns)
{
	struct ptp_request *request = &port->request;

	if (request->outstanding && now_ns - request->sent_ns >= PTP_ANSWER_NS)
		request_over(port, request->has_response);
	if (port->has_master && now_ns >= port->request_ns)
		request_send(port, now_ns);
	if (request->outstanding)
		return request->sent_ns + PTP_ANSWER_NS;
	return port->request_ns;
}
