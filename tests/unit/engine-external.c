/* SPDX-License-Identifier: MIT */
/* An external model in the engine: the bound holds whatever it says. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "engine/engine.h"
#include "support/noise.h"
#include "support/prophet.h"

static struct engine engine;
static struct correction now;

/* The counter counts ns of raw time from here. */
#define COUNTER 5000

static const struct engine_config config = {
	.scale = {.base = COUNTER, .mult = 1ULL << 54},
	.max_drift_ppb = 100000,
	.wander_ppb = 1000,
	.max_bound_ns = 10000000,
	.max_distance_ms = 1000,
};

static uint64_t counter(void)
{
	return COUNTER + (uint64_t)now_ns();
}

static void switch_on(void)
{
	truth_ns = 0;
	t_s = 0;
	cr_assert_eq(engine_init(&engine, &config, 1), 0);
}

TestSuite(engine_external, .init = switch_on);

/* The truth is in the bound, whatever is fed. */
static void look(void)
{
	engine_correct(&engine, counter(), &now);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_leq(llabs((int64_t)(now.utc >> 64) - now_ns() - BASE - llrint(truth_ns)),
		      now.bound.total_ns + 1);
}

/* A poll, and what is fed after it; error_ns: NAN: nothing */
static void live(double error_ns)
{
	struct sample sample = {.delay_ns = 200000, .root_delay_ns = 4000, .stratum = 1};
	struct prediction prediction;

	wait_for_poll();
	sample.counter = counter();
	sample.offset_ns = BASE + llrint(truth_ns + fmin(fmax(NOISE_NS * noise(), -90000), 90000));
	cr_assert_eq(engine_sample_add(&engine, &sample), 0);
	look();
	if (isnan(error_ns))
		return;
	prediction = prophecy(error_ns, 5000);
	cr_assert_eq(engine_feed(&engine, counter(), &prediction), 0);
	look();
}

/* The long-term model in the daemon has no covariates to go by here. */
static bool is_followed(void)
{
	return now.source == CHRONOTICK_FUSION || now.source == CHRONOTICK_GPU_MODEL;
}

Test(engine_external, the_bound_holds_whoever_predicts)
{
	unsigned int used = 0, i;

	for (i = 0; i < 60; i++)
		live(0);
	for (i = 0; i < 60; i++) {
		live(0);
		used += is_followed();
	}
	cr_assert_gt(used, 50, "%u", used);
	/* Anything from a little off to what is impossible, before it is dropped */
	for (i = 0; i < 10; i++)
		live(20000 * pow(2, i));
	cr_assert_neq(engine.models.external.state, EXTERNAL_USED);
	for (i = 0; i < 20; i++)
		live(NAN);
	cr_assert(!is_followed());
}

Test(engine_external, epochs_are_counted)
{
	const struct prediction prediction = prophecy(0, 5000);
	uint32_t epoch = engine.epoch;

	cr_assert_eq(engine_feed(&engine, COUNTER + (1ULL << 62), &prediction), -EINVAL);
	cr_assert_eq(engine_feed(&engine, COUNTER, &prediction), 0);
	engine_leap(&engine, -S);
	cr_assert_eq(engine.epoch, epoch + 1);
	cr_assert_eq(engine.models.schedules[MODEL_FEED].count, 1);
	engine_restart(&engine, &config.scale);
	cr_assert_eq(engine.epoch, epoch + 2);
	cr_assert_eq(engine.models.schedules[MODEL_FEED].count, 0);
}
