/* SPDX-License-Identifier: MIT */
/* A PTP port: which messages are taken, from whom, and whom it follows. */
#include "sources/ptp_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "chronotick_page.h"

/* For so long a master is not used that does not send what it announces, or does not answer */
#define MUTED_NS (60000 * PTP_MS)
/* For so long nobody was heard who has granted to announce himself, 2^4 s apart at most */
#define UNHEARD_NS (40000 * PTP_MS)

int64_t ptp_raw_ns(const struct ptp_port *port, uint64_t counter)
{
	return timescale_ns(port->scale, counter);
}

uint64_t ptp_random(struct ptp_port *port, uint64_t below)
{
	/* xorshift64*: this is about who asks when, not about secrets. */
	port->random ^= port->random >> 12;
	port->random ^= port->random << 25;
	port->random ^= port->random >> 27;
	return below ? (port->random * 2685821657736338717ULL >> 16) % below : 0;
}

void ptp_tell_lost(struct ptp_port *port, uint8_t state)
{
	if (port->told == state)
		return;
	port->told = state;
	port->ops->lost(port->ops->data, state);
}

void ptp_reached(struct ptp_port *port, bool answered)
{
	port->reach = (uint8_t)(port->reach << 1 | answered);
}

void ptp_drop(struct ptp_port *port)
{
	port->statistics.dropped++;
	port->statistics.accepted--; /* as what it was made of has been counted, or will be */
}

enum ptp_destination ptp_master_destination(const struct ptp_port *port)
{
	return port->config.master.size ? PTP_TO_ADDRESS : PTP_TO_ALL;
}

struct ptp_message ptp_begin(const struct ptp_port *port, enum ptp_type type, uint16_t sequence)
{
	return (struct ptp_message){
		.type = type,
		.sdo = port->config.sdo,
		.minor = port->config.minor,
		.domain = port->config.domain,
		/* 802.1AS has this flag in all messages. */
		.flags = (uint16_t)((port->config.sdo ? PTP_FLAG_TIMESCALE : 0) |
				    (port->config.master.size ? PTP_FLAG_UNICAST : 0)),
		.source = port->config.identity,
		.sequence = sequence,
		.log_interval = PTP_LOG_INTERVAL_NONE,
	};
}

int64_t ptp_send(struct ptp_port *port, uint8_t *data, size_t size, bool event,
		 enum ptp_destination destination, const struct ptp_address *address)
{
	struct ptp_outgoing outgoing;
	int64_t r;

	if (port->config.auth.key.id)
		size = ptp_auth_append(&port->config.auth, data, size);
	outgoing = (struct ptp_outgoing){data, size, event, destination, address};
	r = port->ops->send(port->ops->data, &outgoing);
	if (r >= 0)
		port->statistics.sent++;
	return r;
}

/* Nothing is known of the master's time, and of the way to it. */
static void master_reset(struct ptp_port *port, int64_t now_ns)
{
	memset(&port->utc, 0, sizeof(port->utc));
	memset(&port->rate, 0, sizeof(port->rate));
	memset(&port->least, 0, sizeof(port->least));
	port->sampled = false;
	port->since_ns = now_ns;
	port->path_delay_ns = 0;
	port->correction_ns = 0;
	port->log_sync = port->config.log_sync;
	port->log_delay = port->config.log_delay;
	ptp_sync_reset(port, now_ns);
}

static bool config_is_good(const struct ptp_port_config *config)
{
	return config->announce_timeout >= 2 && ptp_interval_is_told(config->log_announce) &&
	       ptp_interval_is_told(config->log_sync) && ptp_interval_is_told(config->log_delay) &&
	       config->sdo < 0x1000 && config->minor < 16 && config->mechanism <= PTP_P2P &&
	       config->utc.timescale <= PTP_TIMESCALE_UTC &&
	       (!config->negotiates || (config->master.size && config->grant_s >= 10 &&
					config->grant_s <= 1000 && config->mechanism == PTP_E2E));
}

