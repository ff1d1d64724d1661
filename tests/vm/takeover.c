/* SPDX-License-Identifier: MIT */
/*
 * Writers that publish as the daemon does, and are killed and stopped at any moment, with standbys
 * behind them and the library's readers in front of them.
 *
 *	takeover [ENDS [LIMIT_MS]]	how many writers meet their end
 *
 * LIMIT_MS: how long a take-over may take, median. That can be held where the emulator counts
 * instructions for time; elsewhere a busy host is in each figure, and it is only told.
 *
 * No reader gets an error, a time that goes back, on whatever CPU, or an interval
 * without the truth in it, and it is one generation all the time.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"
#include "publish/line.h"

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#define ENDS 200
#define READERS 2
#define WRITERS 2
#define PERIOD_MS 2
#define EPOCH (1700000000 * SECOND)
#define NS ((__int128)1 << 64)
#define BOUND_NS 100000
#define OFFSET_NS 20000 /* by which successive estimates differ */

/* What all processes share */
struct shared {
	uint64_t base; /* counter value at which UTC was EPOCH */
	_Atomic bool over;
	_Atomic int64_t latest_ns; /* UTC that some reader has been told */
	_Atomic uint64_t reads, errors, backwards, lies, torn, unfit;
	_Atomic uint64_t published, late, refused;
};

static struct shared *shared;
static struct writer_rig rig; /* the parent's looks on only */

static int64_t truth_ns(uint64_t at)
{
	return EPOCH + (int64_t)(((__int128)(int64_t)(at - shared->base) * rig.counter.mult) >>
				 CHRONOTICK_MULT_SHIFT);
}

static struct line_config config_make(void)
{
	const struct counter *counter = &rig.counter;

	return (struct line_config){
		.mult = counter->mult,
		.lead = counter_from_ns(counter, 50000),
		.early = counter_from_ns(counter, 1000),
		.window = counter_from_ns(counter, 400000),
		.span = counter_from_ns(counter, 10ULL * SECOND),
		.period = counter_from_ns(counter, PERIOD_MS * 1000000ULL),
		.settle = counter_from_ns(counter, 16 * PERIOD_MS * 1000000ULL),
		.max_slew_ppb = 500000,
		.max_fall_ppb = LINE_FALL_PPB,
		.step_ns = 2,
		.max_bound_ns = SECOND,
		.step_threshold_ns = 100000000,
	};
}

static struct correction correction_make(unsigned int round, uint64_t now)
{
	struct correction ret = {
		.counter = now,
		.mult = rig.counter.mult,
		.bound = {.total_ns = BOUND_NS, .growth = rig.counter.mult / 1000000},
		.status = round % 7 ? CHRONOTICK_SYNCHRONIZED : CHRONOTICK_HOLDOVER,
		.source = CHRONOTICK_NTP,
		.tai_offset_s = 37,
	};

	ret.utc = EPOCH * NS +
		  (((__int128)(int64_t)(now - shared->base) * rig.counter.mult) << 10) +
		  (round & 8 ? OFFSET_NS : -OFFSET_NS) * NS;
	return ret;
}

/* One publication, built again with twice the window as long as it comes too late. */
static int publish(unsigned int round)
{
	struct line_config config = config_make();
	struct chronotick_clock standing = rig.page->clock[0];
	struct chronotick_update update;
	uint64_t window = config.window;
	struct correction correction;
	struct line line;
	int builds, r = -ETIMEDOUT;
	uint64_t now;

	for (builds = 1; builds <= 5 && r == -ETIMEDOUT; builds++, window *= 2) {
		update_make(&rig, &update); /* its record, and events */
		now = counter_read(&rig.counter);
		correction = correction_make(round, now);
		line_next(&line, &config, &standing, rig.page->header.generation, &correction, now,
			  window, builds < 5 ? LINE_SLEW : LINE_KEEP);
		update.line = line.clock;
		update.join = line.join;
		r = command(rig.fd, CHRONOTICK_IOC_PUBLISH, &update);
		shared->late += r == -ETIMEDOUT;
	}
	shared->published += r == 0;
	return r;
}

/* The readers leave no CPU idle: a daemon would ask for a priority too. */
static void priority_set(int priority)
{
	const struct sched_param parameters = {.sched_priority = priority};

	sched_setscheduler(0, priority ? SCHED_FIFO : SCHED_OTHER, &parameters);
}

static void writer_run(void)
{
	struct chronotick_claim claim;
	unsigned int round;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	priority_set(1);
	rig.fd = device_open(O_RDONLY);
	claim_make(&claim, &rig.counter);
	claim.flags = CHRONOTICK_CLAIM_WAIT;
	if (command(rig.fd, CHRONOTICK_IOC_CLAIM, &claim) < 0)
		_exit(1);
	for (round = (unsigned int)getpid(); !shared->over; round++) {
		if (publish(round) < 0)
			shared->refused++;
		sleep_ms(PERIOD_MS);
	}
	_exit(0);
}

static void read_once(const struct chronotick *ct, uint32_t *generation)
{
	int64_t before_ns = atomic_load(&shared->latest_ns), latest_ns;
	uint64_t before = chronotick_counter(ct), after;
	struct chronotick_interval now;
	int r = chronotick_now(ct, &now);

	after = chronotick_counter(ct);
	shared->reads++;
	if (r < 0) {
		shared->errors++;
		return;
	}
	if (now.earliest_ns > truth_ns(after) || now.latest_ns < truth_ns(before))
		shared->lies++;
	if (now.generation == *generation && now.utc_ns < before_ns)
		shared->backwards++;
	*generation = now.generation;
	latest_ns = atomic_load(&shared->latest_ns);
	while (latest_ns < now.utc_ns &&
	       !atomic_compare_exchange_weak(&shared->latest_ns, &latest_ns, now.utc_ns))
		;
}

