/* SPDX-License-Identifier: MIT */
#include "sources/ptp.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "sources/ptp_profile.h"
#include "sources/ptp_source.h"

#define MS 1000000LL
#define AGAIN_NS (1000 * MS)
#define OFFLINE_NS (3600 * 1000 * MS) /* its timer has to stand somewhere */

/* This port is none of another PTP program's that goes by the interface's address, too. */
#define PORT_NUMBER 0x4354

/* sdoId of IEEE 802.1AS */
#define SDO_GPTP 0x100

#define IDENTITY_TEXT 32

/* A port identity as text: "0200c0.fffe.a80001-1" */
static void identity_text(const struct ptp_identity *identity, char ret[IDENTITY_TEXT])
{
	const uint8_t *c = identity->clock;

	snprintf(ret, IDENTITY_TEXT, "%02x%02x%02x.%02x%02x.%02x%02x%02x-%u", c[0], c[1], c[2],
		 c[3], c[4], c[5], c[6], c[7], identity->port);
}

static void on_sample(void *data, const struct sample *made)
{
	struct ptp *ptp = data;
	struct sample sample = *made;

	sample.source = (uint16_t)ptp->index;
	sample.kind = CHRONOTICK_PTP;
	sample.arrived = ptp->arrived;
	ptp->last = sample;
	ptp->samples++;
	ptp->context.events->sample(ptp->context.events->data, &sample);
}

static void on_lost(void *data, uint8_t state)
{
	struct ptp *ptp = data;

	ptp->context.events->lost(ptp->context.events->data, ptp->index, state);
}

/* Does an error of a socket say that another one has to be opened: are its interface or address gone? */
static bool is_final(int64_t r)
{
	return r == -ENODEV || r == -ENXIO || r == -EBADF || r == -EINVAL || r == -EADDRNOTAVAIL ||
	       r == -ENETUNREACH;
}

static int64_t on_send(void *data, const struct ptp_outgoing *outgoing)
{
	struct ptp *ptp = data;
	struct ptp_send *send = &ptp->sends[ptp->next_send % PTP_SENDS];
	int64_t before_ns = ptp_realtime_ns(), id;
	uint64_t counter = counter_read(ptp->context.counter);

	id = ptp_socket_send(&ptp->sockets, outgoing);
	if (id < 0) {
		ptp->epoch++;
		ptp->broken |= is_final(id);
		return id;
	}
	if (!outgoing->event)
		return 0;
	ptp->next_send++;
	*send = (struct ptp_send){ptp_stamps_number(ptp, (uint32_t)id), before_ns, loop_now_ns(),
				  counter};
	return send->number;
}

static void timer_at(struct ptp *ptp, int64_t deadline_ns)
{
	(void)loop_timer_set(ptp->context.loop, &ptp->timer, deadline_ns);
}

static void go_on(struct ptp *ptp, int64_t now_ns)
{
	int64_t next_ns = ptp_port_tick(ptp->port, now_ns);
	int64_t stamp_ns = ptp_stamps_give_up(ptp, loop_now_ns());

	if (stamp_ns < next_ns)
		next_ns = stamp_ns;
	timer_at(ptp, next_ns < ptp->look_ns ? next_ns : ptp->look_ns);
}

static void receive(struct ptp *ptp, int fd, int64_t now_ns)
{
	uint8_t data[PTP_MESSAGE_MAX];
	struct ptp_instant instant;
	struct ptp_address from;
	struct stamp stamp;
	bool truncated, is_event, good;
	long size = ptp_socket_receive(&ptp->sockets, fd, data, sizeof(data), &from, &stamp,
				       &truncated);

	if (size == 0 || size == -EAGAIN)
		return;
	if (size < 0) {
		ptp->broken |= is_final(size);
		return;
	}
	if (truncated) {
		ptp_port_count_malformed(ptp->port);
		return;
	}
	is_event = fd == ptp->sockets.event && (data[0] & 0x0f) < PTP_EVENT_TYPES;
	good = is_event && ptp_stamps_instant(ptp, &stamp, 0, &instant);
	if (is_event && ptp->hardware)
		ptp_stamps_count(ptp, &stamp, good);
	if (is_event && !good) {
		ptp_port_count_dropped(ptp->port);
		return;
	}
	ptp->arrived = ptp_stamps_arrival(ptp, &stamp);
	(void)ptp_port_receive(ptp->port, now_ns, data, (size_t)size, &from,
			       is_event ? &instant : NULL);
	ptp->arrived = 0;
}

static void on_ready(void *data, int fd, short events)
{
	struct ptp *ptp = data;
	int64_t now_ns = loop_now_ns();
	bool empty = false;

	if (fd == ptp->sockets.event && events & (POLLERR | POLLPRI))
		empty = !ptp_stamps_take(ptp, now_ns);
	if (events & POLLIN || empty || fd != ptp->sockets.event)
		receive(ptp, fd, now_ns);
	go_on(ptp, now_ns);
}

