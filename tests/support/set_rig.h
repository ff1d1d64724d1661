/* SPDX-License-Identifier: MIT */
/* A set of sources that are made up, on an engine, and time that passes for both. */
#ifndef SUPPORT_SET_RIG_H
#define SUPPORT_SET_RIG_H

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "sources/set.h"
#include "support/fake-sources.h"

#define SECOND 1000000000LL
#define MULT ((uint64_t)1 << 54) /* counter values are ns */
#define BASE 5000000000ULL
#define OFFSET 1700000000000000000LL

static struct engine engine;
static struct source_set *set;
static struct timescale scale = {BASE, MULT};
static char told[8192];
static int64_t now_ns;

static inline void on_changed(void *data, const char *text)
{
	size_t used = strlen(told);

	(void)data;
	snprintf(told + used, sizeof(told) - used, "%s\n", text);
}

static inline void set_up(void)
{
	const struct engine_config config = {
		.scale = scale,
		.max_drift_ppb = 200000,
		.wander_ppb = 1000,
		.max_bound_ns = SECOND,
		.max_distance_ms = 1000,
	};
	const struct source_set_context context = {
		.scale = &scale,
		.engine = &engine,
		.ops = fake_ops,
		.resolver = &fake_resolver,
		.changed = on_changed,
	};

	cr_assert_eq(engine_init(&engine, &config, 0), 0);
	cr_assert_eq(source_set_new(&set, &context), 0);
}

static inline void take_down(void)
{
	source_set_free(set);
}

static inline struct source_config server(const char *name)
{
	return (struct source_config){
		.ntp = {.server = name, .port = 123, .minpoll = 6, .maxpoll = 10},
		.type = SOURCE_NTP,
		.maxsources = 4,
	};
}

static inline struct source_config pool(const char *name, uint8_t maxsources)
{
	struct source_config config = server(name);

	config.type = SOURCE_POOL;
	config.maxsources = maxsources;
	return config;
}

static inline void add(struct source_config config)
{
	cr_assert_eq(source_set_add(set, &config), 0);
}

static inline void names(unsigned int i, const char *name, const char *octets)
{
	fake_names[i].name = name;
	memset(fake_names[i].octets, 0, sizeof(fake_names[i].octets));
	memcpy(fake_names[i].octets, octets, strlen(octets));
}

/* Go on for so long, looking after the set as often as it asks. */
static inline void pass(int64_t duration_ns)
{
	int64_t end_ns = now_ns + duration_ns;

	while (now_ns < end_ns) {
		struct correction correction;
		int64_t next_ns = source_set_tick(set, now_ns);

		cr_assert(next_ns > now_ns && next_ns <= now_ns + SECOND);
		now_ns = next_ns;
		engine_correct(&engine, BASE + (uint64_t)now_ns, &correction);
	}
}

/* A sample at this very moment; it also says that the source is reached. */
static inline void sample_from(struct fake_source *fake, int64_t offset_ns)
{
	struct sample sample = {
		.counter = BASE + (uint64_t)now_ns,
		.offset_ns = OFFSET + offset_ns,
		.delay_ns = 100000,
		.dispersion_ns = 1000,
		.source = (uint16_t)fake->index,
		.stratum = 1,
	};

	fake->reach = 0xff;
	fake->statistics.sent += 8;
	fake->statistics.accepted++;
	fake->context.events->sample(fake->context.events->data, &sample);
}

static inline struct source_status status_of(const char *name)
{
	struct source_status status;
	unsigned int i;

	for (i = 0; i < source_set_count(set); i++) {
		source_set_describe(set, i, &status);
		if (strcmp(status.summary.name, name) == 0)
			return status;
	}
	cr_assert(false, "there is no %s", name);
	return status;
}

/* All that are there answer, but for one. */
static inline void answer_all_but(uint8_t silent, int64_t wrong_ns, uint8_t wrong)
{
	uint8_t octet;

	for (octet = 1; octet < 100; octet++) {
		struct fake_source *fake = fake_source_at(octet);

		if (fake && octet != silent)
			sample_from(fake, octet == wrong ? wrong_ns : 0);
		else if (fake)
			fake->statistics.sent++;
	}
}

#endif /* SUPPORT_SET_RIG_H */
