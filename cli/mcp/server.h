/* SPDX-License-Identifier: MIT */
/*
 * The MCP server: a line comes in, and one goes out at once, later, or never. Revision 2025-03-26 has
 * batches (JSON-RPC 2.0 section 6): their answer goes out when the last of its calls is done. It serves the revisions
 * that begin with `initialize` (2024-11-05 to 2025-11-25), and the one in which every request
 * stands by itself (2026-07-28); a request's _meta tells which of the two it is of.
 */
#ifndef MCP_SERVER_H
#define MCP_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "rpc.h"
#include "tools/call.h"

/* So many calls may wait at a time. */
#define SERVER_WAITS 64

/* What a batch has been answered so far, and how many of its calls wait; one more while it is read */
struct server_batch {
	json_t *answers;
	unsigned int left;
};

/* A call that is not answered yet; free: no id */
struct server_wait {
	json_t *id;
	struct server_batch *batch; /* NULL: it came alone */
	struct tools_call call;
	uint64_t due_ns; /* CLOCK_MONOTONIC: when to ask again */
	bool modern;
};

struct server {
	struct tools_page page;
	struct server_wait waits[SERVER_WAITS];
	/*
	 * Where answers go. text: one line, its newline included. Returns 0, or a negative errno,
	 * which the function that sent it returns.
	 */
	int (*send)(void *context, const char *text, size_t length);
	void *context;
	bool batches; /* the client has begun with the revision that has them */
	bool debug;   /* tell of each request on stderr */
	char *out;    /* the answer being made */
	size_t out_used, out_size;
};

/*
 * One line came in, without its newline; NULL: it was too long. Returns 0, the error of `send`, or
 * -ENOMEM.
 */
int server_line(struct server *server, const char *line, size_t length);

/* Answer what has been waited for. Returns as server_line(). */
int server_wake(struct server *server);

/* When to call server_wake(), on CLOCK_MONOTONIC, ns; UINT64_MAX: nobody waits. */
uint64_t server_due_ns(const struct server *server);

/* Drop what waits, and free all. */
void server_end(struct server *server);

#endif /* MCP_SERVER_H */
