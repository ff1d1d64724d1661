/* SPDX-License-Identifier: MIT */
/*
 * 10^5 requests to the MCP server in one process, good and bad ones: the memory that is in use does
 * not grow, and in a build with sanitizers nothing is left over at the end.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <chronotick/chronotick.h>

#include "mcp/server.h"
#include "support/handmade.h"

#define META                                                                                       \
	"\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                   \
	"\"io.modelcontextprotocol/clientCapabilities\":{}}"
#define CALL(name, arguments)                                                                      \
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"" name     \
	"\",\"arguments\":" arguments "}}"

static const char *const lines[] = {
	CALL("get_time", "{}"),
	CALL("get_daemon_status", "{}"),
	CALL("get_time_with_future_uncertainty", "{\"future_seconds\":5}"),
	CALL("get_time_with_confidence_interval", "{\"confidence_level\":0.5}"),
	CALL("compare_times", "{\"first\":{\"earliest_ns\":\"1\",\"latest_ns\":\"2\"},\"second\":"
			      "{\"earliest_ns\":\"1\",\"latest_ns\":\"2\"}}"),
	CALL("wait_until", "{\"until_ns\":\"1\"}"),
	CALL("get_time_with_future_uncertainty", "{\"future_seconds\":-5}"),
	CALL("get_time", "{\"a\":1}"),
	CALL("get_time", "[]"),
	CALL("none", "{}"),
	/* One that waits, and is cancelled */
	CALL("wait_until", "{\"seconds\":3000}"),
	"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":1}}",
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"get_time\"," META
	"}}",
	"{\"jsonrpc\":\"2.0\",\"id\":\"2\",\"method\":\"server/discover\",\"params\":{" META "}}",
	"{\"jsonrpc\":\"2.0\",\"id\":\"2\",\"method\":\"ping\"}",
	"{\"jsonrpc\":\"2.0\",\"id\":\"2\",\"method\":\"pin",
	"[1,2,3]",
};
enum { COUNT = sizeof(lines) / sizeof(lines[0]), REQUESTS = 100000 };

static int swallow(void *context, const char *text, size_t length)
{
	(void)text;
	*(size_t *)context += length;
	return 0;
}

/* As a daemon would, for the page's time is kept up to date then, and the page stays open. */
static void beat(struct chronotick_page *page, const struct chronotick *ct)
{
	__atomic_store_n(&page->header.heartbeat, chronotick_counter(ct), __ATOMIC_RELAXED);
}

static int ask(struct server *server, unsigned int count, struct chronotick_page *page,
	       const struct chronotick *ct)
{
	const char *line;
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (i % 100 == 0)
			beat(page, ct);
		line = lines[i % COUNT];
		if (server_line(server, line, strlen(line)) < 0 || server_wake(server) < 0)
			return -1;
	}
	return 0;
}

int main(void)
{
	size_t answered = 0, before, after;
	struct server server = {.send = swallow, .context = &answered};
	struct chronotick_page *page;
	struct chronotick *ct;
	char path[64];
	int r;

	snprintf(path, sizeof(path), "/dev/shm/chronotick-mcp-leaks-%d", (int)getpid());
	if (handmade_create(&page, path, "trusted") < 0 || chronotick_open(&ct, path) < 0)
		return 1;
	server.page.path = path;
	r = ask(&server, 10 * COUNT, page, ct); /* what is allocated once */
	before = mallinfo2().uordblks;
	if (r == 0)
		r = ask(&server, REQUESTS / COUNT * COUNT + COUNT, page, ct);
	after = mallinfo2().uordblks;
	server_end(&server);
	chronotick_close(ct);
	handmade_unmap(page);
	unlink(path);
	printf("%d requests, %zu bytes of answers: %zu bytes in use before, %zu after\n", REQUESTS,
	       answered, before, after);
	/* What the allocator keeps for the next request counts as in use, and is a little at a time. */
	return r < 0 || after > before + REQUESTS / 2 || answered < 1000 * (size_t)COUNT;
}
