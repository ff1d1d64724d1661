/* SPDX-License-Identifier: MIT */
/*
 * A PTP hardware clock (PHC) against the counter: one reading of both. The kernel offers three ways,
 * and the best that a device has is taken:
 *
 *	PTP_SYS_OFFSET_PRECISE	 one instant of both, by hardware
 *	PTP_SYS_OFFSET_EXTENDED	 a system clock right before and after the device was read; from Linux
 *				 6.12 on CLOCK_MONOTONIC_RAW, which nobody slews, else CLOCK_REALTIME
 *	PTP_SYS_OFFSET		 CLOCK_REALTIME between any two readings of the device
 *
 * Of several samples the narrowest one counts, and half of its width is what the reading may err.
 * How the device is asked comes in through struct phc_io, so a test can be any device.
 */
#ifndef TIMESTAMPING_PHC_H
#define TIMESTAMPING_PHC_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "timestamping/counter.h"
#include "timestamping/cross.h"

#define PHC_SAMPLES_MAX 25 /* that the kernel takes at a time */
#define PHC_SAMPLES 10     /* in one reading */

enum phc_method { PHC_PRECISE, PHC_EXTENDED_RAW, PHC_EXTENDED, PHC_PLAIN, PHC_METHODS };

/* Each returns 0 or a negative errno. */
struct phc_io {
	void *data;
	/* ioctl(2) on the device: PTP_SYS_OFFSET* and PTP_CLOCK_GETCAPS */
	int (*control)(void *data, unsigned long request, void *argument);
	/* The counter against a system clock */
	int (*cross)(void *data, clockid_t clock, struct cross *ret);
	/* The frequency that the clock's owner has set, 2^-16 ppm, as adjtimex(2) tells it */
	int (*frequency)(void *data, int64_t *ret);
};

#define PHC_FREQUENCY_UNKNOWN INT64_MIN

struct phc_reading {
	uint64_t counter;
	int64_t phc_ns;    /* what the clock showed then, ns since its epoch */
	int64_t error_ns;  /* what that may err */
	int64_t frequency; /* that its owner had set, 2^-16 ppm; or PHC_FREQUENCY_UNKNOWN */
};

struct phc {
	struct phc_io io;
	const struct counter *counter;
	enum phc_method method; /* the best that has not been refused */
	unsigned int failures;  /* of it, in a row */
};

/* counter outlives it. */
void phc_init(struct phc *phc, const struct phc_io *io, const struct counter *counter);

/*
 * Read it, which takes some 10 us. A way that the device does not have is never tried again; one that
 * fails otherwise, while another one works, a few times. Returns 0; -ENOTSUP: it has none; -EIO: it gave no times that can
 * be; -ESTALE: CLOCK_REALTIME was stepped meanwhile; or another negative errno of the last way.
 */
int phc_read(struct phc *phc, struct phc_reading *ret);

/* "precise", "extended-raw", "extended", "plain" */
const char *phc_method_name(enum phc_method method);

/* A device of this machine: /dev/ptpN. Returns a descriptor or a negative errno. */
int phc_device_open(const char *path);

struct phc_device {
	int fd;
	const struct counter *counter;
};

/* device outlives what uses it. */
struct phc_io phc_device_io(struct phc_device *device);

#endif /* TIMESTAMPING_PHC_H */
