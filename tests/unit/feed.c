/* SPDX-License-Identifier: MIT */
/* The feed's server at a real socket. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "feed/feed.h"
#include "support/loop_run.h"
#include "support/predictions.h"

static char directory[] = "/tmp/chronotick-feed-XXXXXX", path[64];
static struct loop *loop;
static struct feed *feed;
static struct prediction latest;
static unsigned int predicted;
static char told[8192];
static unsigned int begun;
static int refusal;
static uint32_t epochs;

static uint32_t on_epoch(void *data)
{
	(void)data;
	return epochs;
}

static void on_begun(void *data)
{
	(void)data;
	begun++;
}

static int64_t on_raw_now(void *data)
{
	(void)data;
	return NOW;
}

static void on_limits(void *data, struct feed_limits *ret)
{
	(void)data;
	*ret = limits;
}

static int on_predicted(void *data, const struct prediction *prediction)
{
	(void)data;
	latest = *prediction;
	predicted++;
	return refusal;
}

static void on_changed(void *data, const char *text)
{
	size_t used = strlen(told);

	(void)data;
	snprintf(told + used, sizeof(told) - used, "%s\n", text);
}

static const struct feed_ops ops = {
	.epoch = on_epoch,
	.raw_now = on_raw_now,
	.limits = on_limits,
	.begun = on_begun,
	.predicted = on_predicted,
	.changed = on_changed,
};

static void up(void)
{
	char why[256];

	umask(077);
	cr_assert(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/feed.sock", directory);
	cr_assert_eq(loop_new(&loop), 0);
	cr_assert_eq(feed_new(&feed, loop, path, (gid_t)-1, &ops, why, sizeof(why)), 0, "%s", why);
}

static void down(void)
{
	feed_free(feed);
	loop_free(loop);
	cr_assert_eq(rmdir(directory), 0); /* nothing is left behind */
}

static int dial(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

	strcpy(address.sun_path, path);
	cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	loop_run_for(loop, 5000000);
	return fd;
}

/* What the daemon said; its size, 0: it hung up, or -EAGAIN: nothing */
static ssize_t hear(int fd, void *ret, size_t size)
{
	ssize_t got = recv(fd, ret, size, MSG_TRUNC);

	if (got < 0 && errno == ECONNRESET) /* with what we had sent unread */
		return 0;
	return got < 0 ? -errno : got;
}

static uint64_t hello(int fd)
{
	struct feed_hello message;

	cr_assert_eq(hear(fd, &message, sizeof(message)), (ssize_t)sizeof(message));
	cr_assert_eq(message.header.size, sizeof(message));
	cr_assert_eq(message.header.magic, FEED_MAGIC);
	cr_assert_eq(message.header.version, FEED_VERSION);
	cr_assert_eq(message.header.type, FEED_HELLO);
	cr_assert_eq(message.header.raw_ns, NOW);
	cr_assert_eq(message.horizon_ns, FEED_HORIZON_NS);
	cr_assert_eq(message.rate, FEED_TICK_MESSAGES);
	return message.header.epoch;
}

static void say(int fd, uint32_t sequence, uint64_t epoch)
{
	struct feed_prediction message = good();

	message.header.sequence = sequence;
	message.header.epoch = epoch;
	cr_assert_eq(send(fd, &message, sizeof(message), MSG_NOSIGNAL), (ssize_t)sizeof(message));
}

static enum feed_verdict judged(int fd, uint32_t sequence)
{
	struct feed_verdict_message message;

	cr_assert_eq(hear(fd, &message, sizeof(message)), (ssize_t)sizeof(message));
	cr_assert_eq(message.header.type, FEED_VERDICT);
	cr_assert_eq(message.prediction, sequence);
	return message.verdict;
}

