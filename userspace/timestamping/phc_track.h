/* SPDX-License-Identifier: MIT */
/*
 * What a PHC shows at any counter value, and the counter value at which it showed something, from
 * its readings. Every reading says where the clock was, to its error; two say what its rate may be;
 * so each reading, carried to an instant at that rate, is an interval that must hold the truth, and
 * what is told is the middle of what all of them have in common. Pure.
 *
 * The clock may have an owner who steers it, as ptp4l does. The frequency that he set is known from
 * the readings; between them he is taken to turn it as he has been seen to. Where it is not told, the
 * clock may run at any rate, and a reading is good for what is near it. A step contradicts the
 * earlier readings, which are then forgotten. One that the rate is not known well enough to tell
 * from is in the error; one of less than twice what two readings err may not be seen.
 */
#ifndef TIMESTAMPING_PHC_TRACK_H
#define TIMESTAMPING_PHC_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "timestamping/counter.h"
#include "timestamping/phc.h"

#define PHC_TRACK_READINGS 16
#define PHC_TRACK_SPACING_NS 100000000LL /* readings that are kept lie so far apart, or more */
#define PHC_TRACK_RATE_PPT 1000000000LL  /* more than any oscillator is off: 1,000 ppm */
#define PHC_TRACK_WANDER_PPT 10000LL     /* its oscillator's rate may move by 10 ppb in a second */
#define PHC_TRACK_AHEAD_NS 2000000000LL  /* how far beyond the latest reading it tells */

enum phc_track_event {
	PHC_TRACK_FIRST,
	PHC_TRACK_SAME,   /* it agrees with what was known */
	PHC_TRACK_JUMPED, /* it does not: what was known is forgotten */
};

struct phc_track {
	const struct counter *counter;
	struct phc_track_kept {
		struct phc_reading reading; /* brought to the rate that the owner has set since */
		struct phc_track_dial {     /* what he has set */
			int64_t least_ppt, most_ppt;
		} dial;                 /* since the one that was kept before */
		int64_t unexplained_ns; /* that of the track then */
	} kept[PHC_TRACK_READINGS];
	unsigned int count;
	unsigned int next; /* the place of the next one */
	struct phc_reading latest;
	bool has_latest;
	uint64_t begun;             /* the counter at the first reading since a step */
	bool is_blind;              /* what the owner sets is not told */
	struct phc_track_dial dial; /* since the newest that is kept */
	int64_t swing_ppt;          /* how far the rate may have been from what it is */
	int64_t rate_ppt; /* against the counter's nominal rate, the middle of what may be */
	int64_t rate_error_ppt;
	int64_t unexplained_ns; /* what a step may have made, of all readings, added up */
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

/*
 * The same of a stamp that came before the latest reading, of a packet that was sent after the
 * counter value `sent`; 0: of one that came here. Returns -ERANGE also if it would be of another
 * time than that, as another packet's would be, or one of before the clock was set back; -ESTALE
 * also if the clock was stepped since the packet was sent.
 */
int phc_track_stamp(const struct phc_track *track, int64_t phc_ns, uint64_t sent, uint64_t *counter,
		    int64_t *error_ns);

/* How long ago, in counts, the latest reading is; UINT64_MAX: there is none */
uint64_t phc_track_age(const struct phc_track *track, uint64_t counter);

#endif /* TIMESTAMPING_PHC_TRACK_H */
