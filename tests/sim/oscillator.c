/* SPDX-License-Identifier: MIT */
#include "oscillator.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/bound.h"

#define PS_PER_COUNT 400
#define DAY_S 86400.0
#define WANDER_EXCESS 0.005 /* of oscillator_wander(), beyond what is needed */
#define RATE_MAX 1e-3       /* of any oscillator that anybody simulates */

/*
 * Flicker FM is the sum of processes with one pole each, whose time constants are a factor of 4
 * apart and whose standard deviations are the same: then this is its Allan deviation, as the sum of
 * their spectra is near sd^2 / (ln 4 * f), and flicker FM of h / f has an Allan variance of 2 ln 2 * h.
 */
#define FLICKER_POLES 11 /* 1 s to 12 days */

double temperature_at(const struct temperature_config *config, double t_s)
{
	double ret = config->mean_c;

	if (config->day_k != 0)
		ret += config->day_k / 2 * sin(2 * M_PI * (t_s + config->day_phase_s) / DAY_S);
	if (config->sawtooth_k != 0)
		ret += config->sawtooth_k *
		       (fmod(t_s + config->sawtooth_phase_s, config->sawtooth_s) /
				config->sawtooth_s -
			0.5);
	return ret;
}

struct covariates temperature_read(const struct temperature_config *config, double t_s,
				   struct rng *rng)
{
	return (struct covariates){
		.present = 1U << COVARIATE_TEMPERATURE,
		.value[COVARIATE_TEMPERATURE] =
			temperature_at(config, t_s) + config->sensor_sd_k * rng_normal(rng),
	};
}

struct flicker {
	double state[FLICKER_POLES];
};

static void flicker_init(struct flicker *flicker, struct rng *rng)
{
	unsigned int i;

	for (i = 0; i < FLICKER_POLES; i++)
		flicker->state[i] = rng_normal(rng);
}

static double flicker_next(struct flicker *flicker, struct rng *rng)
{
	double sum = 0, tau_s = 1;
	unsigned int i;

	for (i = 0; i < FLICKER_POLES; i++, tau_s *= 4) {
		double keep = tau_s / (tau_s + 1);

		flicker->state[i] =
			keep * flicker->state[i] + sqrt(1 - keep * keep) * rng_normal(rng);
		sum += flicker->state[i];
	}
	return sum;
}

static double stepped(const struct oscillator_config *config, double t_s)
{
	double ret = 0;
	unsigned int i;

	for (i = 0; i < OSCILLATOR_STEPS_MAX; i++)
		if (config->steps[i].at_s > 0 && t_s >= config->steps[i].at_s)
			ret += config->steps[i].ppb;
	return ret;
}

int oscillator_init(struct oscillator *osc, const struct oscillator_config *config,
		    unsigned int seconds, struct rng *rng)
{
	double centre = config->rate_ppb, walk = 0, half = config->walk_ppb / 2;
	double slope = config->slope_ppb / 1100, turn = 0;
	struct flicker flicker;
	unsigned int i;

	osc->raw_ps = calloc(seconds + 2, sizeof(*osc->raw_ps));
	osc->rate = calloc(seconds + 2, sizeof(*osc->rate));
	osc->seconds = seconds;
	if (!osc->raw_ps || !osc->rate) {
		oscillator_clear(osc);
		return -ENOMEM;
	}
	if (config->flicker_ppb > 0)
		flicker_init(&flicker, rng);
	for (i = 0; i <= seconds; i++) {
		double ppb;

		walk += config->walk_step_ppb * rng_normal(rng);
		walk = walk > half ? half : walk < -half ? -half : walk;
		centre += slope + config->ageing_ppb_day / DAY_S;
		turn += 1;
		if (config->slope_turn_s > 0 && turn >= config->slope_turn_s) {
			slope = -slope;
			turn = 0;
		}
		ppb = centre + walk + stepped(config, i);
		if (config->white_ppb > 0)
			ppb += config->white_ppb * rng_normal(rng);
		if (config->flicker_ppb > 0)
			ppb += config->flicker_ppb * flicker_next(&flicker, rng);
		if (config->ppb_k != 0)
			ppb += config->ppb_k * (temperature_at(&config->temperature, i) -
						config->temperature.mean_c);
		osc->rate[i] = 1 / (1 + 1e-9 * ppb) - 1;
		osc->raw_ps[i + 1] =
			osc->raw_ps[i] + 1000000000000 + llrint(osc->rate[i] * 1000000000000);
	}
	return 0;
}

