/* SPDX-License-Identifier: MIT */
#include "page_keeper.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

/* An error that lasts is told once, and its end too. */
static void tell(struct page_keeper *keeper, int r, const char *why, int64_t now_ns)
{
	bool same = strcmp(why, keeper->told) == 0;

	if (r == 0) {
		if (keeper->failing)
			log_info("%s: all is well with the page again", keeper->path);
		keeper->failing = false;
		return;
	}
	if (r < 0 ? same && keeper->failing
		  : same && now_ns - keeper->told_ns < PAGE_KEEPER_AGAIN_NS)
		return;
	keeper->failing = r < 0;
	keeper->told_ns = now_ns;
	snprintf(keeper->told, sizeof(keeper->told), "%s", why);
	if (r < 0)
		log_error("%s", why);
	else
		log_warning("%s", why);
}

static void canary_renew(struct page_keeper *keeper)
{
	struct canary *canary;
	int r = canary_open(&canary, keeper->path, keeper->counter);

	if (r < 0) {
		log_error("%s: a client could not open the new page: %s", keeper->path,
			  strerror(-r));
		return;
	}
	canary_close(*keeper->canary);
	*keeper->canary = canary;
}

static void on_time(void *data)
{
	struct page_keeper *keeper = data;
	int64_t now_ns = loop_now_ns(), due_ns = keeper->timer.deadline_ns;
	char why[sizeof(keeper->told)] = "";
	int r = publisher_keep(keeper->publisher, why, sizeof(why));

	tell(keeper, r, why, now_ns);
	if (r == PUBLISHER_RENEWED)
		canary_renew(keeper);
	if (r == -EBUSY) {
		log_error("%s: another daemon has taken this name, after everything here was "
			  "removed: ending",
			  keeper->path);
		keeper->superseded = true;
		loop_end(keeper->loop, r);
		return;
	}
	due_ns += PAGE_KEEPER_PERIOD_NS;
	if (due_ns <= now_ns)
		due_ns = now_ns + PAGE_KEEPER_PERIOD_NS;
	loop_timer_set(keeper->loop, &keeper->timer, due_ns);
}

int page_keeper_start(struct page_keeper *keeper, int64_t first_ns)
{
	keeper->timer = (struct loop_timer){.fire = on_time, .data = keeper};
	return loop_timer_set(keeper->loop, &keeper->timer, first_ns);
}