void ptp_port_restart(struct ptp_port *port, int64_t now_ns)
{
	const struct ptp_port_config *config = &port->config;

	memset(&port->masters, 0, sizeof(port->masters));
	port->masters.algorithm = config->algorithm;
	port->masters.timeout = config->announce_timeout;
	port->masters.silent = config->negotiates;
	port->masters.log_interval = config->log_announce;
	memcpy(port->masters.own, config->identity.clock, sizeof(port->masters.own));
	memset(&port->unicast, 0, sizeof(port->unicast));
	port->unicast.duration_s = config->grant_s;
	port->unicast.log_intervals[PTP_SERVICE_ANNOUNCE] = config->log_announce;
	port->unicast.log_intervals[PTP_SERVICE_SYNC] = config->log_sync;
	port->unicast.log_intervals[PTP_SERVICE_DELAY] = config->log_delay;
	if (config->negotiates)
		ptp_unicast_start(&port->unicast, now_ns);
	port->has_master = false;
	port->reach = 0;
	master_reset(port, now_ns);
	ptp_peer_reset(port, now_ns);
}

int ptp_port_new(struct ptp_port **ret, const struct ptp_port_config *config,
		 const struct timescale *scale, const struct ptp_port_ops *ops, int64_t now_ns)
{
	struct ptp_port *port;

	if (!config_is_good(config))
		return -EINVAL;
	port = calloc(1, sizeof(*port));
	if (!port)
		return -ENOMEM;
	port->config = *config;
	port->scale = scale;
	port->ops = ops;
	port->random = config->seed | 1;
	port->told = CHRONOTICK_SOURCE_UNREACHABLE;
	port->signaling_sequence = (uint16_t)ptp_random(port, UINT16_MAX);
	port->request_sequence = (uint16_t)ptp_random(port, UINT16_MAX);
	port->peer_sequence = (uint16_t)ptp_random(port, UINT16_MAX);
	ptp_port_restart(port, now_ns);
	*ret = port;
	return 0;
}

void ptp_port_free(struct ptp_port *port)
{
	if (!port)
		return;
	explicit_bzero(&port->config.auth, sizeof(port->config.auth));
	free(port);
}

static void signal_send(struct ptp_port *port, enum ptp_tlv_type type,
			const struct ptp_unicast_tlv *what)
{
	struct ptp_message message = ptp_begin(port, PTP_SIGNALING, port->signaling_sequence++);
	uint8_t data[PTP_OUT_MAX];
	size_t size;

	message.requesting = port->has_master ? port->master.port : ptp_identity_all;
	size = ptp_message_write(&message, data);
	size = ptp_unicast_tlv_append(data, size, type, what);
	/* One that is lost is sent again as one that is not answered is. */
	(void)ptp_send(port, data, size, false, PTP_TO_ADDRESS, &port->config.master);
}

void ptp_port_leave(struct ptp_port *port, int64_t now_ns)
{
	struct ptp_unicast_tlv tlv;

	while (ptp_unicast_cancel(&port->unicast, now_ns, &tlv))
		signal_send(port, PTP_TLV_CANCEL_UNICAST, &tlv);
}

/* Follow the best master that there is now. */
static void master_choose(struct ptp_port *port, int64_t now_ns)
{
	const struct ptp_master *best;
	bool same;

	ptp_masters_expire(&port->masters, now_ns);
	best = ptp_masters_best(&port->masters, now_ns);
	same = best && port->has_master && ptp_identity_equal(&best->port, &port->master.port) &&
	       ptp_address_equal(&best->address, &port->master.address);
	if (same) {
		/* Behind the same port there may be another grandmaster. */
		if (memcmp(best->announce.grandmaster, port->master.announce.grandmaster,
			   sizeof(best->announce.grandmaster)) != 0) {
			port->statistics.changes++;
			memset(&port->rate, 0, sizeof(port->rate));
		}
		port->master = *best;
		return;
	}
	if (!best && !port->has_master)
		return;
	if (best) {
		port->statistics.changes +=
			port->has_followed && !ptp_identity_equal(&best->port, &port->followed);
		port->followed = best->port;
		port->has_followed = true;
	}
	port->has_master = best;
	master_reset(port, now_ns);
	if (best) {
		port->master = *best;
	} else {
		port->reach = 0;
		ptp_tell_lost(port, CHRONOTICK_SOURCE_UNREACHABLE);
	}
	if (!port->config.negotiates)
		return;
	ptp_unicast_want(&port->unicast, best, now_ns);
	if (!best)
		ptp_unicast_ask_anew(&port->unicast, PTP_SERVICE_ANNOUNCE, now_ns);
}

