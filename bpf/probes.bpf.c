// SPDX-License-Identifier: (GPL-2.0-only OR MIT)
/*
 * Behind the USDT probes of readers and writer. Nothing of the kernel's own is looked at, so this
 * needs no BTF of the kernel.
 */
#include "count.bpf.h"

#include <bpf/usdt.bpf.h>
#include <chronotick/torn.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PROCESSES_MAX);
	__type(key, __u32);
	__type(value, struct torn);
} torn SEC(".maps");

SEC("usdt")
int BPF_USDT(on_torn, __u32 kind, __u32 retries, __u64 ticks, __u64 ns)
{
	__u32 pid = process_current();
	struct torn zeros = {}, *entry;

	if (!process_counts(pid))
		return 0;
	entry = entry_of(&torn, &pid, &zeros);
	if (!entry)
		return 0;
	add(&entry->count, 1);
	/* A read that is lost has found its lines odd over and over. */
	add(kind == CHRONOTICK_TORN_CHANGED ? &entry->changed : &entry->odd, 1);
	if (kind == CHRONOTICK_TORN_LOST) {
		add(&entry->lost, 1);
		notice_send(pid, NOTICE_LOST_READ, retries);
	}
	add(&entry->retries, retries);
	add(&entry->ticks, ticks);
	add(&entry->ns, ns);
	if (retries > entry->retries_max)
		entry->retries_max = retries;
	if (ns > entry->ns_max)
		entry->ns_max = ns;
	entry->last_ns = bpf_ktime_get_ns();
	bpf_get_current_comm(entry->comm, sizeof(entry->comm));
	histogram_add(pid, TORN_NS, ns);
	histogram_add(pid, TORN_RETRIES, retries);
	return 0;
}
