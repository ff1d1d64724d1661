/* SPDX-License-Identifier: MIT */
#include "timestamping/phc_track.h"

#include <errno.h>
#include <string.h>

#include "chronotick_page.h"

#define PPT 1000000000000LL

/* No reading is kept for so long: ten days */
#define BACK_NS 864000000000000LL

/* No owner turns a clock by more: a tenth of its rate, in 2^-16 ppm */
#define DIAL_MAX (100000LL * 65536)

/* What an owner sets is of the oscillator's rate, and that is off by up to PHC_TRACK_RATE_PPT. */
#define DIAL_PART (PPT / PHC_TRACK_RATE_PPT)

/* How long a clock that was stepped has to agree with itself before its stamps are good */
#define CALM_NS 100000000LL

/* A drift by PHC_TRACK_WANDER_PPT in a second makes so much in a ns, squared */
#define DRIFT_PART 100000000000000000LL

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

static int64_t magnitude(int64_t value)
{
	return value < 0 ? -value : value;
}

static void dial_seen(struct phc_track_dial *seen, int64_t ppt)
{
	seen->least_ppt = ppt < seen->least_ppt ? ppt : seen->least_ppt;
	seen->most_ppt = ppt > seen->most_ppt ? ppt : seen->most_ppt;
}

/*
 * How far the rate may have been from what it is now, since the oldest reading that is kept. An owner
 * may turn it more often than it is read: then by as much as he has been seen to.
 */
static int64_t swing_ppt(const struct phc_track *track)
{
	struct phc_track_dial all = track->dial;
	unsigned int i;

	if (track->is_blind)
		return PHC_TRACK_RATE_PPT + magnitude(track->rate_ppt);
	for (i = 0; i < track->count; i++) {
		dial_seen(&all, track->kept[i].dial.least_ppt);
		dial_seen(&all, track->kept[i].dial.most_ppt);
	}
	return all.most_ppt - all.least_ppt;
}

/* What a drift of the rate may have made of a reading of that age, beyond what it had before */
static int64_t drift_ns(int64_t age_ns, int64_t passed_ns)
{
	return limited((__int128)passed_ns * ((__int128)age_ns + passed_ns / 2) / DRIFT_PART + 1);
}

/*
 * How far a reading may be from where the clock was led to, if that is more than the two readings err:
 * the rate was not known so well, or somebody has stepped the clock.
 */
static int64_t unexplained_by(const struct phc_track *track, const struct phc_reading *to,
			      int64_t by_ppt)
{
	int64_t passed = between_ns(track, track->latest.counter, to->counter);
	__int128 led = (__int128)passed * (track->rate_ppt + by_ppt / 2) / PPT;
	int64_t apart = limited((__int128)to->phc_ns - track->latest.phc_ns - passed - led);
	__int128 errors = (__int128)track->latest.error_ns + to->error_ns;

	return magnitude(apart) > errors ? limited(magnitude(apart) + errors) : 0;
}

/*
 * What is kept was good before the latest reading: make it so after it. Returns what that does not
 * explain.
 */
static int64_t turn(struct phc_track *track, const struct phc_reading *to)
{
	const struct phc_reading *latest = &track->latest;
	int64_t passed = between_ns(track, latest->counter, to->counter), by = 0, error, ret;
	uint64_t middle = latest->counter + (to->counter - latest->counter) / 2;
	unsigned int i;

	track->is_blind = latest->frequency == PHC_FREQUENCY_UNKNOWN ||
			  to->frequency == PHC_FREQUENCY_UNKNOWN;
	if (!track->is_blind) {
		by = dial_ppt(to->frequency) - dial_ppt(latest->frequency);
		dial_seen(&track->dial, dial_ppt(to->frequency));
	}
	ret = unexplained_by(track, to, by);
	/* The rates that were possible, after that */
	track->rate_ppt += by;
	track->swing_ppt = swing_ppt(track);
	track->rate_error_ppt +=
		share_up(passed, PHC_TRACK_WANDER_PPT * 1000) + magnitude(by) / DIAL_PART;
	if (track->is_blind || track->rate_error_ppt > PHC_TRACK_RATE_PPT)
		track->rate_error_ppt = PHC_TRACK_RATE_PPT;
	error = share_up(passed, PHC_TRACK_WANDER_PPT + track->swing_ppt);
	for (i = 0; i < track->count; i++) {
		struct phc_reading *kept = &track->kept[i].reading;
		int64_t before = between_ns(track, kept->counter, middle);
		int64_t age = between_ns(track, kept->counter, latest->counter);

		/* As if the clock had run at its new rate from there on */
		kept->phc_ns = limited(kept->phc_ns - (__int128)before * by / PPT);
		kept->error_ns = limited((__int128)kept->error_ns + error + drift_ns(age, passed));
	}
	return ret;
}

