/* SPDX-License-Identifier: MIT */
/* The control server on real sockets: places, limits, and the socket's file. */
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "local/socket.h"
#include "support/control.h"
#include "support/loop_run.h"

static char directory[] = "/tmp/chronotick-control-XXXXXX";
static char path[64], why[256];
static struct made_up made_up = {.sources = 3};
static struct control_ops ops;
static struct loop *loop;
static struct control_server *server;

static void up(void)
{
	umask(077);
	cr_assert(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/run/control.sock", directory);
	ops = made_up_ops(&made_up);
	cr_assert_eq(loop_new(&loop), 0);
	cr_assert_eq(control_server_open(&server, loop, path, (gid_t)-1, &ops, why, sizeof(why)), 0,
		     "%s", why);
}

static void down(void)
{
	char parent[64];

	control_server_close(server);
	loop_free(loop);
	snprintf(parent, sizeof(parent), "%s/run", directory);
	cr_assert_eq(rmdir(parent), 0); /* nothing is left behind */
	cr_assert_eq(rmdir(directory), 0);
}

static int dial(int type)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);

	strcpy(address.sun_path, path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	return fd;
}

static void identity_send(int fd)
{
	union control_request request;

	control_request_begin(&request, CONTROL_IDENTITY, 1);
	cr_assert_eq(send(fd, &request, request.header.size, 0), request.header.size);
}

/* Whether there is an answer; -1: there is none as yet, 0: dropped */
static int answered(int fd)
{
	union control_reply reply;
	ssize_t size = recv(fd, &reply, sizeof(reply), 0);

	return size > 0 ? 1 : size < 0 && errno == EAGAIN ? -1 : 0;
}

/* ... once there is one: a busy machine may take its time. */
static int answered_at_last(int fd)
{
	int tries, got;

	for (tries = 0; (got = answered(fd)) < 0 && tries < 5000; tries++)
		loop_run_for(loop, 1000000);
	return got;
}

Test(control_server, answers_and_leaves_nothing_behind)
{
	int fd, i;

	up();
	fd = dial(SOCK_SEQPACKET);
	cr_assert_geq(fd, 0);
	for (i = 0; i < 3 * CONTROL_TICK_REQUESTS; i++) {
		identity_send(fd);
		cr_assert_eq(answered_at_last(fd), 1);
	}
	close(fd);
	down();
}

Test(control_server, the_socket_is_for_all_and_the_directory_for_nobody)
{
	struct stat st;
	char *slash;

	up();
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode & 07777, 0666);
	slash = strrchr(path, '/');
	*slash = '\0';
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode & 07777, 0755);
	*slash = '/';
	cr_assert_eq(dial(SOCK_STREAM), -EPROTOTYPE);
	down();
}

Test(control_server, drops_what_is_senseless_and_answers_the_others)
{
	char large[sizeof(union control_request) + 4096] = "";
	union control_request request;
	int fds[4], i;

	up();
	for (i = 0; i < 4; i++) {
		fds[i] = dial(SOCK_SEQPACKET);
		cr_assert_geq(fds[i], 0);
	}
	cr_assert_eq(send(fds[0], "x", 1, 0), 1);
	control_request_begin(&request, CONTROL_IDENTITY, 1);
	memcpy(large, &request, sizeof(request));
	cr_assert_eq(send(fds[1], large, sizeof(large), 0), (ssize_t)sizeof(large));
	cr_assert_eq(send(fds[2], "", 0, 0), 0);
	identity_send(fds[3]);
	cr_assert_eq(answered_at_last(fds[3]), 1);
	cr_assert_eq(answered_at_last(fds[0]), 0);
	cr_assert_eq(answered_at_last(fds[1]), 0);
	cr_assert_eq(answered_at_last(fds[2]), 0);
	for (i = 0; i < 4; i++)
		close(fds[i]);
	down();
}

/* A kernel that can refuse descriptors for the server does not, as older ones. */
static void rights_let_through(void)
{
	int fd, on = 1, listens;

	for (fd = 3; fd < 64; fd++) {
		socklen_t size = sizeof(listens);

		if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens)
			(void)setsockopt(fd, SOL_SOCKET, 83 /* SO_PASSRIGHTS */, &on, sizeof(on));
	}
}

