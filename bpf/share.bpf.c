// SPDX-License-Identifier: (GPL-2.0-only OR MIT)
/*
 * What share of a CPU's time goes to reads: samples of where threads are, on request. A read of 10 ns
 * is far shorter than the time between two samples, so it is a share, and no latency.
 */
#include "count.bpf.h"
#include "reading.bpf.h"

#include <linux/bpf_perf_event.h>

#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

SEC("perf_event")
int on_sample(struct bpf_perf_event_data *context)
{
	__u32 pid = process_current();
	struct reading *reading = bpf_map_lookup_elem(&readings, &pid);
	__u64 at = PT_REGS_IP(&context->regs);
	unsigned int i;

	if (!reading || !process_counts(pid))
		return 0;
	add(&reading->samples, 1);
	for (i = 0; i < READING_RANGES; i++) {
		if (at >= reading->ranges[i].begin && at < reading->ranges[i].end) {
			add(&reading->samples_reading, 1);
			break;
		}
	}
	return 0;
}
