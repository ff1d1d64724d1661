/* SPDX-License-Identifier: MIT */
#include "engine/smear.h"

#include "chronotick_page.h"

#define DAY_S 86400

/* A leap second of the table, as a smear sees it */
struct smear {
	int64_t noon_ns;    /* beginning, true UTC */
	int64_t at_ns;      /* where UTC breaks, as counted until then */
	int64_t shift_ns;   /* as in struct leap */
	int64_t duration_s; /* noon to noon */
};

/* The leap second that the smear at utc_ns, or one shortly before or after it, is for. */
static bool smear_find(struct smear *ret, const struct leap_table *table, int64_t utc_ns)
{
	int64_t reach_ns = SMEAR_HALF_NS + CHRONOTICK_GROWTH_NS + LEAP_SECOND_NS;
	unsigned int i;

	for (i = 1; table && i < table->count; i++) {
		const struct leap_entry *entry = &table->entries[i];
		int sign = entry->tai_s - entry[-1].tai_s;

		if (utc_ns < entry->from_ns - reach_ns || utc_ns > entry->from_ns + reach_ns)
			continue;
		ret->noon_ns = entry->from_ns - SMEAR_HALF_NS;
		ret->shift_ns = -sign * LEAP_SECOND_NS;
		ret->at_ns = entry->from_ns - (sign < 0 ? LEAP_SECOND_NS : 0);
		ret->duration_s = DAY_S + sign;
		return true;
	}
	return false;
}

static bool within(int64_t ns, int64_t of_ns, int64_t distance_ns)
{
	return ns > of_ns - distance_ns && ns < of_ns + distance_ns;
}

/* value * 1 s / duration, with the sign of the smear */
static __int128 share(__int128 value, const struct smear *smear)
{
	__int128 part = value / smear->duration_s;

	return smear->shift_ns < 0 ? part : -part;
}

int64_t smear_apply(struct correction *correction, const struct leap_table *table)
{
	int64_t utc_ns = (int64_t)(correction->utc >> 64), end_ns, passed_ns;
	struct bound *bound = &correction->bound;
	int64_t pending_ns = correction->leap_ns;
	__int128 passed, smeared;
	struct smear smear;
	uint64_t slope;

	if (correction->utc <= 0)
		return 0;
	/* Nobody gets to see a jump, so none is announced, not on the days before either. */
	if (leap_table_covers(table, utc_ns)) {
		correction->leap_ns = 0;
		correction->leap = 0;
	}
	if (!smear_find(&smear, table, utc_ns))
		return 0;
	passed = correction->utc - smear.noon_ns * ((__int128)1 << 64);
	if (pending_ns != smear.at_ns && utc_ns >= smear.at_ns - LEAP_SECOND_NS)
		passed -= smear.shift_ns * ((__int128)1 << 64);
	passed_ns = (int64_t)(passed >> 64);
	end_ns = smear.duration_s * LEAP_SECOND_NS;
	if (passed_ns <= -CHRONOTICK_GROWTH_NS || passed_ns >= end_ns + CHRONOTICK_GROWTH_NS)
		return 0;

	correction->tai_offset_s = CHRONOTICK_TAI_UNKNOWN;
	slope = correction->mult / (uint64_t)smear.duration_s + 1;
	if (within(passed_ns, 0, CHRONOTICK_GROWTH_NS) ||
	    within(passed_ns, end_ns, CHRONOTICK_GROWTH_NS))
		bound->growth += slope;
	if (passed_ns < 0 || passed_ns >= end_ns)
		return 0;

	smeared = share(passed, &smear);
	correction->utc = smear.noon_ns * ((__int128)1 << 64) + passed - smeared;
	correction->mult -= (uint64_t)share(correction->mult, &smear);
	/* A clock that runs fast has errors that do. */
	bound->growth += bound->growth / (uint64_t)smear.duration_s + 1;
	bound_age(bound, bound->total_ns / smear.duration_s + 1);
	return (int64_t)((smeared < 0 ? -smeared : smeared) >> 64);
}
