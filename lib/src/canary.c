/* SPDX-License-Identifier: MIT */
/* The canary thread, for programs that want to be seen. */
#include <chronotick/chronotick.h>

#include <chronotick/canary.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define INTERVAL_MAX_MS 3600000
#define BATCHES 32
#define READS 16

struct chronotick_canary {
	struct chronotick *ct;
	unsigned int interval_ms;
	pid_t owner; /* the process that has the thread; a child of fork has none */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	int stopping;
};

/* Measured where nobody moves the thread meanwhile; else the next round tries. */
static void round_run(const struct chronotick *ct)
{
	const struct chronotick_page *page = chronotick_page_of(ct);
	struct chronotick_canary_round round;
	uint64_t mult = __atomic_load_n(&page->clock[0].mult, __ATOMIC_RELAXED);
	int cpu = sched_getcpu();

	chronotick_canary_measure(ct, BATCHES, READS, &round);
	if (sched_getcpu() == cpu && mult)
		chronotick_canary_tell(&round, mult);
}

static void deadline_after(struct timespec *deadline, unsigned int ms)
{
	clock_gettime(CLOCK_MONOTONIC, deadline);
	deadline->tv_sec += ms / 1000;
	deadline->tv_nsec += (long)(ms % 1000) * 1000000;
	if (deadline->tv_nsec >= 1000000000) {
		deadline->tv_nsec -= 1000000000;
		deadline->tv_sec++;
	}
}

static void *canary_run(void *data)
{
	struct chronotick_canary *canary = data;
	struct timespec deadline;

	pthread_mutex_lock(&canary->lock);
	while (!canary->stopping) {
		pthread_mutex_unlock(&canary->lock);
		round_run(canary->ct);
		deadline_after(&deadline, canary->interval_ms);
		pthread_mutex_lock(&canary->lock);
		while (!canary->stopping &&
		       pthread_cond_timedwait(&canary->wake, &canary->lock, &deadline) == 0)
			;
	}
	pthread_mutex_unlock(&canary->lock);
	return NULL;
}

static int thread_start(struct chronotick_canary *canary)
{
	sigset_t all, before;
	int r;

	/* Signals are the program's: none of them is for this thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&canary->thread, NULL, canary_run, canary);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -r;
}

static int wake_init(struct chronotick_canary *canary)
{
	pthread_condattr_t attributes;
	int r;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	r = pthread_cond_init(&canary->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	return -r;
}

int chronotick_canary_start(struct chronotick_canary **ret, const char *path,
			    unsigned int interval_ms)
{
	struct chronotick_canary *canary;
	int r;

#ifndef CHRONOTICK_PROBES
	return -ENOTSUP;
#endif
	if (interval_ms < 1 || interval_ms > INTERVAL_MAX_MS)
		return -ERANGE;
	canary = calloc(1, sizeof(*canary));
	if (!canary)
		return -ENOMEM;
	canary->interval_ms = interval_ms;
	canary->owner = getpid();
	r = chronotick_open(&canary->ct, path);
	if (r < 0)
		goto free;
	r = wake_init(canary);
	if (r < 0)
		goto close;
	pthread_mutex_init(&canary->lock, NULL);
	r = thread_start(canary);
	if (r < 0)
		goto destroy;
	*ret = canary;
	return 0;

destroy:
	pthread_mutex_destroy(&canary->lock);
	pthread_cond_destroy(&canary->wake);
close:
	chronotick_close(canary->ct);
free:
	free(canary);
	return r;
}

void chronotick_canary_stop(struct chronotick_canary *canary)
{
	if (!canary)
		return;
	/* After fork the thread is the parent's alone, and the lock may be held by it for ever. */
	if (canary->owner == getpid()) {
		pthread_mutex_lock(&canary->lock);
		canary->stopping = 1;
		pthread_cond_signal(&canary->wake);
		pthread_mutex_unlock(&canary->lock);
		pthread_join(canary->thread, NULL);
		pthread_mutex_destroy(&canary->lock);
		pthread_cond_destroy(&canary->wake);
	}
	chronotick_close(canary->ct);
	free(canary);
}
