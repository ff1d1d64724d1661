/* SPDX-License-Identifier: MIT */
/* An open page, as functions that carry it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "native.h"

static napi_value closed(const struct call *call)
{
	return native_throw(call->env, call->handle->native, "closed", 0, "the clock is closed",
			    NULL);
}

/* Unmap unless a wait needs the page still: then its end will. */
static void handle_unmap(struct handle *handle)
{
	if (handle->waits) {
		handle->closing = 1;
		return;
	}
	chronotick_close(handle->ct);
	handle->ct = NULL;
	handle->closing = 0;
}

void handle_put(struct handle *handle)
{
	if (handle->closing)
		handle_unmap(handle);
	if (--handle->owners)
		return;
	chronotick_close(handle->ct);
	if (handle->cell_buffer)
		napi_delete_reference(handle->env, handle->cell_buffer);
	free(handle->path);
	free(handle);
}

/* Throw why a page cannot be opened, and what to do about it. */
static void open_throw(napi_env env, const struct handle *handle, int error)
{
	const char *path = chronotick_page_path(handle->path);
	const char *hint = error == -ENOENT ? "; start chronotickd, or set CHRONOTICK_PAGE" : "";
	char text[1024];

	snprintf(text, sizeof(text), "%s: %s%s", path, native_strerror(error), hint);
	native_throw(env, handle->native, "page", error, text, NULL);
}

/* Map what the handle is for. Returns 0, or -1 with an exception pending and the handle as it was. */
static int handle_open(napi_env env, struct handle *handle)
{
	struct chronotick *ct;
	int r;

	if (handle->waits) {
		native_throw(env, handle->native, "busy", -EBUSY, "a wait is under way", NULL);
		return -1;
	}
	r = chronotick_open(&ct, handle->path);
	if (r < 0) {
		open_throw(env, handle, r);
		return -1;
	}
	chronotick_close(handle->ct);
	handle->ct = ct;
	return 0;
}

static int handle_is_open(const struct handle *handle)
{
	return handle->ct && !handle->closing;
}

/*
 * A read that the fast path has no answer for: r, or no page is open. A lazy handle opens the page
 * when it is needed, and anew where it has expired: then another page may have its name. Returns 0
 * and *ret, or -1 with an exception pending.
 */
static __attribute__((noinline, cold)) int read_slow(const struct call *call, int r,
						     struct chronotick_interval *ret)
{
	struct handle *handle = call->handle;

	if (handle->lazy && !handle->waits && (!handle->ct || r == -ESTALE)) {
		if (handle_open(call->env, handle) < 0)
			return -1;
		r = chronotick_now(handle->ct, ret);
	}
	if (!handle_is_open(handle))
		closed(call);
	else if (r < 0)
		native_throw_read(call->env, handle->native, r, ret);
	return handle_is_open(handle) && r == 0 ? 0 : -1;
}

/* Is there a page? Opens it for a lazy handle. 0, or -1 with an exception pending. */
static int handle_ready(const struct call *call)
{
	struct handle *handle = call->handle;

	if (handle_is_open(handle))
		return 0;
	if (handle->lazy && !handle->ct)
		return handle_open(call->env, handle);
	closed(call);
	return -1;
}

static inline __attribute__((always_inline)) int read_fast(const struct call *call,
							   struct chronotick_interval *ret)
{
	struct handle *handle = call->handle;
	int r = 0;

	if (__builtin_expect(handle_is_open(handle), 1)) {
		r = chronotick_now(handle->ct, ret);
		if (__builtin_expect(r == 0, 1))
			return 0;
	}
	return read_slow(call, r, ret);
}

/* fill(): the cell is what chronotick_now() gives, or an exception is thrown. */
static napi_value clock_fill(napi_env env, napi_callback_info info)
{
	struct call call = {.env = env};

	/* No arguments are asked for: that is the quickest. */
	if (napi_get_cb_info(env, info, NULL, NULL, NULL, (void **)&call.handle) == napi_ok)
		read_fast(&call, call.handle->cell);
	return NULL;
}

static napi_value clock_read(napi_env env, napi_callback_info info)
{
	struct chronotick_interval now;
	struct call call;
	int r;

	if (call_get(&call, env, info) < 0 || handle_ready(&call) < 0)
		return NULL;
	r = chronotick_now(call.handle->ct, &now);
	return native_interval(env, call.handle->native, &now, r);
}

