/* SPDX-License-Identifier: MIT */
#include "control/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/answer.h"
#include "local/closer.h"
#include "local/socket.h"

struct client {
	struct control_server *server;
	int fd; /* -1: the place is free */
	struct local_peer peer;
	int64_t active_ns;
	unsigned int requests; /* in this tick */
	bool paused;           /* waits for the next one */
};

struct control_server {
	struct loop *loop;
	const struct control_ops *ops;
	struct local_socket socket;
	struct closer *closer;
	gid_t group;
	gid_t *groups;
	struct client clients[CONTROL_CLIENTS];
	unsigned int accepts; /* in this tick */
	bool paused;          /* no more are taken in this tick */
	bool ticking;         /* the timer is armed for the end of a tick, not for a silence */
	struct loop_timer timer;
	struct control_counts counts;
	union control_request request; /* each for the moment */
	union control_reply reply;
};

static void on_client(void *data, int fd, short events);
static void on_listen(void *data, int fd, short events);

static void client_end(struct client *client)
{
	loop_fd_remove(client->server->loop, client->fd);
	closer_put(client->server->closer, client->fd);
	client->fd = -1;
}

static void client_drop(struct client *client)
{
	client->server->counts.dropped++;
	client_end(client);
}

/* Something was done in this tick: it will have an end. */
static void tick_begin(struct control_server *server)
{
	if (server->ticking)
		return;
	server->ticking =
		loop_timer_set(server->loop, &server->timer, loop_now_ns() + CONTROL_TICK_NS) == 0;
}

static void client_resume(struct client *client)
{
	client->requests = 0;
	if (!client->paused)
		return;
	client->paused = false;
	if (loop_fd_add(client->server->loop, client->fd, POLLIN, on_client, client) < 0)
		client_drop(client);
}

static void on_tick(void *data)
{
	struct control_server *server = data;
	int64_t now_ns = loop_now_ns(), first_ns = INT64_MAX;
	unsigned int i;

	server->ticking = false;
	for (i = 0; i < CONTROL_CLIENTS; i++) {
		struct client *client = &server->clients[i];

		if (client->fd < 0)
			continue;
		client_resume(client);
		if (client->fd >= 0 && now_ns - client->active_ns >= CONTROL_IDLE_NS)
			client_drop(client);
		if (client->fd >= 0 && client->active_ns < first_ns)
			first_ns = client->active_ns;
	}
	server->accepts = 0;
	if (server->paused)
		server->paused =
			loop_fd_add(server->loop, server->socket.fd, POLLIN, on_listen, server) < 0;
	if (server->paused)
		tick_begin(server);
	else if (first_ns != INT64_MAX)
		(void)loop_timer_set(server->loop, &server->timer, first_ns + CONTROL_IDLE_NS);
}

