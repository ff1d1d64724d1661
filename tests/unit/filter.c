/* SPDX-License-Identifier: MIT */
/* The filter's interval, rate and line, on samples with known answers. */
#include <math.h>

#include <criterion/criterion.h>

#include "engine/filter.h"

#define SECOND 1000000000LL
#define OFFSET 1760000000123456789LL /* too large for a double to tell its last 8 bits */

static const struct filter_limits limits = {
	.max_drift = (int64_t)(100e-6 * 0x1p50),
	.wander.steady = (int64_t)(1e-6 * 0x1p50),
	.wander_least = (int64_t)(1e-6 * 0x1p50),
};
static struct filter filter;

static enum filter_verdict add(int64_t raw_ns, int64_t offset_ns, int64_t delay_ns)
{
	const struct sample sample = {
		.offset_ns = offset_ns,
		.delay_ns = delay_ns,
		.dispersion_ns = 100,
		.root_delay_ns = 200,
		.root_dispersion_ns = 50,
		.stratum = 1,
	};

	return filter_add(&filter, &sample, raw_ns, &limits);
}

static double ppm(int64_t rate)
{
	return (double)rate * 0x1p-50 * 1e6;
}

static const struct fit_prior unknown;

Test(fit, recovers_a_straight_line)
{
	struct fit_point points[20];
	struct fit fit;
	int i;

	for (i = 0; i < 20; i++)
		points[i] = (struct fit_point){-i * 3.0, 1000.0 - i * 3.0 * 42.5, 10.0 + i % 7};
	fit_line(&fit, points, 20, &unknown);
	cr_assert_float_eq(fit.offset_ns, 1000.0, 1e-9);
	cr_assert_float_eq(fit.rate_ns_s, 42.5, 1e-9);
	cr_assert_float_eq(fit_value(&fit, 10), 1425.0, 1e-9);
}

/* Two points: the textbook variances */
Test(fit, states_its_errors)
{
	const struct fit_point points[] = {{0, 0, 3}, {-10, 0, 4}};
	struct fit fit;

	fit_line(&fit, points, 2, &unknown);
	cr_assert_float_eq(fit.var_offset, 9, 1e-9);
	cr_assert_float_eq(fit.var_rate, 25.0 / 100, 1e-9);
	cr_assert_float_eq(fit_sd(&fit, -10), 4, 1e-9);
}

Test(fit, one_point_has_the_rate_of_the_prior)
{
	const struct fit_point point = {0, 5, 3};
	const struct fit_prior prior = {7, 20};
	struct fit fit;

	fit_line(&fit, &point, 1, &prior);
	cr_assert_float_eq(fit.offset_ns, 5, 1e-9);
	cr_assert_float_eq(fit.rate_ns_s, 7, 1e-9);
	cr_assert_float_eq(sqrt(fit.var_rate), 20, 1e-9);
}

/* The rate changes 20 s ago: the window closes around the newer part. */
Test(fit, leaves_out_what_one_line_cannot_explain)
{
	struct fit_point points[64];
	struct fit fit;
	int i;

	for (i = 0; i < 64; i++) {
		points[i] =
			(struct fit_point){-i, i <= 20 ? -i * 100.0 : -2000 + (i - 20) * 100.0, 20};
		points[i].y_ns += i % 2 ? 10 : -10;
	}
	fit_window(&fit, points, 64, &unknown);
	cr_assert_leq(fit.count, 28);
	cr_assert_float_eq(fit.offset_ns, 0, 40);
	fit_line(&fit, points, 64, &unknown);
	cr_assert_gt(fabs(fit.offset_ns), 400);
}

Test(filter, one_sample_is_its_own_interval)
{
	struct filter_interval interval;

	add(0, OFFSET, 1001);
	interval = filter_interval(&filter, 0, &limits);
	cr_assert_eq(interval.offset.lo, OFFSET - 501 - 100 - 100 - 50);
	cr_assert_eq(interval.offset.hi, OFFSET + 501 + 100 + 100 + 50);
	cr_assert_eq(interval.distance_ns, 751);

	/* Ten seconds later: 100 ppm to either side, rounded outwards */
	interval = filter_interval(&filter, 10 * SECOND, &limits);
	cr_assert_geq(interval.offset.hi - OFFSET, 751 + 1000000 - 1);
	cr_assert_leq(interval.offset.hi - OFFSET, 751 + 1000000 + 1);
	cr_assert_geq(OFFSET - interval.offset.lo, 751 + 1000000 - 1);
}