static void statistics_add(struct ptp_statistics *to, const struct ptp_statistics *from)
{
	unsigned int i;

	to->sent += from->sent;
	to->received += from->received;
	to->accepted += from->accepted;
	to->rejected += from->rejected;
	for (i = 0; i < PTP_VERDICTS; i++)
		to->rejects[i] += from->rejects[i];
	to->dropped += from->dropped;
	to->ignored += from->ignored;
	to->stamps_missing += from->stamps_missing;
	to->unanswered += from->unanswered;
	to->changes += from->changes;
}

static void stop(struct ptp *ptp, bool leave)
{
	struct ptp_statistics statistics;

	if (ptp->port) {
		if (leave)
			ptp_port_leave(ptp->port, loop_now_ns());
		ptp_port_statistics(ptp->port, &statistics);
		statistics_add(&ptp->gone, &statistics);
	}
	ptp_port_free(ptp->port);
	ptp->port = NULL;
	hardware_put(ptp->hardware);
	ptp->hardware = NULL;
	if (ptp->sockets.event >= 0)
		loop_fd_remove(ptp->context.loop, ptp->sockets.event);
	if (ptp->sockets.general >= 0)
		loop_fd_remove(ptp->context.loop, ptp->sockets.general);
	ptp_socket_close(&ptp->sockets);
}

static int start(struct ptp *ptp)
{
	struct ptp_socket *sockets = &ptp->sockets;
	unsigned int i;
	int r;

	/* Before the interface's setting is touched: that is not for who cannot use it. */
	r = ptp_socket_open(sockets, ptp->interface);
	if (r < 0)
		return r;
	ptp_stamps_start(ptp);
	ptp_socket_stamp(sockets);
	ptp->epoch++;
	ptp->broken = false;
	for (i = 0; i < PTP_SENDS; i++)
		ptp->sends[i].number = -1;
	memcpy(ptp->config.identity.clock, sockets->clock, sizeof(sockets->clock));
	ptp->config.identity.port = PORT_NUMBER;
	r = loop_fd_add(ptp->context.loop, sockets->event, POLLIN | POLLPRI, on_ready, ptp);
	if (r == 0 && sockets->general >= 0)
		r = loop_fd_add(ptp->context.loop, sockets->general, POLLIN, on_ready, ptp);
	if (r == 0)
		r = ptp_port_new(&ptp->port, &ptp->config, ptp->context.scale, &ptp->ops,
				 loop_now_ns());
	if (r < 0)
		stop(ptp, false);
	return r;
}

static void on_timer(void *data)
{
	struct ptp *ptp = data;
	int64_t now_ns = loop_now_ns();

	if (!ptp->online) {
		timer_at(ptp, now_ns + OFFLINE_NS);
		return;
	}
	if (ptp_stamps_change(ptp, now_ns)) {
		ptp->broken = true;
		ptp->look_ns = now_ns;
	}
	if (now_ns >= ptp->look_ns) {
		ptp->look_ns = now_ns + AGAIN_NS;
		if (ptp->port &&
		    (ptp->broken || !ptp_socket_is_good(&ptp->sockets, ptp->interface))) {
			stop(ptp, false);
			on_lost(ptp, CHRONOTICK_SOURCE_UNREACHABLE);
		}
		if (!ptp->port)
			(void)start(ptp); /* else again in a second */
	}
	if (!ptp->port) {
		timer_at(ptp, ptp->look_ns);
		return;
	}
	/* So that the system clock's rate is known when a stamp comes */
	(void)clock_track_read(&ptp->track, ptp->context.counter, CLOCK_REALTIME);
	if (ptp->hardware)
		(void)hardware_read(ptp->hardware);
	go_on(ptp, now_ns);
}

/* What the sockets say of it, and chance, is not filled in. */
static int port_config(struct ptp_port_config *ret, const struct ptp_config *config)
{
	*ret = (struct ptp_port_config){
		.domain = config->domain,
		.sdo = config->gptp ? SDO_GPTP : 0,
		.minor = config->minor,
		.mechanism = config->mechanism,
		.algorithm = config->algorithm,
		.announce_timeout = config->announce_timeout,
		.log_announce = config->log_announce,
		.log_sync = config->log_sync,
		.log_delay = config->log_delay,
		.negotiates = config->unicast && config->negotiates,
		.grant_s = config->grant_s,
		.utc = {config->timescale, config->utc_offset_s},
		.accuracy_ns = config->accuracy_ns,
		.asymmetry_ns = config->asymmetry_ns,
		.asymmetry_max_ns = config->asymmetry_max_ns,
		.auth = config->auth,
	};
	if (!config->unicast)
		return 0;
	return ptp_address_parse(&ret->master, config->transport, config->unicast);
}

