/* SPDX-License-Identifier: MIT */
/* What takes long, off the JavaScript thread: waits; and batches, which do not take long. */
#include <stdlib.h>

#include "native.h"

/* A wait on its way through a thread of libuv's pool */
struct wait {
	struct handle *handle;
	napi_async_work work;
	napi_deferred deferred;
	int64_t utc_ns, timeout_ns;
	struct chronotick_interval interval;
	int result;
};

static void wait_run(napi_env env, void *data)
{
	struct wait *wait = data;

	(void)env;
	do
		wait->result = chronotick_wait_until(wait->handle->ct, wait->utc_ns,
						     wait->timeout_ns, &wait->interval);
	while (wait->result == -EINTR); /* signals are the other threads' */
}

/* Resolved with an Interval, or with null where the time-out came first. */
static void wait_end(napi_env env, napi_status status, void *data)
{
	struct wait *wait = data;
	struct handle *handle = wait->handle;
	napi_value value = NULL;
	int resolved = 0;

	if (status == napi_cancelled)
		wait->result = -ECANCELED;
	if (wait->result == -ETIMEDOUT)
		resolved = napi_get_null(env, &value) == napi_ok;
	else if (wait->result == 0)
		resolved =
			(value = native_interval(env, handle->native, &wait->interval, 0)) != NULL;
	else
		value = native_failure(env, handle->native, "trust", wait->result,
				       native_strerror(wait->result), &wait->interval);
	if (resolved)
		napi_resolve_deferred(env, wait->deferred, value);
	else if (value)
		napi_reject_deferred(env, wait->deferred, value);
	napi_delete_async_work(env, wait->work);
	handle->waits--;
	handle_put(handle);
	free(wait);
}

static int wait_arguments(struct call *call, struct wait *wait)
{
	double timeout_ms;
	bool whole;

	if (call->argc < 2 ||
	    napi_get_value_bigint_int64(call->env, call->argv[0], &wait->utc_ns, &whole) !=
		    napi_ok ||
	    !whole || napi_get_value_double(call->env, call->argv[1], &timeout_ms) != napi_ok ||
	    !(timeout_ms >= 0 && timeout_ms <= 1000)) {
		napi_throw_type_error(call->env, NULL,
				      "waitUntil(): a BigInt of ns and 0 to 1000 ms are needed");
		return -1;
	}
	wait->timeout_ns = (int64_t)(timeout_ms * 1e6);
	return 0;
}

/* waitUntil(utcNs, timeoutMs): a promise. index.js waits long in the loop, and here at the end. */
napi_value clock_wait(napi_env env, napi_callback_info info)
{
	napi_value promise, name;
	struct wait *wait;
	struct call call;

	if (call_get(&call, env, info) < 0)
		return NULL;
	if (!call.handle->ct || call.handle->closing)
		return native_throw(env, call.handle->native, "closed", 0, "the clock is closed",
				    NULL);
	wait = calloc(1, sizeof(*wait));
	if (!wait) {
		napi_throw_error(env, NULL, "out of memory");
		return NULL;
	}
	wait->handle = call.handle;
	if (wait_arguments(&call, wait) < 0 ||
	    napi_create_string_utf8(env, "chronotick.waitUntil", NAPI_AUTO_LENGTH, &name) !=
		    napi_ok ||
	    napi_create_async_work(env, NULL, name, wait_run, wait_end, wait, &wait->work) !=
		    napi_ok)
		goto free;
	if (napi_create_promise(env, &wait->deferred, &promise) != napi_ok ||
	    napi_queue_async_work(env, wait->work) != napi_ok) {
		napi_delete_async_work(env, wait->work);
		goto free;
	}
	call.handle->waits++;
	call.handle->owners++;
	return promise;
free:
	free(wait);
	return NULL;
}

static int array_get(struct call *call, size_t i, napi_typedarray_type wanted, size_t count,
		     void **ret, size_t *length)
{
	napi_typedarray_type type;
	bool is = false;

	if (i >= call->argc || napi_is_typedarray(call->env, call->argv[i], &is) != napi_ok ||
	    !is ||
	    napi_get_typedarray_info(call->env, call->argv[i], &type, length, ret, NULL, NULL) !=
		    napi_ok ||
	    type != wanted || (count != SIZE_MAX && *length != count)) {
		napi_throw_type_error(call->env, NULL,
				      "atBatch(): a BigUint64Array of stamps is needed, and "
				      "BigInt64Arrays and an Int32Array of its length");
		return -1;
	}
	return 0;
}

/* atBatch(stamps, earliest, utc, latest, results): fills in the arrays. */
napi_value clock_batch(napi_env env, napi_callback_info info)
{
	int64_t *earliest, *utc, *latest;
	struct chronotick_interval *intervals;
	size_t count, length, i;
	napi_value result = NULL;
	struct call call;
	uint64_t *stamps;
	int32_t *results;
	int r;

	if (call_get(&call, env, info) < 0 ||
	    array_get(&call, 0, napi_biguint64_array, SIZE_MAX, (void **)&stamps, &count) < 0 ||
	    array_get(&call, 1, napi_bigint64_array, count, (void **)&earliest, &length) < 0 ||
	    array_get(&call, 2, napi_bigint64_array, count, (void **)&utc, &length) < 0 ||
	    array_get(&call, 3, napi_bigint64_array, count, (void **)&latest, &length) < 0 ||
	    array_get(&call, 4, napi_int32_array, count, (void **)&results, &length) < 0)
		return NULL;
	if (!call.handle->ct || call.handle->closing)
		return native_throw(env, call.handle->native, "closed", 0, "the clock is closed",
				    NULL);
	intervals = calloc(count + 1, sizeof(*intervals));
	if (!intervals) {
		napi_throw_error(env, NULL, "out of memory");
		return NULL;
	}
	r = chronotick_at_batch(call.handle->ct, stamps, count, intervals, results);
	for (i = 0; i < count; i++) {
		earliest[i] = intervals[i].earliest_ns;
		utc[i] = intervals[i].utc_ns;
		latest[i] = intervals[i].latest_ns;
	}
	free(intervals);
	napi_create_int32(env, r, &result);
	return result;
}
