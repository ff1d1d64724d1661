/* SPDX-License-Identifier: MIT */
/* From the models to what they have learnt (learnt.h), and back. */
#ifndef ENGINE_LEARNT_MODELS_H
#define ENGINE_LEARNT_MODELS_H

#include "engine/learnt.h"

/* How many members a short-term model has, whose prior has this for `disciplined` */
unsigned int short_term_members(double discipline);

/* Fills in the short-term part; leaves it empty if too little was measured. */
void short_term_learnt(const struct short_term *model, struct learnt *ret);

/* ... the long-term part, at raw time now_ns, at which the best estimate of the rate is rate_ns_s. */
void long_term_learnt(const struct long_term *model, int64_t now_ns, double rate_ns_s,
		      struct learnt *ret);

/* After short_term_init(), before anything is measured; checked (learnt_check()), with that part. */
void short_term_know(struct short_term *model, const struct learnt *learnt, int64_t age_ns,
		     bool same_oscillator);

/* After long_term_init(), whose rate is the best estimate that this was learnt with; likewise. */
void long_term_know(struct long_term *model, const struct learnt *learnt, int64_t age_ns,
		    bool same_oscillator);

#endif /* ENGINE_LEARNT_MODELS_H */
