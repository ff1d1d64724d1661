/* SPDX-License-Identifier: MIT */
/*
 * The leap smear: instead of a jump at a leap second, UTC that runs a little slow or fast for a day
 * around it, from noon to noon, in a straight line. For an inserted second the 86,401 s from noon
 * to noon are told as 86,400:
 *
 *	smeared = noon + passed * 86400 / 86401		(86399 where a second is left out)
 *
 * with `passed` since the first noon. This is what several public services do, so hosts that smear
 * alike agree; with hosts that do not, they differ by up to half a second. Pure.
 */
#ifndef ENGINE_SMEAR_H
#define ENGINE_SMEAR_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"
#include "engine/leap.h"

#define SMEAR_HALF_NS (43200 * LEAP_SECOND_NS) /* from noon to the leap second */

/*
 * Turn a correction of true UTC into one of smeared UTC. Only what the table (may be NULL) says is
 * smeared: a smear begins before the sources announce anything, and a daemon that starts in the
 * middle of one must know of it. A leap second that only the sources announce is left as it is.
 *
 * Within CHRONOTICK_GROWTH_NS of either noon, where the slope changes, growth covers both slopes,
 * so that a line holds across. From so long before to so long after, TAI - UTC is unknown: it is no
 * whole number. Returns how much of the second is told by now, ns: 0 before and without a smear.
 */
int64_t smear_apply(struct correction *correction, const struct leap_table *table);

#endif /* ENGINE_SMEAR_H */
