/* SPDX-License-Identifier: MIT */
/*
 * A process that reads a page while a thread of its own writes it, and knows how many of its reads
 * were torn.
 *
 *	reader HZ SECONDS [MS]	HZ 0: the writer never rests; MS: run a canary so often
 *
 * Says "ready" and begins when it is sent a line. Then it prints one JSON object and ends with the
 * next line, or the end of its input.
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

int main(int argc, char **argv)
{
	char path[64], line[16];
	struct load load = {0};
	struct chronotick_canary *canary = NULL;
	struct chronotick *ct;
	uint64_t reads = 0, bad = 0;
	int64_t begun_ns, end_ns;
	pthread_t writer;
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
	puts("ready");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return 1;
	if (pthread_create(&writer, NULL, write_on, &load) != 0)
		return 1;
	pin(0);
	begun_ns = now_ns();
	end_ns = begun_ns + (int64_t)(atof(argv[2]) * 1e9);
	do {
		struct chronotick_interval now;
		int i;

		for (i = 0; i < 1000; i++)
			bad += chronotick_now(ct, &now) < 0;
		reads += 1000;
	} while (now_ns() < end_ns);
	__atomic_store_n(&load.stop, true, __ATOMIC_RELAXED);
	pthread_join(writer, NULL);
	printf("{\"reads\": %lu, \"torn\": %lu, \"bad\": %lu, \"published\": %lu, \"read_ns\": %.3f}\n",
	       (unsigned long)reads, (unsigned long)chronotick_torn_reads(), (unsigned long)bad,
	       (unsigned long)load.published, (double)(now_ns() - begun_ns) / (double)reads);
	fflush(stdout);
	if (fgets(line, sizeof(line), stdin))
		line[0] = '\0';
	chronotick_canary_stop(canary);
	chronotick_close(ct);
	return 0;
}
