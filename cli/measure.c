/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "measure.h"

/* Single reads that took more nanoseconds than this are only counted as such. */
#define HISTOGRAM_SIZE 65536

typedef void batch_function(const struct chronotick *ct, unsigned int n);

static int64_t raw_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return now.tv_sec * 1000000000 + now.tv_nsec;
}

/*
 * A batch keeps every result alive, as its user would have it: counters in a register, times in
 * memory.
 */
#define KEEP(value) __asm__ volatile("" ::"r"(value))
#define KEEP_MEMORY(object) __asm__ volatile("" ::"r"(&(object)) : "memory")

static void batch_rdtsc(const struct chronotick *ct, unsigned int n)
{
	(void)ct;
	while (n--) {
		struct chronotick_halves counter = chronotick_counter_unordered();

		KEEP(counter.low + (counter.high << 32));
	}
}

static void batch_lfence_rdtsc(const struct chronotick *ct, unsigned int n)
{
	(void)ct;
	while (n--) {
		struct chronotick_halves counter = chronotick_counter_ordered();

		KEEP(counter.low + (counter.high << 32));
	}
}

#if defined(__x86_64__)
static void batch_rdtscp(const struct chronotick *ct, unsigned int n)
{
	(void)ct;
	while (n--) {
		uint64_t low, high;

		__asm__ volatile("rdtscp" : "=a"(low), "=d"(high)::"rcx", "memory");
		KEEP(low + (high << 32));
	}
}
#else
#define batch_rdtscp NULL
#endif

static void batch_realtime(const struct chronotick *ct, unsigned int n)
{
	(void)ct;
	while (n--) {
		struct timespec now;

		clock_gettime(CLOCK_REALTIME, &now);
		KEEP_MEMORY(now);
	}
}

static void batch_realtime_coarse(const struct chronotick *ct, unsigned int n)
{
	(void)ct;
	while (n--) {
		struct timespec now;

		clock_gettime(CLOCK_REALTIME_COARSE, &now);
		KEEP_MEMORY(now);
	}
}

static void batch_ordered(const struct chronotick *ct, unsigned int n)
{
	while (n--) {
		struct chronotick_interval now;

		chronotick_now(ct, &now);
		KEEP_MEMORY(now);
	}
}

static void batch_unordered(const struct chronotick *ct, unsigned int n)
{
	while (n--) {
		struct chronotick_interval now;

		chronotick_now_unordered(ct, &now);
		KEEP_MEMORY(now);
	}
}

static const struct {
	batch_function *batch;
	const char *key, *label;
} operations[MEASURE_OPERATIONS] = {
	[MEASURE_RDTSC] = {batch_rdtsc, "rdtsc_ns", "rdtsc"},
	[MEASURE_LFENCE_RDTSC] = {batch_lfence_rdtsc, "lfence_rdtsc_ns", "lfence; rdtsc"},
	[MEASURE_RDTSCP] = {batch_rdtscp, "rdtscp_ns", "rdtscp"},
	[MEASURE_REALTIME] = {batch_realtime, "clock_gettime_realtime_ns",
			      "clock_gettime(CLOCK_REALTIME)"},
	[MEASURE_REALTIME_COARSE] = {batch_realtime_coarse, "clock_gettime_realtime_coarse_ns",
				     "clock_gettime(CLOCK_REALTIME_COARSE)"},
	[MEASURE_READ_ORDERED] = {batch_ordered, "read_ordered_ns", "chronotick_now"},
	[MEASURE_READ_UNORDERED] = {batch_unordered, "read_unordered_ns",
				    "chronotick_now_unordered"},
};

const char *measure_key(enum measure_operation operation)
{
	return operations[operation].key;
}

const char *measure_label(enum measure_operation operation)
{
	return operations[operation].label;
}

