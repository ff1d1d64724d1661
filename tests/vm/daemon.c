/* SPDX-License-Identifier: MIT */
/*
 * The real daemon, without the module and with it, read by the library and by the command line: which
 * page serves, what is waited for, and what becomes of it all when things happen to the clock, the
 * counter and the machine.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "daemons.h"
#include "guest.h"

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#define CLOCKSOURCES "/sys/devices/system/clocksource/clocksource0/"
#define CLOCKSOURCE CLOCKSOURCES "current_clocksource"
#define FIRST_MS 15000 /* until a time is trusted, at most */

static const struct chronotick_page *page;

static bool contains(const char *text, const char *part)
{
	if (strstr(text, part))
		return true;
	printf("# no \"%s\" in: %.300s\n", part, text);
	return false;
}

static void without_the_module(void)
{
	char text[4096];
	pid_t pid;

	check_result(module_unload(), 0, "the module is unloaded");
	config_write("only", "backend: module");
	check(daemon_end(daemon_start("only", NULL, NULL), 0) == 1,
	      "backend module: without the device the daemon ends with 1");
	check(log_has("only", "/dev/chronotick: there is no such device: load the module", 0),
	      "and says what to do");
	config_write("auto", "backend: auto");
	pid = daemon_start("auto", NULL, NULL);
	check(trusted(NULL, FIRST_MS), "backend auto: without the device the time is there");
	check(!strcmp(chronotick_page_path(NULL), SHM_PATH), "in shared memory");
	check(log_has("auto", "publishing in shared memory alone", 0), "as the log says");
	check(cli(text, sizeof(text), "status", NULL, NULL) == 0 &&
		      contains(text, "Backend:          shm"),
	      "and the command line");
	check(daemon_end(pid, SIGTERM) == 0, "it ends in order");
	check_result(module_load(), 0, "the module is loaded again");
}

/* What `chronotick` says of it, in text and JSON */
static void command_line(pid_t pid)
{
	char text[16384], wanted[64];
	const char *cross;

	snprintf(wanted, sizeof(wanted), "pid %d, 100 Hz", (int)pid);
	check(cli(text, sizeof(text), "status", NULL, NULL) == 0 &&
		      contains(text, "Backend:          module, counter tsc") &&
		      contains(text, "Page:             /dev/chronotick") && contains(text, wanted),
	      "chronotick status");
	check(cli(text, sizeof(text), "read", NULL, NULL) == 0, "chronotick read");
	check(cli(text, sizeof(text), "json", NULL, NULL) == 0 &&
		      contains(text, "\"backend\": \"module\""),
	      "chronotick json");
	check(cli(text, sizeof(text), "status", "--json", "--control=/tmp/auto.sock") == 0 &&
		      contains(text, "{\"path\": \"/dev/chronotick\", \"backend\": \"module\", "
				     "\"role\": \"active\"") &&
		      contains(text, "{\"path\": \"/dev/shm/chronotick_shm\", \"backend\": "
				     "\"shm\", \"role\": \"active\"") &&
		      contains(text, "\"cross_timestamps\": {\"method\": \"module\""),
	      "chronotick status --json");
	check(cli(text, sizeof(text), "status", "--verbose", "--control=/tmp/auto.sock") == 0 &&
		      contains(text, "by the kernel module, to 2 ns; by brackets"),
	      "chronotick status --verbose: how cross-timestamps are taken");
	cross = strstr(text, "  by the kernel module");
	if (cross)
		printf("#%.*s\n", (int)strcspn(cross, "\n"), cross);
}

/* They come once a second. */
static bool has_figures(unsigned int ms)
{
	const struct chronotick_statistics *figures = &page->statistics;
	int64_t limit = monotonic_ns() + ms * 1000000LL;

	while (!figures->publish_count || figures->source_count != 1 || !figures->read_count) {
		if (monotonic_ns() > limit)
			return false;
		sleep_ms(10);
	}
	return true;
}

static void both_pages(pid_t pid)
{
	struct judged *judged;
	pid_t judge;

	check(!strcmp(chronotick_page_path(NULL), CHRONOTICK_DEVICE_PATH),
	      "the library takes the device");
	check(trusted(CHRONOTICK_DEVICE_PATH, 0), "the device's page has the truth in it");
	check(trusted(SHM_PATH, 1000), "so has the one in shared memory");
	check(page->header.writer_pid == (uint32_t)pid, "the daemon is the device's writer");
	check(page->header.frequency_hz == 100 && page->header.writer_timeout_ms == 10000,
	      "the page has its settings");
	judge = judge_start(&judged, NULL);
	command_line(pid);
	judge_end(judge, judged, "a daemon alone");
	check(has_figures(3000), "the page has its figures");
}

