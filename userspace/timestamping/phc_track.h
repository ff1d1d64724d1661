/* SPDX-License-Identifier: MIT */
/*
 * What a PHC shows at any counter value, and the counter value at which it showed something, from
 * its readings. Every reading says where the clock was, to its error; two say what its rate may be;
 * so each reading, carried to an instant at that rate, is an interval that must hold the truth, and
 * what is told is the middle of what all of them have in common. Pure.
 *
 * The clock may have an owner who steers it, as ptp4l does. A change of the frequency that the owner
 * set is known from the readings, and taken into account; a step contradicts the earlier readings,
 * which are then forgotten.
 */
#ifndef TIMESTAMPING_PHC_TRACK_H
#define TIMESTAMPING_PHC_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "timestamping/counter.h"
#include "timestamping/phc.h"

#define PHC_TRACK_READINGS 16
#define PHC_TRACK_SPACING_NS 100000000LL /* readings that are kept lie so far apart, or more */
#define PHC_TRACK_RATE_PPT 1000000000LL  /* more than any clock is off: 1,000 ppm */
#define PHC_TRACK_WANDER_PPT 10000LL     /* how much its oscillator's rate may move: 10 ppb */
#define PHC_TRACK_AHEAD_NS 2000000000LL  /* how far beyond the latest reading it tells */

enum phc_track_event {
	PHC_TRACK_FIRST,
	PHC_TRACK_SAME,   /* it agrees with what was known */
	PHC_TRACK_JUMPED, /* it does not: what was known is forgotten */
};

struct phc_track {
	const struct counter *counter;
	struct phc_reading kept[PHC_TRACK_READINGS];
	int64_t kept_turned_ppt[PHC_TRACK_READINGS]; /* turned_ppt then */
	unsigned int count;
	unsigned int next; /* the place of the next one */
	struct phc_reading latest;
	bool has_latest;
	int64_t turned_ppt; /* how much the owner has changed the rate, all changes added up */
	int64_t rate_ppt;   /* against the counter's nominal rate, the middle of what may be */
	int64_t rate_error_ppt;
	uint64_t jumps;
};

void phc_track_init(struct phc_track *track, const struct counter *counter);

/* Take a reading; they come in the order of their counter values. */
enum phc_track_event phc_track_add(struct phc_track *track, const struct phc_reading *reading);

/*
 * What the clock showed at a counter value. Returns 0; -EAGAIN: there is no reading yet; -ERANGE:
 * too far ahead of the latest one; -ESTALE: before the first one since the clock was stepped.
 */
int phc_track_at(const struct phc_track *track, uint64_t counter, int64_t *phc_ns,
		 int64_t *error_ns);

/*
 * The counter value at which it showed phc_ns: of a stamp. Take a reading after the stamp has come,
 * before this: a step that neither side of a stamp shows is not seen. Returns as phc_track_at().
 */
int phc_track_counter(const struct phc_track *track, int64_t phc_ns, uint64_t *counter,
		      int64_t *error_ns);

/* How long ago, in counts, the latest reading is; UINT64_MAX: there is none */
uint64_t phc_track_age(const struct phc_track *track, uint64_t counter);

#endif /* TIMESTAMPING_PHC_TRACK_H */
