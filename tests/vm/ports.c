/* SPDX-License-Identifier: MIT */
#include "ports.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"

#define MODULE "/chronotick_simnic.ko"

int ports_load(const char *parameters)
{
	int fd = open(MODULE, O_RDONLY | O_CLOEXEC);
	long r;

	if (fd < 0)
		return -errno;
	r = syscall(SYS_finit_module, fd, parameters, 0);
	r = r < 0 ? -errno : 0;
	close(fd);
	return (int)r;
}

int ports_unload(void)
{
	return syscall(SYS_delete_module, "chronotick_simnic", O_NONBLOCK) < 0 ? -errno : 0;
}

static const char *knob_path(unsigned int i, const char *knob)
{
	static char path[128];

	snprintf(path, sizeof(path), "/sys/devices/simnic%u/%s", i, knob);
	return path;
}

int ports_set(unsigned int i, const char *knob, int64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	return file_write(knob_path(i, knob), text);
}

int64_t ports_get(unsigned int i, const char *knob)
{
	return strtoll(file_line(knob_path(i, knob)), NULL, 10);
}

double ports_offset_ns(unsigned int i)
{
	return strtod(file_line(knob_path(i, "offset_ns")), NULL);
}

void ports_time(unsigned int i, int64_t *raw_ns, int64_t *phc_ns)
{
	char *end;

	*raw_ns = strtoll(file_line(knob_path(i, "time_ns")), &end, 10);
	*phc_ns = strtoll(end, NULL, 10);
}

int ports_clock(unsigned int i)
{
	char path[300];
	struct dirent *entry;
	DIR *dir = opendir(knob_path(i, "ptp"));
	int fd = -ENOENT;

	while (dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "ptp", 3) != 0)
			continue;
		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		fd = open(path, O_RDWR | O_CLOEXEC);
		fd = fd < 0 ? -errno : fd;
	}
	if (dir)
		closedir(dir);
	return fd;
}

/* An ioctl of network devices: 0 or a negative errno */
static int device_command(unsigned long request, struct ifreq *argument)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return -errno;
	r = ioctl(fd, request, argument) < 0 ? -errno : 0;
	close(fd);
	return r;
}

int ports_up(const char *name)
{
	struct ifreq request = {.ifr_flags = IFF_UP};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	return device_command(SIOCSIFFLAGS, &request);
}

int ports_stamp(const char *name, int tx_type, int *rx_filter)
{
	struct hwtstamp_config config = {.tx_type = tx_type, .rx_filter = *rx_filter};
	struct ifreq request = {.ifr_data = (void *)&config};
	int r;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	r = device_command(SIOCSHWTSTAMP, &request);
	*rx_filter = config.rx_filter;
	return r;
}
