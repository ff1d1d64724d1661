/* SPDX-License-Identifier: MIT */
/*
 * The machine is turned off under a reader that looks on: it learns of that before there is nobody
 * to learn it, and who publishes is refused. What it has seen it tells itself, and that it was all;
 * so init runs this last, and a reader that learns nothing leaves the machine without an end.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/reboot.h>
#include <termios.h>
#include <unistd.h>

#include "guest.h"

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

static struct writer_rig rig;

static void cpu_take(int number)
{
	const struct sched_param first = {.sched_priority = 50};
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(number, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	sched_setscheduler(0, SCHED_FIFO, &first);
}

/*
 * It looks at nothing but what each read tells, and tells it in one piece: the other CPU turns the
 * machine off meanwhile.
 */
static void look_on(void)
{
	struct chronotick_interval before, now;
	struct chronotick *ct;
	char *text = NULL;
	size_t size = 0;
	int r;

	cpu_take(1);
	if (chronotick_open(&ct, CHRONOTICK_DEVICE_PATH) < 0)
		_exit(1);
	check_result(chronotick_now(ct, &before), 0, "a reader");
	stdout = open_memstream(&text, &size);
	if (!stdout)
		_exit(1);
	do {
		r = chronotick_now(ct, &now);
	} while (r == 0);
	check_result(r, -EAGAIN, "a shutdown takes trust away from it");
	check(now.generation == before.generation + 1, "in another generation");
	check(rig.page->header.kernel_state & CHRONOTICK_KERNEL_ENDING, "the state is why");
	check(rig.page->record.flags == 0 && rig.page->record.confidence == 0,
	      "old readers learn it, too");
	printf("# end %d\n# done\n", checks_end());
	fflush(stdout);
	if (write(STDOUT_FILENO, text, size) == (ssize_t)size)
		tcdrain(STDOUT_FILENO);
	for (;;)
		pause();
}

int main(void)
{
	pid_t pid;

	if (!check_result(rig_open(&rig), 0, "a writer") ||
	    !check_result(rig_publish(&rig), 0, "it publishes"))
		return 1;
	pid = fork();
	if (pid == 0)
		look_on();
	sleep_ms(200);
	cpu_take(0);
	sync();
	reboot(RB_POWER_OFF);
	return 1;
}
