/* SPDX-License-Identifier: MIT */
/*
 * What a flood at the control socket does to publications: control-flood SOCKET PAGE CONNECTS.
 *
 * The line's anchor is the counter value at which its publication began, less a constant. So how
 * late a publication was is told by the page itself, however late the page is looked at: it is how
 * much longer than a period its anchor lies behind that of the one before. First nobody asks
 * anything, then an ordinary user's processes connect CONNECTS times, ask without end, and hold
 * connections that say nothing. Meanwhile root asks ten times a second, and must be answered.
 *
 * Fails if the flood adds more than 1 ms to the p99.9, or root is not answered.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#include "control/protocol.h"

enum { ASKERS = 8, SILENT = 64, DELAYS_MAX = 1 << 20, FLOODER = 65534 };
#define QUIET_NS 10000000000LL
#define FLOOD_MAX_NS 60000000000LL
#define LIMIT_US 1000.0

struct shared {
	unsigned long connects; /* that have been taken into the daemon's queue */
	unsigned long answers;
};

struct delays {
	float us[DELAYS_MAX];
	size_t count;
	unsigned long unseen; /* publications that were not looked at in time */
};

static const char *path;
static struct shared *shared;

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void nap(int64_t ns)
{
	nanosleep(&(struct timespec){ns / 1000000000, ns % 1000000000}, NULL);
}

static int dial(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct timeval patience = {.tv_sec = 5};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int ask(int fd, enum control_type type)
{
	union control_request request;
	union control_reply reply, checked;
	ssize_t size;

	control_request_begin(&request, type, 1);
	if (send(fd, &request, request.header.size, MSG_NOSIGNAL) < 0)
		return -errno;
	size = recv(fd, &reply, sizeof(reply), MSG_TRUNC);
	if (size <= 0)
		return size < 0 ? -errno : -ECONNRESET;
	return control_reply_check(&checked, &reply, (size_t)size, &request.header);
}

static void flood_connect(unsigned long connects)
{
	while (__atomic_load_n(&shared->connects, __ATOMIC_RELAXED) < connects) {
		int fd = dial();

		if (fd < 0)
			continue;
		__atomic_add_fetch(&shared->connects, 1, __ATOMIC_RELAXED);
		close(fd);
	}
}

static void flood_ask(void)
{
	int fd = -1;

	for (;;) {
		if (fd < 0)
			fd = dial();
		if (fd >= 0 && ask(fd, CONTROL_LIST) == 0) {
			__atomic_add_fetch(&shared->answers, 1, __ATOMIC_RELAXED);
			continue;
		}
		close(fd);
		fd = -1;
	}
}

static void flood_silent(void)
{
	int fds[SILENT], i;

	for (i = 0; i < SILENT; i++)
		fds[i] = -1;
	for (i = 0;; i = (i + 1) % SILENT) {
		if (fds[i] >= 0)
			close(fds[i]);
		fds[i] = dial();
		nap(10000000);
	}
}

static pid_t flooder(void (*flood)(void), unsigned long connects)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (setgid(FLOODER) < 0 || setuid(FLOODER) < 0)
		_exit(1);
	if (flood)
		flood();
	else
		flood_connect(connects);
	_exit(0);
}

