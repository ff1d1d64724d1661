/* SPDX-License-Identifier: MIT */
#include "sources/ntp.h"

#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <unistd.h>

#include "sources/ntp_private.h"
#include "sources/ntp_socket.h"

#define MS 1000000LL

#define FIRST_NS (100 * MS)   /* and up to as much again: time for the kernel to turn stamps on */
#define ANSWER_NS (1000 * MS) /* how long an answer is waited for */
#define RESOLVER_NS (50 * MS) /* how often a resolver is asked whether it is done */
#define RESOLVE_AGAIN_NS (1000 * MS) /* after a failure, doubled up to 64 times that */
#define RESOLVE_AGAIN_SHIFT_MAX 6
#define NEXT_ADDRESS_NS (100 * MS)
#define HARDWARE_AGAIN_NS (60 * 1000 * MS)
#define LOCAL_NS (60 * 1000 * MS)     /* how old the list of this host's addresses may be */
#define OFFLINE_NS (3600 * 1000 * MS) /* its timer has to stand somewhere */

/* Unanswered requests after which another address is tried */
#define ADDRESS_MISSES 4

/* The timer has had its place in the loop since ntp_new(): setting it again does not fail. */
void ntp_timer_at(struct ntp *ntp, enum phase phase, int64_t deadline_ns)
{
	ntp->phase = phase;
	(void)loop_timer_set(ntp->context.loop, &ntp->timer, deadline_ns);
}

void ntp_tell_lost(struct ntp *ntp, uint8_t state)
{
	if (ntp->told == state)
		return;
	ntp->told = state;
	ntp->context.events->lost(ntp->context.events->data, ntp->index, state);
}

static void socket_close(struct ntp *ntp)
{
	if (ntp->fd < 0)
		return;
	loop_fd_remove(ntp->context.loop, ntp->fd);
	close(ntp->fd);
	ntp->fd = -1;
}

/* Of an interface that can't, or that is not there yet, or has gone, no more is asked for a minute. */
static void hardware_look(struct ntp *ntp, int64_t now_ns)
{
	struct hardware_table *table = ntp->context.hardware;

	if (!ntp->interface[0] || ntp->hardware ||
	    (ntp->hardware_ns && now_ns - ntp->hardware_ns < HARDWARE_AGAIN_NS))
		return;
	ntp->hardware_ns = now_ns;
	snprintf(ntp->why, sizeof(ntp->why), "this daemon uses none");
	if (table && hardware_get(&ntp->hardware, table, ntp->interface, NIC_NTP, ntp->why) < 0)
		ntp->hardware = NULL;
}

static void hardware_drop(struct ntp *ntp)
{
	hardware_put(ntp->hardware);
	ntp->hardware = NULL;
}

void ntp_hardware_stamp(struct ntp *ntp, const struct stamp *stamp, uint64_t sent,
			struct ntp_hardware_stamp *ret)
{
	if (!ntp->hardware || !stamp->hardware_ns || hardware_read(ntp->hardware) < 0)
		return;
	ret->has = hardware_counter(ntp->hardware, stamp->hardware_ns, sent, &ret->counter,
				    &ret->error_ns) == 0;
}

bool ntp_hardware(const struct ntp *ntp, char *ret, size_t size)
{
	const struct ntp_statistics *statistics = &ntp->statistics;
	char clock[NIC_TEXT_SIZE];

	if (!ntp->hardware) {
		snprintf(ret, size, "%s", ntp->interface[0] ? ntp->why : "");
		return false;
	}
	hardware_describe(ntp->hardware, clock, sizeof(clock));
	snprintf(ret, size, "%.80s; %" PRIu64 " missing, %" PRIu64 " late, %" PRIu64 " twice",
		 clock, statistics->hardware_missing, statistics->stamps_late,
		 statistics->stamps_twice);
	return true;
}

