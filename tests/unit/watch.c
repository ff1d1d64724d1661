/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include <criterion/criterion.h>

#include "chronotick_page.h"
#include "log.h"
#include "watch.h"

#define S 1000000000LL

/* All readings of the machine; the counter is one of 1 GHz, so that counts are ns. */
static struct machine {
	int64_t now_ns;
	int64_t slept_ns;
	int64_t jumped_ns;
	const char *clocksource;
} machine;

static uint64_t machine_counter(void *data)
{
	(void)data;
	return (uint64_t)(machine.now_ns + machine.jumped_ns);
}

static int machine_slept(void *data, int64_t *least, int64_t *most)
{
	(void)data;
	*least = *most = machine.slept_ns;
	return 0;
}

static int machine_raw(void *data, struct cross *ret)
{
	*ret = (struct cross){machine_counter(data), machine.now_ns, 50};
	return 0;
}

static int machine_clocksource(void *data, char *name, size_t size)
{
	(void)data;
	snprintf(name, size, "%s", machine.clocksource);
	return 0;
}

static const struct trust_io io = {NULL, machine_counter, machine_slept, machine_raw,
				   machine_clocksource};
static struct counter counter;

static struct watch *watch_begin(bool changes, bool may_replace)
{
	/* CPUs are compared with the machine's own counter, so never here. */
	struct watch_config config = {.changes = changes, .cpus = WATCH_CPUS_NEVER};
	struct watch *watch;

	log_level_set(LOG_ERR);
	machine = (struct machine){.now_ns = 5 * S, .clocksource = "tsc"};
	counter = (struct counter){CHRONOTICK_COUNTER_TSC, 10, 0, S, 1ULL << CHRONOTICK_MULT_SHIFT};
	cr_assert_eq(watch_new(&watch, &config, &counter, may_replace, &io), 0);
	return watch;
}

/* A second of publications; the worst that happened in it */
static enum watch_action second(struct watch *watch)
{
	enum watch_action worst = WATCH_GO_ON, action;
	int i;

	for (i = 0; i < 10; i++) {
		action = watch_round(watch);
		worst = action > worst ? action : worst;
		machine.now_ns += S / 10;
	}
	action = watch_second(watch);
	return action > worst ? action : worst;
}

Test(watch, a_suspend_begins_the_clock_anew_once)
{
	struct watch *watch = watch_begin(true, true);

	cr_expect_eq(second(watch), WATCH_GO_ON);
	cr_expect_eq(second(watch), WATCH_GO_ON);
	machine.slept_ns += 60 * S;
	cr_expect_eq(watch_round(watch), WATCH_RESTART);
	cr_expect_eq(watch_round(watch), WATCH_GO_ON);
	cr_expect_eq(second(watch), WATCH_GO_ON);
	cr_expect_eq(counter.kind, CHRONOTICK_COUNTER_TSC);
	machine.jumped_ns = -2 * S;
	cr_expect_eq(watch_round(watch), WATCH_RESTART);
	cr_expect_eq(second(watch), WATCH_GO_ON);
	cr_expect_eq(second(watch), WATCH_GO_ON);
	machine.jumped_ns += 10000;
	cr_expect_eq(second(watch), WATCH_RESTART);
	cr_expect_eq(second(watch), WATCH_GO_ON);
	watch_free(watch);
}

Test(watch, a_counter_that_the_kernel_gave_up_is_replaced_for_good)
{
	struct watch *watch = watch_begin(true, true);

	counter.apart = 30;
	cr_expect_eq(second(watch), WATCH_GO_ON);
	machine.clocksource = "hpet";
	cr_expect_eq(second(watch), WATCH_REPLACE);
	cr_expect_eq(counter.kind, CHRONOTICK_COUNTER_MONOTONIC_RAW);
	cr_expect_eq(counter.hz, S);
	cr_expect_eq(counter.apart, 30);
	cr_expect_eq(second(watch), WATCH_GO_ON);
	/* The raw clock has another rate then. */
	machine.clocksource = "tsc";
	cr_expect_eq(second(watch), WATCH_RESTART);
	cr_expect_eq(second(watch), WATCH_GO_ON);
	cr_expect_eq(counter.kind, CHRONOTICK_COUNTER_MONOTONIC_RAW);
	machine.slept_ns += S;
	cr_expect_eq(second(watch), WATCH_RESTART);
	watch_free(watch);
}

