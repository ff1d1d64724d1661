/* SPDX-License-Identifier: MIT */
#include "sources/ntp.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <unistd.h>

#include "sources/ntp_exchange.h"
#include "sources/ntp_packet.h"
#include "sources/ntp_poll.h"
#include "sources/resolver.h"
#include "timestamping/cross.h"
#include "timestamping/stamp.h"

#define MS 1000000LL

#define FIRST_NS (100 * MS)   /* and up to as much again: time for the kernel to turn stamps on */
#define ANSWER_NS (1000 * MS) /* how long an answer is waited for */
#define STAMP_NS (50 * MS)    /* and then its request's transmit stamp */
#define RESOLVER_NS (50 * MS) /* how often a resolver is asked whether it is done */
#define RESOLVE_AGAIN_NS (1000 * MS) /* after a failure, doubled up to 64 times that */
#define RESOLVE_AGAIN_SHIFT_MAX 6
#define NEXT_ADDRESS_NS (100 * MS)
#define OFFLINE_NS (3600 * 1000 * MS) /* its timer has to stand somewhere */

/* Unanswered requests after which another address is tried */
#define ADDRESS_MISSES 4

/* Answers to a plain header have 48 bytes; some room for what servers put behind it */
#define ANSWER_SIZE 512

enum phase {
	RESOLVING, /* the timer asks the resolver, or starts it again */
	RESTING,   /* the timer sends the next request */
	WAITING,   /* the timer gives the answer up */
	HOLDING,   /* the timer gives the transmit stamp up */
	OFFLINE,   /* the timer only keeps its place */
	STOPPED,
};

/* A request and what is known about it */
struct exchange {
	int64_t sent_ns; /* CLOCK_MONOTONIC */
	struct cross before;
	struct cross after;
	bool has_tx;
	int64_t tx_ns; /* CLOCK_REALTIME, from the kernel */
	struct stamp rx;
	struct ntp_packet answer;
};

struct ntp {
	struct source_context context;
	unsigned int index;
	char *server;
	uint16_t port;
	enum phase phase;
	struct loop_timer timer;

	struct resolver *resolver;
	struct resolver_result found;
	bool numeric;
	unsigned int address;       /* which one of those found */
	unsigned int misses;        /* since the last answer or change of address */
	unsigned int resolve_again; /* failures in a row */

	int fd; /* -1: none */
	bool fd_used;
	bool fd_stamps;

	bool warm; /* an answer has come since the start */
	struct ntp_poll poll;
	struct ntp_request request;
	struct exchange exchange;
	struct ntp_statistics statistics;
	struct sample last;
	uint8_t told; /* what the owner was told last: enum chronotick_source_state */
};

/* The timer has had its place in the loop since ntp_new(): setting it again does not fail. */
static void timer_at(struct ntp *ntp, enum phase phase, int64_t deadline_ns)
{
	ntp->phase = phase;
	(void)loop_timer_set(ntp->context.loop, &ntp->timer, deadline_ns);
}

static void tell_lost(struct ntp *ntp, uint8_t state)
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

static void ready(void *data, int fd, short events);

/*
 * A new socket, and with it a new random source port, for every request: an answer to an older one
 * can't be taken for its answer, nor an older one's transmit stamp for its stamp. The old socket is
 * closed only now, so that the kernel's receive stamps stay on.
 */
static int socket_renew(struct ntp *ntp)
{
	const struct resolver_address *address = &ntp->found.addresses[ntp->address];
	int family = address->address.ss_family, on = 1, fd, r;

	fd = socket(family, SOCK_DGRAM, 0);
	if (fd < 0)
		return -errno;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
		r = -errno;
		goto fail;
	}
	ntp->fd_stamps = stamp_enable(fd) == 0;
	/* ICMP errors only tell sooner what silence tells too. */
	if (family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
	else
		(void)setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
	if (connect(fd, (const struct sockaddr *)&address->address, address->size) < 0) {
		r = -errno;
		goto fail;
	}
	r = loop_fd_add(ntp->context.loop, fd, POLLIN | POLLPRI, ready, ntp);
	if (r < 0)
		goto fail;
	socket_close(ntp);
	ntp->fd = fd;
	ntp->fd_used = false;
	return 0;

fail:
	close(fd);
	return r;
}

