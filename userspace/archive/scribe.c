/* SPDX-License-Identifier: MIT */
#include "archive/scribe.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/thread.h"

struct note {
	scribe_fn fn; /* NULL: the end */
	void *data;
	size_t size;
	char text[SCRIBE_TEXT_MAX];
};

struct scribe {
	pthread_t thread;
	sem_t waiting; /* notes that were put and not taken */
	atomic_uint done;
	unsigned int put;
	struct note notes[SCRIBE_SLOTS + 1]; /* the last free one is for the end */
};

static void *run(void *data)
{
	struct scribe *scribe = data;
	unsigned int next = 0;

	for (;;) {
		struct note *note = &scribe->notes[next % (SCRIBE_SLOTS + 1)];

		while (sem_wait(&scribe->waiting) < 0)
			;
		if (!note->fn)
			return NULL;
		note->fn(note->data, note->text, note->size);
		atomic_store_explicit(&scribe->done, ++next, memory_order_release);
	}
}

static void note_put(struct scribe *scribe, scribe_fn fn, void *data, const char *text, size_t size)
{
	struct note *note = &scribe->notes[scribe->put++ % (SCRIBE_SLOTS + 1)];

	note->fn = fn;
	note->data = data;
	note->size = size;
	if (size)
		memcpy(note->text, text, size);
	sem_post(&scribe->waiting);
}

int scribe_new(struct scribe **ret)
{
	struct scribe *scribe = calloc(1, sizeof(*scribe));
	int r;

	if (!scribe)
		return -ENOMEM;
	sem_init(&scribe->waiting, 0, 0);
	r = thread_start(&scribe->thread, false, run, scribe);
	if (r < 0) {
		sem_destroy(&scribe->waiting);
		free(scribe);
		return r;
	}
	*ret = scribe;
	return 0;
}

void scribe_free(struct scribe *scribe)
{
	if (!scribe)
		return;
	note_put(scribe, NULL, NULL, NULL, 0);
	pthread_join(scribe->thread, NULL);
	sem_destroy(&scribe->waiting);
	free(scribe);
}

int scribe_put(struct scribe *scribe, scribe_fn fn, void *data, const char *text, size_t size)
{
	unsigned int done = atomic_load_explicit(&scribe->done, memory_order_acquire);

	if (size > SCRIBE_TEXT_MAX)
		return -EMSGSIZE;
	if (scribe->put - done >= SCRIBE_SLOTS)
		return -EAGAIN;
	note_put(scribe, fn, data, text, size);
	return 0;
}
