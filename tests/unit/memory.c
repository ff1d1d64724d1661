/* SPDX-License-Identifier: MIT */
/* What an engine leaves to the next one, and what it refuses to begin with. */
#include <errno.h>
#include <math.h>

#include <criterion/criterion.h>

#include "engine/memory.h"

#define MULT 7205759403792793ULL /* 2.5 GHz */
#define BASE 1000000ULL
#define COUNTS_S 2500000000ULL

static struct engine engine;

static void start(uint64_t mult)
{
	const struct engine_config config = {
		.scale = {.base = BASE, .mult = mult},
		.max_drift_ppb = 200000,
		.wander_ppb = 1000,
		.max_bound_ns = 1000000000,
		.max_distance_ms = 1000,
	};

	cr_assert_eq(engine_init(&engine, &config, 1), 0);
}

/* A sample `s` seconds in, of a counter that runs slow by rate_ppb. */
static void measure(unsigned int s, int64_t rate_ppb)
{
	const struct sample sample = {
		.counter = BASE + s * COUNTS_S,
		.offset_ns = 1700000000000000000LL + s * rate_ppb,
		.delay_ns = 1000,
		.tx_stamp = CHRONOTICK_STAMP_KERNEL,
		.rx_stamp = CHRONOTICK_STAMP_KERNEL,
		.stratum = 1,
	};

	cr_assert_eq(engine_sample_add(&engine, &sample), 0);
}

static struct correction correct(unsigned int s)
{
	struct correction ret;

	engine_correct(&engine, BASE + s * COUNTS_S, &ret);
	return ret;
}

static struct engine_memory learn(int64_t rate_ppb)
{
	struct engine_memory ret;
	unsigned int s;

	start(MULT);
	for (s = 1; s <= 100; s++) {
		measure(s, rate_ppb);
		correct(s);
	}
	cr_assert_eq(engine_memory_get(&engine, &ret), 0);
	return ret;
}

static double rate_of(uint64_t mult)
{
	return ((double)mult / (double)MULT - 1) * 1e9;
}

Test(memory, there_is_none_without_a_trusted_time)
{
	struct engine_memory memory;

	start(MULT);
	cr_assert_eq(engine_memory_get(&engine, &memory), -ENODATA);
}

Test(memory, holds_the_rate_and_where_it_lies)
{
	struct engine_memory memory = learn(5000);

	cr_assert_float_eq(rate_of(memory.mult), 5000, 20);
	cr_assert_lt(rate_of(memory.mult_lo), 5000);
	cr_assert_gt(rate_of(memory.mult_hi), 5000);
	cr_assert_gt(memory.rate_sd, 0);
}

Test(memory, grows_vague_while_the_time_is_held_over)
{
	struct engine_memory fresh = learn(5000), held;

	engine_source_unreachable(&engine, 0, CHRONOTICK_SOURCE_UNREACHABLE);
	cr_assert_eq(correct(4000).status, CHRONOTICK_HOLDOVER);
	cr_assert_eq(engine_memory_get(&engine, &held), 0);
	cr_assert_eq(held.mult, fresh.mult);
	cr_assert_lt(held.mult_lo, fresh.mult_lo);
	cr_assert_gt(held.mult_hi, fresh.mult_hi);
	cr_assert_gt(held.rate_sd, fresh.rate_sd);
}

Test(memory, rules_the_rate_before_samples_do)
{
	struct engine_memory memory = learn(5000);
	double with, without;

	start(MULT);
	cr_assert_eq(engine_memory_set(&engine, &memory, 0, true), 0);
	measure(1, 5000);
	cr_assert_float_eq(rate_of(correct(1).mult), 5000, 20);
	with = (double)correct(1).bound.growth;

	start(MULT);
	measure(1, 5000);
	cr_assert_float_eq(rate_of(correct(1).mult), 0, 1);
	without = (double)correct(1).bound.growth;
	cr_assert_lt(with, without / 10);
}

Test(memory, fits_a_counter_of_slightly_other_nominal_rate)
{
	struct engine_memory memory = learn(5000);

	start(MULT + MULT / 100000); /* calibrated 10 ppm higher this time */
	cr_assert_eq(engine_memory_set(&engine, &memory, 0, true), 0);
	measure(1, -5000);
	cr_assert_float_eq(rate_of(correct(1).mult), 5000, 20);
}

