/* SPDX-License-Identifier: MIT */
/*
 * Peers of the control socket that mean no good: control-hostile SOCKET. After each kind of them a
 * good request must be answered. Ends with 0, or 1 and a line for what is wrong.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/server.h"

#define PATIENCE_MS 3000

static const char *path;
static int failures;

static void fail(const char *what)
{
	printf("FAIL: %s\n", what);
	failures++;
}

/* The descriptor, or -1 where there is no room now */
static int dial(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* A reply's result; 1: the daemon ended the connection, 2: no answer */
static int reply_to(int fd, const void *message, size_t size)
{
	const union control_request *request = message;
	union control_reply reply, checked;
	ssize_t got;

	if (send(fd, message, size, MSG_NOSIGNAL) != (ssize_t)size)
		return 1;
	got = recv(fd, &reply, sizeof(reply), MSG_TRUNC);
	if (got < 0 && errno == EAGAIN)
		return 2;
	if (got <= 0)
		return 1;
	return control_reply_check(&checked, &reply, (size_t)got, &request->header);
}

/* A good peer is answered, if need be on the second try: it may have been pushed out. */
static void check_good(const char *after)
{
	union control_request request;
	int tries, r = 1;

	for (tries = 0; tries < 4 && r == 1; tries++) {
		int fd = dial();

		control_request_begin(&request, CONTROL_LIST, 7);
		if (fd >= 0)
			r = reply_to(fd, &request, request.header.size);
		close(fd);
	}
	if (r != 0) {
		printf("FAIL: no good answer after %s: %d\n", after, r);
		failures++;
	}
}

static void malformed(void)
{
	static const struct {
		const char *what;
		int at; /* this byte of a good request is another, or -1 */
		size_t size;
		int result;
	} cases[] = {
		{"one byte", -1, 1, 1},
		{"half a header", -1, 8, 1},
		{"a header that says more", -1, 16, 1},
		{"half a request", -1, 200, 1},
		{"another magic", 0, 272, 1},
		{"another version", 4, 272, -EPROTONOSUPPORT},
		{"another type", 7, 272, -EOPNOTSUPP},
		{"another size", 8, 272, 1},
		{"a byte too many", -1, 273, 1},
		{"four kilobytes too many", -1, 4096, 1},
		{"a hundred kilobytes too many", -1, 100000, 1},
		{"a change without the right", -1, 272, -EPERM},
	};
	static char message[100000];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		union control_request *request = (void *)message;
		int fd = dial(), r;

		control_request_begin(request, CONTROL_OFFLINE, 5);
		request->select.pattern[0] = '*';
		if (cases[i].at >= 0)
			message[cases[i].at] ^= 0x40;
		r = reply_to(fd, message, cases[i].size);
		/* A version of its own has another header in its reply. */
		if (r != cases[i].result && !(cases[i].result == -EPROTONOSUPPORT && r < 0)) {
			printf("FAIL: %s: %d, not %d\n", cases[i].what, r, cases[i].result);
			failures++;
		}
		close(fd);
		check_good(cases[i].what);
	}
}

/* More than there are places, who all say nothing, and are there while others ask */
static void half_open(void)
{
	int fds[200];
	size_t i;

	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		fds[i] = dial();
	check_good("two hundred silent peers");
	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		close(fds[i]);
}

/* Asks for much, and never reads */
static void never_reading(void)
{
	union control_request request;
	int fd = dial(), sent, r = 0;
	struct pollfd wait = {.fd = fd};

	control_request_begin(&request, CONTROL_LIST, 3);
	for (sent = 0; sent < 10000 && r >= 0; sent++)
		r = (int)send(fd, &request, request.header.size, MSG_NOSIGNAL);
	if (r >= 0 || (errno != EPIPE && errno != ECONNRESET && errno != EAGAIN))
		fail("one who never reads is not dropped");
	poll(&wait, 1, PATIENCE_MS);
	if (!(wait.revents & POLLHUP))
		fail("one who never reads is still there");
	close(fd);
	check_good("one who never reads");
}

/* Descriptors to be closed by the daemon; refused where the kernel can refuse them. */
static void descriptors(void)
{
	union control_request request;
	struct iovec vector = {&request, sizeof(request.header)};
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(200 * sizeof(int))];
	} control = {.header = {CMSG_LEN(200 * sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
	struct msghdr message = {.msg_iov = &vector,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control.room)};
	int fd = dial(), i;
	ssize_t r;

	control_request_begin(&request, CONTROL_IDENTITY, 3);
	for (i = 0; i < 200; i++)
		((int *)(void *)CMSG_DATA(&control.header))[i] = fd;
	r = sendmsg(fd, &message, MSG_NOSIGNAL);
	printf("descriptors passed along: %s\n", r < 0 ? strerror(errno) : "taken, and closed");
	close(fd);
	check_good("descriptors passed along");
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: control-hostile SOCKET\n");
		return 2;
	}
	path = argv[1];
	check_good("nothing");
	malformed();
	half_open();
	never_reading();
	descriptors();
	printf("%d failures\n", failures);
	return failures ? 1 : 0;
}
