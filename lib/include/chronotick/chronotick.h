/* SPDX-License-Identifier: MIT */
/*
 * libchronotick: UTC with an error bound, read from the ChronoTick page.
 *
 * Open once, read as often as you like, from any thread and after fork:
 *
 *	struct chronotick *ct;
 *	struct chronotick_interval now;
 *
 *	if (chronotick_open(&ct, NULL) == 0 && chronotick_now(ct, &now) == 0)
 *		... UTC is between now.earliest_ns and now.latest_ns ...
 *	chronotick_close(ct);
 *
 * Functions return 0 or a negative errno, never log and never exit. With CHRONOTICK_HEADER_ONLY
 * defined before this header nothing needs to be linked; otherwise link with libchronotick.
 */
#ifndef CHRONOTICK_H
#define CHRONOTICK_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "chronotick_page.h"

#ifdef CHRONOTICK_PROBES
/* Arguments in registers or as numbers: libbpf 1.1 knows none that is relative to the program counter. */
#ifndef STAP_SDT_ARG_CONSTRAINT
#define STAP_SDT_ARG_CONSTRAINT nr
#endif
#include <sys/sdt.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

#ifdef CHRONOTICK_HEADER_ONLY
#define CHRONOTICK_API static __attribute__((unused))
#else
#define CHRONOTICK_API extern __attribute__((visibility("default")))
#endif
#define chronotick_inline static inline __attribute__((always_inline))

/*
 * What a read returns. The true UTC was in [earliest_ns, latest_ns] when the counter was read, if
 * the call returned 0. All times are nanoseconds since 1970 as POSIX counts them.
 */
struct chronotick_interval {
	int64_t earliest_ns;
	int64_t utc_ns;
	int64_t latest_ns;
	uint32_t generation;  /* goes up when the time has jumped: never compare across it */
	uint16_t status;      /* enum chronotick_status, leap state in bits 8 and 9 */
	int16_t tai_offset_s; /* TAI - UTC, or CHRONOTICK_TAI_UNKNOWN */
};

/* The same on TAI, which has no leap seconds: ns since 1970-01-01 00:00:00 TAI. */
struct chronotick_tai {
	int64_t earliest_ns;
	int64_t tai_ns;
	int64_t latest_ns;
};

/* How two intervals lie to each other */
enum chronotick_order {
	CHRONOTICK_BEFORE = -1, /* the first certainly happened first */
	CHRONOTICK_OVERLAP = 0, /* it can't be told */
	CHRONOTICK_AFTER = 1,   /* the second certainly happened first */
};

/* What a reader last knew of a page, to wait for something else; zeros: nothing yet. */
struct chronotick_change {
	uint32_t changes;    /* how many the writers have told of, modulo 2^32 */
	uint32_t generation; /* these three as in struct chronotick_interval */
	uint16_t status;     /* CHRONOTICK_EXPIRED once the line has expired */
	int16_t tai_offset_s;
};

/*
 * A handle: its address is that of the clock line in the mapped page, so that a read loads no
 * pointer first and every load has a one-byte displacement. What the library itself keeps about
 * the handle is mapped in front of the page. Only chronotick_open() makes one.
 */
struct chronotick {
	struct chronotick_clock clock;
};

/*
 * Map a page read-only and prefault it. path: a page's file or device; NULL: $CHRONOTICK_PAGE,
 * else /dev/chronotick if it has a writer, else /dev/shm/chronotick_shm.
 *
 * Returns 0 and a handle in *ret; on error *ret is untouched:
 *	-ENOENT			no such page: no daemon has run
 *	-EACCES			no permission to read it
 *	-ELOOP			the path is a symbolic link
 *	-EPERM			group or others may write it; or its owner is neither root nor the
 *				effective user nor the one whose number is in
 *				$CHRONOTICK_PAGE_OWNER (Documentation/page.md, Opening)
 *	-EBADMSG		not a ChronoTick page, or one of an earlier boot
 *	-EPROTONOSUPPORT	a page of another ABI version
 *	-ENOTSUP		a page for a counter that this machine cannot read
 *	-ENOMEM and what open(2) and mmap(2) return
 *
 * Never inlined: gcc would warn of a handle that is not set where it cannot be used.
 */
CHRONOTICK_API __attribute__((noinline)) int chronotick_open(struct chronotick **ret,
							     const char *path);

/*
 * The path that chronotick_open() opens for `path`, which may be NULL. $CHRONOTICK_PAGE does not
 * count in a program that runs with more rights than its user has (set-user-ID and such).
 */
CHRONOTICK_API const char *chronotick_page_path(const char *path);

/* Unmap and free. NULL is allowed. */
CHRONOTICK_API void chronotick_close(struct chronotick *ct);

/*
 * UTC now. Ordered: the counter is read after all loads that stand before the call, so two reads
 * that are ordered by happens-before never go back within a generation.
 *
 * *ret is filled in every case. Returns
 *	0	trusted: synchronised, or holdover within its validity
 *	-EAGAIN	no trusted time yet
 *	-ESTALE	the last line has expired: its writer is gone, or hangs; or the counter has gone
 *		back, which the writer has not noticed yet
 * If not 0, [earliest_ns, latest_ns] is the whole range and utc_ns is the last line extrapolated,
 * or 0 where there was none: good to be shown, not to be used.
 */
