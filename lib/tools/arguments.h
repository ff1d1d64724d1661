/* SPDX-License-Identifier: MIT */
/* What the tools are asked: one table is both the schema of a tool's input and what is checked. */
#ifndef TOOLS_ARGUMENTS_H
#define TOOLS_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

enum argument_type {
	ARGUMENT_NUMBER,  /* from min to max */
	ARGUMENT_INTEGER, /* likewise */
	ARGUMENT_NS,      /* a decimal string of 64 bits, as JavaScript rounds above 2^53 */
	ARGUMENT_BOOLEAN,
	ARGUMENT_OBJECT, /* of the arguments in `members` */
};

struct argument {
	const char *name; /* NULL ends a table */
	const char *about;
	enum argument_type type;
	bool required;
	bool nullable; /* null is as good as nothing */
	bool above;    /* more than min */
	double min, max;
	const char *preset; /* as JSON, for one that is not required; NULL: none */
	const struct argument *members;
};

#define ARGUMENTS_COMPLAINT_MAX 256

/* The JSON Schema of such an input. NULL: out of memory. */
json_t *arguments_schema(const struct argument *table);

/*
 * Are these what the table says? Returns 0; or -EINVAL and a sentence in `complaint`, which has
 * ARGUMENTS_COMPLAINT_MAX bytes.
 */
int arguments_check(const struct argument *table, const json_t *given, char *complaint);

/* What has been checked; `preset` where it was not given */
double arguments_number(const json_t *given, const char *name, double preset);
int64_t arguments_integer(const json_t *given, const char *name, int64_t preset);
int64_t arguments_ns(const json_t *given, const char *name, int64_t preset);
bool arguments_has(const json_t *given, const char *name);

#endif /* TOOLS_ARGUMENTS_H */
