/* SPDX-License-Identifier: MIT */
/*
 * A real writer, killed and stopped at every store of a publication.
 *
 * The writer is a child that is single-stepped with ptrace; the page is compared after every
 * instruction, so each of its stores is seen, in its order, with the page as it then is. At every
 * one
 *	- readers must answer at once and correctly (the writer is stopped there by ptrace);
 *	- the order must be that of tests/support/protocol.h;
 *	- a writer is killed with SIGKILL there, readers must answer, and a new one must take over
 *	  the file, and readers must answer.
 * From every distinct page that a kill can leave, a new writer is single-stepped through its
 * repair and its first publication, with the same checks at each of its stores; and so on from
 * the pages that kills of that one leave, as deep as a count allows.
 *
 *	kill-writer [DEPTH-PAGES]	how many pages of the second depth to go on from
 *
 * Exit 0, 1, or 77 where ptrace is not permitted.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#include "publish/publish.h"
#include "publish/record.h"
#include "publish/writer.h"
#include "support/pagefile.h"
#include "support/protocol.h"
#include "support/shm.h"

#define SECOND 1000000000LL
#define EPOCH (1700000000 * SECOND)
#define NS ((__int128)1 << 64)
#define BOUND_NS 100000 /* of the corrections: truth is at most that far from their estimate */
#define OFFSET_NS 20000 /* by which the estimates of successive publications differ */
#define STORES_MAX 4096
#define LAYERS 3

static struct counter counter;
static uint64_t base; /* counter value at which UTC was EPOCH */
static char name[64], path[96];
static unsigned int failures, reads;
static uint64_t slowest; /* counts */

static void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void complain(const char *format, ...)
{
	va_list arguments;

	if (failures++ > 20)
		return;
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
}

static void die(const char *what)
{
	perror(what);
	shm_drop(name);
	exit(1);
}

/* What the writer publishes: the truth, wrong by an amount that depends on the round */
static struct correction correction_of(unsigned int round)
{
	uint64_t now = counter_read(&counter);
	struct correction ret = {
		.counter = now,
		.mult = counter.mult,
		.bound = {.total_ns = BOUND_NS, .growth = counter.mult / 1000000},
		.confidence = 0.001 * (double)(round % 1000),
		.offset_uncertainty_ns = 250 + round,
		.drift_uncertainty = 1e-9 * round,
		.measurement_count = round,
		.last_sample = now,
		.status = round % 2 ? CHRONOTICK_SYNCHRONIZED : CHRONOTICK_HOLDOVER,
		.source = CHRONOTICK_NTP,
		.tai_offset_s = 37,
	};

	ret.utc = EPOCH * NS + (((__int128)(now - base) * counter.mult) << 10) +
		  (round % 2 ? OFFSET_NS : -OFFSET_NS) * NS;
	return ret;
}

static struct publish_config config_of(uint32_t timeout_ms)
{
	return (struct publish_config){
		.shm_name = name,
		.frequency_hz = 100,
		.writer_timeout_ms = timeout_ms,
		.max_bound_ns = SECOND,
		.max_slew_ppb = 500000,
		.step_threshold_ns = 100000000,
	};
}

static struct publish_facts facts_of(unsigned int round)
{
	return (struct publish_facts){
		.daemon_uptime_s = round + 0.5,
		.average_latency_ms = 0.00001 * (1 + round),
		.warmup_percent = round % 100,
	};
}

/* Readers, on a handle that was opened before anything happened */

static int64_t truth_ns(uint64_t at)
{
	return EPOCH + (int64_t)(((__int128)(at - base) * counter.mult) >> CHRONOTICK_MULT_SHIFT);
}

