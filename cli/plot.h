/* SPDX-License-Identifier: MIT */
/* A rerun as a picture: what was measured and what was told, over time. */
#ifndef CLI_PLOT_H
#define CLI_PLOT_H

#include <stdbool.h>
#include <stddef.h>

#include "rerun.h"

struct plot {
	const char *title;
	struct rerun_point *points; /* may be changed */
	size_t count;
	bool level; /* raw time ran freely, so a line is taken off */
};

/* Can a picture of that name be written? 0; -EINVAL: its ending is not known; -ENOTSUP: not by this build. */
int plot_check(const char *path);

/*
 * Write it, as SVG or PNG, by its ending. Returns 0; -ENODATA: nothing was told; or a negative errno of
 * writing it, and then there is no such file.
 */
int plot_write(const char *path, const struct plot *plot);

#endif /* CLI_PLOT_H */
