/* SPDX-License-Identifier: MIT */
/* The MCP server, line by line: both eras, what is refused, and calls that wait. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "mcp/lines.h"
#include "mcp/server.h"
#include "support/handmade.h"

#define MODERN "2026-07-28"
#define MODERN_META(version)                                                                       \
	"\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"" version                        \
	"\",\"io.modelcontextprotocol/clientCapabilities\":{}}"

static char *sent[64];
static unsigned int sent_count;
static int send_error;

static int keep(void *context, const char *text, size_t length)
{
	(void)context;
	cr_assert_lt(sent_count, 64);
	cr_assert(length > 1 && text[length - 1] == '\n');
	cr_assert_null(memchr(text, '\n', length - 1), "a message of two lines");
	sent[sent_count++] = strndup(text, length);
	return send_error;
}

static struct server server = {.send = keep, .page = {.path = "/nonexistent/page"}};

/* The one answer to a line; NULL: there is none. */
static json_t *ask(const char *line)
{
	unsigned int before = sent_count;
	json_t *answer;

	cr_assert_eq(server_line(&server, line, strlen(line)), 0);
	cr_assert_leq(sent_count, before + 1);
	if (sent_count == before)
		return NULL;
	answer = json_loads(sent[before], JSON_REJECT_DUPLICATES, NULL);
	cr_assert(answer, "%s", sent[before]);
	if (json_is_object(answer))
		cr_assert_str_eq(json_string_value(json_object_get(answer, "jsonrpc")), "2.0");
	return answer;
}

static json_t *at(const json_t *value, const char *path)
{
	char name[64];
	size_t length;

	for (; value && *path; path += length + (path[length] == '.')) {
		length = strcspn(path, ".");
		snprintf(name, sizeof(name), "%.*s", (int)length, path);
		value = json_object_get(value, name);
	}
	return (json_t *)value;
}

static void error_expect(const char *line, int code, const char *id)
{
	json_t *answer = ask(line), *want = id ? json_loads(id, JSON_DECODE_ANY, NULL) : NULL;

	cr_assert(answer, "no answer to %s", line);
	cr_expect_eq(json_integer_value(at(answer, "error.code")), code, "%s", line);
	cr_expect(json_is_string(at(answer, "error.message")));
	if (want)
		cr_expect(json_equal(json_object_get(answer, "id"), want), "%s", line);
	else
		cr_expect_null(json_object_get(answer, "id"), "%s", line);
	json_decref(want);
	json_decref(answer);
}

Test(mcp, every_old_revision_is_spoken)
{
	static const char *const asked[][2] = {
		{"2024-11-05", "2024-11-05"}, {"2025-03-26", "2025-03-26"},
		{"2025-06-18", "2025-06-18"}, {"2025-11-25", "2025-11-25"},
		{"1999-01-01", "2025-11-25"}, {MODERN, "2025-11-25"},
	};
	char line[256];
	json_t *answer;
	size_t i;

	for (i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		snprintf(line, sizeof(line),
			 "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":"
			 "{\"protocolVersion\":\"%s\",\"capabilities\":{}}}",
			 asked[i][0]);
		answer = ask(line);
		cr_assert_str_eq(json_string_value(at(answer, "result.protocolVersion")),
				 asked[i][1]);
		cr_assert_str_eq(json_string_value(at(answer, "result.serverInfo.name")),
				 "chronotick");
		cr_assert(json_is_object(at(answer, "result.capabilities.tools")));
		cr_assert_null(at(answer, "result.resultType"));
		json_decref(answer);
	}
	cr_assert_null(ask("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}"));
	answer = ask("{\"jsonrpc\":\"2.0\",\"id\":\"p\",\"method\":\"ping\"}");
	cr_assert_str_eq(json_string_value(json_object_get(answer, "id")), "p");
	cr_assert_eq(json_object_size(json_object_get(answer, "result")), 0);
	json_decref(answer);
}

