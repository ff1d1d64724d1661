/* SPDX-License-Identifier: MIT */
/*
 * What the engine costs with eight sources: a sample, with the weighing and predicting that follows
 * it, and a correction when nothing is new, as one is made for each publication. Beside them a
 * clock_gettime(), as nanoseconds differ from machine to machine. Nothing is allocated meanwhile.
 *
 * Limits: 20 us a sample, 2 us a correction.
 */
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine/engine.h"

#define S 1000000000LL
#define EPOCH 1760000000000000000LL
#define SOURCES 8
#define ROUNDS 400
#define CORRECTIONS 100
#define SAMPLE_LIMIT_NS 20000
#define CORRECTION_LIMIT_NS 2000

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * S + now.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *values, unsigned int count)
{
	qsort(values, count, sizeof(*values), by_size);
	return values[count / 2];
}

/* Some microseconds, another at each call */
static int64_t jitter(void)
{
	static uint64_t state = 88172645463325252ULL;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (int64_t)(state % 20000);
}

static double clock_ns(void)
{
	double values[101];
	unsigned int i, j;

	for (i = 0; i < 101; i++) {
		int64_t begin = now_ns();

		for (j = 0; j < 1000; j++)
			(void)now_ns();
		values[i] = (double)(now_ns() - begin) / 1000;
	}
	return median(values, 101);
}

int main(void)
{
	const struct engine_config config = {
		.scale = {.mult = 1ULL << 54},
		.max_drift_ppb = 200000,
		.wander_ppb = 1000,
		.max_bound_ns = S,
		.max_distance_ms = 1000,
	};
	static double samples[ROUNDS], corrections[ROUNDS];
	struct engine *engine = malloc(sizeof(*engine));
	double clock = clock_ns(), sample_ns, correction_ns;
	struct correction correction;
	size_t allocated;
	unsigned int i, j;

	if (!engine || engine_init(engine, &config, SOURCES) < 0)
		return EXIT_FAILURE;
	allocated = mallinfo2().uordblks;
	for (i = 0; i < ROUNDS; i++) {
		int64_t begin = now_ns(), raw_ns = (i + 1) * S;

		for (j = 0; j < SOURCES; j++) {
			int64_t delay_ns = 100000 + jitter();

			if (engine_sample_add(
				    engine, &(struct sample){
						    .counter = (uint64_t)(raw_ns + j),
						    .offset_ns = EPOCH + i * 5000LL + delay_ns / 8,
						    .delay_ns = delay_ns,
						    .dispersion_ns = 100,
						    .source = (uint16_t)j,
						    .stratum = 1,
					    }) < 0)
				return EXIT_FAILURE;
			engine_correct(engine, (uint64_t)(raw_ns + j), &correction);
		}
		samples[i] = (double)(now_ns() - begin) / SOURCES;
		raw_ns += SOURCES;
		begin = now_ns();
		for (j = 0; j < CORRECTIONS; j++)
			engine_correct(engine, (uint64_t)(raw_ns + j * 10000), &correction);
		corrections[i] = (double)(now_ns() - begin) / CORRECTIONS;
	}
	if (correction.status != CHRONOTICK_SYNCHRONIZED) {
		printf("no time was told\n");
		return EXIT_FAILURE;
	}
	if (mallinfo2().uordblks != allocated) {
		printf("something was allocated\n");
		return EXIT_FAILURE;
	}
	sample_ns = median(samples, ROUNDS);
	correction_ns = median(corrections, ROUNDS);
	printf("a sample of one of %d sources: %.2f us (limit %d), %.0f times a clock_gettime\n",
	       SOURCES, sample_ns / 1e3, SAMPLE_LIMIT_NS / 1000, sample_ns / clock);
	printf("a correction without news: %.3f us (limit %d), %.1f times a clock_gettime; the engine "
	       "takes %zu kB\n",
	       correction_ns / 1e3, CORRECTION_LIMIT_NS / 1000, correction_ns / clock,
	       sizeof(*engine) / 1024);
	free(engine);
	return sample_ns <= SAMPLE_LIMIT_NS && correction_ns <= CORRECTION_LIMIT_NS ? EXIT_SUCCESS
										    : EXIT_FAILURE;
}
