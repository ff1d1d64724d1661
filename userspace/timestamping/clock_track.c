/* SPDX-License-Identifier: MIT */
#include "timestamping/clock_track.h"

#include <errno.h>

#include "chronotick_page.h"

#define NS_PER_S 1000000000LL

/* How long the rate is measured for, and for how long that is good */
#define RATE_NS NS_PER_S
#define RATE_FIRST_NS (NS_PER_S / 4)
#define RATE_AGE_NS (64 * NS_PER_S)
/* How far a slew may have begun to bend the clock's line: 50 ppm, and what noise does */
#define BENT_PART 20000
#define BENT_NS 2000
/* Beside that no clock is slewed by more than 1,000 ppm. */
#define SLEW_PART 1000

static int64_t raw_between(const struct counter *counter, uint64_t from, uint64_t to)
{
	return (int64_t)(((__int128)(int64_t)(to - from) * (__int128)counter->mult) >>
			 CHRONOTICK_MULT_SHIFT);
}

static int64_t magnitude(int64_t value)
{
	return value < 0 ? -value : value;
}

static void begin(struct clock_track *track, const struct cross *cross)
{
	track->base = *cross;
	track->has_base = true;
	track->has_rate = false;
	track->unexplained_ns = 0;
}

int clock_track_take(struct clock_track *track, const struct counter *counter,
		     const struct cross *cross)
{
	int64_t raw_ns, passed_ns, apart_ns, errors_ns, limit_ns;

	track->last = *cross;
	if (!track->has_base) {
		begin(track, cross);
		return -EAGAIN;
	}
	raw_ns = raw_between(counter, track->base.counter, cross->counter);
	if (raw_ns < 0 || raw_ns > RATE_AGE_NS ||
	    __builtin_sub_overflow(cross->system_ns, track->base.system_ns, &passed_ns) ||
	    passed_ns < 0 || passed_ns > 2 * RATE_AGE_NS) {
		begin(track, cross);
		return -ESTALE;
	}
	apart_ns = passed_ns - raw_ns;
	errors_ns = track->base.error_ns + cross->error_ns;
	if (track->has_rate) {
		apart_ns -= (int64_t)(track->rate * (double)raw_ns);
		limit_ns = errors_ns + BENT_NS + raw_ns / BENT_PART;
	} else {
		limit_ns = errors_ns + BENT_NS + raw_ns / SLEW_PART;
	}
	if (magnitude(apart_ns) > limit_ns) {
		begin(track, cross);
		return -ESTALE;
	}
	track->unexplained_ns = magnitude(apart_ns) + track->base.error_ns;
	if (raw_ns >= (track->has_rate ? RATE_NS : RATE_FIRST_NS)) {
		bool had = track->has_rate;

		track->rate = (double)(passed_ns - raw_ns) / (double)raw_ns;
		track->has_rate = true;
		track->base = *cross;
		return had ? 0 : -EAGAIN;
	}
	return track->has_rate ? 0 : -EAGAIN;
}

int clock_track_read(struct clock_track *track, const struct counter *counter, clockid_t clock)
{
	struct cross cross;
	int r = cross_read(&cross, counter, clock);

	return r < 0 ? r : clock_track_take(track, counter, &cross);
}

int clock_track_at(const struct clock_track *track, const struct counter *counter,
		   int64_t system_ns, uint64_t *ret, int64_t *error_ns)
{
	int64_t from_ns;

	if (__builtin_sub_overflow(system_ns, track->last.system_ns, &from_ns) ||
	    from_ns > NS_PER_S || from_ns < -NS_PER_S)
		return -ERANGE;
	*ret = track->last.counter +
	       (uint64_t)(int64_t)((__int128)from_ns * (1LL << CHRONOTICK_MULT_SHIFT) /
				   (__int128)counter->mult);
	*error_ns =
		track->last.error_ns + magnitude(from_ns) / SLEW_PART + track->unexplained_ns + 1;
	return 0;
}
