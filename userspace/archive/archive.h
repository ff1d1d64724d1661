/* SPDX-License-Identifier: MIT */
/*
 * What outlives a run of the daemon: the state file, the audit log and the sample log, and who writes
 * them.
 */
#ifndef ARCHIVE_ARCHIVE_H
#define ARCHIVE_ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "archive/audit.h"
#include "archive/recorder.h"
#include "engine/engine.h"

struct archive;

struct archive_config {
	const char *state_file; /* as for state_file_new() */
	uint32_t state_interval_s;
	struct journal_config audit;
	struct journal_config samples;
	/* Another daemon may have the directories: the audit log then begins with archive_publish() */
	bool standby;
};

/*
 * Begin: the engine, which has had no source and no sample yet, is recorded, and learns what an
 * earlier run left. page: the path of the page, already open to clients. name, with its data: what
 * the sample log calls a source. Counter and engine must outlive the archive. Without any file to
 * write there is no helper thread. Returns 0 or a negative errno, after an error was logged.
 */
int archive_new(struct archive **ret, const struct archive_config *config, const char *page,
		const struct counter *counter, struct engine *engine, recorder_name_fn name,
		void *data);

/*
 * What clients read is at that path from now on, and this daemon writes it: an audit log that had to
 * wait for another daemon's end begins.
 */
void archive_publish(struct archive *archive, const char *page);

/* Once a second; now_ns: CLOCK_MONOTONIC */
void archive_tick(struct archive *archive, const struct engine *engine, int64_t now_ns,
		  const struct chronotick_source *sources, unsigned int count);

/* Save a last time and end, waiting for the disk. NULL is allowed. */
void archive_free(struct archive *archive, const struct engine *engine);

#endif /* ARCHIVE_ARCHIVE_H */
