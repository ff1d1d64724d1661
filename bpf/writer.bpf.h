/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Counting publications, whether a daemon's probe or the module's tracepoint tells of them. */
#ifndef BPF_WRITER_BPF_H
#define BPF_WRITER_BPF_H

#include "count.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PROCESSES_MAX);
	__type(key, struct writer_key);
	__type(value, struct writer);
} writer SEC(".maps");

struct publication {
	__u64 window_ns;
	__u64 interval_ns; /* 0: the first one */
	__u32 sequence;
	__u32 status;
};

/* NULL: its process is not one that is watched, or there is no room. */
static __always_inline struct writer *writer_of(const struct writer_key *key)
{
	struct writer zeros = {};

	if (!process_counts(key->pid))
		return NULL;
	return entry_of(&writer, key, &zeros);
}

static __always_inline void publication_count(const struct writer_key *key, struct writer *writer,
					      const struct publication *publication)
{
	__u64 interval = publication->interval_ns, period = writer->period_ns, missed;
	bool module = key->page == WRITER_MODULE;

	add(&writer->count, 1);
	writer->last_ns = bpf_ktime_get_ns();
	writer->sequence = publication->sequence;
	writer->status = publication->status;
	bpf_get_current_comm(writer->comm, sizeof(writer->comm));
	if (publication->window_ns > writer->window_ns_max)
		writer->window_ns_max = publication->window_ns;
	histogram_add(key->pid, module ? MODULE_WINDOW_NS : WRITE_WINDOW_NS,
		      publication->window_ns);
	if (!interval || !period)
		return;
	if (interval > writer->interval_ns_max)
		writer->interval_ns_max = interval;
	histogram_add(key->pid, module ? MODULE_JITTER_NS : WRITE_JITTER_NS,
		      interval > period ? interval - period : period - interval);
	/* Rounded to whole periods: half of one late is no miss. */
	missed = (interval + period / 2) / period;
	if (missed > 1) {
		add(&writer->missed, missed - 1);
		notice_send(key->pid, NOTICE_MISSED, missed - 1);
	}
}

#endif /* BPF_WRITER_BPF_H */
