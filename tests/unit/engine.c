/* SPDX-License-Identifier: MIT */
/* The engine's status machine, bound and manners. */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/engine_rig.h"

/* 2026-06-21 00:00:00, and the end of that month */
#define JUNE (1782000000 * SECOND)
#define JUNE_END (1782864000 * SECOND)

Test(engine, checks_its_configuration)
{
	struct engine_config bad;

	cr_assert_eq(engine_init(&engine, &config, 0), 0);
	cr_assert_eq(engine_init(&engine, &config, ENGINE_SOURCES_MAX + 1), -EINVAL);
	cr_assert_eq(engine_init(&engine, &config, ENGINE_SOURCES_MAX), 0);
	bad = config, bad.scale.mult = 0;
	cr_assert_eq(engine_init(&engine, &bad, 1), -EINVAL);
	bad = config, bad.max_drift_ppb = 0;
	cr_assert_eq(engine_init(&engine, &bad, 1), -EINVAL);
	bad = config, bad.max_drift_ppb = 1000001;
	cr_assert_eq(engine_init(&engine, &bad, 1), -EINVAL);
	bad = config, bad.wander_ppb = UINT32_MAX;
	cr_assert_eq(engine_init(&engine, &bad, 1), -EINVAL);
	bad = config, bad.max_bound_ns = 0;
	cr_assert_eq(engine_init(&engine, &bad, 1), -EINVAL);
	bad = config, bad.max_distance_ms = 0;
	cr_assert_eq(engine_init(&engine, &bad, 1), -EINVAL);
}

Test(engine, knows_nothing_at_first)
{
	start(1);
	correct(SECOND);
	cr_assert_eq(now.status, CHRONOTICK_UNSYNCHRONIZED);
	cr_assert_eq(now.source, CHRONOTICK_NO_DATA);
	cr_assert_eq(now.measurement_count, 0);
	cr_assert_float_eq(now.confidence, 0, 0);
	cr_assert_eq(now.tai_offset_s, CHRONOTICK_TAI_UNKNOWN);
}

Test(engine, trusts_the_first_sample_of_a_single_source)
{
	start(1);
	cr_assert_eq(add(0, SECOND, OFFSET), 0);
	correct(SECOND);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_eq(now.source, CHRONOTICK_NTP);
	cr_assert_eq(error_ns(SECOND, OFFSET), 0);
	/* 10,000 + 1,000 + 2,000 + 3,000, and 2 or 3 ns of rounding */
	cr_assert(now.bound.total_ns == 16002 || now.bound.total_ns == 16003);
	cr_assert_eq(now.bound.delay_ns, 10000);
	cr_assert_eq(now.bound.dispersion_ns, 1000);
	cr_assert_eq(now.bound.root_ns, 5000);
	cr_assert_eq(now.bound.root_delay_ns, 2000);
	cr_assert_eq(now.bound.stamps_ns, 600);
	cr_assert_eq(now.bound.ageing_ns, 0);
	cr_assert_eq(now.bound.disagreement_ns, now.bound.total_ns - 16000);
	cr_assert_eq(now.last_sample, at(SECOND));
	cr_assert_eq(now.measurement_count, 1);
	cr_assert_gt(now.offset_uncertainty_ns, 5000);
	cr_assert_lt(now.offset_uncertainty_ns, 16002);
	/* 100 ppm in 2^-54 ns per ns, rounded up */
	cr_assert_float_eq((double)now.bound.growth * 0x1p-54, 100e-6, 1e-12);
	cr_assert_geq((double)now.bound.growth * 0x1p-54, 100e-6);
}

Test(engine, gives_the_line_that_the_samples_lie_on)
{
	int i;

	start(1);
	for (i = 0; i < 64; i++) {
		cr_assert_eq(add(0, i * SECOND, OFFSET - i * 30000), 0);
		correct(i * SECOND);
		cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
		/* At first the rate is believed to be small. */
		cr_assert_leq(llabs(error_ns(i * SECOND, OFFSET - i * 30000)), 400);
	}
	correct(64 * SECOND);
	cr_assert_leq(llabs(error_ns(64 * SECOND, OFFSET - 64 * 30000)), 2);
	cr_assert_float_eq((double)(int64_t)(now.mult - config.scale.mult) * 0x1p-54, -30e-6,
			   1e-10);
	/* 32,000 ns / 63 s of the pairs, and the wander */
	cr_assert_lt((double)now.bound.growth * 0x1p-54, 1.7e-6);
	cr_assert_gt((double)now.bound.growth * 0x1p-54, 1.0e-6);
	cr_assert_lt(now.drift_uncertainty, 1e-7);
	cr_assert_gt(now.confidence, 0.99);
}

