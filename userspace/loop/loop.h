/* SPDX-License-Identifier: MIT */
/*
 * The poll loop: one thread, poll(2), and one timerfd that is armed for the earliest deadline. Only
 * calls that a network simulator can stand in for: no epoll, signalfd, eventfd or pipe.
 */
#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

struct loop;

/* events: what poll(2) returned for the descriptor. */
typedef void (*loop_fd_fn)(void *data, int fd, short events);
typedef void (*loop_timer_fn)(void *data);

/* A timer belongs to its owner, who keeps it alive while it is armed. Zero it before first use. */
struct loop_timer {
	int64_t deadline_ns; /* CLOCK_MONOTONIC */
	loop_timer_fn fire;
	void *data;
	unsigned int slot; /* the loop's own: 1 + position in its heap, 0: not armed */
};

/* Returns 0 or a negative errno. */
int loop_new(struct loop **ret);
void loop_free(struct loop *loop);

/* CLOCK_MONOTONIC, ns */
int64_t loop_now_ns(void);

/* Watch a descriptor. Returns 0, -EEXIST if it is watched already, -ENOMEM. */
int loop_fd_add(struct loop *loop, int fd, short events, loop_fd_fn fn, void *data);
void loop_fd_remove(struct loop *loop, int fd);

/*
 * Watch it no longer than until then, CLOCK_MONOTONIC: as if it were removed at the first wake-up
 * after that, which is not waited for. Nothing happens if it is not watched.
 */
void loop_fd_until(struct loop *loop, int fd, int64_t until_ns);

/*
 * Arm, or arm anew, for a CLOCK_MONOTONIC deadline; one that is past is served in the next round.
 * Returns 0 or -ENOMEM, never that for a timer that is armed.
 */
int loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t deadline_ns);
void loop_timer_cancel(struct loop *loop, struct loop_timer *timer);

/*
 * Run until *stop is not 0. A signal handler may set it; it is looked at after every wake-up, and
 * at least once a second. Returns 0, a negative errno of poll(2), or what loop_end() was given.
 */
int loop_run(struct loop *loop, const volatile int *stop);

/* Called by what the loop serves: let it end after this round with that negative errno. */
void loop_end(struct loop *loop, int error);

#endif /* LOOP_LOOP_H */
