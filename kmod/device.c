// SPDX-License-Identifier: GPL-2.0-only
/* /dev/chronotick: everybody may map the page and read of its changes; one process may write it. */
#include "chronotick.h"

#include <linux/math64.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "trace.h"

static DECLARE_WAIT_QUEUE_HEAD(changed);
static atomic64_t publications, rejected;

/* What belongs to an open file */
struct client {
	u32 seen; /* the page's changes, as it knows them */
	atomic_t standby;
};

void device_wake(void)
{
	wake_up_interruptible_all(&changed);
}

static u32 changes(void)
{
	return READ_ONCE(page_get()->header.changes);
}

static void standby_set(struct client *client, bool standby)
{
	if (atomic_xchg(&client->standby, standby) != standby)
		page_standbys_add(standby ? 1 : -1);
}

/* Who has the right. No claim: it comes later. */
static int become_writer(struct file *file, const struct chronotick_claim *claim)
{
	int r = capable(CAP_SYS_TIME) ? page_claim(file, claim) : -EPERM;

	if (r < 0)
		return r;
	standby_set(file->private_data, false);
	if (r > 0)
		trace_chronotick_writer(false);
	device_wake();
	return 0;
}

static int device_open(struct inode *inode, struct file *file)
{
	struct client *client = kzalloc(sizeof(*client), GFP_KERNEL_ACCOUNT);
	int r = 0;

	if (!client)
		return -ENOMEM;
	client->seen = changes();
	file->private_data = client;
	if (file->f_mode & FMODE_WRITE)
		r = become_writer(file, NULL);
	if (r < 0) {
		kfree(client);
		return r;
	}
	return nonseekable_open(inode, file);
}

/* Called whenever a descriptor is closed, and for each when a process ends. */
static int device_flush(struct file *file, fl_owner_t owner)
{
	/* Looked at first without the lock: others close too, and shall not hold a writer up. */
	if (page_writer() == file && page_release(file, owner)) {
		trace_chronotick_writer(true);
		device_wake();
	}
	return 0;
}

static int device_release(struct inode *inode, struct file *file)
{
	device_flush(file, NULL); /* of one who has claimed while another thread closed it */
	standby_set(file->private_data, false);
	kfree(file->private_data);
	return 0;
}

static ssize_t device_read(struct file *file, char __user *to, size_t size, loff_t *position)
{
	struct client *client = file->private_data;
	u32 now;

	if (size != sizeof(now))
		return -EINVAL;
	if (file->f_flags & O_NONBLOCK && changes() == READ_ONCE(client->seen))
		return -EAGAIN;
	if (wait_event_interruptible(changed, changes() != READ_ONCE(client->seen)))
		return -ERESTARTSYS;
	now = changes();
	if (put_user(now, (u32 __user *)to))
		return -EFAULT;
	WRITE_ONCE(client->seen, now);
	return sizeof(now);
}

static __poll_t device_poll(struct file *file, poll_table *table)
{
	struct client *client = file->private_data;
	const struct file *writer;
	__poll_t events = 0;

	poll_wait(file, &changed, table);
	if (changes() != READ_ONCE(client->seen))
		events |= EPOLLIN | EPOLLRDNORM;
	writer = page_writer();
	if (writer == file || (!writer && atomic_read(&client->standby)))
		events |= EPOLLOUT | EPOLLWRNORM;
	return events;
}

/* One instant on all clocks, from one reading of the counter: 0 or -ENXIO */
static int cross_take(struct chronotick_cross *ret)
{
	struct system_time_snapshot now;
	ktime_t ahead, boot;
	u64 before, after;

	/* Before the clocks: an event that is counted is in what they tell. */
	ret->events = smp_load_acquire(&page_get()->header.kernel_events);
	/* The clocks' distances from the monotonic one: the snapshot's, if they stand still. */
	do {
		ahead = ktime_mono_to_any(0, TK_OFFS_REAL);
		boot = ktime_mono_to_any(0, TK_OFFS_BOOT);
		before = counter_read();
		snapshot_take(&now);
		after = counter_read();
	} while (ahead != ktime_mono_to_any(0, TK_OFFS_REAL) ||
		 boot != ktime_mono_to_any(0, TK_OFFS_BOOT));
	/* No other clocksource's value lies between two of the counter's. */
	if (now.cycles - before > after - before)
		return -ENXIO;
	ret->counter = now.cycles;
	ret->realtime_ns = ktime_to_ns(snapshot_real(&now));
	ret->monotonic_ns = ret->realtime_ns - ktime_to_ns(ahead);
	ret->monotonic_raw_ns = ktime_to_ns(snapshot_raw(&now));
	ret->boottime_ns = ret->monotonic_ns + ktime_to_ns(boot);
	return 0;
}

/*
 * An argument is taken in by its size, see chronotick_ioctl.h; `known` is the first version's. It is
 * read once, its size with it: another thread may change it meanwhile.
 */
static int take_in(void *to, size_t known, const void __user *from)
{
	const u32 *size = to;
	int r;

	if (copy_from_user(to, from, known))
		return -EFAULT;
	if (*size < known)
		return -EINVAL;
	if (*size > PAGE_SIZE)
		return -E2BIG;
	r = check_zeroed_user(from + known, *size - known);
	return r > 0 ? 0 : r ?: -E2BIG;
}

static int give_claim(struct file *file, const void __user *argument)
{
	struct chronotick_claim in;
	int r = take_in(&in, sizeof(in), argument);

	if (r == 0)
		r = check_claim(&in);
	if (r == 0)
		r = become_writer(file, &in);
	if (r != -EBUSY || !in.flags)
		return r;
	standby_set(file->private_data, true);
	/* Again: the writer may have gone before this was a standby. */
	while ((r = become_writer(file, &in)) == -EBUSY && in.flags & CHRONOTICK_CLAIM_WAIT)
		if (wait_event_interruptible(changed, !page_writer()))
			return -ERESTARTSYS;
	return r;
}

