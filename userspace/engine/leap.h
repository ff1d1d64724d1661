/* SPDX-License-Identifier: MIT */
/*
 * Leap seconds: when the next one comes, what TAI - UTC is, and which samples are of the time
 * before or after one. Pure.
 *
 * UTC as POSIX counts it breaks at a leap second. It does here what the kernel's clock does: at the
 * beginning of an inserted second 23:59:60 it goes back by one, so that 23:59:59 is counted twice;
 * before a second that is left out it goes forward by one. TAI - UTC changes at the same instant,
 * so UTC + (TAI - UTC) runs straight on, and tells the two seconds apart.
 */
#ifndef ENGINE_LEAP_H
#define ENGINE_LEAP_H

#include <stdbool.h>
#include <stdint.h>

#define LEAP_SECOND_NS 1000000000LL
#define LEAP_ENTRIES_MAX 256

/*
 * Samples from so long before the leap to so long after it are not taken: servers follow the leap
 * late, or show 23:59:60 as a second 00:00:00. A leap second that is announced later than that
 * comes too late. All that the time may be off by comes on top.
 */
#define LEAP_GUARD_NS (2 * LEAP_SECOND_NS)
/* The first line after the leap begins a little before its publication: it is past the leap then. */
#define LEAP_MARGIN_NS 1000000LL

/* From from_ns on (UTC, ns since 1970, the beginning of a month), TAI - UTC is tai_s. */
struct leap_entry {
	int64_t from_ns;
	int16_t tai_s;
};

/* All leap seconds, as a leap seconds file has them: ascending, each changes tai_s by one. */
struct leap_table {
	struct leap_entry entries[LEAP_ENTRIES_MAX];
	unsigned int count;
	int64_t expires_ns; /* leap seconds before it are all known */
};

/* A leap second: at at_ns, as it was counted until then, UTC goes on from at_ns + shift_ns. */
struct leap {
	int64_t at_ns;
	int64_t shift_ns; /* -1 s: a second is inserted, 1 s: one is left out, 0: no leap second */
};

/*
 * The first instant at which UTC as POSIX counts it no longer runs on, for a leap state announced
 * at utc_ns: the end of that month for CHRONOTICK_LEAP_INSERT, a second before it for
 * CHRONOTICK_LEAP_DELETE, INT64_MAX for no leap second. leap: CHRONOTICK_LEAP_* in their place in
 * the status. ns since 1970, from 1970 to 2261.
 */
int64_t leap_ns(int64_t utc_ns, uint16_t leap);

/* Does a month begin at utc_ns? From 1970 on. */
bool leap_is_month(int64_t utc_ns);

/*
 * TAI - UTC at utc_ns, or CHRONOTICK_TAI_UNKNOWN: before the first entry, without a table (NULL),
 * or after the table's expiry. A leap second comes at the end of a month only, so the last value
 * holds until the end of the month in which the table expires, less the longest life of a line.
 */
int16_t leap_tai(const struct leap_table *table, int64_t utc_ns);

/* Does the table (may be NULL) know whether the month that holds utc_ns ends with a leap second? */
bool leap_table_covers(const struct leap_table *table, int64_t utc_ns);

/*
 * The leap second at the end of the month that holds utc_ns, by the table where it covers that,
 * else by the vote of the sources (RFC 5905 leap indicator). A vote counts in June and in December
 * only: all leap seconds so far came at their ends, and an indicator that is set in any other month
 * has far more often been a leftover or an error.
 */
void leap_find(struct leap *ret, const struct leap_table *table, int64_t utc_ns, unsigned int vote);

/* What an engine knows of leap seconds. All zero at first. */
struct leap_watch {
	struct leap next;      /* the one at the end of this month */
	struct leap last;      /* the one that was followed last */
	int64_t last_raw_ns;   /* raw time at which it came */
	int64_t last_error_ns; /* how far off that may be */
};

/*
 * Look for the next leap second; utc_ns, give or take error_ns, is now. From LEAP_GUARD_NS before it
 * on it stands, whatever table and vote become. Returns 0, or -EAGAIN if one has come up so late that samples of its time
 * may have been taken: then nothing is known of the time.
 */
int leap_watch_update(struct leap_watch *watch, const struct leap_table *table, int64_t utc_ns,
		      int64_t error_ns, unsigned int vote);

/* Is the leap second due, if UTC is at least earliest_ns at raw time now_ns? */
bool leap_watch_is_due(const struct leap_watch *watch, int64_t earliest_ns);

/*
 * It is followed; utc_ns, give or take error_ns, as counted until now, at raw time now_ns. Returns
 * how far UTC shifts.
 */
int64_t leap_watch_follow(struct leap_watch *watch, int64_t utc_ns, int64_t error_ns,
			  int64_t now_ns);

/*
 * May a sample be taken for which UTC, as counted until now, is utc_ns, give or take error_ns, at
 * raw time raw_ns?
 */
bool leap_watch_allows(const struct leap_watch *watch, int64_t utc_ns, int64_t error_ns,
		       int64_t raw_ns);

/* How far a sample from before the last leap second, taken only now, has to be shifted */
int64_t leap_watch_shift(const struct leap_watch *watch, int64_t raw_ns);

/* The same for a sample while nothing is known of the time yet; what it says itself. */
bool leap_table_allows(const struct leap_table *table, int64_t utc_ns, int64_t error_ns);

/* TAI - UTC now; the watch tells the second 23:59:59 from its repetition. */
int16_t leap_watch_tai(const struct leap_watch *watch, const struct leap_table *table,
		       int64_t utc_ns);

#endif /* ENGINE_LEAP_H */
