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

CHRONOTICK_API int chronotick_record_read(const struct chronotick *ct,
					  struct chronotick_record *ret)
{
	const struct chronotick_page *page = chronotick_private_of(ct)->page;
	struct chronotick_record copy;
	int tries, r = -ESTALE;

	/* The writer goes from one to the other: while one is torn the other is whole. */
	for (tries = 0; tries < 64 && r < 0; tries++) {
		r = chronotick_record_copy(&page->record, &copy);
		if (r < 0)
			r = chronotick_record_copy(&page->record_shadow, &copy);
	}
	if (r < 0)
		return r;
	/* After 2^32 publications the sequence is 0 again: ask for more than that. */
	if (copy.sequence_number == 0 && !(copy.system_timestamp > 0))
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
