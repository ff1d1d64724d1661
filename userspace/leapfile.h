/* SPDX-License-Identifier: MIT */
/*
 * The leap seconds file that NIST began and the IERS publishes, as tzdata ships it: one line a leap
 * second with NTP seconds (since 1900) and TAI - UTC from then on; "#$" its last update, "#@" its
 * expiry, "#h" a SHA-1 hash over all of these numbers.
 */
#ifndef USERSPACE_LEAPFILE_H
#define USERSPACE_LEAPFILE_H

#include <stddef.h>

#include "engine/leap.h"

#define LEAPFILE_PATH "/usr/share/zoneinfo/leap-seconds.list"
#define LEAPFILE_SIZE_MAX 65536

/*
 * Read a file's text; `name` stands for the file. The table is taken if all of these hold: update,
 * expiry, hash and at least one leap second are there, the first three once; the hash is right;
 * each line begins a later month of 1972 to 2261 than the one before it, and changes TAI - UTC by
 * one second; the update is not after the expiry. Seconds count on beyond 2^32 in 2036.
 *
 * Returns 0; or -EINVAL with "name:line: what is wrong" in `why`; then nothing is stored.
 */
int leapfile_parse(struct leap_table *ret, const char *name, const char *text, size_t size,
		   char *why, size_t why_size);

/* Read a file. Returns 0, -EINVAL, or the negative errno of reading it, with `why` as above. */
int leapfile_load(struct leap_table *ret, const char *path, char *why, size_t why_size);

#endif /* USERSPACE_LEAPFILE_H */
