/* SPDX-License-Identifier: MIT */
/*
 * A filter's ring: which samples are kept, and what each two of them say of the rate, and so of the
 * offset. Private to filter.c and ring.c; what others ask of it is in filter.h.
 */
#ifndef ENGINE_RING_H
#define ENGINE_RING_H

#include "engine/filter.h"

/* A new entry's pairs with those that are kept, in the order in which they lie there */
struct ring_pairs {
	struct rate_interval entries[FILTER_SAMPLES];
	struct rate_interval anchors[FILTER_ANCHORS];
};

/* Without a division: this is the innermost of all. */
static inline unsigned int entry_index(const struct filter *filter, unsigned int age)
{
	return (filter->next + FILTER_SAMPLES - 1 - age) & (FILTER_SAMPLES - 1);
}

static inline const struct filter_entry *entry_at(const struct filter *filter, unsigned int age)
{
	return &filter->entries[entry_index(filter, age)];
}

_Static_assert((FILTER_SAMPLES & (FILTER_SAMPLES - 1)) == 0, "a power of two");

/* What `new`, which is not in the ring yet, says of the rate with each that is */
void ring_pairs(struct ring_pairs *ret, const struct filter *filter,
		const struct filter_entry *new);

/* Can the entry and the ring not both be right, within the oscillator's limits? */
bool ring_contradicts(const struct filter *filter, const struct filter_entry *new,
		      const struct ring_pairs *pairs, const struct filter_limits *limits);

/* Keep a new entry, whose pairs these are; where the ring is full, its oldest one leaves it. */
void ring_push(struct filter *filter, const struct filter_entry *new,
	       const struct ring_pairs *pairs);

#endif /* ENGINE_RING_H */
