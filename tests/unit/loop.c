/* SPDX-License-Identifier: MIT */
/* The poll loop: order of timers, changes from inside callbacks, and when it stops. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "loop/loop.h"

#define MS 1000000LL
#define TIMERS 100

struct run;

struct ordered {
	struct run *run;
	struct loop_timer timer;
};

/* What the callbacks of a test share */
struct run {
	struct loop *loop;
	volatile int stop;
	struct loop_timer end;
	struct ordered timers[TIMERS];
	unsigned int fired;
	int64_t last_ns;
	int fds[2][2]; /* socket pairs: [..][0] is watched, [..][1] writes */
	unsigned int served;
};

static void run_init(struct run *run)
{
	unsigned int i;

	*run = (struct run){.last_ns = INT64_MIN};
	cr_assert_eq(loop_new(&run->loop), 0);
	for (i = 0; i < 2; i++)
		cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, run->fds[i]), 0);
}

static void run_free(struct run *run)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		close(run->fds[i][0]);
		close(run->fds[i][1]);
	}
	loop_free(run->loop);
}

static void end(void *data)
{
	struct run *run = data;

	run->stop = 1;
}

/* Run until a deadline has passed. */
static void run_to(struct run *run, int64_t deadline_ns)
{
	run->stop = 0;
	run->end.fire = end;
	run->end.data = run;
	cr_assert_eq(loop_timer_set(run->loop, &run->end, deadline_ns), 0);
	cr_assert_eq(loop_run(run->loop, &run->stop), 0);
}

static void ordered_fire(void *data)
{
	struct ordered *ordered = data;

	cr_assert_eq(ordered->timer.slot, 0);
	cr_assert(ordered->timer.deadline_ns <= loop_now_ns());
	cr_assert(ordered->timer.deadline_ns >= ordered->run->last_ns);
	ordered->run->last_ns = ordered->timer.deadline_ns;
	ordered->run->fired++;
}

Test(loop, timers_fire_in_order)
{
	int64_t now_ns = loop_now_ns(), latest_ns = 0;
	unsigned int i, cancelled = 0;
	struct run run;

	run_init(&run);
	srand48(1);
	for (i = 0; i < TIMERS; i++) {
		run.timers[i] = (struct ordered){.run = &run};
		run.timers[i].timer.fire = ordered_fire;
		run.timers[i].timer.data = &run.timers[i];
		cr_assert_eq(loop_timer_set(run.loop, &run.timers[i].timer,
					    now_ns + lrand48() % (20 * MS)),
			     0);
	}
	/* Move some, earlier and later, and cancel some. */
	for (i = 0; i < TIMERS; i += 3)
		cr_assert_eq(loop_timer_set(run.loop, &run.timers[i].timer,
					    now_ns + lrand48() % (30 * MS)),
			     0);
	for (i = 0; i < TIMERS; i += 7, cancelled++)
		loop_timer_cancel(run.loop, &run.timers[i].timer);
	loop_timer_cancel(run.loop, &run.timers[0].timer);
	for (i = 0; i < TIMERS; i++) {
		if (run.timers[i].timer.slot && run.timers[i].timer.deadline_ns > latest_ns)
			latest_ns = run.timers[i].timer.deadline_ns;
	}
	run_to(&run, latest_ns + 1);
	cr_assert_eq(run.fired, TIMERS - cancelled);
	run_free(&run);
}

/* A timer that is due again at once neither starves the others nor is it forgotten. */
static void again(void *data)
{
	struct ordered *ordered = data;

	ordered->run->fired++;
	cr_assert_eq(loop_timer_set(ordered->run->loop, &ordered->timer, 0), 0);
}

Test(loop, timer_always_due)
{
	struct run run;

	run_init(&run);
	run.timers[0] = (struct ordered){.run = &run};
	run.timers[0].timer.fire = again;
	run.timers[0].timer.data = &run.timers[0];
	cr_assert_eq(loop_timer_set(run.loop, &run.timers[0].timer, 0), 0);
	run_to(&run, loop_now_ns() + 100 * MS);
	cr_assert(run.fired > 1);
	cr_assert_neq(run.timers[0].timer.slot, 0);
	run_free(&run);
}

static void serve(void *data, int fd, short events)
{
	struct run *run = data;
	char byte;

	cr_assert(events & POLLIN);
	cr_assert_eq(read(fd, &byte, 1), 1);
	run->served++;
}

Test(loop, descriptors)
{
	struct run run;

	run_init(&run);
	cr_assert_eq(loop_fd_add(run.loop, -1, POLLIN, serve, &run), -EBADF);
	cr_assert_eq(loop_fd_add(run.loop, run.fds[0][0], POLLIN, serve, &run), 0);
	cr_assert_eq(loop_fd_add(run.loop, run.fds[0][0], POLLIN, serve, &run), -EEXIST);
	cr_assert_eq(write(run.fds[0][1], "x", 1), 1);
	cr_assert_eq(write(run.fds[0][1], "y", 1), 1);
	run_to(&run, loop_now_ns() + 100 * MS);
	cr_assert_eq(run.served, 2);

	/* Once removed it is left alone, and may be added anew. */
	loop_fd_remove(run.loop, run.fds[0][0]);
	loop_fd_remove(run.loop, run.fds[0][0]);
	loop_fd_remove(run.loop, -1);
	cr_assert_eq(write(run.fds[0][1], "z", 1), 1);
	run_to(&run, loop_now_ns() + 100 * MS);
	cr_assert_eq(run.served, 2);
	cr_assert_eq(loop_fd_add(run.loop, run.fds[0][0], POLLIN, serve, &run), 0);
	run_to(&run, loop_now_ns() + 100 * MS);
	cr_assert_eq(run.served, 3);
	run_free(&run);
}

