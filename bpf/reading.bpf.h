/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Where processes read the page, and which threads were switched out there. */
#ifndef BPF_READING_BPF_H
#define BPF_READING_BPF_H

#include "count.bpf.h"

/* By process; filled from outside. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PROCESSES_MAX);
	__type(key, __u32);
	__type(value, struct reading);
} readings SEC(".maps");

/* By thread: CLOCK_MONOTONIC when it was switched in again; 0: not yet. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u64);
} preempted SEC(".maps");

#endif /* BPF_READING_BPF_H */