/* The next request, one interval after the last one, a little later so that clients spread out. */
static void rest(struct ntp *ntp)
{
	int64_t interval_ns = ntp_poll_interval_ns(&ntp->poll);
	int64_t spread_ns = (int64_t)(ntp->request.origin % 1024) * (interval_ns / 32768);

	timer_at(ntp, RESTING, ntp->exchange.sent_ns + interval_ns + spread_ns);
}

static void resolve(struct ntp *ntp)
{
	int64_t again_ns = RESOLVE_AGAIN_NS << ntp->resolve_again;

	if (resolver_start(&ntp->resolver, ntp->server, ntp->port) < 0)
		timer_at(ntp, RESOLVING, loop_now_ns() + again_ns);
	else
		timer_at(ntp, RESOLVING, loop_now_ns() + RESOLVER_NS);
}

/* There are addresses: open a socket for the first of them, and ask it soon. */
static void resolved(struct ntp *ntp)
{
	uint16_t spread = 0;

	ntp->address = 0;
	ntp->misses = 0;
	ntp->resolve_again = 0;
	/* A socket that does not open now is opened with the request. */
	(void)socket_renew(ntp);
	(void)getrandom(&spread, sizeof(spread), GRND_NONBLOCK);
	timer_at(ntp, RESTING, loop_now_ns() + FIRST_NS + FIRST_NS / UINT16_MAX * spread);
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
		timer_at(ntp, RESOLVING, loop_now_ns() + RESOLVER_NS);
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
		timer_at(ntp, RESTING, loop_now_ns() + ntp_poll_interval_ns(&ntp->poll));
		return;
	}
	timer_at(ntp, RESOLVING, loop_now_ns() + (RESOLVE_AGAIN_NS << ntp->resolve_again));
	if (ntp->resolve_again < RESOLVE_AGAIN_SHIFT_MAX)
		ntp->resolve_again++;
}

/* The request is over without a sample: go on, perhaps with another address. */
static void missed(struct ntp *ntp, bool refused)
{
	ntp->request.outstanding = false;
	ntp->misses++;
	if (ntp_poll_missed(&ntp->poll))
		tell_lost(ntp, CHRONOTICK_SOURCE_UNREACHABLE);
	rest(ntp);
	if (ntp->poll.reachable || (!refused && ntp->misses < ADDRESS_MISSES))
		return;
	ntp->misses = 0;
	if (ntp->address + 1 < ntp->found.count) {
		ntp->address++;
		/* What is refused at once costs no time. */
		if (refused)
			timer_at(ntp, RESTING, loop_now_ns() + NEXT_ADDRESS_NS);
	} else if (ntp->numeric) {
		ntp->address = 0;
	} else {
		/* All have failed: the name may have others by now; ask when the poll is due. */
		ntp->phase = RESOLVING;
	}
}

static void stop(struct ntp *ntp)
{
	ntp->phase = STOPPED;
	ntp->request.outstanding = false;
	loop_timer_cancel(ntp->context.loop, &ntp->timer);
	socket_close(ntp);
	tell_lost(ntp, CHRONOTICK_SOURCE_DENIED);
}

static int origin_draw(uint64_t *ret)
{
	do {
		/* Early at boot there may be nothing random yet; the loop does not wait for it. */
		if (getrandom(ret, sizeof(*ret), GRND_NONBLOCK) != (ssize_t)sizeof(*ret))
			return -EIO;
	} while (!*ret);
	return 0;
}

/*
 * A request says nothing of this machine: the transmit time is a random number, by which the answer
 * is known; the true one stays here.
 */
