/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "publish/module.h"
#include "timestamping/device.h"

static int system_open(void *data)
{
	(void)data;
	return device_node_open();
}

static int system_map(void *data, int fd, const struct chronotick_page **ret)
{
	void *page = mmap(NULL, CHRONOTICK_PAGE_SIZE, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);

	(void)data;
	if (page == MAP_FAILED)
		return -errno;
	*ret = page;
	return 0;
}

static int system_command(void *data, int fd, unsigned long request, void *argument)
{
	(void)data;
	return ioctl(fd, request, argument) < 0 ? -errno : 0;
}

static void system_close(void *data, int fd, const struct chronotick_page *page)
{
	(void)data;
	if (page)
		munmap((void *)(uintptr_t)page, CHRONOTICK_PAGE_SIZE);
	close(fd);
}

const struct module_io module_system_io = {
	NULL, system_open, system_map, system_command, system_close,
};
