/* SPDX-License-Identifier: MIT */
#include "start.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"

int start_descriptors(void)
{
	int fd;

	/* The lowest free number is taken: one that is above them says that none was missing. */
	do {
		fd = open("/dev/null", O_RDWR);
		if (fd < 0)
			return -errno;
	} while (fd <= STDERR_FILENO);
	close(fd);
	return 0;
}

/* The process that was started: wait for the daemon's word, or its end. */
static void __attribute__((noreturn)) wait_and_exit(int fd)
{
	char ready;
	ssize_t r;

	do {
		r = read(fd, &ready, 1);
	} while (r < 0 && errno == EINTR);
	_exit(r == 1 ? 0 : 1);
}

int start_detach(struct start *start)
{
	int ends[2], error;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		error = errno;
		close(ends[0]);
		close(ends[1]);
		return -error;
	}
	if (pid > 0) {
		close(ends[1]);
		wait_and_exit(ends[0]);
	}
	close(ends[0]);
	if (setsid() < 0)
		return -errno;
	/* The leader of a session could still get itself a terminal: its child can't. */
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid > 0)
		_exit(0);
	start->pipe = ends[1];
	return 0;
}

/* One datagram to $NOTIFY_SOCKET: a path, or with '@' an abstract name. */
static void notify(void)
{
	static const char text[] = "READY=1";
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *name = getenv("NOTIFY_SOCKET");
	size_t length = name ? strlen(name) : 0;
	int fd;

	if (length < 2 || length >= sizeof(address.sun_path) || !strchr("/@", name[0]))
		return;
	memcpy(address.sun_path, name, length);
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, text, sizeof(text) - 1, MSG_NOSIGNAL | MSG_DONTWAIT,
		   (const struct sockaddr *)&address,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0)
		log_warning("the service manager cannot be told: %s", strerror(errno));
	close(fd);
}

static void terminal_put_away(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	if (log_detach())
		dup2(null, STDERR_FILENO);
	if (null > STDERR_FILENO)
		close(null);
	if (chdir("/") < 0)
		log_warning("cannot go to /: %s", strerror(errno));
}

void start_ready(struct start *start)
{
	const char ready = 1;

	notify();
	if (start->pipe < 0)
		return;
	terminal_put_away();
	if (write(start->pipe, &ready, 1) < 0)
		log_warning("whoever started this is gone already");
	close(start->pipe);
	start->pipe = -1;
}
