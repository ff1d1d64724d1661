/* SPDX-License-Identifier: MIT */
/*
 * One publication into a mapped page: a line is built from a counter sample, stored, and becomes
 * readable in time for its join, or is built again. The counter is passed in, so that a test can
 * delay a publication or put it anywhere in time.
 */
#ifndef PUBLISH_WRITER_H
#define PUBLISH_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "chronotick_page.h"
#include "engine/engine.h"
#include "publish/line.h"
#include "publish/page.h"
#include "publish/tally.h"

/* Builds with a slope of their own, each with twice the window, before the old slope is kept */
#define WRITER_BUILDS 4

struct writer {
	struct chronotick_page *page;
	struct line_config config;
	uint64_t (*now)(void *data); /* the counter, read after all earlier loads */
	void *data;
	struct chronotick_clock current; /* what both lines hold */
	struct bound_terms terms;        /* of its bound; all 0: a predecessor's, or not trusted */
	bool heir;                       /* `current` is a predecessor's */
	uint32_t generation;             /* the latest that was used */
	struct tally tally;
};

/*
 * Take over the page: repair it, and refuse to continue lines that are none of this counter. A line
 * of status WRITER_GONE is one in HOLDOVER from here on.
 * `page` must be one of this ABI and counter kind, and written by nobody else.
 */
enum page_repair writer_init(struct writer *writer, struct chronotick_page *page,
			     const struct line_config *config, uint64_t (*now)(void *data),
			     void *data);

/*
 * Publish a line for the correction. A correction that gives no trusted line leaves a line that
 * still stands alone, and a predecessor's is left alone as long as it says more (line_outdoes()).
 *
 * Returns 0: a line was published, trusted or not, and is writer->current; -EAGAIN: the line before
 * was left alone; -ETIMEDOUT: every build came too late for its join, the line before stands.
 */
int writer_publish(struct writer *writer, const struct correction *correction);

/*
 * No line that was published holds any more: a line without a time, in a generation that nobody has
 * seen, takes its place in both, [0] first.
 */
void writer_invalidate(struct writer *writer);

/*
 * Go on in another page, which is blank: the standing line in a new generation, so that nobody
 * compares what he reads there with what others still read in the page before.
 */
void writer_move(struct writer *writer, struct chronotick_page *page);

/* The standing line under another status; its leap state stays. */
void writer_status_set(struct writer *writer, enum chronotick_status status);

#endif /* PUBLISH_WRITER_H */