static int request_send(struct ntp *ntp)
{
	struct ntp_packet packet = {
		.version = NTP_VERSION, .mode = NTP_MODE_CLIENT, .precision = 32};
	struct exchange *exchange = &ntp->exchange;
	uint8_t wire[NTP_PACKET_SIZE];
	int r;

	exchange->has_tx = false;
	exchange->sent_ns = loop_now_ns();
	ntp_poll_sent(&ntp->poll);
	if (ntp->fd < 0 || ntp->fd_used) {
		r = socket_renew(ntp);
		if (r < 0)
			return r;
	}
	r = origin_draw(&ntp->request.origin);
	if (r < 0)
		return r;
	packet.transmit = ntp->request.origin;
	ntp_packet_write(&packet, wire);
	ntp->fd_used = true;
	r = cross_read(&exchange->before, ntp->context.counter, CLOCK_REALTIME);
	if (r < 0)
		return r;
	if (send(ntp->fd, wire, sizeof(wire), 0) < 0)
		return -errno;
	ntp->request.outstanding = true;
	ntp->statistics.sent++;
	return 0;
}

static void request(struct ntp *ntp)
{
	if (request_send(ntp) == 0) {
		timer_at(ntp, WAITING, ntp->exchange.sent_ns + ANSWER_NS);
		return;
	}
	ntp_poll_unsent(&ntp->poll);
	missed(ntp, true);
}

/* Where the request left: the kernel's stamp if it came and can be right, else just before. */
static void instant_sent(const struct ntp *ntp, struct ntp_instant *ret)
{
	const struct exchange *exchange = &ntp->exchange;
	uint64_t early;

	if (exchange->has_tx && exchange->tx_ns <= exchange->rx.system_ns &&
	    cross_counter_at(&exchange->before, &exchange->after, ntp->context.counter,
			     exchange->tx_ns, &ret->counter, &ret->error_ns) == 0) {
		early = counter_from_ns(ntp->context.counter, (uint64_t)ret->error_ns);
		if ((int64_t)(ret->counter - exchange->before.counter + early) >= 0) {
			ret->quality = CHRONOTICK_STAMP_KERNEL;
			return;
		}
	}
	ret->counter = exchange->before.counter;
	ret->error_ns = exchange->before.error_ns;
	ret->quality = CHRONOTICK_STAMP_USER;
}

static int exchange_sample(const struct ntp *ntp, struct sample *ret)
{
	const struct exchange *exchange = &ntp->exchange;
	struct ntp_instant sent, received;
	uint64_t late;
	int r;

	r = cross_counter_at(&exchange->before, &exchange->after, ntp->context.counter,
			     exchange->rx.system_ns, &received.counter, &received.error_ns);
	if (r < 0)
		return r;
	/* It can't have come after it was read. */
	late = counter_from_ns(ntp->context.counter, (uint64_t)received.error_ns);
	if ((int64_t)(exchange->after.counter + late - received.counter) < 0)
		return -ERANGE;
	received.quality = exchange->rx.quality;
	instant_sent(ntp, &sent);
	r = ntp_exchange_sample(ret, ntp->context.scale, &exchange->answer, &sent, &received);
	ret->source = (uint16_t)ntp->index;
	return r;
}

/*
 * An answer has passed all tests, and its request's stamp has come or will not come. The first of a
 * burst gives no sample: caches are cold in it, on the way there and on the way back by different
 * amounts, and a better one is to follow within seconds.
 */
