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

uint64_t snapshot_overdue(const struct writer *writer, uint64_t now_ns)
{
	uint64_t periods;

	if (!writer->period_ns || now_ns <= writer->last_ns)
		return 0;
	/* As they are counted when one comes: half a period late is no miss. */
	periods = (now_ns - writer->last_ns + writer->period_ns / 2) / writer->period_ns;
	return periods > 1 ? periods - 1 : 0;
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

void snapshot_name_clean(char name[COMM_SIZE])
{
	name[COMM_SIZE - 1] = '\0';
	for (; *name; name++)
		if (*name < ' ' || *name > '~')
			*name = '?';
}

/* Has another process begun to publish there since this one's latest? It took this one's place. */
static bool writer_is_followed(const struct snapshot *snapshot, size_t number, size_t page)
{
	uint64_t last_ns = snapshot->processes[number].writer[page].last_ns;
	size_t i;

	for (i = 0; i < snapshot->process_count; i++) {
		const struct writer *other = &snapshot->processes[i].writer[page];

		if (i != number && snapshot->processes[i].has_writer[page] &&
		    other->last_ns > last_ns &&
		    other->last_ns - last_ns >=
			    (other->count + other->missed - 1) * other->period_ns)
			return true;
	}
	return false;
}

void snapshot_finish(struct snapshot *snapshot)
{
	size_t i, j;

	if (snapshot->process_count)
		qsort(snapshot->processes, snapshot->process_count, sizeof(*snapshot->processes),
		      compare);
	for (i = 0; i < snapshot->process_count; i++) {
		name_look_up(&snapshot->processes[i]);
		snapshot_name_clean(snapshot->processes[i].name);
		for (j = 0; j < QUANTITIES; j++)
			distribution_sort(&snapshot->processes[i].distributions[j]);
		for (j = 0; j < WRITER_PAGES; j++)
			if (writer_is_followed(snapshot, i, j))
				snapshot->processes[i].overdue[j] = 0;
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
