/* SPDX-License-Identifier: MIT */
#include "snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const keys[QUANTITIES] = {
	[TORN_NS] = "torn_ns",
	[TORN_RETRIES] = "torn_retries",
	[READ_WARM_PS] = "canary_warm_ps",
	[READ_COLD_PS] = "canary_cold_ps",
	[READ_SERIALISED_PS] = "canary_serialised_ps",
	[WRITE_WINDOW_NS] = "write_window_ns",
	[WRITE_JITTER_NS] = "write_jitter_ns",
	[WRITE_UPDATE_NS] = "write_update_ns",
	[MODULE_WINDOW_NS] = "module_window_ns",
	[MODULE_JITTER_NS] = "module_jitter_ns",
	[MODULE_UPDATE_NS] = "module_update_ns",
	[STAGE_RECEIVE_NS] = "stage_receive_ns",
	[STAGE_WAIT_NS] = "stage_wait_ns",
	[STAGE_PUBLISH_NS] = "stage_publish_ns",
	[STAGE_ALL_NS] = "stage_all_ns",
};

const char *snapshot_quantity_key(enum quantity quantity)
{
	return keys[quantity];
}

struct process *snapshot_process(struct snapshot *snapshot, uint32_t pid)
{
	size_t i;

	for (i = 0; i < snapshot->process_count; i++)
		if (snapshot->processes[i].pid == pid)
			return &snapshot->processes[i];
	if (snapshot->process_count == snapshot->room) {
		size_t room = snapshot->room ? snapshot->room * 2 : 16;
		struct process *more = realloc(snapshot->processes, room * sizeof(*more));

		if (!more)
			return NULL;
		snapshot->processes = more;
		snapshot->room = room;
	}
	snapshot->processes[i] = (struct process){.pid = pid};
	snapshot->process_count++;
	return &snapshot->processes[i];
}

static int compare(const void *a, const void *b)
{
	const struct process *left = a, *right = b;

	return (left->pid > right->pid) - (left->pid < right->pid);
}

/* What was seen when it last counted may be a thread's name, or that of the program before. */
static void name_look_up(struct process *process)
{
	char path[32], name[COMM_SIZE + 1];
	FILE *comm;

	snprintf(path, sizeof(path), "/proc/%u/comm", process->pid);
	comm = fopen(path, "re");
	if (!comm)
		return;
	if (fgets(name, sizeof(name), comm)) {
		name[strcspn(name, "\n")] = '\0';
		snprintf(process->name, sizeof(process->name), "%.*s", COMM_SIZE - 1, name);
	}
	fclose(comm);
}

/* Any process may call itself what it likes: no control characters, nor broken UTF-8. */
static void name_clean(struct process *process)
{
	char *at;

	process->name[COMM_SIZE - 1] = '\0';
	for (at = process->name; *at; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
}

void snapshot_finish(struct snapshot *snapshot)
{
	size_t i, j;

	if (snapshot->process_count)
		qsort(snapshot->processes, snapshot->process_count, sizeof(*snapshot->processes),
		      compare);
	for (i = 0; i < snapshot->process_count; i++) {
		name_look_up(&snapshot->processes[i]);
		name_clean(&snapshot->processes[i]);
		for (j = 0; j < QUANTITIES; j++)
			distribution_sort(&snapshot->processes[i].distributions[j]);
	}
}

void snapshot_clear(struct snapshot *snapshot)
{
	size_t i, j;

	for (i = 0; i < snapshot->process_count; i++)
		for (j = 0; j < QUANTITIES; j++)
			distribution_clear(&snapshot->processes[i].distributions[j]);
	free(snapshot->processes);
	memset(snapshot, 0, sizeof(*snapshot));
}
