/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR MIT */
/*
 * The ChronoTick page: the one contract between the kernel module, the daemon, the library, the BPF
 * programs and every binding. ABI version 1.
 *
 * One page of 4096 bytes. One writer (chronotickd) stores into it; any number of readers map it
 * read-only and never write, lock or wait.
 *
 *	   0  struct chronotick_record      128  the ChronoTick record, a plain seqlock for old readers
 *	 128  struct chronotick_clock        64  clock[0]: the clock line, all that a fast read needs
 *	 192  struct chronotick_clock        64  clock[1]: its shadow, written after clock[0]
 *	 256  struct chronotick_header      128  who wrote the page, and for which counter
 *	 384  struct chronotick_record      128  shadow of the record
 *	 512  struct chronotick_statistics  512  measured figures, each word by itself
 *	1024  struct chronotick_source[32] 3072  one summary a time source, each word by itself
 *
 * Integers are in native byte order. Documentation/page.md has the byte diagram and the protocol of
 * reading, writing and taking over.
 */
#ifndef CHRONOTICK_PAGE_H
#define CHRONOTICK_PAGE_H

#ifndef __VMLINUX_H__ /* BPF programs bring the kernel's types with vmlinux.h */
#include <linux/types.h>
#endif

#define CHRONOTICK_MAGIC 0x4b434954524e4843ULL /* "CHRNTICK" in little-endian order */
#define CHRONOTICK_ABI_VERSION 1
#define CHRONOTICK_PAGE_SIZE 4096
#define CHRONOTICK_SOURCES_MAX 32

#define CHRONOTICK_DEVICE_PATH "/dev/chronotick"
#define CHRONOTICK_SHM_DIR "/dev/shm/"
#define CHRONOTICK_SHM_NAME "chronotick_shm"

/* Floating point is never touched in the kernel: there the same bits are integers. */
#ifdef __KERNEL__
typedef __u64 chronotick_f64;
typedef __u32 chronotick_f32;
#else
typedef double chronotick_f64;
typedef float chronotick_f32;
#endif

/* chronotick_record.flags */
#define CHRONOTICK_FLAG_VALID 1U           /* the correction may be trusted now */
#define CHRONOTICK_FLAG_NTP_READY 2U       /* a reference of any kind has been measured */
#define CHRONOTICK_FLAG_MODELS_READY 4U    /* the predictive models are in use */
#define CHRONOTICK_FLAG_WARMUP_COMPLETE 8U /* warm_up_s has passed and the models are scored */

/* chronotick_record.source: what the correction rests on */
enum chronotick_source_kind {
	CHRONOTICK_NO_DATA = 0,
	CHRONOTICK_NTP = 1,
	CHRONOTICK_CPU_MODEL = 2, /* short-term model */
	CHRONOTICK_GPU_MODEL = 3, /* long-term model */
	CHRONOTICK_FUSION = 4,
	CHRONOTICK_PTP = 5,
	CHRONOTICK_PHC = 6,
};

/*
 * The ChronoTick record. Times are seconds since 1970 on the system clock, drift is in seconds per
 * second:
 *
 *	corrected(t)   = t + offset_correction + drift_rate * (t - prediction_time)
 *	uncertainty(D) = sqrt(offset_uncertainty^2 + (drift_uncertainty * D)^2), one standard deviation
 *
 * sequence_number is odd while the record is being written.
 */
struct chronotick_record {
	chronotick_f64 corrected_timestamp; /* UTC at system_timestamp */
	chronotick_f64 system_timestamp;    /* CLOCK_REALTIME at publication */
	chronotick_f64 prediction_time;     /* CLOCK_REALTIME that offset_correction is for */
	chronotick_f64 offset_correction;   /* UTC - CLOCK_REALTIME, s */
	chronotick_f64 drift_rate;          /* of UTC against CLOCK_REALTIME, s/s */
	chronotick_f64 offset_uncertainty;  /* s, one sigma */
	chronotick_f64 drift_uncertainty;   /* s/s, one sigma */
	chronotick_f64 valid_until;         /* CLOCK_REALTIME after which nothing here holds */
	chronotick_f32 confidence;          /* 0 to 1 */
	__u32 sequence_number;
	__u32 flags;  /* CHRONOTICK_FLAG_* */
	__u32 source; /* enum chronotick_source_kind */
	__u32 measurement_count;
	__u32 pad0;
	chronotick_f64 last_ntp_sync; /* CLOCK_REALTIME of the last accepted measurement */
	chronotick_f64 daemon_uptime; /* s */
	__u32 total_corrections;
	__u32 reserved;
	chronotick_f32 average_latency_ms; /* of one read, as the daemon measures it */
	__u8 pad1[12];
};

