/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "publish/module.h"

/* Only root makes devices: another thing of that name is none of the kernel's. */
static int system_open(void *data)
{
	int fd = open(CHRONOTICK_DEVICE_PATH, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat status;

	(void)data;
	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) == 0 && S_ISCHR(status.st_mode))
		return fd;
	close(fd);
	return -ENODEV;
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
