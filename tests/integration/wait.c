/* SPDX-License-Identifier: MIT */
/*
 * The library's waits beside a real writer: one that slews and steps while threads wait for a time,
 * one that is killed, one that wakes a reader in another mount and PID namespace, with the page
 * bind-mounted read-only there. A plain program: 0 or 1; what needs root is left out without it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#include "publish/publish.h"

#define SECOND 1000000000LL
#define MS 1000000LL
#define EPOCH (1700000000 * SECOND)
#define NS ((__int128)1 << 64)
#define SLACK_NS 500 /* of the bound, beyond the error that it is for */
#define WAITERS 2
#define UNTIL_S 4

static struct counter counter;
static uint64_t base; /* counter value at which UTC was EPOCH */
static char name[64], path[96], lock_path[112];
static int failures;

static void check(bool good, const char *what)
{
	if (good)
		return;
	printf("wrong: %s\n", what);
	__atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED);
}

static void sleep_ns(int64_t ns)
{
	struct timespec span = {ns / SECOND, ns % SECOND};

	while (nanosleep(&span, &span) < 0 && errno == EINTR)
		;
}

static int64_t truth_ns(uint64_t at)
{
	return EPOCH + (int64_t)(((__int128)(at - base) * counter.mult) >> CHRONOTICK_MULT_SHIFT);
}

static struct publisher *writer_open(uint32_t timeout_ms)
{
	struct publish_config config = {
		.shm_name = name,
		.frequency_hz = 1000,
		.writer_timeout_ms = timeout_ms,
		.max_bound_ns = SECOND,
		.max_slew_ppb = 500000,
		.step_threshold_ns = MS,
	};
	struct publisher *publisher = NULL;
	char why[256] = "";
	int32_t owner = 0;

	if (publisher_open(&publisher, &config, &counter, &owner, why, sizeof(why)) < 0) {
		printf("no writer: %s\n", why);
		exit(1);
	}
	return publisher;
}

/* The truth, off by error_ns, with a bound that is hardly more than that. */
static void writer_publish_off(struct publisher *publisher, int64_t error_ns,
			       enum chronotick_status status)
{
	uint64_t now = counter_read(&counter);
	struct correction correction = {
		.counter = now,
		.mult = counter.mult,
		.utc = EPOCH * NS + (((__int128)(now - base) * counter.mult) << 10) + error_ns * NS,
		.bound = {.total_ns = llabs(error_ns) + SLACK_NS, .growth = counter.mult / 1000000},
		.confidence = 0.5F,
		.measurement_count = 1,
		.last_sample = now,
		.status = status,
		.source = CHRONOTICK_NTP,
		.tai_offset_s = 37,
	};
	struct publish_facts facts = {.warmup_percent = 100};

	publisher_publish(publisher, &correction, &facts);
}

/* Waiting for a time */

struct waiter {
	const struct chronotick *ct;
	unsigned int seed;
	unsigned int waits, jumps;
	int64_t late_ns; /* after the earliest time that it could have known, all together */
	uint64_t end;
};

static void *waiter_run(void *data)
{
	struct waiter *waiter = data;
	struct chronotick_interval before, now;
	uint64_t at = counter_read(&counter);
	int64_t target_ns;
	int r;

	while (at < waiter->end) {
		target_ns = truth_ns(at) + rand_r(&waiter->seed) % (30 * MS) - MS;
		chronotick_now(waiter->ct, &before);
		r = chronotick_wait_until(waiter->ct, target_ns, -1, &now);
		at = counter_read(&counter);
		check(r == 0, "a wait ended otherwise");
		check(truth_ns(at) > target_ns, "a wait ended before its time");
		check(now.earliest_ns > target_ns, "what it rests on does not say so");
		waiter->waits++;
		waiter->jumps += now.generation != before.generation;
		waiter->late_ns += now.earliest_ns - target_ns;
	}
	return NULL;
}