/*
 * A new socket, and with it a new random source port, for every request: an answer to an older one
 * can't be taken for its answer, nor an older one's transmit stamp for its stamp. The old socket is
 * closed only now, so that the kernel's receive stamps stay on.
 */
static int socket_renew(struct ntp *ntp)
{
	bool stamps;
	int fd, r;

	fd = ntp_socket_open(&ntp->found.addresses[ntp->address],
			     ntp->hardware ? ntp->interface : NULL, &stamps);
	if (fd < 0)
		return fd;
	r = loop_fd_add(ntp->context.loop, fd, POLLIN | POLLPRI, ntp_ready, ntp);
	if (r < 0) {
		close(fd);
		return r;
	}
	socket_close(ntp);
	ntp->fd = fd;
	ntp->fd_used = false;
	ntp->fd_stamps = stamps;
	return 0;
}

/* The next request, one interval after the last one, a little later so that clients spread out. */
void ntp_rest(struct ntp *ntp)
{
	int64_t interval_ns = ntp_poll_interval_ns(&ntp->poll);
	int64_t spread_ns = (int64_t)(ntp->request.origin % 1024) * (interval_ns / 32768);

	ntp_timer_at(ntp, RESTING, ntp->exchange.sent_ns + interval_ns + spread_ns);
}

static void resolve(struct ntp *ntp)
{
	int64_t again_ns = RESOLVE_AGAIN_NS << ntp->resolve_again;

	if (resolver_start(&ntp->resolver, ntp->server, ntp->port) < 0)
		ntp_timer_at(ntp, RESOLVING, loop_now_ns() + again_ns);
	else
		ntp_timer_at(ntp, RESOLVING, loop_now_ns() + RESOLVER_NS);
}

/* There are addresses: open a socket for the first of them, and ask it soon. */
static void resolved(struct ntp *ntp)
{
	uint16_t spread = 0;

	ntp->address = 0;
	ntp->misses = 0;
	ntp->resolve_again = 0;
	ntp->exchange.answered = false; /* perhaps by another address */
	/* A socket that does not open now is opened with the request. */
	(void)socket_renew(ntp);
	(void)getrandom(&spread, sizeof(spread), GRND_NONBLOCK);
	ntp_timer_at(ntp, RESTING, loop_now_ns() + FIRST_NS + FIRST_NS / UINT16_MAX * spread);
}

static void resolver_look(struct ntp *ntp)
{
	int r;

	if (!ntp->resolver) {
		resolve(ntp);
		return;
	}
	r = resolver_poll(ntp->resolver, &ntp->found);
	if (r == -EAGAIN) {
		ntp_timer_at(ntp, RESOLVING, loop_now_ns() + RESOLVER_NS);
		return;
	}
	resolver_free(ntp->resolver);
	ntp->resolver = NULL;
	if (r == 0) {
		resolved(ntp);
		return;
	}
	if (ntp->found.count) {
		/* No answer from the name servers is no reason to forget what they said before. */
		ntp->address = 0;
		ntp_timer_at(ntp, RESTING, loop_now_ns() + ntp_poll_interval_ns(&ntp->poll));
		return;
	}
	ntp_timer_at(ntp, RESOLVING, loop_now_ns() + (RESOLVE_AGAIN_NS << ntp->resolve_again));
	if (ntp->resolve_again < RESOLVE_AGAIN_SHIFT_MAX)
		ntp->resolve_again++;
}

/* The request is over without a sample: go on, perhaps with another address. */
void ntp_missed(struct ntp *ntp, bool refused)
{
	ntp->request.outstanding = false;
	ntp->misses++;
	if (ntp_poll_missed(&ntp->poll))
		ntp_tell_lost(ntp, CHRONOTICK_SOURCE_UNREACHABLE);
	ntp_rest(ntp);
	if (ntp->poll.reachable || (!refused && ntp->misses < ADDRESS_MISSES))
		return;
	ntp->misses = 0;
	if (ntp->address + 1 < ntp->found.count) {
		ntp->address++;
		/* What is refused at once costs no time. */
		if (refused)
			ntp_timer_at(ntp, RESTING, loop_now_ns() + NEXT_ADDRESS_NS);
	} else if (ntp->numeric) {
		ntp->address = 0;
	} else {
		/* All have failed: the name may have others by now; ask when the poll is due. */
		ntp->phase = RESOLVING;
	}
}

