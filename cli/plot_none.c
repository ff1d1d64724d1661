/* SPDX-License-Identifier: MIT */
/* In place of plot.c, in a build without cairo */
#include "plot.h"

#include <errno.h>

int plot_check(const char *path)
{
	(void)path;
	return -ENOTSUP;
}

int plot_write(const char *path, const struct plot *plot)
{
	(void)path;
	(void)plot;
	return -ENOTSUP;
}