static void read_check(const struct chronotick *ct, const char *where)
{
	struct chronotick_interval interval;
	struct chronotick_record record;
	uint64_t before, after;
	int r;

	reads++;
	before = chronotick_counter(ct);
	r = chronotick_now(ct, &interval);
	after = chronotick_counter(ct);
	if (r < 0) {
		complain("%s: no time: %s", where, chronotick_strerror(r));
		return;
	}
	if (after - before > slowest)
		slowest = after - before;
	if (interval.earliest_ns > truth_ns(after) || interval.latest_ns < truth_ns(before))
		complain("%s: the truth is not in the interval: %ld to %ld of it", where,
			 (long)(interval.earliest_ns - truth_ns(before)),
			 (long)(interval.latest_ns - truth_ns(after)));
	/* Every line is younger than the test, and grows by less than 1000 ppm. */
	if (interval.latest_ns - interval.earliest_ns >
	    10 * BOUND_NS + (truth_ns(after) - EPOCH) / 500)
		complain("%s: the interval is %ld ns wide", where,
			 (long)(interval.latest_ns - interval.earliest_ns));
	r = chronotick_record_read(ct, &record);
	if (r < 0) {
		complain("%s: no record: %s", where, chronotick_strerror(r));
		return;
	}
	/* Its fields tell each the same round. */
	r = (int)record.measurement_count;
	if (record.daemon_uptime != r + 0.5 || !(record.flags & CHRONOTICK_FLAG_VALID) ||
	    record.confidence != (float)(0.001 * (r % 1000)) ||
	    record.average_latency_ms != (float)(0.00001 * (1 + r)))
		complain("%s: a record of two rounds: %d and %f", where, r, record.daemon_uptime);
	if (chronotick_at(ct, before, &interval) < 0 && interval.generation == 0)
		complain("%s: no time at a counter value", where);
}

/* A page's stores, one after the other */
struct trace {
	unsigned int count;
	struct chronotick_page *pages; /* after each */
	struct chronotick_page last;
	unsigned int instructions;
	/* Where the order stands: phase of lines and of records */
	unsigned int phase[2];
	unsigned int publications[2];
};

/* Which phases the changed bytes belong to: a bit each; lines in kind 0, records in kind 1 */
static unsigned int phases_changed(const struct chronotick_page *a, const struct chronotick_page *b,
				   unsigned int kind)
{
	const size_t size = kind ? sizeof(a->record) : sizeof(a->clock[0]);
	const size_t seq_at = kind ? offsetof(struct chronotick_record, sequence_number) : 0;
	const size_t at[2] = {
		kind ? offsetof(struct chronotick_page, record)
		     : offsetof(struct chronotick_page, clock),
		kind ? offsetof(struct chronotick_page, record_shadow)
		     : offsetof(struct chronotick_page, clock) + sizeof(a->clock[0]),
	};
	const unsigned char *old = (const unsigned char *)a, *new = (const unsigned char *)b;
	unsigned int phase, changed = 0, part;
	uint32_t seq;
	size_t i;

	for (phase = 0; phase < PROTOCOL_PHASES; phase++) {
		size_t start = at[protocol_publication[phase].copy];
		bool words = false, number;

		for (i = 0; i < size; i++)
			if ((i < seq_at || i >= seq_at + 4) && old[start + i] != new[start + i])
				words = true;
		number = memcmp(old + start + seq_at, new + start + seq_at, 4) != 0;
		memcpy(&seq, new + start + seq_at, 4);
		part = protocol_publication[phase].part;
		if ((part == PROTOCOL_DATA && words) ||
		    (part == PROTOCOL_ODD && number && (seq & 1)) ||
		    (part == PROTOCOL_EVEN && number && !(seq & 1)))
			changed |= 1U << phase;
	}
	return changed;
}

static uint32_t sequence(const struct chronotick_page *page, unsigned int kind, unsigned int copy)
{
	if (kind == 0)
		return page->clock[copy].seq;
	return copy ? page->record_shadow.sequence_number : page->record.sequence_number;
}

/*
 * One store has happened: does it follow the protocol? repair: a writer may begin with either copy;
 * what holds at every store holds there too.
 */