static void publish_trace(const struct publication *done)
{
	struct chronotick_cross now;
	s64 offset_ns = 0;

	if (done->line.mult && cross_take(&now) == 0)
		offset_ns = (s64)(line_utc(&done->line, now.counter) >> 64) - now.realtime_ns;
	trace_chronotick_publish(done, offset_ns, div64_u64(done->window * 1000000, counter_khz()));
}

static int give_publish(struct file *file, void __user *argument)
{
	struct chronotick_update __user *out = argument;
	struct chronotick_update in;
	struct publication done = {};
	int r = take_in(&in, sizeof(in), argument);

	if (r == 0)
		r = check_update(&in);
	if (r == 0 && put_user(0, &out->published)) /* while nothing has changed */
		r = -EFAULT;
	if (r == 0)
		r = page_publish(file, &in, &done);
	if (r < 0)
		return r;
	if (done.changed)
		device_wake();
	if (in.flags & CHRONOTICK_UPDATE_LINE) {
		atomic64_inc(&publications);
		if (trace_chronotick_publish_enabled())
			publish_trace(&done);
	}
	return put_user(in.published, &out->published);
}

static int give_figures(struct file *file, const void __user *argument)
{
	struct chronotick_figures *in = kmalloc(sizeof(*in), GFP_KERNEL);
	int r;

	if (!in)
		return -ENOMEM;
	r = take_in(in, sizeof(*in), argument);
	if (r == 0)
		r = check_figures(in);
	if (r == 0)
		r = page_figures(file, in);
	kfree(in);
	return r;
}

static int give_cross(void __user *argument)
{
	struct chronotick_cross in, out = {.size = sizeof(out)};
	int r = take_in(&in, sizeof(in), argument);

	if (r == 0)
		r = in.flags ? -EINVAL : cross_take(&out);
	if (r == 0 && copy_to_user(argument, &out, sizeof(out)))
		r = -EFAULT;
	return r;
}

static long device_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	void __user *pointer = (void __user *)argument;
	int r;

	switch (command) {
	case CHRONOTICK_IOC_CLAIM:
		return give_claim(file, pointer);
	case CHRONOTICK_IOC_CROSS:
		return give_cross(pointer);
	case CHRONOTICK_IOC_PUBLISH:
		r = page_writer() == file ? give_publish(file, pointer) : -EPERM;
		break;
	case CHRONOTICK_IOC_FIGURES:
		r = page_writer() == file ? give_figures(file, pointer) : -EPERM;
		break;
	default:
		return -ENOTTY;
	}
	/* What others ask for says nothing of the writer, and anybody can. */
	if (r < 0 && r != -EPERM)
		atomic64_inc(&rejected);
	return r;
}

static vm_fault_t mapping_fault(struct vm_fault *fault)
{
	/* The mapping has one page; each entry of a page table holds on to it. */
	fault->page = virt_to_page(page_get());
	get_page(fault->page);
	return 0;
}

static const struct vm_operations_struct mapping = {.fault = mapping_fault};

static int device_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (vma->vm_flags & VM_WRITE)
		return -EACCES;
	if (vma->vm_flags & VM_EXEC)
		return -EPERM;
	/* A private copy would stand still. */
	if (!(vma->vm_flags & VM_MAYSHARE) || vma->vm_pgoff ||
	    vma->vm_end - vma->vm_start != PAGE_SIZE)
		return -EINVAL;
	vm_flags_mod(vma, VM_DONTEXPAND | VM_DONTDUMP, VM_MAYWRITE | VM_MAYEXEC);
	vma->vm_ops = &mapping;
	return 0;
}

static const struct file_operations operations = {
	.owner = THIS_MODULE,
	.open = device_open,
	.flush = device_flush,
	.release = device_release,
	.read = device_read,
	.poll = device_poll,
	.unlocked_ioctl = device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = device_mmap,
};
#define ATTRIBUTE(name, format, value)                                                             \
	static ssize_t name##_show(struct device *dev, struct device_attribute *attr, char *to)    \
	{                                                                                          \
		return sysfs_emit(to, format "\n", value);                                         \
	}                                                                                          \
	static DEVICE_ATTR_RO(name)

ATTRIBUTE(abi_version, "%d", CHRONOTICK_ABI_VERSION);
ATTRIBUTE(writer_pid, "%u", READ_ONCE(page_get()->header.writer_pid));
ATTRIBUTE(publications, "%lld", atomic64_read(&publications));
ATTRIBUTE(rejected, "%lld", atomic64_read(&rejected));
ATTRIBUTE(state, "%#x", READ_ONCE(page_get()->header.kernel_state));

static struct attribute *chronotick_attrs[] = {
	&dev_attr_abi_version.attr, &dev_attr_writer_pid.attr, &dev_attr_publications.attr,
	&dev_attr_rejected.attr,    &dev_attr_state.attr,      NULL,
};
ATTRIBUTE_GROUPS(chronotick);

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "chronotick",
	.mode = 0444,
	.fops = &operations,
	.groups = chronotick_groups,
};

static void chronotick_end(void)
{
	events_stop();
	page_destroy();
}

static int __init chronotick_start(void)
{
	int r = page_create();

	if (r == 0)
		r = events_start();
	if (r == 0)
		r = misc_register(&device);
	if (r < 0)
		chronotick_end();
	return r;
}

static void __exit chronotick_stop(void)
{
	misc_deregister(&device);
	chronotick_end();
}

module_init(chronotick_start);
module_exit(chronotick_stop);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("ChronoTick: a page that tells UTC and how wrong it can be");
