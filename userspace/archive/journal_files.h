/* SPDX-License-Identifier: MIT */
/*
 * A journal's files: one a period, named by the UTC instant at which the period begins
 * (audit-20261122T000000Z.csv), compressed when the next one begins. All of it waits for the disk:
 * after journal_files_open() it is the scribe's.
 */
#ifndef ARCHIVE_JOURNAL_FILES_H
#define ARCHIVE_JOURNAL_FILES_H

#include <stddef.h>
#include <stdint.h>

struct journal_files;

struct journal_limits {
	uint32_t rotate_s; /* length of a period, at least 1 */
	uint32_t keep;     /* compressed files; older ones are deleted; 0: all are kept */
};

/* What tells one journal's files from another's; all of it static text. */
struct journal_names {
	const char *prefix; /* with which their names begin: "audit-" */
	const char *ending; /* ".csv" */
	const char *header; /* the first lines of each, with their newlines */
};

/*
 * Take a directory, for this process and this journal alone. The names must outlive the files.
 * Returns 0; -EBUSY if somebody else has it; or another negative errno.
 */
int journal_files_open(struct journal_files **ret, const char *directory,
		       const struct journal_limits *limits, const struct journal_names *names);

/* The number of the period that utc_ns, ns since 1970, lies in */
int64_t journal_period(const struct journal_limits *limits, int64_t utc_ns);

/*
 * Append lines of that time, ns since 1970. Lines that could not be written are counted, and the
 * next ones that can are preceded by "# N lines lost: reason". They reach the disk within
 * JOURNAL_SYNC_TEXTS calls.
 *
 * What an earlier process left uncompressed, of other periods than the lines', is compressed first.
 * Returns 0 or a negative errno, of compressing too; the lines are written if that alone failed.
 */
#define JOURNAL_SYNC_TEXTS 60
int journal_files_append(struct journal_files *files, int64_t utc_ns, const char *text,
			 size_t size);

/* The file of the present period stays as it is, for the next process to go on. NULL is allowed. */
void journal_files_close(struct journal_files *files);

/* How many lines are in the text? */
unsigned int journal_lines(const char *text, size_t size);

#endif /* ARCHIVE_JOURNAL_FILES_H */