Test(watch, who_is_told_at_once_takes_a_counter_back_that_the_kernel_is_back_on)
{
	struct watch *watch = watch_begin(true, true);
	const struct counter own = counter;
	int i;

	watch_may_return(watch);
	cr_expect_eq(second(watch), WATCH_GO_ON);
	machine.clocksource = "hpet";
	cr_expect_eq(second(watch), WATCH_REPLACE);
	cr_expect_eq(counter.kind, CHRONOTICK_COUNTER_MONOTONIC_RAW);
	cr_expect_eq(second(watch), WATCH_GO_ON);
	/* For a moment only */
	machine.clocksource = "tsc";
	cr_expect_eq(second(watch), WATCH_RESTART);
	machine.clocksource = "hpet";
	cr_expect_neq(second(watch), WATCH_REPLACE);
	cr_expect_neq(second(watch), WATCH_REPLACE);
	machine.clocksource = "tsc";
	cr_expect_eq(second(watch), WATCH_RESTART);
	cr_expect_eq(second(watch), WATCH_GO_ON);
	cr_expect_eq(second(watch), WATCH_REPLACE);
	cr_expect_eq(memcmp(&counter, &own, sizeof(own)), 0);
	for (i = 0; i < 5; i++)
		cr_expect_eq(second(watch), WATCH_GO_ON);
	/* And again */
	machine.clocksource = "acpi_pm";
	cr_expect_eq(second(watch), WATCH_REPLACE);
	cr_expect_eq(counter.kind, CHRONOTICK_COUNTER_MONOTONIC_RAW);
	watch_free(watch);
}

Test(watch, a_counter_whose_rate_was_wrong_is_never_taken_back)
{
	struct watch *watch = watch_begin(true, true);
	int i;

	watch_may_return(watch);
	cr_expect_eq(second(watch), WATCH_GO_ON);
	cr_expect_eq(second(watch), WATCH_GO_ON);
	for (i = 0; i < 5 && counter.kind == CHRONOTICK_COUNTER_TSC; i++) {
		machine.jumped_ns += 10000000; /* 1 % of a second */
		second(watch);
	}
	cr_expect_eq(counter.kind, CHRONOTICK_COUNTER_MONOTONIC_RAW);
	machine.clocksource = "hpet";
	second(watch);
	machine.clocksource = "tsc";
	for (i = 0; i < 6; i++)
		cr_expect_neq(second(watch), WATCH_REPLACE);
	watch_free(watch);
}

Test(watch, a_counter_that_was_named_is_not_replaced)
{
	struct watch *watch = watch_begin(true, false);

	cr_expect_eq(second(watch), WATCH_GO_ON);
	machine.clocksource = "hpet";
	cr_expect_eq(second(watch), WATCH_DISTRUST);
	cr_expect_eq(counter.kind, CHRONOTICK_COUNTER_TSC);
	machine.clocksource = "tsc";
	cr_expect_eq(second(watch), WATCH_GO_ON);
	machine.slept_ns += S;
	cr_expect_eq(second(watch), WATCH_GO_ON);
	watch_free(watch);
}

Test(watch, nothing_is_looked_at_where_it_is_switched_off)
{
	struct watch *watch = watch_begin(false, true);

	cr_expect_eq(second(watch), WATCH_GO_ON);
	machine.clocksource = "hpet";
	machine.slept_ns += S;
	machine.jumped_ns -= S;
	cr_expect_eq(second(watch), WATCH_GO_ON);
	watch_free(watch);
}
