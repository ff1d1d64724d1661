/* SPDX-License-Identifier: MIT */
/*
 * The sample log's lines: all that an engine was given, as text. Documentation/sample-log.md
 * describes them. Pure.
 */
#ifndef ARCHIVE_SAMPLE_TEXT_H
#define ARCHIVE_SAMPLE_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "engine/input.h"

/* The first line of each file, without its newline, and its beginning in any version */
#define SAMPLE_LOG_HEADER "# chronotick sample log 1"
#define SAMPLE_LOG_MAGIC "# chronotick sample log "

#define SAMPLE_LINE_MAX 512 /* with its newline */
#define SAMPLE_FIELDS_MAX 16
#define SAMPLE_WORD_MAX 64 /* a name, with its NUL */

/* What a line can be: an input of the engine (enum engine_input_kind), or one of these. */
enum sample_record_kind {
	SAMPLE_RECORD_RUN = ENGINE_INPUT_KINDS, /* the state at this point of a run follows, */
	SAMPLE_RECORD_MODELS,                   /* this is a part of it, */
	SAMPLE_RECORD_GO,                       /* and this is its end. */
	SAMPLE_RECORD_NAME,
	SAMPLE_RECORD_LEAP,  /* an entry of the next table of leap seconds */
	SAMPLE_RECORD_LEAPS, /* that table is in use from here on */
	SAMPLE_RECORD_TOLD,  /* ENGINE_INPUT_CORRECT, and what the engine told then */
	SAMPLE_RECORD_KINDS,
};

struct sample_told {
	int64_t utc_ns; /* rounded down; 0: no time was told */
	uint64_t mult;
	int64_t bound_ns;
	double uncertainty_ns;
	uint8_t status;
	uint8_t source;
};

struct sample_record {
	unsigned int kind;
	struct engine_input input;  /* its kind is set too if `kind` is one of its kinds, or TOLD */
	char word[SAMPLE_WORD_MAX]; /* RUN: its id; NAME */
	uint64_t number;            /* RUN: so many lines of the run came before */
	struct models_config models;
	struct leap_entry leap;
	int64_t expires_ns; /* LEAPS */
	struct sample_told told;
};

/*
 * The line, with its newline and a NUL. Of a word, only what may stand in one is written. Returns its
 * length.
 */
size_t sample_record_format(char ret[SAMPLE_LINE_MAX], const struct sample_record *record);

/*
 * The record of a line, which has no newline. Fields at its end may be missing, as in lines of
 * earlier versions: they are 0. Values are of their type and finite, but only as far in range as
 * arithmetic needs it: the engine checks what it is given. Returns 0, or -EINVAL with a sentence in
 * `wrong`.
 */
int sample_record_parse(struct sample_record *ret, const char *line, char *wrong, size_t size);

/* A kind's line as the manual has it: its name, and the names of its fields. NULL: no such kind. */
const char *sample_record_usage(unsigned int kind, char ret[SAMPLE_LINE_MAX]);

#endif /* ARCHIVE_SAMPLE_TEXT_H */