static napi_value clock_within(napi_env env, napi_callback_info info)
{
	struct chronotick_interval now;
	struct call call;
	int64_t bound_ns;
	bool whole;
	int r;

	if (call_get(&call, env, info) < 0)
		return NULL;
	if (call.argc < 1 ||
	    napi_get_value_bigint_int64(env, call.argv[0], &bound_ns, &whole) != napi_ok ||
	    !whole) {
		napi_throw_type_error(env, NULL, "within(): a BigInt of ns is needed");
		return NULL;
	}
	if (handle_ready(&call) < 0)
		return NULL;
	r = chronotick_now_within(call.handle->ct, bound_ns, &now);
	if (r < 0)
		return native_throw_read(env, call.handle->native, r, &now);
	return native_interval(env, call.handle->native, &now, 0);
}

static napi_value clock_counter(napi_env env, napi_callback_info info)
{
	napi_value result = NULL;
	struct call call;

	if (call_get(&call, env, info) < 0)
		return NULL;
	if (handle_ready(&call) < 0)
		return NULL;
	napi_create_bigint_uint64(env, chronotick_counter(call.handle->ct), &result);
	return result;
}

static napi_value clock_at(napi_env env, napi_callback_info info)
{
	struct chronotick_interval interval;
	struct call call;
	uint64_t counter;
	bool whole;
	int r;

	if (call_get(&call, env, info) < 0)
		return NULL;
	if (call.argc < 1 ||
	    napi_get_value_bigint_uint64(env, call.argv[0], &counter, &whole) != napi_ok ||
	    !whole) {
		napi_throw_type_error(env, NULL, "at(): what counter() gave is needed");
		return NULL;
	}
	if (handle_ready(&call) < 0)
		return NULL;
	r = chronotick_at(call.handle->ct, counter, &interval);
	if (r < 0)
		return native_throw_read(env, call.handle->native, r, &interval);
	return native_interval(env, call.handle->native, &interval, 0);
}

/* The record's numbers in the struct's order; index.js gives them their names. */
static napi_value clock_record(napi_env env, napi_callback_info info)
{
	struct chronotick_record record;
	napi_value result, number;
	struct call call;
	uint32_t i;
	int r;

	if (call_get(&call, env, info) < 0)
		return NULL;
	if (handle_ready(&call) < 0)
		return NULL;
	r = chronotick_record_read(call.handle->ct, &record);
	if (r < 0)
		return native_throw_read(env, call.handle->native, r, NULL);
	const double values[] = {
		record.corrected_timestamp,
		record.system_timestamp,
		record.prediction_time,
		record.offset_correction,
		record.drift_rate,
		record.offset_uncertainty,
		record.drift_uncertainty,
		record.valid_until,
		record.confidence,
		record.sequence_number,
		record.flags,
		record.source,
		record.measurement_count,
		record.last_ntp_sync,
		record.daemon_uptime,
		record.total_corrections,
		record.average_latency_ms,
	};
	if (napi_create_array_with_length(env, sizeof(values) / sizeof(values[0]), &result) !=
	    napi_ok)
		return NULL;
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (napi_create_double(env, values[i], &number) != napi_ok ||
		    napi_set_element(env, result, i, number) != napi_ok)
			return NULL;
	return result;
}

/* The age of the writer's latest round, ns; negative where there is no writer (any more). */
static napi_value clock_writer(napi_env env, napi_callback_info info)
{
	napi_value result = NULL;
	struct call call;
	int64_t age_ns;
	int r;

	if (call_get(&call, env, info) < 0)
		return NULL;
	if (handle_ready(&call) < 0)
		return NULL;
	r = chronotick_writer_check(call.handle->ct, &age_ns);
	napi_create_bigint_int64(env, r == 0 ? age_ns : -1, &result);
	return result;
}

static napi_value clock_close(napi_env env, napi_callback_info info)
{
	struct call call;

	if (call_get(&call, env, info) == 0)
		handle_unmap(call.handle);
	return NULL;
}

static napi_value clock_reopen(napi_env env, napi_callback_info info)
{
	struct call call;

	if (call_get(&call, env, info) == 0)
		handle_open(env, call.handle);
	return NULL;
}

