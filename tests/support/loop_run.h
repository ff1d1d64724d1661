/* SPDX-License-Identifier: MIT */
/* A loop that runs for a while, for tests of what is in it. */
#ifndef SUPPORT_LOOP_RUN_H
#define SUPPORT_LOOP_RUN_H

#include <criterion/criterion.h>

#include "loop/loop.h"

static inline void loop_run_stop(void *data)
{
	*(volatile int *)data = 1;
}

static inline void loop_run_for(struct loop *loop, int64_t ns)
{
	volatile int stop = 0;
	struct loop_timer timer = {.fire = loop_run_stop, .data = (void *)&stop};

	cr_assert_eq(loop_timer_set(loop, &timer, loop_now_ns() + ns), 0);
	cr_assert_eq(loop_run(loop, &stop), 0);
}

#endif /* SUPPORT_LOOP_RUN_H */
