/* SPDX-License-Identifier: MIT */
/*
 * The MCP server: any bytes as its input, or messages that the bytes put together of words that it
 * knows, which few inputs are by chance; read in pieces, on a page or on none, as the first two bytes
 * tell. Whatever comes, each answer is one line with one JSON-RPC message, or with a batch's where there
 * are batches, and nobody is answered who has not asked.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mcp/lines.h"
#include "mcp/server.h"
#include "support/handmade.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static char page_path[64];
static unsigned int answers, lines_seen;

static void must(int condition)
{
	if (!condition)
		abort();
}

static void page_remove(void)
{
	unlink(page_path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct chronotick_page *page;

	(void)argc;
	(void)argv;
	snprintf(page_path, sizeof(page_path), "/dev/shm/chronotick-fuzz-mcp-%d", (int)getpid());
	must(handmade_create(&page, page_path, "trusted") == 0);
	handmade_unmap(page);
	atexit(page_remove);
	return 0;
}

static void answer_check(const json_t *answer)
{
	json_t *error;

	must(strcmp(json_string_value(json_object_get(answer, "jsonrpc")), "2.0") == 0);
	error = json_object_get(answer, "error");
	must(!error != !json_object_get(answer, "result"));
	must(!error || (json_is_integer(json_object_get(error, "code")) &&
			json_is_string(json_object_get(error, "message"))));
	must(error || json_object_get(answer, "id"));
}

static int check(void *context, const char *text, size_t length)
{
	const struct server *server = context;
	json_t *answer;
	size_t i;

	answers++;
	must(length > 1 && memchr(text, '\n', length) == text + length - 1);
	answer = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	must(answer != NULL);
	if (json_is_array(answer)) {
		must(server->batches && json_array_size(answer));
		for (i = 0; i < json_array_size(answer); i++)
			answer_check(json_array_get(answer, i));
	} else {
		answer_check(answer);
	}
	json_decref(answer);
	return 0;
}

static int line_take(void *context, const char *line, size_t length)
{
	lines_seen++;
	return server_line(context, line, length);
}

/* Input that is used up byte by byte */
struct bytes {
	const uint8_t *at;
	size_t left;
};

static unsigned int next(struct bytes *bytes, unsigned int below)
{
	if (bytes->left == 0)
		return 0;
	bytes->left--;
	return *bytes->at++ % below;
}

static const char *const keys[] = {
	"name",
	"arguments",
	"cursor",
	"_meta",
	"requestId",
	"first",
	"second",
	"same_host",
	"earliest_ns",
	"latest_ns",
	"tai_offset",
	"generation",
	"seconds",
	"until_ns",
	"timeout_seconds",
	"jsonrpc",
	"future_seconds",
	"id",
	"confidence_level",
	"protocolVersion",
	"method",
	"params",
	"stranger",
	"io.modelcontextprotocol/protocolVersion",
	"io.modelcontextprotocol/clientCapabilities",
};
static const char *const words[] = {
	"\"get_time\"",
	"\"get_daemon_status\"",
	"\"get_time_with_future_uncertainty\"",
	"\"get_time_with_confidence_interval\"",
	"\"compare_times\"",
	"\"wait_until\"",
	"\"2026-07-28\"",
	"\"2025-11-25\"",
	"\"2025-03-26\"",
	"\"1760000000000000000\"",
	"\"9223372036854775807\"",
	"\"-9223372036854775808\"",
	"\"9223372036854775808\"",
	"\"x\\u00e9\\n\"",
	"0",
	"1",
	"0.9",
	"3600",
	"-1",
	"1e308",
	"4294967295",
	"9007199254740993",
	"true",
	"false",
	"null",
	"[]",
	"{}",
	"37",
};
static const char *const methods[] = {
	"tools/call", "tools/list",      "initialize",
	"ping",       "server/discover", "notifications/cancelled",
};
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Room for what is written below; what is too much is cut off */
static char message[65536 + 4096];
static size_t message_used;

static void put(const char *text)
{
	size_t length = strlen(text);

	if (message_used + length < sizeof(message)) {
		memcpy(message + message_used, text, length);
		message_used += length;
	}
}

static void object_put(struct bytes *bytes, unsigned int depth)
{
	unsigned int count = next(bytes, 6), i;

	put("{");
	for (i = 0; i < count; i++) {
		put(i ? ",\"" : "\"");
		put(keys[next(bytes, COUNT(keys))]);
		put("\":");
		if (depth < 4 && next(bytes, 3) == 0)
			object_put(bytes, depth + 1);
		else
			put(words[next(bytes, COUNT(words))]);
	}
	put("}");
}

/* A call of a tool with arguments of all kinds */
static void call_put(struct bytes *bytes)
{
	put("{\"name\":");
	put(words[next(bytes, 7)]);
	put(",\"arguments\":");
	object_put(bytes, 2);
	if (next(bytes, 4) == 0)
		put(",\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
		    "\"io.modelcontextprotocol/clientCapabilities\":{}}");
	put("}");
}

static void messages_put(struct bytes *bytes)
{
	bool batch = false;

	message_used = 0;
	while (bytes->left) {
		if (!batch && next(bytes, 4) == 0) {
			put("[");
			batch = true;
		}
		put("{\"jsonrpc\":\"2.0\",");
		if (next(bytes, 5)) {
			put("\"id\":");
			put(words[next(bytes, COUNT(words))]);
			put(",");
		}
		put("\"params\":");
		if (next(bytes, 2))
			call_put(bytes);
		else
			object_put(bytes, 1);
		put(",\"method\":\"");
		put(methods[next(bytes, COUNT(methods))]);
		put("\"}");
		if (batch && next(bytes, 4)) {
			put(",");
			continue;
		}
		put(batch ? "]" : "");
		put(next(bytes, 16) ? "\n" : "");
		batch = false;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct server server = {.send = check, .context = &server};
	struct lines lines = {.data = NULL};
	struct bytes bytes;
	size_t piece, at, part;
	char *copy;

	if (size < 2)
		return -1;
	server.page.path = data[0] & 1 ? page_path : "/nonexistent/page";
	server.batches = data[0] & 8;
	bytes = (struct bytes){data + 2, size - 2};
	if (data[0] & 2) {
		messages_put(&bytes);
		bytes = (struct bytes){(const uint8_t *)message, message_used};
	}
	piece = ((size_t)data[1] + 1) * (data[0] & 4 ? 64 : 1);
	answers = lines_seen = 0;
	for (at = 0; at < bytes.left; at += part) {
		part = bytes.left - at < piece ? bytes.left - at : piece;
		/* Bytes of their own, so that a read beyond them is seen */
		copy = malloc(part);
		must(copy != NULL);
		memcpy(copy, bytes.at + at, part);
		must(lines_take(&lines, copy, part, line_take, &server) == 0);
		free(copy);
		must(server_wake(&server) == 0);
	}
	must(lines_end(&lines, line_take, &server) == 0);
	must(answers <= lines_seen);
	server_end(&server);
	return 0;
}
