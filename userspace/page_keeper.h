/* SPDX-License-Identifier: MIT */
/* Twice a second: clients must find the page under its name, whatever somebody did to it. */
#ifndef USERSPACE_PAGE_KEEPER_H
#define USERSPACE_PAGE_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include "canary.h"
#include "loop/loop.h"
#include "publish/publish.h"
#include "timestamping/counter.h"

#define PAGE_KEEPER_PERIOD_NS 500000000LL
#define PAGE_KEEPER_AGAIN_NS 60000000000LL /* what was put right is told once in that time */

struct page_keeper {
	struct loop *loop;
	struct publisher *publisher;
	struct canary **canary; /* opened anew with a new page */
	const struct counter *counter;
	const char *path;
	struct loop_timer timer;
	char told[256];
	int64_t told_ns; /* CLOCK_MONOTONIC */
	bool failing;    /* what was told is an error that lasts */
	bool superseded; /* another daemon has the name: the loop was ended */
};

/*
 * Begin at that CLOCK_MONOTONIC time. All but timer, told and the flags must be set, and outlive it;
 * zero the rest. Returns 0 or -ENOMEM.
 */
int page_keeper_start(struct page_keeper *keeper, int64_t first_ns);

#endif /* USERSPACE_PAGE_KEEPER_H */
