/* SPDX-License-Identifier: MIT */
/*
 * The daemon's leap seconds: the file that it knows them from, read again when it changes, the
 * smear, and what is logged of all that. What the engine does at one is in engine/leap.h.
 */
#ifndef USERSPACE_LEAPSECONDS_H
#define USERSPACE_LEAPSECONDS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "engine/engine.h"
#include "engine/leap.h"
#include "sources/set.h"

enum leap_mode {
	LEAP_STEP,
	LEAP_SMEAR,
};

struct leap_config {
	const char *file; /* path; "auto": LEAPFILE_PATH; NULL: none */
	uint32_t mode;    /* enum leap_mode */
};

/* How often the file is looked at, ns */
#define LEAPSECONDS_CHECK_NS 3600000000000LL

struct leapseconds {
	struct leap_table table; /* empty: nothing is known */
	struct leap_config config;
	struct stat seen;    /* of the file that was read last, all zero: there was none */
	int64_t checked_ns;  /* CLOCK_MONOTONIC */
	int64_t followed_ns; /* the last leap second that was told of */
	bool failed;         /* the latest try, which is told once */
	bool expired_told;
	bool smearing;
	uint8_t told[SOURCE_SET_MAX]; /* enum complaint, by engine index */
};

/*
 * Begin: the file is read. A file that is missing or wrong is logged, and the table stays as it was.
 * config.file must outlive it.
 */
void leapseconds_configure(struct leapseconds *leaps, const struct leap_config *config,
			   int64_t now_ns);

/* At a reload: the next tick looks at the file, whatever the hour. */
void leapseconds_look(struct leapseconds *leaps);

/* What is published of a correction: smeared if that is wanted, else as it is. */
void leapseconds_apply(const struct leapseconds *leaps, struct correction *correction);

/*
 * Once a second: read the file again if an hour has passed and it has changed; log what there is to
 * tell: expiry, leap seconds and smears, and sources that contradict what is followed, by name.
 * correction: of now, as the engine gave it. now_ns: CLOCK_MONOTONIC.
 */
void leapseconds_tick(struct leapseconds *leaps, const struct engine *engine,
		      const struct correction *correction, const struct source_status *sources,
		      unsigned int count, int64_t now_ns);

#endif /* USERSPACE_LEAPSECONDS_H */
