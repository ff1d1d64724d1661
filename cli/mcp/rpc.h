/* SPDX-License-Identifier: MIT */
/* JSON-RPC 2.0, as far as the Model Context Protocol has it. */
#ifndef MCP_RPC_H
#define MCP_RPC_H

#include <stddef.h>

#include <jansson.h>

/* JSON-RPC 2.0 section 5.1, and one of MCP's own */
enum rpc_code {
	RPC_OK = 0,
	RPC_PARSE_ERROR = -32700,
	RPC_INVALID_REQUEST = -32600,
	RPC_METHOD_NOT_FOUND = -32601,
	RPC_INVALID_PARAMS = -32602,
	RPC_INTERNAL_ERROR = -32603,
	RPC_UNSUPPORTED_VERSION = -32022,
};

/* A request, or a notification if it has no id. All borrowed from its message. */
struct rpc_request {
	json_t *id; /* a string or an integer; NULL: a notification */
	const char *method;
	json_t *params; /* an object, or NULL */
};

/* What goes wrong with a request */
struct rpc_error {
	enum rpc_code code;
	char message[256];
	json_t *data; /* referenced, or NULL */
};

/* Set the error; returns its code. */
enum rpc_code __attribute__((format(printf, 3, 4)))
rpc_fail(struct rpc_error *error, enum rpc_code code, const char *format, ...);

/* Parse a line. Returns RPC_OK and what is the caller's to release, or RPC_PARSE_ERROR and NULL. */
enum rpc_code rpc_parse(json_t **ret, struct rpc_error *error, const char *line, size_t length);

/*
 * Read a message. Returns RPC_OK and the request; or the error's code, and in request->id the id if
 * there was one to be had.
 *
 * A response is RPC_OK with a method of NULL: nothing is asked here, so it answers nothing.
 */
enum rpc_code rpc_request_read(struct rpc_request *request, struct rpc_error *error,
			       json_t *message);

/* Make the answer. id: NULL if it is not known. Consumes result, or error->data. */
json_t *rpc_result(json_t *id, json_t *result);
json_t *rpc_error(json_t *id, struct rpc_error *error);

#endif /* MCP_RPC_H */
