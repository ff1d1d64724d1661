/* SPDX-License-Identifier: MIT */
/* What an operator at the control socket is told of the daemon, and may change. */
#ifndef USERSPACE_OPERATORS_H
#define USERSPACE_OPERATORS_H

#include <stdint.h>

#include "config.h"
#include "control/server.h"
#include "engine/engine.h"
#include "inputs.h"
#include "loop/loop.h"
#include "publish/publish.h"
#include "sources/set.h"
#include "timestamping/counter.h"
#include "timestamping/device.h"

/* The daemon's parts, which its owner fills in and keeps; the rest is operators_listen()'s. */
struct operators {
	const struct counter *counter;
	const struct engine *engine;
	const struct publisher *publisher;
	const struct cross_device *cross;
	struct source_set *sources;
	struct inputs *inputs;
	int64_t start_ns; /* CLOCK_MONOTONIC */
	void *data;
	/*
	 * Read the configuration again, from where it came, and take it. Returns 0; -EINVAL or
	 * -ENOMEM if there is none to be had: then nothing has changed, and why is in the log; or
	 * the first error of a source, all else being done. The lines of config_load()'s errors are
	 * also in `errors`, NUL-terminated and cut off at `size`; NULL if they are not wanted.
	 */
	int (*reload)(void *data, char *errors, size_t size);

	struct control_ops ops;
	struct control_server *server;
};

/*
 * Listen at the configured control socket, if there is one. That the default one cannot be made is
 * only a warning: an ordinary user's daemon has no place in /run, and a second daemon's clients ask
 * the first. One that was asked for by name must be there. Returns 0 or a negative errno, after an
 * error was logged; but nothing is logged with -EADDRINUSE, which is no error of a standby.
 */
int operators_listen(struct operators *operators, struct loop *loop, const struct config *config);

/* Remove the socket. */
void operators_end(struct operators *operators);

#endif /* USERSPACE_OPERATORS_H */
