/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR MIT */
/*
 * What is asked of /dev/chronotick, beside mapping it: how a daemon becomes the page's writer,
 * how it publishes, and cross-timestamps for everybody. Readers of the page need none of this.
 *
 *	open	for reading: anybody. For writing: CAP_SYS_TIME (-EPERM), and there must be no
 *		writer (-EBUSY); the descriptor is then the writer's. It never waits.
 *	mmap	4096 bytes at offset 0, shared, for reading, and nothing else.
 *	read	4 bytes, the header's `changes`: waits (-EAGAIN with O_NONBLOCK) until they differ
 *		from what this descriptor has read last, or from what they were when it was opened.
 *	poll	POLLIN: read would not wait. POLLOUT: this descriptor is the writer's, or is a
 *		standby's and there is no writer.
 *	ioctl	the commands below.
 *
 * A writer is a descriptor in one process's table of descriptors. It ends as such when that
 * process closes the descriptor, a duplicate of it too, or ends in whatever way; that children
 * have inherited it does not matter, they can do nothing with it but read. Then the page's status
 * becomes CHRONOTICK_WRITER_GONE, and standbys are woken. The last line holds until its span is
 * over.
 *
 * Every argument is a struct whose first word is its size, as the program was compiled with it. A
 * shorter one is an older program's: what it lacks counts as 0. A longer one is a newer
 * program's, and is good as long as all that this kernel does not know of is 0.
 *
 * Errors of all of them: -EINVAL, a size less than the first version's, unknown flags or a value
 * out of its range; -E2BIG, something unknown that is not 0, or more than a page; -EFAULT;
 * -ENOTTY, no such command. An error changes nothing.
 */
#ifndef CHRONOTICK_IOCTL_H
#define CHRONOTICK_IOCTL_H

#include <linux/ioctl.h>

#include "chronotick_page.h"

/*
 * Become the page's writer, or, being it, change the settings. Without CAP_SYS_TIME: -EPERM.
 *
 * Where there is another writer: -EBUSY. With CHRONOTICK_CLAIM_STANDBY the descriptor is then a
 * standby's until it is closed or becomes the writer: it is counted in the header, and poll tells
 * when to try again. With CHRONOTICK_CLAIM_WAIT it is a standby's, and the call itself waits;
 * -EINTR, or a restart, if a signal is handled. Of several standbys the first to ask becomes the
 * writer.
 *
 * -ENXIO: the clocksource is not the counter, so nobody can publish; -ESHUTDOWN: the machine
 * ends.
 *
 * The writer finds in the page what to continue: the standing line, the generation,
 * kernel_events. A line of status CHRONOTICK_WRITER_GONE becomes one of CHRONOTICK_HOLDOVER.
 */
#define CHRONOTICK_IOC_CLAIM _IO(0xc7, 0)

#define CHRONOTICK_CLAIM_STANDBY 1U
#define CHRONOTICK_CLAIM_WAIT 2U

struct chronotick_claim {
	__u32 size;
	__u32 flags;             /* CHRONOTICK_CLAIM_* */
	__u32 counter_kind;      /* that of the page: -EINVAL for another */
	__u32 pad0;              /* 0 */
	__u32 frequency_hz;      /* 1 to 1000 */
	__u32 writer_timeout_ms; /* 1 to 1000000: the longest span, one part in 100 aside */
	__u64 max_bound_ns;      /* 1 to 2^32 - 1: no half-width, up to its line's end, is wider */
	__u64 counter_hz;        /* nominal, within one part in 100 of what the kernel knows */
	__u8 boot_id[16];        /* the kernel does not tell its modules */
};

