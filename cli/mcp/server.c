/* SPDX-License-Identifier: MIT */
#include "server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODERN "2026-07-28"
#define BATCHES "2025-03-26"
#define META "io.modelcontextprotocol/"

/* The tools do not change while a server runs; a client may ask again after an hour. */
#define TOOLS_TTL_MS 3600000

/* Those that begin with `initialize`; the first is what a client gets that asks for another. */
static const char *const legacy_versions[] = {"2025-11-25", "2025-06-18", BATCHES, "2024-11-05"};

static const char instructions[] =
	"The time of this machine with an error bound that holds. Use get_time wherever it matters "
	"how exact a time is, and do not use a time whose is_valid is false. Nanoseconds are decimal "
	"strings. Two times may be told apart only if their intervals do not overlap: compare_times.";

static json_t *server_info(void)
{
	return json_pack("{ss ss ss}", "name", "chronotick", "title", "ChronoTick", "version",
			 CHRONOTICK_VERSION);
}

/* The answers' text: jansson hands it over in pieces. */
static int out_append(const char *piece, size_t length, void *context)
{
	struct server *server = context;
	size_t size = server->out_size ? server->out_size : 4096;
	char *grown;

	while (size < server->out_used + length)
		size *= 2;
	if (size != server->out_size) {
		grown = realloc(server->out, size);
		if (!grown)
			return -1;
		server->out = grown;
		server->out_size = size;
	}
	memcpy(server->out + server->out_used, piece, length);
	server->out_used += length;
	return 0;
}

/* Send a line, which is consumed. */
static int line_send(struct server *server, json_t *answer)
{
	int r = -ENOMEM;

	server->out_used = 0;
	if (answer && json_dump_callback(answer, out_append, server, JSON_COMPACT) == 0 &&
	    out_append("\n", 1, server) == 0)
		r = server->send(server->context, server->out, server->out_used);
	json_decref(answer);
	return r;
}

/* Answer, now or with the batch; the answer is consumed. */
static int answer_give(struct server *server, struct server_batch *batch, json_t *answer)
{
	if (!batch)
		return line_send(server, answer);
	return json_array_append_new(batch->answers, answer) < 0 ? -ENOMEM : 0;
}

/* One less to wait for; the last one sends what there is. A batch of notifications has no answer. */
static int batch_leave(struct server *server, struct server_batch *batch)
{
	json_t *answers = batch->answers;

	if (--batch->left)
		return 0;
	free(batch);
	if (json_array_size(answers))
		return line_send(server, answers);
	json_decref(answers);
	return 0;
}

/* What every result of the newer revision has */
static int modern_complete(json_t *result)
{
	json_t *meta = json_pack("{so}", META "serverInfo", server_info());

	if (!meta || json_object_set_new(result, "_meta", meta) < 0)
		return -ENOMEM;
	return json_object_set_new(result, "resultType", json_string("complete"));
}

static int result_give(struct server *server, struct server_batch *batch, json_t *id,
		       json_t *result, bool modern)
{
	if (result && modern && modern_complete(result) < 0) {
		json_decref(result);
		result = NULL;
	}
	return answer_give(server, batch, result ? rpc_result(id, result) : NULL);
}

/* What a method is asked with, and its outcome: RPC_OK and a result, or none if it comes later */
struct asked {
	struct server *server;
	struct server_batch *batch; /* NULL: it came alone */
	const struct rpc_request *request;
	bool modern;
	struct rpc_error *error;
	json_t *result;
};

static enum rpc_code initialize(struct asked *asked)
{
	const char *version =
		json_string_value(json_object_get(asked->request->params, "protocolVersion"));
	const char *spoken = legacy_versions[0];
	size_t i;

	if (!version)
		return rpc_fail(asked->error, RPC_INVALID_PARAMS,
				"params.protocolVersion must be a string");
	if (asked->batch)
		return rpc_fail(asked->error, RPC_INVALID_REQUEST,
				"initialize must not be part of a batch");
	for (i = 0; i < sizeof(legacy_versions) / sizeof(legacy_versions[0]); i++)
		if (strcmp(version, legacy_versions[i]) == 0)
			spoken = legacy_versions[i];
	asked->server->batches = strcmp(spoken, BATCHES) == 0;
	asked->result = json_pack("{ss s{s{sb}} so ss}", "protocolVersion", spoken, "capabilities",
				  "tools", "listChanged", 0, "serverInfo", server_info(),
				  "instructions", instructions);
	return RPC_OK;
}

static enum rpc_code ping(struct asked *asked)
{
	asked->result = json_object();
	return RPC_OK;
}

static enum rpc_code discover(struct asked *asked)
{
	asked->result = json_pack("{s[s] s{s{sb}} ss si ss}", "supportedVersions", MODERN,
				  "capabilities", "tools", "listChanged", 0, "instructions",
				  instructions, "ttlMs", TOOLS_TTL_MS, "cacheScope", "public");
	return RPC_OK;
}

