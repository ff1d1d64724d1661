/* SPDX-License-Identifier: MIT */
/*
 * Time does not go back. Two threads read, each read being ordered by happens-before after the
 * other thread's latest that it has seen and after its own; a third publishes 1000 times a
 * second, slewing up and down to the limit, its publications delayed on purpose by 0, 100 and
 * 300 us after each look at the counter.
 *
 *	monotonic [READS]	of both threads together, default 10^8
 *
 * Half of the reads are under the limits in use. For the other half the slope may fall from one
 * end of the slew to the other in one publication, fifty times a second: a join that is wrong by
 * 100 us is then 100 ns of time going back, which no pair of reads is fast enough to miss; under
 * the limits in use it is 1 ns.
 *
 * A publication that is stopped from outside, by a hypervisor for one, between its last look at
 * the counter and the store that makes the line readable may take time back by that fall of the
 * slope times what it is late; so many ns are forgiven, and told. Exit 0 if no read went back.
 */
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#include "publish/writer.h"
#include "support/pagefile.h"
#include "timestamping/counter.h"

#define SECOND 1000000000LL
#define EPOCH (1700000000 * SECOND)
#define NS ((__int128)1 << 64)
#define HZ 1000
#define MAX_SLEW_PPB 500000
#define SWING_NS 100000 /* the estimate is that far ahead of the truth, then behind it */
#define PUBLICATIONS_LEAST 2000

/* The limits in use, and the harder ones */
static const struct round {
	const char *name;
	uint32_t max_fall_ppb;
	unsigned int swing; /* publications from one side to the other */
} rounds[] = {
	{"slope falling by at most 10 ppm", LINE_FALL_PPB, 500},
	{"slope falling from end to end", 2 * MAX_SLEW_PPB, 10},
};

struct shared {
	int64_t utc_ns __attribute__((aligned(64))); /* a thread's latest */
};

struct bench {
	const struct round *round;
	struct counter counter;
	struct chronotick_page *page;
	struct chronotick *ct;
	uint64_t reads; /* of each thread */
	struct shared latest[2];
	bool stop;
	/* The writer's */
	uint64_t delay; /* counts */
	uint64_t published;
	uint64_t rebuilt, late, late_counts;
	double slowest_ppm, fastest_ppm;
	int failed;
};

struct reader {
	struct bench *bench;
	unsigned int self;
	uint64_t done, back, unanswered, jumps;
	int64_t most_ns;
};

static uint64_t now_delayed(void *data)
{
	struct bench *bench = data;
	uint64_t now = counter_read(&bench->counter);

	while (counter_read(&bench->counter) - now < bench->delay)
		;
	return now;
}