/* Clock status: low byte of chronotick_clock's status */
enum chronotick_status {
	CHRONOTICK_UNSYNCHRONIZED = 0, /* nothing measured yet */
	CHRONOTICK_WARMING_UP = 1,     /* measured, not yet enough to be trusted */
	CHRONOTICK_SYNCHRONIZED = 2,
	CHRONOTICK_HOLDOVER = 3,    /* no reference now; the bound grows */
	CHRONOTICK_WRITER_GONE = 4, /* the last line still holds; nobody will write the next */
	CHRONOTICK_EXPIRED = 5,     /* filled in by readers: the line's span has passed */
};
#define CHRONOTICK_STATUS_MASK 0x00ffU
/* Leap state (RFC 5905 figure 9, without "unknown"): bits 8 and 9 of the status */
#define CHRONOTICK_LEAP_SHIFT 8
#define CHRONOTICK_LEAP_MASK 0x0300U
#define CHRONOTICK_LEAP_INSERT 0x0100U /* the last minute of the month has 61 seconds */
#define CHRONOTICK_LEAP_DELETE 0x0200U /* the last minute of the month has 59 seconds */

#define CHRONOTICK_TAI_UNKNOWN (-32768)

/* chronotick_clock.state packs generation, status and TAI - UTC, to be loaded and stored as one. */
#define CHRONOTICK_STATE(generation, status, tai_s)                                                \
	((__u64)(__u32)(generation) | (__u64)(__u16)(status) << 32 | (__u64)(__u16)(tai_s) << 48)
#define CHRONOTICK_STATE_GENERATION(state) ((__u32)(state))
#define CHRONOTICK_STATE_STATUS(state) ((__u16)((state) >> 32))
#define CHRONOTICK_STATE_TAI(state) ((__s16)((state) >> 48))

/* Bits of a mult or growth below one nanosecond, and the longest span that their product allows */
#define CHRONOTICK_MULT_SHIFT 54
#define CHRONOTICK_SPAN_MAX (1ULL << 53)

/*
 * For so long on either side of a line's anchor its growth holds, ns: over longer times a counter's
 * rate may wander farther than it says. No line is trusted for longer.
 */
#define CHRONOTICK_GROWTH_NS 1000000000000LL

/*
 * The clock line: UTC as a straight line over the counter, in one cache line. With
 * d = counter - anchor:
 *
 *	trusted      if d <= span (unsigned)
 *	UTC          = utc_ns + 2^-64 * (utc_frac + (d << 10) * mult)     ns since 1970, as POSIX counts
 *	half-width   = bound_ns + 2^-64 * (d << 10) * growth              ns
 */
struct chronotick_clock {
	__u32 seq;      /* odd: being written */
	__u32 bound_ns; /* half-width at the anchor, rounded up, rounding of the read included */
	__u64 state;    /* CHRONOTICK_STATE(generation, status, TAI - UTC) */
	__u64 anchor;   /* counter value */
	__u64 span;     /* counts after the anchor for which the line may be trusted; 0: never */
	__u64 mult;     /* 2^-54 ns per count */
	__u64 growth;   /* 2^-54 ns of half-width per count */
	__s64 utc_ns;   /* UTC at the anchor */
	__u64 utc_frac; /* 2^-64 ns */
} __attribute__((aligned(64)));

/* Which counter the clock lines run on: part of a page's identity, never changed in place */
enum chronotick_counter_kind {
	CHRONOTICK_COUNTER_NONE = 0,
	CHRONOTICK_COUNTER_TSC = 1,
	CHRONOTICK_COUNTER_CNTVCT = 2,
	CHRONOTICK_COUNTER_MONOTONIC_RAW = 3, /* clock_gettime(CLOCK_MONOTONIC_RAW), ns */
};

/*
 * In which order the first record, at offset 0, has its words 2 to 6. Its shadow has the document's
 * order always.
 */
enum chronotick_record_order {
	CHRONOTICK_ORDER_DOCUMENT = 0, /* as struct chronotick_record */
	/*
	 * As the released Python client reads it: offset_correction at 16, drift_rate at 24,
	 * offset_uncertainty at 32, drift_uncertainty at 40, prediction_time at 48
	 */
	CHRONOTICK_ORDER_PYTHON = 1,
};

/* chronotick_header.kernel_state: 0 where the page is no kernel's */
#define CHRONOTICK_KERNEL_SERVES 1U  /* the kernel writes this page */
#define CHRONOTICK_KERNEL_WRITER 2U  /* there is a writer, and it has claimed */
#define CHRONOTICK_KERNEL_COUNTER 4U /* the clocksource is the page's counter */
#define CHRONOTICK_KERNEL_ASLEEP 8U  /* between the beginning of a suspend and its end */
#define CHRONOTICK_KERNEL_ENDING 16U /* the machine is being shut down or started anew */

