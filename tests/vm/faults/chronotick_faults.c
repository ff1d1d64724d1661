// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module that does what none must do, one fault at a time, so that it is known that a kernel which
 * has nothing to say of chronotick.ko would have said it. It belongs into a virtual machine.
 *
 *	insmod chronotick_faults.ko fault=NAME; rmmod chronotick_faults
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#define RACE_MS 3000

static char *fault = "";
module_param(fault, charp, 0444);
MODULE_PARM_DESC(fault, "free, bounds, leak, order, sleep, shift or race");

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static DEFINE_SPINLOCK(sleeping);
static u64 raced;
static volatile unsigned int hidden; /* the compiler shall not see that it is a fault */

static noinline void fault_free(void)
{
	char *memory = kmalloc(64, GFP_KERNEL);

	kfree(memory);
	hidden = ((volatile char *)memory)[8];
}

static noinline void fault_bounds(void)
{
	char *memory = kmalloc(64, GFP_KERNEL);

	hidden = 64;
	((volatile char *)memory)[hidden] = 1;
	kfree(memory);
}

static noinline void fault_leak(void)
{
	void *volatile memory = kmalloc(128, GFP_KERNEL);

	memory = NULL;
	(void)memory;
}

static noinline void fault_order(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static noinline void fault_sleep(void)
{
	spin_lock(&sleeping);
	kfree(kmalloc(64, GFP_KERNEL));
	spin_unlock(&sleeping);
}

static noinline void fault_shift(void)
{
	hidden = 40;
	hidden = 1U << hidden;
}

static int racer(void *unused)
{
	while (!kthread_should_stop()) {
		raced++;
		cond_resched();
	}
	return 0;
}

static noinline void fault_race(void)
{
	struct task_struct *tasks[2];
	unsigned int i;

	for (i = 0; i < 2; i++)
		tasks[i] = kthread_run(racer, NULL, "racer");
	msleep(RACE_MS);
	for (i = 0; i < 2; i++)
		if (!IS_ERR(tasks[i]))
			kthread_stop(tasks[i]);
}

static const struct {
	const char *name;
	void (*make)(void);
} faults[] = {
	{"free", fault_free},   {"bounds", fault_bounds}, {"leak", fault_leak},
	{"order", fault_order}, {"sleep", fault_sleep},   {"shift", fault_shift},
	{"race", fault_race},
};

static int __init faults_start(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		if (strcmp(faults[i].name, fault) == 0) {
			faults[i].make();
			return 0;
		}
	}
	return -EINVAL;
}

static void __exit faults_stop(void)
{
}

module_init(faults_start);
module_exit(faults_stop);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Faults that a kernel for debugging must find");