static void order_check(struct trace *trace, const struct chronotick_page *now, bool repair)
{
	unsigned int kind, changed, phase, copy;

	for (kind = 0; kind < 2; kind++) {
		changed = phases_changed(&trace->last, now, kind);
		if (!changed)
			continue;
		if (changed & (changed - 1)) {
			complain("one instruction stores in phases %#x", changed);
			continue;
		}
		phase = (unsigned int)__builtin_ctz(changed);
		copy = protocol_publication[phase].copy;
		if (sequence(now, kind, 0) & sequence(now, kind, 1) & 1)
			complain("store %u: both copies are odd", trace->count);
		if (protocol_publication[phase].part == PROTOCOL_DATA &&
		    !(sequence(now, kind, copy) & 1))
			complain("store %u: data changes in an even copy", trace->count);
		/* On from the phase that it is in, to the next, or from the last to the first */
		if (phase != trace->phase[kind] && phase != trace->phase[kind] + 1 &&
		    !(phase == 0 && trace->phase[kind] == PROTOCOL_PHASES - 1) && !repair)
			complain("store %u: phase %u follows phase %u", trace->count, phase,
				 trace->phase[kind]);
		if (phase == PROTOCOL_PHASES - 1 && trace->phase[kind] != phase)
			trace->publications[kind]++;
		trace->phase[kind] = phase;
	}
}

/* The page of the writer under test: as a file for whole publishers, or shared memory for layers */
struct arena {
	struct chronotick_page *page;
	struct chronotick *ct;
};

/* What the child does between its two stops */
typedef void (*work)(struct arena *arena, unsigned int round);

/* Stops itself, works, stops itself: the parent steps what is between. */
static pid_t child_start(struct arena *arena, work prepare, work run, unsigned int round)
{
	pid_t pid = fork();
	int status = 0;

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(77);
		if (prepare)
			prepare(arena, round);
		raise(SIGSTOP);
		run(arena, round);
		raise(SIGSTOP);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		printf("ptrace is not permitted here\n");
		shm_drop(name);
		exit(77);
	}
	if (!WIFSTOPPED(status)) {
		complain("the writer did not get to its start");
		exit(1);
	}
	return pid;
}

static void child_kill(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* One instruction on; false: it has come to its second stop. */
static bool child_step(pid_t pid)
{
	int status = 0;

	if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) < 0 || waitpid(pid, &status, 0) != pid)
		die("PTRACE_SINGLESTEP");
	if (!WIFSTOPPED(status)) {
		complain("the writer ended by itself: status %#x", status);
		return false;
	}
	return WSTOPSIG(status) != SIGSTOP;
}

/*
 * Step the child to its second stop and look at the page after each of its stores. stop_at: end
 * at that store, the child being there still. Returns true if it got to its end.
 */
static bool child_trace(pid_t pid, struct arena *arena, struct trace *trace, unsigned int stop_at,
			bool repair)
{
	char where[64];

	memcpy(&trace->last, arena->page, sizeof(trace->last));
	while (trace->count < stop_at) {
		if (!child_step(pid))
			return true;
		trace->instructions++;
		if (memcmp(&trace->last, arena->page, sizeof(trace->last)) == 0)
			continue;
		order_check(trace, arena->page, repair);
		memcpy(&trace->last, arena->page, sizeof(trace->last));
		if (trace->pages && trace->count < STORES_MAX)
			trace->pages[trace->count] = trace->last;
		trace->count++;
		snprintf(where, sizeof(where), "stopped at store %u", trace->count);
		read_check(arena->ct, where);
	}
	return false;
}

/* Part 1: a whole publisher on its file */

static struct publisher *publisher;

static void publisher_start(struct arena *arena, unsigned int round)
{
	struct publish_config config = config_of(10000);
	struct publish_facts facts = facts_of(round);
	struct correction correction = correction_of(round);
	int32_t owner;

	(void)arena;
	if (publisher_open(&publisher, &config, &counter, &owner, NULL, 0) < 0 ||
	    publisher_publish(publisher, &correction, &facts) < 0)
		_exit(2);
}

static void publisher_round(struct arena *arena, unsigned int round)
{
	struct publish_facts facts = facts_of(round + 1);
	struct correction correction = correction_of(round + 1);

	(void)arena;
	publisher_publish(publisher, &correction, &facts);
}

static void arena_open(struct arena *arena)
{
	if (chronotick_open(&arena->ct, path) < 0)
		die(path);
	/* The test looks at the page through the reader's own mapping. */
	arena->page = (struct chronotick_page *)chronotick_page_of(arena->ct);
}

