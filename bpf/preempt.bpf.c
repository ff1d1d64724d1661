// SPDX-License-Identifier: (GPL-2.0-only OR MIT)
/*
 * Which threads are switched out inside of a read. Costs every context switch of the machine, so it is
 * loaded on request only; needs the kernel's BTF.
 */
#include "count.bpf.h"
#include "reading.bpf.h"

#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

struct task_struct {
	int pid; /* of the thread */
} __attribute__((preserve_access_index));

/* Is the thread that is switched out in a read? Its first load is done, its last is not. */
static __always_inline bool is_reading(const struct reading *reading)
{
	const struct pt_regs *registers =
		(const struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
	__u64 at = PT_REGS_IP(registers);
	unsigned int i;

	for (i = 0; i < READING_RANGES; i++)
		if (at > reading->ranges[i].begin && at < reading->ranges[i].end)
			return true;
	return false;
}

SEC("tp_btf/sched_switch")
int on_switch(__u64 *arguments)
{
	const struct task_struct *next = (const struct task_struct *)arguments[2];
	__u64 not_yet = 0, *since;
	__u32 pid = process_current(), thread = bpf_get_current_pid_tgid(), in = next->pid;
	struct reading *reading;

	since = bpf_map_lookup_elem(&preempted, &in);
	if (since && !*since)
		*since = bpf_ktime_get_ns();
	reading = bpf_map_lookup_elem(&readings, &pid);
	if (!reading)
		return 0;
	if (is_reading(reading)) {
		add(&reading->preempted, 1);
		bpf_map_update_elem(&preempted, &thread, &not_yet, BPF_ANY);
	} else {
		bpf_map_delete_elem(&preempted, &thread);
	}
	return 0;
}