static napi_value clock_closed(napi_env env, napi_callback_info info)
{
	napi_value result = NULL;
	struct call call;

	if (call_get(&call, env, info) == 0)
		napi_get_boolean(env, !handle_is_open(call.handle), &result);
	return result;
}

static napi_value clock_path(napi_env env, napi_callback_info info)
{
	napi_value result = NULL;
	struct call call;

	if (call_get(&call, env, info) == 0)
		napi_create_string_utf8(env, chronotick_page_path(call.handle->path),
					NAPI_AUTO_LENGTH, &result);
	return result;
}

static void function_gone(napi_env env, void *data, void *hint)
{
	(void)env;
	(void)hint;
	handle_put(data);
}

/* Each function owns the handle that it carries. */
static int functions_add(napi_env env, struct handle *handle, napi_value object)
{
	static const struct entry entries[] = {
		{"fill", clock_fill},       {"read", clock_read},     {"within", clock_within},
		{"counter", clock_counter}, {"at", clock_at},         {"atBatch", clock_batch},
		{"record", clock_record},   {"writer", clock_writer}, {"waitUntil", clock_wait},
		{"close", clock_close},     {"reopen", clock_reopen}, {"isClosed", clock_closed},
		{"pagePath", clock_path},
	};
	napi_value function;
	size_t i;

	for (i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		if (napi_create_function(env, entries[i].name, NAPI_AUTO_LENGTH,
					 entries[i].callback, handle, &function) != napi_ok ||
		    napi_add_finalizer(env, function, handle, function_gone, NULL, NULL) != napi_ok)
			return -1;
		handle->owners++;
		if (napi_set_named_property(env, object, entries[i].name, function) != napi_ok)
			return -1;
	}
	return 0;
}

/* The path's text in *ret, NULL for none. Returns 0, or -1 with an exception pending. */
static int path_get(napi_env env, napi_value value, char **ret)
{
	napi_valuetype type;
	size_t length;

	*ret = NULL;
	if (napi_typeof(env, value, &type) != napi_ok)
		return -1;
	if (type == napi_undefined || type == napi_null)
		return 0;
	if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) {
		napi_throw_type_error(env, NULL, "Clock(): the path is no string");
		return -1;
	}
	*ret = malloc(length + 1);
	if (!*ret || napi_get_value_string_utf8(env, value, *ret, length + 1, &length) != napi_ok) {
		napi_throw_error(env, NULL, "out of memory");
		return -1;
	}
	if (strlen(*ret) != length) {
		napi_throw_type_error(env, NULL, "Clock(): the path has a NUL in it");
		return -1;
	}
	return 0;
}

/* The cell, as the object's property `cell`: an ArrayBuffer, kept for as long as the handle. */
static int cell_add(napi_env env, struct handle *handle, napi_value object)
{
	napi_value buffer;

	if (napi_create_arraybuffer(env, sizeof(*handle->cell), (void **)&handle->cell, &buffer) !=
		    napi_ok ||
	    napi_create_reference(env, buffer, 1, &handle->cell_buffer) != napi_ok)
		return -1;
	handle->env = env;
	return napi_set_named_property(env, object, "cell", buffer) == napi_ok ? 0 : -1;
}

napi_value clock_open(napi_env env, napi_callback_info info)
{
	napi_value object = NULL, result = NULL;
	struct handle *handle = NULL;
	struct call call;
	bool lazy;

	if (call_get(&call, env, info) < 0 || call.argc < 2 ||
	    napi_get_value_bool(env, call.argv[1], &lazy) != napi_ok)
		return NULL;
	handle = calloc(1, sizeof(*handle));
	if (!handle) {
		napi_throw_error(env, NULL, "out of memory");
		return NULL;
	}
	handle->owners = 1; /* this call */
	handle->lazy = lazy;
	if (napi_get_instance_data(env, (void **)&handle->native) == napi_ok &&
	    path_get(env, call.argv[0], &handle->path) == 0 &&
	    (lazy || handle_open(env, handle) == 0) &&
	    napi_create_object(env, &object) == napi_ok && cell_add(env, handle, object) == 0 &&
	    functions_add(env, handle, object) == 0)
		result = object;
	handle_put(handle);
	return result;
}