void ntp_stop(struct ntp *ntp)
{
	ntp->phase = STOPPED;
	ntp->request.outstanding = false;
	loop_timer_cancel(ntp->context.loop, &ntp->timer);
	socket_close(ntp);
	hardware_drop(ntp);
	ntp_tell_lost(ntp, CHRONOTICK_SOURCE_DENIED);
}

/* Two numbers that differ, neither of them 0 */
static int random_draw(uint64_t ret[2])
{
	const size_t size = 2 * sizeof(ret[0]);

	do {
		/* Early at boot there may be nothing random yet; the loop does not wait for it. */
		if (getrandom(ret, size, GRND_NONBLOCK) != (ssize_t)size)
			return -EIO;
	} while (!ret[0] || !ret[1] || ret[0] == ret[1]);
	return 0;
}

static const struct sockaddr *server_address(const struct ntp *ntp)
{
	return (const struct sockaddr *)&ntp->found.addresses[ntp->address].address;
}

/*
 * This host's addresses come and go: they are read again when they are old, and when an unknown one
 * is used.
 */
static void local_refresh(struct ntp *ntp, int64_t now_ns)
{
	struct sockaddr_storage own = {.ss_family = AF_UNSPEC};
	socklen_t size = sizeof(own);

	if (now_ns - ntp->local_ns >= LOCAL_NS ||
	    getsockname(ntp->fd, (struct sockaddr *)&own, &size) < 0 ||
	    !ntp_local_has(&ntp->local, (const struct sockaddr *)&own))
		ntp_local_renew(ntp);
}

void ntp_local_renew(struct ntp *ntp)
{
	if (ntp_local_read(&ntp->local) == 0)
		ntp->local_ns = loop_now_ns();
}

/* An address may have moved from here to the server since they were read. */
static bool is_own(struct ntp *ntp, const struct sockaddr *server)
{
	if (!ntp_local_has(&ntp->local, server))
		return false;
	ntp_local_renew(ntp);
	return ntp_local_has(&ntp->local, server);
}

/*
 * A request says nothing of this machine: its times are random numbers, by which the answer is
 * known, or the server's own; the true ones stay here.
 */
static int request_send(struct ntp *ntp)
{
	struct ntp_packet packet = {
		.version = NTP_VERSION, .mode = NTP_MODE_CLIENT, .precision = 32};
	struct exchange *exchange = &ntp->exchange;
	uint8_t wire[NTP_PACKET_SIZE + NTP_MAC_SIZE_MAX];
	int64_t last_ns = exchange->sent_ns;
	size_t size = NTP_PACKET_SIZE;
	uint64_t random[2];
	int r;

	ntp->previous = *exchange;
	memset(exchange, 0, sizeof(*exchange));
	exchange->sent_ns = loop_now_ns();
	ntp_poll_sent(&ntp->poll);
	hardware_look(ntp, exchange->sent_ns);
	/* The stamp will lie between this reading and the next. One that moved is begun anew. */
	if (ntp->hardware && hardware_read(ntp->hardware) < 0 && hardware_read(ntp->hardware) < 0)
		hardware_drop(ntp);
	if (ntp->fd < 0 || ntp->fd_used) {
		r = socket_renew(ntp);
		if (r < 0)
			return r;
	}
	local_refresh(ntp, exchange->sent_ns);
	if (is_own(ntp, server_address(ntp)))
		return -ELOOP;
	r = random_draw(random);
	if (r < 0)
		return r;
	if (!ntp->previous.answered)
		ntp_interleaved_lost(&ntp->interleaved);
	ntp_interleaved_ask(&ntp->interleaved, exchange->sent_ns - last_ns, random, &packet,
			    &ntp->request);
	ntp_packet_write(&packet, wire);
	if (ntp->key.id)
		size += ntp_mac_write(&ntp->key, wire, wire + size);
	ntp->fd_used = true;
	r = cross_read(&exchange->times.before, ntp->context.counter, CLOCK_REALTIME);
	if (r < 0)
		return r;
	if (send(ntp->fd, wire, size, 0) < 0)
		return -errno;
	ntp->request.outstanding = true;
	ntp->statistics.sent++;
	return 0;
}

