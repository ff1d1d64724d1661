/* SPDX-License-Identifier: MIT */
/*
 * The sample log: all that the engine is given, so that chronotick-replay can give it to another one.
 * Lines are made in the loop's thread, a microsecond each, and written by the scribe's.
 */
#ifndef ARCHIVE_RECORDER_H
#define ARCHIVE_RECORDER_H

#include <stdint.h>

#include "archive/journal.h"
#include "engine/engine.h"

struct recorder;

/* The name of the source with that index, for people; static until the next call. NULL: not known. */
typedef const char *(*recorder_name_fn)(void *data, unsigned int source);

/*
 * Record from now on. The engine was initialised, and is told nothing before this; it and the scribe
 * must outlive the recorder. Returns 0, with *ret NULL if nothing is to be recorded, or a negative
 * errno after an error was logged.
 */
int recorder_new(struct recorder **ret, const struct journal_config *config, struct engine *engine,
		 struct scribe *scribe, recorder_name_fn name, void *data);

/*
 * Once a second: hand over what was recorded, and look after files. now_ns: CLOCK_MONOTONIC. NULL is
 * allowed, here and below.
 */
void recorder_tick(struct recorder *recorder, int64_t now_ns);

/* Hand over the rest. The engine is let go. The scribe must be freed after it. */
void recorder_end(struct recorder *recorder);
void recorder_free(struct recorder *recorder);

#endif /* ARCHIVE_RECORDER_H */
