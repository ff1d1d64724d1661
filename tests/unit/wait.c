/* SPDX-License-Identifier: MIT */
/* Waiting, with what a writer does meanwhile done in the place of the sleep. */
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "support/fixture.h"

/* What becomes of a sleep: `during` is called for it, and its value is what FUTEX_WAIT gives. */
static struct {
	int (*during)(struct chronotick_page *page);
	struct chronotick_page *page;
	int (*meanwhile)(struct chronotick_page *page); /* once, when CLOCK_MONOTONIC is read */
	unsigned int naps, blind;
	bool read;        /* the page's counter has been read */
	bool still;       /* and stands at its beginning */
	int64_t slept_ns; /* all naps together: CLOCK_MONOTONIC is that much ahead */
	int64_t last_ns;
	uint32_t changes; /* the value that was named */
} kernel;

static int64_t span_ns(const struct timespec *span)
{
	return (int64_t)span->tv_sec * SECOND + span->tv_nsec;
}

/* In the place of libc's. Time passes by sleeping alone: on the page's counter and MONOTONIC. */
long syscall(long number, ...)
{
	const struct timespec *span;
	va_list arguments;
	uint32_t *word;
	int r;

	va_start(arguments, number);
	word = va_arg(arguments, uint32_t *);
	r = va_arg(arguments, int);
	kernel.changes = va_arg(arguments, uint32_t);
	span = va_arg(arguments, const struct timespec *);
	va_end(arguments);
	if (number != SYS_futex || r != FUTEX_WAIT || !kernel.page || !word) {
		errno = ENOSYS;
		return -1;
	}
	kernel.naps++;
	if (__atomic_load_n(&kernel.page->header.changes, __ATOMIC_RELAXED) != kernel.changes) {
		errno = EAGAIN;
		return -1;
	}
	kernel.last_ns = span_ns(span);
	r = kernel.during ? kernel.during(kernel.page) : ETIMEDOUT;
	if (r == ETIMEDOUT)
		kernel.slept_ns += span_ns(span);
	errno = r;
	return r ? -1 : 0;
}

int clock_nanosleep(clockid_t id, int flags, const struct timespec *span, struct timespec *rest)
{
	(void)rest;
	if (id != CLOCK_MONOTONIC || flags != 0)
		return EINVAL;
	kernel.blind++;
	kernel.slept_ns += span_ns(span);
	return 0;
}

/* A nanosecond a look: a spinning reader gets on. */
int clock_gettime(clockid_t id, struct timespec *ret)
{
	static int64_t looks;
	int64_t now_ns = 1000 * SECOND + kernel.slept_ns + looks++;

	int (*meanwhile)(struct chronotick_page * page) = kernel.meanwhile;

	if (id == CLOCK_MONOTONIC && meanwhile && kernel.page && kernel.read) {
		kernel.meanwhile = NULL;
		meanwhile(kernel.page);
	}
	if (id == CLOCK_MONOTONIC_RAW) {
		kernel.read = true;
		if (kernel.still)
			now_ns = 1000 * SECOND;
	}
	ret->tv_sec = now_ns / SECOND;
	ret->tv_nsec = now_ns % SECOND;
	return 0;
}

/* A page on MONOTONIC_RAW, which stands at 1000 s and UTC 1700000000 s, with a bound of 1 us */
static void wait_page(struct fixture *f)
{
	struct chronotick_clock *line;

	page_make(f, CHRONOTICK_COUNTER_MONOTONIC_RAW);
	line = &f->page->clock[0];
	line_make(line, 1000ULL * SECOND);
	line->mult = 1ULL << CHRONOTICK_MULT_SHIFT;
	line->growth = 0;
	line->span = 10ULL * SECOND;
	f->page->clock[1] = *line;
	f->page->header.generation_start = line->anchor;
	open_page(f);
	memset(&kernel, 0, sizeof(kernel));
	kernel.page = f->page;
}