static enum rpc_code list(struct asked *asked)
{
	if (json_object_get(asked->request->params, "cursor"))
		return rpc_fail(asked->error, RPC_INVALID_PARAMS,
				"params.cursor: there is one page only");
	asked->result = tools_list();
	if (asked->result && asked->modern) {
		json_object_set_new(asked->result, "ttlMs", json_integer(TOOLS_TTL_MS));
		json_object_set_new(asked->result, "cacheScope", json_string("public"));
	}
	return RPC_OK;
}

static struct server_wait *wait_find(struct server *server, const json_t *id)
{
	size_t i;

	for (i = 0; i < SERVER_WAITS; i++)
		if (id ? json_equal(server->waits[i].id, id) : !server->waits[i].id)
			return &server->waits[i];
	return NULL;
}

/* The call is over; it may have been what its batch was waiting for. */
static int wait_end(struct server *server, struct server_wait *wait)
{
	tools_call_end(&wait->call);
	json_decref(wait->id);
	wait->id = NULL;
	return wait->batch ? batch_leave(server, wait->batch) : 0;
}

/* The answer comes later. */
static enum rpc_code wait_keep(struct asked *asked, struct tools_call *call)
{
	struct server_wait *wait = wait_find(asked->server, NULL);

	if (!wait) {
		tools_call_end(call);
		return rpc_fail(asked->error, RPC_INTERNAL_ERROR, "too many calls are waiting");
	}
	*wait = (struct server_wait){
		.id = json_incref(asked->request->id),
		.batch = asked->batch,
		.call = *call,
		.due_ns = tools_monotonic_ns() + call->again_ns,
		.modern = asked->modern,
	};
	if (wait->batch)
		wait->batch->left++;
	return RPC_OK;
}

static enum rpc_code call(struct asked *asked)
{
	const char *name = json_string_value(json_object_get(asked->request->params, "name"));
	json_t *arguments = json_object_get(asked->request->params, "arguments");
	struct tools_call begun;
	int r;

	if (!name)
		return rpc_fail(asked->error, RPC_INVALID_PARAMS, "params.name must be a string");
	if (wait_find(asked->server, asked->request->id))
		return rpc_fail(asked->error, RPC_INVALID_REQUEST,
				"a call with this id is waiting already");
	r = tools_call_begin(&begun, &asked->server->page, name, arguments, false);
	if (r == -ENOENT)
		return rpc_fail(asked->error, RPC_INVALID_PARAMS, "there is no such tool");
	if (r == -EINVAL)
		return rpc_fail(asked->error, RPC_INVALID_PARAMS,
				"params.arguments must be an object");
	if (r < 0)
		return rpc_fail(asked->error, RPC_INTERNAL_ERROR, "%s", strerror(-r));
	r = tools_call_run(&begun, &asked->result);
	if (r == -EAGAIN)
		return wait_keep(asked, &begun);
	tools_call_end(&begun);
	return r == 0 ? RPC_OK : rpc_fail(asked->error, RPC_INTERNAL_ERROR, "%s", strerror(-r));
}

enum { LEGACY = 1, NEWER = 2 };

static const struct {
	const char *name;
	int eras;
	enum rpc_code (*run)(struct asked *asked);
} methods[] = {
	{"tools/call", LEGACY | NEWER, call}, {"tools/list", LEGACY | NEWER, list},
	{"initialize", LEGACY, initialize},   {"ping", LEGACY, ping},
	{"server/discover", NEWER, discover},
};

/* Which revision a request is of, and is it whole? */
static enum rpc_code era_of(const struct rpc_request *request, bool *modern,
			    struct rpc_error *error)
{
	json_t *meta = json_object_get(request->params, "_meta");
	json_t *version = json_object_get(meta, META "protocolVersion");

	*modern = version != NULL;
	if (!version && strcmp(request->method, "server/discover") == 0)
		return rpc_fail(error, RPC_INVALID_PARAMS,
				"params._meta." META "protocolVersion is missing");
	if (!version)
		return RPC_OK;
	if (!json_is_string(version))
		return rpc_fail(error, RPC_INVALID_PARAMS,
				"params._meta." META "protocolVersion must be a string");
	if (strcmp(json_string_value(version), MODERN) != 0) {
		error->data = json_pack("{s[s] sO}", "supported", MODERN, "requested", version);
		return rpc_fail(error, RPC_UNSUPPORTED_VERSION, "unsupported protocol version");
	}
	if (!json_is_object(json_object_get(meta, META "clientCapabilities")))
		return rpc_fail(error, RPC_INVALID_PARAMS,
				"params._meta." META "clientCapabilities is missing");
	return RPC_OK;
}

static enum rpc_code dispatch(struct asked *asked)
{
	enum rpc_code code = era_of(asked->request, &asked->modern, asked->error);
	size_t i;

	if (code != RPC_OK)
		return code;
	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (methods[i].eras & (asked->modern ? NEWER : LEGACY) &&
		    strcmp(methods[i].name, asked->request->method) == 0)
			return methods[i].run(asked);
	return rpc_fail(asked->error, RPC_METHOD_NOT_FOUND, "there is no such method");
}

