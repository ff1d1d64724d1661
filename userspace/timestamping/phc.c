/* SPDX-License-Identifier: MIT */
#include "timestamping/phc.h"

#include <errno.h>
#include <linux/ptp_clock.h>
#include <string.h>

#include "chronotick_page.h"

#define NS_PER_S 1000000000LL

/* Both the clock's and the system's reading are whole ns. */
#define ROUNDING_NS 2

/* A way that fails so often while another one works, for whatever reason, is not tried again. */
#define FAILURES_MAX 8

/* How far the counter's nominal rate may be off over the length of a reading: 100 ppm */
#define RATE_PART 10000

/* Years 1970 to 2106: far from what 64 bits hold in ns */
#define SECONDS_MAX 0xffffffffLL

/* linux/ptp_clock.h has this in place of a reserved word from Linux 6.12 on. */
struct extended {
	unsigned int n_samples;
	__kernel_clockid_t clock;
	unsigned int rsv[2];
	struct ptp_clock_time ts[PTP_MAX_SAMPLES][3];
};

_Static_assert(sizeof(struct extended) == sizeof(struct ptp_sys_offset_extended),
	       "the kernel's structure");
_Static_assert(PHC_SAMPLES_MAX == PTP_MAX_SAMPLES && PHC_SAMPLES <= PTP_MAX_SAMPLES,
	       "what the kernel takes");

/* One instant of the clock between two of a system clock */
struct bracket {
	int64_t before_ns, phc_ns, after_ns;
};

static bool time_ns(const struct ptp_clock_time *time, int64_t *ret)
{
	if (time->sec < 0 || time->sec > SECONDS_MAX || time->nsec >= NS_PER_S)
		return false;
	*ret = time->sec * NS_PER_S + time->nsec;
	return true;
}

/* Keep the narrower of two; false: this one can't be. */
static bool bracket_take(struct bracket *best, bool has, const struct ptp_clock_time *before,
			 const struct ptp_clock_time *phc, const struct ptp_clock_time *after)
{
	struct bracket next;

	if (!time_ns(before, &next.before_ns) || !time_ns(phc, &next.phc_ns) ||
	    !time_ns(after, &next.after_ns) || next.after_ns < next.before_ns)
		return has;
	if (!has || next.after_ns - next.before_ns < best->after_ns - best->before_ns)
		*best = next;
	return true;
}

/* Two readings of a system clock, as that call began and ended: is a time of in between? */
static bool is_within(const struct cross *before, const struct cross *after, int64_t system_ns)
{
	return system_ns - before->system_ns >= -before->error_ns &&
	       after->system_ns - system_ns >= -after->error_ns;
}

/* The counter at a value of CLOCK_MONOTONIC_RAW that is not long ago */
static int raw_to_counter(const struct phc *phc, int64_t raw_ns, const struct cross *before,
			  uint64_t *counter, int64_t *error_ns)
{
	struct cross cross;
	int64_t since;
	int r;

	r = phc->io.cross(phc->io.data, CLOCK_MONOTONIC_RAW, &cross);
	if (r < 0)
		return r;
	if (!is_within(before, &cross, raw_ns))
		return -EIO;
	if (phc->counter->kind == CHRONOTICK_COUNTER_MONOTONIC_RAW) {
		*counter = (uint64_t)raw_ns;
		*error_ns = 0;
		return 0;
	}
	since = cross.system_ns - raw_ns;
	*counter = since < 0 ? cross.counter + counter_from_ns(phc->counter, (uint64_t)-since)
			     : cross.counter - counter_from_ns(phc->counter, (uint64_t)since);
	*error_ns = cross.error_ns + (since < 0 ? -since : since) / RATE_PART + 1;
	return 0;
}

static int read_precise(struct phc *phc, struct phc_reading *ret)
{
	struct ptp_sys_offset_precise precise;
	struct cross before;
	int64_t raw_ns;
	int r;

	r = phc->io.cross(phc->io.data, CLOCK_MONOTONIC_RAW, &before);
	if (r < 0)
		return r;
	memset(&precise, 0, sizeof(precise));
	r = phc->io.control(phc->io.data, PTP_SYS_OFFSET_PRECISE, &precise);
	if (r < 0)
		return r;
	if (!time_ns(&precise.sys_monoraw, &raw_ns) || !time_ns(&precise.device, &ret->phc_ns))
		return -EIO;
	r = raw_to_counter(phc, raw_ns, &before, &ret->counter, &ret->error_ns);
	ret->error_ns += ROUNDING_NS;
	return r;
}

