/* SPDX-License-Identifier: MIT */
#include "publish/writer.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum page_repair writer_init(struct writer *writer, struct chronotick_page *page,
			     const struct line_config *config, uint64_t (*now)(void *data),
			     void *data)
{
	enum page_repair repair = page_repair(page);
	uint32_t generation, status;

	memset(writer, 0, sizeof(*writer));
	writer->page = page;
	writer->config = *config;
	writer->now = now;
	writer->data = data;
	writer->heir = true;
	page_line_read(&writer->current, &page->clock[0]);
	generation = CHRONOTICK_STATE_GENERATION(writer->current.state);
	writer->generation = page->header.generation;
	/* The header's word is stored first, so a line that is ahead of it is nobody's. */
	if ((int32_t)(generation - writer->generation) > 0)
		writer->generation = generation;
	if (line_is_set(&writer->current) && !line_is_plausible(&writer->current, config->mult)) {
		writer_invalidate(writer);
		repair = PAGE_LOST;
	}
	/* Somebody writes again, though without a reference as yet. */
	status = CHRONOTICK_STATE_STATUS(writer->current.state) & CHRONOTICK_STATUS_MASK;
	if (status == CHRONOTICK_WRITER_GONE)
		writer_status_set(writer, CHRONOTICK_HOLDOVER);
	/* The writer before may have been killed between a change and the telling of it. */
	page_change_tell(page);
	return repair;
}

/* The whole of [1] back into [0], which is odd: nothing has been published. */
static int publication_undo(struct writer *writer)
{
	page_line_fill(&writer->page->clock[0], &writer->current);
	page_line_end(&writer->page->clock[0]);
	return -ETIMEDOUT;
}

/*
 * Fill [0], which is odd, until the line in it is in time. *started: the counter sample that it was
 * built from, *window: its W. Returns 0, or -ETIMEDOUT.
 */
static int publication_fill(struct writer *writer, const struct correction *correction,
			    struct line *line, uint64_t *started, uint64_t *window)
{
	struct chronotick_clock *to = &writer->page->clock[0];
	int builds;

	for (builds = 1;; builds++) {
		if (line->trusted && (line->new_generation || !line_is_set(&writer->current)))
			page_generation_write(writer->page,
					      CHRONOTICK_STATE_GENERATION(line->clock.state),
					      line->clock.anchor);
		page_line_fill(to, &line->clock);
		/* Half of W is left for the store that makes it readable. */
		if (!line->falling || writer->now(writer->data) - *started < *window / 2)
			return 0;
		writer->tally.rebuilt++;
		*window *= 2;
		*started = writer->now(writer->data);
		line_next(line, &writer->config, &writer->current, writer->generation, correction,
			  *started, *window, builds < WRITER_BUILDS ? LINE_SLEW : LINE_KEEP);
		if (!line->trusted)
			return -ETIMEDOUT;
	}
}

int writer_publish(struct writer *writer, const struct correction *correction)
{
	struct chronotick_page *page = writer->page;
	uint64_t started = writer->now(writer->data), window = writer->config.window;
	uint64_t ended, passed;
	struct line line;
	bool changed;

	line_next(&line, &writer->config, &writer->current, writer->generation, correction, started,
		  window, LINE_SLEW);
	if (line.trusted ? writer->heir && line_outdoes(&writer->current, correction, started)
			 : line_stands(&writer->current, started))
		return -EAGAIN;
	page_line_begin(&page->clock[0]);
	if (publication_fill(writer, correction, &line, &started, &window) < 0)
		return publication_undo(writer);
	page_line_end(&page->clock[0]);
	page_line_write(&page->clock[1], &line.clock);

	ended = writer->now(writer->data);
	passed = ended - started;
	/*
	 * A line that was over before this one could be read has been seen as expired. Other CPUs
	 * see this one a little after it is stored, and their counters may be ahead.
	 */
	changed = line.clock.state != writer->current.state ||
		  line_stands(&writer->current, ended + writer->config.lead) != line.trusted;
	writer->heir = false;
	writer->current = line.clock;
	writer->terms = line.terms;
	writer->generation = CHRONOTICK_STATE_GENERATION(line.clock.state);
	tally_add(&writer->tally, line.trusted, passed);
	if (line.falling && passed > window) {
		writer->tally.late++;
		if (passed - window > writer->tally.late_counts)
			writer->tally.late_counts = passed - window;
	}
	if (changed)
		page_change_tell(page);
	return 0;
}

void writer_invalidate(struct writer *writer)
{
	memset(&writer->current, 0, sizeof(writer->current));
	memset(&writer->terms, 0, sizeof(writer->terms));
	writer->generation++;
	writer->current.state = CHRONOTICK_STATE(writer->generation, CHRONOTICK_UNSYNCHRONIZED,
						 CHRONOTICK_TAI_UNKNOWN);
	page_generation_write(writer->page, writer->generation,
			      writer->page->header.generation_start);
	page_clock_write(writer->page, &writer->current);
	page_change_tell(writer->page);
}

void writer_status_set(struct writer *writer, enum chronotick_status status)
{
	uint64_t mask = (uint64_t)CHRONOTICK_STATUS_MASK << 32;

	writer->current.state = (writer->current.state & ~mask) | (uint64_t)status << 32;
	page_clock_write(writer->page, &writer->current);
	page_change_tell(writer->page);
}

void writer_move(struct writer *writer, struct chronotick_page *page)
{
	uint64_t others = writer->current.state & ~(uint64_t)UINT32_MAX;

	writer->page = page;
	writer->generation++;
	writer->current.state = others | writer->generation;
	page_generation_write(page, writer->generation, writer->current.anchor);
	page_clock_write(page, &writer->current);
}