/* 1 kHz of small errors that are slewed, and every 60 ms one that makes time jump, both ways. */
static void until(const struct chronotick *ct)
{
	struct publisher *publisher = writer_open(10000);
	struct waiter waiters[WAITERS];
	pthread_t threads[WAITERS];
	unsigned int i, round, waits = 0, jumps = 0;
	int64_t late_ns = 0, error_ns;
	uint64_t end;

	writer_publish_off(publisher, 0, CHRONOTICK_SYNCHRONIZED);
	end = counter_read(&counter) + UNTIL_S * counter.hz;
	for (i = 0; i < WAITERS; i++) {
		waiters[i] = (struct waiter){.ct = ct, .seed = i + 1, .end = end};
		if (pthread_create(&threads[i], NULL, waiter_run, &waiters[i]) != 0)
			exit(1);
	}
	for (round = 0; counter_read(&counter) < end + counter.hz / 10; round++) {
		error_ns = round / 60 % 2 ? 4 * MS : -4 * MS;
		error_ns += round / 10 % 2 ? 30000 : -30000;
		writer_publish_off(publisher, error_ns,
				   round / 25 % 2 ? CHRONOTICK_SYNCHRONIZED : CHRONOTICK_HOLDOVER);
		sleep_ns(MS);
	}
	for (i = 0; i < WAITERS; i++) {
		pthread_join(threads[i], NULL);
		waits += waiters[i].waits;
		jumps += waiters[i].jumps;
		late_ns += waiters[i].late_ns;
	}
	printf("wait_until: %u waits, %u over a jump, on average %lld ns after the earliest time "
	       "had passed it\n",
	       waits, jumps, (long long)(waits ? late_ns / waits : 0));
	check(waits > 20 && jumps > 0, "there were waits, and jumps in them");
	publisher_close(publisher);
}

/* Waiting for a change */

static long switches(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nvcsw;
}

/* In a child: wait for the status, woken by the writer; its exit status is 0 if that went well. */
static int sleeper(const char *page, int ready)
{
	struct chronotick_change last = {0}, polled = {0};
	struct chronotick *ct;
	uint64_t begun_ns;
	int timeout_ms, fd, r;
	long before;

	if (chronotick_open(&ct, page) < 0)
		return 2;
	if (chronotick_wait_change(ct, &last, -1) < 0 ||
	    (last.status & CHRONOTICK_STATUS_MASK) != CHRONOTICK_SYNCHRONIZED)
		return 3;
	fd = chronotick_poll_fd(ct);
	if (fd < 0 || chronotick_poll_change(ct, fd, &polled, &timeout_ms) != 0)
		return 11;
	if (timeout_ms < 1000 || timeout_ms > 60001)
		return 12;
	if (write(ready, "", 1) != 1)
		return 4;
	before = switches();
	begun_ns = chronotick_monotonic_ns();
	r = chronotick_wait_change(ct, &last, 10 * SECOND);
	if (r < 0)
		return 5;
	/* Whom nobody wakes sees the change too, when the time-out is over. */
	if (chronotick_monotonic_ns() - begun_ns > 9 * (uint64_t)SECOND)
		return 9;
	if (last.status != CHRONOTICK_HOLDOVER)
		return 6;
	/* The same change, by its descriptor, and once */
	if (poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 9000) != 1 ||
	    chronotick_poll_change(ct, fd, &polled, &timeout_ms) != 0 ||
	    memcmp(&polled, &last, sizeof(last)) != 0)
		return 13;
	if (poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 0) != 0)
		return 14;
	close(fd);
	/* Who looks now and then is switched away a hundred times a second. */
	if (switches() - before > 20)
		return 7;
	chronotick_close(ct);
	return 0;
}

/* As pid 1 of its own PID namespace, with the page at another path, read-only. */
static int sleeper_apart(const char *directory, int ready)
{
	char inside[160];
	int status;
	pid_t pid;

	snprintf(inside, sizeof(inside), "%s/page", directory);
	close(open(inside, O_RDWR | O_CREAT | O_CLOEXEC, 0644));
	if (unshare(CLONE_NEWNS | CLONE_NEWPID) < 0)
		return 77;
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount(path, inside, NULL, MS_BIND, NULL) < 0 ||
	    mount("none", inside, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0)
		return 77;
	pid = fork();
	if (pid == 0) {
		if (getpid() != 1 || open(inside, O_RDWR | O_CLOEXEC) >= 0 || errno != EROFS)
			_exit(8);
		_exit(sleeper(inside, ready));
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status)
									       : 10;
}