chronotick_inline int chronotick_now(const struct chronotick *ct, struct chronotick_interval *ret);

/*
 * UTC now, for one thread's own use: the CPU may read the counter some tens of nanoseconds early,
 * before loads that stand before the call. Else as chronotick_now().
 */
chronotick_inline int chronotick_now_unordered(const struct chronotick *ct,
					       struct chronotick_interval *ret);

/*
 * UTC at a counter value that the caller read before, with chronotick_counter() or the CPU's own
 * instruction. Before the line's anchor the bound grows backwards as it does forwards.
 *
 * Returns as chronotick_now(), and -ERANGE for a value from before the present generation, or from
 * more than CHRONOTICK_GROWTH_NS before the line's anchor.
 */
chronotick_inline int chronotick_at(const struct chronotick *ct, uint64_t counter,
				    struct chronotick_interval *ret);

/*
 * The same, with a bound of the caller's own: a half-width of more than max_bound_ns (0 and more)
 * is not trusted.
 *
 * Returns as chronotick_now() and chronotick_at() do, and -EOVERFLOW for an interval that is wider.
 * That one still holds, unlike those of the other errors, and is in *ret as it is.
 */
chronotick_inline int chronotick_now_within(const struct chronotick *ct, int64_t max_bound_ns,
					    struct chronotick_interval *ret);
chronotick_inline int chronotick_at_within(const struct chronotick *ct, uint64_t counter,
					   int64_t max_bound_ns, struct chronotick_interval *ret);

/*
 * chronotick_at() for `count` counter values, all under one line that is read once. ret: as many
 * intervals. results: as many return values, each as chronotick_at()'s; may be NULL.
 *
 * Returns 0 if all of them are 0, else the first that is not. All are filled in, in every case.
 */
CHRONOTICK_API int chronotick_at_batch(const struct chronotick *ct, const uint64_t *counters,
				       size_t count, struct chronotick_interval *ret, int *results);

/*
 * Which of two happened first? CHRONOTICK_BEFORE: all of *a is before all of *b, so `a` did, if
 * both reads returned 0. Intervals that were not trusted overlap with every other.
 *
 * It is told on TAI where both know it: that is right across generations, leap seconds, pages and
 * machines. Where one does not, on UTC, which counts a second twice at a leap second: then
 * intervals of different generations must be more than a second apart to be ordered. Intervals
 * from two machines have generations that say nothing of each other: compare those with TAI.
 */
chronotick_inline enum chronotick_order chronotick_compare(const struct chronotick_interval *a,
							   const struct chronotick_interval *b);

/*
 * The TAI of the very read that gave the interval. *ret is filled in every case. Returns 0;
 * -ENODATA if TAI - UTC is not known: *ret is then the widest interval.
 */
chronotick_inline int chronotick_interval_tai(const struct chronotick_interval *interval,
					      struct chronotick_tai *ret);

/*
 * Wait until utc_ns is past for certain: until earliest_ns > utc_ns. Sleeps most of the time, and
 * spins the last 0.1 ms. timeout_ns: on CLOCK_MONOTONIC, from now; negative: none.
 *
 * ret (may be NULL): the last read, in every case. Returns
 *	0		utc_ns is past: never early, though time may be slewed or stepped meanwhile
 *	-EAGAIN, -ESTALE	time is not trusted, or no more: as chronotick_now()
 *	-ETIMEDOUT	not past by then; with a timeout_ns of 0 it is only asked for
 *	-EINTR		a signal was handled; utc_ns is absolute, so just call again
 */
CHRONOTICK_API int chronotick_wait_until(const struct chronotick *ct, int64_t utc_ns,
					 int64_t timeout_ns, struct chronotick_interval *ret);

/*
 * Wait until status, leap state, TAI - UTC or generation are not what *last says, or changes of
 * them have been told since, and until the line expires, which nobody tells where the writer was
 * killed. Sleeps; no process is polled for. timeout_ns: as chronotick_wait_until(); 0: only ask.
 *
 * Returns 0, and what is now in *last: call it with the same *last again and nothing is missed.
 * -ETIMEDOUT: nothing has changed; -EINTR: a signal was handled; *last is untouched.
 */
CHRONOTICK_API int chronotick_wait_change(const struct chronotick *ct,
					  struct chronotick_change *last, int64_t timeout_ns);

/*
 * A descriptor that poll(2) finds readable when chronotick_wait_change() would be woken: for
 * programs that wait for more than this. close(2) it before the handle. It is an inotify instance
 * on the page's file, or the kernel module's device, with O_NONBLOCK and O_CLOEXEC set.
 *
 * Returns it; -ENOENT if the page's file has no name any more, or /proc is not there; -EMFILE,
 * -ENFILE, -ENOMEM; or what inotify_init1(2) and inotify_add_watch(2) return.
 */
CHRONOTICK_API int chronotick_poll_fd(const struct chronotick *ct);

