/* SPDX-License-Identifier: MIT */
#include "rpc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum rpc_code rpc_fail(struct rpc_error *error, enum rpc_code code, const char *format, ...)
{
	va_list list;

	error->code = code;
	va_start(list, format);
	vsnprintf(error->message, sizeof(error->message), format, list);
	va_end(list);
	return code;
}

enum rpc_code rpc_request_read(struct rpc_request *request, struct rpc_error *error,
			       json_t *message)
{
	const char *version = json_string_value(json_object_get(message, "jsonrpc"));
	json_t *id = json_object_get(message, "id");
	json_t *method = json_object_get(message, "method");
	json_t *params = json_object_get(message, "params");

	*request = (struct rpc_request){.method = NULL};
	if (!json_is_object(message))
		return rpc_fail(
			error, RPC_INVALID_REQUEST,
			"a message is one object; batches are of revision 2025-03-26 alone");
	if (json_is_string(id) || json_is_integer(id))
		request->id = id;
	if (!version || strcmp(version, "2.0") != 0)
		return rpc_fail(error, RPC_INVALID_REQUEST, "jsonrpc must be \"2.0\"");
	/* An error of the other side may have an id of null, for want of a better one. */
	if (!method && (json_object_get(message, "result") || json_object_get(message, "error")))
		return RPC_OK;
	if (id && !request->id)
		return rpc_fail(error, RPC_INVALID_REQUEST, "id must be a string or an integer");
	if (!json_is_string(method))
		return rpc_fail(error, RPC_INVALID_REQUEST, "method must be a string");
	/* Nobody is told what is wrong with a notification. */
	if (params && !json_is_object(params) && id)
		return rpc_fail(error, RPC_INVALID_PARAMS, "params must be an object");
	request->method = json_string_value(method);
	request->params = json_is_object(params) ? params : NULL;
	return RPC_OK;
}

enum rpc_code rpc_parse(json_t **ret, struct rpc_error *error, const char *line, size_t length)
{
	json_error_t where;

	*ret = json_loadb(line, length, JSON_REJECT_DUPLICATES, &where);
	if (*ret)
		return RPC_OK;
	/* Its text may quote the input, and so be no UTF-8. */
	return rpc_fail(error, RPC_PARSE_ERROR, "no JSON: error %d at byte %d",
			(int)json_error_code(&where), where.position);
}

json_t *rpc_result(json_t *id, json_t *result)
{
	return json_pack("{ss sO so}", "jsonrpc", "2.0", "id", id, "result", result);
}

json_t *rpc_error(json_t *id, struct rpc_error *error)
{
	json_t *answer = json_pack("{ss s{si ss}}", "jsonrpc", "2.0", "error", "code",
				   (int)error->code, "message", error->message);

	if (answer && id)
		json_object_set(answer, "id", id);
	if (answer && error->data)
		json_object_set(json_object_get(answer, "error"), "data", error->data);
	json_decref(error->data);
	error->data = NULL;
	return answer;
}
