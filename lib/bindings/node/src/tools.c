/* SPDX-License-Identifier: MIT */
/*
 * libchronotick-tools for index.js. It is loaded when a tool is first asked for, so that reading the
 * time needs no library. A call has a thread of its own: wait_until may take an hour, which would be
 * one of the few threads of libuv's pool.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "native.h"

#define LIBRARY "libchronotick-tools.so.1"

static struct {
	int (*list)(char **ret);
	int (*call)(const char *page, const char *name, const char *arguments, char **ret);
	void (*free)(char *text);
	int loaded;
} tools;
static pthread_mutex_t tools_lock = PTHREAD_MUTEX_INITIALIZER;

/* One call on its way */
struct tool_call {
	napi_threadsafe_function done;
	napi_deferred deferred;
	char *page, *name, *arguments; /* page may be NULL */
	char *text;
	int result;
	/* Under tools_lock: whose the call is where the environment ends before the thread */
	int queued, abandoned;
};

/* Never unloaded. Returns 1, or 0 with an exception pending. */
static int tools_load(napi_env env)
{
	char text[512] = "";
	void *library;

	pthread_mutex_lock(&tools_lock);
	if (!tools.loaded) {
		library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
		if (library) {
			*(void **)&tools.list = dlsym(library, "chronotick_tools_list");
			*(void **)&tools.call = dlsym(library, "chronotick_tools_call");
			*(void **)&tools.free = dlsym(library, "chronotick_tools_free");
			tools.loaded = tools.list && tools.call && tools.free;
		}
		if (!tools.loaded)
			snprintf(text, sizeof(text),
				 "the tools need " LIBRARY ", which ChronoTick installs: %s",
				 library ? "it is another one" : dlerror());
	}
	pthread_mutex_unlock(&tools_lock);
	if (*text)
		napi_throw_error(env, "ERR_NO_TOOLS", text);
	return !*text;
}

/* toolsList(): the text of chronotick_tools_list() */
napi_value tools_list(napi_env env, napi_callback_info info)
{
	napi_value result = NULL;
	char *text;

	(void)info;
	if (!tools_load(env))
		return NULL;
	if (tools.list(&text) < 0) {
		napi_throw_error(env, NULL, "out of memory");
		return NULL;
	}
	napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &result);
	tools.free(text);
	return result;
}

static void tool_call_free(struct tool_call *call)
{
	if (call->text)
		tools.free(call->text);
	free(call->page);
	free(call->name);
	free(call->arguments);
	free(call);
}

/*
 * The environment ends: its threadsafe functions go right after this, whoever has one. So a thread that
 * is not done yet must not touch its own any more. What is queued already comes to tool_done().
 */
static void tool_abandon(void *data)
{
	struct tool_call *call = data;

	pthread_mutex_lock(&tools_lock);
	if (!call->queued)
		call->abandoned = 1;
	pthread_mutex_unlock(&tools_lock);
}

static void *tool_run(void *data)
{
	struct tool_call *call = data;
	napi_threadsafe_function done = call->done;
	int abandoned;

	do
		call->result = tools.call(call->page, call->name, call->arguments, &call->text);
	while (call->result == -EINTR); /* signals are the main thread's */
	pthread_mutex_lock(&tools_lock);
	abandoned = call->abandoned;
	if (!abandoned) {
		/* The queue has no limit, so this neither waits nor fails but for want of memory. */
		call->queued = 1;
		napi_call_threadsafe_function(done, call, napi_tsfn_nonblocking);
		napi_release_threadsafe_function(done, napi_tsfn_release);
	}
	pthread_mutex_unlock(&tools_lock);
	if (abandoned)
		tool_call_free(call);
	return NULL;
}

static void reject(napi_env env, napi_deferred deferred, const char *code, const char *text)
{
	napi_value code_value, text_value, error;

	if (napi_create_string_utf8(env, code, NAPI_AUTO_LENGTH, &code_value) == napi_ok &&
	    napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &text_value) == napi_ok &&
	    napi_create_error(env, code_value, text_value, &error) == napi_ok)
		napi_reject_deferred(env, deferred, error);
}

