/* SPDX-License-Identifier: MIT */
/* Going to the background: what the one who started it sees, and in which process it goes on. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "start.h"

/* The session that the process which detaches was started in */
static pid_t session_before;

/* Exit status of a process that detaches, and then in the background calls `then`. */
static int detached(int (*then)(struct start *start, int out), int *answer)
{
	struct start start = {.pipe = -1};
	int ends[2], status;
	pid_t pid;

	cr_assert_eq(pipe(ends), 0);
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		session_before = getsid(0);
		if (start_detach(&start) < 0)
			_exit(99);
		_exit(then(&start, ends[1]));
	}
	close(ends[1]);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status));
	cr_assert_eq(read(ends[0], answer, sizeof(*answer)), (ssize_t)sizeof(*answer));
	close(ends[0]);
	return WEXITSTATUS(status);
}

/* In a session of its own, which it does not lead */
static int session_of_its_own(void)
{
	return getsid(0) != getpid() && getsid(0) != session_before && getpgrp() != getpid();
}

static int succeed(struct start *start, int out)
{
	int good = session_of_its_own();

	start_ready(start);
	good = good && start->pipe == -1;
	return write(out, &good, sizeof(good)) < 0;
}

static int give_up(struct start *start, int out)
{
	int good = start->pipe >= 0;

	return write(out, &good, sizeof(good)) < 0;
}

/* Which of the descriptors 0 to 2 are open after all those in `closed` were not. */
static int standard_after(int closed)
{
	int status, fd, open = 0;
	pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (pid == 0) {
		for (fd = 0; fd <= 2; fd++)
			if (closed & 1 << fd)
				close(fd);
		if (start_descriptors() < 0)
			_exit(99);
		for (fd = 0; fd <= 2; fd++)
			open |= (fcntl(fd, F_GETFD) == 0) << fd;
		_exit(open);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

Test(start, no_file_gets_a_standard_descriptor)
{
	int closed;

	for (closed = 0; closed < 8; closed++)
		cr_assert_eq(standard_after(closed), 7, "closed: %d", closed);
}

Test(start, a_ready_daemon_lets_the_command_end_with_0)
{
	int good = 0;

	cr_assert_eq(detached(succeed, &good), 0);
	cr_assert(good);
}

Test(start, a_daemon_that_ends_before_makes_it_1)
{
	int good = 0;

	cr_assert_eq(detached(give_up, &good), 1);
	cr_assert(good);
}

Test(start, the_service_manager_is_told)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct start start = {.pipe = -1};
	socklen_t size;
	char text[16] = "";
	char name[128];
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	size = (socklen_t)sizeof(sa_family_t) + 1 +
	       (socklen_t)snprintf(address.sun_path + 1, 60, "chronotick-start-%d", (int)getpid());
	cr_assert_eq(bind(fd, (const struct sockaddr *)&address, size), 0);
	snprintf(name, sizeof(name), "@%s", address.sun_path + 1);
	setenv("NOTIFY_SOCKET", name, 1);
	start_ready(&start);
	cr_assert_eq(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), 7);
	cr_assert_str_eq(text, "READY=1");
	/* Whatever else stands there is left alone. */
	setenv("NOTIFY_SOCKET", "", 1);
	start_ready(&start);
	setenv("NOTIFY_SOCKET", "no-path", 1);
	start_ready(&start);
	cr_assert_lt(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), 0);
	close(fd);
}
