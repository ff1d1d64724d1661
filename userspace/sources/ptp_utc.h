/* SPDX-License-Identifier: MIT */
/* From a grandmaster's time to UTC, and how wrong it may be by what it says of itself. Pure. */
#ifndef SOURCES_PTP_UTC_H
#define SOURCES_PTP_UTC_H

#include <stdbool.h>
#include <stdint.h>

#include "sources/ptp_message.h"

enum ptp_timescale {
	PTP_TIMESCALE_AUTO, /* as it announces: PTP is TAI, ARB is UTC */
	PTP_TIMESCALE_TAI,
	PTP_TIMESCALE_UTC,
};

struct ptp_utc_config {
	enum ptp_timescale timescale;
	int16_t offset_s; /* TAI - UTC where it does not say validly; 0: then its time is not used */
};

/* What has been announced. All zero: nothing. */
struct ptp_utc {
	bool known; /* UTC can be told from its time */
	bool is_tai;
	int32_t offset_s;     /* TAI - UTC; 0 if its time is UTC */
	uint8_t leap;         /* RFC 5905 leap indicator: 0, 1 (inserted) or 2 (left out) */
	int64_t leap_time_ns; /* its time from which on the offset is another one; 0: there is none */
	int32_t leap_offset_s; /* ... namely this */
};

/*
 * Take what an Announce message says, its time now being about time_ns. A leap second that was
 * announced is followed at midnight UTC, whether or not the next message says so in time.
 */
void ptp_utc_announced(struct ptp_utc *utc, const struct ptp_utc_config *config,
		       const struct ptp_announce *announce, uint16_t flags, int64_t time_ns);

/*
 * UTC of its time. Returns 0; -EINVAL: UTC is not known, or the time is not one of the years 2020 to
 * 2105, as of a clock that was never set.
 */
int ptp_utc_of(const struct ptp_utc *utc, int64_t time_ns, int64_t *ret);

/* What clockAccuracy (table 5) says, ns; 0: it says nothing, or that it is worse than 10 s. */
int64_t ptp_accuracy_ns(uint8_t accuracy);

/*
 * Is there a limit to how wrong the time of a master may be? There is none for one that says that it is
 * worse than 10 s (clockAccuracy 0x31), but with a configured accuracy_ns.
 */
bool ptp_master_is_limited(const struct ptp_announce *announce, int64_t accuracy_ns);

/*
 * How wrong the time of a master may be. accuracy_ns: as configured, or 0: as it says. One that does
 * not say is believed to be within 10 us if its clockClass is that of one that follows a primary
 * reference (6, 13), within 100 us if it holds over (7, 14, 135, 140, 150, 160, 165), else within 1 ms.
 * Each boundary clock on the way adds 100 ns, the most that ITU-T G.8273.2 has for one.
 */
int64_t ptp_master_error_ns(const struct ptp_announce *announce, int64_t accuracy_ns);

#endif /* SOURCES_PTP_UTC_H */