static void complete(struct ntp *ntp)
{
	struct sample sample;
	bool warming;

	if (ntp->fd_stamps && !ntp->exchange.has_tx)
		ntp->statistics.stamps_missing++;
	if (exchange_sample(ntp, &sample) < 0) {
		ntp->statistics.dropped++;
		missed(ntp, false);
		return;
	}
	ntp->misses = 0;
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

/* A datagram that is no usable answer; one with our origin ends the wait for a better one. */
static void reject(struct ntp *ntp, enum ntp_verdict verdict)
{
	ntp->statistics.rejected++;
	switch (verdict) {
	case NTP_KISS_DENY:
		stop(ntp);
		break;
	case NTP_KISS_RATE:
		ntp_poll_rate(&ntp->poll);
		missed(ntp, false);
		break;
	case NTP_UNSYNCHRONIZED:
	case NTP_TOO_DISTANT:
	case NTP_KISS_OTHER:
		missed(ntp, false);
		tell_lost(ntp, CHRONOTICK_SOURCE_UNSYNCHRONIZED);
		break;
	default:
		break;
	}
}

static void receive(struct ntp *ntp)
{
	struct exchange *exchange = &ntp->exchange;
	uint8_t data[ANSWER_SIZE];
	struct ntp_packet packet;
	enum ntp_verdict verdict;
	struct cross after;
	struct stamp rx;
	bool truncated;
	long size;

	size = stamp_receive(ntp->fd, data, sizeof(data), NULL, &rx, &truncated);
	if (size < 0) {
		if (size != -EAGAIN && ntp->phase == WAITING)
			missed(ntp, true);
		return;
	}
	ntp->statistics.received++;
	if (truncated || ntp_packet_parse(&packet, data, (size_t)size) < 0 ||
	    cross_read(&after, ntp->context.counter, CLOCK_REALTIME) < 0) {
		ntp->statistics.rejected++;
		return;
	}
	verdict = ntp_packet_test(&packet, &ntp->request);
	if (verdict != NTP_GOOD) {
		reject(ntp, verdict);
		return;
	}
	ntp->request.outstanding = false;
	ntp->request.last_transmit = packet.transmit;
	exchange->answer = packet;
	exchange->rx = rx;
	exchange->after = after;
	if (exchange->has_tx || !ntp->fd_stamps)
		complete(ntp);
	else
		timer_at(ntp, HOLDING, loop_now_ns() + STAMP_NS);
}

/* One message of the error queue. Returns false if it was empty. */
static bool error_queue_take(struct ntp *ntp)
{
	struct exchange *exchange = &ntp->exchange;
	struct stamp stamp;
	uint32_t id;
	int r;

	r = stamp_transmitted(ntp->fd, &id, &stamp);
	if (r == -EAGAIN)
		return false;
	if (r < 0 && ntp->phase == WAITING) {
		missed(ntp, true);
	} else if (r == 1 && id == 0 && !exchange->has_tx) {
		/* The socket's only datagram */
		exchange->has_tx = true;
		exchange->tx_ns = stamp.system_ns;
		if (ntp->phase == HOLDING)
			complete(ntp);
	}
	return true;
}

static void ready(void *data, int fd, short events)
{
	struct ntp *ntp = data;
	bool empty = false;

	if (events & (POLLERR | POLLPRI))
		empty = !error_queue_take(ntp);
	/* An error that is not in the queue is fetched, and cleared, by receiving. */
	if (ntp->fd == fd && (events & POLLIN || empty))
		receive(ntp);
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
		missed(ntp, false);
		break;
	case HOLDING:
		complete(ntp);
		break;
	case OFFLINE:
		timer_at(ntp, OFFLINE, loop_now_ns() + OFFLINE_NS);
		break;
	case STOPPED:
		break;
	}
}

static bool config_in_range(const struct ntp_config *config)
{
	return config->server && *config->server && config->port &&
	       config->minpoll >= NTP_POLL_MIN && config->maxpoll <= NTP_POLL_MAX &&
	       config->minpoll <= config->maxpoll;
}

void ntp_online(struct ntp *ntp, bool online)
{
	if (ntp->phase == STOPPED || online == (ntp->phase != OFFLINE))
		return;
	if (!online) {
		socket_close(ntp);
		resolver_free(ntp->resolver);
		ntp->resolver = NULL;
		ntp->request.outstanding = false;
		timer_at(ntp, OFFLINE, loop_now_ns() + OFFLINE_NS);
		return;
	}
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
	    !config_in_range(config))
		return -ENOTSUP;
	ntp_poll_range(&ntp->poll, config->minpoll, config->maxpoll, config->iburst);
	if (ntp->phase == RESTING && ntp->statistics.sent)
		rest(ntp);
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
		resolve(ntp);
	*ret = ntp;
	return 0;

fail:
	free(ntp->server);
	free(ntp);
	return r;
}

void ntp_free(struct ntp *ntp)
{
	if (!ntp)
		return;
	loop_timer_cancel(ntp->context.loop, &ntp->timer);
	socket_close(ntp);
	resolver_free(ntp->resolver);
	free(ntp->server);
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
}
