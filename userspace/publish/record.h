/* SPDX-License-Identifier: MIT */
/*
 * The record: what the clock line says, told against CLOCK_REALTIME as programs of the original
 * ChronoTick expect it. Pure.
 */
#ifndef PUBLISH_RECORD_H
#define PUBLISH_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "chronotick_page.h"
#include "engine/engine.h"
#include "publish/publish.h"
#include "timestamping/counter.h"
#include "timestamping/cross.h"

/*
 * The rate of CLOCK_REALTIME against the counter, from cross-timestamps 4 to 8 s apart (less after
 * a start, or after a step of the clock).
 */
struct record_rate {
	struct cross base[2]; /* older, newer */
	struct cross last;
	bool started;
};

/* Take in the cross-timestamp of this publication. */
void record_rate_add(struct record_rate *rate, const struct counter *counter,
		     const struct cross *now);

/*
 * How fast UTC drifts against CLOCK_REALTIME, s/s; mult: the best rate of UTC against the counter.
 * *uncertainty: one sigma of CLOCK_REALTIME's share of it, 500 ppm as long as nothing is known.
 */
double record_drift(const struct record_rate *rate, uint64_t mult, double *uncertainty);

/* What a record is made of */
struct record_input {
	const struct chronotick_clock *line; /* as published */
	bool trusted;
	const struct correction *correction;
	const struct cross *now; /* CLOCK_REALTIME, taken with the publication */
	const struct record_rate *rate;
	const struct publish_facts *facts;
	uint64_t corrections; /* trusted lines so far */
};

/* The record of a publication; its sequence number is 0. */
void record_build(struct chronotick_record *ret, const struct record_input *input);

#endif /* PUBLISH_RECORD_H */