Test(filter, keeps_nanoseconds_at_todays_offsets)
{
	int i;

	/* 20 ppm, exact to the nanosecond */
	for (i = 0; i < 64; i++)
		add(i * SECOND, OFFSET + i * 20000, 1000);
	cr_assert_float_eq(filter_estimate(&filter, 63 * SECOND, OFFSET + 63 * 20000), 0, 0.01);
	cr_assert_float_eq(filter_estimate(&filter, 64 * SECOND, OFFSET + 64 * 20000), 0, 0.02);
	cr_assert_float_eq(filter.fit.rate_ns_s, 20000, 0.01);
	cr_assert_eq(filter.fit.count, 64);
}

Test(filter, prefers_the_shortest_delay_until_it_is_old)
{
	struct filter_interval interval;

	add(0 * SECOND, OFFSET, 1000);
	add(10 * SECOND, OFFSET, 4000000);
	interval = filter_interval(&filter, 10 * SECOND, &limits);
	cr_assert_eq(interval.best->raw_ns, 0);
	/* 2 ms are better than 67 ppm of 30 s. */
	add(30 * SECOND, OFFSET, 4000000);
	interval = filter_interval(&filter, 30 * SECOND, &limits);
	cr_assert_eq(interval.best->raw_ns, 30 * SECOND);
}

Test(filter, a_delay_spike_hardly_moves_the_line)
{
	int i;

	for (i = 0; i < 20; i++) {
		if (i == 15)
			add(i * SECOND, OFFSET + 1000000, 2020000); /* all of it on one way */
		else
			add(i * SECOND, OFFSET + (i % 2 ? 100 : -100), 20000 + (i % 3) * 400);
	}
	cr_assert_float_eq(filter_estimate(&filter, 19 * SECOND, OFFSET), 0, 150);
}

/* Each pair bounds the mean rate in between; the wander is added. */
Test(filter, pairs_bound_the_rate)
{
	struct rate_interval rate;

	add(0, OFFSET, 19500); /* error 10,000 ns */
	add(10 * SECOND, OFFSET + 100000, 19500);
	rate = filter_rate(&filter, 10 * SECOND, &limits);
	/* 10 ppm +- 20 us / 10 s, +- 1 ppm and 1 ppm * 10 s / 1,100 s of wander */
	cr_assert_float_eq(ppm(rate.lo), 10 - 2 - 1 - 0.0091, 0.001);
	cr_assert_float_eq(ppm(rate.hi), 10 + 2 + 1 + 0.0091, 0.001);

	add(100 * SECOND, OFFSET + 1000000, 19500);
	rate = filter_rate(&filter, 100 * SECOND, &limits);
	cr_assert_float_eq(ppm(rate.lo), 10 - 0.2 - 1 - 0.091, 0.001);
	cr_assert_float_eq(ppm(rate.hi), 10 + 0.2 + 1 + 0.091, 0.001);
}

/* ... less for what was than for what is to come: within 1,100 s the wander is 1 ppm. */
Test(filter, a_sample_ages_by_the_wander_until_now)
{
	struct filter_interval interval;

	add(0, OFFSET, 19500); /* error 10,000 ns */
	add(100 * SECOND, OFFSET + 1000000, 19500);
	interval = filter_interval(&filter, 1000 * SECOND, &limits);
	/* 10 us and 900 s of 0.2 + 1 ppm */
	cr_assert_float_eq((double)interval.distance_ns, 1090000, 1000);
	/* 0.2 + 2.9 ppm, over all of 2,900 s since the first */
	interval = filter_interval(&filter, 3200 * SECOND, &limits);
	cr_assert_float_eq((double)interval.distance_ns, 10000 + 3100e3 * (0.2 + 2.9104), 5000);
}

