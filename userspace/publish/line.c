/* SPDX-License-Identifier: MIT */
#include "publish/line.h"

#include <string.h>

typedef unsigned __int128 u128;

#define BILLION 1000000000U
#define FRACTION 64 /* bits below a nanosecond */
#define SHIFT (FRACTION - CHRONOTICK_MULT_SHIFT)
/* Reads cut a fraction off the time and one off the half-width: a nanosecond each */
#define READ_ROUNDING_NS 2U

/* What a signed number of counts is worth, 2^-64 ns, modulo 2^128. */
static u128 run(uint64_t counts, uint64_t mult)
{
	return ((u128)(__int128)(int64_t)counts << SHIFT) * mult;
}

static u128 magnitude(__int128 value)
{
	return value < 0 ? -(u128)value : (u128)value;
}

static uint64_t difference(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t saturate(u128 value)
{
	return value > UINT64_MAX ? UINT64_MAX : (uint64_t)value;
}

static uint64_t part(uint64_t whole, uint64_t numerator, uint64_t denominator)
{
	return saturate((u128)whole * numerator / denominator);
}

/* Square root, rounded down. */
static uint64_t root(u128 square)
{
	uint64_t result = 0, bit;

	for (bit = 1ULL << 63; bit; bit >>= 1)
		if ((u128)(result | bit) * (result | bit) <= square)
			result |= bit;
	return result;
}

static __int128 best_utc(const struct correction *correction, uint64_t counter)
{
	return (__int128)((u128)correction->utc +
			  run(counter - correction->counter, correction->mult));
}

__int128 line_utc(const struct chronotick_clock *line, uint64_t counter)
{
	u128 utc = (u128)line->utc_ns << FRACTION | line->utc_frac;

	return (__int128)(utc + run(counter - line->anchor, line->mult));
}

bool line_is_set(const struct chronotick_clock *line)
{
	return line->mult != 0;
}

bool line_stands(const struct chronotick_clock *line, uint64_t counter)
{
	return line->span != 0 && counter - line->anchor <= line->span;
}

bool line_outdoes(const struct chronotick_clock *line, const struct correction *correction,
		  uint64_t counter)
{
	uint64_t passed = counter - line->anchor;
	u128 grown = ((u128)passed << SHIFT) * line->growth >> FRACTION;

	return line_stands(line, counter) && passed <= line->span / 2 &&
	       correction->bound.total_ns >= 0 &&
	       line->bound_ns + grown < (uint64_t)correction->bound.total_ns;
}

bool line_is_plausible(const struct chronotick_clock *line, uint64_t mult)
{
	return line->span <= CHRONOTICK_SPAN_MAX &&
	       difference(line->mult, mult) <= part(mult, LINE_RATE_PPM, 1000000);
}

/* Is the correction one that a line can be made of? */
static bool correction_is_usable(const struct correction *correction, uint64_t c0)
{
	int64_t age = (int64_t)(c0 - correction->counter);

	return correction->status >= CHRONOTICK_SYNCHRONIZED && correction->mult != 0 &&
	       correction->utc >= 0 && correction->bound.total_ns >= 0 &&
	       age <= (int64_t)CHRONOTICK_SPAN_MAX && age >= -(int64_t)CHRONOTICK_SPAN_MAX;
}

/* Can the next line join the one before, or must it jump? */
static bool line_continues(const struct line_config *config,
			   const struct chronotick_clock *previous, __int128 rest, uint64_t c0)
{
	if (c0 - previous->anchor > CHRONOTICK_SPAN_MAX)
		return false;
	return magnitude(rest) <= (u128)config->step_threshold_ns << FRACTION;
}

/*
 * The slope that takes the rest (best estimate - line, 2^-64 ns) away in about `settle` counts.
 * A fast line takes many publications to slow down again, each by max_fall_ppb: so it is never
 * faster than lets it come to rest at the estimate, v^2 = 2 a s, with half of that a.
 */
static uint64_t slope_choose(const struct line_config *config,
			     const struct chronotick_clock *previous,
			     const struct correction *correction, __int128 rest)
{
	uint64_t best = correction->mult;
	uint64_t most = part(best, config->max_slew_ppb, BILLION);
	uint64_t fall = part(best, config->max_fall_ppb, BILLION);
	uint64_t least = previous->mult - part(previous->mult, config->max_fall_ppb, BILLION);
	u128 distance = magnitude(rest) >> SHIFT;
	uint64_t change = lesser(saturate(distance / config->settle), most);
	uint64_t slope;

	if (rest < 0) {
		slope = best > change ? best - change : 1;
	} else {
		change = lesser(change, root((u128)saturate(distance / config->period) * fall));
		slope = best + lesser(change, UINT64_MAX - best);
	}
	return slope < least ? least : slope;
}

/*
 * The terms of the line's bound: the correction's, `aged` and `rest` (2^-64 ns) of them drift up to
 * the anchor and a slew's remainder, the counter's step, and what is left, which is rounding.
 */
static void line_terms(struct bound_terms *terms, const struct bound *bound, u128 aged, u128 rest,
		       const struct line_config *config, uint32_t bound_ns)
{
	*terms = (struct bound_terms){
		.root_delay_ns = bound->root_delay_ns,
		.root_dispersion_ns = bound->root_ns - bound->root_delay_ns,
		.delay_ns = bound->delay_ns,
		.dispersion_ns = bound->dispersion_ns - bound->stamps_ns,
		.stamps_ns = bound->stamps_ns,
		.ageing_ns = bound->ageing_ns + (int64_t)(aged >> FRACTION),
		.disagreement_ns = bound->disagreement_ns,
		.slew_ns = (int64_t)(rest >> FRACTION),
		.step_ns = config->step_ns,
	};
	terms->rounding_ns = bound_ns - bound_terms_sum(terms);
}

/* Bound, growth and span of a line through utc at the anchor; false: it can't be trusted. */
static bool line_trust(struct line *line, const struct line_config *config,
		       const struct correction *correction, u128 utc)
{
	struct chronotick_clock *clock = &line->clock;
	uint64_t away = correction->counter - clock->anchor;
	uint64_t growth = correction->bound.growth;
	__int128 rest = (__int128)(utc - (u128)best_utc(correction, clock->anchor));
	uint64_t room, most = config->max_bound_ns < 0 ? 0 : (uint64_t)config->max_bound_ns;
	u128 bound, aged;
	int64_t end = correction->leap_ns;

	if ((int64_t)away < 0)
		away = -away;
	most = lesser(most, UINT32_MAX);
	aged = ((u128)away << SHIFT) * growth;
	if (magnitude(rest) >> FRACTION > most || aged >> FRACTION > most ||
	    (uint64_t)correction->bound.total_ns > most)
		return false;
	bound = aged + ((u128)correction->bound.total_ns << FRACTION) + magnitude(rest);
	bound = ((bound + UINT64_MAX) >> FRACTION) + READ_ROUNDING_NS + config->step_ns;
	if (bound > most)
		return false;
	clock->bound_ns = (uint32_t)bound;
	line_terms(&line->terms, &correction->bound, aged, magnitude(rest), config,
		   clock->bound_ns);
	clock->growth = saturate((u128)growth + difference(clock->mult, correction->mult));
	clock->span = lesser(config->span, CHRONOTICK_SPAN_MAX);
	room = most - clock->bound_ns;
	if (clock->growth)
		clock->span = lesser(clock->span, saturate(((u128)room << CHRONOTICK_MULT_SHIFT) /
							   clock->growth));
	if (end) {
		/* The whole interval must lie before the leap second. */
		end -= (int64_t)(clock->bound_ns +
				 (((u128)clock->span << SHIFT) * clock->growth >> FRACTION));
		if (end <= clock->utc_ns)
			return false;
		clock->span = lesser(clock->span, saturate((((u128)end << FRACTION) - utc - 1) /
							   ((u128)clock->mult << SHIFT)));
	}
	return clock->span != 0;
}

static void state_set(struct chronotick_clock *clock, const struct correction *correction,
		      uint32_t generation, unsigned int status)
{
	status |= (unsigned int)correction->leap << CHRONOTICK_LEAP_SHIFT & CHRONOTICK_LEAP_MASK;
	clock->state = CHRONOTICK_STATE(generation, status, correction->tai_offset_s);
}

/* No time to be trusted: the line before, for show, with span 0. */
static void line_distrust(struct line *ret, const struct chronotick_clock *previous,
			  uint32_t generation, const struct correction *correction)
{
	unsigned int status = correction->status;

	memset(ret, 0, sizeof(*ret));
	if (previous)
		ret->clock = *previous;
	ret->clock.seq = 0;
	ret->clock.span = 0;
	if (status == CHRONOTICK_SYNCHRONIZED)
		status = CHRONOTICK_WARMING_UP; /* the bound is too wide as yet */
	state_set(&ret->clock, correction, generation, status);
}

void line_next(struct line *ret, const struct line_config *config,
	       const struct chronotick_clock *previous, uint32_t generation,
	       const struct correction *correction, uint64_t c0, uint64_t window,
	       enum line_slope slope)
{
	struct chronotick_clock *clock = &ret->clock;
	uint64_t join = c0 - config->early;
	__int128 rest;
	u128 utc;

	if (previous && !line_is_set(previous))
		previous = NULL;
	if (!correction_is_usable(correction, c0)) {
		line_distrust(ret, previous, generation, correction);
		return;
	}
	memset(ret, 0, sizeof(*ret));
	clock->anchor = c0 - config->lead;
	if (previous) {
		rest = (__int128)((u128)best_utc(correction, c0) - (u128)line_utc(previous, c0));
		ret->new_generation = !line_continues(config, previous, rest, c0);
	}
	if (!previous || ret->new_generation) {
		clock->mult = correction->mult;
		utc = (u128)best_utc(correction, clock->anchor);
	} else {
		clock->mult = slope == LINE_KEEP ? previous->mult
						 : slope_choose(config, previous, correction, rest);
		ret->falling = clock->mult < previous->mult;
		if (ret->falling)
			join = c0 + window;
		ret->join = join;
		utc = (u128)line_utc(previous, join) - run(join - clock->anchor, clock->mult);
	}
	clock->utc_ns = (int64_t)(utc >> FRACTION);
	clock->utc_frac = (uint64_t)utc;
	ret->trusted = line_trust(ret, config, correction, utc);
	if (!ret->trusted) {
		line_distrust(ret, previous, generation, correction);
		return;
	}
	state_set(clock, correction, generation + ret->new_generation, correction->status);
}
