/* SPDX-License-Identifier: MIT */
#include "base/thread.h"

#include <sched.h>
#include <signal.h>

static int attributes_set(pthread_attr_t *attributes, bool detached, size_t stack_size)
{
	const struct sched_param ordinary = {0};
	int r;

	r = pthread_attr_setdetachstate(attributes, detached ? PTHREAD_CREATE_DETACHED
							     : PTHREAD_CREATE_JOINABLE);
	if (r == 0)
		r = pthread_attr_setstacksize(attributes, stack_size);
	if (r == 0)
		r = pthread_attr_setinheritsched(attributes, PTHREAD_EXPLICIT_SCHED);
	if (r == 0)
		r = pthread_attr_setschedpolicy(attributes, SCHED_OTHER);
	if (r == 0)
		r = pthread_attr_setschedparam(attributes, &ordinary);
	return r;
}

int thread_start(pthread_t *ret, bool detached, size_t stack_size, void *(*run)(void *data),
		 void *data)
{
	pthread_attr_t attributes;
	sigset_t all, old;
	int r;

	r = pthread_attr_init(&attributes);
	if (r)
		return -r;
	r = attributes_set(&attributes, detached, stack_size);
	if (r == 0) {
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &old);
		r = pthread_create(ret, &attributes, run, data);
		pthread_sigmask(SIG_SETMASK, &old, NULL);
	}
	pthread_attr_destroy(&attributes);
	return -r;
}