/* The ring is over after a minute; pairs of a quarter of an hour say twenty times as much. */
Test(filter, at_short_polls_the_rate_is_known_from_long_pairs)
{
	struct filter_interval interval;
	int i;

	for (i = 0; i <= 1300; i++)
		add(i * SECOND, OFFSET + i * 20000, 19999500); /* 20 ppm; error 10 ms */
	cr_assert_eq(filter.count, FILTER_SAMPLES);
	cr_assert_eq(filter.anchor_count, FILTER_ANCHORS);
	interval = filter_interval(&filter, 1400 * SECOND, &limits);
	/* 10 ms, and 100 s of 20 ms / 1,100 s + 1.1 ppm; 100 ppm by the ring alone */
	cr_assert_float_eq((double)interval.distance_ns, 10e6 + 100e9 * (18.2e-6 + 1.1e-6), 2e5);
}

Test(filter, anchors_are_the_best_of_their_time_and_go_with_the_ring)
{
	int i;

	for (i = 0; i < 300; i++)
		add(i * SECOND, OFFSET, i % 7 ? 100000 : 20000);
	cr_assert_gt(filter.anchor_count, 2);
	for (i = 0; i < (int)filter.anchor_count - 1; i++)
		cr_assert_eq(filter.anchors[i].sample.delay_ns, 20000);
	filter_shift(&filter, SECOND);
	cr_assert_eq(filter.anchors[0].sample.offset_ns, OFFSET + SECOND);
	for (i = 300; i < 310; i++)
		add(i * SECOND, OFFSET + 900 * SECOND, 20000);
	cr_assert_eq(filter.anchor_count, 0);
}

Test(filter, at_long_polls_the_ring_is_long_enough)
{
	int i;

	for (i = 0; i < 200; i++)
		add(i * 64 * SECOND, OFFSET, 20000);
	cr_assert_eq(filter.anchor_count, 0);
}

/* A walk counts where it is more than the steady wander: 3 ppm in 900 s, 6 ppm in 3600 s. */
Test(filter, the_wander_is_the_greater_of_two)
{
	struct wander wander = {
		.steady = limits.wander.steady,
		.walk = 1e-7 * 0x1p50 / sqrt(1e9),
	};

	cr_assert_float_eq(ppm(rate_wander(&wander, 25 * SECOND)), 1, 1e-6);
	cr_assert_float_eq(ppm(rate_wander(&wander, 900 * SECOND)), 3, 1e-6);
	cr_assert_float_eq(ppm(rate_wander(&wander, 3600 * SECOND)), 6, 1e-6);
	wander.walk = 0;
	cr_assert_float_eq(ppm(rate_wander(&wander, 900 * SECOND)), 1, 1e-6);
	cr_assert_float_eq(ppm(rate_wander(&wander, 3600 * SECOND)), 3600 / 1099.5, 1e-3);
	wander.walk = 0x1p50;
	cr_assert_eq(rate_wander(&wander, 3600 * SECOND), RATE_ONE);
}

Test(filter, the_oscillators_limit_bounds_the_rate_at_first)
{
	struct rate_interval rate;

	add(0, OFFSET, 1000);
	rate = filter_rate(&filter, 0, &limits);
	cr_assert_eq(rate.lo, -limits.max_drift);
	cr_assert_eq(rate.hi, limits.max_drift);
}

Test(filter, sets_a_single_contradiction_aside)
{
	int i;

	for (i = 0; i < 10; i++)
		add(i * SECOND, OFFSET, 1000);
	add(10 * SECOND, OFFSET + 50000000, 1000);
	cr_assert_eq(filter.pending_count, 1);
	cr_assert_eq(filter.count, 10);
	add(11 * SECOND, OFFSET, 1000);
	cr_assert_eq(filter.pending_count, 0);
	cr_assert_eq(filter.count, 11);
	cr_assert_float_eq(filter_estimate(&filter, 11 * SECOND, OFFSET), 0, 1);
}

