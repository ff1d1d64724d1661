// SPDX-License-Identifier: (GPL-2.0-only OR MIT)
/* Behind the tracepoints of the kernel module: the fields are those of kmod/trace.h. */
#include "count.bpf.h"
#include "writer.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* What every tracepoint's record begins with */
struct common {
	__u16 type;
	__u8 flags;
	__u8 preempt_count;
	__s32 pid;
};

struct publish_record {
	struct common common;
	__u32 sequence;
	__u32 generation;
	__u16 status;
	__u32 bound_ns;
	__s64 offset_ns;
	__u64 window_ns;
	__s32 pid;
};

struct writer_record {
	struct common common;
	bool gone;
	__u32 generation;
	__u32 standby_count;
	__s32 pid;
};

struct invalidate_record {
	struct common common;
	__u32 events;
	__u32 generation;
	__u32 count;
};

SEC("tp/chronotick/chronotick_publish")
int on_module_publish(struct publish_record *record)
{
	struct writer_key key = {.pid = process_current(), .page = WRITER_MODULE};
	struct publication publication = {
		.window_ns = record->window_ns,
		.sequence = record->sequence,
		.status = record->status,
	};
	struct writer *writer;

	writer = writer_of(&key);
	if (!writer)
		return 0;
	if (writer->last_ns)
		publication.interval_ns = bpf_ktime_get_ns() - writer->last_ns;
	publication_count(&key, writer, &publication);
	return 0;
}

SEC("tp/chronotick/chronotick_writer")
int on_module_writer(struct writer_record *record)
{
	notice_send(process_current(), NOTICE_WRITER, record->gone);
	return 0;
}

SEC("tp/chronotick/chronotick_invalidate")
int on_module_invalidate(struct invalidate_record *record)
{
	notice_send(process_current(), NOTICE_INVALIDATE, record->events);
	return 0;
}