/*
 * Publish. For the writer's process only, else -EPERM; once it has claimed, else -EBADFD.
 *
 * Without a flag: a sign of life. CHRONOTICK_UPDATE_LINE: `line` becomes the page's. _RECORD:
 * `record` does. The line is stored before the record, both in one go, with interrupts off.
 *
 * A line is one of three:
 *
 * *A time to be trusted*: its span is not 0. Its status is SYNCHRONIZED or HOLDOVER; mult is
 * within one part in 100 of the nominal rate; growth is not faster than time itself; UTC is from
 * 0 to 2^62 ns; the span is not longer than writer_timeout_ms, one part in 100 aside; bound_ns is
 * at least CHRONOTICK_BOUND_FLOOR_NS and the counter's resolution (or the module's parameter
 * bound_floor_ns), and up to the end of the span no more than max_bound_ns; the anchor is not
 * after the counter's value now. If the page has told a time in that generation, the two lines
 * must cross at `join`, exactly in 2^-64 ns: time does not go back, nor leap; and mult falls by no
 * more than one part in CHRONOTICK_FALL_PART. With the generation after that the line may be
 * anywhere.
 *
 * *No time to be trusted any more*: the standing line's words, but span 0 and another state, in
 * its generation.
 *
 * *No time at all*: only state is not 0, its generation the one after the page's.
 *
 * -ESTALE: `events` is not the header's kernel_events, the generation is neither the page's nor
 * the next one, or the machine is on its way to sleep. The page may be another than was thought:
 * look at it, sample and build again.
 *
 * -ETIMEDOUT: too late. The anchor or join is more than CHRONOTICK_UPDATE_AGE_NS ago, the span is
 * over, or a slope that falls is past its join. Build again.
 *
 * -ENXIO: the clocksource is not the counter. -ESHUTDOWN: the machine ends.
 */
#define CHRONOTICK_IOC_PUBLISH _IO(0xc7, 1)

#define CHRONOTICK_UPDATE_LINE 1U
#define CHRONOTICK_UPDATE_RECORD 2U

#define CHRONOTICK_UPDATE_AGE_NS 100000000
#define CHRONOTICK_FALL_PART 100000
/* A read cuts off a fraction of the time and of the half-width. */
#define CHRONOTICK_BOUND_FLOOR_NS 2

struct chronotick_update {
	__u32 size;
	__u32 flags;  /* CHRONOTICK_UPDATE_* */
	__u32 events; /* the header's kernel_events, loaded before all that this is made of */
	__u32 pad0;   /* 0 */
	/*
	 * Counter value at which this line and the standing one are equal. A slope that rises, or
	 * stays, joins at or before now, one that falls after it.
	 */
	__u64 join;
	__u64 published;              /* out: the counter, once all was stored */
	__u64 pad1[4];                /* 0 */
	struct chronotick_clock line; /* seq is not used */
	/*
	 * In the document's order, as the page's; sequence_number is not used. All is finite.
	 * Times, uncertainties and confidence are not negative, the latter at most 1, valid_until
	 * is not before system_timestamp; flags and source are known ones, padding is 0.
	 * CHRONOTICK_FLAG_VALID goes with a line that may be trusted only.
	 */
	struct chronotick_record record;
};

/*
 * Figures and sources as they are now; for the writer's process, as CHRONOTICK_IOC_PUBLISH. They
 * are stored as they are, each word by itself, sources up to source_count. A sign of life, too.
 */
#define CHRONOTICK_IOC_FIGURES _IO(0xc7, 2)

struct chronotick_figures {
	__u32 size;
	__u32 flags;                             /* 0 */
	struct chronotick_statistics statistics; /* source_count: at most CHRONOTICK_SOURCES_MAX */
	struct chronotick_source source[CHRONOTICK_SOURCES_MAX];
};

/*
 * One instant on all clocks, for anybody. What a bracket of clock readings would tell, without
 * the bracket's width: the kernel works all of them out from one reading of the counter.
 *
 * `flags` must be 0. -ENXIO: the clocksource is not the counter.
 */
#define CHRONOTICK_IOC_CROSS _IO(0xc7, 3)

struct chronotick_cross {
	__u32 size; /* in; out: what the kernel knows of, if that is less */
	__u32 flags;
	__u64 counter;
	__s64 realtime_ns; /* each as clock_gettime(2) tells it outside of time namespaces */
	__s64 monotonic_ns;
	__s64 monotonic_raw_ns;
	__s64 boottime_ns;
	__u32 events; /* the header's kernel_events, from before the reading */
	__u32 pad0;
};

#endif /* CHRONOTICK_IOCTL_H */
