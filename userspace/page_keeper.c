/* SPDX-License-Identifier: MIT */
#include "page_keeper.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

static const char *path_of(const struct page_keeper *keeper)
{
	return publisher_path(keeper->publisher);
}

/* An error that lasts is told once, and its end too. */
static void tell(struct page_keeper *keeper, int r, const char *why, int64_t now_ns)
{
	bool same = strcmp(why, keeper->told) == 0;

	if (r == 0) {
		if (keeper->failing)
			log_info("%s: all is well with the page again", path_of(keeper));
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

/* A canary for the page as it is now; the one before stays where there can be none. */
static int canary_renew(struct page_keeper *keeper)
{
	struct canary *canary;
	int r = canary_open(&canary, path_of(keeper), keeper->counter);

	if (r < 0)
		return r;
	canary_close(keeper->canary);
	keeper->canary = canary;
	return 0;
}

static void pages_tell(const struct page_keeper *keeper)
{
	struct publish_view views[PUBLISH_PAGES];
	unsigned int count = publisher_describe(keeper->publisher, views), i;

	for (i = 0; i < count; i++)
		if (views[i].role == PUBLISH_STANDBY)
			log_info("standing by: another daemon writes %s", views[i].path);
		else
			log_debug("writing %s", views[i].path);
}

int page_keeper_open(struct page_keeper *keeper, const struct publish_config *config)
{
	char why[256] = "";
	int32_t owner = 0;
	int r;

	keeper->watched = -1;
	r = publisher_open(&keeper->publisher, config, keeper->counter, &owner, why, sizeof(why));
	if (r == -EBUSY && !*why)
		log_error("another chronotickd, pid %" PRId32 ", writes this page", owner);
	else if (r < 0)
		log_error("%s", *why ? why : strerror(-r));
	else if (*why)
		log_info("%s; publishing in shared memory alone", why);
	if (r < 0)
		return r;
	pages_tell(keeper);
	r = canary_renew(keeper);
	/* While it is another daemon's it may not be there yet. */
	if (r < 0 && page_keeper_publishes(keeper)) {
		log_error("%s: a client could not open the page: %s", path_of(keeper),
			  strerror(-r));
		return r;
	}
	return 0;
}

bool page_keeper_publishes(const struct page_keeper *keeper)
{
	return publisher_page(keeper->publisher) != NULL;
}

bool page_keeper_has_module(const struct page_keeper *keeper)
{
	struct publish_view views[PUBLISH_PAGES];
	unsigned int count = publisher_describe(keeper->publisher, views), i;

	for (i = 0; i < count; i++)
		if (views[i].is_module)
			return true;
	return false;
}

static void keep(struct page_keeper *keeper);

/* The writer before is gone: the kernel says so. */
static void on_ready(void *data, int fd, short events)
{
	(void)fd;
	(void)events;
	keep(data);
}

/* The descriptor that wakes a standby, as it is now. */
static void standby_watch(struct page_keeper *keeper)
{
	int fd = publisher_standby_fd(keeper->publisher);

	if (fd == keeper->watched)
		return;
	if (keeper->watched >= 0)
		loop_fd_remove(keeper->loop, keeper->watched);
	keeper->watched = -1;
	/* Without it the timer finds out. */
	if (fd >= 0 && loop_fd_add(keeper->loop, fd, POLLOUT, on_ready, keeper) == 0)
		keeper->watched = fd;
}

static void renewed(struct page_keeper *keeper)
{
	int r = canary_renew(keeper);

	if (r < 0)
		log_error("%s: a client could not open the new page: %s", path_of(keeper),
			  strerror(-r));
}

static void keep(struct page_keeper *keeper)
{
	char why[sizeof(keeper->told)] = "";
	int r = publisher_keep(keeper->publisher, why, sizeof(why));

	if (r == PUBLISHER_TAKEN)
		log_info("%s", why);
	else
		tell(keeper, r, why, loop_now_ns());
	standby_watch(keeper);
	if (r == PUBLISHER_RENEWED || r == PUBLISHER_TAKEN)
		renewed(keeper);
	if (r == PUBLISHER_TAKEN && keeper->taken)
		keeper->taken(keeper->data);
	if (r == -EBUSY) {
		log_error("%s: another daemon has taken this name, after everything here was "
			  "removed: ending",
			  path_of(keeper));
		keeper->superseded = true;
		loop_end(keeper->loop, r);
	}
}

static void on_time(void *data)
{
	struct page_keeper *keeper = data;
	int64_t now_ns = loop_now_ns(), due_ns = keeper->timer.deadline_ns;

	keep(keeper);
	if (keeper->superseded)
		return;
	due_ns +=
		publisher_waits(keeper->publisher) ? PAGE_KEEPER_STANDBY_NS : PAGE_KEEPER_PERIOD_NS;
	if (due_ns <= now_ns)
		due_ns = now_ns + PAGE_KEEPER_PERIOD_NS;
	loop_timer_set(keeper->loop, &keeper->timer, due_ns);
}

int page_keeper_start(struct page_keeper *keeper, int64_t first_ns)
{
	standby_watch(keeper);
	keeper->timer = (struct loop_timer){.fire = on_time, .data = keeper};
	return loop_timer_set(keeper->loop, &keeper->timer, first_ns);
}

int page_keeper_counter_set(struct page_keeper *keeper)
{
	char why[256] = "";
	int r = publisher_counter_set(keeper->publisher, keeper->counter, why, sizeof(why));

	if (r < 0)
		log_error("%s", *why ? why : strerror(-r));
	else if (*why)
		log_warning("%s", why);
	standby_watch(keeper);
	/* Without room for one, the one before reads what nobody writes. */
	if (r == 0)
		(void)canary_renew(keeper);
	return r;
}

void page_keeper_close(struct page_keeper *keeper)
{
	if (!keeper->publisher)
		return;
	loop_timer_cancel(keeper->loop, &keeper->timer);
	if (keeper->watched >= 0)
		loop_fd_remove(keeper->loop, keeper->watched);
	canary_close(keeper->canary);
	publisher_close(keeper->publisher);
	keeper->publisher = NULL;
}
