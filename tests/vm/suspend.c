/* SPDX-License-Identifier: MIT */
/*
 * The machine sleeps in earnest, woken by its RTC: to idle, and as far as ACPI's S3, where the CPUs
 * lose their state. Nobody reads a trusted time that is from before it, and what was sampled before
 * it is refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#define ALARM "/sys/class/rtc/rtc0/wakealarm"
#define ALARM_S "+4" /* falling asleep takes a second of it on a slow host */
#define SLEPT_LEAST_NS 500000000

struct seen {
	_Atomic uint64_t trusted, refused, old;
};

static struct writer_rig rig;

/* What CLOCK_BOOTTIME has that CLOCK_MONOTONIC has not: the sleep. */
static int64_t slept_ns(void)
{
	struct timespec boot, monotonic;

	clock_gettime(CLOCK_MONOTONIC, &monotonic);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	return (boot.tv_sec - monotonic.tv_sec) * SECOND + boot.tv_nsec - monotonic.tv_nsec;
}

/* Reads all the time; a read that began after the sleep and is trusted in the old generation lies. */
static void look_on(struct seen *seen, uint32_t generation)
{
	const int64_t slept_before_ns = slept_ns();
	struct chronotick_interval now;
	struct chronotick *ct;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (chronotick_open(&ct, CHRONOTICK_DEVICE_PATH) < 0)
		_exit(1);
	for (;;) {
		bool after = slept_ns() > slept_before_ns + SLEPT_LEAST_NS;

		if (chronotick_now(ct, &now) < 0)
			seen->refused++;
		else if (after && now.generation == generation)
			seen->old++;
		else
			seen->trusted++;
	}
}

static void slept(const char *name, const char *state)
{
	const struct chronotick_header *header = &rig.page->header;
	uint32_t events = header->kernel_events, generation;
	struct chronotick_update update;
	struct chronotick_interval now;
	struct chronotick *ct;
	struct seen *seen;
	int64_t before_ns;
	pid_t pid;

	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	check_result(rig_publish(&rig), 0, "%s: a publication", name);
	check_result(chronotick_open(&ct, CHRONOTICK_DEVICE_PATH), 0, "%s: a reader", name);
	generation = header->generation;
	pid = fork();
	if (pid == 0)
		look_on(seen, generation);
	sleep_ms(300);
	before_ns = slept_ns();
	update_make(&rig, &update);
	file_write(ALARM, "0");
	check_result(file_write(ALARM, ALARM_S), 0, "%s: an alarm", name);
	check_result(file_write("/sys/power/state", state), 0, "%s: asleep, and awake", name);
	check(slept_ns() > before_ns + SLEPT_LEAST_NS, "%s: CLOCK_BOOTTIME tells of it: %ld ms",
	      name, (long)(slept_ns() - before_ns) / 1000000);
	check_result(chronotick_now(ct, &now), -EAGAIN, "%s: no read is trusted after it", name);
	check(now.generation == generation + 1 && header->generation == generation + 1,
	      "%s: it is another generation", name);
	check(header->kernel_events >= events + 2, "%s: its beginning and end are counted", name);
	check(!(header->kernel_state & CHRONOTICK_KERNEL_ASLEEP), "%s: it is over", name);
	check_result(command(rig.fd, CHRONOTICK_IOC_PUBLISH, &update), -ESTALE,
		     "%s: what was sampled before it is refused", name);
	sleep_ms(200);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	check(seen->trusted > 0 && seen->refused > 0 && seen->old == 0,
	      "%s: one who reads all the time: trusted %lu, refused %lu, old ones %lu", name,
	      (unsigned long)seen->trusted, (unsigned long)seen->refused, (unsigned long)seen->old);
	if (header->kernel_state & CHRONOTICK_KERNEL_COUNTER) {
		check_result(rig_publish(&rig), 0, "%s: a line of the new generation", name);
		check_result(chronotick_now(ct, &now), 0, "%s: which is trusted", name);
	}
	chronotick_close(ct);
	munmap(seen, sizeof(*seen));
}

int main(void)
{
	if (!check_result(rig_open(&rig), 0, "a writer"))
		return 1;
	if (access(ALARM, W_OK) < 0) {
		check(true, "sleep # SKIP this machine has no RTC to wake it");
		return checks_end();
	}
	if (strstr(file_line("/sys/power/mem_sleep"), "deep")) {
		file_write("/sys/power/mem_sleep", "deep");
		slept("to S3", "mem");
	} else {
		check(true, "S3 # SKIP this machine has none");
	}
	rig_close(&rig);
	return checks_end();
}
