/* SPDX-License-Identifier: MIT */
/*
 * What the tools answer, field by field. One table is both the schema of an answer and how it is
 * made, so that neither can have a field that the other has not.
 */
#ifndef TOOLS_FIELDS_H
#define TOOLS_FIELDS_H

#include <jansson.h>

#include "facts.h"

enum field_type {
	FIELD_NUMBER,  /* double; NaN: null */
	FIELD_INTEGER, /* int64_t; FACTS_UNKNOWN: null */
	FIELD_NS,      /* int64_t; a decimal string, as JavaScript rounds above 2^53 */
	FIELD_BOOLEAN, /* bool */
	FIELD_TEXT,    /* const char *; NULL: null */
	FIELD_OBJECT,  /* of the fields in `fields`, in the same struct */
	FIELD_CPUS,    /* cpu_set_t; their numbers; none: null */
	FIELD_SOURCES, /* one object a time source, of the fields in `fields` */
};

struct field {
	const char *name; /* NULL ends a table */
	const char *about;
	enum field_type type;
	size_t offset; /* in struct facts, or in struct field_source */
	bool nullable;
	const char *const *names;   /* all that a text may be, ended by NULL; or NULL */
	const struct field *fields; /* FIELD_OBJECT, FIELD_SOURCES */
};

/* A time source, as far as it is shown */
struct field_source {
	const char *name, *kind, *state;
	int64_t stratum, reach, offset_ns, delay_ns, root_distance_ns;
	double sample_age;
};

extern const struct field fields_interval[]; /* in every answer that asks the page */
extern const struct field fields_get_time[]; /* beside it, and so the others */
extern const struct field fields_status[];
extern const struct field fields_future[];
extern const struct field fields_confidence[];
extern const struct field fields_compare[];
extern const struct field fields_wait[];
extern const struct field fields_latency[]; /* in every answer */

/* The most tables that an answer is made of */
#define FIELDS_TABLES 4

/* The JSON Schema of the answer that has the fields of these tables, up to the first NULL. */
json_t *fields_schema(const struct field *const tables[FIELDS_TABLES]);

/* That answer. NULL: out of memory. */
json_t *fields_object(const struct field *const tables[FIELDS_TABLES], const struct facts *facts);

#endif /* TOOLS_FIELDS_H */
