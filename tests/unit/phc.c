/* SPDX-License-Identifier: MIT */
/* A PHC against the counter: the three ways to read it, and what is known from several readings. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <criterion/criterion.h>
#include <linux/ptp_clock.h>

#include "chronotick_page.h"
#include "timestamping/phc.h"
#include "timestamping/phc_track.h"

#define S 1000000000LL
#define MS 1000000LL
#define EPOCH_S 1790000000LL
#define REALTIME_NS (EPOCH_S * S)

/* A counter of 2.5 GHz: 0.4 ns */
static const struct counter counter = {
	.kind = CHRONOTICK_COUNTER_TSC,
	.step = 1,
	.hz = 2500000000,
	.mult = (1ULL << CHRONOTICK_MULT_SHIFT) / 5 * 2,
};

/* A machine with a PHC; all of it follows from true time */
struct machine {
	int64_t now_ns;
	int64_t phc_ns;  /* what it shows at true time 0 */
	int64_t ppb;     /* its rate, the owner's part of it included */
	int64_t dial;    /* that part, 2^-16 ppm */
	int64_t read_ns; /* how long one reading takes: after its half, the clock is read */
	int64_t slow_ns; /* that all but one of a call's take longer */
	int refuse[PHC_METHODS];
	unsigned int calls[PHC_METHODS];
	int64_t slewed_ns; /* CLOCK_REALTIME's, beyond REALTIME_NS */
	bool broken;       /* its times can't be */
	bool gone;
	int64_t astray_ns; /* of the system clock's times that it gives: of another time namespace */
};

static int64_t phc_shows(const struct machine *machine, int64_t at_ns)
{
	return machine->phc_ns + at_ns + (int64_t)((__int128)at_ns * machine->ppb / S);
}

static struct ptp_clock_time as_time(int64_t ns)
{
	return (struct ptp_clock_time){.sec = ns / S, .nsec = (uint32_t)(ns % S)};
}

static uint64_t counter_at(int64_t ns)
{
	return (uint64_t)(ns * 5 / 2);
}

static int fake_precise(struct machine *machine, struct ptp_sys_offset_precise *precise)
{
	machine->calls[PHC_PRECISE]++;
	if (machine->refuse[PHC_PRECISE])
		return machine->refuse[PHC_PRECISE];
	machine->now_ns += machine->read_ns;
	precise->sys_monoraw = as_time(machine->now_ns + machine->astray_ns);
	precise->device = as_time(phc_shows(machine, machine->now_ns));
	if (machine->broken)
		precise->device.nsec = S;
	machine->now_ns += 3000;
	return 0;
}

/* The narrow one is the fourth. */
static int64_t take(struct machine *machine, unsigned int i, int64_t *phc_ns)
{
	int64_t takes = machine->read_ns + (i == 3 ? 0 : machine->slow_ns), start = machine->now_ns;

	*phc_ns = phc_shows(machine, start + machine->read_ns / 2);
	machine->now_ns += takes;
	return start;
}

static int fake_extended(struct machine *machine, struct ptp_sys_offset_extended *extended)
{
	int32_t clock;
	int64_t base;
	unsigned int i;
	enum phc_method method;

	memcpy(&clock, (char *)extended + sizeof(extended->n_samples), sizeof(clock));
	method = clock == CLOCK_MONOTONIC_RAW ? PHC_EXTENDED_RAW : PHC_EXTENDED;
	machine->calls[method]++;
	if (machine->refuse[method])
		return machine->refuse[method];
	base = method == PHC_EXTENDED ? REALTIME_NS + machine->slewed_ns : machine->astray_ns;
	for (i = 0; i < extended->n_samples; i++) {
		int64_t phc_ns, start = take(machine, i, &phc_ns);

		extended->ts[i][0] = as_time(base + start);
		extended->ts[i][1] = as_time(phc_ns);
		extended->ts[i][2] = as_time(base + machine->now_ns);
		if (machine->broken)
			extended->ts[i][2].sec = 0;
	}
	return 0;
}

