/* SPDX-License-Identifier: MIT */
/* Keeps the state file: loads it for the engine at the start, has it saved now and then. */
#ifndef ARCHIVE_STATE_FILE_H
#define ARCHIVE_STATE_FILE_H

#include <stdint.h>

#include "archive/scribe.h"
#include "engine/engine.h"
#include "timestamping/counter.h"

struct state_file;

/*
 * path: as configured; NULL: none, STATE_FILE_AUTO: "state" in the directory that the service
 * manager made for it ($STATE_DIRECTORY), none without it. Counter and scribe must outlive the file.
 * Returns 0 with *ret NULL if there is nothing to keep, or a negative errno.
 */
#define STATE_FILE_AUTO "auto"
int state_file_new(struct state_file **ret, const char *path, uint32_t interval_s,
		   const struct counter *counter, struct scribe *scribe);

/*
 * Let an engine that has had no sample yet begin with the file. One that is missing is no news, one
 * that can't be used is told in the log and left alone. file NULL: nothing is done, here and
 * below.
 */
void state_file_load(const struct state_file *file, struct engine *engine);

/* Once a second: save if it is time to, and tell if an earlier save went wrong. now_ns: monotonic */
void state_file_tick(struct state_file *file, const struct engine *engine, int64_t now_ns);

/* Save a last time. The scribe must be freed after it, then state_file_free() may follow. */
void state_file_end(struct state_file *file, const struct engine *engine);
void state_file_free(struct state_file *file);

#endif /* ARCHIVE_STATE_FILE_H */
