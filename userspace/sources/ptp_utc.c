/* SPDX-License-Identifier: MIT */
#include "sources/ptp_utc.h"

#include <errno.h>
#include <stddef.h>

#define NS_PER_S 1000000000LL
#define DAY_NS (86400 * NS_PER_S)
#define UTC_MIN_NS (1577836800 * NS_PER_S) /* 2020 */
#define UTC_MAX_NS (4260211200 * NS_PER_S) /* 2105 */

/* For so long after a leap second an announced offset that is the old one is not believed. */
#define LEAP_LAG_NS (60 * NS_PER_S)

#define STEP_NS 100
#define ACCURACY_FIRST 0x17
#define ACCURACY_LAST 0x30
#define ACCURACY_WORSE 0x31
#define UNKNOWN_LOCKED_NS 10000
#define UNKNOWN_HOLDOVER_NS 100000
#define UNKNOWN_NS 1000000

void ptp_utc_announced(struct ptp_utc *utc, const struct ptp_utc_config *config,
		       const struct ptp_announce *announce, uint16_t flags, int64_t time_ns)
{
	bool is_tai = config->timescale == PTP_TIMESCALE_TAI ||
		      (config->timescale == PTP_TIMESCALE_AUTO && flags & PTP_FLAG_TIMESCALE);
	bool valid = flags & PTP_FLAG_UTC_VALID;
	uint8_t leap = flags & PTP_FLAG_LEAP_61 ? 1 : flags & PTP_FLAG_LEAP_59 ? 2 : 0;
	int64_t utc_ns, leap_ns;

	if (!is_tai) {
		*utc = (struct ptp_utc){.known = true, .leap = leap};
		return;
	}
	if (utc->leap_time_ns && valid && announce->utc_offset_s == utc->offset_s &&
	    time_ns < utc->leap_time_ns + LEAP_LAG_NS &&
	    (time_ns >= utc->leap_time_ns || leap == utc->leap))
		return; /* nothing new, or it is late to say so */
	*utc = (struct ptp_utc){
		.known = valid || config->offset_s,
		.is_tai = true,
		.offset_s = valid ? announce->utc_offset_s : config->offset_s,
		.leap = leap,
	};
	if (!leap || !valid || time_ns < UTC_MIN_NS || time_ns > UTC_MAX_NS)
		return;
	/* The flags speak of the end of this day of UTC, 8.2.4. */
	utc_ns = time_ns - utc->offset_s * NS_PER_S;
	leap_ns = (utc_ns / DAY_NS + 1) * DAY_NS - (leap == 2 ? NS_PER_S : 0);
	utc->leap_time_ns = leap_ns + utc->offset_s * NS_PER_S;
	utc->leap_offset_s = utc->offset_s + (leap == 1 ? 1 : -1);
}

int ptp_utc_of(const struct ptp_utc *utc, int64_t time_ns, int64_t *ret)
{
	int32_t offset_s = utc->offset_s;

	if (!utc->known || time_ns < UTC_MIN_NS || time_ns > UTC_MAX_NS)
		return -EINVAL;
	if (utc->leap_time_ns && time_ns >= utc->leap_time_ns)
		offset_s = utc->leap_offset_s;
	*ret = time_ns - offset_s * NS_PER_S;
	return 0;
}

int64_t ptp_accuracy_ns(uint8_t accuracy)
{
	/* In ps for those below a nanosecond, rounded up to one */
	static const int64_t table[] = {
		1,          1,           1,
		1,          1,           1, /* 0x17: 1 ps to 250 ps */
		1,          3,           10,
		25,         100,         250, /* 0x1d: 1 ns */
		1000,       2500,        10000,
		25000,      100000,      250000, /* 0x23: 1 us */
		1000000,    2500000,     10000000,
		25000000,   100000000,   250000000, /* 0x29: 1 ms */
		1000000000, 10000000000,            /* 0x2f: 1 s, 0x30: 10 s */
	};

	_Static_assert(sizeof(table) / sizeof(table[0]) == ACCURACY_LAST - ACCURACY_FIRST + 1,
		       "table 5");
	return accuracy < ACCURACY_FIRST || accuracy > ACCURACY_LAST
		       ? 0
		       : table[accuracy - ACCURACY_FIRST];
}

static int64_t unknown_ns(uint8_t clock_class)
{
	switch (clock_class) {
	case 6:
	case 13:
		return UNKNOWN_LOCKED_NS;
	case 7:
	case 14:
	case 135:
	case 140:
	case 150:
	case 160:
	case 165:
		return UNKNOWN_HOLDOVER_NS;
	default:
		return UNKNOWN_NS;
	}
}

bool ptp_master_is_limited(const struct ptp_announce *announce, int64_t accuracy_ns)
{
	return accuracy_ns > 0 || announce->accuracy != ACCURACY_WORSE;
}

int64_t ptp_master_error_ns(const struct ptp_announce *announce, int64_t accuracy_ns)
{
	if (accuracy_ns <= 0)
		accuracy_ns = ptp_accuracy_ns(announce->accuracy);
	if (accuracy_ns <= 0)
		accuracy_ns = unknown_ns(announce->clock_class);
	return accuracy_ns + (int64_t)announce->steps_removed * STEP_NS;
}
