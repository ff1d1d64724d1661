/* SPDX-License-Identifier: MIT */
#include "call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "table.h"

uint64_t tools_monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static json_t *tool_json(const struct tool *tool)
{
	return json_pack(
		"{ss ss ss so so s{ss sb sb sb sb}}", "name", tool->name, "title", tool->title,
		"description", tool->description, "inputSchema", arguments_schema(tool->arguments),
		"outputSchema", fields_schema(tool->fields), "annotations", "title", tool->title,
		"readOnlyHint", 1, "destructiveHint", 0, "idempotentHint", 1, "openWorldHint", 0);
}

json_t *tools_list(void)
{
	const struct tool *tool;
	json_t *list = json_array();

	for (tool = tools_table; list && tool->name; tool++) {
		if (json_array_append_new(list, tool_json(tool)) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list ? json_pack("{so}", "tools", list) : NULL;
}

int tools_call_begin(struct tools_call *call, struct tools_page *page, const char *name,
		     json_t *arguments, bool may_sleep)
{
	const struct tool *tool;

	for (tool = tools_table; tool->name && strcmp(tool->name, name) != 0; tool++)
		;
	if (!tool->name)
		return -ENOENT;
	if (arguments && !json_is_object(arguments))
		return -EINVAL;
	*call = (struct tools_call){
		.tool = tool,
		.page = page,
		.arguments = arguments ? json_incref(arguments) : json_object(),
		.started_ns = tools_monotonic_ns(),
		.until_ns = FACTS_UNKNOWN,
		.may_sleep = may_sleep,
	};
	return call->arguments ? 0 : -ENOMEM;
}

void tools_call_end(struct tools_call *call)
{
	json_decref(call->arguments);
}

/* {"content":...,"structuredContent":...,"isError":...}; steals `structured`, which may be NULL. */
static json_t *result_json(const char *text, json_t *structured, bool is_error)
{
	json_t *result = json_pack("{s[{ss ss}]}", "content", "type", "text", "text", text);

	if (result && structured &&
	    json_object_set_new(result, "structuredContent", structured) < 0) {
		json_decref(result);
		return NULL;
	}
	if (result)
		json_object_set_new(result, "isError", json_boolean(is_error));
	else
		json_decref(structured);
	return result;
}

static json_t *failure_json(const struct tools_call *call, const char *complaint,
			    json_t *structured)
{
	char text[ARGUMENTS_COMPLAINT_MAX + 512];

	snprintf(text, sizeof(text), "%s: %s", call->tool->name, complaint);
	return result_json(text, structured, true);
}

/* The answer made of `facts`: as JSON in text too, or where it is none, only why not. */
static json_t *answer_json(const struct tools_call *call, struct facts *facts, bool failed)
{
	json_t *structured, *result;
	char *text;

	facts->call_latency_ms = (double)(tools_monotonic_ns() - call->started_ns) * 1e-6;
	structured = fields_object(call->tool->fields, facts);
	if (!structured)
		return NULL;
	if (failed)
		return failure_json(call, facts->reason, structured);
	text = json_dumps(structured, JSON_COMPACT);
	if (!text) {
		json_decref(structured);
		return NULL;
	}
	result = result_json(text, structured, false);
	free(text);
	return result;
}

void tools_page_close(struct tools_page *page)
{
	chronotick_close(page->ct);
	page->ct = NULL;
}

/*
 * Copy the page. It stays open while its time is trusted and kept up to date; else another may have
 * taken its place.
 */
static struct chronotick *page_view(struct tools_page *page, struct view *view)
{
	if (page->ct) {
		view->path = page->opened;
		view->backend = page->backend;
		view_again(view, page->ct);
		if (view->trust == 0 && !view->writer_gone)
			return page->ct;
		tools_page_close(page);
	}
	page->ct = view_open(view, page->path);
	page->opened = view->path;
	page->backend = view->backend;
	return page->ct;
}

/* Once. -EAGAIN: not yet. */
static int run_once(struct tools_call *call, json_t **ret)
{
	struct facts facts = {.order = NULL};
	struct chronotick *ct = NULL;
	bool failed = false;
	int r = 0;

	if (call->tool->asks_page) {
		ct = page_view(call->page, &facts.view);
		facts_of_view(&facts);
		failed = !ct;
	}
	if (call->tool->run)
		r = call->tool->run(call, ct, &facts);
	if (r < 0)
		return r;
	if (r == TOOL_REFUSED)
		*ret = failure_json(call, facts.reason, NULL);
	else
		*ret = answer_json(call, &facts, failed || r == TOOL_FAILED);
	return *ret ? 0 : -ENOMEM;
}

int tools_call_run(struct tools_call *call, json_t **ret)
{
	char complaint[ARGUMENTS_COMPLAINT_MAX];
	int r;

	if (arguments_check(call->tool->arguments, call->arguments, complaint) < 0) {
		*ret = failure_json(call, complaint, NULL);
		return *ret ? 0 : -ENOMEM;
	}
	do
		r = run_once(call, ret);
	while (r == -EAGAIN && call->may_sleep);
	return r;
}
