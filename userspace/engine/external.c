/* SPDX-License-Identifier: MIT */
#include "engine/external.h"

#include <math.h>

/* An error of so many standard deviations is far off. */
#define FAR_SD 4.0
/* The mean of a score is over some fifty errors: its own error is a seventh of one of them. */
#define RESOLUTION 0.14
/* Between being used and being dropped */
#define FACTOR_USED (SCORE_FACTOR_MAX / 2)

void external_init(struct external *external)
{
	*external = (struct external){.state = EXTERNAL_UNPROVEN};
}

static void drop(struct external *external, enum external_state why)
{
	external->drops += external->state == EXTERNAL_USED;
	external->state = why;
}

bool external_score(struct external *external, const struct score *score,
		    const struct rivalry *line_over, double distance)
{
	bool used = external->state == EXTERNAL_USED;

	external->far = fabs(distance) > FAR_SD ? external->far + 1 : 0;
	if (external->far >= EXTERNAL_FAR_MAX) {
		external->far = 0;
		drop(external, EXTERNAL_FAR);
		return true;
	}
	if (score->count < EXTERNAL_SCORED_MIN)
		return false;
	if (line_over->ahead)
		drop(external, EXTERNAL_BEHIND);
	else if (score->factor >= (used ? SCORE_FACTOR_MAX : FACTOR_USED))
		drop(external, EXTERNAL_UNCALIBRATED);
	else if (!used)
		external->state = line_over->lead <= 0 ? EXTERNAL_USED : EXTERNAL_UNPROVEN;
	return false;
}

void external_refute(struct external *external)
{
	external->far = 0;
	drop(external, EXTERNAL_IMPOSSIBLE);
}

double external_resolution(const struct score *score)
{
	return RESOLUTION * score->error_ns;
}

const char *external_state_name(enum external_state state)
{
	static const char *const names[EXTERNAL_STATES] = {
		[EXTERNAL_UNPROVEN] = "not proven yet",
		[EXTERNAL_USED] = "in use",
		[EXTERNAL_BEHIND] = "not used: the line through the sources' samples is better",
		[EXTERNAL_UNCALIBRATED] = "not used: its errors are not what it says they are",
		[EXTERNAL_FAR] = "not used: measurements in a row were far from it",
		[EXTERNAL_IMPOSSIBLE] = "not used: what it said is impossible",
	};

	return state < EXTERNAL_STATES ? names[state] : "unknown";
}