/* In a child: the status that ends a wait, or 255. */
static int wait_for_change(void *data)
{
	struct chronotick_change last = {0};
	struct chronotick *ct;

	(void)data;
	if (chronotick_open(&ct, NULL) < 0)
		return -255;
	(void)chronotick_wait_change(ct, &last, 0);
	do {
		if (chronotick_wait_change(ct, &last, 10 * SECOND) < 0)
			return -255;
	} while ((last.status & CHRONOTICK_STATUS_MASK) == CHRONOTICK_SYNCHRONIZED);
	return -(last.status & CHRONOTICK_STATUS_MASK);
}

/* The same with poll(2), as in an event loop. */
static int poll_for_change(void *data)
{
	struct chronotick_change last = {0};
	struct pollfd entry = {.events = POLLIN};
	struct chronotick *ct;
	int timeout_ms;

	(void)data;
	if (chronotick_open(&ct, NULL) < 0)
		return -255;
	entry.fd = chronotick_poll_fd(ct);
	if (entry.fd < 0)
		return entry.fd;
	(void)chronotick_poll_change(ct, entry.fd, &last, &timeout_ms);
	if (poll(&entry, 1, 0) != 0)
		return -254;
	do {
		/* Woken by the descriptor, long before the line ends */
		if (poll(&entry, 1, 8000) != 1 ||
		    chronotick_poll_change(ct, entry.fd, &last, &timeout_ms) < 0)
			return -253;
		if (poll(&entry, 1, 0) != 0)
			return -252;
	} while ((last.status & CHRONOTICK_STATUS_MASK) == CHRONOTICK_SYNCHRONIZED);
	return -(last.status & CHRONOTICK_STATUS_MASK);
}

static pid_t begin(int (*run)(void *data))
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(-run(NULL) & 0xff);
	return pid;
}

static int64_t spent_ms(pid_t pid)
{
	char path[64], text[1024], *at;
	unsigned long user = 0, system = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	snprintf(text, sizeof(text), "%s", file_line(path));
	at = strrchr(text, ')');
	if (!at || sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
			  &system) != 2)
		return -1;
	return (int64_t)(user + system) * 1000 / sysconf(_SC_CLK_TCK);
}

/* The writer is killed: who waits is woken by the kernel. */
static void waits(pid_t daemon)
{
	pid_t waiter = begin(wait_for_change), poller = begin(poll_for_change);
	int64_t spent;
	int gone;

	sleep_ms(700);
	spent = spent_ms(waiter);
	daemon_end(daemon, SIGKILL);
	gone = daemon_end(waiter, 0);
	check(gone == CHRONOTICK_WRITER_GONE, "a wait for a change: %d", gone);
	gone = daemon_end(poller, 0);
	check(gone == CHRONOTICK_WRITER_GONE, "poll(2) for a change: %d", gone);
	check(spent >= 0 && spent < 100, "waiting is asleep: %ld ms in 700", (long)spent);
	check(trusted(CHRONOTICK_DEVICE_PATH, 0), "what a dead daemon told holds");
	check(!strcmp(chronotick_page_path(NULL), SHM_PATH), "nobody opens its page anew");
}

static bool synchronized(unsigned int ms)
{
	int64_t limit = monotonic_ns() + ms * 1000000LL;

	while ((CHRONOTICK_STATE_STATUS(page->clock[0].state) & CHRONOTICK_STATUS_MASK) !=
	       CHRONOTICK_SYNCHRONIZED) {
		if (monotonic_ns() > limit)
			return false;
		sleep_ms(10);
	}
	return true;
}

static bool record_is_valid(unsigned int ms)
{
	int64_t limit = monotonic_ns() + ms * 1000000LL;

	while (!(page->record.flags & CHRONOTICK_FLAG_VALID) && monotonic_ns() < limit)
		sleep_ms(10);
	return page->record.flags & CHRONOTICK_FLAG_VALID;
}

static int step(int seconds)
{
	struct timex change = {.modes = ADJ_SETOFFSET | ADJ_NANO, .time = {seconds, 0}};

	return adjtimex(&change) < 0 ? -errno : 0;
}

/* There and back again, so that the truth is where it was */
static void steps(void)
{
	uint32_t steps = page->header.kernel_steps, generation = page->header.generation;

	check_result(step(100), 0, "the clock is stepped");
	check_result(step(-100), 0, "and back");
	check(page->header.kernel_steps == steps + 2, "the page counts both");
	check(record_is_valid(1000), "a record of the clock as it is now");
	check(page->header.generation == generation, "in the same generation");
	check(trusted(CHRONOTICK_DEVICE_PATH, 0), "the time is trusted all the while");
}

