/* SPDX-License-Identifier: MIT */
/* When an announced leap second comes. Pure. */
#ifndef PUBLISH_LEAP_H
#define PUBLISH_LEAP_H

#include <stdint.h>

/*
 * The first instant at which UTC as POSIX counts it no longer runs on, for a leap state announced
 * at utc_ns: the end of that month for CHRONOTICK_LEAP_INSERT, a second before it for
 * CHRONOTICK_LEAP_DELETE, INT64_MAX for no leap second. leap: CHRONOTICK_LEAP_* in their place in
 * the status. ns since 1970, from 1970 to 2261.
 */
int64_t leap_ns(int64_t utc_ns, uint16_t leap);

#endif /* PUBLISH_LEAP_H */
