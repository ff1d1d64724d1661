/* SPDX-License-Identifier: MIT */
/* What the daemon says in its log when something changes. */
#ifndef USERSPACE_REPORT_H
#define USERSPACE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chronotick_page.h"
#include "engine/engine.h"
#include "sources/set.h"

/* How things were when they were last told. Zero it before first use. */
struct report {
	uint8_t status;
	uint8_t leap;
	enum fuse_level level;
	uint8_t states[ENGINE_SOURCES_MAX];
	const char *reasons[ENGINE_SOURCES_MAX];
	int64_t past_ns; /* end of the past that was corrected last */
	uint64_t late;   /* publications that came too late, told so far */
	int64_t late_told_ns;
	bool silence_told;
	enum external_state external;
};

/*
 * The clock's status, what the time rests on and the leap second ahead, if they are not what was
 * told last; and a contradiction of the models that was not told of.
 */
void report_clock(struct report *report, const struct engine *engine,
		  const struct correction *correction);

/* The sources whose state, or its reason, is not what was told last. */
void report_sources(struct report *report, const struct source_status *sources, unsigned int count);

/* Publications that came too late, since start; told once a minute at most. now_ns: monotonic. */
void report_late(struct report *report, uint64_t late, int64_t now_ns);

/* No source has answered in the first REPORT_SILENCE_NS: told once. */
#define REPORT_SILENCE_NS 10000000000LL
void report_silence(struct report *report, const struct engine *engine, int64_t uptime_ns);

/* How the external model is judged, and by what: one line of up to `size` bytes */
void report_external_text(const struct models *models, char *text, size_t size);

/* The external model has proven itself, or is dropped, if that is not what was told last. */
void report_external(struct report *report, const struct models *models);

#endif /* USERSPACE_REPORT_H */
