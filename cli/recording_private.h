/* SPDX-License-Identifier: MIT */
/* What the kinds of recordings share: recording.c, recording_csv.c, _chrony.c and _log.c. */
#ifndef CLI_RECORDING_PRIVATE_H
#define CLI_RECORDING_PRIVATE_H

#include "recording.h"

#define RECORDING_WRONG_MAX 256
/* Records that one line may become */
#define RECORDING_QUEUE 12
#define RECORDING_ADDRESS_MAX 46

/* Where a CSV's columns are that are used; -1: there is no such column. */
struct csv_columns {
	int time;
	int offset;
	int delay;
};

struct recording_kind {
	const char *name;
	bool disciplined;
	bool (*knows)(const char *line);
	/*
	 * A line without its newline, which may be changed. What it says is pushed. Returns 0, or -EINVAL
	 * with a sentence in recording->wrong.
	 */
	int (*line)(struct recording *recording, char *line);
	bool torn; /* a line may be torn: the last one, or one before the beginning of a run */
};

extern const struct recording_kind recording_csv, recording_chrony, recording_log;

struct recording {
	const struct recording_kind *kind;
	struct recording_defaults defaults;
	FILE *stream;
	const char *name;
	FILE *errors;
	unsigned long number; /* of the latest line */
	char line[RECORDING_LINE_MAX];
	char wrong[RECORDING_WRONG_MAX];
	unsigned long
		wrong_number; /* the line that `wrong` is about, if it may be a torn one; 0: none */
	struct recording_counts counts;

	struct sample_record queue[RECORDING_QUEUE];
	unsigned int first, count; /* in the queue */

	struct csv_columns columns;
	bool has_time;
	double from_s;    /* of a CSV: the time that raw time begins at */
	int64_t raw_ns;   /* the latest */
	int64_t epoch_ns; /* UTC at RECORDING_START_NS, if the recorded clock was right */
	char addresses[ENGINE_SOURCES_MAX][RECORDING_ADDRESS_MAX];
	unsigned int address_count;
	int64_t last_ns[ENGINE_SOURCES_MAX]; /* chrony: of each source's latest measurement */
};

/* Append to the queue; the record is to be filled in. */
struct sample_record *recording_push(struct recording *recording, unsigned int kind);

/* The beginning of a run on the recording's own timescale, without sources */
void recording_push_start(struct recording *recording);

/* It is recording->raw_ns, */
void recording_push_time(struct recording *recording);

/* and there is a measurement, after which the engine is asked again. */
void recording_push_sample(struct recording *recording, const struct sample *sample);

__attribute__((format(printf, 2, 3))) int recording_refuse(struct recording *recording,
							   const char *format, ...);

#endif /* CLI_RECORDING_PRIVATE_H */
