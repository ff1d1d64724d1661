/* SPDX-License-Identifier: MIT */
/*
 * What the kernel module tells anybody: whether the kernel itself runs on this counter, and the
 * counter and all clocks at one instant.
 */
#ifndef TIMESTAMPING_DEVICE_H
#define TIMESTAMPING_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "chronotick_ioctl.h"
#include "timestamping/counter.h"
#include "timestamping/cross.h"

/*
 * Open it for reading. Only root makes devices: another thing of that name is none of the kernel's,
 * -ENODEV. Returns a descriptor or a negative errno.
 */
int device_node_open(void);

/*
 * Does the page say that the kernel's clocksource is the counter of that kind? *hz: its nominal
 * frequency, as the page has it.
 */
bool device_page_vouches(const struct chronotick_page *page, uint32_t kind, uint64_t *hz);

/* The same of this machine's device. False where there is none. */
bool device_vouches(uint32_t kind, uint64_t *hz);

/* How cross-timestamps are taken, and what each way may err, as measured at the start. */
struct cross_device {
	int fd;              /* -1: by brackets */
	struct cross_io io;  /* of the device */
	int64_t bracket_ns;  /* CLOCK_REALTIME by a bracket of readings; -1: not measured */
	int64_t device_ns;   /* by the device; -1: not to be had */
	const char *refusal; /* why the device is not used; NULL: it is */
};

/*
 * Measure both ways for *counter, and let it take its cross-timestamps from the device if that is
 * there and says what the brackets say. `io`: the device; NULL: this machine's. *device must
 * outlive the counter and all copies of it, and be closed.
 */
void cross_device_open(struct cross_device *device, struct counter *counter,
		       const struct cross_io *io);
void cross_device_close(struct cross_device *device);

#endif /* TIMESTAMPING_DEVICE_H */
