/* SPDX-License-Identifier: MIT */
/* The daemon: sources, engine, publisher and canary on one loop, in one thread. */
#ifndef USERSPACE_DAEMON_H
#define USERSPACE_DAEMON_H

#include <stddef.h>

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

/*
 * Take another configuration while running. Sources that are the same go on undisturbed
 * (source_set_reconfigure()); a key that cannot change is named in a warning and keeps its value.
 * The configuration may be cleared afterwards. Returns 0, or the first error of a source, after it
 * was logged; everything else is done nevertheless.
 */
int daemon_reload(struct daemon *daemon, const struct config *wanted);

/*
 * Read the configuration again, from where it came, and take it. Returns as daemon_reload(), or
 * -EINVAL or -ENOMEM if there is none to be had: then nothing has changed, and why is in the log.
 * The lines of config_load()'s errors are also in `errors`, NUL-terminated and cut off at `size`;
 * NULL if they are not wanted.
 */
int daemon_reload_file(struct daemon *daemon, char *errors, size_t size);

/* End in order: the page tells that its writer has gone. NULL is allowed. */
void daemon_free(struct daemon *daemon);

#endif /* USERSPACE_DAEMON_H */
