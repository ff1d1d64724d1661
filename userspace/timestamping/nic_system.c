/* SPDX-License-Identifier: MIT */
/* The network interfaces of this machine */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "timestamping/nic.h"

#define CLASS "/sys/class/net/"
#define LOWER "lower_"

static int device_ioctl(const int *fd, unsigned long request, const char *name, void *argument)
{
	struct ifreq request_of = {.ifr_data = argument};

	snprintf(request_of.ifr_name, sizeof(request_of.ifr_name), "%s", name);
	return ioctl(*fd, request, &request_of) < 0 ? -errno : 0;
}

static int system_capabilities(void *data, const char *name, struct nic_capabilities *ret)
{
	struct ethtool_ts_info info = {.cmd = ETHTOOL_GET_TS_INFO};
	int r = device_ioctl(data, SIOCETHTOOL, name, &info);

	*ret = (struct nic_capabilities){info.so_timestamping, info.tx_types, info.rx_filters,
					 info.phc_index};
	return r;
}

static int system_get(void *data, const char *name, struct hwtstamp_config *ret)
{
	return device_ioctl(data, SIOCGHWTSTAMP, name, ret);
}

static int system_set(void *data, const char *name, struct hwtstamp_config *config)
{
	return device_ioctl(data, SIOCSHWTSTAMP, name, config);
}

/* A name that is no path, as one with a '/' would be */
static bool name_copy(char ret[IF_NAMESIZE], const char *name)
{
	size_t length = strcspn(name, "\n");

	if (!length || length >= IF_NAMESIZE || memchr(name, '/', length))
		return false;
	memcpy(ret, name, length);
	ret[length] = '\0';
	return true;
}

static int active_read(const char *name, char ret[IF_NAMESIZE])
{
	char path[sizeof(CLASS) + IF_NAMESIZE + 32], text[IF_NAMESIZE + 2] = "";
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), CLASS "%s/bonding/active_slave", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	return got > 0 && name_copy(ret, text) ? 0 : -ENODATA;
}

/* The one device below it; of more than one, as below a bridge, none is the one. */
static int only_lower(const char *name, char ret[IF_NAMESIZE])
{
	char path[sizeof(CLASS) + IF_NAMESIZE];
	struct dirent *entry;
	unsigned int count = 0;
	DIR *dir;

	snprintf(path, sizeof(path), CLASS "%s", name);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir)))
		if (strncmp(entry->d_name, LOWER, strlen(LOWER)) == 0 &&
		    name_copy(ret, entry->d_name + strlen(LOWER)))
			count++;
	closedir(dir);
	return count == 1 ? 0 : -ENOENT;
}

static int system_lower(void *data, const char *name, char ret[IF_NAMESIZE])
{
	int r;

	(void)data;
	if (strchr(name, '/') || strcmp(name, "..") == 0 || strcmp(name, ".") == 0)
		return -ENOENT;
	r = active_read(name, ret);
	/* A bond without an active device, of whatever mode */
	if (r == -ENODATA)
		return -ENOENT;
	return r == 0 ? 0 : only_lower(name, ret);
}

static int system_index(void *data, const char *name)
{
	struct ifreq request = {0};
	const int *fd = data;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	return ioctl(*fd, SIOCGIFINDEX, &request) < 0 ? -errno : request.ifr_ifindex;
}

struct nic_io nic_system_io(int *fd)
{
	return (struct nic_io){fd,         system_capabilities, system_get,
			       system_set, system_lower,        system_index};
}