static void pin(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static struct line_config config_of(const struct counter *counter, const struct round *round)
{
	return (struct line_config){
		.mult = counter->mult,
		.lead = counter_from_ns(counter, 50000),
		.early = counter_from_ns(counter, 1000),
		.window = counter_from_ns(counter, 400000),
		.span = counter_from_ns(counter, 10 * SECOND),
		.period = counter_from_ns(counter, SECOND / HZ),
		.settle = counter_from_ns(counter, 100000000),
		.max_slew_ppb = MAX_SLEW_PPB,
		.max_fall_ppb = round->max_fall_ppb,
		.step_ns = 10,
		.max_bound_ns = SECOND,
		.step_threshold_ns = SECOND / 10,
	};
}

static void *write_on(void *data)
{
	static const uint64_t delays_ns[] = {0, 100000, 300000};
	const struct sched_param urgent = {.sched_priority = 1};
	struct bench *bench = data;
	struct line_config config = config_of(&bench->counter, bench->round);
	struct correction correction = {
		.mult = bench->counter.mult,
		.bound = {.total_ns = 1000, .growth = bench->counter.mult / 1000000},
		.status = CHRONOTICK_SYNCHRONIZED,
		.tai_offset_s = CHRONOTICK_TAI_UNKNOWN,
	};
	uint64_t base = counter_read(&bench->counter), i;
	struct timespec next;
	struct writer writer;
	int64_t swing;
	double ppm;

	/* Without the right to it the readers may stop the writer now and then. */
	pthread_setschedparam(pthread_self(), SCHED_FIFO, &urgent);
	writer_init(&writer, bench->page, &config, now_delayed, bench);
	clock_gettime(CLOCK_MONOTONIC, &next);
	for (i = 0; !__atomic_load_n(&bench->stop, __ATOMIC_RELAXED); i++) {
		correction.counter = counter_read(&bench->counter);
		/* The first line starts in the middle. */
		swing = i == 0 ? 0 : i / bench->round->swing % 2 ? -SWING_NS : SWING_NS;
		correction.utc = (EPOCH + swing) * NS +
				 (((__int128)(correction.counter - base) * correction.mult) << 10);
		bench->delay = counter_from_ns(&bench->counter, delays_ns[i % 3]);
		if (writer_publish(&writer, &correction) < 0)
			bench->failed++;
		__atomic_store_n(&bench->published, i + 1, __ATOMIC_RELEASE);
		ppm = ((double)writer.current.mult / (double)correction.mult - 1) * 1e6;
		if (ppm < bench->slowest_ppm)
			bench->slowest_ppm = ppm;
		if (ppm > bench->fastest_ppm)
			bench->fastest_ppm = ppm;
		next.tv_nsec += SECOND / HZ;
		if (next.tv_nsec >= SECOND) {
			next.tv_nsec -= SECOND;
			next.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	bench->rebuilt = writer.tally.rebuilt;
	bench->late = writer.tally.late;
	bench->late_counts = writer.tally.late_counts;
	return NULL;
}

static void *read_on(void *data)
{
	struct reader *reader = data;
	struct bench *bench = reader->bench;
	int64_t *own = &bench->latest[reader->self].utc_ns,
		*other = &bench->latest[!reader->self].utc_ns;
	struct chronotick_interval interval;
	uint32_t generation = 0;
	int64_t before, mine = 0;

	pin(reader->self);
	while (reader->done < bench->reads ||
	       __atomic_load_n(&bench->published, __ATOMIC_RELAXED) < PUBLICATIONS_LEAST) {
		before = __atomic_load_n(other, __ATOMIC_ACQUIRE);
		if (before < mine)
			before = mine;
		reader->done++;
		if (chronotick_now(bench->ct, &interval) < 0) {
			reader->unanswered++;
			continue;
		}
		if (generation && interval.generation != generation)
			reader->jumps++;
		generation = interval.generation;
		if (interval.utc_ns < before) {
			reader->back++;
			if (before - interval.utc_ns > reader->most_ns)
				reader->most_ns = before - interval.utc_ns;
		}
		mine = interval.utc_ns;
		__atomic_store_n(own, mine, __ATOMIC_RELEASE);
	}
	return NULL;
}

static int page_make(struct bench *bench)
{
	struct chronotick_page page = {0};
	char path[PAGEFILE_PATH_SIZE];
	int fd, r;

	page.header.magic = CHRONOTICK_MAGIC;
	page.header.abi_version = CHRONOTICK_ABI_VERSION;
	page.header.page_size = CHRONOTICK_PAGE_SIZE;
	page.header.counter_kind = bench->counter.kind;
	page.header.generation = 1;
	chronotick_boot_id(page.header.boot_id);
	fd = pagefile_make(path, &page);
	if (fd < 0)
		return -1;
	bench->page = mmap(NULL, CHRONOTICK_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	r = bench->page == MAP_FAILED ? -1 : chronotick_open(&bench->ct, path);
	unlink(path);
	return r;
}

/* Returns 0 if no read went back; 1; or 77 without a page or threads. */
static int round_run(const struct round *round, const struct counter *counter, uint64_t reads)
{
	struct bench bench = {.round = round, .counter = *counter, .reads = reads / 2};
	struct reader readers[2] = {{&bench, 0}, {&bench, 1}};
	struct timespec nap = {0, 1000000};
	pthread_t writer, threads[2];
	uint64_t back, unanswered, jumps;
	int64_t most, forgiven;
	unsigned int i;

	if (page_make(&bench) < 0 || pthread_create(&writer, NULL, write_on, &bench) != 0)
		return 77;
	while (__atomic_load_n(&bench.published, __ATOMIC_ACQUIRE) == 0)
		nanosleep(&nap, NULL);
	for (i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, read_on, &readers[i]) != 0)
			exit(77);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	__atomic_store_n(&bench.stop, true, __ATOMIC_RELAXED);
	pthread_join(writer, NULL);

	back = readers[0].back + readers[1].back;
	unanswered = readers[0].unanswered + readers[1].unanswered;
	jumps = readers[0].jumps + readers[1].jumps;
	most = readers[0].most_ns > readers[1].most_ns ? readers[0].most_ns : readers[1].most_ns;
	forgiven = (int64_t)((double)counter_to_ns(counter, bench.late_counts) *
			     round->max_fall_ppb / 1e9) +
		   (bench.late != 0);
	printf("%s: %lu reads, %lu publications, %lu built again, slopes %.1f to %+.1f ppm\n",
	       round->name, (unsigned long)(readers[0].done + readers[1].done),
	       (unsigned long)bench.published, (unsigned long)bench.rebuilt, bench.slowest_ppm,
	       bench.fastest_ppm);
	printf("  steps back: %lu, the widest %ld ns; unanswered: %lu, generations begun: %lu\n",
	       (unsigned long)back, (long)most, (unsigned long)unanswered, (unsigned long)jumps);
	printf("  publications stopped from outside: %lu, by up to %ld us: %ld ns are forgiven\n",
	       (unsigned long)bench.late, (long)counter_to_ns(counter, bench.late_counts) / 1000,
	       (long)forgiven);
	chronotick_close(bench.ct);
	munmap(bench.page, CHRONOTICK_PAGE_SIZE);
	if (bench.slowest_ppm > -0.9 * MAX_SLEW_PPB / 1000 ||
	    bench.fastest_ppm < 0.9 * MAX_SLEW_PPB / 1000 || bench.failed) {
		printf("  the slews did not reach their limits, or %d publications failed\n",
		       bench.failed);
		return 1;
	}
	return (back && most > forgiven) || unanswered || jumps ? 1 : 0;
}

int main(int argc, char **argv)
{
	uint64_t reads = argc > 1 ? strtoull(argv[1], NULL, 0) : 100000000;
	struct counter counter;
	unsigned int i;
	int r = 0;

	if (counter_init(&counter, CHRONOTICK_COUNTER_NONE) < 0)
		return 77;
	for (i = 0; i < sizeof(rounds) / sizeof(rounds[0]) && r == 0; i++)
		r = round_run(&rounds[i], &counter, reads / 2);
	return r;
}
