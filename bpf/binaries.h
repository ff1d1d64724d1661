/* SPDX-License-Identifier: MIT */
/*
 * Which files have our probes in them: those that running processes have mapped for execution, in
 * whatever container. A probe belongs to a file's inode, so each is told once, however many
 * processes run it, and by whatever overlays they see it.
 */
#ifndef BPF_BINARIES_H
#define BPF_BINARIES_H

#include <stdint.h>

#include "notes.h"

struct binaries;

/* A file with notes of ours. path: to open it by, good during the call alone; name: to show. */
typedef void (*binaries_found)(void *data, const char *path, const char *name,
			       const struct notes *notes);

/* A process has a read of the page at these addresses; may be told again and again. */
typedef void (*binaries_mapped)(void *data, uint32_t pid, uint64_t begin, uint64_t end);

/* pid: look at that process alone; 0: at all. Returns 0 or -ENOMEM. */
int binaries_new(struct binaries **ret, uint32_t pid, binaries_found found, binaries_mapped mapped,
		 void *data);
void binaries_free(struct binaries *binaries); /* NULL is allowed */

/* Tell of a file, if it has not been told of. Returns 0, or what notes_read() returns. */
int binaries_add(struct binaries *binaries, const char *path);

/*
 * Look at the processes: at new ones, again at those that were new one and five calls ago, for they
 * may have become another program or loaded a library since, and at all every sixty calls; at the
 * one that was asked for in every call. To be called once a second.
 */
void binaries_scan(struct binaries *binaries);

#endif /* BPF_BINARIES_H */
