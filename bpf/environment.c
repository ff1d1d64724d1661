/* SPDX-License-Identifier: MIT */
#include "environment.h"

#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UPROBE_PATH "/sys/bus/event_source/devices/uprobe/type"

static uint64_t capabilities_effective(void)
{
	uint64_t effective = 0;
	char line[128];
	FILE *status = fopen("/proc/self/status", "re");

	if (!status)
		return 0;
	while (fgets(line, sizeof(line), status))
		if (strncmp(line, "CapEff:", 7) == 0)
			effective = strtoull(line + 7, NULL, 16);
	fclose(status);
	return effective;
}

void environment_read(struct environment *ret)
{
	uint64_t effective = capabilities_effective();
	bool admin = effective >> CAP_SYS_ADMIN & 1;

	ret->cap_bpf = admin || (effective >> CAP_BPF & 1);
	ret->cap_perfmon = admin || (effective >> CAP_PERFMON & 1);
	ret->cap_ptrace = effective >> CAP_SYS_PTRACE & 1;
	ret->uprobes = access(UPROBE_PATH, R_OK) == 0;
}

void environment_obstacle(const struct environment *environment, char *text, size_t size)
{
	const char *missing = NULL;

	*text = '\0';
	if (!environment->cap_bpf)
		missing = environment->cap_perfmon ? "CAP_BPF" : "CAP_BPF and CAP_PERFMON";
	else if (!environment->cap_perfmon)
		missing = "CAP_PERFMON";
	if (missing)
		snprintf(
			text, size,
			"tracing needs the capabilities CAP_BPF and CAP_PERFMON, and CAP_SYS_ADMIN for "
			"probes in programs; this process lacks %s: run it as root\n",
			missing);
	else if (!environment->uprobes)
		snprintf(text, size,
			 "%s is not there: this kernel is built without CONFIG_UPROBE_EVENTS, or "
			 "/sys is not mounted; the page's own statistics work without: chronotick "
			 "status\n",
			 UPROBE_PATH);
}
