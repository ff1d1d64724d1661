/* SPDX-License-Identifier: MIT */
/* The canary: figures of a page that is read, on either kind of counter. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "canary.h"
#include "publish/publish.h"

static void measure_on(uint32_t kind)
{
	struct chronotick_statistics figures = {0};
	struct publish_config config = {.frequency_hz = 100,
					.writer_timeout_ms = 10000,
					.max_bound_ns = 1000000000,
					.max_slew_ppb = 100000,
					.step_threshold_ns = 1000000};
	char name[64], path[96], lock[112];
	struct publisher *publisher;
	struct counter counter;
	struct canary *canary;
	int32_t owner;
	unsigned int i;

	if (counter_init(&counter, kind) < 0)
		cr_skip_test("no such counter here");
	snprintf(name, sizeof(name), "chronotick_canary_%d", (int)getpid());
	snprintf(path, sizeof(path), "/dev/shm/%s", name);
	snprintf(lock, sizeof(lock), "%s.lock", path);
	config.shm_name = name;
	cr_assert_eq(publisher_open(&publisher, &config, &counter, &owner, NULL, 0), 0);
	cr_assert_eq(canary_open(&canary, path, &counter), 0);
	unlink(path);
	unlink(lock);

	canary_statistics(canary, &figures);
	cr_assert_eq(figures.read_count, 0);
	cr_assert_eq(figures.read_measured_ns, 0);
	cr_assert_eq(figures.read_mean_ps, 0);

	/* Rounds may be dropped, if the scheduler moves this thread; the window fills all the same. */
	for (i = 0; i < 10000 && figures.read_count < 40000; i++) {
		canary_measure(canary);
		canary_statistics(canary, &figures);
	}
	cr_assert_geq(figures.read_count, 40000);
	cr_assert_gt(figures.read_measured_ns, 1600000000000000000ULL);
	cr_assert_gt(figures.read_min_ps, 0);
	cr_assert_leq(figures.read_min_ps, figures.read_p50_ps);
	cr_assert_leq(figures.read_p50_ps, figures.read_p99_ps);
	cr_assert_leq(figures.read_p99_ps, figures.read_max_ps);
	cr_assert_leq(figures.read_min_ps, figures.read_mean_ps);
	cr_assert_leq(figures.read_mean_ps, figures.read_max_ps);
	/* No machine reads a counter in 0.1 ns. */
	cr_assert_gt(figures.read_p50_ps, 100);
	canary_close(canary);
	publisher_close(publisher);
}

Test(canary, figures_are_in_order)
{
	measure_on(CHRONOTICK_COUNTER_NONE);
}

Test(canary, figures_of_a_foreign_counter_are_too)
{
	measure_on(CHRONOTICK_COUNTER_MONOTONIC_RAW);
}

Test(canary, no_page_is_told)
{
	struct canary *canary = NULL;
	struct counter counter;

	cr_assert_eq(counter_init(&counter, CHRONOTICK_COUNTER_MONOTONIC_RAW), 0);
	cr_assert_eq(canary_open(&canary, "/dev/shm/chronotick_no_such_page", &counter), -ENOENT);
	cr_assert_null(canary);
	canary_close(NULL);
}
