/* SPDX-License-Identifier: MIT */
/* Waiting for a time or for a change. Include <chronotick/chronotick.h>, not this file. */
#ifndef CHRONOTICK_WAIT_H
#define CHRONOTICK_WAIT_H

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "take.h"

/* A wait's last part is spun: a sleep ends some 50 us late, as timers are by default. */
#define CHRONOTICK_SPIN_NS 100000
/* So long a sleep at least, else a page gone mad would have its readers spin. */
#define CHRONOTICK_NAP_MIN_NS 20000
/* So long a sleep where the kernel does not let the page's word be waited on */
#define CHRONOTICK_NAP_BLIND_NS 10000000
/* And so long at most */
#define CHRONOTICK_NAP_MAX_NS 3600000000000

static inline uint64_t chronotick_monotonic_ns(void)
{
	struct timespec now = {0, 0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* When a time-out is over, on CLOCK_MONOTONIC; negative: never. */
static inline uint64_t chronotick_deadline_ns(int64_t timeout_ns)
{
	return timeout_ns < 0 ? UINT64_MAX : chronotick_monotonic_ns() + (uint64_t)timeout_ns;
}

static inline uint64_t chronotick_lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Is it a character device, as the kernel module's page is? */
static inline int chronotick_is_device(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISCHR(status.st_mode);
}

/*
 * The kernel module's device, for its poll(2) alone; -1: it is not to be seen from here. By its
 * usual path, as waits may be called in signal handlers, where nothing can be asked of /proc.
 */
static inline int chronotick_device_open(const struct chronotick_page *page)
{
	int fd;

	if (!(__atomic_load_n(&page->header.kernel_state, __ATOMIC_RELAXED) &
	      CHRONOTICK_KERNEL_SERVES))
		return -1;
	fd = open(CHRONOTICK_DEVICE_PATH, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0 && !chronotick_is_device(fd)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* How a wait sleeps: once the page's word has turned out to be none that can be waited on */
struct chronotick_sleeper {
	int fd;    /* the page's device; -1: there is none */
	int blind; /* the word cannot be waited on */
};

/*
 * Sleep for so many ms, or until the device's own poll(2) says that its page counts another change
 * than at the last read, or when it was opened.
 */
static inline int chronotick_nap_device(int fd, const struct chronotick_page *page,
					uint32_t changes, int ms)
{
	struct pollfd entry;
	uint32_t now;
	int r;

	if (__atomic_load_n(&page->header.changes, __ATOMIC_ACQUIRE) != changes)
		return 0;
	entry.fd = fd;
	entry.events = POLLIN;
	entry.revents = 0;
	r = poll(&entry, 1, ms);
	if (r < 0)
		return errno == EINTR ? -EINTR : 0;
	if (r > 0 && read(fd, &now, sizeof(now)) < 0)
		return 0; /* somebody else's wake-up: the page is looked at in any case */
	return 0;
}

/*
 * Sleep until the page counts another change than `changes`, for `ns` at most. Returns 0, or -EINTR
 * if a signal was handled.
 */
static inline int chronotick_nap(struct chronotick_sleeper *sleeper,
				 const struct chronotick_page *page, uint32_t changes, uint64_t ns)
{
	struct timespec span;
	int r;

	if (ns < CHRONOTICK_NAP_MIN_NS)
		ns = CHRONOTICK_NAP_MIN_NS;
	ns = chronotick_lesser(ns, CHRONOTICK_NAP_MAX_NS);
	span.tv_sec = (time_t)(ns / 1000000000U);
	span.tv_nsec = (long)(ns % 1000000000U);
	if (!sleeper->blind) {
		/* The kernel only compares the word: a read-only mapping will do. */
		if (syscall(SYS_futex, &page->header.changes, FUTEX_WAIT, changes, &span, NULL,
			    0) == 0)
			return 0;
		if (errno == EINTR)
			return -EINTR;
		if (errno == EAGAIN || errno == ETIMEDOUT)
			return 0;
		/* Not to be had: a filter of system calls forbids it, or a device has the page. */
		sleeper->blind = 1;
		sleeper->fd = chronotick_device_open(page);
	}
	/* A part of a millisecond is left for the next nap. */
	if (sleeper->fd >= 0 && ns >= 1000000)
		return chronotick_nap_device(sleeper->fd, page, changes, (int)(ns / 1000000));
	ns = chronotick_lesser(ns, CHRONOTICK_NAP_BLIND_NS);
	span.tv_sec = 0;
	span.tv_nsec = (long)ns;
	r = clock_nanosleep(CLOCK_MONOTONIC, 0, &span, NULL);
	return r == EINTR ? -EINTR : 0;
}

/*
 * For how long the line may still be trusted, rounded up, ns; UINT64_MAX if it may not: then only
 * a writer can change that.
 */
static inline uint64_t chronotick_line_left_ns(const struct chronotick_taken *taken)
{
	const struct chronotick_clock *line = &taken->line;
	uint64_t left = line->span - (taken->counter - line->anchor);
	chronotick_u128 ns;

	if (line->span == 0 || line->span > CHRONOTICK_SPAN_MAX || left > 2 * CHRONOTICK_SPAN_MAX)
		return UINT64_MAX;
	ns = ((chronotick_u128)(left + 1) * line->mult >> CHRONOTICK_MULT_SHIFT) + 1;
	return ns > UINT64_MAX ? UINT64_MAX : (uint64_t)ns;
}

static inline void chronotick_sleeper_end(const struct chronotick_sleeper *sleeper)
{
	if (sleeper->fd >= 0)
		close(sleeper->fd);
}

CHRONOTICK_API int chronotick_wait_change(const struct chronotick *ct,
					  struct chronotick_change *last, int64_t timeout_ns)
{
	struct chronotick_sleeper sleeper = {-1, 0};
	const struct chronotick_private *own = chronotick_private_of(ct);
	uint64_t deadline_ns = chronotick_deadline_ns(timeout_ns), now_ns, left_ns;
	struct chronotick_interval interval;
	struct chronotick_change now;
	struct chronotick_taken taken;
	int r;

	for (;;) {
		/* Before the line is read: what is told later wakes, or keeps from sleeping. */
		now.changes = __atomic_load_n(&own->page->header.changes, __ATOMIC_ACQUIRE);
		r = chronotick_take(&taken, own, CHRONOTICK_READ_ORDERED, 0);
		chronotick_taken_count(&taken, own, r);
		if (r < 0)
			chronotick_lost(&interval);
		else
			chronotick_now_evaluate(&taken, &interval);
		now.generation = interval.generation;
		now.status = interval.status;
		now.tai_offset_s = interval.tai_offset_s;
		if (memcmp(&now, last, sizeof(now)) != 0) {
			*last = now;
			r = 0;
			break;
		}
		now_ns = chronotick_monotonic_ns();
		if (now_ns >= deadline_ns) {
			r = -ETIMEDOUT;
			break;
		}
		left_ns = r < 0 ? CHRONOTICK_NAP_BLIND_NS : chronotick_line_left_ns(&taken);
		r = chronotick_nap(&sleeper, own->page, now.changes,
				   chronotick_lesser(left_ns, deadline_ns - now_ns));
		if (r < 0)
			break;
	}
	chronotick_sleeper_end(&sleeper);
	return r;
}

/* The CPU is told that this is a loop that waits. */
static inline void chronotick_pause(void)
{
#if defined(__x86_64__)
	__asm__ volatile("pause" ::: "memory");
#elif defined(__aarch64__)
	__asm__ volatile("yield" ::: "memory");
#endif
}

/*
 * How long to sleep when the earliest time is `lack` ns short of passing utc_ns, which is more than
 * CHRONOTICK_SPIN_NS. A next line with a smaller bound may bring the earliest time up to the best
 * estimate: nearly up to that at once, the rest in halves.
 */
static inline uint64_t chronotick_nap_ns(const struct chronotick_interval *now, int64_t utc_ns,
					 uint64_t lack)
{
	uint64_t ahead = utc_ns > now->utc_ns ? (uint64_t)utc_ns - (uint64_t)now->utc_ns : 0;

	ahead -= ahead / 1024; /* what a slew may gain on the sleep */
	if (ahead < lack / 2)
		ahead = lack / 2;
	return chronotick_lesser(ahead, lack - CHRONOTICK_SPIN_NS);
}

CHRONOTICK_API int chronotick_wait_until(const struct chronotick *ct, int64_t utc_ns,
					 int64_t timeout_ns, struct chronotick_interval *ret)
{
	const struct chronotick_private *own = chronotick_private_of(ct);
	struct chronotick_sleeper sleeper = {-1, 0};
	uint64_t deadline_ns = chronotick_deadline_ns(timeout_ns), now_ns, lack, nap_ns;
	struct chronotick_interval now;
	struct chronotick_taken taken;
	uint32_t changes;
	int r;

	for (;;) {
		changes = __atomic_load_n(&own->page->header.changes, __ATOMIC_ACQUIRE);
		r = chronotick_now(ct, &now);
		if (r < 0 || now.earliest_ns > utc_ns)
			break;
		now_ns = chronotick_monotonic_ns();
		if (now_ns >= deadline_ns) {
			r = -ETIMEDOUT;
			break;
		}
		lack = (uint64_t)utc_ns - (uint64_t)now.earliest_ns;
		if (lack <= CHRONOTICK_SPIN_NS) {
			chronotick_pause();
			continue;
		}
		nap_ns = chronotick_nap_ns(&now, utc_ns, lack);
		nap_ns = chronotick_lesser(nap_ns, deadline_ns - now_ns);
		/* Nobody wakes up who sleeps when the line expires: a killed writer least of all. */
		if (chronotick_take(&taken, own, CHRONOTICK_READ_ORDERED, 0) == 0)
			nap_ns = chronotick_lesser(nap_ns, chronotick_line_left_ns(&taken));
		r = chronotick_nap(&sleeper, own->page, changes, nap_ns);
		if (r < 0)
			break;
	}
	chronotick_sleeper_end(&sleeper);
	/* What the caller does next is not begun before that counter was read. */
	chronotick_counter_ordered();
	if (ret)
		*ret = now;
	return r;
}

#endif /* CHRONOTICK_WAIT_H */