/* A wake-up after its end ends it; what comes before that is served, and what others have too. */
Test(loop, watched_for_a_time)
{
	struct run run;

	run_init(&run);
	loop_fd_until(run.loop, run.fds[0][0], 0);
	loop_fd_until(run.loop, -1, 0);
	cr_assert_eq(loop_fd_add(run.loop, run.fds[0][0], POLLIN, serve, &run), 0);
	cr_assert_eq(loop_fd_add(run.loop, run.fds[1][0], POLLIN, serve, &run), 0);
	loop_fd_until(run.loop, run.fds[0][0], loop_now_ns() + 60000 * MS);
	loop_fd_until(run.loop, run.fds[1][0], loop_now_ns() + 120000 * MS);
	cr_assert_eq(write(run.fds[0][1], "x", 1), 1);
	run_to(&run, loop_now_ns() + 10 * MS);
	cr_assert_eq(run.served, 1);

	loop_fd_until(run.loop, run.fds[0][0], loop_now_ns());
	run_to(&run, loop_now_ns() + 10 * MS);
	cr_assert_eq(write(run.fds[0][1], "y", 1), 1);
	cr_assert_eq(write(run.fds[1][1], "z", 1), 1);
	run_to(&run, loop_now_ns() + 100 * MS);
	cr_assert_eq(run.served, 2);

	/* It was as good as removed. */
	cr_assert_eq(loop_fd_add(run.loop, run.fds[0][0], POLLIN, serve, &run), 0);
	run_to(&run, loop_now_ns() + 100 * MS);
	cr_assert_eq(run.served, 3);
	run_free(&run);
}

/* Many descriptors, so that the arrays move while one is being served */
#define MANY 40

struct many {
	struct run *run;
	int extra[MANY];
};

static void remove_both(void *data, int fd, short events)
{
	struct many *many = data;
	struct run *run = many->run;
	unsigned int i;

	(void)events;
	(void)fd;
	run->served++;
	for (i = 0; i < 2; i++)
		loop_fd_remove(run->loop, run->fds[i][0]);
	for (i = 0; i < MANY; i++)
		cr_assert_eq(loop_fd_add(run->loop, many->extra[i], POLLIN, serve, run), 0);
}

Test(loop, removal_while_serving)
{
	struct many many;
	struct run run;
	unsigned int i;

	run_init(&run);
	many.run = &run;
	for (i = 0; i < MANY; i++) {
		many.extra[i] = dup(run.fds[0][1]);
		cr_assert(many.extra[i] >= 0);
	}
	/* Both are ready; whichever is served first removes the other, which is not served. */
	for (i = 0; i < 2; i++) {
		cr_assert_eq(loop_fd_add(run.loop, run.fds[i][0], POLLIN, remove_both, &many), 0);
		cr_assert_eq(write(run.fds[i][1], "x", 1), 1);
	}
	run_to(&run, loop_now_ns() + 100 * MS);
	cr_assert_eq(run.served, 1);

	/* What was added in there works. */
	cr_assert_eq(write(run.fds[0][0], "x", 1), 1);
	for (i = 1; i < MANY; i++)
		loop_fd_remove(run.loop, many.extra[i]);
	run_to(&run, loop_now_ns() + 100 * MS);
	cr_assert_eq(run.served, 2);
	for (i = 0; i < MANY; i++)
		close(many.extra[i]);
	run_free(&run);
}

static void invalid(void *data, int fd, short events)
{
	struct run *run = data;

	(void)fd;
	cr_assert_eq(events, POLLNVAL);
	run->served++;
}

/* A descriptor closed under the loop is told once and dropped, instead of being told for ever. */
Test(loop, closed_descriptor)
{
	struct run run;
	int fd;

	run_init(&run);
	fd = dup(run.fds[0][0]);
	cr_assert_eq(loop_fd_add(run.loop, fd, POLLIN, invalid, &run), 0);
	close(fd);
	run_to(&run, loop_now_ns() + 100 * MS);
	cr_assert_eq(run.served, 1);
	run_free(&run);
}

static void end_with_error(void *data)
{
	struct run *run = data;

	run->served++;
	loop_end(run->loop, -EBUSY);
}

Test(loop, ended_from_within)
{
	struct loop_timer timer = {.fire = end_with_error};
	struct run run;

	run_init(&run);
	timer.data = &run;
	cr_assert_eq(loop_timer_set(run.loop, &timer, 0), 0);
	cr_assert_eq(loop_run(run.loop, &run.stop), -EBUSY);
	cr_assert_eq(run.served, 1);
	cr_assert_eq(run.stop, 0);
	run_free(&run);
}

Test(loop, stop)
{
	struct run run;

	run_init(&run);
	run.stop = 1;
	run.timers[0] = (struct ordered){.run = &run};
	run.timers[0].timer.fire = ordered_fire;
	run.timers[0].timer.data = &run.timers[0];
	cr_assert_eq(loop_timer_set(run.loop, &run.timers[0].timer, 0), 0);
	cr_assert_eq(loop_run(run.loop, &run.stop), 0);
	cr_assert_eq(run.fired, 0);
	run_free(&run);
	loop_free(NULL);
}
