/* SPDX-License-Identifier: MIT */
#include <sched.h>

#include <criterion/criterion.h>

#include "chronotick_page.h"
#include "timestamping/cpus.h"

static struct cpus cpus;

static void set_of(unsigned int count)
{
	cpu_set_t set;
	unsigned int i;

	CPU_ZERO(&set);
	for (i = 0; i < count; i++)
		CPU_SET(2 * i + 1, &set);
	cpus_init(&cpus, &set);
}

static void measured(unsigned int index, int64_t least, int64_t most)
{
	const struct cpu_offset offset = {.measured = true, .least = least, .most = most};

	cpus_narrow(&cpus.at[index], &offset);
}

Test(cpus, one_cpu_agrees_with_itself)
{
	uint64_t by;

	set_of(1);
	cr_expect_eq(cpus.count, 1);
	cr_expect_eq(cpus.at[0].cpu, 1);
	cr_expect_eq(cpus_measured(&cpus), 1);
	cr_expect_null(cpus_disagree(&cpus, &by));
	cr_expect_eq(cpus_apart(&cpus), 0);
}

Test(cpus, an_exchange_limits_the_offset_on_both_sides)
{
	set_of(2);
	/* Ways of 100 and 50 counts, the second counter 30 ahead */
	cpus_exchange(&cpus.at[1], 1000, 1000 + 100 + 30, 1000 + 150, 0);
	cr_expect_eq(cpus.at[1].least, -20);
	cr_expect_eq(cpus.at[1].most, 130);
	/* A longer one tells nothing more, one with other ways narrows it; a step widens. */
	cpus_exchange(&cpus.at[1], 1000, 1000 + 5000 + 30, 1000 + 9000, 0);
	cpus_exchange(&cpus.at[1], 1000, 1000 + 40 + 30, 1000 + 140, 10);
	cr_expect_eq(cpus.at[1].least, -20);
	cr_expect_eq(cpus.at[1].most, 80);
	cr_expect_eq(cpus_apart(&cpus), 80);
}

Test(cpus, a_difference_beyond_what_the_ways_can_be_is_one)
{
	const struct cpu_offset *off;
	uint64_t by;

	set_of(3);
	measured(1, -50, 60);
	measured(2, 7, 90);
	off = cpus_disagree(&cpus, &by);
	cr_assert_not_null(off);
	cr_expect_eq(off->cpu, 5);
	cr_expect_eq(by, 7);

	set_of(3);
	measured(1, -90, -8);
	measured(2, 7, 90);
	off = cpus_disagree(&cpus, &by);
	cr_assert_not_null(off);
	cr_expect_eq(off->cpu, 3);
	cr_expect_eq(by, 8);

	/* Two measurements that exclude each other exclude agreement. */
	set_of(2);
	measured(1, -50, -1);
	measured(1, 1, 50);
	cr_expect_not_null(cpus_disagree(&cpus, &by));
}

Test(cpus, two_cpus_may_be_farther_apart_than_each_from_the_first)
{
	set_of(4);
	measured(1, -50, 60);
	measured(2, -40, 70);
	cr_expect_eq(cpus_measured(&cpus), 3);
	/* 70 - -50; the third was not measured and does not count */
	cr_expect_eq(cpus_apart(&cpus), 120);
}

/* The counter of this machine, with CPU 1's ahead by `data` counts */
static uint64_t skewed(void *data)
{
	static struct counter counter = {.kind = 0};
	uint64_t now;

	if (!counter.kind) {
		cr_assert_eq(counter_init(&counter, CHRONOTICK_COUNTER_NONE), 0);
	}
	now = counter_read(&counter);
	return sched_getcpu() == *(int *)data ? now + 1000000000 : now;
}

/* False: this machine, or what it is used for, has not the CPUs to say anything. */
static bool measure(int ahead)
{
	struct cpus_config config = {skewed, &ahead, 100, 200, 1};
	struct cpus_job *job;
	cpu_set_t set;

	sched_getaffinity(0, sizeof(set), &set);
	cpus_init(&cpus, &set);
	if (cpus.count < 2)
		return false;
	(void)skewed(&ahead);
	cr_assert_eq(cpus_start(&job, &cpus, 1, 1, &config), 0);
	cpus_finish(job, false, &cpus);
	return cpus.at[1].measured;
}

Test(cpus, the_cpus_of_this_machine_are_compared)
{
	const struct cpu_offset *off;
	uint64_t by;

	if (!measure(-1))
		cr_skip_test("not enough CPUs here");
	cr_expect_null(cpus_disagree(&cpus, &by), "by %llu", (unsigned long long)by);
	cr_expect_gt(cpus_apart(&cpus), 0);

	/* One whose counter is ahead is found, and by how much, to a microsecond or so */
	cr_assert(measure(cpus.at[1].cpu));
	off = cpus_disagree(&cpus, &by);
	cr_assert_not_null(off);
	cr_expect(by > 900000000 && by < 1000000000, "by %llu", (unsigned long long)by);
}

Test(cpus, what_is_not_there_cannot_be_compared)
{
	struct cpus_config config = {skewed, &(int){-1}, 1, 1, 0};
	struct cpus_job *job;
	cpu_set_t set;

	cpus.count = 1;
	cr_expect_lt(cpus_start(&job, &cpus, 1, 1, &config), 0);
	cr_expect_lt(cpus_start(&job, &cpus, 0, 1, &config), 0);

	/* A CPU that the machine does not have is left unmeasured. */
	(void)skewed(&(int){-1});
	sched_getaffinity(0, sizeof(set), &set);
	cpus_init(&cpus, &set);
	cpus.at[1] = (struct cpu_offset){.cpu = CPUS_MAX - 1};
	cpus.count = 2;
	cr_assert_eq(cpus_start(&job, &cpus, 1, 1, &config), 0);
	cpus_finish(job, true, &cpus);
	cr_expect_not(cpus.at[1].measured);
}
