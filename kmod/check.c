// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is what a writer asks for possible? What it says of the time is its own affair, but it can't make
 * time go back within a generation, nor tell a reader's arithmetic what it overflows on.
 *
 * There are no floating-point operations: that a double is finite and not negative, or not less
 * than another one, can be told from its bits.
 */
#include "chronotick.h"

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/string.h>

#define F64_SIGN BIT_ULL(63)
#define F64_INFINITE 0x7ff0000000000000ULL
#define F32_INFINITE 0x7f800000U
#define F32_ONE 0x3f800000U

#define TIMEOUT_MS_MAX (CHRONOTICK_GROWTH_NS / 1000000)
#define UTC_NS_MAX (S64_MAX / 2) /* in 2116: far from where a reader's sums overflow */

#define FLAGS                                                                                      \
	(CHRONOTICK_FLAG_VALID | CHRONOTICK_FLAG_NTP_READY | CHRONOTICK_FLAG_MODELS_READY |        \
	 CHRONOTICK_FLAG_WARMUP_COMPLETE)

/* Are they apart by no more than a hundredth of the second? */
static bool near(__uint128_t value, __uint128_t nominal)
{
	__uint128_t apart = value > nominal ? value - nominal : nominal - value;

	return apart * 100 <= nominal;
}

static bool between(u64 value, u64 least, u64 most)
{
	return value >= least && value <= most;
}

/* What so many counts are worth, whole ns. */
static __uint128_t counts_ns(u64 counts, u64 mult)
{
	return (__uint128_t)counts * mult >> CHRONOTICK_MULT_SHIFT;
}

__uint128_t line_utc(const struct chronotick_clock *line, u64 counter)
{
	const unsigned int shift = 64 - CHRONOTICK_MULT_SHIFT;
	__uint128_t utc = (__uint128_t)line->utc_ns << 64 | line->utc_frac;

	return utc + ((__uint128_t)(__int128)(s64)(counter - line->anchor) << shift) * line->mult;
}

int check_claim(const struct chronotick_claim *claim, u64 khz)
{
	if (claim->flags & ~(CHRONOTICK_CLAIM_STANDBY | CHRONOTICK_CLAIM_WAIT) ||
	    claim->counter_kind != COUNTER_KIND || claim->pad0 ||
	    !between(claim->frequency_hz, 1, 1000) ||
	    !between(claim->writer_timeout_ms, 1, TIMEOUT_MS_MAX) ||
	    !between(claim->max_bound_ns, 1, U32_MAX) || !near(claim->counter_hz, khz * 1000))
		return -EINVAL;
	return 0;
}

static bool state_is_known(u64 state, bool trusted)
{
	u16 status = CHRONOTICK_STATE_STATUS(state);
	u16 leap = status & CHRONOTICK_LEAP_MASK;

	if (leap == CHRONOTICK_LEAP_MASK)
		return false;
	switch (status - leap) {
	case CHRONOTICK_UNSYNCHRONIZED:
	case CHRONOTICK_WARMING_UP:
		return !trusted;
	case CHRONOTICK_SYNCHRONIZED:
		return trusted;
	case CHRONOTICK_HOLDOVER:
		return true;
	}
	return false;
}

int check_line(const struct chronotick_clock *line, const struct chronotick_claim *claim,
	       u32 floor_ns, u64 khz)
{
	const u64 timeout_ns = claim->writer_timeout_ms * 1000000ULL;
	__uint128_t lasts_ns;

	if (!state_is_known(line->state, line->span))
		return -EINVAL;
	if (!line->span)
		return 0; /* the rest must be the standing line's, or nothing */
	if (line->span > CHRONOTICK_SPAN_MAX || line->growth > line->mult ||
	    !near((__uint128_t)line->mult * khz, (__uint128_t)1000000 << CHRONOTICK_MULT_SHIFT))
		return -EINVAL;
	lasts_ns = counts_ns(line->span, line->mult);
	if (lasts_ns > timeout_ns + timeout_ns / 100 || line->utc_ns < 0 ||
	    line->utc_ns > UTC_NS_MAX - (s64)lasts_ns)
		return -EINVAL;
	if (line->bound_ns < floor_ns ||
	    line->bound_ns < CHRONOTICK_BOUND_FLOOR_NS + (line->mult >> CHRONOTICK_MULT_SHIFT) ||
	    line->bound_ns + counts_ns(line->span, line->growth) > claim->max_bound_ns)
		return -EINVAL;
	return 0;
}

/* Do the lines say the same of the time? */
static bool lines_agree(const struct chronotick_clock *a, const struct chronotick_clock *b)
{
	return a->bound_ns == b->bound_ns && a->anchor == b->anchor && a->mult == b->mult &&
	       a->growth == b->growth && a->utc_ns == b->utc_ns && a->utc_frac == b->utc_frac;
}

/* Does the line go on where the standing one is, for whoever reads either of them now? */
static int check_join(const struct chronotick_clock *standing, const struct chronotick_clock *next,
		      u64 join, u64 now, u64 age)
{
	bool falls = next->mult < standing->mult;
	u64 ago = now - join;

	/* Farther apart, the product might wrap; and no promise reaches that far. */
	if (join - standing->anchor + CHRONOTICK_SPAN_MAX > 2 * CHRONOTICK_SPAN_MAX ||
	    line_utc(standing, join) != line_utc(next, join))
		return -EINVAL;
	if ((s64)ago < 0)
		return falls && -ago <= age ? 0 : -EINVAL;
	return falls || ago > age ? -ETIMEDOUT : 0;
}

int check_succession(const struct chronotick_clock *standing, const struct chronotick_clock *next,
		     u32 generation, u64 join, u64 now, u64 khz)
{
	const u64 age = CHRONOTICK_UPDATE_AGE_NS / 1000000 * khz;
	static const struct chronotick_clock none;
	u32 later = CHRONOTICK_STATE_GENERATION(next->state) - generation;
	u64 passed = now - next->anchor;

	if (later > 1)
		return -ESTALE;
	if (!next->span)
		return lines_agree(next, later ? &none : standing) ? 0 : -EINVAL;
	if ((s64)passed < 0)
		return -EINVAL;
	if (passed > age || passed > next->span)
		return -ETIMEDOUT;
	if (later || !standing->mult)
		return 0;
	return check_join(standing, next, join, now, age);
}

int check_record(const struct chronotick_record *record)
{
	/* Words that are doubles; of these offset_correction and drift_rate may be negative */
	static const u8 doubles[] = {0, 1, 2, 3, 4, 5, 6, 7, 11, 12};
	const u32 is_signed = BIT(3) | BIT(4);
	const u64 *words = (const u64 *)record;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(doubles); i++) {
		u64 bits = words[doubles[i]];

		if (is_signed & BIT(doubles[i]))
			bits &= ~F64_SIGN;
		if (bits >= F64_INFINITE)
			return -EINVAL;
	}
	if (record->valid_until < record->system_timestamp || record->confidence > F32_ONE ||
	    record->average_latency_ms >= F32_INFINITE || record->flags & ~FLAGS ||
	    record->source > CHRONOTICK_PHC || record->pad0 || record->reserved ||
	    memchr_inv(record->pad1, 0, sizeof(record->pad1)))
		return -EINVAL;
	return 0;
}
