/* SPDX-License-Identifier: MIT */
/*
 * The daemon's pages: opened at the start, looked after twice a second, since clients must find
 * them whatever somebody did to them, and waited for while another daemon writes them. With them the
 * canary, which reads as clients do.
 */
#ifndef USERSPACE_PAGE_KEEPER_H
#define USERSPACE_PAGE_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include "canary.h"
#include "loop/loop.h"
#include "publish/publish.h"
#include "timestamping/counter.h"

#define PAGE_KEEPER_PERIOD_NS 500000000LL
#define PAGE_KEEPER_STANDBY_NS 20000000LL  /* while a page is waited for */
#define PAGE_KEEPER_AGAIN_NS 60000000000LL /* what was put right is told once in that time */

struct page_keeper {
	struct loop *loop;
	const struct counter *counter;
	void *data;
	void (*taken)(void *data); /* a page that was waited for is this daemon's */

	struct publisher *publisher;
	struct canary *canary; /* NULL: there is no page to be read */
	struct loop_timer timer;
	int watched; /* the descriptor that is in the loop; -1: none */
	char told[256];
	int64_t told_ns; /* CLOCK_MONOTONIC */
	bool failing;    /* what was told is an error that lasts */
	bool superseded; /* another daemon has the name: the loop was ended */
};

/*
 * Open the pages, and the canary. The first four members must be set, and outlive it; zero the
 * rest. Returns 0 or a negative errno, after an error was logged.
 */
int page_keeper_open(struct page_keeper *keeper, const struct publish_config *config);

/* Begin to look after them at that CLOCK_MONOTONIC time. Returns 0 or -ENOMEM. */
int page_keeper_start(struct page_keeper *keeper, int64_t first_ns);

/*
 * The counter is another one: publisher_counter_set(), and a canary for what clients find now.
 * Returns 0; or a negative errno after an error was logged: it may be tried again.
 */
int page_keeper_counter_set(struct page_keeper *keeper);

/* Does this daemon publish, and not only stand by? */
bool page_keeper_publishes(const struct page_keeper *keeper);

/* Is the kernel module's page among them, whoever writes it? */
bool page_keeper_has_module(const struct page_keeper *keeper);

void page_keeper_close(struct page_keeper *keeper);

#endif /* USERSPACE_PAGE_KEEPER_H */
