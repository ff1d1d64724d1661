/* SPDX-License-Identifier: MIT */
#include "realtime.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "log.h"

/* More stack than the loop and all that it calls use */
#define STACK_SIZE (128 * 1024)

/*
 * What must still fit into the limit of locked memory: from then on, every mapping beyond it fails,
 * the stack of a helper thread for one.
 */
#define ROOM_SIZE (16 * 1024 * 1024)

/* Have the pages of the stack: it grows by faults, and those that are there are locked. */
static __attribute__((noinline)) void stack_touch(void)
{
	volatile char stack[STACK_SIZE];
	size_t i;

	for (i = 0; i < sizeof(stack); i += 1024)
		stack[i] = 0;
}

static int memory_lock(void)
{
	void *room;
	int r;

	stack_touch();
	if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		return -errno;
	room = mmap(NULL, ROOM_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (room == MAP_FAILED) {
		r = -errno;
		munlockall();
		return r;
	}
	munmap(room, ROOM_SIZE);
	return 0;
}

static void limit_text(char *ret, size_t size, int resource, unsigned long unit)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) < 0)
		snprintf(ret, size, "unknown");
	else if (limit.rlim_cur == RLIM_INFINITY)
		snprintf(ret, size, "unlimited");
	else
		snprintf(ret, size, "%lu", (unsigned long)limit.rlim_cur / unit);
}

static int lock_start(enum realtime_lock wanted)
{
	char limit[24];
	int r;

	if (wanted == REALTIME_LOCK_NO)
		return 0;
	r = memory_lock();
	if (r == 0) {
		log_debug("memory is locked");
		return 0;
	}
	limit_text(limit, sizeof(limit), RLIMIT_MEMLOCK, 1024);
	if (wanted == REALTIME_LOCK_AUTO) {
		log_debug("memory is not locked: %s; the limit is %s kB", strerror(-r), limit);
		return 0;
	}
	log_error("realtime.lock_memory: memory cannot be locked: %s; it takes CAP_IPC_LOCK, or a "
		  "limit of locked memory (RLIMIT_MEMLOCK, systemd's LimitMEMLOCK=) of 32768 kB; "
		  "the limit is %s kB",
		  strerror(-r), limit);
	return r;
}

int realtime_start(const struct realtime_config *config)
{
	const struct sched_param param = {.sched_priority = config->priority};
	char limit[24];
	int r;

	r = lock_start(config->lock_memory);
	if (r < 0 || config->priority == 0)
		return r;
	/* Reset on fork: a name server's answer is nothing that other programs should wait for. */
	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param) == 0)
		return 0;
	r = -errno;
	limit_text(limit, sizeof(limit), RLIMIT_RTPRIO, 1);
	log_error("realtime.priority: SCHED_FIFO with priority %d cannot be had: %s; it takes "
		  "CAP_SYS_NICE, or a limit of priorities (RLIMIT_RTPRIO, systemd's LimitRTPRIO=) "
		  "of at least that, and no RestrictRealtime=; the limit is %s",
		  config->priority, strerror(-r), limit);
	return r;
}
