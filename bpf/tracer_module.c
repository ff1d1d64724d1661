/* SPDX-License-Identifier: MIT */
/* The kernel module's tracepoints. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "module.skel.h"
#include "tracer_private.h"

#define MODULE_PATH "/sys/module/chronotick"
#define TRACEFS_PATH "/sys/kernel/tracing"
#define EVENTS_PATH TRACEFS_PATH "/events/chronotick"

static int module_open(struct tracer *tracer)
{
	struct module *module = module__open();
	int r;

	if (!module)
		return -errno;
	tracer->module = module;
	tracer_scope_set(tracer, module);
	r = tracer_share_map(module->maps.histogram, tracer->probes->maps.histogram);
	if (r == 0)
		r = tracer_share_map(module->maps.notices, tracer->probes->maps.notices);
	if (r == 0)
		r = tracer_share_map(module->maps.writer, tracer->probes->maps.writer);
	if (r == 0)
		r = module__load(module);
	if (r == 0)
		r = module__attach(module);
	return r;
}

void tracer_module_try(struct tracer *tracer)
{
	int r;

	if (tracer->module || tracer->module_failed || !(tracer->options->what & TRACE_WRITER) ||
	    access(MODULE_PATH, F_OK) < 0)
		return;
	/* A machine that nobody has traced on may lack the file system that tells the events. */
	if (access(EVENTS_PATH, F_OK) < 0)
		(void)mount("tracefs", TRACEFS_PATH, "tracefs", 0, NULL);
	r = module_open(tracer);
	if (r == 0) {
		tracer->probes->bss->module_traced = 1;
		return;
	}
	tracer_module_close(tracer);
	tracer->module_failed = true;
	fprintf(stderr,
		"chronotick-trace: the module's tracepoints: %s%s; its publications are known from "
		"the daemon's probe alone\n",
		strerror(-r),
		access(EVENTS_PATH, F_OK) < 0 ? ": mount -t tracefs none " TRACEFS_PATH : "");
}

void tracer_module_close(struct tracer *tracer)
{
	module__destroy(tracer->module);
	tracer->module = NULL;
}