Test(feed, a_model_is_told_and_heard)
{
	const struct measurement measurement = {NOW - 5, OFFSET + 3, 1234.5, 42};
	const struct covariates covariates = {.present = 1 << COVARIATE_MEMORY,
					      .value[COVARIATE_MEMORY] = 0.5};
	struct feed_measurement m;
	struct feed_covariates c;
	struct feed_status status;
	uint64_t epoch;
	int fd;

	up();
	feed_measured(feed, &measurement); /* to nobody */
	fd = dial();
	epoch = hello(fd);
	feed_measured(feed, &measurement);
	feed_covariates(feed, &covariates);
	cr_assert_eq(hear(fd, &m, sizeof(m)), (ssize_t)sizeof(m));
	cr_assert_eq(m.header.type, FEED_MEASUREMENT);
	cr_assert_eq(m.header.sequence, 2);
	cr_assert_eq(m.header.epoch, epoch);
	cr_assert_eq(m.at_ns, NOW - 5);
	cr_assert_eq(m.offset_ns, OFFSET + 3);
	cr_assert_float_eq(m.sd_ns, 1234.5, 0);
	cr_assert_eq(m.source, 42);
	cr_assert_eq(hear(fd, &c, sizeof(c)), (ssize_t)sizeof(c));
	cr_assert_eq(c.header.type, FEED_COVARIATES);
	cr_assert_eq(c.present, 1 << COVARIATE_MEMORY);
	cr_assert_float_eq(c.values[COVARIATE_MEMORY], 0.5, 0);

	say(fd, 1, epoch);
	say(fd, 1, epoch);
	say(fd, 2, epoch + 1);
	loop_run_for(loop, 20000000);
	cr_assert_eq(judged(fd, 1), FEED_TAKEN);
	cr_assert_eq(judged(fd, 1), FEED_DUPLICATE);
	cr_assert_eq(judged(fd, 2), FEED_OTHER_EPOCH);
	cr_assert_eq(predicted, 1);
	cr_assert_eq(latest.until_ns, NOW + 240 * SECOND);
	feed_describe(feed, &status);
	cr_assert(status.online && status.connected && status.has_prediction);
	cr_assert_eq(status.peer.pid, getpid());
	cr_assert_eq(status.statistics.rejects[FEED_TAKEN], 1);
	cr_assert_eq(status.statistics.rejects[FEED_DUPLICATE], 1);
	cr_assert_eq(status.statistics.rejects[FEED_OTHER_EPOCH], 1);
	cr_assert_eq(status.statistics.received, 3);
	cr_assert_float_eq(status.away_ns, 12000, 1e-3);
	close(fd);
	loop_run_for(loop, 20000000);
	feed_describe(feed, &status);
	cr_assert(!status.connected && status.has_prediction);
	down();
}

Test(feed, another_epoch_ends_what_was_said_before)
{
	const struct measurement measurement = {NOW, OFFSET, 1, 0};
	struct feed_measurement m;
	struct feed_status status;
	uint64_t epoch;
	int fd;

	up();
	fd = dial();
	epoch = hello(fd);
	say(fd, 1, epoch);
	loop_run_for(loop, 5000000);
	cr_assert_eq(judged(fd, 1), FEED_TAKEN);
	feed_follow(feed);
	cr_assert_eq(hear(fd, &m, sizeof(m)), -EAGAIN);
	epochs++;
	feed_follow(feed);
	feed_describe(feed, &status);
	cr_assert(!status.has_prediction);
	cr_assert_eq(hello(fd), epoch + 1);
	say(fd, 2, epoch);
	loop_run_for(loop, 5000000);
	cr_assert_eq(judged(fd, 2), FEED_OTHER_EPOCH);
	/* Whatever is said in a new epoch comes after its hello. */
	epochs++;
	feed_measured(feed, &measurement);
	cr_assert_eq(hello(fd), epoch + 2);
	cr_assert_eq(hear(fd, &m, sizeof(m)), (ssize_t)sizeof(m));
	cr_assert_eq(m.header.epoch, epoch + 2);
	/* A prediction that was on its way when the epoch ended is refused. */
	epochs++;
	say(fd, 3, epoch + 2);
	loop_run_for(loop, 5000000);
	cr_assert_eq(hello(fd), epoch + 3);
	cr_assert_eq(judged(fd, 3), FEED_OTHER_EPOCH);
	cr_assert_eq(predicted, 1);
	close(fd);
	down();
}