/* Exchanges wait on the way there: the models are told what is left when that is taken out. */
Test(engine, what_waits_on_one_way_does_not_move_the_models)
{
	struct estimate model;
	int64_t raw_ns = 0;
	int i;

	start(1);
	for (i = 1; i <= 200; i++) {
		struct sample sample;

		raw_ns = i * SECOND;
		sample = sample_of(0, raw_ns, OFFSET + i * 5 % 7 * 500000);
		sample.delay_ns = 2000000 + i * 5 % 7 * 1000000;
		cr_assert_eq(engine_sample_add(&engine, &sample), 0);
		correct(raw_ns);
	}
	cr_assert_eq(short_term_estimate(&engine.models.short_term, raw_ns, SECOND, &model), 0);
	cr_assert_float_eq(estimate_offset(&model, raw_ns, OFFSET), 0, 5000);
	cr_assert_lt(llabs(error_ns(raw_ns, OFFSET)), 5000);
	/* The best exchange took 2 ms: the bound rests on that, not on what was learned. */
	cr_assert_geq(now.bound.total_ns, 1000000);
}

Test(engine, extrapolates_between_weighings)
{
	struct correction first;

	start(1);
	cr_assert_eq(add(0, 0, OFFSET), 0);
	correct(0);
	first = now;
	/* Before the sample, and after it without a new weighing */
	correct(50000000);
	cr_assert_eq(now.bound.growth, first.bound.growth);
	cr_assert_eq(now.bound.total_ns, first.bound.total_ns + 5001);
	cr_assert_eq(now.bound.ageing_ns, first.bound.ageing_ns + 5001);
	correct(-50000000);
	cr_assert_eq(now.bound.total_ns, first.bound.total_ns + 5001);
	cr_assert_eq(error_ns(-50000000, OFFSET), 0);
}

Test(engine, says_what_kind_of_reference_the_time_rests_on)
{
	struct sample ptp;

	start(1);
	ptp = sample_of(0, SECOND, OFFSET);
	ptp.kind = CHRONOTICK_PHC + 1;
	cr_assert_eq(engine_sample_add(&engine, &ptp), -EINVAL);
	ptp.kind = CHRONOTICK_PTP;
	cr_assert_eq(engine_sample_add(&engine, &ptp), 0);
	correct(SECOND);
	cr_assert_eq(now.source, CHRONOTICK_PTP);
}

Test(engine, holds_over_until_the_bound_is_too_wide)
{
	int64_t last = 0;
	int i;

	start(1);
	for (i = 0; i <= 20; i++)
		cr_assert_eq(add(0, i * SECOND, OFFSET + i * 10000), 0);
	correct(20 * SECOND);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	engine_source_unreachable(&engine, 0, CHRONOTICK_SOURCE_UNREACHABLE);
	for (i = 21;; i++) {
		correct(i * SECOND);
		if (now.status != CHRONOTICK_HOLDOVER)
			break;
		cr_assert_eq(now.source, CHRONOTICK_CPU_MODEL);
		cr_assert_gt(now.bound.total_ns, last);
		cr_assert_leq(now.bound.total_ns, config.max_bound_ns);
		cr_assert_leq(llabs(error_ns(i * SECOND, OFFSET + i * 10000)), 1000);
		cr_assert_eq(now.last_sample, at(20 * SECOND));
		last = now.bound.total_ns;
		cr_assert_lt(i, 10000);
	}
	/*
	 * Growth is about 2.6 ppm for 1,100 s, then gets 1 ppm more in every 1,100 s: 10 ms are
	 * reached when 2.6 t + (t - 1,100)^2 / 2,200 = 10,000 us, at 3,130 s.
	 */
	cr_assert_gt(i, 2950);
	cr_assert_lt(i, 3300);
	cr_assert_eq(now.status, CHRONOTICK_UNSYNCHRONIZED);
	cr_assert_eq(now.source, CHRONOTICK_NO_DATA);
	cr_assert_gt(last, config.max_bound_ns - 20000);

	cr_assert_eq(add(0, i * SECOND, OFFSET + i * 10000), 0);
	correct(i * SECOND);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
}

Test(engine, uncertainty_grows_in_holdover)
{
	double before, after, drift;
	int i;

	start(1);
	for (i = 0; i <= 20; i++)
		cr_assert_eq(add(0, i * SECOND, OFFSET + (i % 2) * 200), 0);
	correct(20 * SECOND);
	before = now.offset_uncertainty_ns;
	drift = now.drift_uncertainty;
	engine_source_unreachable(&engine, 0, CHRONOTICK_SOURCE_UNREACHABLE);
	for (i = 0; i < 100; i++)
		correct(21 * SECOND + i * SECOND);
	after = now.offset_uncertainty_ns;
	/* As it was told at the beginning, at least: the rate may have wandered since. */
	cr_assert_geq(after, sqrt(before * before + pow(99 * drift * 1e9, 2)), "%g %g %g", after,
		      before, drift);
	cr_assert_gt(now.drift_uncertainty, drift);
}

