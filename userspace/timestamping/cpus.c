/* SPDX-License-Identifier: MIT */
#include "timestamping/cpus.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/thread.h"

/* Far less than any of the threads' functions needs, and it may be locked in memory */

/* Exchanges in one window, and how many looks at the other's word are a wait that is given up */
#define EXCHANGES 100
#define LOOKS 20000
/* The partner has to be woken first. */
#define LOOKS_FIRST 100000

#define LAST UINT32_MAX /* the word that ends a window */

void cpus_init(struct cpus *cpus, const cpu_set_t *set)
{
	int cpu;

	cpus->count = 0;
	for (cpu = 0; cpu < CPUS_MAX; cpu++) {
		if (!CPU_ISSET(cpu, set))
			continue;
		cpus->at[cpus->count] = (struct cpu_offset){
			.cpu = cpu,
			.measured = cpus->count == 0,
			.least = cpus->count == 0 ? 0 : INT64_MIN / 4,
			.most = cpus->count == 0 ? 0 : INT64_MAX / 4,
		};
		cpus->count++;
	}
}

void cpus_exchange(struct cpu_offset *offset, uint64_t question, uint64_t answer, uint64_t arrival,
		   uint32_t step)
{
	/* Each reading may be a step old. */
	const struct cpu_offset exchange = {
		.measured = true,
		.least = (int64_t)(answer - arrival) - step,
		.most = (int64_t)(answer - question) + step,
	};

	cpus_narrow(offset, &exchange);
}

void cpus_narrow(struct cpu_offset *offset, const struct cpu_offset *with)
{
	if (!with->measured)
		return;
	offset->measured = true;
	if (with->least > offset->least)
		offset->least = with->least;
	if (with->most < offset->most)
		offset->most = with->most;
}

const struct cpu_offset *cpus_disagree(const struct cpus *cpus, uint64_t *by)
{
	const struct cpu_offset *worst = NULL;
	unsigned int i;

	*by = 0;
	for (i = 0; i < cpus->count; i++) {
		const struct cpu_offset *at = &cpus->at[i];
		int64_t off = at->least > -at->most ? at->least : -at->most;

		if (!at->measured || off <= 0 || (uint64_t)off <= *by)
			continue;
		*by = (uint64_t)off;
		worst = at;
	}
	return worst;
}

uint64_t cpus_apart(const struct cpus *cpus)
{
	int64_t apart = 0;
	unsigned int i, j;

	for (i = 0; i < cpus->count; i++) {
		for (j = 0; cpus->at[i].measured && j < cpus->count; j++) {
			int64_t by = cpus->at[i].most - cpus->at[j].least;

			if (i != j && cpus->at[j].measured && by > apart)
				apart = by;
		}
	}
	return (uint64_t)apart;
}

unsigned int cpus_measured(const struct cpus *cpus)
{
	unsigned int i, count = 0;

	for (i = 0; i < cpus->count; i++)
		count += cpus->at[i].measured;
	return count;
}

/* Words in lines of their own: what passes between the two is one line at a time. */
struct cpus_job {
	_Alignas(64) atomic_uint asked; /* number of the question */
	uint64_t question;              /* keeps its reading in front of the question */
	_Alignas(64) atomic_uint answered;
	uint64_t answer;
	_Alignas(64) atomic_bool done;
	atomic_bool stop;
	sem_t wake;             /* of the partner, for a window */
	atomic_int partner_cpu; /* -1: end */
	pthread_t asker;
	pthread_t partner;
	struct cpus_config config;
	int first_cpu;
	unsigned int from;
	unsigned int count;
	struct cpu_offset at[];
};

static void pause_cpu(void)
{
#if defined(__x86_64__)
	__asm__ volatile("pause");
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

static int go_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) < 0 ? -errno : 0;
}

/* The word, once it is another one than `last`; the same if it does not change in time. */
static unsigned int word_await(atomic_uint *word, unsigned int last, unsigned int looks)
{
	unsigned int now = last;

	for (; now == last && looks; looks--) {
		now = atomic_load_explicit(word, memory_order_acquire);
		if (now == last)
			pause_cpu();
	}
	return now;
}

