/* SPDX-License-Identifier: MIT */
/* Recorded offsets, one measurement a line: comma-separated values with a header. */
#ifndef CLI_RECORDING_H
#define CLI_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define RECORDING_LINE_MAX 4096
#define RECORDING_COLUMNS_MAX 64

/* Limits of what is taken: a century, a day, and MAXDISP of RFC 5905 */
#define RECORDING_TIME_MAX_S 3.2e9
#define RECORDING_OFFSET_MAX_MS 8.64e7
#define RECORDING_DELAY_MAX_MS 16000.0

struct recording_row {
	double t_s; /* later than the row before */
	bool has_offset;
	double offset_ms; /* server minus local clock */
	bool has_delay;
	double delay_ms; /* round trip */
};

/* Where the columns are that are used; -1: there is no such column. */
struct recording_columns {
	int time;
	int offset;
	int delay;
};

/*
 * The header names the columns: t_s and ntp_offset_ms must be there, ntp_delay_ms may be, others are
 * passed over. Returns 0, or -EINVAL with a sentence in `wrong`. `line` is changed.
 */
int recording_header(struct recording_columns *ret, char *line, char *wrong, size_t size);

/*
 * One row. An offset or a delay may be empty: nothing was measured then. Returns 0, or -EINVAL with
 * a sentence, which names the column, in `wrong`. `line` is changed.
 */
int recording_row(struct recording_row *ret, const struct recording_columns *columns, char *line,
		  const struct recording_row *before, char *wrong, size_t size);

/*
 * The whole stream. Returns how many rows, in *ret, to be freed; -EINVAL after "name:line: what is
 * wrong" went to `errors`; -ENOMEM; or the error of reading it.
 */
long recording_read(struct recording_row **ret, FILE *stream, const char *name, FILE *errors);

#endif /* CLI_RECORDING_H */
