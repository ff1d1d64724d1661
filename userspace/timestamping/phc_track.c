/* SPDX-License-Identifier: MIT */
#include "timestamping/phc_track.h"

#include <errno.h>
#include <string.h>

#include "chronotick_page.h"

#define PPT 1000000000000LL

/* No reading is kept for so long: ten days */
#define BACK_NS 864000000000000LL

/* 1,000 ppm in 2^-16 ppm */
#define DIAL_MAX (PHC_TRACK_RATE_PPT / 1000000 * 65536)

void phc_track_init(struct phc_track *track, const struct counter *counter)
{
	memset(track, 0, sizeof(*track));
	track->counter = counter;
	track->rate_error_ppt = PHC_TRACK_RATE_PPT;
}

static int64_t limited(__int128 value)
{
	if (value > INT64_MAX / 2)
		return INT64_MAX / 2;
	return value < INT64_MIN / 2 ? INT64_MIN / 2 : (int64_t)value;
}

/* ns at the nominal rate between two counter values; may be negative */
static int64_t between_ns(const struct phc_track *track, uint64_t from, uint64_t to)
{
	__int128 counts = (int64_t)(to - from);

	return limited((counts * (__int128)track->counter->mult) >> CHRONOTICK_MULT_SHIFT);
}

/* A share of a time, rounded away from zero */
static int64_t share_up(int64_t ns, int64_t ppt)
{
	return limited((__int128)(ns < 0 ? -ns : ns) * (ppt < 0 ? -ppt : ppt) / PPT + 1);
}

/* The frequency that an owner set, as far as a clock can be adjusted */
static int64_t dial_ppt(int64_t frequency)
{
	if (frequency > DIAL_MAX)
		frequency = DIAL_MAX;
	if (frequency < -DIAL_MAX)
		frequency = -DIAL_MAX;
	return frequency * 1000000 / 65536;
}

/* What is kept was good before the latest reading: make it so after it. */
static void turn(struct phc_track *track, const struct phc_reading *to)
{
	int64_t passed = between_ns(track, track->latest.counter, to->counter);
	int64_t by = dial_ppt(to->frequency) - dial_ppt(track->latest.frequency);
	uint64_t middle = track->latest.counter + (to->counter - track->latest.counter) / 2;
	int64_t error = share_up(passed, PHC_TRACK_WANDER_PPT) + (by ? share_up(passed, by) : 0);
	unsigned int i;

	/* The rates that were possible, after that */
	track->rate_ppt += by;
	track->rate_error_ppt += share_up(passed, PHC_TRACK_WANDER_PPT * 1000);
	if (track->rate_error_ppt > PHC_TRACK_RATE_PPT)
		track->rate_error_ppt = PHC_TRACK_RATE_PPT;
	track->turned_ppt = limited((__int128)track->turned_ppt + (by < 0 ? -by : by));
	for (i = 0; i < track->count; i++) {
		struct phc_reading *kept = &track->kept[i];
		int64_t before = between_ns(track, kept->counter, middle);

		/* As if the clock had run at its new rate from there on */
		kept->phc_ns = limited(kept->phc_ns - (__int128)before * by / PPT);
		kept->error_ns = limited((__int128)kept->error_ns + error);
	}
}

/*
 * The rates that each of those kept allows with the latest one, within those that were possible before:
 * one bad reading takes nothing away. Returns false if there is none.
 */
static bool rate_update(struct phc_track *track)
{
	int64_t least = track->rate_ppt - track->rate_error_ppt;
	int64_t most = track->rate_ppt + track->rate_error_ppt;
	unsigned int i;

	for (i = 0; i < track->count; i++) {
		const struct phc_reading *kept = &track->kept[i];
		int64_t passed = between_ns(track, kept->counter, track->latest.counter);
		int64_t gained, error, low, high;

		if (passed <= 0)
			continue;
		gained = limited((__int128)track->latest.phc_ns - kept->phc_ns - passed);
		error = limited((__int128)track->latest.error_ns + kept->error_ns);
		low = limited(((__int128)gained - error) * PPT / passed - 1);
		high = limited(((__int128)gained + error) * PPT / passed + 1);
		least = low > least ? low : least;
		most = high < most ? high : most;
	}
	if (least > most)
		return false;
	track->rate_ppt = least + (most - least) / 2;
	track->rate_error_ppt = (most - least) / 2 + 1;
	return true;
}

