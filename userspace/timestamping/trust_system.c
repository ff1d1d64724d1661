/* SPDX-License-Identifier: MIT */
/* The readings that struct trust_io is given on a real machine. */
#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "timestamping/trust.h"

#define NS_PER_S 1000000000LL
#define CLOCKSOURCE "/sys/devices/system/clocksource/clocksource0/current_clocksource"

static uint64_t system_counter(void *data)
{
	const struct trust_system *system = data;

	return counter_read(system->counter);
}

static int clock_ns(clockid_t clock, int64_t *ret)
{
	struct timespec now;

	if (clock_gettime(clock, &now) < 0)
		return -errno;
	*ret = now.tv_sec * NS_PER_S + now.tv_nsec;
	return 0;
}

static int system_slept(void *data, int64_t *least_ns, int64_t *most_ns)
{
	int64_t before = 0, boot = 0, after = 0;
	int r;

	(void)data;
	r = clock_ns(CLOCK_MONOTONIC, &before);
	if (r == 0)
		r = clock_ns(CLOCK_BOOTTIME, &boot);
	if (r == 0)
		r = clock_ns(CLOCK_MONOTONIC, &after);
	if (r < 0)
		return r;
	*least_ns = boot - after;
	*most_ns = boot - before;
	return 0;
}

static int system_raw(void *data, struct cross *ret)
{
	const struct trust_system *system = data;

	return cross_read(ret, system->counter, CLOCK_MONOTONIC_RAW);
}

/* Read from its beginning each time: the kernel writes the file anew for that. */
static int system_clocksource(void *data, char *name, size_t size)
{
	const struct trust_system *system = data;
	ssize_t length;

	if (system->clocksource < 0)
		return -ENOENT;
	length = pread(system->clocksource, name, size - 1, 0);
	if (length < 0)
		return -errno;
	while (length > 0 && (name[length - 1] == '\n' || name[length - 1] == ' '))
		length--;
	name[length] = '\0';
	return 0;
}

void trust_system_open(struct trust_system *system, const struct counter *counter)
{
	system->counter = counter;
	system->clocksource = open(CLOCKSOURCE, O_RDONLY | O_CLOEXEC);
}

void trust_system_close(struct trust_system *system)
{
	if (system->clocksource >= 0)
		close(system->clocksource);
	system->clocksource = -1;
}

struct trust_io trust_system_io(struct trust_system *system)
{
	return (struct trust_io){system, system_counter, system_slept, system_raw,
				 system_clocksource};
}
