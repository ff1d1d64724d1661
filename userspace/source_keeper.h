/* SPDX-License-Identifier: MIT */
/*
 * The daemon's sources of time: opened at the start, looked after when the set asks for it, and told
 * of in the log. With them the network interfaces whose stamps they use.
 */
#ifndef USERSPACE_SOURCE_KEEPER_H
#define USERSPACE_SOURCE_KEEPER_H

#include "engine/engine.h"
#include "loop/loop.h"
#include "sources/set.h"
#include "stages.h"
#include "timestamping/counter.h"

struct source_keeper {
	struct loop *loop;
	const struct counter *counter;
	const struct timescale *scale;
	struct engine *engine; /* without sources */
	struct stages *stages;

	struct hardware_table *hardware;
	struct source_set *set;
	struct loop_timer upkeep;
};

/*
 * Have the sources of a configuration, and look after them from now on. The first five members must
 * be set, and outlive it; zero the rest. Returns 0 or a negative errno, after an error was logged.
 */
int source_keeper_open(struct source_keeper *keeper, const struct source_config *sources,
		       unsigned int count);

/*
 * Have the sources of another configuration instead, as source_set_reconfigure() does, and log what
 * has changed. Returns 0, or the first error of a source, after it was logged.
 */
int source_keeper_reload(struct source_keeper *keeper, const struct source_config *sources,
			 unsigned int count);

/* The counter and the timescale are other ones now, or jumped. */
void source_keeper_restart(struct source_keeper *keeper);

/* One that was not opened, or not all of it, is allowed. */
void source_keeper_close(struct source_keeper *keeper);

#endif /* USERSPACE_SOURCE_KEEPER_H */
