/* SPDX-License-Identifier: MIT */
/*
 * Has the module chronotick_faults make faults, those that are named. Whether the kernel has found
 * them is told by its messages, see run.py's --wanted.
 *
 *	faults NAME...
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"

int main(int count, char **arguments)
{
	int i, fd = open("/chronotick_faults.ko", O_RDONLY | O_CLOEXEC);

	check(count > 1, "faults are named");
	for (i = 1; i < count; i++) {
		char parameter[64];
		long r;

		snprintf(parameter, sizeof(parameter), "fault=%s", arguments[i]);
		r = syscall(SYS_finit_module, fd, parameter, 0);
		check_result(r < 0 ? -errno : 0, 0, "the fault '%s' is made", arguments[i]);
		syscall(SYS_delete_module, "chronotick_faults", O_NONBLOCK);
	}
	return checks_end();
}
