/* SPDX-License-Identifier: MIT */
/* The state file: what a run learned of its counter, as text, for the next one. Pure. */
#ifndef ARCHIVE_STATE_H
#define ARCHIVE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/memory.h"

#define STATE_TEXT_MAX 9216
#define STATE_WHY_MAX 128
#define STATE_BOOT_ID 16
#define STATE_NAME_SIZE 32
#define STATE_NAME_UNKNOWN "unknown"

/* When and where something was known */
struct state_moment {
	uint32_t counter_kind; /* enum chronotick_counter_kind */
	uint8_t boot_id[STATE_BOOT_ID];
	int64_t boottime_ns; /* CLOCK_BOOTTIME */
	int64_t utc_ns;      /* ns since 1970 */
	/* The kernel's, which CLOCK_MONOTONIC_RAW has its rate from; "unknown" */
	char clocksource[STATE_NAME_SIZE];
};

struct state {
	struct state_moment moment;
	struct engine_memory memory;
	struct learnt learnt; /* as it is in the file: learnt_check() */
};

/*
 * One "name value" a line, of what the models have learnt one "name value..." for each learnt_row(), the last one a CRC-32 of those before it: Documentation of the format is
 * in chronotickd(8). Returns the length.
 */
size_t state_format(char ret[STATE_TEXT_MAX], const struct state *state);

/*
 * Returns 0, or -EINVAL with what is wrong in `why`. One of version 2 had nothing of what the models
 * learn.
 */
int state_parse(struct state *ret, const char *text, size_t size, char why[STATE_WHY_MAX]);

/*
 * How old it is, *age_ns, and whether the same counter has run on since, *same_oscillator. Within
 * one boot CLOCK_BOOTTIME tells the age, after another one the system's clock must.
 *
 * Returns 0; -ENOTSUP with the reason in `why` if it says nothing of this counter: another kind, a
 * CLOCK_MONOTONIC_RAW of another boot, which is calibrated anew each time, or of another or an
 * unknown clocksource, or a time still to come.
 */
int state_age(const struct state *state, const struct state_moment *now, int64_t *age_ns,
	      bool *same_oscillator, char why[STATE_WHY_MAX]);

#endif /* ARCHIVE_STATE_H */