static void woken(bool apart)
{
	char directory[] = "/tmp/chronotick-wait-XXXXXX", inside[64], byte;
	struct publisher *publisher;
	int ready[2], status = -1, i;
	pid_t pid;

	if (pipe(ready) < 0 || !mkdtemp(directory))
		exit(1);
	publisher = writer_open(60000);
	writer_publish_off(publisher, 0, CHRONOTICK_SYNCHRONIZED);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		close(ready[0]);
		_exit(apart ? sleeper_apart(directory, ready[1]) : sleeper(path, ready[1]));
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) == 1) {
		/* Long enough for it to have fallen asleep, and plain publications wake nobody. */
		for (i = 0; i < 700; i++) {
			writer_publish_off(publisher, 0, CHRONOTICK_SYNCHRONIZED);
			sleep_ns(MS);
		}
		writer_publish_off(publisher, 0, CHRONOTICK_HOLDOVER);
	}
	close(ready[0]);
	waitpid(pid, &status, 0);
	publisher_close(publisher);
	snprintf(inside, sizeof(inside), "%s/page", directory);
	unlink(inside);
	rmdir(directory);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		printf("SKIP: namespaces are not permitted\n");
		return;
	}
	printf("wait_change%s: status %d\n", apart ? " in namespaces of its own" : "",
	       WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a reader was woken by the writer");
}

/* Plain publications leave the descriptor alone. */
static void polled(const struct chronotick *ct)
{
	struct chronotick_change last = {0};
	struct publisher *publisher = writer_open(10000);
	struct pollfd poll_fd = {.fd = chronotick_poll_fd(ct), .events = POLLIN};
	struct rlimit limit;
	char moved[112];
	int timeout_ms = 0, i;

	check(poll_fd.fd >= 0, "a descriptor");
	writer_publish_off(publisher, 0, CHRONOTICK_SYNCHRONIZED);
	check(poll(&poll_fd, 1, 9000) == 1, "trust is told");
	check(chronotick_poll_change(ct, poll_fd.fd, &last, &timeout_ms) == 0, "a first look");
	check(timeout_ms > 0 && timeout_ms <= 10001, "the line's end is the time-out");
	for (i = 0; i < 200; i++)
		writer_publish_off(publisher, 0, CHRONOTICK_SYNCHRONIZED);
	check(poll(&poll_fd, 1, 0) == 0, "a plain publication is not told");
	check(chronotick_poll_change(ct, poll_fd.fd, &last, &timeout_ms) == -ETIMEDOUT,
	      "no change");
	publisher_close(publisher);
	check(poll(&poll_fd, 1, 9000) == 1, "an orderly end is told");
	check(chronotick_poll_change(ct, poll_fd.fd, &last, &timeout_ms) == 0 &&
		      last.status == CHRONOTICK_WRITER_GONE,
	      "an orderly end");
	close(poll_fd.fd);
	snprintf(moved, sizeof(moved), "%s.moved", path);
	check(rename(path, moved) == 0, "rename");
	poll_fd.fd = chronotick_poll_fd(ct);
	check(poll_fd.fd >= 0, "a file under another name");
	close(poll_fd.fd);
	check(rename(moved, path) == 0, "rename back");
	/* As when somebody removes the name, and the daemon makes it anew from its hidden link. */
	check(link(path, moved) == 0 && unlink(path) == 0, "the name is removed");
	check(chronotick_poll_fd(ct) == -ENOENT, "a file without the name that it had");
	check(link(moved, path) == 0 && unlink(moved) == 0, "the name is made anew");
	poll_fd.fd = chronotick_poll_fd(ct);
	check(poll_fd.fd >= 0, "a file with a new name");
	close(poll_fd.fd);
	getrlimit(RLIMIT_NOFILE, &limit);
	check(setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, limit.rlim_max}) == 0, "no files");
	check(chronotick_poll_fd(ct) == -EMFILE, "no descriptor is left, and that is told");
	setrlimit(RLIMIT_NOFILE, &limit);
	printf("descriptors: done\n");
}

