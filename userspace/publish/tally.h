/* SPDX-License-Identifier: MIT */
/* What a writer has published, and how long it took. */
#ifndef PUBLISH_TALLY_H
#define PUBLISH_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "chronotick_page.h"
#include "timestamping/counter.h"

struct tally {
	uint64_t published;   /* lines so far, trusted or not */
	uint64_t corrections; /* trusted ones of them */
	uint64_t rebuilt;
	uint64_t late;        /* falling lines complete after their join, though begun in time */
	uint64_t late_counts; /* by how much, at most */
	uint64_t last_counts; /* from counter sample to both lines complete */
	uint64_t max_counts;
	uint64_t sum_counts;
};

/* A line was published, that many counts after the counter was sampled for it. */
void tally_add(struct tally *tally, bool trusted, uint64_t counts);

/* The publication figures of the page; the others are left alone. */
void tally_figures(const struct tally *tally, const struct counter *counter,
		   struct chronotick_statistics *ret);

#endif /* PUBLISH_TALLY_H */
