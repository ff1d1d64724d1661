// SPDX-License-Identifier: GPL-2.0-only
/* /dev/chronotick: everybody may map the page and read of its changes; one process may write it. */
#include "chronotick.h"

#include <linux/capability.h>
#include <linux/math64.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "trace.h"

static unsigned int bound_floor_ns;
module_param(bound_floor_ns, uint, 0644);
MODULE_PARM_DESC(bound_floor_ns,
		 "Refuse lines whose half-width is less than this at their anchor (ns, default 0)");

static DECLARE_WAIT_QUEUE_HEAD(changed);
static atomic64_t rejected;

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

/* No claim: it comes later. */
static int become_writer(struct file *file, const struct chronotick_claim *claim)
{
	int r = page_claim(file, claim);

	if (r < 0)
		return r;
	standby_set(file->private_data, false);
	if (r > 0)
		trace_chronotick_writer(false);
	device_wake();
	return 0;
}

static void release(const struct file *file, fl_owner_t owner)
{
	/* Looked at first without the lock: others close too, and shall not hold a writer up. */
	if (page_writer() != file || page_release(file, owner) < 0)
		return;
	trace_chronotick_writer(true);
	device_wake();
}

static int device_open(struct inode *inode, struct file *file)
{
	struct client *client;
	int r = 0;

	if (file->f_mode & FMODE_WRITE && !capable(CAP_SYS_TIME))
		return -EPERM;
	client = kzalloc(sizeof(*client), GFP_KERNEL_ACCOUNT);
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
	release(file, owner);
	return 0;
}

static int device_release(struct inode *inode, struct file *file)
{
	release(file, NULL); /* of one who has claimed while another thread closed it */
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

/* Taken in and given out by their size, see chronotick_ioctl.h; `least` is the first version's. */

static int take_in(void *to, size_t known, size_t least, const void __user *from)
{
	u32 size;

	if (get_user(size, (const u32 __user *)from))
		return -EFAULT;
	if (size < least)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	return copy_struct_from_user(to, known, from, size);
}

static int give_claim(struct file *file, const void __user *argument)
{
	struct chronotick_claim in;
	int r;

	if (!capable(CAP_SYS_TIME))
		return -EPERM;
	r = take_in(&in, sizeof(in), sizeof(in), argument);
	if (r == 0)
		r = check_claim(&in, counter_khz());
	if (r < 0)
		return r;
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

static int give_publish(struct file *file, void __user *argument)
{
	struct chronotick_update __user *out = argument;
	struct chronotick_update in;
	struct publication done = {};
	struct chronotick_cross now;
	u64 khz = counter_khz();
	s64 offset_ns = 0;
	int r;

	r = take_in(&in, sizeof(in), sizeof(in), argument);
	if (r < 0)
		return r;
	if (in.flags & ~(CHRONOTICK_UPDATE_LINE | CHRONOTICK_UPDATE_RECORD) || in.pad0 ||
	    memchr_inv(in.pad1, 0, sizeof(in.pad1)))
		return -EINVAL;
	r = in.flags & CHRONOTICK_UPDATE_RECORD ? check_record(&in.record) : 0;
	if (r == 0)
		r = page_publish(file, &in, READ_ONCE(bound_floor_ns), khz, &done);
	if (r < 0)
		return r;
	if (done.changed)
		device_wake();
	if (in.flags & CHRONOTICK_UPDATE_LINE && trace_chronotick_publish_enabled()) {
		if (done.line.mult && cross_take(&now) == 0)
			offset_ns =
				(s64)(line_utc(&done.line, now.counter) >> 64) - now.realtime_ns;
		trace_chronotick_publish(&done, offset_ns, div64_u64(done.window * 1000000, khz));
	}
	return put_user(in.published, &out->published);
}

static int give_figures(struct file *file, const void __user *argument)
{
	struct chronotick_figures *in;
	unsigned int i;
	int r;

	in = kmalloc(sizeof(*in), GFP_KERNEL);
	if (!in)
		return -ENOMEM;
	r = take_in(in, sizeof(*in), sizeof(*in), argument);
	if (r == 0 && (in->flags || in->statistics.source_count > CHRONOTICK_SOURCES_MAX))
		r = -EINVAL;
	for (i = 0; i < CHRONOTICK_SOURCES_MAX; i++)
		in->source[i].name[sizeof(in->source[i].name) - 1] = '\0';
	if (r == 0)
		r = page_figures(file, in);
	kfree(in);
	return r;
}

static int give_cross(void __user *argument)
{
	struct chronotick_cross cross;
	u32 size;
	int r;

	r = take_in(&cross, sizeof(cross), sizeof(cross), argument);
	if (r < 0)
		return r;
	if (cross.flags)
		return -EINVAL;
	size = min_t(u32, cross.size, sizeof(cross));
	memset(&cross, 0, sizeof(cross));
	cross.size = size;
	r = cross_take(&cross);
	if (r < 0)
		return r;
	return copy_to_user(argument, &cross, size) ? -EFAULT : 0;
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
	if (r < 0)
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

static void vma_flags_change(struct vm_area_struct *vma, unsigned long on, unsigned long off)
{
#ifdef HAVE_VM_FLAGS_CLEAR
	vm_flags_mod(vma, on, off);
#else
	vma->vm_flags = (vma->vm_flags & ~off) | on;
#endif
}

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
	vma_flags_change(vma, VM_DONTEXPAND | VM_DONTDUMP, VM_MAYWRITE | VM_MAYEXEC);
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
ATTRIBUTE(publications, "%llu", page_publications());
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

static int __init chronotick_start(void)
{
	int r;

	r = page_create();
	if (r < 0)
		return r;
	r = events_start();
	if (r < 0)
		goto destroy;
	r = misc_register(&device);
	if (r < 0)
		goto stop;
	return 0;

stop:
	events_stop();
destroy:
	page_destroy();
	return r;
}

static void __exit chronotick_stop(void)
{
	misc_deregister(&device);
	events_stop();
	page_destroy();
}

module_init(chronotick_start);
module_exit(chronotick_stop);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("ChronoTick: a page that tells UTC and how wrong it can be");
MODULE_AUTHOR("The ChronoTick developers");
