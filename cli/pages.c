/* SPDX-License-Identifier: MIT */
#include "pages.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

void pages_print(const struct control_pages_reply *reply)
{
	static const char *const roles[CONTROL_ROLES] = {
		[CONTROL_STANDBY] = "standing by: another daemon writes it",
		[CONTROL_ACTIVE] = "active",
		[CONTROL_OUT] = "left: it runs on another counter",
	};
	unsigned int i;

	printf("\nPages\n");
	for (i = 0; i < reply->count; i++) {
		const struct control_page *page = &reply->pages[i];

		printf("  %-38s %s, %s\n", page->path, control_backend_name(page->backend),
		       page->role < CONTROL_ROLES ? roles[page->role] : "unknown");
		printf("  %38s %" PRIu64 " lines, %" PRIu64 " built again\n", "", page->published,
		       page->rebuilt);
	}
	printf("Cross-timestamps of the counter and the system clock\n");
	if (reply->flags & CONTROL_CROSS_DEVICE)
		printf("  by the kernel module, to %" PRId64
		       " ns; by brackets of readings they were to "
		       "%" PRId64 " ns at the start\n",
		       reply->device_ns, reply->bracket_ns);
	else
		printf("  by brackets of readings, to %" PRId64
		       " ns at the start; not by the kernel module: %s\n",
		       reply->bracket_ns, reply->reason);
}

static json_t *page_json(const struct control_page *page)
{
	json_t *object = json_object();

	json_object_set_new(object, "path", json_string(page->path));
	json_object_set_new(object, "backend", json_string(control_backend_name(page->backend)));
	json_object_set_new(object, "role", json_string(control_role_name(page->role)));
	json_object_set_new(object, "published", json_integer((json_int_t)page->published));
	json_object_set_new(object, "rebuilt", json_integer((json_int_t)page->rebuilt));
	return object;
}

static json_t *ns_json(int64_t ns)
{
	return ns < 0 ? json_null() : json_integer(ns);
}

void pages_add(json_t *object, const struct control_pages_reply *reply)
{
	bool device = reply->flags & CONTROL_CROSS_DEVICE;
	json_t *pages = json_array(), *cross = json_object();
	unsigned int i;

	for (i = 0; i < reply->count; i++)
		json_array_append_new(pages, page_json(&reply->pages[i]));
	json_object_set_new(object, "pages", pages);
	json_object_set_new(cross, "method", json_string(device ? "module" : "bracket"));
	json_object_set_new(cross, "bracket_error_ns", ns_json(reply->bracket_ns));
	json_object_set_new(cross, "module_error_ns", ns_json(reply->device_ns));
	json_object_set_new(cross, "reason", device ? json_null() : json_string(reply->reason));
	json_object_set_new(object, "cross_timestamps", cross);
}
