/* SPDX-License-Identifier: MIT */
/* The ChronoTick record. Include <chronotick/chronotick.h>, not this file. */
#ifndef CHRONOTICK_RECORD_H
#define CHRONOTICK_RECORD_H

#include <math.h>

#include "handle.h"

/* A whole copy of one seqlock record in a bounded number of tries; 0, or -ESTALE. */
static inline int chronotick_record_copy(const struct chronotick_record *from,
					 struct chronotick_record *ret)
{
	enum { WORDS = sizeof(*from) / sizeof(uint64_t) };
	const uint64_t *words = (const uint64_t *)(const void *)from;
	uint64_t copy[WORDS];
	uint32_t seq;
	int tries, i;

	for (tries = 0; tries < 64; tries++) {
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		seq = __atomic_load_n(&from->sequence_number, __ATOMIC_ACQUIRE);
		if (seq & 1)
			continue;
		for (i = 0; i < WORDS; i++)
			copy[i] = __atomic_load_n(&words[i], __ATOMIC_RELAXED);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (__atomic_load_n(&from->sequence_number, __ATOMIC_RELAXED) == seq) {
			memcpy(ret, copy, sizeof(*ret));
			return 0;
		}
	}
	return -ESTALE;
}

/* From the order of the released Python client, see enum chronotick_record_order, to the struct's */
static inline void chronotick_record_from_python(struct chronotick_record *record)
{
	chronotick_f64 offset_correction = record->prediction_time;

	record->prediction_time = record->drift_uncertainty;
	record->drift_uncertainty = record->offset_uncertainty;
	record->offset_uncertainty = record->drift_rate;
	record->drift_rate = record->offset_correction;
	record->offset_correction = offset_correction;
}

/*
 * The record at offset 0, in whatever order it is. The header tells which, and changes only while
 * the record is odd: an order that is the same before and after a whole copy is the copy's.
 */
static inline int chronotick_record_first(const struct chronotick_page *page,
					  struct chronotick_record *ret)
{
	const __u32 *word = &page->header.record_order;
	uint32_t order = __atomic_load_n(word, __ATOMIC_ACQUIRE);
	int r;

	if (order > CHRONOTICK_ORDER_PYTHON)
		return -ESTALE;
	r = chronotick_record_copy(&page->record, ret);
	if (r < 0)
		return r;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (__atomic_load_n(word, __ATOMIC_RELAXED) != order)
		return -ESTALE;
	if (order == CHRONOTICK_ORDER_PYTHON)
		chronotick_record_from_python(ret);
	return 0;
}

/* After 2^32 publications the sequence is 0 again: ask for more than that. */
static inline int chronotick_record_is_blank(const struct chronotick_record *record)
{
	return record->sequence_number == 0 && !(record->system_timestamp > 0);
}

CHRONOTICK_API int chronotick_record_read(const struct chronotick *ct,
					  struct chronotick_record *ret)
{
	const struct chronotick_page *page = chronotick_private_of(ct)->page;
	struct chronotick_record copy;
	int tries, r = -ESTALE;

	/*
	 * The writer goes from one to the other: while one is torn the other is whole. The shadow is
	 * always in the struct's order.
	 */
	for (tries = 0; tries < 64 && r < 0; tries++) {
		r = chronotick_record_copy(&page->record_shadow, &copy);
		if (r < 0 || chronotick_record_is_blank(&copy))
			r = chronotick_record_first(page, &copy);
	}
	if (r < 0)
		return r;
	if (chronotick_record_is_blank(&copy))
		return -EAGAIN;
	*ret = copy;
	return 0;
}

CHRONOTICK_API double chronotick_corrected_time_at(const struct chronotick_record *record,
						   double system_time_s)
{
	return system_time_s + record->offset_correction +
	       record->drift_rate * (system_time_s - record->prediction_time);
}

CHRONOTICK_API double chronotick_uncertainty_at(const struct chronotick_record *record,
						double system_time_s)
{
	double drift = record->drift_uncertainty * (system_time_s - record->prediction_time);

	return sqrt(record->offset_uncertainty * record->offset_uncertainty + drift * drift);
}

#endif /* CHRONOTICK_RECORD_H */