Test(mcp, the_new_revision_needs_no_beginning)
{
	json_t *answer = ask("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server/discover\","
			     "\"params\":{" MODERN_META(MODERN) "}}");

	cr_assert_str_eq(
		json_string_value(json_array_get(at(answer, "result.supportedVersions"), 0)),
		MODERN);
	cr_assert_str_eq(json_string_value(at(answer, "result.resultType")), "complete");
	cr_assert(json_is_integer(at(answer, "result.ttlMs")));
	cr_assert_str_eq(json_string_value(at(answer, "result.cacheScope")), "public");
	json_decref(answer);

	answer = ask("{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/list\","
		     "\"params\":{" MODERN_META(MODERN) "}}");
	cr_assert_eq(json_array_size(at(answer, "result.tools")), 6);
	cr_assert_str_eq(json_string_value(at(answer, "result.resultType")), "complete");
	cr_assert(json_is_integer(at(answer, "result.ttlMs")));
	json_decref(answer);

	answer = ask("{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/call\","
		     "\"params\":{\"name\":\"get_time\"," MODERN_META(MODERN) "}}");
	cr_assert_str_eq(json_string_value(at(answer, "result.resultType")), "complete");
	cr_assert(json_is_true(at(answer, "result.isError")));
	cr_assert_str_eq(json_string_value(json_object_get(
				 json_object_get(at(answer, "result._meta"),
						 "io.modelcontextprotocol/serverInfo"),
				 "name")),
			 "chronotick");
	json_decref(answer);
	/* What belongs to the old revisions alone */
	error_expect("{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"ping\","
		     "\"params\":{" MODERN_META(MODERN) "}}",
		     -32601, "4");
}

Test(mcp, an_unknown_revision_is_told_of_the_known_one)
{
	json_t *answer = ask("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\","
			     "\"params\":{" MODERN_META("2027-01-01") "}}");

	cr_assert_eq(json_integer_value(at(answer, "error.code")), -32022);
	cr_assert_str_eq(json_string_value(json_array_get(at(answer, "error.data.supported"), 0)),
			 MODERN);
	cr_assert_str_eq(json_string_value(at(answer, "error.data.requested")), "2027-01-01");
	json_decref(answer);
	error_expect(
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{\"_meta\":"
		"{\"io.modelcontextprotocol/protocolVersion\":\"" MODERN "\"}}}",
		-32602, "1");
	error_expect(
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{\"_meta\":"
		"{\"io.modelcontextprotocol/protocolVersion\":5}}}",
		-32602, "1");
	error_expect("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server/discover\"}", -32602, "1");
}

Test(mcp, what_is_no_request_has_its_code)
{
	static char deep[8000];
	static const struct {
		const char *line;
		int code;
		const char *id;
	} cases[] = {
		{"nonsense", -32700, NULL},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"ping\"}", -32700, NULL},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\xfe\"}", -32700, NULL},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"} {}", -32700, NULL},
		{"{\"jsonrpc\":\"2.0\",\"id\":99999999999999999999,\"method\":\"ping\"}", -32700,
		 NULL},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"pi\\u0000ng\"}", -32700, NULL},
		{"[]", -32600, NULL},
		{"[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]", -32600, NULL},
		{"5", -32700, NULL},
		{"{}", -32600, NULL},
		{"{\"jsonrpc\":\"1.0\",\"id\":7,\"method\":\"ping\"}", -32600, "7"},
		{"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", -32600, NULL},
		{"{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"ping\"}", -32600, NULL},
		{"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"ping\"}", -32600, NULL},
		{"{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":7}", -32600, "\"a\""},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":[]}", -32602, "1"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"resources/list\"}", -32601, "1"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\"}", -32602, "1"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{\"cursor\":\"x\"}}",
		 -32602, "1"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\"}", -32602, "1"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"x\"}}",
		 -32602, "1"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":"
		 "{\"name\":\"get_time\",\"arguments\":[]}}",
		 -32602, "1"},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		error_expect(cases[i].line, cases[i].code, cases[i].id);
	memset(deep, '[', sizeof(deep) - 1);
	error_expect(deep, -32700, NULL);
	/* Whatever came before, the next request is answered. */
	json_decref(ask("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}"));
	/* And nobody answers an answer, a notification, or an empty line. */
	cr_assert_null(ask("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}"));
	cr_assert_null(ask("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,"
			   "\"message\":\"\"}}"));
	cr_assert_null(ask("{\"jsonrpc\":\"2.0\",\"method\":\"tools/list\"}"));
	cr_assert_null(ask("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\",\"params\":[1]}"));
	cr_assert_null(ask("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\",\"params\":null}"));
	cr_assert_null(ask(" \t\r"));
}