/* The partner: woken for a window, answers each question, until told that it was the last. */
static void *partner_run(void *data)
{
	struct cpus_job *job = data;
	int cpu = -1;

	for (;;) {
		unsigned int question = 0, next;
		int wanted;

		while (sem_wait(&job->wake) < 0 && errno == EINTR)
			;
		wanted = atomic_load(&job->partner_cpu);
		if (wanted < 0)
			return NULL;
		if (cpu != wanted && go_to(wanted) < 0)
			continue;
		cpu = wanted;
		for (;; question = next) {
			/* The word that says "here I am", then an answer each */
			job->answer = job->config.read(job->config.data);
			atomic_store_explicit(&job->answered, question + 1, memory_order_release);
			next = word_await(&job->asked, question, LOOKS);
			if (next == question || next == LAST)
				break;
		}
	}
}

/* One window with a partner on that CPU. */
static void window_measure(struct cpus_job *job, struct cpu_offset *offset)
{
	unsigned int n;

	atomic_store_explicit(&job->asked, 0, memory_order_relaxed);
	atomic_store_explicit(&job->answered, 0, memory_order_relaxed);
	atomic_store(&job->partner_cpu, offset->cpu);
	sem_post(&job->wake);
	if (word_await(&job->answered, 0, LOOKS_FIRST) == 0)
		return;
	for (n = 1; n <= EXCHANGES; n++) {
		uint64_t arrival;

		job->question = job->config.read(job->config.data);
		atomic_store_explicit(&job->asked, n, memory_order_release);
		if (word_await(&job->answered, n, LOOKS) != n + 1)
			break;
		arrival = job->config.read(job->config.data);
		cpus_exchange(offset, job->question, job->answer, arrival, job->config.step);
	}
	atomic_store_explicit(&job->asked, LAST, memory_order_release);
}

static void *asker_run(void *data)
{
	struct cpus_job *job = data;
	unsigned int i, n;

	for (i = 0; go_to(job->first_cpu) == 0 && i < job->count; i++) {
		for (n = 0; n < job->config.windows; n++) {
			if (atomic_load_explicit(&job->stop, memory_order_relaxed))
				break;
			window_measure(job, &job->at[i]);
			if (job->config.rest_ms)
				(void)poll(NULL, 0, job->config.rest_ms);
		}
	}
	atomic_store(&job->partner_cpu, -1);
	sem_post(&job->wake);
	pthread_join(job->partner, NULL);
	atomic_store_explicit(&job->done, true, memory_order_release);
	return NULL;
}

int cpus_start(struct cpus_job **ret, const struct cpus *cpus, unsigned int from,
	       unsigned int count, const struct cpus_config *config)
{
	size_t size = (sizeof(struct cpus_job) + count * sizeof(struct cpu_offset) + 63) / 64 * 64;
	struct cpus_job *job;
	unsigned int i;
	int r;

	if (from < 1 || from > cpus->count || count > cpus->count - from)
		return -EINVAL;
	job = aligned_alloc(64, size);
	if (!job)
		return -ENOMEM;
	memset(job, 0, size);
	job->config = *config;
	job->first_cpu = cpus->at[0].cpu;
	job->from = from;
	job->count = count;
	for (i = 0; i < count; i++)
		job->at[i] = (struct cpu_offset){
			.cpu = cpus->at[from + i].cpu,
			.least = INT64_MIN / 4,
			.most = INT64_MAX / 4,
		};
	sem_init(&job->wake, 0, 0);
	r = thread_start(&job->partner, false, partner_run, job);
	if (r < 0)
		goto fail;
	r = thread_start(&job->asker, false, asker_run, job);
	if (r < 0)
		goto fail_partner;
	*ret = job;
	return 0;

fail_partner:
	atomic_store(&job->partner_cpu, -1);
	sem_post(&job->wake);
	pthread_join(job->partner, NULL);
fail:
	sem_destroy(&job->wake);
	free(job);
	return r;
}

bool cpus_done(const struct cpus_job *job)
{
	return atomic_load_explicit(&job->done, memory_order_acquire);
}

void cpus_finish(struct cpus_job *job, bool stop, struct cpus *cpus)
{
	unsigned int i;

	if (!job)
		return;
	if (stop)
		atomic_store_explicit(&job->stop, true, memory_order_relaxed);
	pthread_join(job->asker, NULL);
	for (i = 0; cpus && i < job->count; i++)
		cpus_narrow(&cpus->at[job->from + i], &job->at[i]);
	sem_destroy(&job->wake);
	free(job);
}
