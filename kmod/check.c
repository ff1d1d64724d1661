// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is what a writer asks for possible? What it says of the time is its own affair, but it can't make
 * time go back within a generation, nor tell a reader's arithmetic what it overflows on.
 *
 * There are no floating-point operations: that a double is finite and not negative, or not less
 * than another one, can be told from its bits.
 */
#include "chronotick.h"

#include <linux/moduleparam.h>
#include <linux/string.h>

#define F64_SIGN BIT_ULL(63)
#define F64_INFINITE 0x7ff0000000000000ULL
#define F32_INFINITE 0x7f800000U
#define F32_ONE 0x3f800000U

#define UTC_NS_MAX (S64_MAX / 2) /* in 2116: far from where a reader's sums overflow */

#define FLAGS (CHRONOTICK_FLAG_WARMUP_COMPLETE * 2 - 1) /* it is the last of them */

static unsigned int bound_floor_ns;
module_param(bound_floor_ns, uint, 0644);
MODULE_PARM_DESC(bound_floor_ns,
		 "Refuse lines whose half-width is less than this at their anchor (ns, default 0)");

/* Are they apart by no more than a hundredth of the second? */
static bool near(__uint128_t value, __uint128_t nominal)
{
	return (value > nominal ? value - nominal : nominal - value) * 100 <= nominal;
}

static bool between(u64 value, u64 least, u64 most)
{
	return value >= least && value <= most;
}

__uint128_t line_utc(const struct chronotick_clock *line, u64 counter)
{
	const unsigned int shift = 64 - CHRONOTICK_MULT_SHIFT;
	__uint128_t utc = (__uint128_t)line->utc_ns << 64 | line->utc_frac;

	return utc + ((__uint128_t)(__int128)(s64)(counter - line->anchor) << shift) * line->mult;
}

int check_claim(const struct chronotick_claim *claim)
{
	if (claim->flags & ~(CHRONOTICK_CLAIM_STANDBY | CHRONOTICK_CLAIM_WAIT) || claim->pad0 ||
	    claim->counter_kind != COUNTER_KIND || !between(claim->frequency_hz, 1, 1000) ||
	    !between(claim->writer_timeout_ms, 1, CHRONOTICK_GROWTH_NS / 1000000) ||
	    !between(claim->max_bound_ns, 1, U32_MAX) ||
	    !near(claim->counter_hz, counter_khz() * 1000))
		return -EINVAL;
	return 0;
}

static bool state_is_known(u64 state, bool trusted)
{
	u32 leap = CHRONOTICK_STATE_STATUS(state) & CHRONOTICK_LEAP_MASK;
	u32 status = CHRONOTICK_STATE_STATUS(state) - leap;
	u32 good = trusted ? BIT(CHRONOTICK_SYNCHRONIZED) | BIT(CHRONOTICK_HOLDOVER)
			   : BIT(CHRONOTICK_UNSYNCHRONIZED) | BIT(CHRONOTICK_WARMING_UP) |
				     BIT(CHRONOTICK_HOLDOVER);

	return leap != CHRONOTICK_LEAP_MASK && status < 32 && good & BIT(status);
}

/* The line by itself, by its writer's claim */
static int check_alone(const struct chronotick_clock *line, const struct chronotick_claim *claim)
{
	const u64 khz = counter_khz();

	if (!state_is_known(line->state, line->span))
		return -EINVAL;
	if (!line->span)
		return 0; /* the rest must be the standing line's, or nothing */
	if (line->span > CHRONOTICK_SPAN_MAX || line->growth > line->mult ||
	    line->span > claim->writer_timeout_ms * khz / 100 * 101 ||
	    !near((__uint128_t)line->mult * khz, (__uint128_t)1000000 << CHRONOTICK_MULT_SHIFT) ||
	    !between(line->utc_ns, 0, UTC_NS_MAX) || line->bound_ns < READ_ONCE(bound_floor_ns) ||
	    line->bound_ns < CHRONOTICK_BOUND_FLOOR_NS + (line->mult >> CHRONOTICK_MULT_SHIFT) ||
	    line->bound_ns + ((__uint128_t)line->span * line->growth >> CHRONOTICK_MULT_SHIFT) >
		    claim->max_bound_ns)
		return -EINVAL;
	return 0;
}

