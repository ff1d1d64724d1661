/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* What the BPF programs share: whom to count, buckets, and the maps that all of them fill. */
#ifndef BPF_COUNT_BPF_H
#define BPF_COUNT_BPF_H

#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>

#include "events.h"

/* 0: every process. Set before loading. */
const volatile __u32 only_pid = 0;

/* Events that found no room in a map; notices that found none in the ring buffer */
__u64 left_out = 0;
__u64 notices_lost = 0;

/*
 * Processes are told by their numbers in this namespace, those that are in it: its device and inode
 * numbers. 0: the first one, in which everybody is. Set before loading.
 */
const volatile __u64 pid_namespace_device = 0, pid_namespace_inode = 0;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BUCKETS_MAX);
	__type(key, struct bucket);
	__type(value, __u64);
} histogram SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} notices SEC(".maps");

/* 0: it is not in the namespace. */
static __always_inline __u32 process_current(void)
{
	struct bpf_pidns_info numbers = {};

	if (!pid_namespace_inode)
		return bpf_get_current_pid_tgid() >> 32;
	if (bpf_get_ns_current_pid_tgid(pid_namespace_device, pid_namespace_inode, &numbers,
					sizeof(numbers)) < 0)
		return 0;
	return numbers.tgid;
}

static __always_inline bool process_counts(__u32 pid)
{
	return pid && (!only_pid || only_pid == pid);
}

static __always_inline void add(__u64 *sum, __u64 value)
{
	__sync_fetch_and_add(sum, value);
}

/* The lower edge of the bucket that the value belongs to. */
static __always_inline __u64 bucket_edge(__u64 value)
{
	__u32 top = 0; /* the highest bit's number */
	__u64 rest = value;

	if (value < 2 * BUCKETS_PER_OCTAVE)
		return value;
	if (rest >> 32) {
		top += 32;
		rest >>= 32;
	}
	if (rest >> 16) {
		top += 16;
		rest >>= 16;
	}
	if (rest >> 8) {
		top += 8;
		rest >>= 8;
	}
	if (rest >> 4) {
		top += 4;
		rest >>= 4;
	}
	if (rest >> 2) {
		top += 2;
		rest >>= 2;
	}
	top += rest >> 1;
	return value >> (top - 3) << (top - 3);
}

static __always_inline void histogram_add(__u32 pid, enum quantity quantity, __u64 value)
{
	struct bucket key = {.pid = pid, .quantity = quantity, .at_least = bucket_edge(value)};
	__u64 zero = 0, *count = bpf_map_lookup_elem(&histogram, &key);

	if (!count) {
		bpf_map_update_elem(&histogram, &key, &zero, BPF_NOEXIST);
		count = bpf_map_lookup_elem(&histogram, &key);
	}
	if (count)
		add(count, 1);
	else
		add(&left_out, 1);
}

static __always_inline void notice_send(__u32 pid, enum notice_kind kind, __u64 value)
{
	struct notice *notice = bpf_ringbuf_reserve(&notices, sizeof(*notice), 0);

	if (!notice) {
		add(&notices_lost, 1);
		return;
	}
	notice->time_ns = bpf_ktime_get_ns();
	notice->value = value;
	notice->pid = pid;
	notice->kind = kind;
	bpf_get_current_comm(notice->comm, sizeof(notice->comm));
	/* Waking somebody up costs more than all of this: they are looked for once a second. */
	bpf_ringbuf_submit(notice, BPF_RB_NO_WAKEUP);
}

/* The entry of a key, made of zeros if there is none; NULL: there is no room. */
static __always_inline void *entry_of(void *map, const void *key, const void *zeros)
{
	void *entry = bpf_map_lookup_elem(map, key);

	if (entry)
		return entry;
	bpf_map_update_elem(map, key, zeros, BPF_NOEXIST);
	entry = bpf_map_lookup_elem(map, key);
	if (!entry)
		add(&left_out, 1);
	return entry;
}

#endif /* BPF_COUNT_BPF_H */