/* The rate that the clock has shown of late, where all are possible */
static int64_t lately_ppt(const struct phc_track *track)
{
	int64_t shortest = INT64_MAX, ppt = track->rate_ppt;
	unsigned int i;

	for (i = 0; i < track->count; i++) {
		const struct phc_reading *kept = &track->kept[i].reading;
		int64_t passed = between_ns(track, kept->counter, track->latest.counter);

		if (passed < PHC_TRACK_SPACING_NS || passed >= shortest)
			continue;
		shortest = passed;
		ppt = limited(((__int128)track->latest.phc_ns - kept->phc_ns - passed) * PPT /
			      passed);
	}
	if (magnitude(ppt) > PHC_TRACK_RATE_PPT)
		return ppt < 0 ? -PHC_TRACK_RATE_PPT : PHC_TRACK_RATE_PPT;
	return ppt;
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
		const struct phc_reading *kept = &track->kept[i].reading;
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
	if (track->is_blind) {
		track->rate_ppt = lately_ppt(track);
		return true;
	}
	track->rate_ppt = least + (most - least) / 2;
	track->rate_error_ppt = (most - least) / 2 + 1;
	return true;
}

/* Of which nothing but that is known */
static bool is_too_fast(const struct phc_track *track, const struct phc_reading *to)
{
	int64_t passed = between_ns(track, track->latest.counter, to->counter);
	int64_t apart = limited((__int128)to->phc_ns - track->latest.phc_ns - passed);
	__int128 errors = (__int128)track->latest.error_ns + to->error_ns;

	return magnitude(apart) > errors + share_up(passed, PHC_TRACK_RATE_PPT);
}

static void keep(struct phc_track *track)
{
	const struct phc_reading *newest =
		&track->kept[(track->next + PHC_TRACK_READINGS - 1) % PHC_TRACK_READINGS].reading;
	int64_t dial = dial_ppt(track->latest.frequency);

	if (track->count &&
	    between_ns(track, newest->counter, track->latest.counter) < PHC_TRACK_SPACING_NS)
		return;
	track->kept[track->next] =
		(struct phc_track_kept){track->latest, track->dial, track->unexplained_ns};
	track->next = (track->next + 1) % PHC_TRACK_READINGS;
	if (track->count < PHC_TRACK_READINGS)
		track->count++;
	if (track->latest.frequency != PHC_FREQUENCY_UNKNOWN)
		track->dial = (struct phc_track_dial){dial, dial};
}

/*
 * The latest reading, so long after the one before it, may be the first one after a step that no rate
 * contradicted: then what was known is of before that, and the rate is another one.
 */
static void doubt(struct phc_track *track, int64_t unexplained_ns, int64_t passed_ns)
{
	__int128 turned = (__int128)unexplained_ns * PPT / passed_ns;
	unsigned int i;

	if (!unexplained_ns)
		return;
	track->unexplained_ns = limited((__int128)track->unexplained_ns + unexplained_ns);
	track->rate_error_ppt = limited(track->rate_error_ppt + turned);
	if (track->rate_error_ppt > PHC_TRACK_RATE_PPT)
		track->rate_error_ppt = PHC_TRACK_RATE_PPT;
	for (i = 0; i < track->count; i++)
		track->kept[i].reading.error_ns =
			limited((__int128)track->kept[i].reading.error_ns + unexplained_ns);
}

