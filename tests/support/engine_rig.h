/* SPDX-License-Identifier: MIT */
/*
 * An engine, what it says now, and samples for it, as the engine's tests share them: the counter
 * counts ns of raw time.
 */
#ifndef SUPPORT_ENGINE_RIG_H
#define SUPPORT_ENGINE_RIG_H

#include <criterion/criterion.h>

#include "engine/engine.h"

#define SECOND 1000000000LL
#define OFFSET 1760000000123456789LL
#define FIXED(ns) ((__int128)(ns) * ((__int128)1 << 64))

static struct engine engine;
static struct correction now;

static const struct engine_config config = {
	.scale = {.base = 5000, .mult = 1ULL << 54},
	.max_drift_ppb = 100000,
	.wander_ppb = 1000,
	.max_bound_ns = 10000000,
	.max_distance_ms = 1000,
};

static inline uint64_t at(int64_t raw_ns)
{
	return 5000 + (uint64_t)raw_ns;
}

static inline struct sample sample_of(unsigned int source, int64_t raw_ns, int64_t offset_ns)
{
	return (struct sample){
		.counter = at(raw_ns),
		.offset_ns = offset_ns,
		.delay_ns = 20000,
		.dispersion_ns = 1000,
		.stamps_ns = 600,
		.root_delay_ns = 4000,
		.root_dispersion_ns = 3000,
		.source = (uint16_t)source,
		.stratum = 1,
	};
}

static inline int add(unsigned int source, int64_t raw_ns, int64_t offset_ns)
{
	struct sample sample = sample_of(source, raw_ns, offset_ns);

	return engine_sample_add(&engine, &sample);
}

static inline void correct(int64_t raw_ns)
{
	const struct bound *b = &now.bound;

	engine_correct(&engine, at(raw_ns), &now);
	cr_assert_eq(b->total_ns, b->root_ns + b->delay_ns + b->dispersion_ns + b->ageing_ns +
					  b->disagreement_ns);
	cr_assert(b->root_ns >= 0 && b->delay_ns >= 0 && b->dispersion_ns >= 0 &&
		  b->ageing_ns >= 0 && b->disagreement_ns >= 0);
	cr_assert(b->root_delay_ns >= 0 && b->root_delay_ns <= b->root_ns);
	cr_assert(b->stamps_ns >= 0 && b->stamps_ns <= b->dispersion_ns);
	cr_assert(now.confidence >= 0 && now.confidence <= 1);
}

static inline void start(unsigned int sources)
{
	cr_assert_eq(engine_init(&engine, &config, sources), 0);
}

static inline int64_t error_ns(int64_t raw_ns, int64_t offset_ns)
{
	return (int64_t)((now.utc - FIXED(raw_ns + offset_ns) + FIXED(1) / 2) >> 64);
}

#endif /* SUPPORT_ENGINE_RIG_H */
