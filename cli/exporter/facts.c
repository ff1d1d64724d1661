/* SPDX-License-Identifier: MIT */
#include "facts.h"

#include <string.h>
#include <time.h>

#include "ask.h"

/*
 * Those who fetch come one after the other, and give up after ten seconds. A daemon that hangs must not
 * keep them from what the page says.
 */
#define PATIENCE_S 1

static double monotonic_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static bool asked(struct ask *ask, enum control_type type)
{
	union control_request request;

	control_request_begin(&request, type, 0);
	return ask_for(ask, &request) == 0;
}

static void control_take(struct exporter_facts *facts, const char *path)
{
	struct ask ask;

	if (ask_open_within(&ask, path, PATIENCE_S) < 0)
		return;
	facts->has_identity = asked(&ask, CONTROL_IDENTITY);
	if (facts->has_identity)
		facts->identity = ask.reply.identity;
	facts->has_status = facts->has_identity && asked(&ask, CONTROL_STATUS);
	if (facts->has_status)
		facts->status = ask.reply.status;
	facts->has_models = facts->has_status && asked(&ask, CONTROL_MODELS);
	if (facts->has_models)
		facts->models = ask.reply.models;
	ask_close(&ask);
}

void exporter_facts_take(struct exporter_facts *facts, const char *page, const char *control)
{
	double start_s = monotonic_s();

	memset(facts, 0, sizeof(*facts));
	view_take(&facts->view, page);
	if (!control || strcmp(control, "none") != 0)
		control_take(facts, control);
	facts->taken_s = monotonic_s() - start_s;
}
