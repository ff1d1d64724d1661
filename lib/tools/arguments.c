/* SPDX-License-Identifier: MIT */
#include "arguments.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema.h"

#define NS_PATTERN "^-?[0-9]{1,19}$"

static const char *const types[] = {
	[ARGUMENT_NUMBER] = "number",   [ARGUMENT_INTEGER] = "integer", [ARGUMENT_NS] = "string",
	[ARGUMENT_BOOLEAN] = "boolean", [ARGUMENT_OBJECT] = "object",
};

static bool is_ranged(const struct argument *argument)
{
	return argument->type == ARGUMENT_NUMBER || argument->type == ARGUMENT_INTEGER;
}

/* A limit as people write it: 3600, not 3600.0 */
static json_t *limit(double value)
{
	return value == (double)(json_int_t)value ? json_integer((json_int_t)value)
						  : json_real(value);
}

static json_t *argument_schema(const struct argument *argument)
{
	const char *type = types[argument->type];
	json_t *schema = argument->type == ARGUMENT_OBJECT ? arguments_schema(argument->members)
							   : json_object();
	int r = schema ? 0 : -1;

	if (r == 0)
		r = schema_put(schema, "type",
			       argument->nullable ? json_pack("[ss]", type, "null")
						  : json_string(type));
	if (r == 0)
		r = schema_put(schema, "description", json_string(argument->about));
	if (r == 0 && is_ranged(argument))
		r = schema_put(schema, argument->above ? "exclusiveMinimum" : "minimum",
			       limit(argument->min));
	if (r == 0 && is_ranged(argument))
		r = schema_put(schema, "maximum", limit(argument->max));
	if (r == 0 && argument->type == ARGUMENT_NS)
		r = schema_put(schema, "pattern", json_string(NS_PATTERN));
	if (r == 0 && argument->preset)
		r = schema_put(schema, "default",
			       json_loads(argument->preset, JSON_DECODE_ANY, NULL));
	if (r < 0) {
		json_decref(schema);
		return NULL;
	}
	return schema;
}

json_t *arguments_schema(const struct argument *table)
{
	json_t *properties = json_object(), *required = json_array();
	int r = properties && required ? 0 : -1;

	for (; r == 0 && table->name; table++) {
		r = schema_put(properties, table->name, argument_schema(table));
		if (r == 0 && table->required)
			r = json_array_append_new(required, json_string(table->name));
	}
	return schema_object(properties, required, r);
}

static int __attribute__((format(printf, 2, 3))) complain(char *complaint, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(complaint, ARGUMENTS_COMPLAINT_MAX, format, list);
	va_end(list);
	return -EINVAL;
}

static bool ns_parse(const char *text, int64_t *ret)
{
	size_t length = strlen(text);
	const char *digits = text + (*text == '-');
	char *end;

	if (!*digits || strspn(digits, "0123456789") != strlen(digits) || length > 20)
		return false;
	errno = 0;
	*ret = strtoll(text, &end, 10);
	return errno == 0 && !*end;
}

static int number_check(const struct argument *argument, const json_t *value, char *complaint)
{
	double number = json_number_value(value);
	/* JSON has one kind of numbers, so 5.0 is an integer too. */
	bool right = json_is_number(value) &&
		     (argument->type == ARGUMENT_NUMBER || json_is_integer(value) ||
		      number == (double)(json_int_t)number);

	if (!right)
		return complain(complaint, "%s must be %s", argument->name,
				argument->type == ARGUMENT_NUMBER ? "a number" : "an integer");
	if (number < argument->min || number > argument->max ||
	    (argument->above && number == argument->min))
		return complain(complaint, "%s must be %s %.15g, and %.15g at most", argument->name,
				argument->above ? "more than" : "at least", argument->min,
				argument->max);
	return 0;
}

static int argument_check(const struct argument *argument, const json_t *value, char *complaint)
{
	char inner[ARGUMENTS_COMPLAINT_MAX];
	int64_t ns;

	switch (argument->type) {
	case ARGUMENT_NUMBER:
	case ARGUMENT_INTEGER:
		return number_check(argument, value, complaint);
	case ARGUMENT_NS:
		if (json_is_string(value) && ns_parse(json_string_value(value), &ns))
			return 0;
		return complain(complaint,
				"%s must be a string of decimal digits: ns since 1970, of 64 bits",
				argument->name);
	case ARGUMENT_BOOLEAN:
		return json_is_boolean(value)
			       ? 0
			       : complain(complaint, "%s must be true or false", argument->name);
	case ARGUMENT_OBJECT:
		if (!json_is_object(value))
			return complain(complaint, "%s must be an object", argument->name);
		if (arguments_check(argument->members, value, inner) == 0)
			return 0;
		return complain(complaint, "%s: %.200s", argument->name, inner);
	}
	return complain(complaint, "%s is unknown", argument->name);
}

/* A key may be long, and is not shown whole; what is no plain ASCII of it is not shown. */
static int stranger_complain(const struct argument *table, const char *key, char *complaint)
{
	char shown[41], known[160] = "";
	size_t i;

	for (i = 0; i < sizeof(shown) - 1 && key[i]; i++)
		shown[i] = '?';
	shown[i] = '\0';
	for (i = 0; shown[i]; i++)
		if (key[i] >= ' ' && key[i] <= '~')
			shown[i] = key[i];
	for (; table->name; table++) {
		strncat(known, *known ? ", " : "", sizeof(known) - strlen(known) - 1);
		strncat(known, table->name, sizeof(known) - strlen(known) - 1);
	}
	return complain(complaint, "there is no argument '%s'%s%s", shown,
			*known ? "; there are " : ", nor any other", known);
}

int arguments_check(const struct argument *table, const json_t *given, char *complaint)
{
	const struct argument *argument;
	const json_t *value;
	const char *key;
	void *iterator;
	int r;

	for (argument = table; argument->name; argument++) {
		value = json_object_get(given, argument->name);
		if (!value && argument->required)
			return complain(complaint, "%s is missing", argument->name);
		if (!value || (json_is_null(value) && argument->nullable))
			continue;
		r = argument_check(argument, value, complaint);
		if (r < 0)
			return r;
	}
	for (iterator = json_object_iter((json_t *)given); iterator;
	     iterator = json_object_iter_next((json_t *)given, iterator)) {
		key = json_object_iter_key(iterator);
		for (argument = table; argument->name && strcmp(argument->name, key) != 0;
		     argument++)
			;
		if (!argument->name)
			return stranger_complain(table, key, complaint);
	}
	return 0;
}

double arguments_number(const json_t *given, const char *name, double preset)
{
	const json_t *value = json_object_get(given, name);

	return json_is_number(value) ? json_number_value(value) : preset;
}

int64_t arguments_integer(const json_t *given, const char *name, int64_t preset)
{
	const json_t *value = json_object_get(given, name);

	if (json_is_integer(value))
		return json_integer_value(value);
	return json_is_real(value) ? (int64_t)json_real_value(value) : preset;
}

int64_t arguments_ns(const json_t *given, const char *name, int64_t preset)
{
	const char *text = json_string_value(json_object_get(given, name));
	int64_t ns;

	return text && ns_parse(text, &ns) ? ns : preset;
}

bool arguments_has(const json_t *given, const char *name)
{
	const json_t *value = json_object_get(given, name);

	return value && !json_is_null(value);
}
