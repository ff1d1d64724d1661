/* SPDX-License-Identifier: MIT */
/* What the short-term model finds out about clocks whose truth is known. */
#include <errno.h>
#include <math.h>

#include <criterion/criterion.h>

#include "engine/short_term.h"
#include "support/noise.h"

#define S 1000000000LL
#define BASE 1760000000000000000LL

static struct short_term model;
static double noise_ns;

static bool measure(int64_t t_s, double offset_ns)
{
	const struct measurement measurement = {
		.raw_ns = t_s * S,
		.offset_ns = BASE + llrint(offset_ns + noise_ns * noise()),
		.sd_ns = fmax(noise_ns, 1),
	};

	return short_term_measure(&model, &measurement);
}

static struct estimate estimate(int64_t t_s)
{
	struct estimate ret;

	cr_assert_eq(short_term_estimate(&model, t_s * S, 30 * S, &ret), 0);
	return ret;
}

/* How far the estimate for t_s is from offset_ns */
static double off(int64_t t_s, double offset_ns)
{
	struct estimate line = estimate(t_s);

	return estimate_offset(&line, t_s * S, BASE) - offset_ns;
}

static void setup(void)
{
	short_term_init(&model,
			&(struct short_term_prior){.rate_sd_ns_s = 30000, .disciplined = 0.5},
			RETRO_DRIFT_AWARE);
	noise_ns = 0;
}

TestSuite(short_term, .init = setup);

Test(short_term, before_the_first_measurement_it_knows_nothing)
{
	struct estimate ret;

	cr_assert_eq(short_term_estimate(&model, 0, S, &ret), -EAGAIN);
}

Test(short_term, a_straight_line_is_followed_exactly)
{
	int t;

	for (t = 0; t <= 640; t += 16)
		measure(t, 12345.0 * t);
	cr_assert_lt(fabs(off(700, 12345.0 * 700)), 2);
	cr_assert_float_eq(estimate(640).drift_ns_s, 12345, 0.1);
	cr_assert_lt(estimate(640).offset_sd_ns, 20, "%g", estimate(640).offset_sd_ns);
}

Test(short_term, a_drifting_rate_is_followed)
{
	int t;

	/* A rate that changes by 0.1 ns/s each second: a warming crystal */
	noise_ns = 10;
	for (t = 0; t <= 3200; t += 16)
		measure(t, 500.0 * t + 0.05 * t * t);
	cr_assert_float_eq(estimate(3200).drift_ns_s, 500 + 0.1 * 3215, 2);
	cr_assert_lt(fabs(off(3260, 500.0 * 3260 + 0.05 * 3260 * 3260)), 200);
}

Test(short_term, what_was_known_of_the_rate_counts_at_the_start)
{
	short_term_init(&model,
			&(struct short_term_prior){
				.rate_ns_s = 20000, .rate_sd_ns_s = 10, .disciplined = 0.5},
			RETRO_DRIFT_AWARE);
	measure(0, 0);
	cr_assert_float_eq(estimate(0).drift_ns_s, 20000, 1);
	noise_ns = 100;
	measure(64, 20000.0 * 64);
	measure(128, 20000.0 * 128);
	cr_assert_float_eq(estimate(128).drift_ns_s, 20000, 100);
}

/* Measurements are noise about a constant: the mean of many is far better than the last. */
Test(short_term, noise_is_averaged)
{
	double sum2 = 0;
	int t;

	noise_ns = 1e6;
	for (t = 0; t < 400 * 16; t += 16) {
		measure(t, 0);
		if (t >= 200 * 16)
			sum2 += off(t, 0) * off(t, 0);
	}
	cr_assert_lt(sqrt(sum2 / 200), 3e5);
	cr_assert_float_eq(short_term_noise(&model, 1e6), 1e6, 3e5);
}