/* The trace of one undisturbed publication, then a kill at each of its stores and a take-over */
static unsigned int kill_at_every_store(struct arena *arena, struct chronotick_page *left)
{
	struct trace trace = {.phase = {PROTOCOL_PHASES - 1, PROTOCOL_PHASES - 1}};
	struct chronotick_clock lines[2];
	unsigned int stores, i;
	char where[64];
	pid_t pid;

	publisher_start(arena, 1);
	publisher_close(publisher);
	arena_open(arena);
	pid = child_start(arena, publisher_start, publisher_round, 2);
	if (!child_trace(pid, arena, &trace, STORES_MAX, false))
		complain("a publication has more than %u stores", STORES_MAX);
	stores = trace.count;
	if (trace.publications[0] != 1 || trace.publications[1] != 1)
		complain("%u publications of lines, %u of records in one", trace.publications[0],
			 trace.publications[1]);
	child_kill(pid);
	printf("one publication: %u instructions, %u stores, in the protocol's order\n",
	       trace.instructions, stores);

	for (i = 1; i <= stores; i++) {
		memset(&trace, 0, sizeof(trace));
		trace.phase[0] = trace.phase[1] = PROTOCOL_PHASES - 1;
		pid = child_start(arena, publisher_start, publisher_round, 2 * i);
		child_trace(pid, arena, &trace, i, false);
		child_kill(pid);
		snprintf(where, sizeof(where), "killed at store %u", i);
		read_check(arena->ct, where);
		memcpy(&left[i - 1], arena->page, sizeof(*left));

		/* Taken over in place: the reader's mapping is still the page. */
		publisher_start(arena, 2 * i + 1);
		snprintf(where, sizeof(where), "taken over after store %u", i);
		read_check(arena->ct, where);
		memcpy(lines, arena->page->clock, sizeof(lines));
		if (lines[0].seq & 1 || lines[1].seq & 1 ||
		    memcmp((char *)&lines[0] + 4, (char *)&lines[1] + 4, 60) != 0)
			complain("%s: the lines differ", where);
		publisher_close(publisher);
	}
	printf("killed and taken over at %u stores\n", stores);
	return stores;
}

/* Part 2: repair and first publication, from every page that a kill leaves */

static void layers_run(struct arena *arena, unsigned int round)
{
	struct publish_facts facts = facts_of(round);
	struct correction correction = correction_of(round);
	struct record_rate rate = {0};
	struct chronotick_record record;
	struct line_config config = {
		.mult = counter.mult,
		.lead = counter_from_ns(&counter, 50000),
		.early = counter_from_ns(&counter, 1000),
		.window = counter_from_ns(&counter, 1000000000),
		.span = counter_from_ns(&counter, 100 * SECOND),
		.period = counter_from_ns(&counter, 10000000),
		.settle = counter_from_ns(&counter, 100000000),
		.max_slew_ppb = 500000,
		.max_fall_ppb = LINE_FALL_PPB,
		.step_ns = 10,
		.max_bound_ns = SECOND,
		.step_threshold_ns = 100000000,
	};
	struct writer writer;
	struct cross now;

	writer_init(&writer, arena->page, &config, (uint64_t(*)(void *))counter_read, &counter);
	writer_publish(&writer, &correction);
	cross_read(&now, &counter, CLOCK_REALTIME);
	record_build(&record, &(struct record_input){
				      .line = &writer.current,
				      .trusted = true,
				      .correction = &correction,
				      .now = &now,
				      .rate = &rate,
				      .facts = &facts,
			      });
	page_record_write(arena->page, &record);
}

/* A line that was left behind is not of this time: make it so, keeping what is torn of it. */
static void page_refresh(struct chronotick_page *page)
{
	unsigned int i;

	for (i = 0; i < 2; i++)
		page->clock[i].span = CHRONOTICK_SPAN_MAX;
}

/* Of `count` pages every stride-th; what kills would leave goes to `left`, at most `most`. */
static unsigned int repair_all(struct arena *arena, const struct chronotick_page *from,
			       unsigned int count, unsigned int stride,
			       struct chronotick_page *left, unsigned int most)
{
	struct trace trace;
	unsigned int i, j, found = 0, stores = 0, tried = 0;
	pid_t pid;