Test(filter, follows_a_confirmed_step)
{
	int i;

	for (i = 0; i < 10; i++)
		add(i * SECOND, OFFSET, 1000);
	for (i = 10; i < 10 + FILTER_CONFIRM; i++) {
		cr_assert_eq(filter.count, 10);
		add(i * SECOND, OFFSET + 50000000, 1000);
	}
	cr_assert_eq(filter.pending_count, 0);
	cr_assert_eq(filter.count, FILTER_CONFIRM);
	cr_assert_float_eq(filter_estimate(&filter, 13 * SECOND, OFFSET + 50000000), 0, 1);
}

/* Within the offset's limits, but no rate of the oscillator explains it */
Test(filter, sees_a_contradiction_in_the_rate)
{
	int i;

	for (i = 0; i < 10; i++)
		add(i * 100 * SECOND, OFFSET, 1000);
	add(901 * SECOND, OFFSET + 4000, 1000);
	cr_assert_eq(filter.pending_count, 1);
}

/* 40 exchanges of 20 ms that err by 10 us or so; the last one at 39 s */
static void calm(void)
{
	int i;

	for (i = 0; i < 40; i++)
		cr_assert_eq(add(i * SECOND, OFFSET + (i % 5 - 2) * 5000, 20000000 + i % 3 * 20000),
			     FILTER_TAKEN);
}

/* Well within its error, which is 10 ms, and yet it cannot be right */
Test(filter, sets_an_outlier_aside)
{
	calm();
	cr_assert_eq(add(40 * SECOND, OFFSET + 3000000, 20000000), FILTER_MAD);
	cr_assert_eq(filter.count, 40);
	cr_assert_eq(filter.contradicting, 0);
	cr_assert_eq(add(41 * SECOND, OFFSET - 3000000, 20000000), FILTER_MAD);
	cr_assert_eq(filter.pending_count, 2);
	cr_assert_eq(add(42 * SECOND, OFFSET, 20000000), FILTER_TAKEN);
	cr_assert_eq(filter.pending_count, 0);
	cr_assert_eq(filter.count, 41);
	cr_assert_float_eq(filter_estimate(&filter, 42 * SECOND, OFFSET), 0, 10000);
}

/* What it waited explains it. */
Test(filter, a_slow_exchange_is_no_outlier)
{
	calm();
	cr_assert_eq(add(40 * SECOND, OFFSET + 3000000, 26000000), FILTER_TAKEN);
}

/* A line through those that waited on one way says little of one that did not. */
Test(filter, the_first_quick_exchange_is_no_outlier)
{
	int i;

	for (i = 0; i < 40; i++)
		add(i * SECOND, OFFSET + 2000000 + i % 3 * 5000, 24000000 + i % 3 * 10000);
	cr_assert_eq(add(40 * SECOND, OFFSET, 20000000), FILTER_TAKEN);
	cr_assert_eq(add(41 * SECOND, OFFSET, 24000000), FILTER_TAKEN);
}

/* Hardware saw the truth; user space is 20 us late, and its stamps may be, as its sender knows. */
Test(filter, well_stamped_samples_outweigh_badly_stamped_ones)
{
	struct sample sample = {.delay_ns = 20000, .stratum = 1};
	struct filter_interval interval;
	int i;

	for (i = 0; i < 32; i++) {
		bool hardware = i % 4 == 0;

		sample.offset_ns = OFFSET + (hardware ? i % 3 * 20 : 20000 + i % 3 * 500);
		sample.stamps_ns = hardware ? 50 : 20000;
		sample.dispersion_ns = sample.stamps_ns + 100;
		filter_add(&filter, &sample, i * SECOND, &limits);
	}
	cr_assert_float_eq(filter_estimate(&filter, 31 * SECOND, OFFSET), 0, 100);
	interval = filter_interval(&filter, 31 * SECOND, &limits);
	cr_assert_eq(interval.best->sample.stamps_ns, 50);
	cr_assert_gt(filter_sample_sd(&filter, filter_entry_at(&filter, 0)),
		     50 * filter_sample_sd(&filter, filter_entry_at(&filter, 3)));
}

