/* SPDX-License-Identifier: MIT */
/*
 * Is a model that nobody here has written good enough to be used? It is scored as the others are
 * (score.h), but begins with nothing to its credit: it has to prove itself by measurements that came
 * after its predictions, is dropped as soon as it fails, and can prove itself again.
 */
#ifndef ENGINE_EXTERNAL_H
#define ENGINE_EXTERNAL_H

#include <stdint.h>

#include "engine/score.h"

/* So many measurements must have been scored before it is used. */
#define EXTERNAL_SCORED_MIN 10
/* So many measurements in a row that are far from what it said drop it at once. */
#define EXTERNAL_FAR_MAX 3

enum external_state {
	EXTERNAL_UNPROVEN, /* too little was scored, or the line has been as good */
	EXTERNAL_USED,     /* it has proven itself */
	EXTERNAL_BEHIND,   /* dropped: the line through the sources' samples is better */
	EXTERNAL_UNCALIBRATED, /* dropped: it is farther off than it says, and nothing makes up for it */
	EXTERNAL_FAR,          /* dropped: EXTERNAL_FAR_MAX in a row were far off */
	EXTERNAL_IMPOSSIBLE, /* dropped: the time lay outside of what the sources allow */
	EXTERNAL_STATES,
};

struct external {
	enum external_state state;
	unsigned int far; /* measurements in a row that were far off */
	uint64_t drops;   /* how often it was dropped after it had proven itself */
};

/* A model that nothing is known of */
void external_init(struct external *external);

/*
 * A measurement was scored. distance: its error over its standard deviation, this one rescaled by
 * the factor as it was before; line_over: is the line better than the model?
 *
 * It is used once EXTERNAL_SCORED_MIN were scored, the line has not been better, and the factor
 * that its deviations need is below a half of the most there is; it is dropped when the line has
 * proven to be better, or the factor has reached the most. A small factor is no fault: the errors of
 * the measurements themselves may be overestimated, and who is too modest has little weight.
 * Returns true if it was far off too often: then it is dropped, and score and rivalry must begin
 * anew, as they speak of another model.
 */
bool external_score(struct external *external, const struct score *score,
		    const struct rivalry *line_over, double distance);

/* It had a part in a time that is impossible: dropped. Score and rivalry must begin anew. */
void external_refute(struct external *external);

/*
 * Errors of measurements hide an error of the model that is constant and smaller than they are. This
 * is how small a deviation the scores can vouch for, ns: whatever it says, it knows no better.
 */
double external_resolution(const struct score *score);

/* A few words, as status and log have it; "unknown" beyond the last. */
const char *external_state_name(enum external_state state);

#endif /* ENGINE_EXTERNAL_H */