/* Its time cannot be used as long as it sends nothing, or does not answer. */
static void master_mute(struct ptp_port *port, int64_t now_ns)
{
	struct ptp_master *master =
		ptp_masters_find(&port->masters, &port->master.port, &port->master.address);

	if (!master)
		return;
	master->muted_ns = now_ns + MUTED_NS;
	master->proven = false;
	/* Better one that may come back than none */
	if (!ptp_masters_best(&port->masters, now_ns))
		master->muted_ns = 0;
	ptp_tell_lost(port, CHRONOTICK_SOURCE_UNREACHABLE);
	if (port->config.negotiates)
		ptp_unicast_ask_anew(&port->unicast, PTP_SERVICE_SYNC, now_ns);
	port->since_ns = now_ns;
	port->unanswered = 0;
}

static void master_watch(struct ptp_port *port, int64_t now_ns)
{
	int64_t patience_ns = port->config.announce_timeout * port->master.interval_ns;
	int64_t sync_ns = 4 * ptp_interval_ns(port->log_sync), heard_ns = port->since_ns;

	if (!port->has_master) {
		/* It has granted Announce messages and sends none. */
		if (port->config.negotiates && now_ns - port->since_ns >= UNHEARD_NS) {
			ptp_unicast_ask_anew(&port->unicast, PTP_SERVICE_ANNOUNCE, now_ns);
			port->since_ns = now_ns;
		}
		return;
	}
	if (patience_ns < sync_ns)
		patience_ns = sync_ns;
	if (port->has_sequence && port->synced_ns > heard_ns)
		heard_ns = port->synced_ns;
	if (now_ns - heard_ns >= patience_ns || port->unanswered >= PTP_UNANSWERED_MAX)
		master_mute(port, now_ns);
}

static enum ptp_verdict announce_receive(struct ptp_port *port, int64_t now_ns,
					 const struct ptp_message *message,
					 const struct ptp_address *from)
{
	enum ptp_verdict verdict = ptp_masters_announce(&port->masters, message, from, now_ns);

	if (verdict == PTP_GOOD)
		master_choose(port, now_ns);
	return verdict;
}

/* A Sync message, or what belongs to one, counts only if the master that is followed sent it. */
static bool is_from_master(const struct ptp_port *port, const struct ptp_message *message,
			   const struct ptp_address *from)
{
	return port->has_master && ptp_identity_equal(&message->source, &port->master.port) &&
	       ptp_address_equal(from, &port->master.address);
}

static enum ptp_verdict sync_receive(struct ptp_port *port, int64_t now_ns,
				     const struct ptp_message *message,
				     const struct ptp_address *from, const struct ptp_instant *rx)
{
	struct ptp_master *master = ptp_masters_find(&port->masters, &message->source, from);
	bool first;

	if (!master)
		return ptp_masters_find(&port->masters, &message->source, NULL) ? PTP_BOGUS
										: PTP_IGNORED;
	if (!rx || (message->flags & PTP_FLAG_UNICAST && !port->config.master.size))
		return PTP_BOGUS;
	first = !master->sync_ns;
	master->sync_ns = now_ns;
	if (first)
		master_choose(port, now_ns);
	if (!is_from_master(port, message, from))
		return PTP_IGNORED; /* one that is not the best */
	return ptp_sync_receive(port, now_ns, message, rx);
}

/* A signaling message is for one clock or for all, and there for one port or for all, 13.12.1. */
static bool is_target(const struct ptp_port *port, const struct ptp_identity *target)
{
	const struct ptp_identity *own = &port->config.identity;

	return (memcmp(target->clock, own->clock, sizeof(own->clock)) == 0 ||
		memcmp(target->clock, ptp_identity_all.clock, sizeof(own->clock)) == 0) &&
	       (target->port == own->port || target->port == ptp_identity_all.port);
}

