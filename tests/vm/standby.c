/* SPDX-License-Identifier: MIT */
/*
 * Two real daemons with one configuration, the second one with --standby: the first is killed, or
 * stopped and killed, the other takes over, and the next one stands by. Readers are told the truth
 * all the while, within one generation, in the module's page and in shared memory.
 *
 *	standby [ENDS]		how many writers meet their end
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemons.h"
#include "guest.h"

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#define ENDS 4
#define FIRST_MS 15000
#define STANDBY_MS 10000

static const struct chronotick_page *page;

/* Does a daemon stand by, and would know the time? */
static bool standby_await(const char *log)
{
	int64_t limit = monotonic_ns() + STANDBY_MS * 1000000LL;

	while (page->header.standby_count != 1 && monotonic_ns() < limit)
		sleep_ms(10);
	return page->header.standby_count == 1 && log_has(log, "standing by", STANDBY_MS) &&
	       log_has(log, "synchronized: ", STANDBY_MS);
}

/* ns until the page has that writer; or -1 */
static int64_t takeover_await(pid_t pid)
{
	int64_t from = monotonic_ns(), now = from;

	while (page->header.writer_pid != (uint32_t)pid) {
		if (now > from + 5 * SECOND)
			return -1;
		usleep(200);
		now = monotonic_ns();
	}
	return now - from;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The shared page's writer; 0: there is none */
static uint32_t shm_writer(void)
{
	struct chronotick *ct;
	uint32_t ret = 0;

	if (chronotick_open(&ct, SHM_PATH) == 0) {
		ret = chronotick_page_of(ct)->header.writer_pid;
		chronotick_close(ct);
	}
	return ret;
}

/* A stopped daemon stays the writer, its promise holds, and it goes on as if nothing were. */
static void stopped(pid_t active)
{
	kill(active, SIGSTOP);
	sleep_ms(1500);
	check(page->header.writer_pid == (uint32_t)active, "a stopped writer keeps the page");
	check(trusted(CHRONOTICK_DEVICE_PATH, 0), "what it told holds");
	kill(active, SIGCONT);
	sleep_ms(300);
	check(page->header.writer_pid == (uint32_t)active, "it goes on with it");
}

int main(int count, char **arguments)
{
	unsigned int ends = count > 1 ? (unsigned int)atoi(arguments[1]) : ENDS, i, met = 0;
	int64_t *took_ns = calloc(ends + 1, sizeof(*took_ns)), took;
	struct judged *device, *shm;
	pid_t active, next, judges[2];
	uint32_t generation;
	char log[32];

	reference_start();
	config_write("pair", "backend: auto");
	active = daemon_start("pair", NULL, "active");
	page = page_map(device_open(O_RDONLY));
	if (!took_ns ||
	    !check(trusted(CHRONOTICK_DEVICE_PATH, FIRST_MS), "the first daemon's time"))
		return 1;
	/* Which a predecessor's promise may be: the first one must be there before the second. */
	check(takeover_await(active) >= 0, "is its own");
	next = daemon_start("pair", "--standby", "standby-0");
	check(standby_await("standby-0"), "the second one stands by");
	check(shm_writer() == (uint32_t)active, "and leaves the first one both pages");
	generation = page->header.generation;
	judges[0] = judge_start(&device, CHRONOTICK_DEVICE_PATH);
	judges[1] = judge_start(&shm, SHM_PATH);
	stopped(active);
	for (i = 0; i < ends; i++) {
		if (i % 2) {
			kill(active, SIGSTOP);
			sleep_ms(30);
		}
		kill(active, SIGKILL);
		took = takeover_await(next);
		daemon_end(active, 0);
		if (took < 0)
			break;
		took_ns[met++] = took;
		active = next;
		snprintf(log, sizeof(log), "standby-%u", i + 1);
		next = daemon_start("pair", "--standby", log);
		if (!standby_await(log))
			break;
	}
	if (!check(met == ends, "the standby takes over from each writer: %u of %u", met, ends))
		log_show(log);
	check(page->header.generation == generation, "it is one generation all the time");
	judge_end(judges[0], device, "the module's page");
	judge_end(judges[1], shm, "the page in shared memory");
	check(shm_writer() == (uint32_t)active, "the heir has both pages");
	check(log_has("standby-0", "/dev/chronotick: its writer has gone: taken over", 0),
	      "its log tells of it");
	if (met) {
		qsort(took_ns, met, sizeof(*took_ns), compare);
		check(took_ns[met / 2] < SECOND,
		      "the page has its next writer in a second, median");
		printf("# take-over of %u by a daemon: median %ld us, longest %ld us, emulated\n",
		       met, (long)took_ns[met / 2] / 1000, (long)took_ns[met - 1] / 1000);
	}
	check(daemon_end(active, SIGTERM) == 0, "an orderly end");
	check(takeover_await(next) >= 0, "is taken over from too");
	check(daemon_end(next, SIGTERM) == 0, "and the last one ends in order");
	reference_end();
	return checks_end();
}