void oscillator_clear(struct oscillator *osc)
{
	free(osc->raw_ps);
	free(osc->rate);
	*osc = (struct oscillator){0};
}

uint64_t oscillator_counter(const struct oscillator *osc, int64_t true_ns)
{
	int64_t second = true_ns / 1000000000;
	int64_t rest_ps = true_ns % 1000000000 * 1000;
	int64_t raw_ps =
		osc->raw_ps[second] + rest_ps + llrint(osc->rate[second] * (double)rest_ps);

	return WORLD_COUNTER_BASE + (uint64_t)(raw_ps / PS_PER_COUNT);
}

void oscillator_timescale(struct timescale *ret)
{
	ret->base = WORLD_COUNTER_BASE;
	ret->mult = (uint64_t)(((__int128)PS_PER_COUNT << 54) / 1000);
}

/* Indices of values that no later one passes, in a window that slides over the seconds */
struct deque {
	unsigned int *index;
	unsigned int first, end;
};

static void deque_slide(struct deque *deque, const double *rate, double sign, unsigned int now,
			unsigned int width)
{
	while (deque->end > deque->first &&
	       sign * rate[deque->index[deque->end - 1]] <= sign * rate[now])
		deque->end--;
	deque->index[deque->end++] = now;
	while (deque->index[deque->first] + width < now)
		deque->first++;
}

/* Greatest difference of the rates of two seconds that are at most `apart` seconds apart */
static double greatest_change(const struct oscillator *osc, unsigned int apart,
			      struct deque *highest, struct deque *lowest)
{
	double most = 0;
	unsigned int i;

	highest->first = highest->end = lowest->first = lowest->end = 0;
	for (i = 0; i <= osc->seconds; i++) {
		deque_slide(highest, osc->rate, 1, i, apart);
		deque_slide(lowest, osc->rate, -1, i, apart);
		most = fmax(most, osc->rate[highest->index[highest->first]] -
					  osc->rate[lowest->index[lowest->first]]);
	}
	return most;
}

/* What oscillator_wander() works with: rates are raw time's, lags in seconds */
struct search {
	const struct oscillator *osc;
	struct deque highest, lowest;
	double window_s;
	double wander; /* that is known to be needed */
};

/*
 * Lags from `from` to `to` windows, all judged as the shortest of them; if that might need more than
 * is known to be needed, as two halves.
 */
static void search_lags(struct search *search, double from, double to)
{
	/* Instants in two seconds may be one second nearer than their indices. */
	double apart_s = to * search->window_s + 1;
	double change = greatest_change(search->osc,
					apart_s < search->osc->seconds ? (unsigned int)apart_s
								       : search->osc->seconds,
					&search->highest, &search->lowest);

	search->wander = fmax(search->wander, change / to);
	if (change / from <= search->wander)
		return;
	if (to / from < 1 + WANDER_EXCESS) {
		search->wander = change / from;
		return;
	}
	search_lags(search, from, sqrt(from * to));
	search_lags(search, sqrt(from * to), to);
}

double oscillator_wander(const struct oscillator *osc)
{
	struct search search = {
		.osc = osc,
		.highest.index = calloc(osc->seconds + 1, sizeof(unsigned int)),
		.lowest.index = calloc(osc->seconds + 1, sizeof(unsigned int)),
		.window_s = 1e-9 * (double)BOUND_WANDER_WINDOW_NS,
	};
	double lag, ret = -1;

	if (!search.highest.index || !search.lowest.index)
		goto out;
	search_lags(&search, 1, 1);
	for (lag = 1; lag * search.window_s < osc->seconds; lag *= 2)
		search_lags(&search, lag, 2 * lag);
	/* Raw time's rate differs from UTC's by the square of it. */
	ret = 1e9 * search.wander * (1 + RATE_MAX);
out:
	free(search.highest.index);
	free(search.lowest.index);
	return ret;
}
