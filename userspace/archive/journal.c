/* SPDX-License-Identifier: MIT */
#include "archive/journal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

struct journal {
	const struct journal_kind *kind;
	struct scribe *scribe;
	struct journal_files *files;
	uint64_t lost; /* lines that never came to the scribe, not told of in the journal yet */
	const char *lost_why;
	atomic_int result;
	int told;
};

int journal_new(struct journal **ret, const struct journal_config *config,
		const struct journal_kind *kind, struct scribe *scribe)
{
	struct journal *journal;
	int r;

	*ret = NULL;
	if (!config->directory)
		return 0;
	journal = calloc(1, sizeof(*journal));
	if (!journal)
		return -ENOMEM;
	*journal = (struct journal){.kind = kind, .scribe = scribe};
	r = journal_files_open(&journal->files, config->directory, &config->limits, &kind->names);
	if (r == -EBUSY)
		log_error("%s: %s: another log, or another chronotickd, has this directory",
			  kind->key, config->directory);
	else if (r < 0)
		log_error("%s: %s: %s", kind->key, config->directory, strerror(-r));
	if (r < 0) {
		journal_free(journal);
		return r;
	}
	*ret = journal;
	return 0;
}

/* In the scribe's thread */
static void write_text(void *data, const char *text, size_t size)
{
	struct journal *journal = data;
	int64_t utc_ns;

	memcpy(&utc_ns, text, sizeof(utc_ns));
	atomic_store(&journal->result,
		     journal_files_append(journal->files, utc_ns, text + sizeof(utc_ns),
					  size - sizeof(utc_ns)));
}

static int text_put(struct journal *journal, int64_t utc_ns, const char *text, size_t size)
{
	char note[SCRIBE_TEXT_MAX];

	if (size > JOURNAL_TEXT_MAX)
		return -EMSGSIZE;
	memcpy(note, &utc_ns, sizeof(utc_ns));
	memcpy(note + sizeof(utc_ns), text, size);
	return scribe_put(journal->scribe, write_text, journal, note, sizeof(utc_ns) + size);
}

void journal_lose(struct journal *journal, unsigned int lines, const char *why)
{
	journal->lost += lines;
	journal->lost_why = why;
}

void journal_put(struct journal *journal, int64_t utc_ns, const char *text, size_t size)
{
	char line[128];
	int length;

	if (journal->lost) {
		length = snprintf(line, sizeof(line), "# %" PRIu64 " lines lost: %s\n",
				  journal->lost, journal->lost_why);
		if (text_put(journal, utc_ns, line, (size_t)length) == 0)
			journal->lost = 0;
	}
	if (journal->lost || text_put(journal, utc_ns, text, size) < 0)
		journal_lose(journal, journal_lines(text, size), "the disk is too slow");
}

void journal_tell(struct journal *journal)
{
	int result = atomic_load(&journal->result);

	if (journal->lost && result == 0)
		result = -EAGAIN;
	if (result != journal->told && result < 0)
		log_warning("%s cannot be written: %s", journal->kind->name,
			    journal->lost ? journal->lost_why : strerror(-result));
	else if (result != journal->told)
		log_info("%s is written again", journal->kind->name);
	journal->told = result;
}

void journal_free(struct journal *journal)
{
	if (!journal)
		return;
	journal_files_close(journal->files);
	free(journal);
}