static void keep(struct phc_track *track)
{
	const struct phc_reading *newest =
		&track->kept[(track->next + PHC_TRACK_READINGS - 1) % PHC_TRACK_READINGS];

	if (track->count &&
	    between_ns(track, newest->counter, track->latest.counter) < PHC_TRACK_SPACING_NS)
		return;
	track->kept[track->next] = track->latest;
	track->kept_turned_ppt[track->next] = track->turned_ppt;
	track->next = (track->next + 1) % PHC_TRACK_READINGS;
	if (track->count < PHC_TRACK_READINGS)
		track->count++;
}

enum phc_track_event phc_track_add(struct phc_track *track, const struct phc_reading *reading)
{
	const struct counter *counter = track->counter;
	uint64_t jumps = track->jumps;
	bool has = track->has_latest;

	if (has && (int64_t)(reading->counter - track->latest.counter) > 0) {
		keep(track);
		turn(track, reading);
		track->latest = *reading;
		if (rate_update(track))
			return PHC_TRACK_SAME;
	}
	phc_track_init(track, counter);
	track->jumps = jumps + has;
	track->latest = *reading;
	track->has_latest = true;
	return has ? PHC_TRACK_JUMPED : PHC_TRACK_FIRST;
}

/* Where a reading says that the clock is at a counter value, and what that may err */
static void carry(const struct phc_track *track, const struct phc_reading *reading,
		  uint64_t counter, int64_t *phc_ns, int64_t *error_ns)
{
	int64_t passed = between_ns(track, reading->counter, counter);

	*phc_ns = limited((__int128)reading->phc_ns + passed +
			  (__int128)passed * track->rate_ppt / PPT);
	*error_ns = limited((__int128)reading->error_ns + share_up(passed, track->rate_error_ppt));
}

int phc_track_at(const struct phc_track *track, uint64_t counter, int64_t *phc_ns,
		 int64_t *error_ns)
{
	int64_t ahead, at, error, least, most, turned = 0;
	unsigned int i;
	bool covered;

	if (!track->has_latest)
		return -EAGAIN;
	ahead = between_ns(track, track->latest.counter, counter);
	if (ahead > PHC_TRACK_AHEAD_NS)
		return -ERANGE;
	carry(track, &track->latest, counter, &at, &error);
	least = at - error;
	most = at + error;
	covered = ahead >= 0;
	for (i = 0; i < track->count; i++) {
		int64_t kept_at, kept_error;

		if ((int64_t)(counter - track->kept[i].counter) >= 0) {
			covered = true;
			if (track->kept_turned_ppt[i] > turned)
				turned = track->kept_turned_ppt[i];
		}
		carry(track, &track->kept[i], counter, &kept_at, &kept_error);
		least = kept_at - kept_error > least ? kept_at - kept_error : least;
		most = kept_at + kept_error < most ? kept_at + kept_error : most;
	}
	if (!covered)
		return -ESTALE;
	if (least > most) {
		least = at - error;
		most = at + error;
	}
	*phc_ns = least + (most - least) / 2;
	*error_ns = (most - least) / 2 + 1;
	/* The latest reading's rate may not have been that then. */
	if (ahead < 0)
		*error_ns += share_up(ahead, PHC_TRACK_WANDER_PPT + track->turned_ppt - turned);
	return 0;
}

int phc_track_counter(const struct phc_track *track, int64_t phc_ns, uint64_t *counter,
		      int64_t *error_ns)
{
	uint64_t at = track->latest.counter;
	int64_t shown, error = 0, away;
	unsigned int i;
	int r;

	if (!track->has_latest)
		return -EAGAIN;
	shown = track->latest.phc_ns;
	/* The rates differ by some ppm, so the second step is to a ns. */
	for (i = 0; i < 3; i++) {
		away = limited((__int128)phc_ns - shown);
		if (away > PHC_TRACK_AHEAD_NS)
			return -ERANGE;
		if (away < -BACK_NS)
			return -ESTALE;
		at = away < 0 ? at - counter_from_ns(track->counter, (uint64_t)-away)
			      : at + counter_from_ns(track->counter, (uint64_t)away);
		r = phc_track_at(track, at, &shown, &error);
		if (r < 0)
			return r;
	}
	away = phc_ns - shown;
	*counter = at;
	*error_ns = error + (away < 0 ? -away : away) + 1;
	return 0;
}

uint64_t phc_track_age(const struct phc_track *track, uint64_t counter)
{
	int64_t age = (int64_t)(counter - track->latest.counter);

	if (!track->has_latest)
		return UINT64_MAX;
	return age < 0 ? 0 : (uint64_t)age;
}
