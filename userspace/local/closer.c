/* SPDX-License-Identifier: MIT */
#include "local/closer.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/thread.h"

#define END (-1)

struct closer {
	sem_t waiting; /* descriptors that were put and not taken */
	atomic_uint done;
	atomic_int owners; /* the last one frees it */
	unsigned int put;
	int fds[CLOSER_ROOM + 1]; /* the last free one is for the end */
};

static void let_go(struct closer *closer)
{
	if (atomic_fetch_sub(&closer->owners, 1) > 1)
		return;
	sem_destroy(&closer->waiting);
	free(closer);
}

static void *run(void *data)
{
	struct closer *closer = data;
	unsigned int next = 0;
	int fd;

	for (;;) {
		while (sem_wait(&closer->waiting) < 0)
			;
		fd = closer->fds[next % (CLOSER_ROOM + 1)];
		if (fd == END)
			break;
		close(fd);
		atomic_store_explicit(&closer->done, ++next, memory_order_release);
	}
	let_go(closer);
	return NULL;
}

int closer_new(struct closer **ret)
{
	struct closer *closer = calloc(1, sizeof(*closer));
	pthread_t thread;
	int r;

	if (!closer)
		return -ENOMEM;
	sem_init(&closer->waiting, 0, 0);
	atomic_init(&closer->owners, 2);
	r = thread_start(&thread, true, run, closer);
	if (r < 0) {
		sem_destroy(&closer->waiting);
		free(closer);
		return r;
	}
	*ret = closer;
	return 0;
}

unsigned int closer_pending(const struct closer *closer)
{
	return closer->put - atomic_load_explicit(&closer->done, memory_order_acquire);
}

static void put(struct closer *closer, int fd)
{
	closer->fds[closer->put++ % (CLOSER_ROOM + 1)] = fd;
	sem_post(&closer->waiting);
}

void closer_put(struct closer *closer, int fd)
{
	shutdown(fd, SHUT_RDWR); /* the peer learns of it at once */
	put(closer, fd);
}

void closer_free(struct closer *closer)
{
	if (!closer)
		return;
	put(closer, END);
	let_go(closer);
}
