/* SPDX-License-Identifier: MIT */
/*
 * All that a program shows, copied from the page at one moment. What comes from the page is not
 * believed: texts are cut to plain ASCII, and numbers may be anything.
 */
#ifndef VIEW_VIEW_H
#define VIEW_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include <chronotick/chronotick.h>

struct view {
	const char *path;    /* the page that was opened, or would have been */
	const char *backend; /* "module" or "shm" */
	int open; /* 0, or why there is no page: then nothing below but `reason` counts */
	struct chronotick_interval now;
	int trust; /* chronotick_now(): 0, -EAGAIN, -ESTALE; -EBADMSG if senseless; or `open` */
	unsigned int status; /* the page's, or WRITER_GONE if nobody keeps it up to date */
	int64_t system_ns;   /* CLOCK_REALTIME beside `now` */
	bool has_record;
	struct chronotick_record record;
	double uncertainty_s; /* of the record at system_ns, one sigma; NaN without a record */
	struct chronotick_header header;
	struct chronotick_statistics statistics;
	struct chronotick_source source[CHRONOTICK_SOURCES_MAX];
	unsigned int source_count;                     /* never above CHRONOTICK_SOURCES_MAX */
	int64_t source_age_ns[CHRONOTICK_SOURCES_MAX]; /* of the latest sample; -1: none */
	bool writer_gone;
	int64_t heartbeat_age_ns; /* INT64_MAX: never */
	char reason[256];         /* a sentence: why trusted or not, and what to do */
};

/*
 * Open the page of that path (NULL: the library's choice) and copy it. Returns its handle, which is
 * the caller's to close, or NULL if there is no page: see view->open.
 */
struct chronotick *view_open(struct view *view, const char *path);

/* Copy that page again: into a view whose path and backend are those of view_open()'s. */
void view_again(struct view *view, const struct chronotick *ct);

/* view_open(), and close the page. Never fails: see view->open. */
void view_take(struct view *view, const char *path);

/* UTC in ns: the line's, or 0 if none is known. */
int64_t view_utc_ns(const struct view *view);

/* Half of the interval's width, in ns; -1 if it is not trusted. */
int64_t view_bound_ns(const struct view *view);

/* UTC - CLOCK_REALTIME and so on are doubles of the record: NaN where there is no record. */
double view_double(const struct view *view, double value);

/* Is one of CHRONOTICK_FLAG_* set? */
bool view_flag(const struct view *view, uint32_t flag);

/* How far the warm-up is, 0 to 100. */
unsigned int view_warmup_percent(const struct view *view);

#endif /* VIEW_VIEW_H */