/* As often as the master has granted it; the messages themselves don't tell. */
static void interval_take(struct ptp_port *port, const struct ptp_unicast_tlv *what)
{
	if (!what->duration_s || !ptp_interval_is_told(what->log_interval))
		return;
	if (what->message == PTP_DELAY_RESP)
		port->log_delay = what->log_interval;
	else if (what->message == PTP_SYNC)
		port->log_sync = what->log_interval;
	else if (what->message == PTP_ANNOUNCE)
		port->masters.log_interval = what->log_interval;
}

static enum ptp_verdict signaling_receive(struct ptp_port *port, int64_t now_ns,
					  const struct ptp_message *message)
{
	const uint8_t *at = message->tlvs;
	size_t left = message->tlvs_size;
	enum ptp_verdict verdict = PTP_IGNORED;
	struct ptp_unicast_tlv what;
	struct ptp_tlv tlv;

	if (!port->config.negotiates || !is_target(port, &message->requesting))
		return PTP_IGNORED;
	while (ptp_tlv_next(&tlv, &at, &left) == 1) {
		if (tlv.type < PTP_TLV_REQUEST_UNICAST || tlv.type > PTP_TLV_ACKNOWLEDGE_CANCEL ||
		    tlv.type == PTP_TLV_REQUEST_UNICAST || tlv.type == PTP_TLV_ACKNOWLEDGE_CANCEL)
			continue; /* what others may make use of */
		if (ptp_unicast_tlv_parse(&what, &tlv) < 0)
			return PTP_MALFORMED;
		/* One that is not waited for says nothing of the others. */
		if (ptp_unicast_take(&port->unicast, tlv.type, &what, now_ns) < 0) {
			verdict = verdict == PTP_GOOD ? PTP_GOOD : PTP_LATE;
			continue;
		}
		if (tlv.type == PTP_TLV_GRANT_UNICAST)
			interval_take(port, &what);
		verdict = PTP_GOOD;
	}
	return verdict;
}

static enum ptp_verdict dispatch(struct ptp_port *port, int64_t now_ns,
				 const struct ptp_message *message, const struct ptp_address *from,
				 const struct ptp_instant *rx)
{
	switch (message->type) {
	case PTP_ANNOUNCE:
		return announce_receive(port, now_ns, message, from);
	case PTP_SYNC:
		return sync_receive(port, now_ns, message, from, rx);
	case PTP_FOLLOW_UP:
		if (!is_from_master(port, message, from))
			return port->has_master && ptp_identity_equal(&message->source,
								      &port->master.port)
				       ? PTP_BOGUS
				       : PTP_IGNORED;
		return ptp_follow_up_receive(port, now_ns, message);
	case PTP_DELAY_RESP:
		if (!ptp_identity_equal(&message->requesting, &port->config.identity))
			return PTP_IGNORED;
		/* Two that are both active for a while both answer what goes to all. */
		if (!is_from_master(port, message, from))
			return ptp_masters_find(&port->masters, &message->source, from)
				       ? PTP_IGNORED
				       : PTP_BOGUS;
		return ptp_delay_resp_receive(port, now_ns, message);
	case PTP_SIGNALING:
		return signaling_receive(port, now_ns, message);
	case PTP_PDELAY_REQ:
	case PTP_PDELAY_RESP:
	case PTP_PDELAY_RESP_FOLLOW_UP:
		if (port->config.mechanism != PTP_P2P)
			return PTP_IGNORED;
		return ptp_peer_receive(port, now_ns, message, from, rx);
	default:
		return PTP_IGNORED;
	}
}