static int double_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, unsigned int n)
{
	qsort(values, n, sizeof(*values), double_compare);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* The smallest step that the CPU's counter is seen to make, in counts. */
static uint64_t counter_step(void)
{
	uint64_t step = UINT64_MAX, difference;
	struct chronotick_halves a, b;
	int i;

	for (i = 0; i < 10000; i++) {
		a = chronotick_counter_unordered();
		b = chronotick_counter_unordered();
		difference = b.low - a.low + ((b.high - a.high) << 32);
		if (difference && difference < step)
			step = difference;
	}
	return step;
}

/* That step in ns, 1 at least. */
static unsigned int counter_step_ns(void)
{
	struct chronotick_halves start = chronotick_counter_ordered(), end;
	int64_t start_ns = raw_ns(), end_ns;
	double ns;

	do
		end_ns = raw_ns();
	while (end_ns - start_ns < 5000000);
	end = chronotick_counter_ordered();
	ns = (double)counter_step() * (double)(end_ns - start_ns) /
	     (double)(end.low - start.low + ((end.high - start.high) << 32));
	return ns > 1 && ns < 1000 ? (unsigned int)(ns + 0.5) : 1;
}

/*
 * The time that a share of all reads does not pass. What was measured is in whole steps of the
 * counter, so each count stands for a range one step wide: the quantile is that of the histogram
 * smoothed over a step.
 */
static double histogram_quantile(const uint64_t *histogram, uint64_t total, double share,
				 unsigned int step)
{
	double wanted = (double)total * share, sum = 0, last;
	uint64_t before = 0, after = 0;
	int edge = -(int)(step / 2);
	int i;

	/* before, after: how many are below the smoothing window's two ends */
	for (i = 0; i < (int)(step - step / 2); i++)
		after += histogram[i];
	for (i = 0; i < HISTOGRAM_SIZE - (int)step; i++, edge++) {
		last = sum;
		sum += (double)(after - before) / step;
		if (sum >= wanted)
			return i + (sum > last ? (wanted - last) / (sum - last) : 0) - 0.5;
		after += histogram[edge + (int)step];
		if (edge >= 0)
			before += histogram[edge];
	}
	return HISTOGRAM_SIZE;
}

/* A run of reads back to back into a histogram; how many counted. */
static uint64_t singles_run(uint64_t *histogram, int64_t *max_ns, const struct chronotick *ct)
{
	int64_t utc_ns[MEASURE_BATCH], took_ns;
	uint32_t generation = 0;
	struct chronotick_interval now;
	unsigned int i;

	for (i = 0; i < MEASURE_BATCH; i++) {
		if (chronotick_now(ct, &now) < 0 || (i && now.generation != generation))
			return 0;
		generation = now.generation;
		KEEP_MEMORY(now);
		utc_ns[i] = now.utc_ns;
	}
	for (i = 1; i < MEASURE_BATCH; i++) {
		took_ns = (int64_t)((uint64_t)utc_ns[i] - (uint64_t)utc_ns[i - 1]);
		if (took_ns > *max_ns)
			*max_ns = took_ns;
		if (took_ns < 0) /* a page that breaks its promise */
			took_ns = HISTOGRAM_SIZE - 1;
		histogram[took_ns < HISTOGRAM_SIZE ? took_ns : HISTOGRAM_SIZE - 1]++;
	}
	return MEASURE_BATCH - 1;
}

int measure_singles(struct measure *measure, const struct chronotick *ct, uint64_t iterations)
{
	uint64_t torn = chronotick_torn_reads(), total = 0, done = 0;
	uint64_t *histogram;
	int64_t max_ns = 0;
	unsigned int step;

	histogram = calloc(HISTOGRAM_SIZE, sizeof(*histogram));
	if (!histogram)
		return -ENOMEM;
	step = counter_step_ns();
	do {
		total += singles_run(histogram, &max_ns, ct);
		done += MEASURE_BATCH;
	} while (done < iterations);
	measure->step_ns = step;
	measure->p50_ns = total ? histogram_quantile(histogram, total, 0.5, step) : NAN;
	measure->p99_ns = total ? histogram_quantile(histogram, total, 0.99, step) : NAN;
	measure->p999_ns = total ? histogram_quantile(histogram, total, 0.999, step) : NAN;
	measure->max_ns = total ? (double)max_ns : NAN;
	measure->reads += done;
	measure->torn_reads += chronotick_torn_reads() - torn;
	free(histogram);
	return 0;
}

int measure_run(struct measure *measure, const struct chronotick *ct, uint64_t iterations)
{
	unsigned int rounds =
		iterations < MEASURE_BATCH ? 1 : (unsigned int)(iterations / MEASURE_BATCH);
	uint64_t torn = chronotick_torn_reads();
	unsigned int round, operation;
	double *column, sum = 0;
	int64_t start;
	int r;

	memset(measure, 0, sizeof(*measure));
	measure->rounds = rounds;
	measure->round_ns = calloc(rounds, MEASURE_OPERATIONS * sizeof(double));
	column = calloc(rounds, sizeof(*column));
	if (!measure->round_ns || !column) {
		r = -ENOMEM;
		goto out;
	}
	for (round = 0; round < rounds; round++) {
		for (operation = 0; operation < MEASURE_OPERATIONS; operation++) {
			double *ns = &measure->round_ns[round * MEASURE_OPERATIONS + operation];

			if (!operations[operation].batch) {
				*ns = NAN;
				continue;
			}
			start = raw_ns();
			operations[operation].batch(ct, MEASURE_BATCH);
			*ns = (double)(raw_ns() - start) / MEASURE_BATCH;
		}
		sum += measure->round_ns[round * MEASURE_OPERATIONS + MEASURE_READ_ORDERED];
	}
	for (operation = 0; operation < MEASURE_OPERATIONS; operation++) {
		for (round = 0; round < rounds; round++)
			column[round] = measure->round_ns[round * MEASURE_OPERATIONS + operation];
		measure->ns[operation] = median(column, rounds);
	}
	measure->average_ns = sum / rounds;
	measure->reads = 2ULL * rounds * MEASURE_BATCH;
	measure->torn_reads = chronotick_torn_reads() - torn;
	r = measure_singles(measure, ct, iterations);
out:
	free(column);
	if (r < 0)
		measure_free(measure);
	return r;
}

double measure_ratio(const struct measure *measure, enum measure_operation operation,
		     enum measure_operation against)
{
	double *ratios = calloc(measure->rounds, sizeof(*ratios));
	unsigned int round;
	double r;

	if (!ratios)
		return NAN;
	for (round = 0; round < measure->rounds; round++) {
		const double *ns = &measure->round_ns[round * MEASURE_OPERATIONS];

		ratios[round] = ns[operation] / ns[against];
	}
	r = median(ratios, measure->rounds);
	free(ratios);
	return r;
}

void measure_free(struct measure *measure)
{
	free(measure->round_ns);
	measure->round_ns = NULL;
}
