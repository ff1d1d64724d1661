/* SPDX-License-Identifier: MIT */
/* The tools, and calling one: what libchronotick-tools and chronotick-mcp are made of. */
#ifndef TOOLS_CALL_H
#define TOOLS_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

struct tool;

struct chronotick;

/* Where the time is read from, for calls one after the other. To begin with only `path` is set. */
struct tools_page {
	const char *path;             /* NULL: the usual one */
	struct chronotick *ct;        /* open, or NULL */
	const char *opened, *backend; /* what is */
};

/* A call that may be taken up again: wait_until */
struct tools_call {
	const struct tool *tool;
	struct tools_page *page; /* must outlive the call */
	json_t *arguments;       /* an object; referenced */
	uint64_t started_ns;     /* CLOCK_MONOTONIC */
	int64_t until_ns;        /* what it waits for, once that is known */
	bool may_sleep;          /* sleep until the answer is there, or come back with -EAGAIN? */
	uint64_t again_ns;       /* with -EAGAIN: ask again when so long has passed */
};

/* CLOCK_MONOTONIC */
uint64_t tools_monotonic_ns(void);

/* {"tools":[...]}; NULL: out of memory. */
json_t *tools_list(void);

/* Close it, if it is open. */
void tools_page_close(struct tools_page *page);

/*
 * Begin a call. arguments: a JSON object, or NULL for none.
 *
 * Returns 0; -ENOENT: there is no such tool; -EINVAL: arguments is no object; -ENOMEM. To be ended
 * if it returns 0.
 */
int tools_call_begin(struct tools_call *call, struct tools_page *page, const char *name,
		     json_t *arguments, bool may_sleep);
void tools_call_end(struct tools_call *call);

/*
 * Returns 0 and the result in *ret, {"content":...,"structuredContent":...,"isError":...};
 * -EAGAIN: not yet, see again_ns; -EINTR: a signal was handled while it slept; -ENOMEM.
 */
int tools_call_run(struct tools_call *call, json_t **ret);

#endif /* TOOLS_CALL_H */
