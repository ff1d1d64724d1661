/* SPDX-License-Identifier: MIT */
/* What every source has in common: it gets a clock to stamp with, and gives samples. */
#ifndef SOURCES_SOURCE_H
#define SOURCES_SOURCE_H

#include <stdint.h>

#include "chronotick_page.h"
#include "engine/leap.h"
#include "engine/sample.h"
#include "loop/loop.h"
#include "timestamping/counter.h"
#include "timestamping/hardware.h"

#define SOURCE_NOTE_SIZE 160

/* What a source tells its owner */
struct source_events {
	void *data;
	/* A sample; sample->source is filled in. */
	void (*sample)(void *data, const struct sample *sample);
	/* It must not be used until its next sample: enum chronotick_source_state. */
	void (*lost)(void *data, unsigned int source, uint8_t state);
};

/* What a source works with; all of it outlives the source. */
struct source_context {
	struct loop *loop;
	const struct counter *counter;
	const struct timescale *scale;
	const struct source_events *events;
	struct hardware_table *hardware; /* NULL: there are no hardware stamps */
	const struct leap_table *leaps;  /* NULL: none */
};

#endif /* SOURCES_SOURCE_H */