static const char waiting[] =
	"{\"jsonrpc\":\"2.0\",\"id\":\"w\",\"method\":\"tools/call\",\"params\":{\"name\":"
	"\"wait_until\",\"arguments\":{\"seconds\":0.03}}}";

/* Wake the server as its program does, for at most two seconds or until it has sent something. */
static void sleep_until_sent(void)
{
	unsigned int before = sent_count, i;

	for (i = 0; i < 2000 && sent_count == before; i++) {
		usleep(1000);
		cr_assert_eq(server_wake(&server), 0);
	}
	cr_assert_eq(sent_count, before + 1);
}

static void page_begin(void)
{
	static char path[64];
	struct chronotick_page *page;

	snprintf(path, sizeof(path), "/dev/shm/chronotick-mcp-%d", (int)getpid());
	cr_assert_eq(handmade_create(&page, path, "trusted"), 0);
	handmade_unmap(page);
	server.page.path = path;
}

static void page_finish(void)
{
	unlink(server.page.path);
	server_end(&server);
}

Test(mcp, others_are_answered_while_one_waits, .init = page_begin, .fini = page_finish)
{
	json_t *answer;

	cr_assert_eq(server_due_ns(&server), UINT64_MAX);
	cr_assert_null(ask(waiting));
	cr_assert_neq(server_due_ns(&server), UINT64_MAX);
	json_decref(ask("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}"));
	/* An id that is in use is of no use. */
	error_expect(waiting, -32600, "\"w\"");
	sleep_until_sent();
	answer = json_loads(sent[sent_count - 1], 0, NULL);
	cr_assert_str_eq(json_string_value(json_object_get(answer, "id")), "w");
	cr_assert(json_is_true(at(answer, "result.structuredContent.reached")));
	json_decref(answer);
	cr_assert_eq(server_due_ns(&server), UINT64_MAX);
}

Test(mcp, who_cancels_is_not_answered, .init = page_begin, .fini = page_finish)
{
	unsigned int before = sent_count;

	cr_assert_null(ask(waiting));
	cr_assert_null(ask("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":"
			   "{\"requestId\":\"other\"}}"));
	cr_assert_neq(server_due_ns(&server), UINT64_MAX);
	cr_assert_null(ask("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":"
			   "{\"requestId\":\"w\"}}"));
	cr_assert_eq(server_due_ns(&server), UINT64_MAX);
	usleep(40000);
	cr_assert_eq(server_wake(&server), 0);
	cr_assert_eq(sent_count, before);
}

Test(mcp, so_many_may_wait, .init = page_begin, .fini = page_finish)
{
	char line[256];
	int i;

	for (i = 0; i <= SERVER_WAITS; i++) {
		snprintf(line, sizeof(line),
			 "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"tools/call\",\"params\":"
			 "{\"name\":\"wait_until\",\"arguments\":{\"seconds\":60}}}",
			 i);
		if (i < SERVER_WAITS)
			cr_assert_null(ask(line));
		else
			error_expect(line, -32603, "64");
	}
}

static void begin(const char *version)
{
	char line[256];

	snprintf(line, sizeof(line),
		 "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":"
		 "{\"protocolVersion\":\"%s\",\"capabilities\":{}}}",
		 version);
	json_decref(ask(line));
}

#define PING(id) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"ping\"}"

Test(mcp, batches_are_of_one_revision)
{
	json_t *answers, *third;

	begin("2025-03-26");
	answers = ask("[" PING(
		"1") ",7,{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"},"
		     "[" PING("2") "],{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"initialize\","
				   "\"params\":{\"protocolVersion\":\"2025-11-25\"}}]");
	cr_assert_eq(json_array_size(answers), 4, "all but the notification are answered");
	cr_assert(json_is_object(at(json_array_get(answers, 0), "result")));
	cr_assert_eq(json_integer_value(at(json_array_get(answers, 1), "error.code")), -32600);
	cr_assert_eq(json_integer_value(at(json_array_get(answers, 2), "error.code")), -32600);
	third = json_array_get(answers, 3);
	cr_assert_eq(json_integer_value(at(third, "id")), 3);
	cr_assert_eq(json_integer_value(at(third, "error.code")), -32600, "not in a batch");
	json_decref(answers);
	cr_assert_null(ask("[{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"}]"));
	error_expect("[]", -32600, NULL);
	begin("2025-06-18");
	error_expect("[" PING("1") "]", -32600, NULL);
}