static void reader_run(unsigned int number)
{
	uint32_t generation = rig.page->header.generation;
	struct chronotick_record record;
	struct chronotick *ct;
	cpu_set_t cpus;
	unsigned int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	CPU_ZERO(&cpus);
	CPU_SET(number % 2, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	if (chronotick_open(&ct, CHRONOTICK_DEVICE_PATH) < 0)
		_exit(1);
	priority_set(0);
	while (!shared->over) {
		for (i = 0; i < 1000; i++)
			read_once(ct, &generation);
		if (chronotick_record_read(ct, &record) < 0 || record.offset_uncertainty != 1e-6 ||
		    record.drift_rate != -1e-6)
			shared->unfit++;
		sched_yield();
	}
	shared->torn += chronotick_torn_reads();
	_exit(0);
}

static pid_t start(void (*run)(unsigned int number), unsigned int number)
{
	pid_t pid = fork();

	if (pid == 0)
		run(number);
	return pid;
}

static void writer_start(unsigned int number)
{
	(void)number;
	writer_run();
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* How long until the one that stands by is the writer, ns; or -1. */
static int64_t end_writer(unsigned int round)
{
	const struct chronotick_header *header = &rig.page->header;
	uint32_t writers = header->kernel_writers;
	const struct timespec nap = {.tv_nsec = 100000};
	pid_t pid = (pid_t)header->writer_pid;
	int64_t from, limit;

	for (limit = monotonic_ns() + 5 * SECOND; !header->standby_count;)
		if (monotonic_ns() > limit || nanosleep(&nap, NULL) < 0)
			return -1;
	if (pid <= 0)
		return -1;
	if (round % 4 == 0) {
		/* Stopped, it stays the writer, and its line stands. */
		kill(pid, SIGSTOP);
		sleep_ms(20);
	}
	from = monotonic_ns();
	kill(pid, SIGKILL);
	for (limit = from + 5 * SECOND;
	     __atomic_load_n(&header->kernel_writers, __ATOMIC_ACQUIRE) == writers;) {
		if (monotonic_ns() > limit)
			return -1;
		nanosleep(&nap, NULL);
	}
	from = monotonic_ns() - from;
	waitpid(pid, NULL, 0);
	start(writer_start, 0);
	return from;
}

static void writer_await(void)
{
	int64_t limit = monotonic_ns() + 5 * SECOND;

	while (!shared->published && monotonic_ns() < limit)
		sleep_ms(1);
}

int main(int count, char **arguments)
{
	unsigned int ends = count > 1 ? (unsigned int)atoi(arguments[1]) : ENDS, i, met = 0;
	int64_t limit_ms = count > 2 ? atoi(arguments[2]) : 0;
	int64_t *took_ns = calloc(ends + 1, sizeof(*took_ns)), took;
	pid_t readers[READERS];
	uint32_t generation;
	int status, good = 0;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	/* A claim makes the header whole; the page is read through a descriptor of its own. */
	if (!check_result(rig_open(&rig), 0, "a writer") || !took_ns)
		return 1;
	close(rig.fd);
	shared->base = counter_read(&rig.counter);
	for (i = 0; i < WRITERS; i++)
		start(writer_start, 0);
	priority_set(2);
	writer_await();
	generation = rig.page->header.generation;
	for (i = 0; i < READERS; i++)
		readers[i] = start(reader_run, i);
	srand(1);
	for (i = 0; i < ends; i++) {
		sleep_ms((unsigned int)rand() % 20);
		took = end_writer(i);
		if (took < 0)
			break;
		took_ns[met++] = took;
	}
	check(met == ends, "another one takes over from each writer: %u of %u", met, ends);
	sleep_ms(500);
	shared->over = true;
	for (i = 0; i < READERS; i++) {
		waitpid(readers[i], &status, 0);
		good += status == 0;
	}
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	check(good == READERS, "readers come to their end");
	check(shared->reads > 10000, "they have read %lu times", (unsigned long)shared->reads);
	check(shared->errors == 0, "no reader gets an error: %lu", (unsigned long)shared->errors);
	check(shared->backwards == 0, "no time goes back: %lu", (unsigned long)shared->backwards);
	check(shared->lies == 0, "the truth is in each interval: %lu", (unsigned long)shared->lies);
	check(shared->unfit == 0, "no record is torn: %lu", (unsigned long)shared->unfit);
	check(shared->published > 2 * ends, "lines were published: %lu",
	      (unsigned long)shared->published);
	check(shared->refused == 0, "no publication fails for good: %lu",
	      (unsigned long)shared->refused);
	check(rig.page->header.generation == generation, "it is one generation all the time");
	if (met) {
		qsort(took_ns, met, sizeof(*took_ns), compare);
		if (limit_ms)
			check(took_ns[met / 2] < limit_ms * 1000000,
			      "take-over takes %ld ms, median", (long)limit_ms);
		printf("# take-over of %u: median %ld us, p90 %ld us, longest %ld us, emulated\n",
		       met, (long)took_ns[met / 2] / 1000, (long)took_ns[met * 9 / 10] / 1000,
		       (long)took_ns[met - 1] / 1000);
	}
	printf("# %lu reads, %lu of them met a line being written; %lu lines, %lu built again\n",
	       (unsigned long)shared->reads, (unsigned long)shared->torn,
	       (unsigned long)shared->published, (unsigned long)shared->late);
	return checks_end();
}
