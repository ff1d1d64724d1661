/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/*
 * What the BPF programs count, as they and chronotick-trace see it. Everything has BTF types, so
 * `bpftool map dump` shows it by name.
 *
 * Distributions are sparse: one entry of the map `histogram` a bucket that was hit, under process,
 * quantity and the bucket's lower edge. Buckets are log-linear: 8 to a factor of two, and exact
 * below 16.
 */
#ifndef BPF_EVENTS_H
#define BPF_EVENTS_H

#include <linux/types.h>

#define BUCKETS_PER_OCTAVE 8
#define PROCESSES_MAX 1024
#define BUCKETS_MAX 32768
#define COMM_SIZE 16

/* What a bucket is of */
enum quantity {
	TORN_NS = 0,        /* from the look that failed until a line was taken */
	TORN_RETRIES,       /* looks at a line after that one */
	READ_WARM_PS,       /* one read of a canary: line in the cache, back to back */
	READ_COLD_PS,       /* line evicted before it */
	READ_SERIALISED_PS, /* each one begun after the one before has ended */
	WRITE_WINDOW_NS,    /* counter sample to both lines complete */
	WRITE_JITTER_NS,    /* interval between publications against the nominal one, absolute */
	WRITE_UPDATE_NS,    /* how far the estimate was from the line before, absolute */
	MODULE_WINDOW_NS,   /* the same of the kernel module's page */
	MODULE_JITTER_NS,
	MODULE_UPDATE_NS,
	STAGE_RECEIVE_NS, /* packet in until its sample is in the engine */
	STAGE_WAIT_NS,    /* from there until a publication began */
	STAGE_PUBLISH_NS, /* from there until the page was out */
	STAGE_ALL_NS,     /* packet in to page out */
	QUANTITIES,
};

struct bucket {
	__u32 pid;
	enum quantity quantity;
	__u64 at_least;
};

/* Torn reads of a process */
struct torn {
	char comm[COMM_SIZE];
	__u64 count;
	__u64 odd;              /* the line was being written */
	__u64 changed;          /* it was written during the read */
	__u64 lost;             /* of both: no line was whole, the read failed */
	__u64 reader_preempted; /* these two only while preemption is traced */
	__u64 writer_concurrent;
	__u64 retries;
	__u64 retries_max;
	__u64 ticks; /* of the page's counter */
	__u64 ns;
	__u64 ns_max;
	__u64 last_ns; /* CLOCK_MONOTONIC */
};

/* Where a process reads the page, and how often a thread of it was switched out there */
#define READING_RANGES 16
struct reading {
	__u64 preempted;
	__u64 samples; /* of the process, and of them those in a read */
	__u64 samples_reading;
	__u32 left_out; /* there are more than READING_RANGES places */
	__u32 pad;
	struct {
		__u64 begin, end; /* addresses; 0: none */
	} ranges[READING_RANGES];
};

/* What a process's canary measures: not that process's own reads */
struct latency {
	char comm[COMM_SIZE];
	__u64 rounds;
	__u64 reads;
	__u64 warm_ps; /* these three of the latest round; 0: can't be told */
	__u64 cold_ps;
	__u64 serialised_ps;
	__u64 last_ns; /* CLOCK_MONOTONIC */
};

/* Where a writer publishes; the first argument of the probe chronotick:published */
enum writer_page {
	WRITER_SHM = 0,
	WRITER_MODULE = 1,
	WRITER_PAGES,
};

struct writer_key {
	__u32 pid;
	enum writer_page page;
};

/* What a process has published in a page */
struct writer {
	char comm[COMM_SIZE];
	__u64 count;
	__u64 missed; /* publications that did not come, by the intervals between those that did */
	__u64 period_ns; /* the nominal interval; 0: not known */
	__u64 window_ns_max;
	__u64 interval_ns_max;
	__u64 update_ns_max;
	__u64 last_ns; /* CLOCK_MONOTONIC */
	__u32 sequence;
	__u32 status; /* enum chronotick_status and leap state */
};

/* What ring buffer records tell: what is too rare to be found in sums, as it happens */
enum notice_kind {
	NOTICE_LOST_READ = 0, /* value: looks */
	NOTICE_MISSED,        /* value: publications that did not come */
	NOTICE_WRITER,        /* module: value 1: there is no writer any more, 0: there is one */
	NOTICE_INVALIDATE,    /* module: value: its events, a bit each */
	NOTICE_KINDS,
};

struct notice {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 value;
	__u32 pid;
	enum notice_kind kind;
	char comm[COMM_SIZE];
};

#endif /* BPF_EVENTS_H */