/* Of 2000 errors of the estimate, about 68 % lie within its standard deviation. */
Test(short_term, its_standard_deviation_is_one)
{
	double offset = 0, rate = 7000;
	unsigned int within = 0, all = 0;
	int t;

	noise_ns = 1000;
	for (t = 0; t < 2500 * 16; t++) {
		offset += rate;
		rate += 3 * noise();
		if (t % 16)
			continue;
		measure(t + 1, offset);
		if (t >= 500 * 16) {
			all++;
			within += fabs(off(t + 1, offset)) < estimate(t + 1).offset_sd_ns;
		}
	}
	cr_assert(within > 0.6 * all && within < 0.85 * all, "%u of %u", within, all);
}

Test(short_term, a_step_is_followed_once_it_is_confirmed)
{
	unsigned int steps = 0;
	int t;

	noise_ns = 100;
	for (t = 0; t <= 6400; t += 16)
		cr_assert(!measure(t, 10.0 * t), "at %d", t);
	for (; t <= 6400 + 16 * SHORT_TERM_CONFIRM; t += 16) {
		cr_assert_lt(fabs(off(t, 10.0 * t)), 5000, "before it is confirmed");
		steps += measure(t, 1e6 + 10.0 * t);
	}
	cr_assert_eq(steps, 1);
	cr_assert_eq(model.steps, 1);
	for (; t <= 8000; t += 16)
		measure(t, 1e6 + 10.0 * t);
	cr_assert_lt(fabs(off(8000, 1e6 + 80000)), 200);
}

static int now_s;

/* Without noise, `count` measurements of a clock at 10 ns/s that is 1 ms off */
static void contradict(unsigned int count)
{
	noise_ns = 0;
	for (; count; now_s += 16, count--)
		short_term_measure(&model, &(struct measurement){
						   .raw_ns = now_s * S,
						   .offset_ns = BASE + 10 * now_s + 1000000,
						   .sd_ns = 100,
					   });
}

/* An hour of that clock as it should be; the last measurement is that of 3600. */
static void follow(enum retro_method method)
{
	short_term_init(&model, &(struct short_term_prior){.rate_sd_ns_s = 30000}, method);
	noise_ns = 100;
	for (now_s = 0; now_s <= 3600; now_s += 16)
		measure(now_s, 10.0 * now_s);
}

Test(short_term, it_goes_on_as_the_method_says)
{
	double rates[RETRO_METHODS], offsets[RETRO_METHODS];
	enum retro_method method;

	for (method = 0; method < RETRO_METHODS; method++) {
		follow(method);
		contradict(SHORT_TERM_CONFIRM);
		cr_assert_eq(model.steps, method != RETRO_NONE, "%s", retro_name(method));
		rates[method] = estimate(3664).drift_ns_s - 10;
		offsets[method] = off(3664, 36640);
	}
	/* 1e6 ns within the 64 s since 3600 */
	cr_assert_float_eq(rates[RETRO_LINEAR], 1e6 / 64, 10);
	cr_assert_float_eq(rates[RETRO_BACKTRACKING], 1e6 / 64, 10);
	cr_assert_float_eq(rates[RETRO_ADVANCE_ABSOLUTE], 0, 1);
	cr_assert_gt(rates[RETRO_DRIFT_AWARE], 10);
	cr_assert_lt(rates[RETRO_DRIFT_AWARE], 1e6 / 64 - 10);
	cr_assert_gt(rates[RETRO_ADVANCED], 10);
	cr_assert_gt(fabs(rates[RETRO_ADVANCED] - rates[RETRO_DRIFT_AWARE]), 10);
	cr_assert_lt(fabs(offsets[RETRO_NONE]), 2000);
	for (method = RETRO_NONE + 1; method < RETRO_METHODS; method++)
		cr_assert_float_eq(offsets[method], 1e6, 100, "%s", retro_name(method));
}

