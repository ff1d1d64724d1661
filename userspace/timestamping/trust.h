/* SPDX-License-Identifier: MIT */
/*
 * Whether the counter still is what it was: did the machine sleep, did the counter go back, jump or
 * change its rate against CLOCK_MONOTONIC_RAW, does the kernel still run on it? All readings come
 * in through struct trust_io, so a test can give any.
 *
 * What cannot be seen from inside of a machine: a virtual machine that is paused while its counter
 * stands still too. CLOCK_MONOTONIC_RAW is made from the counter then and agrees with it. Such a
 * pause shows only in the samples of the sources.
 */
#ifndef TIMESTAMPING_TRUST_H
#define TIMESTAMPING_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "timestamping/counter.h"
#include "timestamping/cross.h"

#define TRUST_NAME_SIZE 32 /* of a clocksource, the terminator included */

/* CLOCK_BOOTTIME and CLOCK_MONOTONIC are read one after the other, and rounded. */
#define TRUST_SLEEP_MIN_NS 1000

/* The rate is judged over at least this long. */
#define TRUST_WINDOW_NS 100000000LL

/* A rate farther off the nominal one than this is none of this counter: 1,000 ppm */
#define TRUST_RATE_PPT 1000000000LL

enum trust_event {
	TRUST_SAME,        /* nothing happened */
	TRUST_SLEPT,       /* ns: CLOCK_BOOTTIME went on so much while CLOCK_MONOTONIC stood */
	TRUST_WENT_BACK,   /* ns: so far */
	TRUST_JUMPED,      /* ns: so far against CLOCK_MONOTONIC_RAW, since the reading before */
	TRUST_RATE,        /* ppb: the rate is off the nominal one by this: not to be trusted */
	TRUST_CLOCKSOURCE, /* name: the kernel's clocksource now. The TSC is not to be trusted then;
			    * CLOCK_MONOTONIC_RAW goes on without a jump, at another rate */
};

struct trust_finding {
	enum trust_event event;
	int64_t ns;
	int64_t ppb;
	char name[TRUST_NAME_SIZE];
};

/* Each returns 0 or a negative errno; a reading that fails is left out. */
struct trust_io {
	void *data;
	uint64_t (*counter)(void *data);
	/* CLOCK_BOOTTIME - CLOCK_MONOTONIC lies in *least to *most, ns. */
	int (*slept)(void *data, int64_t *least_ns, int64_t *most_ns);
	/* The counter against CLOCK_MONOTONIC_RAW */
	int (*raw)(void *data, struct cross *ret);
	/* The kernel's current clocksource, as a string */
	int (*clocksource)(void *data, char *name, size_t size);
};

struct trust {
	struct trust_io io;
	struct counter counter;
	char clocksource[TRUST_NAME_SIZE]; /* that it must stay; "": the one to be found first */
	bool has_counter;
	uint64_t last_counter;
	bool has_slept;
	int64_t slept_least_ns; /* all readings since the last sleep agree on this interval */
	int64_t slept_most_ns;
	bool has_raw;
	struct cross last_raw;
	bool has_rate;
	int64_t rate_least_ppt; /* likewise, of the rate off the nominal one, 1e-12 */
	int64_t rate_most_ppt;
};

/* The counter as it is from now on; nothing that was seen before counts. */
void trust_init(struct trust *trust, const struct trust_io *io, const struct counter *counter);

/*
 * To be asked before every publication, some 200 ns: TRUST_SLEPT or TRUST_WENT_BACK. After an event
 * the check goes on from the new state. Returns finding->event.
 */
enum trust_event trust_round(struct trust *trust, struct trust_finding *finding);

/*
 * To be asked once a second: the other events. Rates of all seconds must have a common value, to
 * what the readings may err; so a jump of twice that error is seen, whatever its cause. For a
 * counter that is CLOCK_MONOTONIC_RAW itself there is none. Returns finding->event.
 */
enum trust_event trust_second(struct trust *trust, struct trust_finding *finding);

/* One line that says what was found, for a log: "the machine was suspended for 12.345 s" */
void trust_describe(const struct trust_finding *finding, char *ret, size_t size);

/* What this machine has; `clocksource` is an open descriptor of the kernel's file, or -1. */
struct trust_system {
	const struct counter *counter;
	int clocksource;
};

/*
 * Open the machine's readings. `counter` must outlive them. The clocksource's file is
 * /sys/devices/system/clocksource/clocksource0/current_clocksource; without it, it is not looked
 * at.
 */
void trust_system_open(struct trust_system *system, const struct counter *counter);
void trust_system_close(struct trust_system *system);
struct trust_io trust_system_io(struct trust_system *system);

#endif /* TIMESTAMPING_TRUST_H */
