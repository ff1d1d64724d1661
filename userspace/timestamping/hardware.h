/* SPDX-License-Identifier: MIT */
/*
 * An interface that stamps by hardware, and its clock against the counter: shared by all sources
 * that use it, set up for the first, given back after the last. No threads.
 */
#ifndef TIMESTAMPING_HARDWARE_H
#define TIMESTAMPING_HARDWARE_H

#include <stdbool.h>
#include <stdint.h>

#include "timestamping/counter.h"
#include "timestamping/nic.h"
#include "timestamping/phc.h"
#include "timestamping/phc_track.h"

struct hardware;
struct hardware_table;

/* How this machine is asked, so that a test can be any */
struct hardware_io {
	struct nic_io nic;
	void *data;
	/* Open /dev/ptpN: *ret is to ask it by. Returns 0 or a negative errno. */
	int (*clock_open)(void *data, int phc, struct phc_io *ret);
	void (*clock_close)(void *data, struct phc_io *io);
};

/* counter, and what io has, outlive it. io: NULL: this machine's. Returns 0 or a negative errno. */
int hardware_table_new(struct hardware_table **ret, const struct counter *counter,
		       const struct hardware_io *io);

/* All interfaces have to be given back before. NULL is allowed. */
void hardware_table_free(struct hardware_table *table);

/* The counter's calibration is another one: what was known of the clocks is forgotten. */
void hardware_table_restart(struct hardware_table *table);

/*
 * Have an interface stamp what is needed (NIC_*), beside what it is needed for already. why: at
 * least NIC_TEXT_SIZE, one line that says why not after an error. Returns 0 or a negative errno, as
 * nic_open().
 */
int hardware_get(struct hardware **ret, struct hardware_table *table, const char *name,
		 unsigned int needs, char *why);
void hardware_put(struct hardware *hardware); /* NULL is allowed */

/*
 * Take a reading of the clock. To be done before a packet is sent whose stamp is wanted, and after
 * each stamp, before it is converted. A bond's change-over is noticed here, and that the interface or
 * its clock has gone, or come back: -ESTALE, and the next one is of the new device. Returns 0 or a
 * negative errno.
 */
int hardware_read(struct hardware *hardware);

/*
 * A packet had no stamp. Whether somebody has changed the interface's setting since is looked at,
 * once a second at most; if so, it is made to serve again.
 */
void hardware_unstamped(struct hardware *hardware);

/* The counter value of a stamp, as phc_track_stamp() */
int hardware_counter(const struct hardware *hardware, int64_t stamp_ns, uint64_t sent,
		     uint64_t *counter, int64_t *error_ns);

/* "sim0, /dev/ptp0, precise": for status */
void hardware_describe(const struct hardware *hardware, char *ret, size_t size);

#endif /* TIMESTAMPING_HARDWARE_H */
