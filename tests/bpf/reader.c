/* SPDX-License-Identifier: MIT */
/*
 * A process that reads a page while a thread of its own writes it, and knows how many of its reads
 * were torn.
 *
 *	reader HZ SECONDS [MS]	HZ 0: the writer never rests; MS: run a canary so often
 *
 * Says "ready". With each line that it is sent it reads for that long and prints one JSON object;
 * read_ns is the median of batches of 1000 reads. It ends with its input.
 */
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <chronotick/chronotick.h>

#include "publish/page.h"
#include "support/handmade.h"

#define BATCH 1000
#define BATCHES_MAX 100000

struct load {
	struct chronotick_page *page;
	int64_t period_ns;
	uint64_t published;
	bool stop;
};

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void pin(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void *write_on(void *data)
{
	struct load *load = data;
	struct chronotick_clock line;
	int64_t due_ns = now_ns();

	pin(1);
	page_line_read(&line, &load->page->clock[0]);
	while (!__atomic_load_n(&load->stop, __ATOMIC_RELAXED)) {
		page_clock_write(load->page, &line);
		load->published++;
		if (!load->period_ns)
			continue;
		due_ns += load->period_ns;
		while (now_ns() < due_ns)
			;
	}
	return NULL;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* Read for that long, and print what came of it. Returns 0, or -1 without a thread. */
static int run(struct load *load, const struct chronotick *ct, double seconds)
{
	const struct chronotick_page *page = chronotick_page_of(ct);
	static uint64_t batch_counts[BATCHES_MAX];
	uint64_t reads = 0, bad = 0, torn = chronotick_torn_reads(), published = load->published;
	int64_t end_ns;
	uint64_t before;
	unsigned int batches = 0, i;
	pthread_t writer;

	load->stop = false;
	if (pthread_create(&writer, NULL, write_on, load) != 0)
		return -1;
	end_ns = now_ns() + (int64_t)(seconds * 1e9);
	do {
		struct chronotick_interval now;

		before = chronotick_counter(ct);
		for (i = 0; i < BATCH; i++)
			bad += chronotick_now(ct, &now) < 0;
		reads += BATCH;
		batch_counts[batches++ % BATCHES_MAX] = chronotick_counter(ct) - before;
	} while (now_ns() < end_ns);
	__atomic_store_n(&load->stop, true, __ATOMIC_RELAXED);
	pthread_join(writer, NULL);
	batches = batches < BATCHES_MAX ? batches : BATCHES_MAX;
	qsort(batch_counts, batches, sizeof(batch_counts[0]), compare);
	printf("{\"reads\": %lu, \"torn\": %lu, \"bad\": %lu, \"published\": %lu, "
	       "\"read_ns\": %.3f}\n",
	       (unsigned long)reads, (unsigned long)(chronotick_torn_reads() - torn),
	       (unsigned long)bad, (unsigned long)(load->published - published),
	       (double)batch_counts[batches / 2] * 1e9 / (double)page->header.counter_hz / BATCH);
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	char path[64], line[16];
	struct load load = {0};
	struct chronotick_canary *canary = NULL;
	struct chronotick *ct;
	int hz;

	if (argc != 3 && argc != 4)
		return 2;
	hz = atoi(argv[1]);
	load.period_ns = hz > 0 ? 1000000000LL / hz : 0;
	snprintf(path, sizeof(path), "/dev/shm/chronotick-bpf-%d", (int)getpid());
	if (handmade_create(&load.page, path, "trusted") < 0)
		return 1;
	if (chronotick_open(&ct, path) < 0) {
		unlink(path);
		return 1;
	}
	if (argc == 4 && chronotick_canary_start(&canary, path, (unsigned int)atoi(argv[3])) < 0) {
		unlink(path);
		return 1;
	}
	unlink(path);
	pin(0);
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		if (run(&load, ct, atof(argv[2])) < 0)
			return 1;
	chronotick_canary_stop(canary);
	chronotick_close(ct);
	return 0;
}