static int fake_plain(struct machine *machine, struct ptp_sys_offset *plain)
{
	unsigned int i;

	machine->calls[PHC_PLAIN]++;
	if (machine->refuse[PHC_PLAIN])
		return machine->refuse[PHC_PLAIN];
	for (i = 0; i < plain->n_samples; i++) {
		int64_t phc_ns, start = take(machine, i, &phc_ns);

		plain->ts[2 * i] = as_time(REALTIME_NS + start);
		plain->ts[2 * i + 1] = as_time(phc_ns);
	}
	plain->ts[2 * i] = as_time(REALTIME_NS + machine->now_ns);
	return 0;
}

static int fake_control(void *data, unsigned long request, void *argument)
{
	const struct machine *machine = data;

	if (request == PTP_CLOCK_GETCAPS)
		return machine->gone ? -ENODEV : 0;
	switch (request) {
	case PTP_SYS_OFFSET_PRECISE:
		return fake_precise(data, argument);
	case PTP_SYS_OFFSET_EXTENDED:
		return fake_extended(data, argument);
	case PTP_SYS_OFFSET:
		return fake_plain(data, argument);
	default:
		return -ENOTTY;
	}
}

static int fake_cross(void *data, clockid_t clock, struct cross *ret)
{
	struct machine *machine = data;

	machine->now_ns += 50;
	ret->counter = counter_at(machine->now_ns);
	ret->system_ns = machine->now_ns;
	if (clock == CLOCK_REALTIME)
		ret->system_ns += REALTIME_NS + machine->slewed_ns;
	ret->error_ns = 20;
	return 0;
}

static int fake_frequency(void *data, int64_t *ret)
{
	const struct machine *machine = data;

	*ret = machine->dial;
	return 0;
}

static struct phc phc_of(struct machine *machine)
{
	struct phc_io io = {machine, fake_control, fake_cross, fake_frequency};
	struct phc phc;

	phc_init(&phc, &io, &counter);
	return phc;
}

static struct machine machine_make(void)
{
	return (struct machine){.now_ns = 5 * S, .phc_ns = 1000 * S, .read_ns = 600};
}

/* The truth lies within the error that is told. */
static void assert_true(const struct machine *machine, const struct phc_reading *reading,
			int64_t error_max)
{
	int64_t at_ns = (int64_t)(reading->counter * 2 / 5);
	int64_t off = reading->phc_ns - phc_shows(machine, at_ns);

	cr_assert(llabs(off) <= reading->error_ns, "%ld beyond %ld", off, reading->error_ns);
	cr_assert_leq(reading->error_ns, error_max);
}

Test(phc, takes_the_best_way)
{
	static const int64_t error_max[PHC_METHODS] = {30, 400, 400, 700};
	unsigned int i, refused;

	for (refused = 0; refused < PHC_METHODS; refused++) {
		struct machine machine = machine_make();
		struct phc phc = phc_of(&machine);
		struct phc_reading reading;

		machine.slow_ns = 5000;
		for (i = 0; i < refused; i++)
			machine.refuse[i] = i == PHC_EXTENDED_RAW ? -EINVAL : -EOPNOTSUPP;
		cr_assert_eq(phc_read(&phc, &reading), 0);
		cr_assert_eq(phc.method, refused);
		assert_true(&machine, &reading, error_max[refused]);
		cr_assert_eq(phc_read(&phc, &reading), 0);
		for (i = 0; i < PHC_METHODS; i++)
			cr_assert_eq(machine.calls[i], i < refused ? 1 : i == refused ? 2 : 0);
	}
}

Test(phc, none_at_all)
{
	struct machine machine = machine_make();
	struct phc phc = phc_of(&machine);
	struct phc_reading reading;
	unsigned int i;

	for (i = 0; i < PHC_METHODS; i++)
		machine.refuse[i] = -EOPNOTSUPP;
	cr_assert_eq(phc_read(&phc, &reading), -ENOTSUP);
	cr_assert_eq(phc_read(&phc, &reading), -ENOTSUP);
}

