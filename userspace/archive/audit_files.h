/* SPDX-License-Identifier: MIT */
/*
 * The audit log's files: one a period, named by the UTC instant at which the period begins
 * (audit-20261122T000000Z.csv), compressed when the next one begins. All of it waits for the disk:
 * after audit_files_open() it is the scribe's.
 */
#ifndef ARCHIVE_AUDIT_FILES_H
#define ARCHIVE_AUDIT_FILES_H

#include <stddef.h>
#include <stdint.h>

struct audit_files;

struct audit_limits {
	uint32_t rotate_s; /* length of a period, at least 1 */
	uint32_t keep;     /* compressed files; older ones are deleted; 0: all are kept */
};

/*
 * Take a directory, for this process alone. header: the first line of each file, with its newline;
 * it must outlive the files. Returns 0; -EBUSY if another process has it; or another negative
 * errno.
 */
int audit_files_open(struct audit_files **ret, const char *directory,
		     const struct audit_limits *limits, const char *header);

/*
 * Append a line of that time, ns since 1970. Lines that could not be written are counted, and the
 * next one that can is preceded by "# N lines lost: reason". A line reaches the disk within
 * AUDIT_SYNC_LINES lines.
 *
 * What an earlier process left uncompressed, of other periods than the line's, is compressed first.
 * Returns 0 or a negative errno, of compressing too; the line is written if that alone failed.
 */
#define AUDIT_SYNC_LINES 60
int audit_files_append(struct audit_files *files, int64_t utc_ns, const char *line, size_t size);

/* The file of the present period stays as it is, for the next process to go on. NULL is allowed. */
void audit_files_close(struct audit_files *files);

#endif /* ARCHIVE_AUDIT_FILES_H */
