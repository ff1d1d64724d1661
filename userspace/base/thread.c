/* SPDX-License-Identifier: MIT */
#include "base/thread.h"

#include <signal.h>

/* At least PTHREAD_STACK_MIN, which is 128 KiB on arm64; getaddrinfo(3) needs more */
#define STACK_SIZE (256 * 1024)

int thread_start(pthread_t *ret, bool detached, void *(*run)(void *data), void *data)
{
	pthread_attr_t attributes;
	sigset_t all, old;
	int r;

	r = pthread_attr_init(&attributes);
	if (r)
		return -r;
	r = pthread_attr_setdetachstate(&attributes, detached ? PTHREAD_CREATE_DETACHED
							      : PTHREAD_CREATE_JOINABLE);
	if (r == 0)
		r = pthread_attr_setstacksize(&attributes, STACK_SIZE);
	if (r == 0) {
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &old);
		r = pthread_create(ret, &attributes, run, data);
		pthread_sigmask(SIG_SETMASK, &old, NULL);
	}
	pthread_attr_destroy(&attributes);
	return -r;
}