static void request(struct ntp *ntp)
{
	int r = request_send(ntp);

	if (r == 0) {
		ntp_timer_at(ntp, WAITING, ntp->exchange.sent_ns + ANSWER_NS);
		return;
	}
	ntp_poll_unsent(&ntp->poll);
	ntp_missed(ntp, true);
	if (r == -ELOOP)
		ntp_tell_lost(ntp, CHRONOTICK_SOURCE_LOOP);
}

static void expired(void *data)
{
	struct ntp *ntp = data;

	switch (ntp->phase) {
	case RESOLVING:
		resolver_look(ntp);
		break;
	case RESTING:
		request(ntp);
		break;
	case WAITING:
		ntp_missed(ntp, false);
		break;
	case HOLDING:
		ntp_complete(ntp);
		break;
	case OFFLINE:
		ntp_timer_at(ntp, OFFLINE, loop_now_ns() + OFFLINE_NS);
		break;
	case STOPPED:
		break;
	}
}

static bool config_in_range(const struct ntp_config *config)
{
	return config->server && *config->server && config->port &&
	       config->minpoll >= NTP_POLL_MIN && config->maxpoll <= NTP_POLL_MAX &&
	       (!config->interface || strlen(config->interface) < IF_NAMESIZE) &&
	       config->minpoll <= config->maxpoll && config->samples <= NTP_POLL_SAMPLES_MAX &&
	       (!config->key.id || config->key.size);
}

void ntp_online(struct ntp *ntp, bool online)
{
	/* Whoever switches it may have forgotten what it was told. */
	ntp->told = CHRONOTICK_SOURCE_CANDIDATE;
	if (ntp->phase == STOPPED && online)
		ntp_tell_lost(ntp, CHRONOTICK_SOURCE_DENIED);
	if (ntp->phase == STOPPED || online == (ntp->phase != OFFLINE))
		return;
	if (!online) {
		socket_close(ntp);
		hardware_drop(ntp);
		ntp->hardware_ns = 0;
		resolver_free(ntp->resolver);
		ntp->resolver = NULL;
		ntp->request.outstanding = false;
		ntp_timer_at(ntp, OFFLINE, loop_now_ns() + OFFLINE_NS);
		return;
	}
	/* The counter may be another one since. */
	memset(&ntp->last, 0, sizeof(ntp->last));
	ntp->exchange.answered = false;
	ntp_poll_burst(&ntp->poll);
	ntp->resolve_again = 0;
	if (ntp->numeric)
		resolved(ntp);
	else
		resolve(ntp);
}

int ntp_reconfigure(struct ntp *ntp, const struct ntp_config *config)
{
	if (strcasecmp(ntp->server, config->server) != 0 || ntp->port != config->port ||
	    strcmp(ntp->interface, config->interface ? config->interface : "") != 0 ||
	    !config_in_range(config))
		return -ENOTSUP;
	ntp->key = config->key;
	ntp->interleaved.wanted = config->xleave;
	ntp_poll_range(&ntp->poll, config->minpoll, config->maxpoll, config->iburst);
	ntp_poll_samples(&ntp->poll, config->samples ? config->samples : 1);
	if (ntp->phase == RESTING && ntp->statistics.sent)
		ntp_rest(ntp);
	return 0;
}

