// SPDX-License-Identifier: GPL-2.0-only
/*
 * What makes the counter or the system clock another one than it was.
 *
 * The timekeeper's notifier runs at each tick, under its lock: there the page is told, with plain
 * stores, and nothing else. Wake-ups and traces follow from an irq_work.
 */
#include "chronotick.h"

#include <linux/irq_work.h>
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

/* on: is that CHRONOTICK_KERNEL_* so from here on? */
static void happened(enum event event, u32 state, bool on)
{
	page_event(event, state, on);
	atomic_or(event, &pending);
	irq_work_queue(&telling);
}

/* The first call comes from the registration, and tells what there is. */
static int on_timekeeping(struct notifier_block *block, unsigned long stepped, void *data)
{
	static const struct clocksource *clock;
	static ktime_t real;
	const struct timekeeper *tk = data;
	bool own;

	/* Between the system clock and the monotonic one: a step moves it, a slew does not. */
	if (unlikely(tk->offs_real != real && clock))
		happened(EVENT_STEP, 0, true);
	real = tk->offs_real;
	if (unlikely(tk->tkr_mono.clock != clock)) {
		clock = tk->tkr_mono.clock;
		own = counter_is(clock);
		happened(own ? EVENT_COUNTER : EVENT_FOREIGN, CHRONOTICK_KERNEL_COUNTER, own);
	}
	return NOTIFY_OK;
}

static int on_sleep(struct notifier_block *block, unsigned long action, void *data)
{
	bool begins = action == PM_SUSPEND_PREPARE || action == PM_HIBERNATION_PREPARE ||
		      action == PM_RESTORE_PREPARE;

	happened(begins ? EVENT_ASLEEP : EVENT_AWAKE, CHRONOTICK_KERNEL_ASLEEP, begins);
	return NOTIFY_OK;
}

static int on_reboot(struct notifier_block *block, unsigned long action, void *data)
{
	happened(EVENT_ENDING, CHRONOTICK_KERNEL_ENDING, true);
	return NOTIFY_OK;
}

static struct notifier_block timekeeping = {.notifier_call = on_timekeeping};
static struct notifier_block sleep = {.notifier_call = on_sleep};
static struct notifier_block reboot = {.notifier_call = on_reboot};

int events_start(void)
{
	int r = register_pm_notifier(&sleep);

	if (r == 0)
		r = register_reboot_notifier(&reboot);
	if (r == 0)
		r = pvclock_gtod_register_notifier(&timekeeping);
	return r;
}

void events_stop(void)
{
	pvclock_gtod_unregister_notifier(&timekeeping);
	unregister_reboot_notifier(&reboot);
	unregister_pm_notifier(&sleep);
	irq_work_sync(&telling);
}
