/* SPDX-License-Identifier: MIT */
#include "timestamping/device.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A step of the clock between the readings that are compared: once more */
#define COMPARISONS 3

#define load(where) __atomic_load_n((where), __ATOMIC_RELAXED)

bool device_page_vouches(const struct chronotick_page *page, uint32_t kind, uint64_t *hz)
{
	const struct chronotick_header *header = &page->header;
	const uint32_t wanted = CHRONOTICK_KERNEL_SERVES | CHRONOTICK_KERNEL_COUNTER;
	uint64_t counter_hz = load(&header->counter_hz);

	if (__atomic_load_n(&header->magic, __ATOMIC_ACQUIRE) != CHRONOTICK_MAGIC ||
	    header->abi_version != CHRONOTICK_ABI_VERSION || header->counter_kind != kind ||
	    (load(&header->kernel_state) & wanted) != wanted || counter_hz < 1000000)
		return false;
	*hz = counter_hz;
	return true;
}

int device_node_open(void)
{
	int fd = open(CHRONOTICK_DEVICE_PATH, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat status;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) == 0 && S_ISCHR(status.st_mode))
		return fd;
	close(fd);
	return -ENODEV;
}

bool device_vouches(uint32_t kind, uint64_t *hz)
{
	void *page;
	bool ret;
	int fd;

	fd = device_node_open();
	if (fd < 0)
		return false;
	page = mmap(NULL, CHRONOTICK_PAGE_SIZE, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (page == MAP_FAILED)
		return false;
	ret = device_page_vouches(page, kind, hz);
	munmap(page, CHRONOTICK_PAGE_SIZE);
	return ret;
}

static int system_take(void *data, struct chronotick_cross *ret)
{
	const struct cross_device *device = data;

	*ret = (struct chronotick_cross){.size = sizeof(*ret)};
	return ioctl(device->fd, CHRONOTICK_IOC_CROSS, ret) < 0 ? -errno : 0;
}

/* Do both ways say the same of the clock, to what they may err? */
static bool agree(const struct counter *counter, const struct cross *a, const struct cross *b)
{
	int64_t apart_ns = b->system_ns - a->system_ns, passed_ns;
	uint64_t passed = b->counter - a->counter;

	if ((int64_t)passed < 0)
		return false;
	/* The clock may be slewed meanwhile. */
	passed_ns = counter_to_ns(counter, passed);
	apart_ns -= passed_ns;
	return (apart_ns < 0 ? -apart_ns : apart_ns) <=
	       a->error_ns + b->error_ns + passed_ns / 1000 + 1;
}

/* *bracket and *exact: readings of the clock; 0, or why the device is of no use. */
static const char *compare(const struct counter *counter, const struct cross_io *io,
			   clockid_t clock, struct cross *bracket, struct cross *exact)
{
	unsigned int i;

	for (i = 0; i < COMPARISONS; i++) {
		if (cross_read(bracket, counter, clock) < 0)
			return "the clock cannot be read";
		if (cross_take(exact, counter, clock, io) < 0)
			return "it gives no cross-timestamps of this counter";
		if (agree(counter, bracket, exact))
			return NULL;
	}
	return "it contradicts the clocks, as in a time namespace";
}

void cross_device_open(struct cross_device *device, struct counter *counter,
		       const struct cross_io *io)
{
	struct cross bracket = {.error_ns = -1}, exact = {.error_ns = -1}, other[2];

	*device = (struct cross_device){.fd = -1, .bracket_ns = -1, .device_ns = -1};
	counter->cross = NULL;
	if (io) {
		device->io = *io;
	} else {
		device->io = (struct cross_io){device, system_take};
		device->fd = device_node_open();
	}
	if (!io && device->fd < 0)
		device->refusal = "there is none";
	else
		device->refusal =
			compare(counter, &device->io, CLOCK_MONOTONIC_RAW, &other[0], &other[1]);
	if (!device->refusal)
		device->refusal = compare(counter, &device->io, CLOCK_REALTIME, &bracket, &exact);
	else if (cross_read(&bracket, counter, CLOCK_REALTIME) < 0)
		bracket.error_ns = -1;
	device->bracket_ns = bracket.error_ns;
	if (device->refusal) {
		cross_device_close(device);
		return;
	}
	device->device_ns = exact.error_ns;
	counter->cross = &device->io;
}

void cross_device_close(struct cross_device *device)
{
	if (device->fd >= 0)
		close(device->fd);
	device->fd = -1;
}
