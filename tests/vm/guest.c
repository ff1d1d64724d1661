/* SPDX-License-Identifier: MIT */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

typedef unsigned __int128 u128;

#define TIMEOUT_MS 10000
#define BOUND_NS 5000
#define LATE_TRIES 5

static unsigned int failures;

static void line_print(bool ok, const char *format, va_list arguments)
{
	failures += !ok;
	printf("%sok - ", ok ? "" : "not ");
	vprintf(format, arguments);
}

bool check(bool ok, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	line_print(ok, format, arguments);
	va_end(arguments);
	printf("\n");
	fflush(stdout);
	return ok;
}

bool check_result(int got, int wanted, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	line_print(got == wanted, format, arguments);
	va_end(arguments);
	if (got != wanted)
		printf(": %d (%s), not %d (%s)", got, strerror(-got), wanted, strerror(-wanted));
	printf("\n");
	fflush(stdout);
	return got == wanted;
}

int checks_end(void)
{
	return failures ? 1 : 0;
}

int command(int fd, unsigned long request, void *argument)
{
	int r = ioctl(fd, request, argument);

	return r < 0 ? -errno : r;
}

int device_open(int flags)
{
	int fd = open(CHRONOTICK_DEVICE_PATH, flags | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static void die(const char *what)
{
	printf("not ok - %s: %s\n", what, strerror(errno));
	exit(1);
}

const struct chronotick_page *page_map(int fd)
{
	void *page = mmap(NULL, CHRONOTICK_PAGE_SIZE, PROT_READ, MAP_SHARED, fd, 0);

	if (page == MAP_FAILED)
		die("mapping the page");
	return page;
}

void claim_make(struct chronotick_claim *ret, const struct counter *counter)
{
	*ret = (struct chronotick_claim){
		.size = sizeof(*ret),
		.counter_kind = counter->kind,
		.frequency_hz = 100,
		.writer_timeout_ms = TIMEOUT_MS,
		.max_bound_ns = SECOND,
		.counter_hz = counter->hz,
	};
	chronotick_boot_id(ret->boot_id);
}

/*
 * The page's counter. Emulated CPUs do not promise that it is invariant, so counter_init() would have
 * none of it.
 */
static void counter_take(struct counter *ret, const struct chronotick_page *page)
{
	const uint64_t hz = page->header.counter_hz;

	*ret = (struct counter){.kind = page->header.counter_kind, .step = 1, .hz = hz};
	ret->mult = (uint64_t)(((u128)SECOND << CHRONOTICK_MULT_SHIFT) / hz);
}

int rig_open(struct writer_rig *rig)
{
	struct chronotick_claim claim;
	int r;

	rig->fd = device_open(O_RDONLY);
	if (rig->fd < 0)
		return rig->fd;
	rig->page = page_map(rig->fd);
	counter_take(&rig->counter, rig->page);
	claim_make(&claim, &rig->counter);
	r = command(rig->fd, CHRONOTICK_IOC_CLAIM, &claim);
	if (r < 0)
		rig_close(rig);
	return r;
}

void rig_close(struct writer_rig *rig)
{
	munmap((void *)(uintptr_t)rig->page, CHRONOTICK_PAGE_SIZE);
	close(rig->fd);
}

u128 standing_utc(const struct chronotick_clock *line, uint64_t counter)
{
	u128 utc = (u128)line->utc_ns << 64 | line->utc_frac;

	return utc + ((u128)(__int128)(int64_t)(counter - line->anchor) << 10) * line->mult;
}

static int64_t realtime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

void update_make(const struct writer_rig *rig, struct chronotick_update *ret)
{
	const struct chronotick_page *page = rig->page;
	const struct chronotick_clock standing = page->clock[0];
	double now_s;
	u128 utc;

	memset(ret, 0, sizeof(*ret));
	ret->size = sizeof(*ret);
	ret->flags = CHRONOTICK_UPDATE_LINE | CHRONOTICK_UPDATE_RECORD;
	ret->events = __atomic_load_n(&page->header.kernel_events, __ATOMIC_ACQUIRE);
	ret->join = counter_read(&rig->counter);
	ret->line.anchor = ret->join - counter_from_ns(&rig->counter, 50000);
	if (standing.mult) {
		ret->line.mult = standing.mult;
		utc = standing_utc(&standing, ret->line.anchor);
	} else {
		ret->line.mult = rig->counter.mult;
		utc = (u128)realtime_ns() << 64;
	}
	ret->line.utc_ns = (int64_t)(utc >> 64);
	ret->line.utc_frac = (uint64_t)utc;
	ret->line.bound_ns = BOUND_NS;
	ret->line.growth = ret->line.mult / 1000000;
	ret->line.span = counter_from_ns(&rig->counter, TIMEOUT_MS * 1000000ULL);
	ret->line.state = CHRONOTICK_STATE(page->header.generation, CHRONOTICK_SYNCHRONIZED, 37);
	now_s = (double)realtime_ns() / 1e9;
	ret->record = (struct chronotick_record){
		.corrected_timestamp = now_s,
		.system_timestamp = now_s,
		.prediction_time = now_s,
		.offset_correction = -0.001,
		.drift_rate = -1e-6,
		.offset_uncertainty = 1e-6,
		.drift_uncertainty = 1e-9,
		.valid_until = now_s + 10,
		.confidence = 0.5F,
		.flags = CHRONOTICK_FLAG_VALID | CHRONOTICK_FLAG_NTP_READY,
		.source = CHRONOTICK_NTP,
		.measurement_count = 3,
		.last_ntp_sync = now_s,
		.daemon_uptime = 1,
		.total_corrections = 1,
		.average_latency_ms = 1e-5F,
	};
}

int rig_publish(const struct writer_rig *rig)
{
	struct chronotick_update update;
	int tries, r = -ETIMEDOUT;

	for (tries = 0; tries < LATE_TRIES && r == -ETIMEDOUT; tries++) {
		update_make(rig, &update);
		r = command(rig->fd, CHRONOTICK_IOC_PUBLISH, &update);
	}
	return r;
}

int in_child(int (*run)(void *data), void *data)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		_exit(-run(data) & 0xff);
	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
		return -EIO;
	return -WEXITSTATUS(status);
}

void privileges_drop(void)
{
	if (setgid(65534) < 0 || setuid(65534) < 0)
		die("becoming nobody");
	prctl(PR_SET_DUMPABLE, 1);
}

int file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), r = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		r = -errno;
	close(fd);
	return r;
}

const char *file_line(const char *path)
{
	static char text[256];
	FILE *file = fopen(path, "re");

	text[0] = '\0';
	if (file) {
		if (!fgets(text, sizeof(text), file))
			text[0] = '\0';
		fclose(file);
	}
	text[strcspn(text, "\n")] = '\0';
	return text;
}

int64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

void sleep_ms(unsigned int ms)
{
	struct timespec span = {ms / 1000, ms % 1000 * 1000000L};

	while (nanosleep(&span, &span) < 0 && errno == EINTR)
		;
}