struct chronotick_header {
	__u64 magic; /* CHRONOTICK_MAGIC */
	__u32 abi_version;
	__u32 page_size;
	__u32 counter_kind; /* enum chronotick_counter_kind */
	__u32 generation;   /* the latest that any writer of this page has used */
	__u64 counter_hz;   /* nominal; the rate that counts is the line's mult */
	__u32 writer_pid;   /* 0: no writer */
	__u32 standby_count;
	__u64 writer_start; /* start time of writer_pid in clock ticks since boot: proc(5) stat, 22 */
	__u64 heartbeat;    /* counter value at the writer's latest round */
	__u8 boot_id[16];   /* /proc/sys/kernel/random/boot_id */
	/* The next four words are the kernel's, as is kernel_events; without the module they stay 0. */
	__u32 kernel_state;        /* CHRONOTICK_KERNEL_* */
	__u32 kernel_steps;        /* steps of the system clock */
	__u32 kernel_clocksources; /* changes of the clocksource */
	__u32 kernel_writers;      /* writers so far */
	__u32 frequency_hz;        /* publications per second that the writer aims at */
	__u32 writer_timeout_ms;
	__u64 max_bound_ns;     /* a line wider than this is never trusted */
	__u64 generation_start; /* counter value at which the present generation began */
	__u32 changes;          /* of status, generation, leap state, TAI - UTC or trust: a futex */
	__u32 record_order;     /* enum chronotick_record_order; changed only while record is odd */
	__u32 kernel_events; /* whatever makes an update another one: the two above, and suspends */
	__u32 pad;
};

/* Figures that the daemon measures; every word is current by itself, the block is no snapshot. */
struct chronotick_statistics {
	__u32 warmup_percent; /* 0 to 100 */
	__u32 source_count;   /* how many entries of chronotick_page.source are filled */
	__u64 publish_count;
	__u64 publish_rebuilt; /* built again because too late for their join */
	__u64 publish_last_ns; /* counter sample to line complete */
	__u64 publish_mean_ns;
	__u64 publish_max_ns;
	__u64 read_measured_ns; /* CLOCK_REALTIME of the figures below; 0: none yet */
	__u64 read_count;
	__u64 read_min_ps;
	__u64 read_mean_ps;
	__u64 read_p50_ps;
	__u64 read_p99_ps;
	__u64 read_max_ps;
	__u64 torn_reads;
	__u64 packets_sent;
	__u64 packets_received;
	__u64 packets_rejected;
	__u64 pad[47];
};

/* Why a source is used or not */
enum chronotick_source_state {
	CHRONOTICK_SOURCE_UNREACHABLE = 0,
	CHRONOTICK_SOURCE_SELECTED = 1,
	CHRONOTICK_SOURCE_CANDIDATE = 2,      /* usable, not (yet) part of the answer */
	CHRONOTICK_SOURCE_FALSETICKER = 3,    /* disagrees with the majority */
	CHRONOTICK_SOURCE_UNSYNCHRONIZED = 4, /* as the server says, or too far from UTC */
	CHRONOTICK_SOURCE_DENIED = 5,         /* kiss-o'-death DENY or RSTR */
	CHRONOTICK_SOURCE_LOOP = 6,           /* gets its time from this host, or is this host */
};

/* Where a packet's time was taken */
enum chronotick_stamp {
	CHRONOTICK_STAMP_NONE = 0,
	CHRONOTICK_STAMP_USER = 1,
	CHRONOTICK_STAMP_KERNEL = 2,
	CHRONOTICK_STAMP_HARDWARE = 3,
};

struct chronotick_source {
	char name[40]; /* address as text, NUL-terminated */
	__u8 kind;     /* enum chronotick_source_kind */
	__u8 state;    /* enum chronotick_source_state */
	__u8 tx_stamp; /* enum chronotick_stamp */
	__u8 rx_stamp;
	__u8 stratum;
	__u8 leap;
	__u8 reach;      /* RFC 5905 reachability register */
	__s8 poll;       /* interval between requests, log2 s */
	__s64 offset_ns; /* of its estimate, from what they agree on, or from the line that is held */
	__u64 delay_ns;
	__u64 dispersion_ns;
	__u64 root_distance_ns;
	__u64 samples;
	__u64 last_counter; /* counter value of the latest sample */
};

struct chronotick_page {
	struct chronotick_record record;
	struct chronotick_clock clock[2];
	struct chronotick_header header;
	struct chronotick_record record_shadow;
	struct chronotick_statistics statistics;
	struct chronotick_source source[CHRONOTICK_SOURCES_MAX];
};

#endif /* CHRONOTICK_PAGE_H */