/* In the JavaScript thread, or without an environment at its end */
static void tool_done(napi_env env, napi_value unused, void *context, void *data)
{
	struct tool_call *call = data;
	napi_value text;

	(void)unused;
	(void)context;
	/* Not before the thread has let its function go */
	pthread_mutex_lock(&tools_lock);
	pthread_mutex_unlock(&tools_lock);
	if (!env) {
		tool_call_free(call);
		return;
	}
	napi_remove_env_cleanup_hook(env, tool_abandon, call);
	if (call->result == -ENOENT)
		reject(env, call->deferred, "ENOENT", "no tool has that name");
	else if (call->result == -EINVAL)
		reject(env, call->deferred, "EINVAL", "the arguments are no JSON object");
	else if (call->result < 0)
		reject(env, call->deferred, "ENOMEM", native_strerror(call->result));
	else if (napi_create_string_utf8(env, call->text, NAPI_AUTO_LENGTH, &text) == napi_ok)
		napi_resolve_deferred(env, call->deferred, text);
	tool_call_free(call);
}

/* A string as it is; NULL for undefined. Returns 0, or -1 with an exception pending. */
static int text_get(napi_env env, napi_value value, char **ret)
{
	napi_valuetype type;
	size_t length;

	if (napi_typeof(env, value, &type) != napi_ok)
		return -1;
	if (type == napi_undefined)
		return 0;
	if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) {
		napi_throw_type_error(env, NULL, "callTool(): names and paths are strings");
		return -1;
	}
	*ret = malloc(length + 1);
	if (!*ret || napi_get_value_string_utf8(env, value, *ret, length + 1, &length) != napi_ok) {
		napi_throw_error(env, NULL, "out of memory");
		return -1;
	}
	if (strlen(*ret) != length) {
		napi_throw_type_error(env, NULL, "callTool(): there is a NUL in a name or path");
		return -1;
	}
	return 0;
}

/* The thread, detached. Signals are not its business. */
static int thread_start(struct tool_call *call)
{
	sigset_t all, old;
	pthread_t thread;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&thread, NULL, tool_run, call);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r == 0)
		pthread_detach(thread);
	return -r;
}

/* toolsCall(page or undefined, name, arguments as JSON): a promise of the result as JSON */
napi_value tools_call(napi_env env, napi_callback_info info)
{
	struct tool_call *tool;
	napi_value promise, name;
	struct call call;

	if (call_get(&call, env, info) < 0 || !tools_load(env))
		return NULL;
	tool = calloc(1, sizeof(*tool));
	if (!tool) {
		napi_throw_error(env, NULL, "out of memory");
		return NULL;
	}
	if (call.argc < 3 || text_get(env, call.argv[0], &tool->page) < 0 ||
	    text_get(env, call.argv[1], &tool->name) < 0 ||
	    text_get(env, call.argv[2], &tool->arguments) < 0 || !tool->name)
		goto free;
	if (napi_create_string_utf8(env, "chronotick.callTool", NAPI_AUTO_LENGTH, &name) !=
		    napi_ok ||
	    napi_create_threadsafe_function(env, NULL, NULL, name, 0, 1, NULL, NULL, NULL,
					    tool_done, &tool->done) != napi_ok)
		goto free;
	/* After the function was made: what is added last is called first. */
	if (napi_add_env_cleanup_hook(env, tool_abandon, tool) != napi_ok)
		goto release;
	if (napi_create_promise(env, &tool->deferred, &promise) != napi_ok ||
	    thread_start(tool) < 0) {
		napi_throw_error(env, NULL, "callTool(): no thread can be started");
		napi_remove_env_cleanup_hook(env, tool_abandon, tool);
		goto release;
	}
	return promise;
release:
	napi_release_threadsafe_function(tool->done, napi_tsfn_abort);
free:
	tool_call_free(tool);
	return NULL;
}
