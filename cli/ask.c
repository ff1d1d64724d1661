/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "ask.h"

enum { TRIES = 4 };

static const char *path_of(const char *path)
{
	if (!path)
		path = getenv("CHRONOTICK_CONTROL");
	return path && *path ? path : CONTROL_SOCKET;
}

int ask_open(struct ask *ask, const char *path)
{
	return ask_open_within(ask, path, ASK_SECONDS);
}

int ask_open_within(struct ask *ask, const char *path, unsigned int seconds)
{
	const struct timeval patience = {.tv_sec = seconds};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int r;

	ask->fd = -1;
	ask->tag = 0;
	ask->seconds = seconds;
	memset(&ask->reply, 0, sizeof(ask->reply));
	ask->path = path_of(path);
	if (strlen(ask->path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, ask->path);
	ask->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (ask->fd < 0)
		return -errno;
	setsockopt(ask->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(ask->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(ask->fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		r = errno == EAGAIN ? -ETIMEDOUT : -errno;
		ask_close(ask);
		return r;
	}
	return 0;
}

void ask_close(struct ask *ask)
{
	if (ask->fd >= 0)
		close(ask->fd);
	ask->fd = -1;
}

/* One try. -ECONNRESET: the daemon has dropped the connection. */
static int ask_once(struct ask *ask, union control_request *request)
{
	/* A byte more than any reply has, so that one which is too long does not look right. */
	char message[sizeof(union control_reply) + 1];
	ssize_t size;

	request->header.tag = ++ask->tag;
	do
		size = send(ask->fd, request, request->header.size, MSG_NOSIGNAL);
	while (size < 0 && errno == EINTR);
	if (size >= 0)
		do
			size = recv(ask->fd, message, sizeof(message), MSG_TRUNC);
		while (size < 0 && errno == EINTR);
	if (size == 0 || (size < 0 && (errno == EPIPE || errno == ECONNRESET)))
		return -ECONNRESET;
	if (size < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return control_reply_check(&ask->reply, message, (size_t)size, &request->header);
}

int ask_for(struct ask *ask, union control_request *request)
{
	const char *path = ask->path;
	int r = -ECONNRESET, tries;

	for (tries = 0; tries < TRIES && r == -ECONNRESET; tries++) {
		if (ask->fd < 0) {
			r = ask_open_within(ask, path, ask->seconds);
			if (r < 0)
				return r;
		}
		r = ask_once(ask, request);
		if (r == -ECONNRESET)
			ask_close(ask);
	}
	return r;
}

void ask_complain(const struct ask *ask, int error)
{
	static const struct {
		int error;
		const char *text;
	} texts[] = {
		{-ENOENT, "there is no such socket: is chronotickd running, and is this its "
			  "control.socket?"},
		{-ECONNREFUSED, "nobody listens: start chronotickd"},
		{-EACCES, "no permission to reach the socket: see the modes of its directories"},
		{-EPROTOTYPE, "another program's socket"},
		{-ETIMEDOUT, "the daemon does not answer"},
		{-ECONNRESET, "the daemon ended the connection"},
		{-EPROTONOSUPPORT, "the daemon speaks another version of the control protocol: use "
				   "the chronotick and the chronotickd of one release"},
		{-EBADMSG, "this is no answer of chronotickd's"},
	};
	const char *text = strerror(-error);
	size_t i, length;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].error == error)
			text = texts[i].text;
	/* The daemon's own words, if it had any */
	if (ask->reply.header.size && ask->reply.result.result < 0)
		text = ask->reply.text.text;
	length = strlen(text);
	fprintf(stderr, "chronotick: %s: %s%s", ask->path, text,
		length && text[length - 1] == '\n' ? "" : "\n");
}
