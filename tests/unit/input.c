/* SPDX-License-Identifier: MIT */
/* What an engine is given, given to another one: they come to the same bits. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "engine/input.h"
#include "support/noise.h"

#define SECOND 1000000000LL
#define SOURCES 3
#define RECORDS 200000
/* 2026-06-30 23:50:00 UTC: ten minutes before a leap second that may be announced */
#define START_UTC (1782863400 * SECOND)

static const struct engine_config config = {
	.scale = {.base = 5000, .mult = 1ULL << 54},
	.max_drift_ppb = 100000,
	.wander_ppb = 1000,
	.max_bound_ns = 250000, /* holdover ends within an outage of live() */
	.max_distance_ms = 1000,
};

static struct engine engine, other;
static struct {
	struct engine_input input;
	struct correction told;
} * records;
static unsigned int count;

static void record(void *data, const struct engine_input *input, const struct correction *told)
{
	(void)data;
	cr_assert_lt(count, RECORDS);
	cr_assert_eq(told != NULL, input->kind == ENGINE_INPUT_CORRECT);
	records[count].input = *input;
	if (told)
		records[count].told = *told;
	count++;
}

static void begin(const struct engine_config *wanted)
{
	records = calloc(RECORDS, sizeof(*records));
	cr_assert(records);
	cr_assert_eq(engine_init(&engine, wanted, 0), 0);
	engine_observe(&engine, record, NULL);
}

static struct sample sample_of(unsigned int source, int64_t raw_ns, uint8_t leap, double error)
{
	return (struct sample){
		.counter = 5000 + (uint64_t)raw_ns,
		.offset_ns = START_UTC + (int64_t)(error * 1000) + raw_ns / 50000,
		.delay_ns = 20000 + (int64_t)(error * error * 500),
		.dispersion_ns = 1000,
		.stamps_ns = 600,
		.source = (uint16_t)source,
		.leap = leap,
		.stratum = 1,
	};
}

/* All told again is the same. */
static void check_again(void)
{
	struct correction now;
	unsigned int i, corrections = 0;

	for (i = 0; i < count; i++) {
		(void)engine_input(&other, &records[i].input, &now);
		if (records[i].input.kind != ENGINE_INPUT_CORRECT)
			continue;
		corrections++;
		cr_assert_eq(now.utc, records[i].told.utc, "record %u", i);
		cr_assert_eq(now.mult, records[i].told.mult);
		cr_assert_eq(now.bound.total_ns, records[i].told.bound.total_ns);
		cr_assert_eq(now.bound.growth, records[i].told.bound.growth);
		cr_assert_eq(now.offset_uncertainty_ns, records[i].told.offset_uncertainty_ns);
		cr_assert_eq(now.measurement_sd_ns, records[i].told.measurement_sd_ns);
		cr_assert_eq(now.confidence, records[i].told.confidence);
		cr_assert_eq(now.status, records[i].told.status);
		cr_assert_eq(now.source, records[i].told.source);
		cr_assert_eq(now.leap_ns, records[i].told.leap_ns);
		cr_assert_eq(now.tai_offset_s, records[i].told.tai_offset_s);
	}
	cr_assert_gt(corrections, 0);
}

/* A day in the life: whatever can happen does, and the time is asked for a hundred times a second. */
static void live(int64_t end_ns)
{
	struct correction now, before = {0};
	int64_t raw_ns, next_ns = SECOND;
	unsigned int round = 0;
	bool outage;

	for (raw_ns = 0; raw_ns < end_ns; raw_ns += SECOND / 100) {
		engine_correct(&engine, 5000 + (uint64_t)raw_ns, &now);
		/* What ends or comes is on record, even if nothing was weighed. */
		cr_assert((now.status == before.status && now.leap_ns == before.leap_ns &&
			   now.source == before.source) ||
			  (count && records[count - 1].input.kind == ENGINE_INPUT_CORRECT &&
			   records[count - 1].input.counter == now.counter));
		before = now;
		if (raw_ns < next_ns)
			continue;
		next_ns += 2 * SECOND;
		/* One that holdover does not outlast */
		outage = raw_ns > 700 * SECOND && raw_ns < 1100 * SECOND;
		if (!outage) {
			struct sample sample = sample_of(round % SOURCES, raw_ns - SECOND / 50,
							 raw_ns < 600 * SECOND ? 1 : 0, noise());

			/* After the leap second, servers count the other way. */
			if (raw_ns > 600 * SECOND)
				sample.offset_ns -= SECOND;
			(void)engine_sample_add(&engine, &sample);
			(void)engine_sample_add(&engine, &sample); /* not taken */
		}
		if (outage)
			engine_source_unreachable(&engine, round % SOURCES,
						  CHRONOTICK_SOURCE_UNREACHABLE);
		if (round % 5 == 0)
			(void)engine_covariates(&engine, 5000 + (uint64_t)raw_ns,
						&(struct covariates){
							.present = 1,
							.value = {30 + noise()},
						});
		if (round % 7 == 3)
			(void)engine_feed(
				&engine, 5000 + (uint64_t)raw_ns,
				&(struct prediction){
					.made_ns = raw_ns,
					.from_ns = raw_ns,
					.until_ns = raw_ns + 60 * SECOND,
					.line = {.at_ns = raw_ns,
						 .reference_ns = START_UTC + raw_ns / 50000,
						 .drift_ns_s = 20000,
						 .offset_sd_ns = 500,
						 .drift_sd_ns_s = 1},
				});
		if (round % 40 == 7)
			engine_source_exclude(&engine, 1, "offline");
		if (round % 40 == 17)
			engine_source_exclude(&engine, 1, NULL);
		if (round % 100 == 30)
			(void)engine_source_options(&engine, 2, ENGINE_SOURCE_PREFER);
		if (round % 100 == 50)
			(void)engine_source_options(&engine, 2, 0);
		if (round % 40 == 20)
			engine_source_unreachable(&engine, 2, CHRONOTICK_SOURCE_DENIED);
		if (round % 100 == 60)
			engine_source_remove(&engine, 0);
		if (round % 100 == 66)
			(void)engine_source_add(&engine, 0);
		round++;
	}
}

