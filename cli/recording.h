/* SPDX-License-Identifier: MIT */
/*
 * Recorded measurements, of whatever kind, as what an engine is given. Kinds are told apart by what
 * is in a file, not by its name.
 */
#ifndef CLI_RECORDING_H
#define CLI_RECORDING_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "archive/sample_text.h"

#define RECORDING_LINE_MAX 4096

/* Limits of what is taken: a century, a day, and MAXDISP of RFC 5905 */
#define RECORDING_TIME_MAX_S 3.2e9
#define RECORDING_OFFSET_MAX_MS 8.64e7
#define RECORDING_DELAY_MAX_MS 16000.0

/*
 * The timescale of recordings that have none: the recorded system clock, which something else
 * disciplines, in ns since a little before the first measurement, as if it had begun at START_NS.
 */
#define RECORDING_START_NS 1000000000LL
/* That first measurement's UTC where none is recorded */
#define RECORDING_EPOCH_NS 1700000000000000000LL

/* A kind of record beside enum sample_record_kind: lines are missing here. */
#define RECORDING_GAP SAMPLE_RECORD_KINDS

/* For measurements that tell none */
struct recording_defaults {
	int64_t delay_ns;
	int64_t dispersion_ns;
};

struct recording;

/*
 * A file as a stream, plain or compressed by gzip. NULL: errno says why. Reading it fails with
 * EBADMSG if compressed data is damaged, or ends too early.
 */
FILE *recording_stream(const char *path);

/*
 * Begin to read a stream; `name` stands for it in messages, which go to `errors`. All of it must
 * outlive the recording. Returns 0; -EINVAL after "name:line: what is wrong" was told; -ENOMEM; or the
 * error of reading it.
 */
int recording_open(struct recording **ret, FILE *stream, const char *name,
		   const struct recording_defaults *defaults, FILE *errors);
void recording_close(struct recording *recording);

/* "csv", "log" or "chrony" */
const char *recording_format(const struct recording *recording);

/* Is raw time a clock that somebody disciplined? Where the records themselves tell, they count. */
bool recording_is_disciplined(const struct recording *recording);

/*
 * The offset of UTC from raw time while the recorded clock was right. Returns false if no clock was
 * recorded, but a counter.
 */
bool recording_reference(const struct recording *recording, int64_t *ret);

/* Returns 1: *ret is the next record; 0: there are no more; or as recording_open(). */
int recording_next(struct recording *recording, struct sample_record *ret);

/* So far: lines that the end of a file, or of a run, has torn, and measurements that are no good */
struct recording_counts {
	uint64_t torn;
	uint64_t invalid; /* chrony says so */
};
void recording_count(const struct recording *recording, struct recording_counts *ret);

#endif /* CLI_RECORDING_H */
