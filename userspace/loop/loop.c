/* SPDX-License-Identifier: MIT */
#include "loop/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000LL

/* The stop word is looked at this often even if nothing happens. */
#define POLL_MS 1000
#define POLL_NS (POLL_MS * 1000000LL)

/* What the timerfd is armed for when it is not, or has expired */
#define UNARMED INT64_MAX

struct watch {
	loop_fd_fn fn;
	void *data;
	int64_t until_ns; /* WATCH_FOREVER, or when it ends */
};

#define WATCH_FOREVER INT64_MAX

struct loop {
	int timer_fd;
	int64_t armed_ns; /* the deadline that timer_fd has, or UNARMED */
	bool spent;       /* timer_fd is readable: setting it again clears it */

	/* polled[0] is timer_fd; a removed one has fd -1 until the next round */
	struct pollfd *polled;
	struct watch *watches;
	unsigned int watch_count;
	unsigned int watch_size;
	bool has_holes;
	int64_t next_until_ns; /* the earliest until_ns of all, or earlier */

	struct loop_timer **heap;
	unsigned int timer_count;
	unsigned int timer_size;
	int end;           /* from loop_end(); 0: go on */
	int64_t served_ns; /* timers up to here have been served: none can be set before it */
};

int64_t loop_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int watches_grow(struct loop *loop)
{
	unsigned int size = loop->watch_size ? 2 * loop->watch_size : 8;
	struct pollfd *polled;
	struct watch *watches;

	polled = reallocarray(loop->polled, size, sizeof(*polled));
	if (!polled)
		return -ENOMEM;
	loop->polled = polled;
	watches = reallocarray(loop->watches, size, sizeof(*watches));
	if (!watches)
		return -ENOMEM;
	loop->watches = watches;
	loop->watch_size = size;
	return 0;
}

int loop_new(struct loop **ret)
{
	struct loop *loop;
	int r;

	loop = calloc(1, sizeof(*loop));
	if (!loop)
		return -ENOMEM;
	loop->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	if (loop->timer_fd < 0) {
		r = -errno;
		goto fail;
	}
	(void)fcntl(loop->timer_fd, F_SETFD, FD_CLOEXEC);
	loop->armed_ns = UNARMED;
	loop->next_until_ns = WATCH_FOREVER;
	r = watches_grow(loop);
	if (r < 0)
		goto fail_timer;
	loop->polled[0] = (struct pollfd){.fd = loop->timer_fd, .events = POLLIN};
	loop->watch_count = 1;
	*ret = loop;
	return 0;

fail_timer:
	free(loop->polled);
	close(loop->timer_fd);
fail:
	free(loop);
	return r;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	close(loop->timer_fd);
	free(loop->polled);
	free(loop->watches);
	free(loop->heap);
	free(loop);
}

/* Its place among the watched, or 0 */
static unsigned int watch_find(const struct loop *loop, int fd)
{
	unsigned int i;

	for (i = 1; i < loop->watch_count; i++) {
		if (loop->polled[i].fd == fd)
			return i;
	}
	return 0;
}

int loop_fd_add(struct loop *loop, int fd, short events, loop_fd_fn fn, void *data)
{
	unsigned int i;
	int r;

	if (fd < 0)
		return -EBADF;
	if (watch_find(loop, fd))
		return -EEXIST;
	if (loop->watch_count == loop->watch_size) {
		r = watches_grow(loop);
		if (r < 0)
			return r;
	}
	i = loop->watch_count++;
	loop->polled[i] = (struct pollfd){.fd = fd, .events = events};
	loop->watches[i] = (struct watch){.fn = fn, .data = data, .until_ns = WATCH_FOREVER};
	return 0;
}

void loop_fd_remove(struct loop *loop, int fd)
{
	unsigned int i = fd < 0 ? 0 : watch_find(loop, fd);

	if (!i)
		return;
	/* The places of the others must hold while they are being served. */
	loop->polled[i].fd = -1;
	loop->polled[i].revents = 0;
	loop->has_holes = true;
}

void loop_fd_until(struct loop *loop, int fd, int64_t until_ns)
{
	unsigned int i = fd < 0 ? 0 : watch_find(loop, fd);

	if (!i)
		return;
	loop->watches[i].until_ns = until_ns;
	if (until_ns < loop->next_until_ns)
		loop->next_until_ns = until_ns;
}

/* Leave out those whose time is over. */
static void watches_expire(struct loop *loop)
{
	int64_t next_ns = WATCH_FOREVER;
	unsigned int i;

	if (loop->served_ns < loop->next_until_ns)
		return;
	for (i = 1; i < loop->watch_count; i++) {
		int64_t until_ns = loop->watches[i].until_ns;

		if (loop->polled[i].fd < 0)
			continue;
		if (until_ns <= loop->served_ns)
			loop_fd_remove(loop, loop->polled[i].fd);
		else if (until_ns < next_ns)
			next_ns = until_ns;
	}
	loop->next_until_ns = next_ns;
}

static void watches_compact(struct loop *loop)
{
	unsigned int from, to = 1;

	for (from = 1; from < loop->watch_count; from++) {
		if (loop->polled[from].fd < 0)
			continue;
		loop->polled[to] = loop->polled[from];
		loop->watches[to] = loop->watches[from];
		to++;
	}
	loop->watch_count = to;
	loop->has_holes = false;
}

