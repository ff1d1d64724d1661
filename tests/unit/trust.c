/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "chronotick_page.h"
#include "timestamping/trust.h"

#define S 1000000000LL

/* A machine of which every clock can be set */
struct machine {
	uint64_t counter;
	int64_t slept_ns; /* CLOCK_BOOTTIME - CLOCK_MONOTONIC */
	int64_t width_ns; /* of its reading */
	int64_t raw_ns;
	int64_t error_ns;
	int error;
	const char *clocksource;
};

static uint64_t machine_counter(void *data)
{
	return ((struct machine *)data)->counter;
}

static int machine_slept(void *data, int64_t *least, int64_t *most)
{
	const struct machine *machine = data;

	*least = machine->slept_ns - machine->width_ns / 2;
	*most = machine->slept_ns + machine->width_ns / 2;
	return machine->error;
}

static int machine_raw(void *data, struct cross *ret)
{
	const struct machine *machine = data;

	*ret = (struct cross){machine->counter, machine->raw_ns, machine->error_ns};
	return machine->error;
}

static int machine_clocksource(void *data, char *name, size_t size)
{
	const struct machine *machine = data;

	if (machine->clocksource)
		snprintf(name, size, "%s", machine->clocksource);
	return machine->clocksource ? 0 : -ENOENT;
}

/* 2 GHz */
static const struct counter tsc = {
	.kind = CHRONOTICK_COUNTER_TSC,
	.step = 20,
	.hz = 2 * S,
	.mult = 1ULL << (CHRONOTICK_MULT_SHIFT - 1),
};

static void start(struct trust *trust, struct machine *machine, const struct counter *counter)
{
	const struct trust_io io = {machine, machine_counter, machine_slept, machine_raw,
				    machine_clocksource};

	*machine = (struct machine){.counter = 1000,
				    .width_ns = 200,
				    .raw_ns = 77,
				    .error_ns = 60,
				    .clocksource = "tsc"};
	trust_init(trust, &io, counter);
}

/* A time later, at a rate that is `ppb` off the nominal one */
static void pass(struct machine *machine, int64_t ns, int64_t ppb)
{
	machine->counter += (uint64_t)(2 * (ns + ns / 1000 * ppb / 1000000));
	machine->raw_ns += ns;
}

#define ROUND(want)                                                                                \
	do {                                                                                       \
		cr_expect_eq(trust_round(&trust, &finding), (want), "got %d", finding.event);      \
		cr_expect_eq(finding.event, (want));                                               \
	} while (0)
#define SECOND(want)                                                                               \
	do {                                                                                       \
		cr_expect_eq(trust_second(&trust, &finding), (want), "got %d", finding.event);     \
		cr_expect_eq(finding.event, (want));                                               \
	} while (0)

Test(trust, a_machine_that_runs_gives_no_event)
{
	struct trust_finding finding;
	struct machine machine;
	struct trust trust;
	int i;

	start(&trust, &machine, &tsc);
	for (i = 0; i < 1000; i++) {
		/* Readings as wide as a disturbance makes them, and errors at their limit */
		machine.width_ns = i % 7 ? 150 : 4000000;
		machine.error_ns = i % 5 ? 60 : 100000;
		ROUND(TRUST_SAME);
		SECOND(TRUST_SAME);
		pass(&machine, S, 12345);
		machine.counter += i % 2 ? 100 : (uint64_t)-100;
	}
}

Test(trust, a_suspend_is_seen_in_the_next_round)
{
	struct trust_finding finding;
	struct machine machine;
	struct trust trust;
	char text[100];

	start(&trust, &machine, &tsc);
	ROUND(TRUST_SAME);
	pass(&machine, S / 100, 0);
	machine.slept_ns = 12345 * (S / 1000);
	ROUND(TRUST_SLEPT);
	cr_expect(finding.ns > 12344 * (S / 1000) && finding.ns <= 12345 * (S / 1000));
	trust_describe(&finding, text, sizeof(text));
	cr_expect_str_eq(text, "the machine was suspended for 12.345000 s");
	ROUND(TRUST_SAME);
	/* 10 us are seen too; a reading that is wider than that cannot tell. */
	machine.slept_ns += 10000;
	machine.width_ns = 30000;
	ROUND(TRUST_SAME);
	machine.width_ns = 200;
	ROUND(TRUST_SLEPT);
}

Test(trust, a_suspend_that_resets_the_counter_is_a_suspend)
{
	struct trust_finding finding;
	struct machine machine;
	struct trust trust;

	start(&trust, &machine, &tsc);
	machine.counter = 1ULL << 50;
	ROUND(TRUST_SAME);
	machine.counter = 5000;
	machine.slept_ns = 3 * S;
	ROUND(TRUST_SLEPT);
	ROUND(TRUST_SAME);
}

Test(trust, a_counter_that_goes_back_is_seen)
{
	struct counter apart = tsc;
	struct trust_finding finding;
	struct machine machine;
	struct trust trust;

	start(&trust, &machine, &tsc);
	ROUND(TRUST_SAME);
	machine.counter -= 200;
	ROUND(TRUST_WENT_BACK);
	cr_expect_eq(finding.ns, 100);
	ROUND(TRUST_SAME);

	/* Unless it may be that of another CPU */
	apart.apart = 200;
	start(&trust, &machine, &apart);
	ROUND(TRUST_SAME);
	machine.counter -= 200;
	ROUND(TRUST_SAME);
	machine.counter -= 201;
	ROUND(TRUST_WENT_BACK);
}