#define UTC (1700000000 * SECOND)

Test(wait, until_it_is_past_for_certain)
{
	struct chronotick_interval now;
	struct fixture f;

	wait_page(&f);
	cr_assert_eq(chronotick_wait_until(f.ct, UTC + SECOND, -1, &now), 0);
	cr_assert_gt(now.earliest_ns, UTC + SECOND);
	cr_assert_lt(now.earliest_ns, UTC + SECOND + 1000, "a reader that spins sees it at once");
	cr_assert_leq(kernel.slept_ns, SECOND + 1000 - CHRONOTICK_SPIN_NS, "the end is spun");
	cr_assert_geq(kernel.slept_ns, SECOND - CHRONOTICK_SPIN_NS - 20000);
	cr_assert_leq(kernel.naps, 10);
	/* What is past already needs no sleep. */
	kernel.naps = 0;
	cr_assert_eq(chronotick_wait_until(f.ct, UTC, 0, NULL), 0);
	cr_assert_eq(chronotick_wait_until(f.ct, INT64_MIN, 0, NULL), 0);
	cr_assert_eq(kernel.naps, 0);
	page_drop(&f);
}

Test(wait, the_very_instant_is_not_past)
{
	struct chronotick_interval now;
	struct fixture f;

	wait_page(&f);
	kernel.still = true;
	cr_assert_eq(chronotick_wait_until(f.ct, UTC - 1000, 0, &now), -ETIMEDOUT);
	cr_assert_eq(now.earliest_ns, UTC - 1000);
	cr_assert_eq(chronotick_wait_until(f.ct, UTC - 1001, 0, &now), 0);
	page_drop(&f);
}

Test(wait, the_time_out_is_kept)
{
	struct chronotick_interval now;
	struct fixture f;

	wait_page(&f);
	cr_assert_eq(chronotick_wait_until(f.ct, UTC + SECOND, 0, &now), -ETIMEDOUT);
	cr_assert_eq(kernel.naps, 0);
	cr_assert_leq(now.earliest_ns, UTC + SECOND);
	cr_assert_gt(now.earliest_ns, UTC - 2000);
	cr_assert_eq(chronotick_wait_until(f.ct, UTC + SECOND, 300000000, &now), -ETIMEDOUT);
	cr_assert_geq(kernel.slept_ns, 299000000);
	cr_assert_leq(kernel.slept_ns, 301000000);
	/* Less than is spun, too */
	cr_assert_eq(chronotick_wait_until(f.ct, now.utc_ns + 50000, 5000, &now), -ETIMEDOUT);
	page_drop(&f);
}

Test(wait, a_writer_that_is_killed_is_noticed_when_its_line_expires)
{
	struct chronotick_interval now;
	struct fixture f;

	wait_page(&f);
	cr_assert_eq(chronotick_wait_until(f.ct, UTC + 3600 * SECOND, -1, &now), -ESTALE);
	cr_assert_eq(now.status, CHRONOTICK_EXPIRED);
	cr_assert_eq(now.latest_ns, INT64_MAX);
	cr_assert_geq(kernel.slept_ns, 10 * SECOND - 1000);
	cr_assert_lt(kernel.slept_ns, 10 * SECOND + 1000000);
	cr_assert_eq(chronotick_wait_until(f.ct, 0, -1, &now), -ESTALE, "not even what is past");
	f.page->clock[0].state = CHRONOTICK_STATE(7, CHRONOTICK_WARMING_UP, 37);
	cr_assert_eq(chronotick_wait_until(f.ct, 0, -1, NULL), -EAGAIN);
	page_drop(&f);
}

static int steps_forward(struct chronotick_page *page)
{
	page->clock[0].utc_ns += 3600 * SECOND;
	page->clock[0].state = CHRONOTICK_STATE(8, CHRONOTICK_SYNCHRONIZED, 37);
	page->header.changes++;
	return 0;
}

