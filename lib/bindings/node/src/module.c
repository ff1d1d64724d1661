/* SPDX-License-Identifier: MIT */
/* The module: what index.js is given, and how errors and intervals get to JavaScript. */
#include <stdlib.h>
#include <string.h>

#include "native.h"

const char *native_strerror(int error)
{
	static const char general[] = "system error";
	const char *text = chronotick_strerror(error);

	return strncmp(text, general, sizeof(general) - 1) == 0 ? strerror(-error) : text;
}

int call_get(struct call *ret, napi_env env, napi_callback_info info)
{
	void *data;

	ret->env = env;
	ret->argc = sizeof(ret->argv) / sizeof(ret->argv[0]);
	if (napi_get_cb_info(env, info, &ret->argc, ret->argv, NULL, &data) != napi_ok)
		return -1;
	ret->handle = data;
	return 0;
}

napi_value native_interval(napi_env env, const struct native *native,
			   const struct chronotick_interval *interval, int error)
{
	napi_value constructor, argv[7], result = NULL;

	if (napi_get_reference_value(env, native->interval, &constructor) != napi_ok ||
	    napi_create_bigint_int64(env, interval->earliest_ns, &argv[0]) != napi_ok ||
	    napi_create_bigint_int64(env, interval->utc_ns, &argv[1]) != napi_ok ||
	    napi_create_bigint_int64(env, interval->latest_ns, &argv[2]) != napi_ok ||
	    napi_create_uint32(env, interval->generation, &argv[3]) != napi_ok ||
	    napi_create_uint32(env, interval->status, &argv[4]) != napi_ok ||
	    napi_create_int32(env, interval->tai_offset_s, &argv[5]) != napi_ok ||
	    napi_create_int32(env, error, &argv[6]) != napi_ok)
		return NULL;
	napi_new_instance(env, constructor, 7, argv, &result);
	return result;
}

napi_value native_failure(napi_env env, const struct native *native, const char *kind, int error,
			  const char *text, const struct chronotick_interval *interval)
{
	napi_value failure, self, argv[4], result = NULL;

	if (napi_get_reference_value(env, native->failure, &failure) != napi_ok ||
	    napi_get_undefined(env, &self) != napi_ok ||
	    napi_create_string_utf8(env, kind, NAPI_AUTO_LENGTH, &argv[0]) != napi_ok ||
	    napi_create_int32(env, -error, &argv[1]) != napi_ok ||
	    napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &argv[2]) != napi_ok)
		return NULL;
	argv[3] = interval ? native_interval(env, native, interval, error) : self;
	if (argv[3])
		napi_call_function(env, self, failure, 4, argv, &result);
	return result;
}

napi_value native_throw(napi_env env, const struct native *native, const char *kind, int error,
			const char *text, const struct chronotick_interval *interval)
{
	napi_value failure = native_failure(env, native, kind, error, text, interval);

	if (failure)
		napi_throw(env, failure);
	return NULL;
}

napi_value native_throw_read(napi_env env, const struct native *native, int error,
			     const struct chronotick_interval *interval)
{
	return native_throw(env, native, "trust", error, native_strerror(error), interval);
}

/* setup(Interval, failure) */
static napi_value setup(napi_env env, napi_callback_info info)
{
	struct native *native;
	struct call call;

	if (call_get(&call, env, info) < 0 || call.argc < 2 ||
	    napi_get_instance_data(env, (void **)&native) != napi_ok)
		return NULL;
	napi_create_reference(env, call.argv[0], 1, &native->interval);
	napi_create_reference(env, call.argv[1], 1, &native->failure);
	return NULL;
}

/* What compare() needs of one interval: latest, earliest, generation and TAI - UTC */
static int compared_get(napi_env env, napi_value object, struct chronotick_interval *ret)
{
	static const char *const names[] = {"earliestNs", "utcNs", "latestNs"};
	int64_t *const ends[] = {&ret->earliest_ns, &ret->utc_ns, &ret->latest_ns};
	napi_value value;
	int32_t tai;
	bool whole;
	int i;

	for (i = 0; i < 3; i++)
		if (napi_get_named_property(env, object, names[i], &value) != napi_ok ||
		    napi_get_value_bigint_int64(env, value, ends[i], &whole) != napi_ok || !whole)
			return -1;
	if (napi_get_named_property(env, object, "generation", &value) != napi_ok ||
	    napi_get_value_uint32(env, value, &ret->generation) != napi_ok ||
	    napi_get_named_property(env, object, "taiCode", &value) != napi_ok ||
	    napi_get_value_int32(env, value, &tai) != napi_ok)
		return -1;
	ret->tai_offset_s = (int16_t)tai;
	return 0;
}

/* compare(a, b): index.js has looked that they are Intervals, and trusted. */
static napi_value compare(napi_env env, napi_callback_info info)
{
	struct chronotick_interval a = {0}, b = {0};
	napi_value result = NULL;
	struct call call;

	if (call_get(&call, env, info) < 0)
		return NULL;
	if (call.argc < 2 || compared_get(env, call.argv[0], &a) < 0 ||
	    compared_get(env, call.argv[1], &b) < 0) {
		napi_throw_type_error(env, NULL, "compare(): two Intervals are needed");
		return NULL;
	}
	napi_create_int32(env, chronotick_compare(&a, &b), &result);
	return result;
}

static napi_value text_of_number(napi_env env, napi_callback_info info,
				 const char *(*name)(uint32_t))
{
	napi_value result = NULL;
	struct call call;
	uint32_t number;

	if (call_get(&call, env, info) < 0)
		return NULL;
	if (call.argc < 1 || napi_get_value_uint32(env, call.argv[0], &number) != napi_ok) {
		napi_throw_type_error(env, NULL, "a number is needed");
		return NULL;
	}
	napi_create_string_utf8(env, name(number), NAPI_AUTO_LENGTH, &result);
	return result;
}

static const char *sentence(uint32_t error)
{
	return native_strerror(-(int)(error & 0xffff));
}

static napi_value status_name(napi_env env, napi_callback_info info)
{
	return text_of_number(env, info, chronotick_status_name);
}

static napi_value source_name(napi_env env, napi_callback_info info)
{
	return text_of_number(env, info, chronotick_source_name);
}

static napi_value strerror_text(napi_env env, napi_callback_info info)
{
	return text_of_number(env, info, sentence);
}

static void native_free(napi_env env, void *data, void *hint)
{
	(void)env; /* its references are gone with it */
	(void)hint;
	free(data);
}

/* Node's macro defines it without a declaration. */
NAPI_MODULE_EXPORT int32_t NODE_API_MODULE_GET_API_VERSION(void);

NAPI_MODULE_INIT()
{
	static const struct entry entries[] = {
		{"setup", setup},
		{"open", clock_open},
		{"compare", compare},
		{"statusName", status_name},
		{"sourceName", source_name},
		{"strerror", strerror_text},
		{"toolsList", tools_list},
		{"toolsCall", tools_call},
	};
	struct native *native = calloc(1, sizeof(*native));
	napi_value function;
	size_t i;

	if (!native || napi_set_instance_data(env, native, native_free, NULL) != napi_ok) {
		free(native);
		napi_throw_error(env, NULL, "out of memory");
		return NULL;
	}
	for (i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		if (napi_create_function(env, entries[i].name, NAPI_AUTO_LENGTH,
					 entries[i].callback, NULL, &function) != napi_ok ||
		    napi_set_named_property(env, exports, entries[i].name, function) != napi_ok)
			return NULL;
	}
	return exports;
}