static void heap_put(struct loop *loop, struct loop_timer *timer, unsigned int at)
{
	loop->heap[at] = timer;
	timer->slot = at + 1;
}

static void heap_up(struct loop *loop, struct loop_timer *timer, unsigned int at)
{
	while (at > 0) {
		unsigned int parent = (at - 1) / 2;

		if (loop->heap[parent]->deadline_ns <= timer->deadline_ns)
			break;
		heap_put(loop, loop->heap[parent], at);
		at = parent;
	}
	heap_put(loop, timer, at);
}

static void heap_down(struct loop *loop, struct loop_timer *timer, unsigned int at)
{
	for (;;) {
		unsigned int child = 2 * at + 1;

		if (child >= loop->timer_count)
			break;
		if (child + 1 < loop->timer_count &&
		    loop->heap[child + 1]->deadline_ns < loop->heap[child]->deadline_ns)
			child++;
		if (timer->deadline_ns <= loop->heap[child]->deadline_ns)
			break;
		heap_put(loop, loop->heap[child], at);
		at = child;
	}
	heap_put(loop, timer, at);
}

int loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t deadline_ns)
{
	int64_t old_ns = timer->deadline_ns;

	/* Else one that sets itself to the past would be served for ever. */
	if (deadline_ns <= loop->served_ns)
		deadline_ns = loop->served_ns + 1;
	if (timer->slot) {
		timer->deadline_ns = deadline_ns;
		if (deadline_ns < old_ns)
			heap_up(loop, timer, timer->slot - 1);
		else
			heap_down(loop, timer, timer->slot - 1);
		return 0;
	}
	if (loop->timer_count == loop->timer_size) {
		unsigned int size = loop->timer_size ? 2 * loop->timer_size : 8;
		struct loop_timer **heap;

		heap = reallocarray(loop->heap, size, sizeof(struct loop_timer *));
		if (!heap)
			return -ENOMEM;
		loop->heap = heap;
		loop->timer_size = size;
	}
	timer->deadline_ns = deadline_ns;
	loop->timer_count++;
	heap_up(loop, timer, loop->timer_count - 1);
	return 0;
}

void loop_timer_cancel(struct loop *loop, struct loop_timer *timer)
{
	unsigned int at = timer->slot - 1;
	struct loop_timer *last;

	if (!timer->slot)
		return;
	timer->slot = 0;
	last = loop->heap[--loop->timer_count];
	if (last == timer)
		return;
	if (last->deadline_ns < timer->deadline_ns)
		heap_up(loop, last, at);
	else
		heap_down(loop, last, at);
}

/*
 * Have the timerfd fire at the earliest deadline. Setting it also clears an expiry, so it is never
 * read; and it is set only for another deadline than it has.
 */
static int timer_arm(struct loop *loop)
{
	int64_t want = loop->timer_count ? loop->heap[0]->deadline_ns : UNARMED;
	struct itimerspec spec = {0};

	if (want == loop->armed_ns && !loop->spent)
		return 0;
	if (want != UNARMED) {
		/* Zero would disarm it. */
		int64_t deadline_ns = want > 0 ? want : 1;

		spec.it_value.tv_sec = deadline_ns / NS_PER_S;
		spec.it_value.tv_nsec = deadline_ns % NS_PER_S;
	}
	if (timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL) < 0)
		return -errno;
	loop->armed_ns = want;
	loop->spent = false;
	return 0;
}

static void watches_serve(struct loop *loop)
{
	/* Those that callbacks add are behind `count`, and wait for the next round. */
	unsigned int i, count = loop->watch_count;

	for (i = 1; i < count; i++) {
		struct watch watch = loop->watches[i];
		short events = loop->polled[i].revents;
		int fd = loop->polled[i].fd;

		if (fd < 0 || !events)
			continue;
		watch.fn(watch.data, fd, events);
		/* A descriptor that is not open would be reported for ever. */
		if (events & POLLNVAL && loop->polled[i].fd == fd)
			loop_fd_remove(loop, fd);
	}
}

static void timers_serve(struct loop *loop)
{
	if (!loop->timer_count)
		return;
	loop->served_ns = loop_now_ns();
	while (loop->timer_count && loop->heap[0]->deadline_ns <= loop->served_ns) {
		struct loop_timer *timer = loop->heap[0];

		loop_timer_cancel(loop, timer);
		timer->fire(timer->data);
	}
}

/* A timer that wakes poll(2) soon enough saves it a timeout of its own. */
static int poll_timeout(const struct loop *loop)
{
	return loop->armed_ns <= loop->served_ns + POLL_NS ? -1 : POLL_MS;
}

int loop_run(struct loop *loop, const volatile int *stop)
{
	int r;

	while (!*stop && !loop->end) {
		watches_expire(loop);
		if (loop->has_holes)
			watches_compact(loop);
		r = timer_arm(loop);
		if (r < 0)
			return r;
		r = poll(loop->polled, loop->watch_count, poll_timeout(loop));
		if (r < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (*stop)
			break;
		if (loop->polled[0].revents)
			loop->spent = true;
		if (r > (loop->spent ? 1 : 0))
			watches_serve(loop);
		timers_serve(loop);
	}
	return loop->end;
}

void loop_end(struct loop *loop, int error)
{
	loop->end = error;
}
