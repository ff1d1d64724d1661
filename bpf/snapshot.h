/* SPDX-License-Identifier: MIT */
/* What has been counted by a moment, process by process. */
#ifndef BPF_SNAPSHOT_H
#define BPF_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "distribution.h"
#include "events.h"

struct process {
	uint32_t pid;
	char name[COMM_SIZE];
	bool has_torn;
	struct torn torn;
	bool has_reading; /* where it reads is known, and was watched */
	struct reading reading;
	bool has_latency;
	struct latency latency;
	bool has_writer[WRITER_PAGES];
	struct writer writer[WRITER_PAGES];
	uint64_t overdue[WRITER_PAGES]; /* publications that have not come since the latest one */
	struct distribution distributions[QUANTITIES];
};

struct snapshot {
	double seconds;            /* since tracing began */
	unsigned int binaries;     /* files that are traced */
	uint64_t left_out;         /* events that found no room */
	uint64_t notices_lost;     /* that could not be told, but are counted */
	struct process *processes; /* by number */
	size_t process_count, room;
};

/* The process of that number, made if there is none; NULL: out of memory. Pointers go stale. */
struct process *snapshot_process(struct snapshot *snapshot, uint32_t pid);

/* Any process may call itself what it likes: no control characters, nor broken UTF-8. */
void snapshot_name_clean(char name[COMM_SIZE]);

/* Sort all, and look up the processes' names as they are now. */
void snapshot_finish(struct snapshot *snapshot);
void snapshot_clear(struct snapshot *snapshot);

/*
 * How many publications should have come since the latest: whole periods, less the one whose turn it
 * may be. The missed ones of a writer are counted when it goes on; these are, too, if it never does.
 */
uint64_t snapshot_overdue(const struct writer *writer, uint64_t now_ns);

/* "torn_ns" and so on: the quantity's name in JSON; its last part is the unit. */
const char *snapshot_quantity_key(enum quantity quantity);

#endif /* BPF_SNAPSHOT_H */
