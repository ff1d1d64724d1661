/* SPDX-License-Identifier: MIT */
/* Loads the BPF programs, attaches them to what has our probes in it, and reads what they count. */
#ifndef BPF_TRACER_H
#define BPF_TRACER_H

#include "options.h"
#include "snapshot.h"

struct tracer;

#define TRACER_SHARE_HZ 97 /* samples a second and CPU; a prime, so as not to march in step */

/* One of the rare events, as it happens */
typedef void (*tracer_noticed)(void *data, const struct notice *notice);

/*
 * Load, and attach to all that runs. `options` must outlive the tracer. What is in the way is told
 * on stderr. Returns 0 or a negative errno.
 */
int tracer_open(struct tracer **ret, const struct options *options, tracer_noticed noticed,
		void *data);
void tracer_close(struct tracer *tracer); /* NULL is allowed */

/* Wait for that time, and hand on the notices that came. Returns 0; -EINTR: a signal came. */
int tracer_wait(struct tracer *tracer, int timeout_ms);

/* Once a second: attach to what has been started since. */
void tracer_tick(struct tracer *tracer);

/* CLOCK_MONOTONIC, in s */
double tracer_now_s(void);

/* Files that are traced */
unsigned int tracer_binaries(const struct tracer *tracer);

/* All that was counted so far. Returns 0, and snapshot_clear() is due; or a negative errno. */
int tracer_snapshot(const struct tracer *tracer, struct snapshot *ret);

#endif /* BPF_TRACER_H */
