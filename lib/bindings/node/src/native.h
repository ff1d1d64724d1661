/* SPDX-License-Identifier: MIT */
/*
 * chronotick.node: libchronotick for Node.js, by Node-API 8. The read path is compiled in, so nothing
 * is linked. index.js makes a class of what this gives.
 *
 * The functions of a clock carry its handle with them, which is the quickest way from JavaScript to
 * the page. A handle lives until the last of its functions is collected and the last wait has ended;
 * its page is unmapped when it is closed and no wait is under way.
 */
#ifndef CHRONOTICK_NODE_NATIVE_H
#define CHRONOTICK_NODE_NATIVE_H

#define NAPI_VERSION 8
#include <node_api.h>

#ifndef CHRONOTICK_HEADER_ONLY
#define CHRONOTICK_HEADER_ONLY
#endif
#include <chronotick/chronotick.h>

/* What an environment (the main thread, or a worker) has: how index.js makes its objects. */
struct native {
	napi_ref interval; /* the class Interval */
	napi_ref failure;  /* a function: kind, code, text and perhaps an Interval to an Error */
};

/* All but `ct` while a wait runs is the JavaScript thread's own. */
struct handle {
	struct chronotick *ct; /* NULL: closed, or not opened yet */
	struct native *native;
	/* Where a read leaves its result for index.js, which makes BigInts quicker than Node-API */
	struct chronotick_interval *cell;
	napi_ref cell_buffer;
	napi_env env;
	char *path;          /* NULL: the usual one */
	int lazy;            /* opened when it is read, and anew where it has expired */
	int closing;         /* unmap after the last wait */
	unsigned int waits;  /* under way */
	unsigned int owners; /* functions and waits */
};

/* A call's arguments, and the handle that its function was made for */
struct call {
	napi_env env;
	struct handle *handle;
	size_t argc;
	napi_value argv[5];
};

/* "a function with that name and that code" */
struct entry {
	const char *name;
	napi_callback callback;
};

/* Fill in *ret. Returns 0, or -1 with an exception pending. */
int call_get(struct call *ret, napi_env env, napi_callback_info info);

/* Throw what index.js makes of a kind ("page", "trust", "closed", ...), an error and a text. */
napi_value native_throw(napi_env env, const struct native *native, const char *kind, int error,
			const char *text, const struct chronotick_interval *interval);

/* Throw for the return value of a read. Returns NULL. */
napi_value native_throw_read(napi_env env, const struct native *native, int error,
			     const struct chronotick_interval *interval);

/* The Error itself, not thrown: what a promise is rejected with. */
napi_value native_failure(napi_env env, const struct native *native, const char *kind, int error,
			  const char *text, const struct chronotick_interval *interval);

/* An instance of Interval, or NULL and an exception. */
napi_value native_interval(napi_env env, const struct native *native,
			   const struct chronotick_interval *interval, int error);

/* open(path or undefined, lazy): an object of functions for one handle. */
napi_value clock_open(napi_env env, napi_callback_info info);

/* One owner less: the last one frees. */
void handle_put(struct handle *handle);

/* The functions of a clock that are not in clock.c */
napi_value clock_wait(napi_env env, napi_callback_info info);
napi_value clock_batch(napi_env env, napi_callback_info info);

/* tools.c */
napi_value tools_list(napi_env env, napi_callback_info info);
napi_value tools_call(napi_env env, napi_callback_info info);

/* The library's sentence, or the system's where the library has none of its own. */
const char *native_strerror(int error);

#endif /* CHRONOTICK_NODE_NATIVE_H */