	for (i = 0; i < count; i += stride) {
		memcpy(arena->page, &from[i], sizeof(*arena->page));
		page_refresh(arena->page);
		memset(&trace, 0, sizeof(trace));
		trace.pages = calloc(STORES_MAX, sizeof(*trace.pages));
		if (!trace.pages)
			die("calloc");
		read_check(arena->ct, "as it was left");
		pid = child_start(arena, NULL, layers_run, 1000 + i);
		child_trace(pid, arena, &trace, STORES_MAX, true);
		child_kill(pid);
		read_check(arena->ct, "repaired");
		if (arena->page->clock[0].seq & 1 || arena->page->clock[1].seq & 1 ||
		    arena->page->record.sequence_number & 1 ||
		    arena->page->record_shadow.sequence_number & 1)
			complain("page %u: something is left odd", i);
		/* Every fourth, another fourth from page to page */
		for (j = i % 4; j < trace.count && left && found < most; j += 4)
			left[found++] = trace.pages[j];
		stores += trace.count;
		tried++;
		free(trace.pages);
	}
	printf("repair and publication from %u pages: %u stores\n", tried, stores);
	return found;
}

/* The layers' page: shared memory of its own, read through a handle on it */
static void arena_make(struct arena *arena, const struct chronotick_page *like)
{
	char of[PAGEFILE_PATH_SIZE];
	int fd = pagefile_make(of, like);

	if (fd < 0)
		die("pagefile_make");
	arena->page = mmap(NULL, CHRONOTICK_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (arena->page == MAP_FAILED || chronotick_open(&arena->ct, of) < 0)
		die("mapping");
	unlink(of);
	close(fd);
}

/* Part 3: trust ends with the validity of a dead writer's last line */
static void expiry(struct arena *arena)
{
	struct timespec nap = {0, 50000000};
	struct publish_config config = config_of(400);
	struct publish_facts facts = facts_of(1);
	struct chronotick_interval interval;
	struct correction correction;
	uint64_t end;
	int32_t owner;
	pid_t pid = fork();
	int r;

	if (pid == 0) {
		if (publisher_open(&publisher, &config, &counter, &owner, NULL, 0) < 0)
			_exit(1);
		correction = correction_of(1);
		publisher_publish(publisher, &correction, &facts);
		raise(SIGKILL);
	}
	waitpid(pid, NULL, 0);
	end = arena->page->clock[0].anchor + arena->page->clock[0].span;
	for (;;) {
		r = chronotick_now(arena->ct, &interval);
		if (r < 0 || (int64_t)(chronotick_counter(arena->ct) - end) > 0)
			break;
		nanosleep(&nap, NULL);
	}
	if (r < 0 && (int64_t)(chronotick_counter(arena->ct) - end) <= 0)
		complain("trust ended before its time");
	r = chronotick_now(arena->ct, &interval);
	if (r != -ESTALE || interval.earliest_ns != INT64_MIN ||
	    interval.status != CHRONOTICK_EXPIRED)
		complain("an expired line still answers: %d, status %u", r, interval.status);
	printf("trust ended with the validity of the last line\n");
}

int main(int argc, char **argv)
{
	unsigned int deeper = argc > 1 ? (unsigned int)atoi(argv[1]) : 40, stores, found;
	struct chronotick_page *left, *further;
	struct arena file, layers;

	setvbuf(stdout, NULL, _IOLBF, 0);
	snprintf(name, sizeof(name), "chronotick-kill-%d", (int)getpid());
	snprintf(path, sizeof(path), CHRONOTICK_SHM_DIR "%s", name);
	if (counter_init(&counter, CHRONOTICK_COUNTER_NONE) < 0)
		die("counter");
	base = counter_read(&counter) - counter_from_ns(&counter, SECOND);
	left = calloc(STORES_MAX, sizeof(*left));
	further = calloc(deeper + 1, sizeof(*further));
	if (!left || !further)
		die("calloc");

	stores = kill_at_every_store(&file, left);
	expiry(&file);
	arena_make(&layers, &left[0]);
	repair_all(&layers, left, stores, 1, NULL, 0);
	found = repair_all(&layers, left, stores, 7, further, deeper);
	repair_all(&layers, further, found, 1, NULL, 0);

	shm_drop(name);
	printf("%u reads, the slowest %.1f us, %u failures\n", reads,
	       (double)counter_to_ns(&counter, slowest) / 1e3, failures);
	free(left);
	free(further);
	return failures ? 1 : 0;
}