Test(mcp, a_batch_is_answered_when_its_last_call_is, .init = page_begin, .fini = page_finish)
{
	char line[512];
	json_t *answers;
	unsigned int before;

	begin("2025-03-26");
	snprintf(line, sizeof(line), "[%s," PING("1") "]", waiting);
	cr_assert_null(ask(line));
	json_decref(ask(PING("2")));
	sleep_until_sent();
	answers = json_loads(sent[sent_count - 1], 0, NULL);
	cr_assert_eq(json_array_size(answers), 2);
	cr_assert_eq(json_integer_value(at(json_array_get(answers, 0), "id")), 1);
	cr_assert_str_eq(json_string_value(at(json_array_get(answers, 1), "id")), "w");
	json_decref(answers);

	/* Who cancels the last call gets the rest; or nothing, if there is no rest. */
	cr_assert_null(ask(line));
	answers = ask("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":"
		      "{\"requestId\":\"w\"}}");
	cr_assert_eq(json_array_size(answers), 1);
	json_decref(answers);
	before = sent_count;
	snprintf(line, sizeof(line),
		 "[%s,{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":"
		 "{\"requestId\":\"w\"}}]",
		 waiting);
	cr_assert_null(ask(line));
	/* What waits at the end is dropped. */
	snprintf(line, sizeof(line), "[%s," PING("1") "]", waiting);
	cr_assert_null(ask(line));
	server_end(&server);
	cr_assert_eq(sent_count, before);
}

Test(mcp, who_listens_no_more_ends_it)
{
	send_error = -EPIPE;
	cr_assert_eq(server_line(&server, "x", 1), -EPIPE);
	send_error = 0;
}

static unsigned int lines_seen, lines_lost;
static char line_last[LINES_LONGEST + 1];

static int line_keep(void *context, const char *line, size_t length)
{
	(void)context;
	lines_seen++;
	lines_lost += !line;
	if (line)
		memcpy(line_last, line, length);
	line_last[line ? length : 0] = '\0';
	return 0;
}

Test(mcp, lines_are_cut_wherever_they_are_read)
{
	struct lines lines = {.data = NULL};
	static char much[3 * LINES_LONGEST];
	size_t step, i;

	for (step = 1; step <= 12; step++) {
		static const char text[] = "one\n\ntwo\nthree";

		lines_seen = 0;
		for (i = 0; i < sizeof(text) - 1; i += step)
			lines_take(&lines, text + i,
				   i + step < sizeof(text) ? step : sizeof(text) - 1 - i, line_keep,
				   NULL);
		cr_assert_eq(lines_seen, 3);
		cr_assert_str_eq(line_last, "two");
		cr_assert_eq(lines_end(&lines, line_keep, NULL), 0);
		cr_assert_eq(lines_seen, 4);
		cr_assert_str_eq(line_last, "three");
	}
	/* One that is too long is lost, and costs no more memory than one that is not. */
	lines_seen = 0;
	memset(much, 'x', sizeof(much));
	much[sizeof(much) - 5] = '\n';
	for (i = 0; i < sizeof(much); i += 4096)
		cr_assert_eq(lines_take(&lines, much + i, 4096, line_keep, NULL), 0);
	cr_assert_leq(lines.size, LINES_LONGEST);
	cr_assert(lines_seen == 1 && lines_lost == 1);
	cr_assert_eq(lines_take(&lines, "\n", 1, line_keep, NULL), 0);
	cr_assert_str_eq(line_last, "xxxx");
	/* To the byte */
	memset(much, 'y', sizeof(much));
	much[LINES_LONGEST] = '\n';
	cr_assert_eq(lines_take(&lines, much, LINES_LONGEST + 1, line_keep, NULL), 0);
	cr_assert_eq(strlen(line_last), LINES_LONGEST);
	much[LINES_LONGEST] = 'y';
	much[LINES_LONGEST + 1] = '\n';
	cr_assert_eq(lines_take(&lines, much, LINES_LONGEST + 2, line_keep, NULL), 0);
	cr_assert_eq(lines_lost, 2);
	cr_assert_eq(lines_end(&lines, line_keep, NULL), 0);
}
