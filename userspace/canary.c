/* SPDX-License-Identifier: MIT */
#include "canary.h"

#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#include <chronotick/canary.h>

#include "timestamping/cross.h"

#define WINDOW 2048 /* batches that the figures are of */
#define OCTAVE 32   /* buckets a factor of two */
#define OCTAVE_SHIFT 5
#define BUCKETS ((32 - OCTAVE_SHIFT + 1) * OCTAVE)

/* A round's size: about 10 us warm and 20 us cold and serialised, whatever the counter. */
struct round {
	unsigned int batches;
	unsigned int reads; /* in a batch */
};

struct canary {
	struct chronotick *ct;
	const struct counter *counter;
	struct round round;
	uint64_t reads;
	int64_t measured_ns;     /* CLOCK_REALTIME of the latest round */
	unsigned int count;      /* values in the window */
	unsigned int next;       /* where the next one goes */
	uint32_t values[WINDOW]; /* ps of a read, mean of a batch */
	uint16_t buckets[BUCKETS];
};

int canary_open(struct canary **ret, const char *path, const struct counter *counter)
{
	struct canary *canary = calloc(1, sizeof(*canary));
	int r;

	if (!canary)
		return -ENOMEM;
	r = chronotick_open(&canary->ct, path);
	if (r < 0) {
		free(canary);
		return r;
	}
	canary->counter = counter;
	if (chronotick_kind_is_native(counter->kind))
		canary->round = (struct round){CHRONOTICK_CANARY_MAX, 16};
	else
		canary->round = (struct round){8, 8};
	*ret = canary;
	return 0;
}

void canary_close(struct canary *canary)
{
	if (!canary)
		return;
	chronotick_close(canary->ct);
	free(canary);
}

/* Values below OCTAVE have a bucket each, others 32 a factor of two. */
static unsigned int bucket_of(uint32_t value)
{
	unsigned int shift;

	if (value < OCTAVE)
		return value;
	shift = 31 - (unsigned int)__builtin_clz(value) - OCTAVE_SHIFT;
	return shift * OCTAVE + (value >> shift);
}

/* The middle of a bucket */
static uint64_t bucket_middle(unsigned int bucket)
{
	unsigned int shift;

	if (bucket < 2 * OCTAVE)
		return bucket;
	shift = bucket / OCTAVE - 1;
	return ((uint64_t)(bucket - shift * OCTAVE) << shift) + (1U << shift) / 2;
}

static void value_add(struct canary *canary, uint32_t value)
{
	if (canary->count == WINDOW)
		canary->buckets[bucket_of(canary->values[canary->next])]--;
	else
		canary->count++;
	canary->values[canary->next] = value;
	canary->buckets[bucket_of(value)]++;
	canary->next = (canary->next + 1) % WINDOW;
}

void canary_measure(struct canary *canary)
{
	const struct chronotick_canary_batches *warm;
	struct chronotick_canary_round round;
	struct cross now;
	int cpu = sched_getcpu();
	unsigned int i;
	uint64_t ps;

	chronotick_canary_measure(canary->ct, canary->round.batches, canary->round.reads, &round);
	if (sched_getcpu() != cpu || cross_read(&now, canary->counter, CLOCK_REALTIME) < 0)
		return;
	warm = &round.warm;
	for (i = 0; i < warm->batches; i++) {
		ps = chronotick_canary_ps(warm, i, canary->counter->mult);
		if (ps == 0)
			continue; /* a clock that stood still */
		value_add(canary, ps < UINT32_MAX ? (uint32_t)ps : UINT32_MAX);
		canary->reads += warm->reads;
		canary->measured_ns = now.system_ns;
	}
	chronotick_canary_tell(&round, canary->counter->mult);
}

static uint64_t percentile(const struct canary *canary, unsigned int percent)
{
	unsigned int wanted = (canary->count * percent + 99) / 100, seen = 0, i;

	for (i = 0; i < BUCKETS - 1; i++) {
		seen += canary->buckets[i];
		if (seen >= wanted)
			break;
	}
	return bucket_middle(i);
}

static uint64_t limited(uint64_t value, uint64_t low, uint64_t high)
{
	return value < low ? low : value > high ? high : value;
}

void canary_statistics(const struct canary *canary, struct chronotick_statistics *ret)
{
	uint32_t least = UINT32_MAX, most = 0;
	uint64_t sum = 0;
	unsigned int i;

	ret->torn_reads = chronotick_torn_reads();
	ret->read_count = canary->reads;
	ret->read_measured_ns = (uint64_t)canary->measured_ns;
	if (canary->count == 0)
		return;
	for (i = 0; i < canary->count; i++) {
		least = canary->values[i] < least ? canary->values[i] : least;
		most = canary->values[i] > most ? canary->values[i] : most;
		sum += canary->values[i];
	}
	ret->read_min_ps = least;
	ret->read_mean_ps = sum / canary->count;
	ret->read_p50_ps = limited(percentile(canary, 50), least, most);
	ret->read_p99_ps = limited(percentile(canary, 99), least, most);
	ret->read_max_ps = most;
}