static void suspended(void)
{
	uint32_t generation = page->header.generation;

	if (access("/sys/power/pm_test", W_OK) < 0) {
		check(true, "suspend # SKIP this kernel has no pm_test");
		return;
	}
	file_write("/sys/module/suspend/parameters/pm_test_delay", "0");
	check_result(file_write("/sys/power/pm_test", "freezer"), 0, "suspend: a test of it");
	check_result(file_write("/sys/power/state", "freeze"), 0, "suspend: frozen and thawed");
	file_write("/sys/power/pm_test", "none");
	check(trusted(CHRONOTICK_DEVICE_PATH, FIRST_MS), "suspend: the daemon publishes again");
	check(page->header.generation != generation, "suspend: in another generation");
}

/* A clocksource that is not the counter: 0 if there is none */
static bool foreign_find(char ret[32])
{
	char available[256], *word;

	snprintf(available, sizeof(available), "%s",
		 file_line(CLOCKSOURCES "available_clocksource"));
	for (word = strtok(available, " "); word; word = strtok(NULL, " "))
		if (strcmp(word, "tsc") != 0) {
			snprintf(ret, 32, "%s", word);
			return true;
		}
	return false;
}

/* The kernel leaves the counter, and comes back to it: the time goes on elsewhere meanwhile. */
static void clocksource(pid_t daemon)
{
	char foreign[32];

	if (!foreign_find(foreign)) {
		check(true, "clocksource # SKIP there is no other");
		return;
	}
	check_result(file_write(CLOCKSOURCE, foreign), 0, "clocksource: to %s", foreign);
	check(page->clock[0].span == 0 && page->clock[1].span == 0,
	      "clocksource: what was told is void in that instant");
	check(log_has("both", "counter tsc cannot be trusted", FIRST_MS),
	      "clocksource: the daemon sees it, too");
	check(trusted(NULL, FIRST_MS) && !strcmp(chronotick_page_path(NULL), SHM_PATH),
	      "clocksource: the time goes on in shared memory, on another counter");
	check(page->header.writer_pid == 0, "clocksource: the device has no writer");
	check_result(file_write(CLOCKSOURCE, "tsc"), 0, "clocksource: back to tsc");
	check(log_has("both", "the kernel runs on counter tsc again", FIRST_MS),
	      "clocksource: the daemon sees that");
	check(trusted(CHRONOTICK_DEVICE_PATH, FIRST_MS) &&
		      !strcmp(chronotick_page_path(NULL), CHRONOTICK_DEVICE_PATH) &&
		      page->header.writer_pid == (uint32_t)daemon,
	      "clocksource: the device has its writer and its time again");
	check(trusted(SHM_PATH, FIRST_MS), "clocksource: and so has shared memory");
}

int main(void)
{
	pid_t daemon;
	int fd;

	reference_start();
	without_the_module();
	daemon = daemon_start("auto", NULL, NULL);
	fd = device_open(O_RDONLY);
	page = page_map(fd);
	if (!check(trusted(CHRONOTICK_DEVICE_PATH, FIRST_MS), "the module's page is trusted")) {
		log_show("auto");
		return checks_end();
	}
	both_pages(daemon);
	waits(daemon);

	unlink(SHM_PATH);
	config_write("alone", "backend: auto, shm_name: none");
	daemon = daemon_start("alone", NULL, NULL);
	check(trusted(NULL, FIRST_MS), "one that goes on where a dead one stopped");
	check(log_has("alone", "publishing /dev/chronotick at", 1000), "says where it publishes");
	check(synchronized(FIRST_MS), "and is as sure as that one was");
	check(access(SHM_PATH, F_OK) < 0, "shm_name none: there is nothing in shared memory");
	steps();
	suspended();
	daemon_end(daemon, SIGTERM);

	config_write("both", "backend: module");
	daemon = daemon_start("both", NULL, NULL);
	check(log_has("both", "publishing /dev/chronotick at", FIRST_MS) &&
		      trusted(SHM_PATH, FIRST_MS),
	      "backend module, with shared memory beside it");
	clocksource(daemon);
	check(daemon_end(daemon, SIGTERM) == 0, "it ends in order");
	check((CHRONOTICK_STATE_STATUS(page->clock[0].state) & CHRONOTICK_STATUS_MASK) ==
		      CHRONOTICK_WRITER_GONE,
	      "its page says that it has gone");
	check(page->record.flags == 0 && page->header.writer_pid == 0, "so does the record");
	check(trusted(CHRONOTICK_DEVICE_PATH, 0), "and what it told holds");
	reference_end();
	return checks_end();
}