static int config_take(struct ptp *ptp, const struct ptp_config *config)
{
	size_t length = strlen(config->interface);
	uint64_t *seed = &ptp->config.seed;
	int r;

	ptp->sockets = (struct ptp_socket){.transport = config->transport,
					   .scope = config->scope,
					   .local = config->gptp,
					   .event = -1,
					   .general = -1};
	if (length == 0 || length >= sizeof(ptp->interface))
		return -EINVAL;
	memcpy(ptp->interface, config->interface, length + 1);
	ptp->given = *config;
	ptp->given.interface = NULL;
	ptp->given.unicast = NULL;
	r = port_config(&ptp->config, config);
	ptp->sockets.master = ptp->config.master;
	if (getrandom(seed, sizeof(*seed), GRND_NONBLOCK) != sizeof(*seed))
		*seed = (uint64_t)loop_now_ns();
	return r;
}

bool ptp_is_configured(const struct ptp *ptp, const struct ptp_config *config)
{
	struct ptp_config other = *config;
	struct ptp_port_config port;
	bool same = strcmp(ptp->interface, config->interface) == 0 &&
		    port_config(&port, config) == 0 &&
		    ptp_address_equal(&port.master, &ptp->config.master);

	other.interface = NULL;
	other.unicast = NULL;
	same = same && memcmp(&other, &ptp->given, sizeof(other)) == 0;
	explicit_bzero(&other, sizeof(other));
	explicit_bzero(&port, sizeof(port));
	return same;
}

int ptp_new(struct ptp **ret, const struct source_context *context, unsigned int index,
	    const struct ptp_config *config)
{
	struct ptp *ptp = calloc(1, sizeof(*ptp));
	struct ptp_port *trial;
	int r;

	if (!ptp)
		return -ENOMEM;
	ptp->context = *context;
	ptp->index = index;
	ptp->online = true;
	ptp->ops = (struct ptp_port_ops){ptp, on_send, on_sample, on_lost};
	ptp->timer = (struct loop_timer){.fire = on_timer, .data = ptp};
	r = config_take(ptp, config);
	/* Whether the configuration is good is known now, the interface may come later. */
	if (r == 0)
		r = ptp_port_new(&trial, &ptp->config, context->scale, &ptp->ops, 1);
	if (r == 0) {
		ptp_port_free(trial);
		r = loop_timer_set(context->loop, &ptp->timer, loop_now_ns());
	}
	if (r < 0) {
		ptp_free(ptp);
		return r;
	}
	*ret = ptp;
	return 0;
}

void ptp_free(struct ptp *ptp)
{
	if (!ptp)
		return;
	stop(ptp, true);
	loop_timer_cancel(ptp->context.loop, &ptp->timer);
	explicit_bzero(ptp, sizeof(*ptp)); /* its key */
	free(ptp);
}

void ptp_online(struct ptp *ptp, bool online)
{
	if (ptp->online == online)
		return;
	ptp->online = online;
	ptp->given_up = false;
	memset(&ptp->track, 0, sizeof(ptp->track));
	ptp->look_ns = 0;
	if (!online)
		stop(ptp, true);
	timer_at(ptp, loop_now_ns() + (online ? 0 : OFFLINE_NS));
}

void ptp_statistics(const struct ptp *ptp, struct ptp_statistics *ret)
{
	struct ptp_statistics now = {0};

	if (ptp->port)
		ptp_port_statistics(ptp->port, &now);
	*ret = ptp->gone;
	statistics_add(ret, &now);
	ret->is_authenticated = ptp->config.auth.key.id;
}

bool ptp_hardware(const struct ptp *ptp, char *ret, size_t size)
{
	char clock[NIC_TEXT_SIZE];

	if (!ptp_stamps_by_hardware(ptp)) {
		snprintf(ret, size, "%s", ptp->why);
		return false;
	}
	hardware_describe(ptp->hardware, clock, sizeof(clock));
	snprintf(ret, size, "%.80s; %" PRIu64 " missing", clock, ptp->missing);
	return true;
}

void ptp_view(const struct ptp *ptp, struct ptp_view *ret)
{
	if (ptp->port)
		ptp_port_view(ptp->port, ret);
	else
		*ret = (struct ptp_view){.state = PTP_FAULTY, .leap = 3};
}

void ptp_describe(const struct ptp *ptp, struct chronotick_source *ret)
{
	struct ptp_view view;
	char text[IDENTITY_TEXT];

	ptp_view(ptp, &view);
	identity_text(&view.master, text);
	memset(ret->name, 0, sizeof(ret->name));
	snprintf(ret->name, sizeof(ret->name), "%s", view.has_master ? text : ptp->interface);
	ret->kind = CHRONOTICK_PTP;
	ret->leap = view.leap;
	ret->reach = view.reach;
	ret->poll = ptp->config.mechanism == PTP_E2E ? view.log_delay : view.log_sync;
	ret->stratum = ptp->samples ? ptp->last.stratum : 0;
	ret->tx_stamp = ptp->last.tx_stamp;
	ret->rx_stamp = ptp->last.rx_stamp;
	ret->delay_ns = (uint64_t)ptp->last.delay_ns;
	ret->dispersion_ns = (uint64_t)ptp->last.dispersion_ns;
	ret->samples = ptp->samples;
	ret->last_counter = ptp->last.counter;
}
