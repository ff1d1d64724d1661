/* SPDX-License-Identifier: MIT */
#include "covariates/reader.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/thread.h"

#define NS_PER_S 1000000000LL

enum state {
	IDLE,
	ASKED,
	DONE, /* by the thread: the reading may be taken */
};

struct covariate_reader {
	sem_t asked;
	atomic_int state;
	atomic_bool end;
	atomic_int owners; /* the last one frees it */
	int64_t asked_ns;
	int64_t next_ns;
	struct covariate_reading reading; /* written before DONE */
	struct sensors sensors;           /* the thread's */
	char root[THERMOMETER_PATH_MAX / 2 + 1];
	char temperature[];
};

static void let_go(struct covariate_reader *reader)
{
	if (atomic_fetch_sub(&reader->owners, 1) > 1)
		return;
	sem_destroy(&reader->asked);
	free(reader);
}

static int64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void *run(void *data)
{
	struct covariate_reader *reader = data;
	struct covariate_reading *reading = &reader->reading;

	for (;;) {
		while (sem_wait(&reader->asked) < 0)
			;
		if (atomic_load(&reader->end))
			break;
		sensors_read(&reader->sensors, monotonic_ns(), &reading->values);
		strcpy(reading->thermometer, thermometers_name(&reader->sensors.thermometers));
		/* Release: the reading is complete before DONE is seen. */
		atomic_store_explicit(&reader->state, DONE, memory_order_release);
	}
	let_go(reader);
	return NULL;
}

int covariate_reader_new(struct covariate_reader **ret, const struct covariate_config *config,
			 const char *root)
{
	struct covariate_config own = *config;
	struct covariate_reader *reader;
	pthread_t thread;
	size_t size = own.temperature ? strlen(own.temperature) + 1 : 0;
	int r;

	*ret = NULL;
	if (!own.temperature && !own.cpu_frequency && !own.cpu_load && !own.memory)
		return 0;
	if (own.interval_s == 0 || strlen(root) >= sizeof(reader->root))
		return -EINVAL;
	reader = calloc(1, sizeof(*reader) + size);
	if (!reader)
		return -ENOMEM;
	/* The thread may outlive whoever has the configuration. */
	strcpy(reader->root, root);
	if (size)
		own.temperature = memcpy(reader->temperature, own.temperature, size);
	sensors_init(&reader->sensors, &own, reader->root);
	atomic_init(&reader->owners, 2);
	sem_init(&reader->asked, 0, 0);
	r = thread_start(&thread, true, run, reader);
	if (r < 0) {
		sem_destroy(&reader->asked);
		free(reader);
		return r;
	}
	*ret = reader;
	return 0;
}

bool covariate_reader_tick(struct covariate_reader *reader, int64_t now_ns,
			   struct covariate_reading *ret)
{
	bool has = false;
	int state;

	if (!reader)
		return false;
	/* Acquire: pairs with the thread's DONE */
	state = atomic_load_explicit(&reader->state, memory_order_acquire);
	if (state == DONE) {
		has = now_ns - reader->asked_ns <= COVARIATE_LATE_NS;
		if (has)
			*ret = reader->reading;
		atomic_store_explicit(&reader->state, IDLE, memory_order_relaxed);
		state = IDLE;
	}
	if (state == IDLE && now_ns >= reader->next_ns) {
		reader->asked_ns = now_ns;
		reader->next_ns = now_ns + reader->sensors.config.interval_s * NS_PER_S;
		atomic_store_explicit(&reader->state, ASKED, memory_order_relaxed);
		sem_post(&reader->asked);
	}
	return has;
}

void covariate_reader_free(struct covariate_reader *reader)
{
	if (!reader)
		return;
	atomic_store(&reader->end, true);
	sem_post(&reader->asked);
	let_go(reader);
}
