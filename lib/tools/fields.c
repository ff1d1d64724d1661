/* SPDX-License-Identifier: MIT */
#include "fields.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>

#include "schema.h"

static const char *const types[] = {
	[FIELD_NUMBER] = "number",   [FIELD_INTEGER] = "integer", [FIELD_NS] = "string",
	[FIELD_BOOLEAN] = "boolean", [FIELD_TEXT] = "string",     [FIELD_OBJECT] = "object",
	[FIELD_SOURCES] = "array",   [FIELD_CPUS] = "array",
};

/* What the names of a text are, and null if that may be too */
static json_t *names_schema(const struct field *field)
{
	json_t *list = json_array();
	const char *const *name;
	int r = list ? 0 : -1;

	for (name = field->names; r == 0 && *name; name++)
		r = json_array_append_new(list, json_string(*name));
	if (r == 0 && field->nullable)
		r = json_array_append_new(list, json_null());
	if (r < 0) {
		json_decref(list);
		return NULL;
	}
	return list;
}

static int fields_add_schema(json_t *properties, json_t *required, const struct field *field);

/* The schema of an object with the fields of one table */
static json_t *object_schema(const struct field *const tables[], size_t count)
{
	json_t *properties = json_object(), *required = json_array();
	const struct field *field;
	int r = properties && required ? 0 : -1;
	size_t i;

	for (i = 0; r == 0 && i < count && tables[i]; i++)
		for (field = tables[i]; r == 0 && field->name; field++)
			r = fields_add_schema(properties, required, field);
	return schema_object(properties, required, r);
}

static json_t *field_schema(const struct field *field)
{
	json_t *schema = json_object();
	int r;

	if (!schema)
		return NULL;
	r = schema_put(schema, "type",
		       field->nullable ? json_pack("[ss]", types[field->type], "null")
				       : json_string(types[field->type]));
	if (r == 0 && field->about)
		r = schema_put(schema, "description", json_string(field->about));
	if (r == 0 && field->names)
		r = schema_put(schema, "enum", names_schema(field));
	if (r == 0 && field->type == FIELD_NS)
		r = schema_put(schema, "pattern", json_string("^-?[0-9]+$"));
	if (r == 0 && field->type == FIELD_CPUS)
		r = schema_put(schema, "items", json_pack("{ss}", "type", "integer"));
	if (r == 0 && field->type == FIELD_SOURCES)
		r = schema_put(schema, "items", object_schema(&field->fields, 1));
	if (r < 0) {
		json_decref(schema);
		return NULL;
	}
	return schema;
}

/* An object in an object has its fields, too, and is null or whole. */
static json_t *nested_schema(const struct field *field)
{
	json_t *schema = object_schema(&field->fields, 1);

	if (schema && schema_put(schema, "description", json_string(field->about)) == 0)
		return schema;
	json_decref(schema);
	return NULL;
}

static int fields_add_schema(json_t *properties, json_t *required, const struct field *field)
{
	int r = schema_put(properties, field->name,
			   field->type == FIELD_OBJECT ? nested_schema(field)
						       : field_schema(field));

	return r == 0 ? json_array_append_new(required, json_string(field->name)) : r;
}

json_t *fields_schema(const struct field *const tables[FIELDS_TABLES])
{
	return object_schema(tables, FIELDS_TABLES);
}

static json_t *table_object(const struct field *const tables[], size_t count, const void *from);

static json_t *sources_array(const struct field *field, const struct view *view)
{
	json_t *array = json_array();
	unsigned int i;

	for (i = 0; array && i < view->source_count; i++) {
		const struct chronotick_source *source = &view->source[i];
		const struct field_source shown = {
			.name = source->name,
			.kind = chronotick_source_name(source->kind),
			.state = chronotick_source_state_name(source->state),
			.stratum = source->stratum,
			.reach = source->reach,
			.offset_ns = source->offset_ns,
			.delay_ns = (int64_t)source->delay_ns,
			.root_distance_ns = (int64_t)source->root_distance_ns,
			.sample_age = view->source_age_ns[i] < 0
					      ? (double)NAN
					      : (double)view->source_age_ns[i] * 1e-9,
		};

		if (json_array_append_new(array, table_object(&field->fields, 1, &shown)) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *cpus_array(const cpu_set_t *cpus)
{
	json_t *array = json_array();
	int cpu;

	for (cpu = 0; array && cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, cpus) && json_array_append_new(array, json_integer(cpu)) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *value_of(const struct field *field, const void *from)
{
	const void *at = (const char *)from + field->offset;
	int64_t integer;
	const char *text;
	double number;

	switch (field->type) {
	case FIELD_NUMBER:
		number = *(const double *)at;
		return isfinite(number) ? json_real(number) : json_null();
	case FIELD_INTEGER:
		integer = *(const int64_t *)at;
		return integer == FACTS_UNKNOWN ? json_null() : json_integer(integer);
	case FIELD_NS:
		integer = *(const int64_t *)at;
		return integer == FACTS_UNKNOWN ? json_null() : json_sprintf("%" PRId64, integer);
	case FIELD_BOOLEAN:
		return json_boolean(*(const bool *)at);
	case FIELD_TEXT:
		text = *(const char *const *)at;
		return text ? json_string(text) : json_null();
	case FIELD_CPUS:
		return CPU_COUNT((const cpu_set_t *)at) ? cpus_array(at) : json_null();
	case FIELD_OBJECT:
		return table_object(&field->fields, 1, from);
	case FIELD_SOURCES:
		return sources_array(field, &((const struct facts *)from)->view);
	}
	return NULL;
}

static json_t *table_object(const struct field *const tables[], size_t count, const void *from)
{
	json_t *object = json_object();
	const struct field *field;
	int r = object ? 0 : -1;
	size_t i;

	for (i = 0; r == 0 && i < count && tables[i]; i++)
		for (field = tables[i]; r == 0 && field->name; field++)
			r = schema_put(object, field->name, value_of(field, from));
	if (r < 0) {
		json_decref(object);
		return NULL;
	}
	return object;
}

json_t *fields_object(const struct field *const tables[FIELDS_TABLES], const struct facts *facts)
{
	return table_object(tables, FIELDS_TABLES, facts);
}