static enum ptp_verdict judge(struct ptp_port *port, int64_t now_ns, const void *data, size_t size,
			      const struct ptp_address *from, const struct ptp_instant *rx)
{
	struct ptp_message message;

	if (ptp_message_parse(&message, data, size) < 0)
		return PTP_MALFORMED;
	if (memcmp(message.source.clock, port->config.identity.clock,
		   sizeof(message.source.clock)) == 0)
		return PTP_IGNORED; /* what this host sends itself */
	if (message.flags & PTP_FLAG_ALTERNATE_MASTER)
		return PTP_IGNORED; /* 17.3: from one that does not claim to be the best */
	if (message.domain != port->config.domain || message.sdo != port->config.sdo)
		return PTP_OTHER_DOMAIN;
	if (port->config.master.size && !ptp_address_equal(from, &port->config.master))
		return PTP_BOGUS;
	if (port->config.auth.key.id && !ptp_auth_check(&port->config.auth, data, &message))
		return PTP_UNAUTHENTIC;
	return dispatch(port, now_ns, &message, from, rx);
}

static void count(struct ptp_port *port, enum ptp_verdict verdict)
{
	if (verdict == PTP_IGNORED) {
		port->statistics.ignored++;
		return;
	}
	port->statistics.received++;
	if (verdict == PTP_GOOD) {
		port->statistics.accepted++;
		return;
	}
	port->statistics.rejected++;
	port->statistics.rejects[verdict]++;
}

void ptp_port_count_malformed(struct ptp_port *port)
{
	count(port, PTP_MALFORMED);
}

void ptp_port_count_dropped(struct ptp_port *port)
{
	port->statistics.received++;
	port->statistics.dropped++;
}

enum ptp_verdict ptp_port_receive(struct ptp_port *port, int64_t now_ns, const void *data,
				  size_t size, const struct ptp_address *from,
				  const struct ptp_instant *rx)
{
	enum ptp_verdict verdict = judge(port, now_ns, data, size, from, rx);

	count(port, verdict);
	return verdict;
}

void ptp_port_transmitted(struct ptp_port *port, int64_t now_ns, int64_t number,
			  const struct ptp_instant *tx)
{
	if (!ptp_sync_transmitted(port, now_ns, number, tx))
		(void)ptp_peer_transmitted(port, now_ns, number, tx);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t ptp_port_tick(struct ptp_port *port, int64_t now_ns)
{
	struct ptp_unicast_tlv what;
	enum ptp_tlv_type type;
	int64_t next_ns;

	master_watch(port, now_ns);
	master_choose(port, now_ns);
	while (port->config.negotiates && ptp_unicast_due(&port->unicast, now_ns, &type, &what))
		signal_send(port, type, &what);
	next_ns = earlier(ptp_sync_tick(port, now_ns), ptp_peer_tick(port, now_ns));
	next_ns = earlier(next_ns, ptp_masters_deadline(&port->masters));
	if (port->config.negotiates)
		next_ns = earlier(next_ns, ptp_unicast_deadline(&port->unicast));
	/* Whatever else is to be noticed, like silence, is noticed within a second. */
	return earlier(next_ns, now_ns + 1000 * PTP_MS);
}

void ptp_port_view(const struct ptp_port *port, struct ptp_view *ret)
{
	*ret = (struct ptp_view){
		.state = !port->has_master ? PTP_LISTENING
			 : port->sampled   ? PTP_SLAVE
					   : PTP_UNCALIBRATED,
		.has_master = port->has_master,
		.masters = port->masters.count,
		.reach = port->reach,
		.log_sync = port->log_sync,
		.log_delay = port->log_delay,
		.leap = 3,
	};
	if (!port->has_master)
		return;
	ret->master = port->master.port;
	ret->announce = port->master.announce;
	ret->flags = port->master.flags;
	ret->is_tai = port->utc.is_tai;
	ret->utc_offset_s = port->utc.offset_s;
	ret->path_delay_ns = port->path_delay_ns;
	ret->correction_ns = port->correction_ns;
	ret->error_ns = ptp_master_error_ns(&port->master.announce, port->config.accuracy_ns);
	if (port->utc.known)
		ret->leap = port->utc.leap;
}

void ptp_port_statistics(const struct ptp_port *port, struct ptp_statistics *ret)
{
	*ret = port->statistics;
}
