/* SPDX-License-Identifier: MIT */
/* The one table of tools. */
#ifndef TOOLS_TABLE_H
#define TOOLS_TABLE_H

#include "arguments.h"
#include "call.h"
#include "facts.h"
#include "fields.h"

/* What a tool returns beside 0 and errors; facts->reason tells why. */
enum {
	TOOL_FAILED = 1, /* it cannot do what it is for, and answers with what is known */
	TOOL_REFUSED,    /* the arguments make no sense, and there is no answer */
};

struct tool {
	const char *name; /* NULL ends the table */
	const char *title, *description;
	const struct argument *arguments;
	const struct field *fields[FIELDS_TABLES];
	bool asks_page;
	/*
	 * Fill in what is not in the page. ct: the page of facts->view, NULL for a tool that asks
	 * none; it stays the caller's. Returns 0, one of these, or what tools_call_run() does.
	 */
	int (*run)(struct tools_call *call, const struct chronotick *ct, struct facts *facts);
};

extern const struct tool tools_table[];

#endif /* TOOLS_TABLE_H */