/* A writer is killed: nobody tells. Then another one comes, and that is told. */
static void killed(const struct chronotick *ct)
{
	struct chronotick_change last = {0};
	struct chronotick_interval now;
	struct publisher *publisher;
	char byte;
	int ready[2];
	pid_t pid;

	if (pipe(ready) < 0)
		exit(1);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		publisher = writer_open(1000);
		writer_publish_off(publisher, 0, CHRONOTICK_SYNCHRONIZED);
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		pause();
		_exit(1);
	}
	close(ready[1]);
	check(read(ready[0], &byte, 1) == 1, "the writer that is to be killed");
	close(ready[0]);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	check(chronotick_wait_change(ct, &last, 20 * SECOND) == 0, "a first look");
	check(last.status == CHRONOTICK_SYNCHRONIZED, "its line still holds");
	check(chronotick_wait_until(ct, INT64_MAX, 20 * SECOND, &now) == -ESTALE,
	      "a wait for a time ends with the line");
	check(chronotick_wait_change(ct, &last, 20 * SECOND) == 0 &&
		      last.status == CHRONOTICK_EXPIRED,
	      "the end of the line is seen");
	check(chronotick_wait_change(ct, &last, 100 * MS) == -ETIMEDOUT, "and seen once");
	publisher = writer_open(10000);
	writer_publish_off(publisher, 0, CHRONOTICK_SYNCHRONIZED);
	check(chronotick_wait_change(ct, &last, 0) == 0 && last.status == CHRONOTICK_SYNCHRONIZED,
	      "the next writer is told of");
	publisher_close(publisher);
	check(chronotick_wait_change(ct, &last, 0) == 0 && last.status == CHRONOTICK_WRITER_GONE,
	      "and its orderly end");
	printf("a killed writer: done\n");
}

static void on_alarm(int signal_number)
{
	(void)signal_number;
}

/* A signal ends a wait, whether its handler is one that restarts system calls or not. */
static void interrupted(const struct chronotick *ct)
{
	struct publisher *publisher = writer_open(60000);
	struct itimerval timer = {{0, 20000}, {0, 50000}}, off = {{0, 0}, {0, 0}};
	struct chronotick_change last = {0};
	struct sigaction action = {0};
	int flags;

	writer_publish_off(publisher, 0, CHRONOTICK_SYNCHRONIZED);
	action.sa_handler = on_alarm;
	for (flags = 0; flags < 2; flags++) {
		action.sa_flags = flags ? SA_RESTART : 0;
		sigaction(SIGALRM, &action, NULL);
		chronotick_wait_change(ct, &last, 0);
		setitimer(ITIMER_REAL, &timer, NULL);
		check(chronotick_wait_change(ct, &last, -1) == -EINTR, "a signal in wait_change");
		check(chronotick_wait_until(ct, INT64_MAX, -1, NULL) == -EINTR,
		      "a signal in wait_until");
		setitimer(ITIMER_REAL, &off, NULL);
	}
	publisher_close(publisher);
	printf("signals: done\n");
}

int main(void)
{
	struct publisher *publisher;
	struct chronotick *ct;

	if (counter_init(&counter, CHRONOTICK_COUNTER_NONE) < 0 &&
	    counter_init(&counter, CHRONOTICK_COUNTER_MONOTONIC_RAW) < 0)
		return 1;
	base = counter_read(&counter);
	snprintf(name, sizeof(name), "chronotick_wait_%d", (int)getpid());
	snprintf(path, sizeof(path), "%s%s", CHRONOTICK_SHM_DIR, name);
	snprintf(lock_path, sizeof(lock_path), "%s.lock", path);
	publisher = writer_open(10000);
	publisher_close(publisher);
	if (chronotick_open(&ct, path) < 0)
		return 1;
	until(ct);
	woken(false);
	woken(true);
	polled(ct);
	killed(ct);
	interrupted(ct);
	chronotick_close(ct);
	unlink(path);
	unlink(lock_path);
	return failures != 0;
}
