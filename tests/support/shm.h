/* SPDX-License-Identifier: MIT */
/* Whatever a test may have left of a page in shared memory. */
#ifndef SUPPORT_SHM_H
#define SUPPORT_SHM_H

#include <stdio.h>
#include <unistd.h>

/* Remove the page of that name and all files beside it. */
static inline void shm_drop(const char *name)
{
	static const char *const files[] = {
		"/dev/shm/%s",       "/dev/shm/%s.lock",      "/dev/shm/.%s.page",
		"/dev/shm/.%s.next", "/dev/shm/%s.foreign",   "/dev/shm/%s.foreign-2",
		"/dev/shm/%s.other", "/dev/shm/%s.foreign-3", "/dev/shm/%s.target",
	};
	char path[256];
	unsigned int i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(path, sizeof(path), files[i], name);
#pragma GCC diagnostic pop
		unlink(path);
	}
}

#endif /* SUPPORT_SHM_H */