Test(engine, warms_up_while_the_bound_is_too_wide)
{
	struct sample far = sample_of(0, 0, OFFSET);

	start(1);
	far.delay_ns = 30000000;
	cr_assert_eq(engine_sample_add(&engine, &far), 0);
	correct(0);
	cr_assert_eq(now.status, CHRONOTICK_WARMING_UP);
	cr_assert_eq(now.source, CHRONOTICK_NO_DATA);
	cr_assert_eq(add(0, SECOND, OFFSET), 0);
	correct(SECOND);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
}

Test(engine, leaves_out_what_is_too_far)
{
	struct sample far = sample_of(0, 0, OFFSET);

	start(2);
	far.root_dispersion_ns = 2 * SECOND;
	cr_assert_eq(engine_sample_add(&engine, &far), 0);
	cr_assert_eq(add(1, 0, OFFSET), 0);
	correct(4 * SECOND);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_eq(engine.views[0].state, CHRONOTICK_SOURCE_UNSYNCHRONIZED);
	cr_assert_str_eq(engine.views[0].reason, "its root distance is too large");
}

Test(engine, leaves_out_an_unsynchronised_server)
{
	struct sample sample = sample_of(0, 0, OFFSET);

	start(1);
	sample.leap = 3;
	cr_assert_eq(engine_sample_add(&engine, &sample), 0);
	correct(0);
	cr_assert_eq(now.status, CHRONOTICK_UNSYNCHRONIZED);
	cr_assert_eq(engine.views[0].state, CHRONOTICK_SOURCE_UNSYNCHRONIZED);
	cr_assert_eq(add(0, 1, OFFSET), 0);
	correct(1);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
}

Test(engine, the_majority_tells_of_a_leap_second)
{
	struct sample samples[3];
	int i;

	start(3);
	for (i = 0; i < 3; i++) {
		samples[i] = sample_of((unsigned int)i, i, JUNE);
		samples[i].leap = i < 1;
		cr_assert_eq(engine_sample_add(&engine, &samples[i]), 0);
	}
	correct(5);
	cr_assert_eq(now.leap, 0);
	samples[1].leap = 1;
	samples[1].counter += SECOND;
	cr_assert_eq(engine_sample_add(&engine, &samples[1]), 0);
	correct(SECOND + 5);
	cr_assert_eq(now.leap, 1);
	cr_assert_eq(now.leap_ns, JUNE_END);
}

Test(engine, follows_a_step_of_its_only_source)
{
	int i;

	start(1);
	for (i = 0; i < 20; i++)
		cr_assert_eq(add(0, i * SECOND, OFFSET), 0);
	correct(19 * SECOND);
	for (i = 20; i < 20 + FILTER_CONFIRM; i++) {
		correct(i * SECOND);
		cr_assert_leq(llabs(error_ns(i * SECOND, OFFSET)), 2);
		cr_assert_eq(add(0, i * SECOND, OFFSET + 3 * SECOND), 0);
	}
	cr_assert_eq(now.status, CHRONOTICK_HOLDOVER);
	cr_assert_eq(engine.views[0].state, CHRONOTICK_SOURCE_FALSETICKER);
	correct(23 * SECOND);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_leq(llabs(error_ns(23 * SECOND, OFFSET + 3 * SECOND)), 2);
}

Test(engine, forgets_on_reset)
{
	start(1);
	cr_assert_eq(add(0, SECOND, OFFSET), 0);
	correct(SECOND);
	engine_reset(&engine);
	correct(SECOND);
	cr_assert_eq(now.status, CHRONOTICK_UNSYNCHRONIZED);
	/* The counter may have gone back. */
	cr_assert_eq(add(0, 0, OFFSET - SECOND), 0);
	correct(0);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
}