/* Once; it's later by as much, and so the rest must be waited for. */
static int steps_back(struct chronotick_page *page)
{
	if (page->clock[0].state == CHRONOTICK_STATE(8, CHRONOTICK_SYNCHRONIZED, 37))
		return ETIMEDOUT;
	page->clock[0].utc_ns -= 2 * SECOND;
	page->clock[0].state = CHRONOTICK_STATE(8, CHRONOTICK_SYNCHRONIZED, 37);
	page->header.changes++;
	return ETIMEDOUT;
}

static int loses_trust(struct chronotick_page *page)
{
	page->clock[0].span = 0;
	page->header.changes++;
	return 0;
}

static int interrupted(struct chronotick_page *page)
{
	(void)page;
	return EINTR;
}

Test(wait, steps_are_followed)
{
	struct chronotick_interval now;
	struct fixture f;

	wait_page(&f);
	kernel.during = steps_forward;
	cr_assert_eq(chronotick_wait_until(f.ct, UTC + 3000 * SECOND, -1, &now), 0);
	cr_assert_eq(now.generation, 8);
	cr_assert_eq(kernel.naps, 1);
	page_drop(&f);

	wait_page(&f);
	kernel.during = steps_back;
	cr_assert_eq(chronotick_wait_until(f.ct, UTC + SECOND, -1, &now), 0);
	cr_assert_gt(now.earliest_ns, UTC + SECOND);
	cr_assert_geq(kernel.slept_ns, 3 * SECOND - 1000000);
	page_drop(&f);
}

Test(wait, trust_that_is_lost_and_signals_end_it)
{
	struct chronotick_interval now;
	struct fixture f;

	wait_page(&f);
	kernel.during = loses_trust;
	cr_assert_eq(chronotick_wait_until(f.ct, UTC + SECOND, -1, &now), -ESTALE);
	cr_assert_eq(kernel.slept_ns, 0);
	page_drop(&f);
	wait_page(&f);
	kernel.during = interrupted;
	cr_assert_eq(chronotick_wait_until(f.ct, UTC + SECOND, -1, &now), -EINTR);
	cr_assert_leq(now.earliest_ns, UTC + SECOND);
	page_drop(&f);
}

/* Told between the look at the line and the sleep: the sleep does not come to be. */
Test(wait, a_change_in_between_is_not_slept_through)
{
	struct chronotick_change last = {0};
	struct chronotick_interval now;
	struct fixture f;

	wait_page(&f);
	kernel.meanwhile = loses_trust;
	cr_assert_eq(chronotick_wait_until(f.ct, UTC + SECOND, -1, &now), -ESTALE);
	cr_assert_eq(kernel.meanwhile, NULL);
	cr_assert_eq(kernel.slept_ns, 0);
	page_drop(&f);

	wait_page(&f);
	cr_assert_eq(chronotick_wait_change(f.ct, &last, -1), 0);
	kernel.meanwhile = loses_trust;
	kernel.read = false;
	cr_assert_eq(chronotick_wait_change(f.ct, &last, -1), 0);
	cr_assert_eq(last.status, CHRONOTICK_EXPIRED);
	cr_assert_eq(kernel.slept_ns, 0);
	page_drop(&f);
}

static int forbidden(struct chronotick_page *page)
{
	(void)page;
	return EPERM;
}

Test(wait, without_a_futex_it_looks_now_and_then)
{
	struct chronotick_change last = {0};
	struct chronotick_interval now;
	struct fixture f;

	wait_page(&f);
	kernel.during = forbidden;
	cr_assert_eq(chronotick_wait_until(f.ct, UTC + SECOND, -1, &now), 0);
	cr_assert_gt(now.earliest_ns, UTC + SECOND);
	cr_assert_geq(kernel.blind, SECOND / CHRONOTICK_NAP_BLIND_NS - 1);
	cr_assert_eq(chronotick_wait_change(f.ct, &last, -1), 0);
	cr_assert_eq(chronotick_wait_change(f.ct, &last, SECOND), -ETIMEDOUT);
	page_drop(&f);
}