Test(phc, a_failure_is_borne)
{
	struct machine machine = machine_make();
	struct phc phc = phc_of(&machine);
	struct phc_reading reading;
	unsigned int i;

	machine.refuse[PHC_PRECISE] = -ETIMEDOUT;
	cr_assert_eq(phc_read(&phc, &reading), 0);
	cr_assert_eq(phc.method, PHC_PRECISE, "once is no proof");
	machine.refuse[PHC_PRECISE] = 0;
	cr_assert_eq(phc_read(&phc, &reading), 0);
	assert_true(&machine, &reading, 30);
	machine.refuse[PHC_PRECISE] = -ETIMEDOUT;
	for (i = 0; i < 10; i++)
		cr_assert_eq(phc_read(&phc, &reading), 0);
	cr_assert_eq(phc.method, PHC_EXTENDED_RAW, "many times are");
}

Test(phc, a_device_that_is_gone)
{
	struct machine machine = machine_make();
	struct phc phc = phc_of(&machine);
	struct phc_reading reading;

	machine.refuse[PHC_PRECISE] = -ENODEV;
	machine.gone = true;
	cr_assert_eq(phc_read(&phc, &reading), -ENODEV);
	cr_assert_eq(machine.calls[PHC_EXTENDED_RAW], 0);
}

/* As it says where the kernel's clocksource is another counter than the device's */
Test(phc, a_counter_that_is_not_the_kernels)
{
	struct machine machine = machine_make();
	struct phc phc = phc_of(&machine);
	struct phc_reading reading;
	unsigned int i;

	machine.refuse[PHC_PRECISE] = -ENODEV;
	for (i = 0; i < 10; i++) {
		cr_assert_eq(phc_read(&phc, &reading), 0);
		assert_true(&machine, &reading, 400);
	}
	cr_assert_eq(phc.method, PHC_EXTENDED_RAW);
}

Test(phc, a_device_that_comes_back)
{
	struct machine machine = machine_make();
	struct phc phc = phc_of(&machine);
	struct phc_reading reading;
	unsigned int i;

	for (i = 0; i < PHC_METHODS; i++)
		machine.refuse[i] = i == PHC_PLAIN ? -EOPNOTSUPP : -EIO;
	for (i = 0; i < 100; i++)
		cr_assert_eq(phc_read(&phc, &reading), -EIO, "not: it has no way");
	memset(machine.refuse, 0, sizeof(machine.refuse));
	cr_assert_eq(phc_read(&phc, &reading), 0);
	assert_true(&machine, &reading, 30);
}

/* A system clock's time that is not of while the device was asked: less than a second off, too */
Test(phc, times_of_another_namespace)
{
	static const int64_t astray_ns[] = {-S / 2, S / 2, -20000, 20000};
	struct phc_reading reading;
	unsigned int i;

	for (i = 0; i < sizeof(astray_ns) / sizeof(astray_ns[0]); i++) {
		struct machine machine = machine_make();
		struct phc phc = phc_of(&machine);

		machine.astray_ns = astray_ns[i];
		cr_assert_eq(phc_read(&phc, &reading), 0);
		assert_true(&machine, &reading, 400);
		cr_assert_eq(machine.calls[PHC_EXTENDED], 1, "by the clock that is not astray");
	}
}

Test(phc, times_that_cannot_be)
{
	struct machine machine = machine_make();
	struct phc phc = phc_of(&machine);
	struct phc_reading reading;

	machine.broken = true;
	machine.refuse[PHC_PLAIN] = -EIO;
	cr_assert_eq(phc_read(&phc, &reading), -EIO);
}

