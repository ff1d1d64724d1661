/* SPDX-License-Identifier: MIT */
/* The daemon: sources, engine, publisher and canary on one loop, in one thread. */
#ifndef USERSPACE_DAEMON_H
#define USERSPACE_DAEMON_H

#include "config.h"
#include "reload.h"

struct daemon;

/*
 * Get everything ready, so that clients can open the page. The configuration must outlive the
 * daemon, which changes it when it is reloaded; its list of sources stays that of the start.
 * origin, which must outlive the daemon too, is where it is read again. Returns 0 or a negative
 * errno, after an error was logged.
 */
int daemon_new(struct daemon **ret, struct config *config, struct reload_origin *origin);

/*
 * Run until *stop is not 0. *hangup, set by a signal handler, has the configuration read again
 * within a second. Returns 0 or a negative errno, after an error was logged.
 */
int daemon_run(struct daemon *daemon, const volatile int *stop, volatile int *hangup);

/* End in order: the page tells that its writer has gone. NULL is allowed. */
void daemon_free(struct daemon *daemon);

#endif /* USERSPACE_DAEMON_H */