/*
 * What has changed, when poll(2) returned, whether for `fd` or not, and before it is first called:
 * as chronotick_wait_change() with a time-out of 0. *timeout_ms: poll(2) no longer than that, since
 * nobody makes `fd` readable when the line expires; -1: it has.
 *
 * Returns 0, and what is now in *last; -ETIMEDOUT: nothing has changed.
 */
CHRONOTICK_API int chronotick_poll_change(const struct chronotick *ct, int fd,
					  struct chronotick_change *last, int *timeout_ms);

/* The counter that the page runs on, ordered as in chronotick_now(). */
CHRONOTICK_API uint64_t chronotick_counter(const struct chronotick *ct);

/* The page itself, for its header, statistics and sources. Never write through a cast of it. */
CHRONOTICK_API const struct chronotick_page *chronotick_page_of(const struct chronotick *ct);

/*
 * A whole copy of the record, or of its shadow if the record is torn. Returns 0; -EAGAIN if no
 * correction has been published yet; -ESTALE if neither could be had whole. Whether the record may
 * be trusted its flags and valid_until tell.
 */
CHRONOTICK_API int chronotick_record_read(const struct chronotick *ct,
					  struct chronotick_record *ret);

/* UTC, in s, at the CLOCK_REALTIME system_time_s, from a record. */
CHRONOTICK_API double chronotick_corrected_time_at(const struct chronotick_record *record,
						   double system_time_s);

/* One standard deviation of chronotick_corrected_time_at(), in s. */
CHRONOTICK_API double chronotick_uncertainty_at(const struct chronotick_record *record,
						double system_time_s);

/*
 * Is anybody writing the page? Judged by the heartbeat, which also works from another PID
 * namespace. Returns 0: yes; -ESTALE: no round for ten publication periods and a second, or the
 * writer has signed off; -EAGAIN: never.
 * age_ns (may be NULL): since the latest round; INT64_MAX if there was none.
 */
CHRONOTICK_API int chronotick_writer_check(const struct chronotick *ct, int64_t *age_ns);

/*
 * Reads of this thread so far that met a line being written, or left half written, and had to look
 * again. With CHRONOTICK_HEADER_ONLY each source file counts its own.
 */
CHRONOTICK_API uint64_t chronotick_torn_reads(void);

/* A sentence for a return value of this library. The text is static. */
CHRONOTICK_API const char *chronotick_strerror(int error);

/* The names of the enums, as CLI and JSON show them; "unknown" for other values. */
CHRONOTICK_API const char *chronotick_status_name(unsigned int status);
CHRONOTICK_API const char *chronotick_source_name(unsigned int source);
CHRONOTICK_API const char *chronotick_source_state_name(unsigned int state);
CHRONOTICK_API const char *chronotick_stamp_name(unsigned int stamp);
CHRONOTICK_API const char *chronotick_counter_name(unsigned int kind);

#ifndef CHRONOTICK_HEADER_ONLY
/*
 * A thread that reads the page every so often, cold, warm and serialised, some 30 us in all, and tells
 * a tracer what a read took; nobody's own reads are touched. chronotick-trace(1) shows it. path: as
 * chronotick_open(); interval_ms: 1 to 3600000.
 *
 * Returns 0 and the canary in *ret; -ERANGE for another interval; -ENOTSUP if the library was built
 * without probes; -EAGAIN if there can be no further thread; or what chronotick_open() returns.
 */
struct chronotick_canary;
CHRONOTICK_API int chronotick_canary_start(struct chronotick_canary **ret, const char *path,
					   unsigned int interval_ms);

/* End the thread and wait for its end. NULL is allowed. In a child of fork it only frees. */
CHRONOTICK_API void chronotick_canary_stop(struct chronotick_canary *canary);

/* The inline functions under names that other languages can call */
CHRONOTICK_API int chronotick_now_fn(const struct chronotick *ct, struct chronotick_interval *ret);
CHRONOTICK_API int chronotick_now_unordered_fn(const struct chronotick *ct,
					       struct chronotick_interval *ret);
CHRONOTICK_API int chronotick_now_within_fn(const struct chronotick *ct, int64_t max_bound_ns,
					    struct chronotick_interval *ret);
CHRONOTICK_API int chronotick_at_fn(const struct chronotick *ct, uint64_t counter,
				    struct chronotick_interval *ret);
CHRONOTICK_API int chronotick_at_within_fn(const struct chronotick *ct, uint64_t counter,
					   int64_t max_bound_ns, struct chronotick_interval *ret);
CHRONOTICK_API enum chronotick_order chronotick_compare_fn(const struct chronotick_interval *a,
							   const struct chronotick_interval *b);
CHRONOTICK_API int chronotick_interval_tai_fn(const struct chronotick_interval *interval,
					      struct chronotick_tai *ret);
#endif

#include "read.h"
#include "interval.h"

#ifdef CHRONOTICK_HEADER_ONLY
#include "slow.h"
#include "batch.h"
#include "wait.h"
#include "poll.h"
#include "open.h"
#include "record.h"
#include "names.h"
#endif

#ifdef __cplusplus
}
#endif

#endif /* CHRONOTICK_H */