Test(wait, a_change_is_told_once)
{
	struct chronotick_change last = {0}, before;
	struct fixture f;

	wait_page(&f);
	f.page->header.changes = 41;
	cr_assert_eq(chronotick_wait_change(f.ct, &last, -1), 0, "who knows nothing is told");
	cr_assert_eq(last.changes, 41);
	cr_assert_eq(last.generation, 7);
	cr_assert_eq(last.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_eq(last.tai_offset_s, 37);
	before = last;
	cr_assert_eq(chronotick_wait_change(f.ct, &last, 0), -ETIMEDOUT);
	cr_assert_eq(kernel.naps, 0);
	cr_assert_eq(chronotick_wait_change(f.ct, &last, SECOND), -ETIMEDOUT);
	cr_assert_eq(kernel.changes, 41);
	cr_assert_eq(memcmp(&last, &before, sizeof(last)), 0);
	kernel.during = interrupted;
	cr_assert_eq(chronotick_wait_change(f.ct, &last, -1), -EINTR);
	cr_assert_eq(memcmp(&last, &before, sizeof(last)), 0);
	kernel.during = steps_forward;
	cr_assert_eq(chronotick_wait_change(f.ct, &last, -1), 0);
	cr_assert_eq(last.generation, 8);
	cr_assert_eq(last.changes, 42);
	kernel.during = NULL;
	/* There and back between two calls */
	f.page->header.changes += 2;
	cr_assert_eq(chronotick_wait_change(f.ct, &last, -1), 0);
	cr_assert_eq(last.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_eq(chronotick_wait_change(f.ct, &last, 0), -ETIMEDOUT);
	page_drop(&f);
}

Test(wait, nobody_needs_to_tell_that_a_line_expires)
{
	struct chronotick_change last = {0};
	struct fixture f;

	wait_page(&f);
	cr_assert_eq(chronotick_wait_change(f.ct, &last, -1), 0);
	cr_assert_eq(last.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_eq(chronotick_wait_change(f.ct, &last, -1), 0);
	cr_assert_eq(last.status, CHRONOTICK_EXPIRED);
	cr_assert_eq(last.changes, 0);
	cr_assert_geq(kernel.slept_ns, 10 * SECOND - 1000);
	cr_assert_lt(kernel.slept_ns, 10 * SECOND + 1000000);
	/* Now there is no end to wait for but the time-out: one long sleep. */
	kernel.naps = 0;
	cr_assert_eq(chronotick_wait_change(f.ct, &last, 600 * SECOND), -ETIMEDOUT);
	cr_assert_leq(kernel.naps, 2);
	page_drop(&f);
}

Test(wait, a_page_gone_mad_is_slept_on)
{
	struct chronotick_change last = {0};
	struct fixture f;

	wait_page(&f);
	cr_assert_eq(chronotick_wait_change(f.ct, &last, 0), 0);
	f.page->clock[0].mult = 0; /* its span is nothing, and never over */
	cr_assert_eq(chronotick_wait_change(f.ct, &last, SECOND), -ETIMEDOUT);
	cr_assert_leq(kernel.naps, SECOND / CHRONOTICK_NAP_MIN_NS + 1);
	cr_assert_eq(chronotick_wait_until(f.ct, UTC + SECOND, SECOND, NULL), -ETIMEDOUT);
	f.page->clock[0].seq = 3;
	f.page->clock[1].seq = 3;
	cr_assert_eq(chronotick_wait_until(f.ct, UTC + SECOND, SECOND, NULL), -ESTALE);
	cr_assert_eq(chronotick_wait_change(f.ct, &last, SECOND), 0);
	cr_assert_eq(last.status, CHRONOTICK_EXPIRED);
	cr_assert_eq(chronotick_wait_change(f.ct, &last, SECOND), -ETIMEDOUT);
	page_drop(&f);
}