/* The middle of a bracket of that system clock, with half of its width */
static int bracket_reading(struct phc *phc, const struct bracket *bracket, clockid_t clock,
			   const struct cross *before, struct phc_reading *ret)
{
	int64_t width = bracket->after_ns - bracket->before_ns;
	int64_t middle = bracket->before_ns + width / 2;
	struct cross after;
	int r;

	ret->phc_ns = bracket->phc_ns;
	if (clock == CLOCK_MONOTONIC_RAW) {
		r = raw_to_counter(phc, middle, before, &ret->counter, &ret->error_ns);
	} else {
		r = phc->io.cross(phc->io.data, clock, &after);
		if (r == 0)
			r = cross_counter_at(before, &after, phc->counter, middle, &ret->counter,
					     &ret->error_ns);
		if (r == 0 && !is_within(before, &after, middle))
			r = -EIO;
	}
	ret->error_ns += (width + 1) / 2 + ROUNDING_NS;
	return r;
}

static int read_extended(struct phc *phc, clockid_t clock, struct phc_reading *ret)
{
	struct bracket best = {0};
	struct extended extended;
	struct cross before;
	bool has = false;
	unsigned int i;
	int r;

	r = phc->io.cross(phc->io.data, clock, &before);
	if (r < 0)
		return r;
	memset(&extended, 0, sizeof(extended));
	extended.n_samples = PHC_SAMPLES;
	extended.clock = clock; /* CLOCK_REALTIME is 0, as what was reserved has to be */
	r = phc->io.control(phc->io.data, PTP_SYS_OFFSET_EXTENDED, &extended);
	if (r < 0)
		return r;
	for (i = 0; i < PHC_SAMPLES; i++)
		has = bracket_take(&best, has, &extended.ts[i][0], &extended.ts[i][1],
				   &extended.ts[i][2]);
	return has ? bracket_reading(phc, &best, clock, &before, ret) : -EIO;
}

static int read_plain(struct phc *phc, struct phc_reading *ret)
{
	struct bracket best = {0};
	struct ptp_sys_offset plain;
	struct cross before;
	bool has = false;
	unsigned int i;
	int r;

	r = phc->io.cross(phc->io.data, CLOCK_REALTIME, &before);
	if (r < 0)
		return r;
	memset(&plain, 0, sizeof(plain));
	plain.n_samples = PHC_SAMPLES;
	r = phc->io.control(phc->io.data, PTP_SYS_OFFSET, &plain);
	if (r < 0)
		return r;
	for (i = 0; i < PHC_SAMPLES; i++)
		has = bracket_take(&best, has, &plain.ts[2 * i], &plain.ts[2 * i + 1],
				   &plain.ts[2 * i + 2]);
	return has ? bracket_reading(phc, &best, CLOCK_REALTIME, &before, ret) : -EIO;
}

static int read_by(struct phc *phc, enum phc_method method, struct phc_reading *ret)
{
	switch (method) {
	case PHC_PRECISE:
		return read_precise(phc, ret);
	case PHC_EXTENDED_RAW:
		return read_extended(phc, CLOCK_MONOTONIC_RAW, ret);
	case PHC_EXTENDED:
		return read_extended(phc, CLOCK_REALTIME, ret);
	case PHC_PLAIN:
		return read_plain(phc, ret);
	default:
		return -ENOTSUP;
	}
}

/* A kernel or a driver says in these words that it does not know how. */
static bool is_refusal(int r)
{
	return r == -EOPNOTSUPP || r == -ENOTTY || r == -EINVAL || r == -ENOSYS;
}

/*
 * PTP_SYS_OFFSET_PRECISE also says -ENODEV where the kernel's clocksource is not the counter that the
 * device has: whoever is gone has nothing to say of himself, either.
 */
static bool is_gone(const struct phc *phc, int r)
{
	struct ptp_clock_caps caps;

	return r == -EBADF ||
	       (r == -ENODEV && phc->io.control(phc->io.data, PTP_CLOCK_GETCAPS, &caps) == -ENODEV);
}

int phc_read(struct phc *phc, struct phc_reading *ret)
{
	struct phc_reading reading = {0};
	enum phc_method method;
	int r, failure = -ENOTSUP;

	for (method = phc->method; method < PHC_METHODS; method++) {
		r = read_by(phc, method, &reading);
		if (r == 0)
			break;
		if (r == -ESTALE || is_gone(phc, r))
			return r;
		if (!is_refusal(r))
			failure = r;
		else if (method == phc->method)
			phc->method++;
	}
	if (method == PHC_METHODS)
		return failure;
	/* Where no way works there is none to go to: the device may come back. */
	phc->failures = method == phc->method ? 0 : phc->failures + 1;
	if (phc->failures >= FAILURES_MAX) {
		phc->method = method;
		phc->failures = 0;
	}
	if (phc->io.frequency(phc->io.data, &reading.frequency) < 0)
		reading.frequency = PHC_FREQUENCY_UNKNOWN;
	*ret = reading;
	return 0;
}

void phc_init(struct phc *phc, const struct phc_io *io, const struct counter *counter)
{
	memset(phc, 0, sizeof(*phc));
	phc->io = *io;
	phc->counter = counter;
}

const char *phc_method_name(enum phc_method method)
{
	static const char *const names[PHC_METHODS] = {"precise", "extended-raw", "extended",
						       "plain"};

	return method < PHC_METHODS ? names[method] : "none";
}
