// SPDX-License-Identifier: GPL-2.0-only
/*
 * What makes the counter or the system clock another one than it was.
 *
 * The timekeeper's notifier runs at each tick, under its lock: there the page is told, with plain
 * stores, and nothing else. Wake-ups and traces follow from an irq_work.
 */
#include "chronotick.h"

#include <linux/atomic.h>
#include <linux/clocksource.h>
#include <linux/irq_work.h>
#include <linux/notifier.h>
#include <linux/pvclock_gtod.h>
#include <linux/reboot.h>
#include <linux/suspend.h>
#include <linux/timekeeper_internal.h>

#define CREATE_TRACE_POINTS
#include "trace.h"

static atomic_t pending; /* enum event, to be told of */

static void tell(struct irq_work *work)
{
	int events = atomic_xchg(&pending, 0);

	if (events)
		trace_chronotick_invalidate(events);
	device_wake();
}

static DEFINE_IRQ_WORK(telling, tell);

static void happened(enum event event)
{
	page_event(event);
	atomic_or(event, &pending);
	irq_work_queue(&telling);
}

static bool is_the_counter(const struct clocksource *clock)
{
#if defined(CONFIG_X86_64)
	return clock->vdso_clock_mode == VDSO_CLOCKMODE_TSC;
#else
	return clock->vdso_clock_mode == VDSO_CLOCKMODE_ARCHTIMER ||
	       clock->vdso_clock_mode == VDSO_CLOCKMODE_ARCHTIMER_NOCOMPAT;
#endif
}

/* The first call comes from the registration, and tells what there is. */
static int on_timekeeping(struct notifier_block *block, unsigned long stepped, void *data)
{
	static const struct clocksource *clock;
	static ktime_t real;
	const struct timekeeper *tk = data;

	/* Between the system clock and the monotonic one: a step moves it, a slew does not. */
	if (unlikely(tk->offs_real != real && clock))
		happened(EVENT_STEP);
	real = tk->offs_real;
	if (unlikely(tk->tkr_mono.clock != clock)) {
		clock = tk->tkr_mono.clock;
		happened(is_the_counter(clock) ? EVENT_COUNTER : EVENT_FOREIGN);
	}
	return NOTIFY_OK;
}

static int on_sleep(struct notifier_block *block, unsigned long action, void *data)
{
	switch (action) {
	case PM_SUSPEND_PREPARE:
	case PM_HIBERNATION_PREPARE:
	case PM_RESTORE_PREPARE:
		happened(EVENT_ASLEEP);
		break;
	case PM_POST_SUSPEND:
	case PM_POST_HIBERNATION:
	case PM_POST_RESTORE:
		happened(EVENT_AWAKE);
		break;
	}
	return NOTIFY_OK;
}

static int on_reboot(struct notifier_block *block, unsigned long action, void *data)
{
	happened(EVENT_ENDING);
	return NOTIFY_OK;
}

static struct notifier_block timekeeping = {.notifier_call = on_timekeeping};
static struct notifier_block sleep = {.notifier_call = on_sleep};
static struct notifier_block reboot = {.notifier_call = on_reboot};

int events_start(void)
{
	int r;

	r = register_pm_notifier(&sleep);
	if (r < 0)
		return r;
	r = register_reboot_notifier(&reboot);
	if (r < 0)
		goto sleep_stop;
	r = pvclock_gtod_register_notifier(&timekeeping);
	if (r < 0)
		goto reboot_stop;
	return 0;

reboot_stop:
	unregister_reboot_notifier(&reboot);
sleep_stop:
	unregister_pm_notifier(&sleep);
	return r;
}

void events_stop(void)
{
	pvclock_gtod_unregister_notifier(&timekeeping);
	unregister_reboot_notifier(&reboot);
	unregister_pm_notifier(&sleep);
	irq_work_sync(&telling);
}
