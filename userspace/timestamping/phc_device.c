/* SPDX-License-Identifier: MIT */
/* The PTP hardware clocks of this machine */
#include <errno.h>
#include <fcntl.h>
#include <linux/ptp_clock.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/timex.h>
#include <unistd.h>

#include "timestamping/phc.h"

/* The kernel's dynamic clocks, see clock_getres(2) */
#define CLOCK_OF_FD(fd) ((~(clockid_t)(fd) << 3) | 3)

static int device_control(void *data, unsigned long request, void *argument)
{
	const struct phc_device *device = data;

	return ioctl(device->fd, request, argument) < 0 ? -errno : 0;
}

static int device_cross(void *data, clockid_t clock, struct cross *ret)
{
	const struct phc_device *device = data;

	return cross_read(ret, device->counter, clock);
}

static int device_frequency(void *data, int64_t *ret)
{
	const struct phc_device *device = data;
	struct timex timex = {.modes = 0};

	if (clock_adjtime(CLOCK_OF_FD(device->fd), &timex) < 0)
		return -errno;
	*ret = timex.freq;
	return 0;
}

static int device_open(const char *path, int mode)
{
	struct ptp_clock_caps caps;
	int fd, r;

	fd = open(path, mode | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || ioctl(fd, PTP_CLOCK_GETCAPS, &caps) < 0) {
		r = errno == ENOTTY || errno == EINVAL ? -ENOTSUP : -errno;
		close(fd);
		return r;
	}
	return fd;
}

int phc_device_open(const char *path)
{
	struct phc_device device = {.fd = device_open(path, O_RDONLY)};
	int64_t frequency;
	int fd;

	/* Before Linux 6.15 its frequency is told only to whom it could be set by. */
	if (device.fd < 0 || device_frequency(&device, &frequency) != -EACCES)
		return device.fd;
	fd = device_open(path, O_RDWR);
	if (fd < 0)
		return device.fd;
	close(device.fd);
	return fd;
}

struct phc_io phc_device_io(struct phc_device *device)
{
	return (struct phc_io){device, device_control, device_cross, device_frequency};
}
