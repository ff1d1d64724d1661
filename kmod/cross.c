// SPDX-License-Identifier: GPL-2.0-only
/* One instant on all clocks, from one reading of the counter. */
#include "chronotick.h"

#include <linux/timekeeping.h>

/* What the clocksource counts, CLOCK_REALTIME and CLOCK_MONOTONIC_RAW. */
static void snapshot_take(u64 *cycles, ktime_t *real, ktime_t *raw)
{
	struct system_time_snapshot now;

#ifdef HAVE_KTIME_GET_SNAPSHOT_ID
	ktime_get_snapshot_id(CLOCK_REALTIME, &now);
	*real = now.systime;
	*raw = now.monoraw;
#else
	ktime_get_snapshot(&now);
	*real = now.real;
	*raw = now.raw;
#endif
	*cycles = now.cycles;
}

int cross_take(struct chronotick_cross *ret)
{
	u64 before, cycles, after;
	ktime_t ahead, boot, real, raw;

	ret->events = READ_ONCE(page_get()->header.kernel_events);
	/* The clocks' distances from the monotonic one: the snapshot's, if they stand still. */
	do {
		ahead = ktime_mono_to_any(0, TK_OFFS_REAL);
		boot = ktime_mono_to_any(0, TK_OFFS_BOOT);
		before = counter_read();
		snapshot_take(&cycles, &real, &raw);
		after = counter_read();
	} while (ahead != ktime_mono_to_any(0, TK_OFFS_REAL) ||
		 boot != ktime_mono_to_any(0, TK_OFFS_BOOT));
	/* No other clocksource's value lies between two of the counter's. */
	if (cycles - before > after - before)
		return -ENXIO;
	ret->counter = cycles;
	ret->realtime_ns = ktime_to_ns(real);
	ret->monotonic_ns = ktime_to_ns(ktime_sub(real, ahead));
	ret->monotonic_raw_ns = ktime_to_ns(raw);
	ret->boottime_ns = ret->monotonic_ns + ktime_to_ns(boot);
	return 0;
}
