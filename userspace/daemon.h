/* SPDX-License-Identifier: MIT */
/* The daemon: sources, engine, publisher and canary on one loop, in one thread. */
#ifndef USERSPACE_DAEMON_H
#define USERSPACE_DAEMON_H

#include "config.h"

struct daemon;

/*
 * Get everything ready, so that clients can open the page. The configuration must outlive the
 * daemon. Returns 0 or a negative errno, after an error was logged.
 */
int daemon_new(struct daemon **ret, const struct config *config);

/* Run until *stop is not 0. Returns 0 or a negative errno, after an error was logged. */
int daemon_run(struct daemon *daemon, const volatile int *stop);

/* End in order: the page tells that its writer has gone. NULL is allowed. */
void daemon_free(struct daemon *daemon);

#endif /* USERSPACE_DAEMON_H */