Test(input, another_engine_comes_to_the_same_bits)
{
	struct engine_config later = config;
	struct engine_memory memory = {
		.mult = 1ULL << 54,
		.mult_lo = (1ULL << 54) - (1ULL << 34),
		.mult_hi = (1ULL << 54) + (1ULL << 34),
		.rate_sd = 1e-7,
		.noise_ns = 3000,
	};
	unsigned int i, asked = 1200 * 100;

	begin(&config);
	cr_assert_eq(engine_memory_set(&engine, &memory, 60 * SECOND, true), 0);
	for (i = 0; i < SOURCES; i++)
		cr_assert_eq(engine_source_add(&engine, i), 0);
	live(1200 * SECOND);
	later.wander_ppb = 500;
	cr_assert_eq(engine_configure(&engine, &later), 0);
	engine_restart(&engine, &(struct timescale){.base = 5000, .mult = 1ULL << 54});
	live(100 * SECOND);

	cr_assert_eq(engine_init(&other, &config, 0), 0);
	check_again();
	/* Only what changes anything was told of. */
	cr_assert_lt(count, asked / 5);
}

/* Every kind was given in the test above, or this one would be a hole in it. */
Test(input, the_test_has_every_kind)
{
	bool seen[ENGINE_INPUT_KINDS] = {false};
	unsigned int i, statuses = 0;

	begin(&config);
	(void)engine_memory_row(&engine, 0, (double[LEARNT_ROW_MAX]){0});
	(void)engine_memory_set(&engine, &(struct engine_memory){0}, 0, true);
	for (i = 0; i < SOURCES; i++)
		cr_assert_eq(engine_source_add(&engine, i), 0);
	live(1200 * SECOND);
	(void)engine_configure(&engine, &config);
	engine_restart(&engine, &config.scale);
	for (i = 0; i < count; i++) {
		seen[records[i].input.kind] = true;
		if (records[i].input.kind == ENGINE_INPUT_CORRECT)
			statuses |= 1U << records[i].told.status;
	}
	for (i = 0; i < ENGINE_INPUT_KINDS; i++)
		cr_assert(seen[i], "kind %u", i);
	cr_assert(statuses & 1U << CHRONOTICK_SYNCHRONIZED);
	cr_assert(statuses & 1U << CHRONOTICK_HOLDOVER);
	cr_assert(statuses & 1U << CHRONOTICK_UNSYNCHRONIZED);
	cr_assert_neq(engine.leap.last.shift_ns, 0, "no leap second came");
}

Test(input, nobody_is_told_of_what_only_extrapolates)
{
	struct correction now;

	begin(&config);
	engine_correct(&engine, 5000, &now);
	cr_assert_eq(count, 1);
	engine_correct(&engine, 5000 + SECOND / 20, &now);
	cr_assert_eq(count, 1);
	engine_correct(&engine, 5000 + SECOND / 10, &now);
	cr_assert_eq(count, 2);
	engine_observe(&engine, NULL, NULL);
	engine_correct(&engine, 5000 + SECOND, &now);
	cr_assert_eq(count, 2);
}

Test(input, a_copy_is_asked_without_the_engine_changing)
{
	struct correction here, there;
	struct sample sample;
	unsigned int i;

	begin(&config);
	for (i = 0; i < SOURCES; i++)
		cr_assert_eq(engine_source_add(&engine, i), 0);
	live(100 * SECOND);
	engine_copy(&other, &engine);
	/* The copy goes its own way, and the engine on as if it had never been made. */
	sample = sample_of(0, 101 * SECOND, 0, 100);
	for (i = 0; i < 20; i++) {
		sample.counter += SECOND;
		cr_assert_eq(engine_sample_add(&other, &sample), 0);
		engine_correct(&other, sample.counter, &there);
	}
	i = count;
	sample = sample_of(0, 101 * SECOND, 0, 1);
	cr_assert_eq(engine_sample_add(&engine, &sample), 0);
	engine_correct(&engine, sample.counter, &here);
	cr_assert_eq(count, i + 2, "the copy told the observer");
	cr_assert_eq(engine_init(&other, &config, 0), 0);
	check_again();
}

Test(input, a_configuration_leaves_models_and_leap_seconds_alone)
{
	static const struct leap_table table = {.count = 0};
	struct engine_config with = config, wanted = config;
	struct correction now;

	with.leaps = &table;
	with.models = &models_default;
	cr_assert_eq(engine_init(&engine, &with, 0), 0);
	wanted.wander_ppb = 7;
	cr_assert_eq(engine_input(&engine,
				  &(struct engine_input){.kind = ENGINE_INPUT_CONFIGURE,
							 .config = wanted},
				  &now),
		     0);
	cr_assert_eq(engine.config.wander_ppb, 7);
	cr_assert_eq(engine.config.leaps, &table);
	cr_assert_eq(engine.config.models, &models_default);
	cr_assert_eq(
		engine_input(&engine, &(struct engine_input){.kind = ENGINE_INPUT_KINDS}, &now),
		-EINVAL);
}
