/* SPDX-License-Identifier: MIT */
#include "feed/feed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "local/closer.h"
#include "local/socket.h"

struct feed {
	struct loop *loop;
	const struct feed_ops *ops;
	struct local_socket socket;
	struct closer *closer;
	gid_t group;
	gid_t *groups;
	bool online;
	int fd; /* of the peer; -1: there is none */
	struct local_peer peer;
	int64_t active_ns;       /* when it came, or its latest prediction was taken */
	uint32_t sent;           /* to it */
	uint32_t sequence;       /* of its latest prediction */
	unsigned int accepts;    /* in this tick */
	unsigned int messages;   /* in this tick */
	bool listen_paused;      /* until the next tick */
	bool peer_paused;        /* the same */
	bool ticking;            /* a tick has begun, and the timer is armed for its end */
	struct loop_timer timer; /* ends the tick */
	uint64_t
		salt; /* what the daemon's epochs are counted from: no other daemon's are the same */
	uint64_t epoch;
	bool has_prediction;
	struct prediction latest;
	int64_t latest_ns;
	double away_ns;
	struct feed_statistics statistics;
};

static void on_listen(void *data, int fd, short events);
static void on_peer(void *data, int fd, short events);

__attribute__((format(printf, 2, 3))) static void tell(const struct feed *feed, const char *format,
						       ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	feed->ops->changed(feed->ops->data, text);
}

static void peer_end(struct feed *feed, const char *why)
{
	tell(feed, "the model of user %" PRIu32 ", pid %" PRId32 ", has gone: %s", feed->peer.uid,
	     feed->peer.pid, why);
	loop_fd_remove(feed->loop, feed->fd);
	feed->peer_paused = false;
	closer_put(feed->closer, feed->fd);
	feed->fd = -1;
}

static void peer_drop(struct feed *feed, const char *why)
{
	feed->statistics.dropped++;
	peer_end(feed, why);
}

/* Something was done in this tick: it will have an end. */
static void tick_begin(struct feed *feed)
{
	if (feed->ticking)
		return;
	feed->ticking = loop_timer_set(feed->loop, &feed->timer, loop_now_ns() + FEED_TICK_NS) == 0;
}

static void on_tick(void *data)
{
	struct feed *feed = data;

	feed->ticking = false;
	feed->accepts = 0;
	feed->messages = 0;
	if (feed->listen_paused)
		feed->listen_paused =
			loop_fd_add(feed->loop, feed->socket.fd, POLLIN, on_listen, feed) < 0;
	if (feed->peer_paused)
		feed->peer_paused = loop_fd_add(feed->loop, feed->fd, POLLIN, on_peer, feed) < 0;
	if (feed->listen_paused || feed->peer_paused)
		tick_begin(feed);
}

/* Send a message of which all but the header is filled in. The peer may be gone afterwards. */
static void message_put(struct feed *feed, enum feed_type type, void *message, size_t size)
{
	struct feed_header header = {
		.size = (uint32_t)size,
		.magic = FEED_MAGIC,
		.version = FEED_VERSION,
		.type = (uint16_t)type,
		.sequence = feed->sent + 1,
		.epoch = feed->epoch,
	};

	if (feed->fd < 0)
		return;
	feed->sent++;
	header.raw_ns = feed->ops->raw_now(feed->ops->data);
	memcpy(message, &header, sizeof(header));
	if (send(feed->fd, message, size, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)size)
		peer_drop(feed,
			  errno == EAGAIN ? "it does not take what it is told" : strerror(errno));
	else
		feed->statistics.sent++;
}

static void hello_send(struct feed *feed)
{
	struct feed_hello hello = {
		.horizon_ns = FEED_HORIZON_NS,
		.late_ns = FEED_LATE_NS,
		.sd_max_ns = FEED_SD_MAX_NS,
		.rate = FEED_TICK_MESSAGES,
	};

	message_put(feed, FEED_HELLO, &hello, sizeof(hello));
}

static uint64_t epoch_now(const struct feed *feed)
{
	return feed->salt + feed->ops->epoch(feed->ops->data);
}

void feed_follow(struct feed *feed)
{
	if (feed->epoch == epoch_now(feed))
		return;
	feed->epoch = epoch_now(feed);
	feed->has_prediction = false;
	hello_send(feed);
}

