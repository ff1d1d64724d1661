/* SPDX-License-Identifier: MIT */
/*
 * The watch over the counter: what becomes of the clock when the counter jumps, or cannot be
 * trusted any more (timestamping/trust.h), or differs from CPU to CPU (timestamping/cpus.h).
 */
#ifndef USERSPACE_WATCH_H
#define USERSPACE_WATCH_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#include "timestamping/counter.h"
#include "timestamping/trust.h"

/* One CPU is compared so often, in turn. */
#define WATCH_CPUS_S 60

enum watch_cpus {
	WATCH_CPUS_ALWAYS, /* at the start, then one after the other */
	WATCH_CPUS_START,
	WATCH_CPUS_NEVER,
};

struct watch_config {
	uint8_t changes;   /* bool: look for suspend, jumps and another clocksource */
	uint8_t cpus;      /* enum watch_cpus */
	cpu_set_t allowed; /* the CPUs to compare: those of the process before --cpu-affinity */
};

/* What the owner of the clock has to do; *counter is up to date by then. */
enum watch_action {
	WATCH_GO_ON,
	WATCH_APART,   /* how far the counter's values on two CPUs may differ is known anew */
	WATCH_RESTART, /* all that was published and measured is void; the counter still serves */
	WATCH_REPLACE, /* the same, and *counter is another one now: CLOCK_MONOTONIC_RAW, or the first
			 * one again (watch_may_return()) */
	WATCH_DISTRUST, /* the same, and there is none to go on with: nothing may be trusted */
};

struct watch;

/*
 * Compare the CPUs for some 0.3 s at most, and begin to watch. A counter that differs from CPU to
 * CPU is replaced by CLOCK_MONOTONIC_RAW if `may_replace` (it was not asked for by name).
 *
 * `io` (NULL: this machine's) and `counter` must outlive the watch. Says in the log what it finds.
 * Returns 0; -ENOTSUP: the counter cannot be trusted; or another negative errno.
 */
int watch_new(struct watch **ret, const struct watch_config *config, struct counter *counter,
	      bool may_replace, const struct trust_io *io);
void watch_free(struct watch *watch); /* NULL is allowed */

/*
 * A counter that was left because the kernel ran on another clocksource is taken again once the
 * kernel has run on it for WATCH_RETURN_S seconds. The kernel never goes back to a TSC that it has
 * found bad; an operator has told it to. This is for who is told in the same instant
 * when it leaves the counter again: by the kernel module.
 */
#define WATCH_RETURN_S 3
void watch_may_return(struct watch *watch);

/* Before every publication. */
enum watch_action watch_round(struct watch *watch);

/* Once a second. */
enum watch_action watch_second(struct watch *watch);

#endif /* USERSPACE_WATCH_H */