Test(phc, counter_that_is_the_raw_clock)
{
	const struct counter raw = {.kind = CHRONOTICK_COUNTER_MONOTONIC_RAW,
				    .step = 1,
				    .hz = 1000000000,
				    .mult = 1ULL << CHRONOTICK_MULT_SHIFT};
	struct machine machine = machine_make();
	struct phc phc = phc_of(&machine);
	struct phc_reading reading;

	phc.counter = &raw;
	cr_assert_eq(phc_read(&phc, &reading), 0);
	cr_assert_eq(reading.phc_ns, phc_shows(&machine, (int64_t)reading.counter));
	cr_assert_leq(reading.error_ns, 2);
}

Test(phc, a_real_device_or_none)
{
	struct ptp_clock_caps caps;

	cr_assert_eq(phc_device_open("/dev/there-is-none"), -ENOENT);
	if (ioctl(-1, PTP_CLOCK_GETCAPS, &caps) < 0 && errno != EBADF)
		cr_skip_test("this emulator knows nothing of hardware clocks");
	cr_assert_eq(phc_device_open("/dev/null"), -ENOTSUP);
}

/* Take a reading every `every_ns`, `n` times; each errs by up to error_ns, at random. */
static enum phc_track_event follow(struct phc_track *track, struct machine *machine, unsigned int n,
				   int64_t every_ns, int64_t error_ns)
{
	enum phc_track_event event = PHC_TRACK_FIRST;
	struct phc_reading reading;
	unsigned int i;

	for (i = 0; i < n; i++) {
		machine->now_ns += every_ns;
		reading.counter = counter_at(machine->now_ns);
		reading.phc_ns = phc_shows(machine, machine->now_ns) +
				 (error_ns ? rand() % (2 * error_ns) - error_ns : 0);
		reading.error_ns = error_ns + 1;
		reading.frequency = machine->dial;
		event = phc_track_add(track, &reading);
	}
	return event;
}

/* Both ways at an instant: the truth is within the error. Returns the error. */
static int64_t assert_track(const struct phc_track *track, const struct machine *machine,
			    int64_t at_ns)
{
	int64_t shows = phc_shows(machine, at_ns), phc_ns, error_ns, back_error_ns;
	uint64_t back;

	cr_assert_eq(phc_track_at(track, counter_at(at_ns), &phc_ns, &error_ns), 0);
	cr_assert(llabs(phc_ns - shows) <= error_ns, "%ld beyond %ld", phc_ns - shows, error_ns);
	cr_assert_eq(phc_track_counter(track, shows, &back, &back_error_ns), 0);
	cr_assert(llabs((int64_t)(back - counter_at(at_ns))) * 2 / 5 <= back_error_ns);
	return error_ns;
}

Test(phc_track, nothing_yet)
{
	struct phc_track track;
	uint64_t at;
	int64_t ns, error;

	phc_track_init(&track, &counter);
	cr_assert_eq(phc_track_at(&track, 5, &ns, &error), -EAGAIN);
	cr_assert_eq(phc_track_counter(&track, 5, &at, &error), -EAGAIN);
	cr_assert_eq(phc_track_age(&track, 5), UINT64_MAX);
}

Test(phc_track, many_readings_know_more_than_one)
{
	struct machine machine = machine_make();
	struct phc_track track;
	int64_t error;
	unsigned int i;

	machine.ppb = 34567;
	phc_track_init(&track, &counter);
	cr_assert_eq(follow(&track, &machine, 1, 125 * MS, 500), PHC_TRACK_FIRST);
	cr_assert_eq(follow(&track, &machine, 1, 125 * MS, 500), PHC_TRACK_SAME);
	for (i = 0; i < 1000; i++) {
		cr_assert_eq(follow(&track, &machine, 1, 125 * MS, 500), PHC_TRACK_SAME);
		error = assert_track(&track, &machine, machine.now_ns - 5 * MS);
		cr_assert(error <= 501 + 60, "it never knows less than its latest reading: %ld",
			  error);
		assert_track(&track, &machine, machine.now_ns + 20 * MS);
	}
	cr_assert_lt(llabs(track.rate_ppt / 1000 - 34567), 1000);
}