/* Look at the page until `until_ns`, or until the connects are done. */
static void watch(const struct chronotick *ct, struct delays *delays, int64_t until_ns,
		  unsigned long connects, double *answer_max_us, unsigned int *unanswered)
{
	const struct chronotick_page *page = chronotick_page_of(ct);
	double per_us = (double)page->header.counter_hz * 1e-6;
	double period_us = 1e6 / page->header.frequency_hz;
	uint64_t count = 0, anchor = 0;
	int64_t asked_ns = now_ns();

	delays->count = 0;
	delays->unseen = 0;
	while (now_ns() < until_ns &&
	       (!connects || __atomic_load_n(&shared->connects, __ATOMIC_RELAXED) < connects)) {
		uint64_t count_now =
			__atomic_load_n(&page->statistics.publish_count, __ATOMIC_ACQUIRE);
		uint64_t anchor_now = __atomic_load_n(&page->clock[1].anchor, __ATOMIC_ACQUIRE);

		/* The count comes after the line: one that moved meanwhile is looked at again. */
		if (count_now != count &&
		    count_now ==
			    __atomic_load_n(&page->statistics.publish_count, __ATOMIC_ACQUIRE)) {
			if (count && count_now == count + 1 && anchor_now != anchor &&
			    delays->count < DELAYS_MAX)
				delays->us[delays->count++] =
					(float)((double)(anchor_now - anchor) / per_us - period_us);
			else if (count)
				delays->unseen += count_now - count;
			count = count_now;
			anchor = anchor_now;
		}
		if (now_ns() - asked_ns > 100000000) {
			int64_t began_ns = now_ns();
			int fd = dial();
			double us;

			if (fd < 0 || ask(fd, CONTROL_IDENTITY) < 0)
				++*unanswered;
			close(fd);
			asked_ns = now_ns();
			us = (double)(asked_ns - began_ns) * 1e-3;
			if (us > *answer_max_us)
				*answer_max_us = us;
			count = 0; /* it took its time */
		}
		nap(100000);
	}
}

static int ascending(const void *a, const void *b)
{
	const float *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double percentile(const struct delays *delays, double share)
{
	return (double)delays->us[(size_t)(share * (double)(delays->count - 1))];
}

static void print(const char *what, struct delays *delays, double answer_max_us)
{
	qsort(delays->us, delays->count, sizeof(delays->us[0]), ascending);
	printf("%-8s %6zu publications (%lu not seen); late by p50 %.1f, p90 %.1f, p99 %.1f, "
	       "p99.9 %.1f, max %.1f us; root answered within %.0f us\n",
	       what, delays->count, delays->unseen, percentile(delays, 0.5),
	       percentile(delays, 0.9), percentile(delays, 0.99), percentile(delays, 0.999),
	       percentile(delays, 1), answer_max_us);
}

int main(int argc, char **argv)
{
	static struct delays quiet, flooded;
	const struct sched_param priority = {.sched_priority = 1};
	unsigned long connects = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
	double quiet_us = 0, flooded_us = 0, took_s, added;
	pid_t pids[ASKERS + 2];
	unsigned int unanswered = 0, i;
	struct chronotick *ct;
	int64_t began_ns;

	if (!connects) {
		fprintf(stderr, "usage: control-flood SOCKET PAGE CONNECTS\n");
		return 2;
	}
	path = argv[1];
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED || chronotick_open(&ct, argv[2]) < 0) {
		fprintf(stderr, "control-flood: no page\n");
		return 1;
	}
	/* The flood shares this processor, and must not blind the watcher. */
	(void)sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &priority);
	watch(ct, &quiet, now_ns() + QUIET_NS, 0, &quiet_us, &unanswered);
	began_ns = now_ns();
	pids[0] = flooder(NULL, connects);
	pids[1] = flooder(flood_silent, 0);
	for (i = 0; i < ASKERS; i++)
		pids[2 + i] = flooder(flood_ask, 0);
	watch(ct, &flooded, began_ns + FLOOD_MAX_NS, connects, &flooded_us, &unanswered);
	took_s = (double)(now_ns() - began_ns) * 1e-9;
	for (i = 0; i < ASKERS + 2; i++)
		kill(pids[i], SIGKILL);
	for (i = 0; i < ASKERS + 2; i++)
		waitpid(pids[i], NULL, 0);
	if (quiet.count < 1000 || flooded.count < 1000) {
		printf("FAIL: too few publications seen\n");
		return 1;
	}
	print("quiet", &quiet, quiet_us);
	print("flooded", &flooded, flooded_us);
	added = percentile(&flooded, 0.999) - percentile(&quiet, 0.999);
	printf("%lu connects and %lu answers to the flood in %.1f s; it adds %.1f us at p99.9 "
	       "(limit %.0f); root was not answered %u times\n",
	       shared->connects, shared->answers, took_s, added, LIMIT_US, unanswered);
	return added > LIMIT_US || unanswered || shared->connects < connects;
}