Test(engine, refuses_samples_out_of_range)
{
	static const int64_t bad[] = {-1, INT64_MIN, INT64_MAX, ENGINE_ERROR_MAX_NS + 1};
	static struct engine before;
	struct sample s;
	unsigned int i;

	start(2);
	cr_assert_eq(add(0, 100 * SECOND, OFFSET), 0);
	cr_assert_eq(add(1, 100 * SECOND, OFFSET), 0);
	correct(100 * SECOND);
	memcpy(&before, &engine, sizeof(engine));

#define REFUSED(error, change)                                                                     \
	do {                                                                                       \
		s = sample_of(0, 101 * SECOND, OFFSET);                                            \
		change;                                                                            \
		cr_assert_eq(engine_sample_add(&engine, &s), error);                               \
	} while (0)
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		REFUSED(-EINVAL, s.delay_ns = bad[i]);
		REFUSED(-EINVAL, s.dispersion_ns = bad[i]);
		REFUSED(-EINVAL, s.root_delay_ns = bad[i]);
		REFUSED(-EINVAL, s.root_dispersion_ns = bad[i]);
	}
	REFUSED(-EINVAL, s.offset_ns = INT64_MAX);
	REFUSED(-EINVAL, s.offset_ns = INT64_MIN);
	REFUSED(-EINVAL, s.offset_ns = -200 * SECOND);
	REFUSED(-EINVAL, s.source = 2);
	REFUSED(-EINVAL, s.source = UINT16_MAX);
	REFUSED(-EINVAL, s.leap = 4);
	REFUSED(-EINVAL, s.stratum = 0);
	REFUSED(-EINVAL, s.stratum = 16);
	REFUSED(-EINVAL, s.counter = UINT64_MAX / 2);
	REFUSED(-EINVAL, s.counter = UINT64_MAX / 2 + 10000);
	REFUSED(-EINVAL, s.counter = at(170 * SECOND));
	REFUSED(-ESTALE, s.counter = at(100 * SECOND));
	REFUSED(-ESTALE, s.counter = at(99 * SECOND));
	REFUSED(-ESTALE, s.counter = at(-1000000 * SECOND));
	REFUSED(-ESTALE, s.counter = 0);
	cr_assert_eq(memcmp(&before, &engine, sizeof(engine)), 0);

	s = sample_of(0, 101 * SECOND, OFFSET);
	s.delay_ns = s.dispersion_ns = s.root_delay_ns = s.root_dispersion_ns = ENGINE_ERROR_MAX_NS;
	cr_assert_eq(engine_sample_add(&engine, &s), 0);
	correct(101 * SECOND);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
}

Test(engine, survives_any_counter_value)
{
	static const uint64_t values[] = {0,         1, UINT64_MAX, 1ULL << 63, (1ULL << 63) - 1,
					  1ULL << 62};
	unsigned int i;

	start(1);
	cr_assert_eq(add(0, SECOND, OFFSET), 0);
	correct(SECOND);
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct correction any;

		engine_correct(&engine, values[i], &any);
		if (any.status == CHRONOTICK_SYNCHRONIZED || any.status == CHRONOTICK_HOLDOVER)
			cr_assert_leq(any.bound.total_ns, config.max_bound_ns);
	}
	correct(2 * SECOND);
	cr_assert_eq(add(0, 3 * SECOND, OFFSET), 0);
	correct(3 * SECOND);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_leq(llabs(error_ns(3 * SECOND, OFFSET)), 2);
}

static unsigned int dice(uint64_t *state, unsigned int sides)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned int)(*state >> 33) % sides;
}

/* Random samples, every field from a pool of nasty values: nothing breaks under a sanitizer. */
Test(engine, survives_hostile_samples)
{
	static const int64_t pool[] = {
		0,         1,         -1,     1000,           16000000000LL, 16000000001LL,
		INT64_MAX, INT64_MIN, OFFSET, OFFSET + 40000, -OFFSET,       1LL << 62};
	uint64_t state = 7;
	int64_t raw = 0;
	int i;

#define DICE(n) dice(&state, n)
#define POOL pool[DICE(sizeof(pool) / sizeof(pool[0]))]
	start(3);
	for (i = 0; i < 50000; i++) {
		struct sample s = sample_of(DICE(4), raw += DICE(SECOND), OFFSET);

		if (DICE(3) == 0)
			s.offset_ns = POOL;
		if (DICE(4) == 0)
			s.delay_ns = POOL;
		if (DICE(4) == 0)
			s.dispersion_ns = POOL;
		if (DICE(4) == 0)
			s.root_delay_ns = POOL;
		if (DICE(4) == 0)
			s.root_dispersion_ns = POOL;
		if (DICE(10) == 0)
			s.counter = (uint64_t)POOL;
		s.leap = (uint8_t)(DICE(5));
		s.stratum = (uint8_t)(DICE(18));
		engine_sample_add(&engine, &s);
		if (DICE(50) == 0)
			engine_source_unreachable(&engine, DICE(4), (uint8_t)(DICE(8)));
		correct(raw);
		cr_assert(isfinite(now.offset_uncertainty_ns) && isfinite(now.drift_uncertainty));
	}
}
