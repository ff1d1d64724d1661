// SPDX-License-Identifier: GPL-2.0-only
/* One instant on all clocks, from one reading of the counter. */
#include "chronotick.h"

#include <linux/timekeeping.h>

int cross_take(struct chronotick_cross *ret)
{
	struct system_time_snapshot now;
	u64 before, after;
	ktime_t real, boot;

	ret->events = READ_ONCE(page_get()->header.kernel_events);
	/* The clocks' distances from the monotonic one: the snapshot's, if they stand still. */
	do {
		real = ktime_mono_to_any(0, TK_OFFS_REAL);
		boot = ktime_mono_to_any(0, TK_OFFS_BOOT);
		before = counter_read();
		ktime_get_snapshot(&now);
		after = counter_read();
	} while (real != ktime_mono_to_any(0, TK_OFFS_REAL) ||
		 boot != ktime_mono_to_any(0, TK_OFFS_BOOT));
	/* No other clocksource's value lies between two of the counter's. */
	if (now.cycles - before > after - before)
		return -ENXIO;
	ret->counter = now.cycles;
	ret->realtime_ns = ktime_to_ns(now.real);
	ret->monotonic_ns = ktime_to_ns(ktime_sub(now.real, real));
	ret->monotonic_raw_ns = ktime_to_ns(now.raw);
	ret->boottime_ns = ret->monotonic_ns + ktime_to_ns(boot);
	return 0;
}
