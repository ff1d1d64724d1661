/* SPDX-License-Identifier: MIT */
/*
 * The audit log: once a second what a client of the page reads, and how far CLOCK_REALTIME is from
 * it. What venues' rules on traceability to UTC ask to be kept.
 */
#ifndef ARCHIVE_AUDIT_H
#define ARCHIVE_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "archive/journal.h"
#include "chronotick_page.h"
#include "engine/retro.h"
#include "timestamping/counter.h"

struct audit;

/*
 * page: the path of the page, to be read as any client does. Counter and scribe must outlive the
 * audit.
 * Returns 0, with *ret NULL if there is to be none, or a negative errno after an error was logged.
 */
int audit_new(struct audit **ret, const struct journal_config *config, const char *page,
	      const struct counter *counter, struct scribe *scribe);

/* The page is at that path from now on. */
void audit_page_set(struct audit *audit, const char *page);

/* Write a line, and tell if an earlier one went wrong. NULL is allowed, here and below. */
void audit_tick(struct audit *audit, const struct chronotick_source *sources, unsigned int count);

/*
 * What is thought since a contradiction of the time before it, if it was not written yet: a line of
 * its own.
 */
void audit_correct(struct audit *audit, const struct retro_past *past);

/* After the scribe was freed. */
void audit_free(struct audit *audit);

/* What a line is made of */
struct audit_entry {
	int64_t utc_ns;    /* ns since 1970 */
	int64_t offset_ns; /* UTC - CLOCK_REALTIME */
	uint64_t bound_ns; /* of that offset */
	uint16_t status;   /* with the leap state in it */
	bool trusted;
	uint32_t source; /* enum chronotick_source_kind */
	uint32_t generation;
	int16_t tai_offset_s;
	const struct chronotick_source *sources;
	unsigned int count;
};

/*
 * The line, with its newline. Names of selected sources that would make it longer than
 * JOURNAL_TEXT_MAX are left out, for "+...". Returns its length.
 */
size_t audit_line(char ret[JOURNAL_TEXT_MAX], const struct audit_entry *entry);

/* The line of a correction, likewise; 0: there is none. */
size_t audit_correction(char ret[JOURNAL_TEXT_MAX], const struct retro_past *past);

#endif /* ARCHIVE_AUDIT_H */
