/* SPDX-License-Identifier: MIT */
#include "timestamping/trust.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "chronotick_page.h"

#define PPT 1000000000000LL

/* Both clocks of a reading are rounded to whole ns. */
#define ROUNDING_NS 2

void trust_init(struct trust *trust, const struct trust_io *io, const struct counter *counter)
{
	memset(trust, 0, sizeof(*trust));
	trust->io = *io;
	trust->counter = *counter;
	if (counter->kind == CHRONOTICK_COUNTER_TSC)
		snprintf(trust->clocksource, sizeof(trust->clocksource), "tsc");
}

static bool went_back(struct trust *trust, struct trust_finding *finding)
{
	uint64_t now = trust->io.counter(trust->io.data), back = trust->last_counter - now;
	bool had = trust->has_counter;

	trust->last_counter = now;
	trust->has_counter = true;
	/* The thread may have moved to a CPU whose counter is behind by what is known. */
	if (!had || (int64_t)back <= (int64_t)trust->counter.apart)
		return false;
	finding->event = TRUST_WENT_BACK;
	finding->ns = counter_to_ns(&trust->counter, back);
	return true;
}

static bool slept(struct trust *trust, struct trust_finding *finding)
{
	int64_t least, most;

	if (trust->io.slept(trust->io.data, &least, &most) < 0 || least > most)
		return false;
	if (!trust->has_slept) {
		trust->has_slept = true;
		trust->slept_least_ns = least;
		trust->slept_most_ns = most;
		return false;
	}
	if (least - trust->slept_most_ns > TRUST_SLEEP_MIN_NS ||
	    trust->slept_least_ns - most > TRUST_SLEEP_MIN_NS) {
		finding->event = TRUST_SLEPT;
		finding->ns = least > trust->slept_most_ns ? least - trust->slept_most_ns
							   : most - trust->slept_least_ns;
		trust->slept_least_ns = least;
		trust->slept_most_ns = most;
		return true;
	}
	if (least > trust->slept_least_ns && least <= trust->slept_most_ns)
		trust->slept_least_ns = least;
	if (most < trust->slept_most_ns && most >= trust->slept_least_ns)
		trust->slept_most_ns = most;
	return false;
}

enum trust_event trust_round(struct trust *trust, struct trust_finding *finding)
{
	memset(finding, 0, sizeof(*finding));
	/* A sleep is the cause, where the counter went back too. */
	if (!went_back(trust, finding) && !slept(trust, finding))
		return TRUST_SAME;
	if (finding->event == TRUST_WENT_BACK)
		slept(trust, finding);
	trust->has_raw = false;
	return finding->event;
}

static int64_t limited(__int128 value)
{
	if (value > INT64_MAX / 2)
		return INT64_MAX / 2;
	return value < INT64_MIN / 2 ? INT64_MIN / 2 : (int64_t)value;
}

/* What the counter has gained on CLOCK_MONOTONIC_RAW between two readings, ns */
static int64_t gained(const struct trust *trust, const struct cross *from, const struct cross *to,
		      int64_t passed_ns)
{
	__int128 ns =
		(__int128)(int64_t)(to->counter - from->counter) * (__int128)trust->counter.mult;

	return limited((ns >> CHRONOTICK_MULT_SHIFT) - passed_ns);
}

/* The rate since the last reading must be one that all readings before it allow. */
static bool jumped(struct trust *trust, struct trust_finding *finding)
{
	struct cross now, last = trust->last_raw;
	int64_t passed, gain, error, least, most;

	if (trust->io.raw(trust->io.data, &now) < 0)
		return false;
	passed = now.system_ns - last.system_ns;
	if (trust->has_raw && passed >= 0 && passed < TRUST_WINDOW_NS)
		return false;
	trust->last_raw = now;
	if (!trust->has_raw || passed <= 0) {
		trust->has_raw = true;
		return false;
	}
	gain = gained(trust, &last, &now, passed);
	error = last.error_ns + now.error_ns + ROUNDING_NS;
	least = limited(((__int128)gain - error) * PPT / passed - 1);
	most = limited(((__int128)gain + error) * PPT / passed + 1);
	if (trust->has_rate && (least > trust->rate_most_ppt || most < trust->rate_least_ppt)) {
		int64_t usual =
			trust->rate_least_ppt + (trust->rate_most_ppt - trust->rate_least_ppt) / 2;

		finding->event = TRUST_JUMPED;
		finding->ns = limited(gain - (__int128)passed * usual / PPT);
	}
	if (!trust->has_rate || finding->event == TRUST_JUMPED) {
		/* A jump says nothing of the rate: the next second does. */
		trust->has_rate = finding->event != TRUST_JUMPED;
		trust->rate_least_ppt = least;
		trust->rate_most_ppt = most;
	} else {
		trust->rate_least_ppt =
			least > trust->rate_least_ppt ? least : trust->rate_least_ppt;
		trust->rate_most_ppt = most < trust->rate_most_ppt ? most : trust->rate_most_ppt;
	}
	if (trust->has_rate && (least > TRUST_RATE_PPT || most < -TRUST_RATE_PPT)) {
		finding->event = TRUST_RATE;
		finding->ppb = (least / 2 + most / 2) / 1000;
	}
	return finding->event != TRUST_SAME;
}

static bool clocksource_changed(struct trust *trust, struct trust_finding *finding)
{
	/* CNTVCT is architected to be one clock on all CPUs, whatever the kernel runs on. */
	if (trust->counter.kind == CHRONOTICK_COUNTER_CNTVCT ||
	    trust->io.clocksource(trust->io.data, finding->name, sizeof(finding->name)) < 0)
		return false;
	if (!trust->clocksource[0])
		memcpy(trust->clocksource, finding->name, sizeof(trust->clocksource));
	if (strcmp(finding->name, trust->clocksource) == 0)
		return false;
	memcpy(trust->clocksource, finding->name, sizeof(trust->clocksource));
	finding->event = TRUST_CLOCKSOURCE;
	return true;
}

enum trust_event trust_second(struct trust *trust, struct trust_finding *finding)
{
	memset(finding, 0, sizeof(*finding));
	if (clocksource_changed(trust, finding))
		return finding->event;
	if (trust->counter.kind != CHRONOTICK_COUNTER_MONOTONIC_RAW)
		jumped(trust, finding);
	return finding->event;
}

void trust_describe(const struct trust_finding *finding, char *ret, size_t size)
{
	double ns = (double)finding->ns;

	switch (finding->event) {
	case TRUST_SAME:
		snprintf(ret, size, "nothing happened");
		break;
	case TRUST_SLEPT:
		snprintf(ret, size, "the machine was suspended for %.6f s", ns * 1e-9);
		break;
	case TRUST_WENT_BACK:
		snprintf(ret, size, "the counter went back by %.0f ns", ns);
		break;
	case TRUST_JUMPED:
		snprintf(ret, size, "the counter jumped by %.0f ns against CLOCK_MONOTONIC_RAW",
			 ns);
		break;
	case TRUST_RATE:
		snprintf(ret, size,
			 "the counter's rate is %" PRId64
			 " ppb off the nominal one against CLOCK_MONOTONIC_RAW",
			 finding->ppb);
		break;
	case TRUST_CLOCKSOURCE:
		snprintf(ret, size, "the kernel's clocksource is \"%s\" now", finding->name);
		break;
	}
}