/* All wait on the way there, up to 6 ms, so that the offset is too large by half of it. */
Test(filter, corrects_what_waits_on_one_way)
{
	const struct filter_entry *newest;
	struct filter_interval interval;
	int i;

	for (i = 0; i < 40; i++)
		add(i * SECOND, OFFSET + i * 20 + (1 + i * 5 % 7) * 500000,
		    20000000 + (1 + i * 5 % 7) * 1000000);
	newest = filter_newest(&filter);
	cr_assert_float_eq(filter.asymmetry.share, 0.5, 1e-3);
	/* The quickest one waited 1 ms: that nobody can know. */
	cr_assert_float_eq(filter_estimate(&filter, 39 * SECOND, OFFSET), 39 * 20 + 500000, 1000);
	cr_assert_float_eq(filter_sample_excess(&filter, newest),
			   (double)(newest->sample.delay_ns - 21000000) / 2, 10000);
	cr_assert_lt(filter_sample_sd(&filter, newest), 10000);
	/* The interval is what the quickest one says, as ever. */
	interval = filter_interval(&filter, 39 * SECOND, &limits);
	cr_assert_eq(interval.best->sample.delay_ns, 21000000);
	cr_assert_eq(interval.best->error_ns, 10500250);
	/* One that waits on the way back is an outlier among them. */
	cr_assert_neq(add(40 * SECOND, OFFSET + 800 - 1500000, 23000000), FILTER_TAKEN);
}

/* A step within the intervals passes with the fourth sample, and all four of them. */
Test(filter, follows_a_step_of_outliers)
{
	int i;

	calm();
	for (i = 0; i < FILTER_CONFIRM - 1; i++)
		cr_assert_eq(add((40 + i) * SECOND, OFFSET + 3000000, 20000000), FILTER_MAD);
	cr_assert_eq(filter.count, 40);
	cr_assert_eq(add(43 * SECOND, OFFSET + 3000000, 20000000), FILTER_CONFIRMED);
	cr_assert_eq(filter.pending_count, 0);
	/* None contradicts the ring: it stays, and so does what it bounds. */
	cr_assert_eq(filter.count, 40 + FILTER_CONFIRM);
	for (i = 44; i < 60; i++)
		cr_assert_eq(add(i * SECOND, OFFSET + 3000000, 20000000), FILTER_TAKEN);
	cr_assert_float_eq(filter_estimate(&filter, 59 * SECOND, OFFSET + 3000000), 0, 100000);
}

/* On both sides they confirm nothing, until that much noise is usual. */
Test(filter, noise_is_no_step)
{
	enum filter_verdict verdict = FILTER_MAD;
	int i;

	calm();
	for (i = 40; i < 46; i++)
		cr_assert_eq(add(i * SECOND, OFFSET + (i % 2 ? 1 : -1) * 3000000, 20000000),
			     FILTER_MAD);
	cr_assert_eq(filter.count, 40);
	for (; i < 200 && verdict != FILTER_TAKEN; i++)
		verdict = add(i * SECOND, OFFSET + (i % 2 ? 1 : -1) * 3000000, 20000000);
	cr_assert_eq(verdict, FILTER_TAKEN);
	cr_assert_geq(i, 40 + OUTLIER_WINDOW / 2);
}

/* 990 ppb are within the wander of 1 ppm: no sample of it is lost. */
Test(filter, a_change_of_the_rate_is_no_outlier)
{
	int i, turned;

	for (i = 0; i < 80; i++) {
		turned = i > 40 ? (i - 40) * 16 * 990 : 0;
		cr_assert_eq(
			add(i * 16 * SECOND, OFFSET + turned + i % 2 * 300, 1000 + i % 3 * 300),
			FILTER_TAKEN, "sample %d", i);
	}
}

Test(filter, garbage_never_settles)
{
	uint64_t state = 1;
	int i, settled = 0;

	for (i = 0; i < 1000; i++) {
		state = state * 6364136223846793005ULL + 1442695040888963407ULL;
		add(i * SECOND, OFFSET + (int64_t)(state >> 34), 1000);
		cr_assert_lt(filter.pending_count, FILTER_CONFIRM);
		settled += i > 10 && filter.contradicting < 2;
	}
	cr_assert_leq(settled, 20);
}
