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
 * else /dev/chronotick if it is there, else /dev/shm/chronotick_shm.
 *
 * Returns 0 and a handle in *ret; on error *ret is untouched:
 *	-ENOENT			no such page: no daemon has run
 *	-EACCES			no permission to read it
 *	-EBADMSG		not a ChronoTick page, or one of an earlier boot
 *	-EPROTONOSUPPORT	a page of another ABI version
 *	-ENOTSUP		a page for a counter that this machine cannot read
 *	-ENOMEM and what open(2) and mmap(2) return
 */
CHRONOTICK_API int chronotick_open(struct chronotick **ret, const char *path);

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
 *	-ESTALE	the last line has expired: its writer is gone, or hangs
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
/* The inline reads under names that other languages can call */
CHRONOTICK_API int chronotick_now_fn(const struct chronotick *ct, struct chronotick_interval *ret);
CHRONOTICK_API int chronotick_now_unordered_fn(const struct chronotick *ct,
					       struct chronotick_interval *ret);
CHRONOTICK_API int chronotick_at_fn(const struct chronotick *ct, uint64_t counter,
				    struct chronotick_interval *ret);
#endif

#include "read.h"

#ifdef CHRONOTICK_HEADER_ONLY
#include "slow.h"
#include "open.h"
#include "record.h"
#include "names.h"
#endif

#ifdef __cplusplus
}
#endif

#endif /* CHRONOTICK_H */