/* By the engine, which knows of steps */
Test(feed, what_the_daemon_refuses_is_not_taken)
{
	struct feed_status status;
	uint64_t epoch;
	int fd;

	up();
	fd = dial();
	cr_assert_eq(begun, 1);
	epoch = hello(fd);
	refusal = -ESTALE;
	say(fd, 1, epoch);
	loop_run_for(loop, 5000000);
	cr_assert_eq(judged(fd, 1), FEED_LATE);
	refusal = -EINVAL;
	say(fd, 2, epoch);
	loop_run_for(loop, 5000000);
	cr_assert_eq(judged(fd, 2), FEED_INVALID);
	feed_describe(feed, &status);
	cr_assert(!status.has_prediction);
	cr_assert_eq(status.statistics.rejects[FEED_TAKEN], 0);
	close(fd);
	down();
}

Test(feed, the_second_model_is_turned_away_and_the_senseless_one_too)
{
	struct feed_status status;
	char byte;
	int first, second;

	up();
	first = dial();
	hello(first);
	second = dial();
	cr_assert_eq(hear(second, &byte, 1), 0);
	close(second);
	cr_assert_eq(send(first, "x", 1, 0), 1);
	loop_run_for(loop, 5000000);
	cr_assert_eq(hear(first, &byte, 1), 0);
	close(first);
	second = dial(); /* there is a place again */
	hello(second);
	feed_describe(feed, &status);
	cr_assert_eq(status.statistics.dropped, 2);
	cr_assert_eq(status.statistics.rejects[FEED_MALFORMED], 1);
	cr_assert(strstr(told, "does not speak"), "%s", told);
	close(second);
	down();
}

Test(feed, one_that_takes_nothing_is_dropped)
{
	const struct measurement measurement = {NOW, OFFSET, 1, 0};
	struct feed_status status;
	int fd, i;

	up();
	fd = dial();
	for (i = 0; i < 100000; i++) {
		feed_measured(feed, &measurement);
		feed_describe(feed, &status);
		if (!status.connected)
			break;
	}
	cr_assert_lt(i, 100000);
	cr_assert(strstr(told, "does not take"), "%s", told);
	close(fd);
	down();
}

Test(feed, a_flood_waits_in_the_kernel)
{
	struct feed_prediction message = good();
	struct feed_status status;
	uint64_t epoch;
	int fd;

	up();
	fd = dial();
	epoch = hello(fd);
	message.header.epoch = epoch;
	for (message.header.sequence = 1;
	     send(fd, &message, sizeof(message), MSG_NOSIGNAL) == (ssize_t)sizeof(message);
	     message.header.sequence++)
		;
	cr_assert_eq(errno, EAGAIN);
	cr_assert_gt(message.header.sequence, 2 * FEED_TICK_MESSAGES);
	loop_run_for(loop, 100000000);
	feed_describe(feed, &status);
	cr_assert_eq(status.statistics.received, FEED_TICK_MESSAGES);
	cr_assert(status.connected);
	loop_run_for(loop, FEED_TICK_NS);
	feed_describe(feed, &status);
	cr_assert_gt(status.statistics.received, FEED_TICK_MESSAGES);
	cr_assert_leq(status.statistics.received, 3 * FEED_TICK_MESSAGES);
	close(fd);
	down();
}

Test(feed, offline_nobody_is_there)
{
	char byte;
	int fd;

	up();
	fd = dial();
	hello(fd);
	feed_online(feed, false);
	cr_assert_eq(hear(fd, &byte, 1), 0);
	cr_assert_eq(begun, 2); /* what it predicted is void */
	close(fd);
	fd = dial();
	cr_assert_eq(hear(fd, &byte, 1), 0);
	close(fd);
	feed_online(feed, true);
	fd = dial();
	hello(fd);
	close(fd);
	down();
}

Test(feed, the_socket_is_its_owners_alone)
{
	struct stat st;

	up();
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode & 07777, 0600);
	down();
}

Test(feed, connections_without_end_are_taken_eight_a_second)
{
	struct feed_status status;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int i;

	up();
	strcpy(address.sun_path, path);
	for (i = 0; i < 100; i++) {
		int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

		cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
		close(fd);
	}
	loop_run_for(loop, 200000000);
	feed_describe(feed, &status);
	cr_assert_leq(status.statistics.sent + status.statistics.dropped, 2 * FEED_TICK_ACCEPTS);
	down();
}
