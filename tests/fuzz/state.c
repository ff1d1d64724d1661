/* SPDX-License-Identifier: MIT */
/* The state file: what is taken formats to the same text again, and an engine may refuse it. */
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "archive/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever the models have from it, the time that is told stays a number. */
static void live(struct engine *engine)
{
	const struct covariates covariates = {.present = 15, .value = {40, 2000, 0.5, 0.1}};
	struct correction told;
	unsigned int i;

	for (i = 1; i <= 20; i++) {
		const struct sample sample = {
			.counter = 1 + i * 40000000000ULL,
			.offset_ns = 1760000000000000000 + i * 1000,
			.delay_ns = 10000,
			.tx_stamp = CHRONOTICK_STAMP_KERNEL,
			.rx_stamp = CHRONOTICK_STAMP_KERNEL,
			.stratum = 1,
		};

		if (engine_covariates(engine, sample.counter, &covariates) < 0 ||
		    engine_sample_add(engine, &sample) < 0)
			abort();
		engine_correct(engine, sample.counter, &told);
		if (!isfinite(told.offset_uncertainty_ns) || !isfinite(told.drift_uncertainty) ||
		    told.bound.total_ns < 0)
			abort();
	}
}

/* Returns whether it was taken. */
static bool check(const char *text, size_t size)
{
	static struct engine engine;
	const struct engine_config config = {
		.scale = {.base = 1, .mult = 7205759403792793},
		.max_drift_ppb = 200000,
		.wander_ppb = 1000,
		.max_bound_ns = 1000000000,
		.max_distance_ms = 1000,
	};
	char again[STATE_TEXT_MAX], why[STATE_WHY_MAX] = "";
	struct state state, twice;
	struct state_moment now = {.counter_kind = CHRONOTICK_COUNTER_TSC};
	int64_t age_ns;
	bool same;

	if (state_parse(&state, text, size, why) < 0) {
		if (!*why || !memchr(why, '\0', sizeof(why)))
			abort();
		return false;
	}
	if (state_parse(&twice, again, state_format(again, &state), why) < 0)
		abort();
	now.utc_ns = 1;
	now.boottime_ns = 1;
	if (state_age(&state, &now, &age_ns, &same, why) < 0 || age_ns < 0)
		return true;
	if (engine_init(&engine, &config, 1) < 0)
		abort();
	engine_memory_learnt(&engine, &state.learnt);
	if (engine_memory_set(&engine, &state.memory, age_ns, same) < 0)
		return true;
	if (engine.limits.prior.sd_ns_s <= 0 ||
	    engine.limits.prior.rate.lo > engine.limits.prior.rate.hi)
		abort();
	live(&engine);
	return true;
}

/* With the right checksum behind it, which no fuzzer would find */
static bool check_summed(char *text, size_t size)
{
	size += (size_t)snprintf(text + size, 16, "crc32 %08lx\n",
				 crc32(0, (const Bytef *)text, (uInt)size));
	return check(text, size);
}

/* A good one, with bytes changed: two say where, one what. */
static void check_edited(const uint8_t *data, size_t size)
{
	static struct state good = {
		.moment = {.counter_kind = CHRONOTICK_COUNTER_TSC,
			   .boottime_ns = 1,
			   .utc_ns = 1,
			   .clocksource = "tsc"},
		.memory = {.mult = 7205759403792793,
			   .mult_lo = 7205759403792000,
			   .mult_hi = 7205759403793000,
			   .rate_sd = 1.25e-9,
			   .noise_ns = 1500},
		.learnt = {.short_term_members = 32,
			   .walk_ns_s = 0.1,
			   .long_term_inputs = LONG_TERM_INPUTS,
			   .scale = 1,
			   .known = {1, 1, 1, 1}},
	};
	char text[STATE_TEXT_MAX + 16];
	unsigned int family, state;
	size_t length, i;

	for (family = 0; family < LONG_TERM_FAMILIES; family++)
		for (state = 0; state < LEARNT_STATES; state++)
			good.learnt.families[family].covariance[state * (state + 3) / 2] = 100;
	length = state_format(text, &good) - strlen("crc32 00000000\n");
	for (i = 0; i + 2 < size; i += 3)
		text[(data[i] << 8 | data[i + 1]) % length] = (char)data[i + 2];
	/* Without a change it must be taken. */
	if (!check_summed(text, length) && size < 3)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[STATE_TEXT_MAX];

	if (size > sizeof(text) - 16)
		return 0;
	memcpy(text, data, size);
	check(text, size);
	check_summed(text, size);
	check_edited(data, size);
	return 0;
}
