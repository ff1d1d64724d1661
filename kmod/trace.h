/* SPDX-License-Identifier: GPL-2.0-only */
/* clang-format off */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM chronotick

#if !defined(CHRONOTICK_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define CHRONOTICK_TRACE_H

#include <linux/tracepoint.h>

#include "chronotick.h"

/* A line was stored. offset_ns: UTC - CLOCK_REALTIME, just after; 0 where it can't be told. */
TRACE_EVENT(chronotick_publish,
	TP_PROTO(const struct publication *publication, s64 offset_ns, u64 window_ns),
	TP_ARGS(publication, offset_ns, window_ns),
	TP_STRUCT__entry(
		__field(u32, sequence)
		__field(u32, generation)
		__field(u16, status)
		__field(u32, bound_ns)
		__field(s64, offset_ns)
		__field(u64, window_ns)
		__field(pid_t, pid)
	),
	TP_fast_assign(
		__entry->sequence = publication->line.seq;
		__entry->generation = CHRONOTICK_STATE_GENERATION(publication->line.state);
		__entry->status = CHRONOTICK_STATE_STATUS(publication->line.state);
		__entry->bound_ns = publication->line.bound_ns;
		__entry->offset_ns = offset_ns;
		__entry->window_ns = window_ns;
		__entry->pid = task_tgid_nr(current);
	),
	TP_printk("sequence=%u generation=%u status=%#x bound_ns=%u offset_ns=%lld window_ns=%llu pid=%d",
		  __entry->sequence, __entry->generation, __entry->status, __entry->bound_ns,
		  __entry->offset_ns, __entry->window_ns, __entry->pid)
);

/* There is a writer (gone is 0), or there is none any more. */
TRACE_EVENT(chronotick_writer,
	TP_PROTO(bool gone),
	TP_ARGS(gone),
	TP_STRUCT__entry(
		__field(bool, gone)
		__field(u32, generation)
		__field(u32, standby_count)
		__field(pid_t, pid)
	),
	TP_fast_assign(
		__entry->gone = gone;
		__entry->generation = READ_ONCE(page_get()->header.generation);
		__entry->standby_count = READ_ONCE(page_get()->header.standby_count);
		__entry->pid = task_tgid_nr(current);
	),
	TP_printk("gone=%d generation=%u standby_count=%u pid=%d", __entry->gone,
		  __entry->generation, __entry->standby_count, __entry->pid)
);

/* Of the events in `events` some happened, shortly before. */
TRACE_EVENT(chronotick_invalidate,
	TP_PROTO(unsigned int events),
	TP_ARGS(events),
	TP_STRUCT__entry(
		__field(u32, events)
		__field(u32, generation)
		__field(u32, count)
	),
	TP_fast_assign(
		__entry->events = events;
		__entry->generation = READ_ONCE(page_get()->header.generation);
		__entry->count = READ_ONCE(page_get()->header.kernel_events);
	),
	TP_printk("events=%s generation=%u count=%u",
		  __print_flags(__entry->events, "|",
				{ EVENT_STEP, "step" },
				{ EVENT_COUNTER, "counter" },
				{ EVENT_FOREIGN, "foreign" },
				{ EVENT_ASLEEP, "asleep" },
				{ EVENT_AWAKE, "awake" },
				{ EVENT_ENDING, "ending" }),
		  __entry->generation, __entry->count)
);

#endif /* CHRONOTICK_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