Test(short_term, the_outliers_before_a_confirmed_one_leave_nothing)
{
	static double rates[SHORT_TERM_MEMBERS];
	unsigned int i, moved = 0;

	follow(RETRO_ADVANCE_ABSOLUTE);
	for (i = 0; i < model.bank.count; i++)
		rates[i] = model.members[i].kalman.x[KALMAN_RATE];
	contradict(SHORT_TERM_CONFIRM - 1);
	for (i = 0; i < model.bank.count; i++)
		moved += fabs(model.members[i].kalman.x[KALMAN_RATE] - rates[i]) > 0.1;
	cr_assert_gt(moved, 0, "they are taken as outliers");
	contradict(1);
	for (i = 0; i < model.bank.count; i++)
		if (model.members[i].kalman.clock == 2)
			cr_assert_float_eq(model.members[i].kalman.x[KALMAN_RATE], rates[i], 1e-9);
}

Test(short_term, what_was_predicted_since_is_corrected)
{
	unsigned int i;

	follow(RETRO_LINEAR);
	contradict(SHORT_TERM_CONFIRM);
	cr_assert_eq(model.past.from_ns, 3600 * S);
	cr_assert_eq(model.past.to_ns, 3664 * S);
	cr_assert_float_eq(model.past.error_ns, 1e6, 100);
	for (i = 0; i < RETRO_POINTS; i++)
		cr_assert_float_eq(model.past.corrected[i] - model.past.predicted[i],
				   model.past.error_ns * i / (RETRO_POINTS - 1), 1e-3);
}

Test(short_term, single_outliers_are_no_step)
{
	int t, i = 0;

	noise_ns = 100;
	for (t = 0; t <= 6400; t += 16)
		cr_assert(!measure(t, ++i % 10 == 0 ? (i % 20 ? 1e7 : -1e7) : 0));
	cr_assert_lt(fabs(off(6400, 0)), 300);
	cr_assert_eq(model.steps, 0);
}

/* An oscillator whose rate walks by walk_ns_s a second is measured for a day, every 16 s. */
static double learnt_walk(double walk_ns_s)
{
	double offset_ns = 0, rate_ns_s = -4000, walk, slope;
	int64_t t_s;

	noise_ns = 1000;
	for (t_s = 0; t_s < 86400; t_s++) {
		if (t_s % 16 == 0)
			measure(t_s, offset_ns);
		offset_ns += rate_ns_s;
		rate_ns_s += walk_ns_s * noise();
	}
	short_term_wander(&model, &walk, &slope);
	cr_assert_lt(slope, 0.05);
	return walk;
}

/* The members are a factor of 3.2 apart. */
Test(short_term, the_oscillators_walk_is_found_out)
{
	double walk = learnt_walk(1);

	cr_assert_gt(walk, 0.7);
	cr_assert_lt(walk, 4);
}

Test(short_term, a_restless_oscillator_is_told_from_a_calm_one)
{
	double walk = learnt_walk(100);

	cr_assert_gt(walk, 70);
	cr_assert_lt(walk, 400);
}

Test(short_term, a_ramp_of_the_rate_is_a_slope)
{
	double walk, slope;
	int64_t t_s;

	noise_ns = 1000;
	for (t_s = 0; t_s < 20000; t_s += 16)
		measure(t_s, 0.5 * 2.0 * (double)(t_s * t_s)); /* 2 ns/s^2 */
	short_term_wander(&model, &walk, &slope);
	cr_assert_gt(slope, 1.5);
	cr_assert_lt(slope, 3);
}

Test(short_term, of_wander_nothing_is_known_before_the_second_measurement)
{
	double walk = 1, slope = 1;

	short_term_wander(&model, &walk, &slope);
	cr_assert_eq(walk, 0);
	cr_assert_eq(slope, 0);
	measure(0, 0);
	short_term_wander(&model, &walk, &slope);
	cr_assert_eq(walk, 0);
}

Test(short_term, a_leap_second_shifts_what_it_knows)
{
	double before;
	int t;

	for (t = 0; t <= 640; t += 16)
		measure(t, 100.0 * t);
	before = off(700, 0);
	short_term_shift(&model, -S);
	cr_assert_float_eq(off(700, 0), before - S, 1e-3);
}