enum phc_track_event phc_track_add(struct phc_track *track, const struct phc_reading *reading)
{
	const struct counter *counter = track->counter;
	uint64_t jumps = track->jumps;
	bool has = track->has_latest, is_known;
	int64_t unexplained, passed, dial;

	if (has && (int64_t)(reading->counter - track->latest.counter) > 0) {
		keep(track);
		passed = between_ns(track, track->latest.counter, reading->counter);
		unexplained = turn(track, reading);
		is_known = !track->is_blind || !is_too_fast(track, reading);
		track->latest = *reading;
		if (is_known && rate_update(track)) {
			doubt(track, unexplained, passed + 1);
			return PHC_TRACK_SAME;
		}
	}
	phc_track_init(track, counter);
	track->jumps = jumps + has;
	track->latest = *reading;
	track->has_latest = true;
	track->begun = reading->counter;
	track->is_blind = reading->frequency == PHC_FREQUENCY_UNKNOWN;
	track->swing_ppt = track->is_blind ? PHC_TRACK_RATE_PPT : 0;
	dial = track->is_blind ? 0 : dial_ppt(reading->frequency);
	track->rate_ppt = dial;
	track->dial = (struct phc_track_dial){dial, dial};
	return has ? PHC_TRACK_JUMPED : PHC_TRACK_FIRST;
}

/* Where a reading says that the clock is at a counter value, and what that may err */
static void carry(const struct phc_track *track, const struct phc_reading *reading,
		  uint64_t counter, int64_t *phc_ns, int64_t *error_ns)
{
	int64_t rate_error = track->is_blind ? track->swing_ppt : track->rate_error_ppt;
	int64_t passed = between_ns(track, reading->counter, counter);

	*phc_ns = limited((__int128)reading->phc_ns + passed +
			  (__int128)passed * track->rate_ppt / PPT);
	*error_ns = limited((__int128)reading->error_ns + share_up(passed, rate_error));
}

int phc_track_at(const struct phc_track *track, uint64_t counter, int64_t *phc_ns,
		 int64_t *error_ns)
{
	int64_t ahead, at, error, least, most, unexplained = 0;
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
		const struct phc_track_kept *kept = &track->kept[i];
		int64_t kept_at, kept_error;

		if ((int64_t)(counter - kept->reading.counter) >= 0) {
			covered = true;
			if (kept->unexplained_ns > unexplained)
				unexplained = kept->unexplained_ns;
		}
		carry(track, &kept->reading, counter, &kept_at, &kept_error);
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
	error = limited((__int128)(most - least) / 2 + 1 + share_up(ahead, PHC_TRACK_WANDER_PPT));
	/* The rate may have been another one then, and a step may have come since. */
	if (ahead < 0 && !track->is_blind)
		error = limited((__int128)error + share_up(ahead, track->swing_ppt));
	if (ahead < 0)
		error = limited((__int128)error + track->unexplained_ns - unexplained);
	*error_ns = error;
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

int phc_track_stamp(const struct phc_track *track, int64_t phc_ns, uint64_t sent, uint64_t *counter,
		    int64_t *error_ns)
{
	uint64_t error;
	int r = phc_track_counter(track, phc_ns, counter, error_ns);

	if (r < 0)
		return r;
	error = counter_from_ns(track->counter, (uint64_t)*error_ns);
	if ((int64_t)(*counter - error - track->latest.counter) > 0)
		return -ERANGE;
	/* What seems to have been stepped may be slewed faster than can be told: until it is calm */
	if (track->jumps && between_ns(track, track->begun, track->latest.counter) < CALM_NS)
		return -ESTALE;
	/* What came before a step may look like what came after it. */
	if ((int64_t)((sent ? sent : *counter - error) - track->begun) < 0)
		return -ESTALE;
	return sent && (int64_t)(*counter + error - sent) < 0 ? -ERANGE : 0;
}

uint64_t phc_track_age(const struct phc_track *track, uint64_t counter)
{
	int64_t age = (int64_t)(counter - track->latest.counter);

	if (!track->has_latest)
		return UINT64_MAX;
	return age < 0 ? 0 : (uint64_t)age;
}
