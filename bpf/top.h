/* SPDX-License-Identifier: MIT */
/* The table of `chronotick-trace top`: a pure function of two snapshots and the terminal's size. */
#ifndef BPF_TOP_H
#define BPF_TOP_H

#include <stddef.h>

#include "snapshot.h"

/*
 * Draw into `text`, of `size` bytes: at most `height` lines of at most `width` columns, separated by
 * '\n', and a NUL. Rates are of the time between the snapshots, the rest is since the start; the busiest
 * processes come first. Returns its length. What does not fit is left out.
 */
size_t top_render(const struct snapshot *now, const struct snapshot *before, unsigned int width,
		  unsigned int height, char *text, size_t size);

#endif /* BPF_TOP_H */
