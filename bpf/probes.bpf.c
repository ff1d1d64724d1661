// SPDX-License-Identifier: (GPL-2.0-only OR MIT)
/*
 * Behind the USDT probes of readers and writer. Nothing of the kernel's own is looked at, so this
 * needs no BTF of the kernel.
 */
#include "count.bpf.h"

#include "reading.bpf.h"
#include "writer.bpf.h"

#include <bpf/usdt.bpf.h>
#include <chronotick/torn.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PROCESSES_MAX);
	__type(key, __u32);
	__type(value, struct torn);
} torn SEC(".maps");

/* Are threads that are switched out in a read told of? Set at run time. */
__u32 preempt_traced = 0;

/* So soon after it is switched in again a read that was stopped finds that it is torn. */
#define PREEMPTED_NS 50000

/* Whose doing it was: the reader was stopped in its read, or the writer came in between. */
static __always_inline void cause_count(struct torn *entry)
{
	__u32 thread = bpf_get_current_pid_tgid();
	__u64 *since = bpf_map_lookup_elem(&preempted, &thread);

	if (since && *since && bpf_ktime_get_ns() - *since < PREEMPTED_NS)
		add(&entry->reader_preempted, 1);
	else
		add(&entry->writer_concurrent, 1);
	if (since)
		bpf_map_delete_elem(&preempted, &thread);
}

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
	if (preempt_traced)
		cause_count(entry);
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

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PROCESSES_MAX);
	__type(key, __u32);
	__type(value, struct latency);
} latency SEC(".maps");

SEC("usdt")
int BPF_USDT(on_canary, __u64 warm_ps, __u64 cold_ps, __u64 serialised_ps, __u32 reads)
{
	__u32 pid = process_current();
	struct latency zeros = {}, *entry;

	if (!process_counts(pid))
		return 0;
	entry = entry_of(&latency, &pid, &zeros);
	if (!entry)
		return 0;
	add(&entry->rounds, 1);
	add(&entry->reads, reads);
	entry->warm_ps = warm_ps;
	entry->cold_ps = cold_ps;
	entry->serialised_ps = serialised_ps;
	entry->last_ns = bpf_ktime_get_ns();
	bpf_get_current_comm(entry->comm, sizeof(entry->comm));
	/* 0: a counter that stood still, or a machine without a way to evict */
	if (warm_ps)
		histogram_add(pid, READ_WARM_PS, warm_ps);
	if (cold_ps)
		histogram_add(pid, READ_COLD_PS, cold_ps);
	if (serialised_ps)
		histogram_add(pid, READ_SERIALISED_PS, serialised_ps);
	return 0;
}

/* The module's tracepoints tell of its page; set at run time. */
__u32 module_traced = 0;

SEC("usdt")
int BPF_USDT(on_published, __u32 page, __u64 window_ns, __u64 interval_ns, __u64 period_ns,
	     __u32 sequence, __u64 update_ns, __u32 status)
{
	struct writer_key key = {.pid = process_current(),
				 .page = page ? WRITER_MODULE : WRITER_SHM};
	struct publication publication = {
		.window_ns = window_ns,
		.interval_ns = interval_ns,
		.sequence = sequence,
		.status = status,
	};
	struct writer *writer;

	writer = writer_of(&key);
	if (!writer)
		return 0;
	writer->period_ns = period_ns;
	if (update_ns > writer->update_ns_max)
		writer->update_ns_max = update_ns;
	histogram_add(key.pid, page ? MODULE_UPDATE_NS : WRITE_UPDATE_NS, update_ns);
	if (!page || !module_traced)
		publication_count(&key, writer, &publication);
	return 0;
}

SEC("usdt")
int BPF_USDT(on_stages, __u64 receive_ns, __u64 wait_ns, __u64 publish_ns)
{
	__u32 pid = process_current();

	if (!process_counts(pid))
		return 0;
	histogram_add(pid, STAGE_RECEIVE_NS, receive_ns);
	histogram_add(pid, STAGE_WAIT_NS, wait_ns);
	histogram_add(pid, STAGE_PUBLISH_NS, publish_ns);
	histogram_add(pid, STAGE_ALL_NS, receive_ns + wait_ns + publish_ns);
	return 0;
}