/* A socket that takes a day to be closed, unless its peer, which is returned, goes first */
static int lingering(int *ret)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct linger day = {1, 86400};
	static const char data[65536];
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0), peer;

	cr_assert_eq(bind(listener, (struct sockaddr *)&address, size), 0);
	cr_assert_eq(listen(listener, 1), 0);
	cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	*ret = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(connect(*ret, (struct sockaddr *)&address, size), 0);
	peer = accept(listener, NULL, NULL);
	cr_assert_geq(peer, 0);
	close(listener);
	while (send(*ret, data, sizeof(data), MSG_DONTWAIT) > 0)
		;
	cr_assert_eq(setsockopt(*ret, SOL_SOCKET, SO_LINGER, &day, sizeof(day)), 0);
	return peer;
}

static void send_with(int fd, int passed)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {.header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
	union control_request request;
	struct iovec part = {&request, sizeof(request.header)};
	const struct msghdr message = {.msg_iov = &part,
				       .msg_iovlen = 1,
				       .msg_control = &control,
				       .msg_controllen = sizeof(control)};

	control_request_begin(&request, CONTROL_IDENTITY, 1);
	memcpy(CMSG_DATA(&control.header), &passed, sizeof(passed));
	cr_assert_eq(sendmsg(fd, &message, 0), (ssize_t)sizeof(request.header));
	close(passed);
}

/* It is the last reference that closes: by reading, by dropping, by ending with some unread. */
Test(control_server, descriptors_that_take_a_day_to_close_hold_nobody_up, .timeout = 20)
{
	int peers[3], passed, fds[3], good, i;

	up();
	rights_let_through();
	for (i = 0; i < 3; i++) {
		peers[i] = lingering(&passed);
		fds[i] = dial(SOCK_SEQPACKET);
		send_with(fds[i], passed);
	}
	good = dial(SOCK_SEQPACKET);
	for (i = 0; i < 2 * CONTROL_CLIENTS && answered(good) < 0; i++) {
		identity_send(good);
		loop_run_for(loop, 20000000);
	}
	cr_assert_lt(i, 2 * CONTROL_CLIENTS);
	for (i = 0; i < 3; i++)
		cr_expect_eq(answered(fds[i]), 0);
	/* One who is pushed out, and one whom nobody has taken, as the server ends */
	peers[0] = lingering(&passed);
	fds[0] = dial(SOCK_SEQPACKET);
	send_with(fds[0], passed);
	down();
	for (i = 0; i < 3; i++)
		close(peers[i]);
}

Test(control_server, one_who_never_reads_is_dropped)
{
	union control_request request;
	int fd, sent = 0, tries;

	up();
	fd = dial(SOCK_SEQPACKET);
	cr_assert_geq(fd, 0);
	control_request_begin(&request, CONTROL_LIST, 1);
	for (tries = 0; tries < 4000; tries++) {
		ssize_t r = send(fd, &request, request.header.size, MSG_NOSIGNAL);

		if (r < 0 && errno != EAGAIN)
			break;
		sent += r > 0;
		if (r < 0 || sent % CONTROL_TICK_REQUESTS == 0)
			loop_run_for(loop, CONTROL_TICK_NS / 4);
	}
	cr_assert_lt(tries, 4000);
	close(fd);
	down();
}

Test(control_server, what_a_tick_has_no_room_for_waits_for_the_next)
{
	int fd, i, count = 0;

	up();
	fd = dial(SOCK_SEQPACKET);
	cr_assert_geq(fd, 0);
	for (i = 0; i < CONTROL_TICK_REQUESTS + 3; i++)
		identity_send(fd);
	while (count < CONTROL_TICK_REQUESTS + 3) {
		loop_run_for(loop, 1000000);
		while (answered(fd) > 0)
			count++;
	}
	close(fd);
	down();
}

Test(control_server, a_newcomer_takes_the_idlest_place)
{
	int fds[CONTROL_CLIENTS + 1], i;

	up();
	for (i = 0; i < CONTROL_CLIENTS; i++) {
		fds[i] = dial(SOCK_SEQPACKET);
		cr_assert_geq(fds[i], 0);
		loop_run_for(loop, 1000000);
	}
	identity_send(fds[0]); /* now the second is the idlest */
	loop_run_for(loop, 1000000);
	cr_assert_eq(answered(fds[0]), 1);
	fds[i] = dial(SOCK_SEQPACKET);
	loop_run_for(loop, 1000000);
	identity_send(fds[i]);
	loop_run_for(loop, 1000000);
	cr_assert_eq(answered(fds[i]), 1);
	cr_assert_eq(answered(fds[1]), 0);
	for (i = 0; i <= CONTROL_CLIENTS; i++) {
		if (i != 1)
			cr_assert_eq(answered(fds[i]), -1, "%d", i);
		close(fds[i]);
	}
	down();
}

