/* SPDX-License-Identifier: MIT */
/*
 * The backend that publishes in the kernel module's page, by calls to /dev/chronotick; they are
 * documented in chronotick_ioctl.h. The kernel does the stores; here lines are built, and what the
 * kernel answers is decided on.
 *
 * The device comes in through struct module_io, so that a test can be the kernel.
 */
#ifndef PUBLISH_MODULE_H
#define PUBLISH_MODULE_H

#include "publish/backend.h"

struct module_io {
	void *data;
	/* A descriptor of the device, for reading; or a negative errno */
	int (*open)(void *data);
	/* Its page, mapped for reading. 0 or a negative errno */
	int (*map)(void *data, int fd, const struct chronotick_page **ret);
	/* One of its calls, CHRONOTICK_IOC_*. 0 or a negative errno */
	int (*command)(void *data, int fd, unsigned long request, void *argument);
	/* Unmap and close; page may be NULL. */
	void (*close)(void *data, int fd, const struct chronotick_page *page);
};

/* Which tells such a backend from others */
extern const struct backend_ops module_ops;

/* This machine's device */
extern const struct module_io module_system_io;

/*
 * One for the device's page, on standby: nothing is opened yet. With config->standby it stands by
 * in the kernel once `take` has found another writer, and standby_fd tells of its end. Returns 0 or
 * -ENOMEM.
 *
 * Its `take` returns, beside -EBUSY: -ENOENT or -ENODEV, there is no device; -EPROTO, it is no
 * page of this ABI; -ENOTSUP, it is of another counter, or the clocksource is; -EPERM,
 * CAP_SYS_TIME is missing; -ESHUTDOWN; or what else the kernel says.
 */
int module_new(struct backend **ret, const struct publish_config *config);

#endif /* PUBLISH_MODULE_H */
