/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * chronotick.ko: a page that tells UTC, for everybody to map and for one daemon to publish in.
 *
 *	device.c  /dev/chronotick: who may do what
 *	check.c   is what a writer asks for possible? (pure)
 *	page.c    the page, its lock, and every store into it
 *	events.c  what makes the counter or the system clock another one than it was
 */
#ifndef CHRONOTICK_H
#define CHRONOTICK_H

#include <linux/clocksource.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/timekeeping.h>
#include <linux/types.h>

#if defined(CONFIG_X86_64)
#include <asm/msr.h>
#include <asm/tsc.h>
#elif defined(CONFIG_ARM64)
#include <asm/arch_timer.h>
#else
#error "this machine has no counter that programs can read and that is the kernel's clocksource"
#endif

#include "chronotick_ioctl.h"

/* The page's counter */

#if defined(CONFIG_X86_64)
#define COUNTER_KIND CHRONOTICK_COUNTER_TSC
#else
#define COUNTER_KIND CHRONOTICK_COUNTER_CNTVCT
#endif

/* The counter, read after all earlier loads. */
static inline u64 counter_read(void)
{
#if defined(CONFIG_X86_64)
	return rdtsc_ordered();
#else
	return __arch_counter_get_cntvct();
#endif
}

/* Its nominal frequency. */
static inline u64 counter_khz(void)
{
#if defined(CONFIG_X86_64)
	return tsc_khz;
#else
	return arch_timer_get_cntfrq() / 1000;
#endif
}

/* Is it what the kernel's clocks run on? */
static inline bool counter_is(const struct clocksource *clock)
{
#if defined(CONFIG_X86_64)
	return clock->vdso_clock_mode == VDSO_CLOCKMODE_TSC;
#else
	return clock->vdso_clock_mode == VDSO_CLOCKMODE_ARCHTIMER ||
	       clock->vdso_clock_mode == VDSO_CLOCKMODE_ARCHTIMER_NOCOMPAT;
#endif
}

/* What kernels have come to name otherwise; Kbuild looks for it. */

#ifndef HAVE_VM_FLAGS_CLEAR
#define vm_flags_mod(vma, set, clear) ((vma)->vm_flags = ((vma)->vm_flags | (set)) & ~(clear))
#endif

#ifdef HAVE_KTIME_GET_SNAPSHOT_ID
#define snapshot_real(snapshot) ((snapshot)->systime)
#define snapshot_raw(snapshot) ((snapshot)->monoraw)
#define snapshot_take(snapshot) ktime_get_snapshot_id(CLOCK_REALTIME, snapshot)
#else
#define snapshot_real(snapshot) ((snapshot)->real)
#define snapshot_raw(snapshot) ((snapshot)->raw)
#define snapshot_take(snapshot) ktime_get_snapshot(snapshot)
#endif

/* check.c */

/* Each returns 0 or -EINVAL; check_figures() sees to it that names end. */
int check_claim(const struct chronotick_claim *claim);
int check_update(const struct chronotick_update *update); /* all but the line and its times */
int check_figures(struct chronotick_figures *figures);

/*
 * May `next` follow the standing line, by its writer's claim and at the counter value now?
 * generation: the latest that was used. 0, -EINVAL, -ESTALE or -ETIMEDOUT, as
 * CHRONOTICK_IOC_PUBLISH.
 */
int check_line(const struct chronotick_clock *next, const struct chronotick_clock *standing,
	       const struct chronotick_claim *claim, u32 generation, u64 join, u64 now);

/* May the line be trusted at that counter value? */
static inline bool line_stands(const struct chronotick_clock *line, u64 counter)
{
	return line->span && counter - line->anchor <= line->span;
}

/* UTC at a counter value, 2^-64 ns modulo 2^128. */
__uint128_t line_utc(const struct chronotick_clock *line, u64 counter);

/* page.c */

/* What one publication was, for the tracepoint */
struct publication {
	struct chronotick_clock line; /* seq: as readers see it */
	u64 window;                   /* counts from before the first store to after the last */
	bool changed;                 /* those who wait are to be told */
};

int page_create(void);
void page_destroy(void);

/* What is mapped; only ever read outside of page.c. */
const struct chronotick_page *page_get(void);

/*
 * Writers. A writer is a file in a table of descriptors, `owner`. Without a claim page_publish()
 * refuses until there is one. page_claim(): 1, it is the writer now; 0, it was already; -EBUSY,
 * -ENXIO, -ESHUTDOWN. page_release(): was that the writer? Any owner if `owner` is NULL.
 */
int page_claim(struct file *file, const struct chronotick_claim *claim);
bool page_release(const struct file *file, fl_owner_t owner);
const struct file *page_writer(void);
void page_standbys_add(int count);

/* As CHRONOTICK_IOC_PUBLISH and _FIGURES, of what is checked already but for the line. */
int page_publish(const struct file *file, struct chronotick_update *update,
		 struct publication *ret);
int page_figures(const struct file *file, const struct chronotick_figures *figures);

/* What makes the counter or the system clock another one than it was */
enum event {
	EVENT_STEP = 1,    /* the system clock was set */
	EVENT_COUNTER = 2, /* there is another clocksource: the page's counter */
	EVENT_FOREIGN = 4, /* or not */
	EVENT_ASLEEP = 8,
	EVENT_AWAKE = 16,
	EVENT_ENDING = 32, /* shutdown or restart */
};

/* Those after which no line holds that was published */
#define EVENTS_COUNTER (EVENT_FOREIGN | EVENT_ASLEEP | EVENT_ENDING)

/*
 * Tell the page, in any context but an NMI's. state, on: what changes in its kernel_state. It
 * neither wakes nor traces: events.c does afterwards. What makes the counter another one leaves a
 * line without a time, in a generation of its own.
 */
void page_event(enum event event, u32 state, bool on);

/* events.c: stopping is good even where a start has failed, or not been. */
int events_start(void);
void events_stop(void);

/* device.c: wake those who wait for a change, or for the writer to be gone. */
void device_wake(void);

#endif /* CHRONOTICK_H */