/* Of all notifications only one matters: whoever cancels a call waits for it no more. */
static int notification(struct server *server, const struct rpc_request *request)
{
	json_t *id = json_object_get(request->params, "requestId");
	struct server_wait *wait;

	if (strcmp(request->method, "notifications/cancelled") != 0 || !id)
		return 0;
	wait = wait_find(server, id);
	return wait ? wait_end(server, wait) : 0;
}

/* One line for people; a method is the client's text, and is not printed raw. */
static void debug_print(const struct rpc_request *request, enum rpc_code code, uint64_t began_ns,
			size_t answered)
{
	const char *tool = json_string_value(json_object_get(request->params, "name"));
	char text[120];
	size_t i;

	snprintf(text, sizeof(text), "%.60s%s%.50s", request->method ? request->method : "(none)",
		 tool ? " " : "", tool ? tool : "");
	for (i = 0; text[i]; i++)
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '?';
	fprintf(stderr, "chronotick-mcp: %s: %s %d, %zu bytes, %.1f us\n", text,
		code == RPC_OK ? "ok" : "error", (int)code, answered,
		(double)(tools_monotonic_ns() - began_ns) * 1e-3);
}

static bool is_blank(const char *line, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++)
		if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
			return false;
	return true;
}

/* One message; NULL: what came is none, and that is what the error says. */
static int message_take(struct server *server, struct server_batch *batch, json_t *message,
			struct rpc_error *error)
{
	struct rpc_request request = {.method = NULL};
	struct asked asked = {
		.server = server, .batch = batch, .request = &request, .error = error};
	uint64_t began_ns = tools_monotonic_ns();
	enum rpc_code code = error->code;
	int r = 0;

	server->out_used = 0;
	if (message)
		code = rpc_request_read(&request, error, message);
	if (code == RPC_OK && request.method && request.id)
		code = dispatch(&asked);
	else if (code == RPC_OK && request.method)
		r = notification(server, &request);
	if (code != RPC_OK)
		r = answer_give(server, batch, rpc_error(request.id, error));
	else if (asked.result)
		r = result_give(server, batch, request.id, asked.result, asked.modern);
	else if (request.id && request.method && !wait_find(server, request.id))
		r = -ENOMEM;
	if (server->debug)
		debug_print(&request, code, began_ns, server->out_used);
	return r;
}

static int batch_take(struct server *server, json_t *messages)
{
	struct server_batch *batch = malloc(sizeof(*batch));
	struct rpc_error error;
	int r = 0, left;
	size_t i;

	if (!batch)
		return -ENOMEM;
	*batch = (struct server_batch){.answers = json_array(), .left = 1};
	for (i = 0; i < json_array_size(messages) && r == 0; i++) {
		error = (struct rpc_error){.code = RPC_OK};
		r = message_take(server, batch, json_array_get(messages, i), &error);
	}
	left = batch_leave(server, batch);
	return r < 0 ? r : left;
}

int server_line(struct server *server, const char *line, size_t length)
{
	struct rpc_error error = {.code = RPC_OK};
	json_t *message = NULL;
	int r;

	if (line && is_blank(line, length))
		return 0;
	if (line)
		rpc_parse(&message, &error, line, length);
	else
		rpc_fail(&error, RPC_INVALID_REQUEST, "the message is too long");
	if (server->batches && json_array_size(message))
		r = batch_take(server, message);
	else
		r = message_take(server, NULL, message, &error);
	json_decref(message);
	return r;
}

int server_wake(struct server *server)
{
	uint64_t now_ns = tools_monotonic_ns();
	struct server_wait *wait;
	json_t *result;
	int r = 0, left;
	size_t i;

	for (i = 0; i < SERVER_WAITS && r == 0; i++) {
		wait = &server->waits[i];
		if (!wait->id || wait->due_ns > now_ns)
			continue;
		r = tools_call_run(&wait->call, &result);
		if (r == -EAGAIN) {
			wait->due_ns = tools_monotonic_ns() + wait->call.again_ns;
			r = 0;
		} else if (r == 0) {
			r = result_give(server, wait->batch, wait->id, result, wait->modern);
			left = wait_end(server, wait);
			r = r < 0 ? r : left;
		}
	}
	return r;
}

uint64_t server_due_ns(const struct server *server)
{
	uint64_t due_ns = UINT64_MAX;
	size_t i;

	for (i = 0; i < SERVER_WAITS; i++)
		if (server->waits[i].id && server->waits[i].due_ns < due_ns)
			due_ns = server->waits[i].due_ns;
	return due_ns;
}

void server_end(struct server *server)
{
	struct server_wait *wait;

	/* What a batch has been answered goes with it, unsent. */
	for (wait = server->waits; wait < server->waits + SERVER_WAITS; wait++) {
		if (wait->id && wait->batch)
			json_array_clear(wait->batch->answers);
		if (wait->id)
			wait_end(server, wait);
	}
	tools_page_close(&server->page);
	free(server->out);
	server->out = NULL;
	server->out_size = server->out_used = 0;
}