static void message_send(struct feed *feed, enum feed_type type, void *message, size_t size)
{
	feed_follow(feed);
	message_put(feed, type, message, size);
}

/* Another epoch may begin by looking for them. */
static void limits_get(struct feed *feed, struct feed_limits *ret)
{
	memset(ret, 0, sizeof(*ret));
	feed->ops->limits(feed->ops->data, ret);
	feed_follow(feed);
	ret->epoch = feed->epoch;
	ret->sequence = feed->sequence;
}

static enum feed_verdict prediction_give(const struct feed *feed,
					 const struct prediction *prediction)
{
	int r = feed->ops->predicted(feed->ops->data, prediction);

	return r == 0 ? FEED_TAKEN : r == -ESTALE ? FEED_LATE : FEED_INVALID;
}

static void prediction_take(struct feed *feed, const void *message, size_t size)
{
	struct feed_verdict_message reply = {.prediction = 0};
	struct prediction prediction;
	struct feed_limits limits;

	limits_get(feed, &limits);
	reply.verdict =
		feed_prediction_check(&prediction, &reply.prediction, message, size, &limits);
	if (reply.verdict == FEED_TAKEN)
		reply.verdict = prediction_give(feed, &prediction);
	feed->statistics.rejects[reply.verdict]++;
	if (reply.verdict == FEED_MALFORMED) {
		peer_drop(feed, "it does not speak the feed's protocol");
		return;
	}
	if (reply.verdict != FEED_UNSUPPORTED && reply.verdict != FEED_DUPLICATE)
		feed->sequence = reply.prediction;
	if (reply.verdict == FEED_TAKEN) {
		feed->has_prediction = true;
		feed->latest = prediction;
		feed->latest_ns = feed->active_ns = loop_now_ns();
		feed->away_ns = estimate_offset(&prediction.line, limits.now_ns, limits.offset_ns);
	}
	message_send(feed, FEED_VERDICT, &reply, sizeof(reply));
}

/* One message, if there is one */
static void on_peer(void *data, int fd, short events)
{
	struct feed *feed = data;
	struct feed_prediction message;
	ssize_t size;

	if (!(events & POLLIN)) {
		peer_end(feed, "it has ended");
		return;
	}
	size = local_socket_take(fd, &message, sizeof(message));
	if (size == -EAGAIN || size == -EINTR)
		return;
	if (size == 0) {
		peer_end(feed, "it has ended");
		return;
	}
	if (size < 0) {
		peer_drop(feed,
			  size == -EPERM ? "it passes descriptors along" : strerror((int)-size));
		return;
	}
	feed->statistics.received++;
	tick_begin(feed);
	prediction_take(feed, &message, (size_t)size);
	if (feed->fd < 0 || ++feed->messages < FEED_TICK_MESSAGES || !feed->ticking)
		return;
	feed->peer_paused = true;
	loop_fd_remove(feed->loop, feed->fd);
}

static void peer_begin(struct feed *feed, int fd)
{
	int64_t now_ns = loop_now_ns();
	struct local_peer peer;

	if (!feed->online || local_peer_of(&peer, fd, feed->group, feed->groups) < 0 ||
	    !peer.may_change || (feed->fd >= 0 && now_ns - feed->active_ns < FEED_SILENCE_NS)) {
		feed->statistics.dropped++;
		closer_put(feed->closer, fd);
		return;
	}
	if (feed->fd >= 0)
		peer_drop(feed, "it is silent, and another one is there");
	if (loop_fd_add(feed->loop, fd, POLLIN, on_peer, feed) < 0) {
		feed->statistics.dropped++;
		closer_put(feed->closer, fd);
		return;
	}
	feed->fd = fd;
	feed->peer = peer;
	feed->active_ns = now_ns;
	feed->sent = 0;
	feed->sequence = 0;
	feed->has_prediction = false;
	feed->ops->begun(feed->ops->data);
	tell(feed, "a model of user %" PRIu32 ", pid %" PRId32 ", is there", peer.uid, peer.pid);
	feed->epoch = epoch_now(feed);
	hello_send(feed);
}