bool ntp_address(const struct ntp *ntp, struct resolver_address *ret)
{
	if (!ntp->found.count)
		return false;
	*ret = ntp->found.addresses[ntp->address];
	return true;
}

int ntp_new(struct ntp **ret, const struct source_context *context, unsigned int index,
	    const struct ntp_config *config)
{
	struct ntp *ntp;
	int r;

	if (!config_in_range(config) || index > UINT16_MAX)
		return -EINVAL;
	ntp = calloc(1, sizeof(*ntp));
	if (!ntp)
		return -ENOMEM;
	ntp->context = *context;
	ntp->index = index;
	ntp->port = config->port;
	ntp->fd = -1;
	ntp->timer.fire = expired;
	ntp->timer.data = ntp;
	ntp_poll_init(&ntp->poll, config->minpoll, config->maxpoll, config->iburst);
	ntp_poll_samples(&ntp->poll, config->samples ? config->samples : 1);
	ntp->interleaved.wanted = config->xleave;
	ntp->key = config->key;
	if (config->interface)
		snprintf(ntp->interface, sizeof(ntp->interface), "%s", config->interface);
	ntp->server = strdup(config->server);
	if (!ntp->server) {
		r = -ENOMEM;
		goto fail;
	}
	/* Now, not at the first firing: here -ENOMEM can be told. */
	r = loop_timer_set(context->loop, &ntp->timer, loop_now_ns());
	if (r < 0)
		goto fail;
	ntp->numeric = resolver_numeric(&ntp->found, ntp->server, ntp->port) == 0;
	if (ntp->numeric)
		resolved(ntp);
	else
		ntp_timer_at(ntp, RESOLVING, loop_now_ns()); /* it may be put offline before */
	*ret = ntp;
	return 0;

fail:
	free(ntp->server);
	explicit_bzero(ntp, sizeof(*ntp)); /* its key */
	free(ntp);
	return r;
}

void ntp_free(struct ntp *ntp)
{
	if (!ntp)
		return;
	loop_timer_cancel(ntp->context.loop, &ntp->timer);
	socket_close(ntp);
	hardware_drop(ntp);
	resolver_free(ntp->resolver);
	free(ntp->server);
	explicit_bzero(ntp, sizeof(*ntp)); /* its key */
	free(ntp);
}

void ntp_describe(const struct ntp *ntp, struct chronotick_source *ret)
{
	const struct resolver_address *address = &ntp->found.addresses[ntp->address];
	const struct sample *last = &ntp->last;

	memset(ret->name, 0, sizeof(ret->name));
	if (!ntp->found.count ||
	    getnameinfo((const struct sockaddr *)&address->address, address->size, ret->name,
			sizeof(ret->name), NULL, 0, NI_NUMERICHOST))
		snprintf(ret->name, sizeof(ret->name), "%s", ntp->server);
	ret->kind = CHRONOTICK_NTP;
	ret->reach = ntp->poll.reach;
	ret->poll = ntp->poll.current;
	ret->samples = ntp->statistics.accepted;
	ret->tx_stamp = last->tx_stamp;
	ret->rx_stamp = last->rx_stamp;
	ret->stratum = last->stratum;
	ret->leap = ntp->statistics.accepted ? last->leap : NTP_LEAP_UNKNOWN;
	ret->delay_ns = (uint64_t)last->delay_ns;
	ret->dispersion_ns = (uint64_t)last->dispersion_ns;
	ret->last_counter = last->counter;
}

void ntp_statistics(const struct ntp *ntp, struct ntp_statistics *ret)
{
	*ret = ntp->statistics;
	ret->is_interleaved = ntp->interleaved.running;
	ret->is_authenticated = ntp->key.id;
	ret->poll = ntp->poll.current;
}