Test(phc_track, a_bad_reading_takes_nothing_away)
{
	struct machine machine = machine_make();
	struct phc_track track;

	machine.ppb = -7000;
	phc_track_init(&track, &counter);
	follow(&track, &machine, 20, 125 * MS, 100);
	follow(&track, &machine, 5, 125 * MS, 3 * MS);
	cr_assert_leq(assert_track(&track, &machine, machine.now_ns), 500);
	machine.dial = INT64_MAX;
	follow(&track, &machine, 1, 125 * MS, 100);
	machine.dial = INT64_MIN;
	follow(&track, &machine, 1, 125 * MS, 100);
}

Test(phc_track, a_step_is_seen)
{
	struct machine machine = machine_make();
	struct phc_track track;
	int64_t before_ns, error;
	uint64_t at;

	phc_track_init(&track, &counter);
	follow(&track, &machine, 20, 125 * MS, 100);
	before_ns = machine.now_ns + 60 * MS;
	machine.phc_ns += 10000;
	cr_assert_eq(follow(&track, &machine, 1, 125 * MS, 100), PHC_TRACK_JUMPED);
	cr_assert_eq(track.jumps, 1);
	cr_assert_eq(phc_track_counter(&track, phc_shows(&machine, before_ns) - 10000, &at, &error),
		     -ESTALE, "a stamp from before it is of no known time");
	follow(&track, &machine, 5, 125 * MS, 100);
	assert_track(&track, &machine, machine.now_ns);
}

/* As ptp4l does: another frequency, eight times a second */
Test(phc_track, an_owner_who_steers)
{
	struct machine machine = machine_make();
	struct phc_track track;
	int64_t error, most = 0;
	unsigned int i;

	phc_track_init(&track, &counter);
	follow(&track, &machine, 3, 125 * MS, 30);
	for (i = 0; i < 1000; i++) {
		int64_t ppb = rand() % 2001 - 1000, turns_ns = rand() % 125 * MS;
		int64_t shows;

		machine.now_ns += turns_ns;
		/* The clock runs on from where it is, and truth before is not asked for. */
		shows = phc_shows(&machine, machine.now_ns);
		machine.ppb = ppb;
		machine.dial = ppb * 65536 / 1000;
		machine.phc_ns += shows - phc_shows(&machine, machine.now_ns);
		cr_assert_eq(follow(&track, &machine, 1, 125 * MS - turns_ns, 30), PHC_TRACK_SAME);
		error = assert_track(&track, &machine, machine.now_ns);
		most = error > most ? error : most;
		assert_track(&track, &machine, machine.now_ns + 1 * MS);
	}
	cr_assert_leq(most, 40);
}

Test(phc_track, limits)
{
	struct machine machine = machine_make();
	struct phc_track track;
	struct phc_reading reading = {0};
	int64_t ns, error;
	uint64_t at;

	phc_track_init(&track, &counter);
	follow(&track, &machine, 10, 125 * MS, 100);
	cr_assert_eq(phc_track_at(&track, counter_at(machine.now_ns + 3 * S), &ns, &error),
		     -ERANGE);
	cr_assert_eq(phc_track_counter(&track, INT64_MAX, &at, &error), -ERANGE);
	cr_assert_eq(phc_track_counter(&track, INT64_MIN, &at, &error), -ESTALE);
	cr_assert_eq(phc_track_counter(&track, 0, &at, &error), -ESTALE);
	cr_assert_eq(phc_track_at(&track, counter_at(machine.now_ns - 3 * S), &ns, &error),
		     -ESTALE);
	reading.counter = counter_at(machine.now_ns) - 5;
	reading.phc_ns = INT64_MAX;
	reading.error_ns = INT64_MAX;
	cr_assert_eq(phc_track_add(&track, &reading), PHC_TRACK_JUMPED, "the counter went back");
	reading.counter += 1000;
	reading.phc_ns = INT64_MIN;
	phc_track_add(&track, &reading);
	(void)phc_track_at(&track, reading.counter, &ns, &error);
	(void)phc_track_counter(&track, 12345, &at, &error);
}