/* Do the lines say the same of the time? */
static bool lines_agree(const struct chronotick_clock *a, const struct chronotick_clock *b)
{
	return a->bound_ns == b->bound_ns && a->anchor == b->anchor && a->mult == b->mult &&
	       a->growth == b->growth && a->utc_ns == b->utc_ns && a->utc_frac == b->utc_frac;
}

int check_line(const struct chronotick_clock *next, const struct chronotick_clock *standing,
	       const struct chronotick_claim *claim, u32 generation, u64 join, u64 now)
{
	const u64 age = CHRONOTICK_UPDATE_AGE_NS / 1000000 * counter_khz();
	static const struct chronotick_clock none;
	u32 later = CHRONOTICK_STATE_GENERATION(next->state) - generation;
	u64 passed = now - next->anchor, ago = now - join;
	bool falls = next->mult < standing->mult;

	if (check_alone(next, claim) < 0)
		return -EINVAL;
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
	/*
	 * It goes on where the standing one is, for whoever reads either of them now. With a join
	 * farther from that one's anchor the product might wrap; and no promise reaches that far.
	 */
	if (join - standing->anchor + CHRONOTICK_SPAN_MAX > 2 * CHRONOTICK_SPAN_MAX ||
	    line_utc(standing, join) != line_utc(next, join))
		return -EINVAL;
	/* What an SMI right before the last store takes: no more than that part of it goes back. */
	if (falls && standing->mult - next->mult > standing->mult / CHRONOTICK_FALL_PART)
		return -EINVAL;
	if ((s64)ago < 0)
		return falls && -ago <= age ? 0 : -EINVAL;
	return falls || ago > age ? -ETIMEDOUT : 0;
}

static int check_record(const struct chronotick_record *record)
{
	/* Not negative: infinities and what is no number are greater than all others, as bits. */
	const u64 positive[] = {
		record->corrected_timestamp, record->system_timestamp,  record->prediction_time,
		record->offset_uncertainty,  record->drift_uncertainty, record->valid_until,
		record->last_ntp_sync,       record->daemon_uptime,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(positive); i++)
		if (positive[i] >= F64_INFINITE)
			return -EINVAL;
	if ((record->offset_correction & ~F64_SIGN) >= F64_INFINITE ||
	    (record->drift_rate & ~F64_SIGN) >= F64_INFINITE ||
	    record->valid_until < record->system_timestamp || record->confidence > F32_ONE ||
	    record->average_latency_ms >= F32_INFINITE || record->flags & ~FLAGS ||
	    record->source > CHRONOTICK_PHC || record->pad0 || record->reserved ||
	    memchr_inv(record->pad1, 0, sizeof(record->pad1)))
		return -EINVAL;
	return 0;
}

int check_update(const struct chronotick_update *update)
{
	if (update->flags & ~(CHRONOTICK_UPDATE_LINE | CHRONOTICK_UPDATE_RECORD) || update->pad0 ||
	    memchr_inv(update->pad1, 0, sizeof(update->pad1)))
		return -EINVAL;
	return update->flags & CHRONOTICK_UPDATE_RECORD ? check_record(&update->record) : 0;
}

int check_figures(struct chronotick_figures *figures)
{
	struct chronotick_source *source;

	if (figures->flags || figures->statistics.source_count > CHRONOTICK_SOURCES_MAX)
		return -EINVAL;
	for (source = figures->source; source < figures->source + CHRONOTICK_SOURCES_MAX; source++)
		source->name[sizeof(source->name) - 1] = '\0';
	return 0;
}