static void on_listen(void *data, int fd, short events)
{
	struct feed *feed = data;
	/* The peer's, the listening one's and this one's must find room at the closer's. */
	bool full = closer_pending(feed->closer) >= CLOSER_ROOM - 3;
	int taken = full ? -1 : accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	bool rest =
		full || (taken < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED);

	(void)events;
	tick_begin(feed);
	/* Without descriptors or memory it would be reported again at once. */
	if ((++feed->accepts >= FEED_TICK_ACCEPTS || rest) && feed->ticking) {
		feed->listen_paused = true;
		loop_fd_remove(feed->loop, fd);
	}
	if (taken >= 0)
		peer_begin(feed, taken);
}

void feed_measured(struct feed *feed, const struct measurement *measurement)
{
	struct feed_measurement message = {
		.at_ns = measurement->raw_ns,
		.offset_ns = measurement->offset_ns,
		.sd_ns = measurement->sd_ns,
		.source = measurement->source,
	};

	if (feed)
		message_send(feed, FEED_MEASUREMENT, &message, sizeof(message));
}

void feed_covariates(struct feed *feed, const struct covariates *covariates)
{
	struct feed_covariates message = {.present = covariates->present};

	_Static_assert(COVARIATE_COUNT <= FEED_COVARIATES_MAX, "FEED_COVARIATES_MAX");
	memcpy(message.values, covariates->value, sizeof(covariates->value));
	if (feed)
		message_send(feed, FEED_COVARIATES, &message, sizeof(message));
}

void feed_online(struct feed *feed, bool online)
{
	feed->online = online;
	if (online)
		return;
	if (feed->fd >= 0)
		peer_end(feed, "the feed is offline");
	feed->has_prediction = false;
	feed->ops->begun(feed->ops->data);
}

void feed_describe(const struct feed *feed, struct feed_status *ret)
{
	*ret = (struct feed_status){
		.online = feed->online,
		.connected = feed->fd >= 0,
		.peer = feed->peer,
		.has_prediction = feed->has_prediction,
		.latest = feed->latest,
		.latest_ns = feed->latest_ns,
		.away_ns = feed->away_ns,
		.statistics = feed->statistics,
	};
}

int feed_new(struct feed **ret, struct loop *loop, const char *path, gid_t group,
	     const struct feed_ops *ops, char *why, size_t why_size)
{
	mode_t mode = group == (gid_t)-1 ? 0600 : 0660;
	struct feed *feed = calloc(1, sizeof(*feed));
	int r = -ENOMEM;

	if (why_size)
		*why = '\0';
	if (!feed)
		return -ENOMEM;
	feed->loop = loop;
	feed->ops = ops;
	feed->group = group;
	feed->online = true;
	feed->fd = -1;
	feed->timer = (struct loop_timer){.fire = on_tick, .data = feed};
	/* A prediction of the daemon before this one is of another epoch. */
	if (getrandom(&feed->salt, sizeof(feed->salt), GRND_NONBLOCK) < 0)
		feed->salt = (uint64_t)loop_now_ns() << 16 ^ (uint64_t)getpid();
	feed->epoch = epoch_now(feed);
	feed->groups = calloc(LOCAL_GROUPS_MAX, sizeof(*feed->groups));
	if (!feed->groups)
		goto fail;
	r = closer_new(&feed->closer);
	if (r < 0)
		goto fail;
	r = local_socket_open(&feed->socket, path, mode, group, why, why_size);
	if (r < 0)
		goto fail_closer;
	r = loop_fd_add(loop, feed->socket.fd, POLLIN, on_listen, feed);
	if (r < 0)
		goto fail_socket;
	*ret = feed;
	return 0;

fail_socket:
	local_socket_close(&feed->socket);
fail_closer:
	closer_free(feed->closer);
fail:
	free(feed->groups);
	free(feed);
	return r;
}

void feed_free(struct feed *feed)
{
	if (!feed)
		return;
	loop_timer_cancel(feed->loop, &feed->timer);
	if (feed->fd >= 0)
		peer_end(feed, "the feed ends");
	loop_fd_remove(feed->loop, feed->socket.fd);
	/* With it go those who wait to be taken, and what they have sent. */
	closer_put(feed->closer, feed->socket.fd);
	feed->socket.fd = -1;
	local_socket_close(&feed->socket);
	closer_free(feed->closer);
	free(feed->groups);
	free(feed);
}