Test(trust, a_jump_against_the_raw_clock_is_seen_once)
{
	struct trust_finding finding;
	struct machine machine;
	struct trust trust;
	int i;

	start(&trust, &machine, &tsc);
	for (i = 0; i < 5; i++) {
		SECOND(TRUST_SAME);
		pass(&machine, S, 5000);
	}
	SECOND(TRUST_SAME);
	pass(&machine, S, 5000);
	machine.counter += 2 * 500; /* four times the readings' errors */
	SECOND(TRUST_JUMPED);
	cr_expect(finding.ns > 350 && finding.ns < 650, "%lld", (long long)finding.ns);
	for (i = 0; i < 5; i++) {
		pass(&machine, S, 5000);
		SECOND(TRUST_SAME);
	}
	pass(&machine, S, 5000);
	machine.counter -= 2 * 1000000;
	SECOND(TRUST_JUMPED);
	cr_expect(finding.ns > -1000200 && finding.ns < -999800, "%lld", (long long)finding.ns);
}

Test(trust, another_rate_is_a_jump_and_a_wild_one_ends_the_trust)
{
	struct trust_finding finding;
	struct machine machine;
	struct trust trust;

	start(&trust, &machine, &tsc);
	SECOND(TRUST_SAME);
	pass(&machine, S, 0);
	SECOND(TRUST_SAME);
	pass(&machine, S, 40000);
	SECOND(TRUST_JUMPED);
	pass(&machine, S, 40000);
	SECOND(TRUST_SAME);
	pass(&machine, S, 40000);
	SECOND(TRUST_SAME);
	pass(&machine, S, 2000000);
	SECOND(TRUST_JUMPED);
	pass(&machine, S, 2000000);
	SECOND(TRUST_RATE);
	cr_expect(finding.ppb > 1999000 && finding.ppb < 2001000, "%lld", (long long)finding.ppb);
}

Test(trust, a_window_that_is_too_short_says_nothing)
{
	struct trust_finding finding;
	struct machine machine;
	struct trust trust;
	int i;

	start(&trust, &machine, &tsc);
	for (i = 0; i < 100; i++) {
		SECOND(TRUST_SAME);
		pass(&machine, TRUST_WINDOW_NS / 100, 0);
		machine.counter += i % 2 ? 120 : (uint64_t)-120; /* a bit over the errors */
	}
}

Test(trust, another_clocksource_is_seen)
{
	struct counter raw = {.kind = CHRONOTICK_COUNTER_MONOTONIC_RAW,
			      .step = 1,
			      .hz = S,
			      .mult = 1ULL << CHRONOTICK_MULT_SHIFT};
	struct counter cntvct = tsc;
	struct trust_finding finding;
	struct machine machine;
	struct trust trust;
	char text[100];

	start(&trust, &machine, &tsc);
	SECOND(TRUST_SAME);
	machine.clocksource = "hpet";
	SECOND(TRUST_CLOCKSOURCE);
	trust_describe(&finding, text, sizeof(text));
	cr_expect_str_eq(text, "the kernel's clocksource is \"hpet\" now");

	/* The TSC must be it from the start on. */
	start(&trust, &machine, &tsc);
	machine.clocksource = "kvm-clock";
	SECOND(TRUST_CLOCKSOURCE);

	/* CLOCK_MONOTONIC_RAW can be made from any, but not from another one than before. */
	start(&trust, &machine, &raw);
	machine.clocksource = "hpet";
	SECOND(TRUST_SAME);
	SECOND(TRUST_SAME);
	machine.clocksource = "acpi_pm";
	SECOND(TRUST_CLOCKSOURCE);
	SECOND(TRUST_SAME);

	cntvct.kind = CHRONOTICK_COUNTER_CNTVCT;
	start(&trust, &machine, &cntvct);
	SECOND(TRUST_SAME);
	machine.clocksource = "jiffies";
	SECOND(TRUST_SAME);
}

Test(trust, readings_that_fail_are_left_out)
{
	struct trust_finding finding;
	struct machine machine;
	struct trust trust;

	start(&trust, &machine, &tsc);
	ROUND(TRUST_SAME);
	SECOND(TRUST_SAME);
	machine.error = -EINVAL;
	machine.clocksource = NULL;
	machine.slept_ns = S;
	pass(&machine, S, 0);
	machine.counter += 1000000;
	ROUND(TRUST_SAME);
	SECOND(TRUST_SAME);
	machine.error = 0;
	ROUND(TRUST_SLEPT);
}

Test(trust, this_machine_s_readings_fit_together)
{
	struct trust_system system;
	struct counter counter;
	int64_t least, most, again_least, again_most;
	struct cross cross;
	struct trust_io io;

	cr_assert_eq(counter_init(&counter, CHRONOTICK_COUNTER_NONE), 0);
	trust_system_open(&system, &counter);
	io = trust_system_io(&system);
	cr_expect_eq(io.slept(io.data, &least, &most), 0);
	cr_expect_eq(io.slept(io.data, &again_least, &again_most), 0);
	cr_expect(least <= most && again_least <= most && least <= again_most);
	cr_expect_eq(io.raw(io.data, &cross), 0);
	cr_expect((int64_t)(io.counter(io.data) - cross.counter) >= 0);
	trust_system_close(&system);
}