Test(control_server, a_living_daemon_keeps_its_socket)
{
	struct control_server *other;
	struct stat before, after;

	up();
	cr_assert_eq(stat(path, &before), 0);
	cr_assert_eq(control_server_open(&other, loop, path, (gid_t)-1, &ops, why, sizeof(why)),
		     -EADDRINUSE);
	cr_assert(strstr(why, "another chronotickd"), "%s", why);
	cr_assert_eq(stat(path, &after), 0);
	cr_assert_eq(before.st_ino, after.st_ino);
	down();
}

/* A socket and a lock as a killed daemon leaves them; returns the listening descriptor. */
static int leave(int type)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type, 0);

	strcpy(address.sun_path, path);
	unlink(path);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(fd, 1), 0);
	return fd;
}

Test(control_server, what_a_dead_daemon_left_is_replaced)
{
	struct control_server *next;
	int fd;

	up();
	control_server_close(server);
	fd = leave(SOCK_SEQPACKET);
	cr_assert_eq(control_server_open(&next, loop, path, (gid_t)-1, &ops, why, sizeof(why)),
		     -EADDRINUSE); /* somebody listens, without a lock */
	cr_assert(strstr(why, "another program"), "%s", why);
	close(fd);
	fd = leave(SOCK_STREAM);
	cr_assert_eq(control_server_open(&next, loop, path, (gid_t)-1, &ops, why, sizeof(why)),
		     -EADDRINUSE);
	close(fd);
	cr_assert_eq(control_server_open(&server, loop, path, (gid_t)-1, &ops, why, sizeof(why)), 0,
		     "%s", why);
	down();
}

Test(control_server, what_is_no_socket_is_left_alone)
{
	struct control_server *next;
	struct stat st;
	int fd;

	up();
	control_server_close(server);
	server = NULL;
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	cr_assert_geq(fd, 0);
	close(fd);
	cr_assert_eq(control_server_open(&next, loop, path, (gid_t)-1, &ops, why, sizeof(why)),
		     -EEXIST);
	cr_assert_eq(stat(path, &st), 0);
	unlink(path);
	cr_assert_eq(symlink("/tmp/chronotick-nowhere", path), 0);
	cr_assert_eq(control_server_open(&next, loop, path, (gid_t)-1, &ops, why, sizeof(why)),
		     -EEXIST);
	cr_assert_eq(lstat(path, &st), 0);
	unlink(path);
	down();
}

Test(control_server, only_its_own_socket_is_removed)
{
	int fd;

	up();
	fd = leave(SOCK_SEQPACKET);
	control_server_close(server);
	server = NULL;
	cr_assert_eq(access(path, F_OK), 0);
	close(fd);
	unlink(path);
	down();
}

Test(control_server, a_directory_that_others_may_write_to_is_refused)
{
	struct local_socket sock;
	char parent[64];

	up();
	control_server_close(server);
	server = NULL;
	snprintf(parent, sizeof(parent), "%s/run", directory);
	cr_assert_eq(chmod(parent, 0777), 0);
	cr_assert_eq(local_socket_open(&sock, path, 0666, (gid_t)-1, why, sizeof(why)), -EPERM);
	cr_assert(strstr(why, parent), "%s", why);
	cr_assert_eq(chmod(parent, 01777), 0);
	cr_assert_eq(local_socket_open(&sock, path, 0666, (gid_t)-1, why, sizeof(why)), 0, "%s",
		     why);
	local_socket_close(&sock);
	cr_assert_eq(rmdir(parent), 0);
	cr_assert_eq(symlink("/tmp", parent), 0);
	cr_assert_lt(local_socket_open(&sock, path, 0666, (gid_t)-1, why, sizeof(why)), 0);
	unlink(parent);
	cr_assert_eq(mkdir(parent, 0755), 0);
	cr_assert_eq(local_socket_open(&sock, "control.sock", 0666, (gid_t)-1, why, sizeof(why)),
		     -EINVAL);
	cr_assert_eq(local_socket_open(&sock, "/tmp/", 0666, (gid_t)-1, why, sizeof(why)), -EINVAL);
	cr_assert_eq(
		local_socket_open(&sock, "/no/such/place/s", 0666, (gid_t)-1, why, sizeof(why)),
		-ENOENT);
	down();
}
