/* SPDX-License-Identifier: MIT */
/*
 * A journal: lines that the loop's thread gives, in files of a period (journal_files.h) that the
 * scribe's thread writes. What is lost on the way is counted, and told in the journal itself and in
 * the log.
 */
#ifndef ARCHIVE_JOURNAL_H
#define ARCHIVE_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "archive/journal_files.h"
#include "archive/scribe.h"

#define JOURNAL_TEXT_MAX (SCRIBE_TEXT_MAX - sizeof(int64_t)) /* its time goes with it */

struct journal;

struct journal_config {
	const char *directory; /* NULL: there is no journal */
	struct journal_limits limits;
};

struct journal_kind {
	const char *key;  /* of the configuration, for errors: "audit.directory" */
	const char *name; /* "the audit log" */
	struct journal_names names;
};

/*
 * Scribe and kind must outlive the journal. Returns 0, with *ret NULL if there is to be none, or a
 * negative errno after an error was logged.
 */
int journal_new(struct journal **ret, const struct journal_config *config,
		const struct journal_kind *kind, struct scribe *scribe);

/* Append whole lines, at most JOURNAL_TEXT_MAX bytes, of that time, ns since 1970. Never waits. */
void journal_put(struct journal *journal, int64_t utc_ns, const char *text, size_t size);

/* There would have been so many lines; why, static text: there are none. */
void journal_lose(struct journal *journal, unsigned int lines, const char *why);

/* Tell in the log if something went wrong, or is right again. To be called now and then. */
void journal_tell(struct journal *journal);

/* After the scribe was freed. NULL is allowed. */
void journal_free(struct journal *journal);

#endif /* ARCHIVE_JOURNAL_H */