static bool request_answer(struct client *client, size_t size)
{
	struct control_server *server = client->server;

	server->counts.requests++;
	size = control_answer(&server->reply, server->ops, &client->peer, &server->counts,
			      &server->request, size);
	return size > 0 &&
	       send(client->fd, &server->reply, size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size;
}

/* One request, if there is one. */
static void client_serve(struct client *client)
{
	struct control_server *server = client->server;
	ssize_t size = local_socket_take(client->fd, &server->request, sizeof(server->request));

	if (size == -EAGAIN || size == -EINTR)
		return;
	if (size == 0) { /* it is done */
		client_end(client);
		return;
	}
	if (size < 0 || !request_answer(client, (size_t)size)) {
		client_drop(client);
		return;
	}
	client->active_ns = loop_now_ns();
	tick_begin(server);
	if (++client->requests < CONTROL_TICK_REQUESTS || !server->ticking)
		return;
	client->paused = true;
	loop_fd_remove(server->loop, client->fd);
}

static void on_client(void *data, int fd, short events)
{
	struct client *client = data;

	(void)fd;
	if (events & POLLIN)
		client_serve(client);
	else
		client_end(client);
}

/* How many clients only ask; with `uid`, of that user alone. */
static unsigned int askers(const struct control_server *server, const uint32_t *uid)
{
	unsigned int count = 0, i;

	for (i = 0; i < CONTROL_CLIENTS; i++) {
		const struct client *client = &server->clients[i];

		count += client->fd >= 0 && !client->peer.may_change &&
			 (!uid || client->peer.uid == *uid);
	}
	return count;
}

/*
 * The one that is to make place, of all that there are: one that only asks, of the user that has
 * the most of these, and of these the idlest. Where nobody only asks, the idlest.
 */
static struct client *client_to_go(struct control_server *server)
{
	struct client *chosen = &server->clients[0];
	unsigned int most = 0, i;

	for (i = 0; i < CONTROL_CLIENTS; i++) {
		struct client *client = &server->clients[i];
		unsigned int share;

		if (client->fd < 0)
			continue;
		share = client->peer.may_change ? 0 : askers(server, &client->peer.uid);
		if (chosen->fd < 0 || share > most ||
		    (share == most && client->active_ns < chosen->active_ns)) {
			chosen = client;
			most = share;
		}
	}
	return chosen;
}

/* A place for a peer, if need be another's. */
static struct client *place_find(struct control_server *server, const struct local_peer *peer)
{
	struct client *client = NULL;
	unsigned int i;

	for (i = 0; i < CONTROL_CLIENTS && !client; i++)
		if (server->clients[i].fd < 0)
			client = &server->clients[i];
	if (client && (peer->may_change || askers(server, NULL) < CONTROL_ASKERS))
		return client;
	client = client_to_go(server);
	client_drop(client);
	return client;
}

static void client_begin(struct control_server *server, int fd)
{
	struct local_peer peer;
	struct client *client;

	server->counts.connections++;
	if (local_peer_of(&peer, fd, server->group, server->groups) < 0) {
		server->counts.dropped++;
		closer_put(server->closer, fd);
		return;
	}
	client = place_find(server, &peer);
	*client = (struct client){
		.server = server, .fd = fd, .peer = peer, .active_ns = loop_now_ns()};
	if (loop_fd_add(server->loop, fd, POLLIN, on_client, client) < 0)
		client_drop(client);
	else
		client_serve(client); /* most have asked by now */
}

static void on_listen(void *data, int fd, short events)
{
	struct control_server *server = data;
	/* All that are there, and the listening socket, must find room at the closer's. */
	bool full = closer_pending(server->closer) >= CLOSER_ROOM - CONTROL_CLIENTS - 1;
	int taken = full ? -1 : accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	bool rest =
		full || (taken < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED);

	(void)events;
	tick_begin(server);
	/* Without descriptors or memory it would be reported again at once. */
	if ((++server->accepts >= CONTROL_TICK_ACCEPTS || rest) && server->ticking) {
		server->paused = true;
		loop_fd_remove(server->loop, fd);
	}
	if (taken >= 0)
		client_begin(server, taken);
}

int control_server_open(struct control_server **ret, struct loop *loop, const char *path,
			gid_t group, const struct control_ops *ops, char *why, size_t why_size)
{
	struct control_server *server = calloc(1, sizeof(*server));
	unsigned int i;
	int r = -ENOMEM;

	if (why_size)
		*why = '\0';
	if (!server)
		return -ENOMEM;
	server->loop = loop;
	server->ops = ops;
	server->group = group;
	server->socket.fd = server->socket.lock = server->socket.directory = -1;
	server->timer = (struct loop_timer){.fire = on_tick, .data = server};
	for (i = 0; i < CONTROL_CLIENTS; i++)
		server->clients[i].fd = -1;
	server->groups = calloc(LOCAL_GROUPS_MAX, sizeof(*server->groups));
	if (!server->groups)
		goto fail;
	r = closer_new(&server->closer);
	if (r < 0)
		goto fail;
	r = local_socket_open(&server->socket, path, 0666, (gid_t)-1, why, why_size);
	if (r < 0)
		goto fail_closer;
	r = loop_fd_add(loop, server->socket.fd, POLLIN, on_listen, server);
	if (r < 0)
		goto fail_socket;
	*ret = server;
	return 0;

fail_socket:
	local_socket_close(&server->socket);
fail_closer:
	closer_free(server->closer);
fail:
	free(server->groups);
	free(server);
	return r;
}

void control_server_close(struct control_server *server)
{
	unsigned int i;

	if (!server)
		return;
	loop_timer_cancel(server->loop, &server->timer);
	for (i = 0; i < CONTROL_CLIENTS; i++)
		if (server->clients[i].fd >= 0)
			client_end(&server->clients[i]);
	loop_fd_remove(server->loop, server->socket.fd);
	/* With it go those who wait to be taken, and what they have sent. */
	closer_put(server->closer, server->socket.fd);
	server->socket.fd = -1;
	local_socket_close(&server->socket);
	closer_free(server->closer);
	free(server->groups);
	free(server);
}