Test(memory, grows_vague_with_age_and_by_a_restart)
{
	struct engine_memory memory = learn(5000);
	double fresh, old, older, restarted;

	start(MULT);
	engine_memory_set(&engine, &memory, 0, true);
	fresh = engine.limits.prior.sd_ns_s;
	engine_memory_set(&engine, &memory, 3600000000000LL, true);
	old = engine.limits.prior.sd_ns_s;
	engine_memory_set(&engine, &memory, 86400000000000LL, true);
	older = engine.limits.prior.sd_ns_s;
	engine_memory_set(&engine, &memory, 3600000000000LL, false);
	restarted = engine.limits.prior.sd_ns_s;
	cr_assert_lt(fresh, old);
	cr_assert_lt(old, older);
	cr_assert_gt(restarted, 1000);

	/* After years it knows as little as if it were not there. */
	cr_assert_eq(engine_memory_set(&engine, &memory, INT64_MAX, true), 0);
	cr_assert_float_eq(engine.limits.prior.sd_ns_s, 10000, 1);
	measure(1, -150000);
	measure(2, -150000);
	cr_assert_eq(correct(2).status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_float_eq(rate_of(correct(2).mult), -150000, 2000);
}

/* A run that ends after a few vague samples leaves no less than it was given. */
Test(memory, is_handed_on_by_a_run_that_knows_less)
{
	struct engine_memory memory = learn(5000), after;
	unsigned int s, run;

	for (run = 0; run < 5; run++) {
		start(MULT);
		cr_assert_eq(engine_memory_set(&engine, &memory, 10000000000LL, true), 0);
		for (s = 1; s <= 3; s++) {
			measure(s, 5000 + (s & 1 ? 300 : -300));
			correct(s);
		}
		cr_assert_eq(engine_memory_get(&engine, &after), 0);
		cr_assert_float_eq(rate_of(after.mult), 5000, 20);
		/* The wander of so short a time */
		cr_assert_lt(after.rate_sd, memory.rate_sd + 2e-8);
		memory = after;
	}
	/* Samples that contradict it end that. */
	start(MULT);
	cr_assert_eq(engine_memory_set(&engine, &memory, 0, true), 0);
	for (s = 1; s <= 100; s++) {
		measure(s, 50000);
		correct(s);
	}
	cr_assert_eq(engine_memory_get(&engine, &after), 0);
	cr_assert_float_eq(rate_of(after.mult), 50000, 100);
}

Test(memory, a_false_one_is_disproved_by_samples)
{
	struct engine_memory memory = learn(5000);
	unsigned int s;

	start(MULT);
	engine_memory_set(&engine, &memory, 0, true);
	for (s = 1; s <= 10; s++) {
		measure(s, -60000);
		cr_assert_eq(correct(s).status, CHRONOTICK_SYNCHRONIZED, "after %u s", s);
	}
	cr_assert(engine.sources[0].filter.disproved);
	cr_assert_float_eq(rate_of(correct(10).mult), -60000, 100);
}

Test(memory, a_step_of_the_source_disproves_nothing)
{
	struct engine_memory memory = learn(5000);

	start(MULT);
	engine_memory_set(&engine, &memory, 0, true);
	measure(1, 5000);
	measure(2, 500000000); /* half a second off */
	cr_assert_not(engine.sources[0].filter.disproved);
	cr_assert_eq(engine.sources[0].filter.pending_count, 1);
}

Test(memory, is_refused_if_it_cannot_be)
{
	const struct engine_memory good = learn(5000);
	struct engine_memory bad;

	start(MULT);
#define REFUSED(r, ...)                                                                            \
	do {                                                                                       \
		bad = good;                                                                        \
		__VA_ARGS__;                                                                       \
		cr_expect_eq(engine_memory_set(&engine, &bad, 0, true), r, #__VA_ARGS__);          \
	} while (0)
	REFUSED(-EINVAL, bad.mult_lo = bad.mult + 1);
	REFUSED(-EINVAL, bad.mult_hi = bad.mult - 1);
	REFUSED(-EINVAL, bad.rate_sd = 0);
	REFUSED(-EINVAL, bad.rate_sd = NAN);
	REFUSED(-EINVAL, bad.rate_sd = 1);
	REFUSED(-EINVAL, bad.noise_ns = -1);
	REFUSED(-EINVAL, bad.noise_ns = INFINITY);
	REFUSED(-ERANGE, bad.mult_lo = 0);
	REFUSED(-ERANGE, bad.mult_hi = UINT64_MAX);
	REFUSED(-ERANGE, bad.mult = bad.mult_lo = bad.mult_hi = good.mult / 2);
	cr_expect_eq(engine_memory_set(&engine, &good, -1, true), -EINVAL);
	cr_expect_eq(engine.limits.prior.sd_ns_s, 0, "nothing has changed");

	measure(1, 0);
	cr_expect_eq(engine_memory_set(&engine, &good, 0, true), -EINVAL, "too late");
}

Test(memory, ends_with_a_reset)
{
	const struct engine_memory memory = learn(5000);

	start(MULT);
	cr_assert_eq(engine_memory_set(&engine, &memory, 0, true), 0);
	engine_reset(&engine);
	cr_assert_eq(engine.limits.prior.sd_ns_s, 0);
}
