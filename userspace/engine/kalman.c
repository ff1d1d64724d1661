/* SPDX-License-Identifier: MIT */
#include "engine/kalman.h"

#include <math.h>
#include <string.h>

/* What is left of a variance by less than this share is rounding. */
#define ROUNDING 1e-13

void kalman_init(struct kalman *kalman, unsigned int clock, unsigned int states, const double *sd)
{
	unsigned int i;

	memset(kalman, 0, sizeof(*kalman));
	kalman->clock = clock;
	kalman->states = states;
	for (i = 0; i < states; i++)
		kalman->p[i][i] = sd[i] * sd[i];
}

/* How each state adds to the offset, dt_s later */
static void offset_row(const struct kalman *kalman, double dt_s, const double *inputs, double *row)
{
	unsigned int i;

	row[KALMAN_OFFSET] = 1;
	if (kalman->clock > KALMAN_RATE)
		row[KALMAN_RATE] = dt_s;
	if (kalman->clock > KALMAN_DRIFT)
		row[KALMAN_DRIFT] = dt_s * dt_s / 2;
	for (i = kalman->clock; i < kalman->states; i++)
		row[i] = inputs[i - kalman->clock];
}

static double offset_noise(const struct kalman *kalman, double dt, const struct kalman_noise *noise)
{
	double variance = noise->offset * dt;

	if (kalman->clock > KALMAN_RATE)
		variance += noise->rate * dt * dt * dt / 3;
	if (kalman->clock > KALMAN_DRIFT)
		variance += noise->drift * dt * dt * dt * dt * dt / 20;
	return variance;
}

static double dot(const double *a, const double *b, unsigned int n)
{
	double sum = 0;
	unsigned int i;

	for (i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

static void noise_add(struct kalman *kalman, double dt, const struct kalman_noise *noise)
{
	double(*p)[KALMAN_STATES_MAX] = kalman->p;
	double dt2 = dt * dt, dt3 = dt2 * dt;

	p[KALMAN_OFFSET][KALMAN_OFFSET] += offset_noise(kalman, dt, noise);
	if (kalman->clock > KALMAN_RATE) {
		double drift = kalman->clock > KALMAN_DRIFT ? noise->drift : 0;
		double cross = noise->rate * dt2 / 2 + drift * dt2 * dt2 / 8;

		p[KALMAN_RATE][KALMAN_RATE] += noise->rate * dt + drift * dt3 / 3;
		p[KALMAN_OFFSET][KALMAN_RATE] += cross;
		p[KALMAN_RATE][KALMAN_OFFSET] += cross;
	}
	if (kalman->clock > KALMAN_DRIFT) {
		p[KALMAN_DRIFT][KALMAN_DRIFT] += noise->drift * dt;
		p[KALMAN_OFFSET][KALMAN_DRIFT] += noise->drift * dt3 / 6;
		p[KALMAN_DRIFT][KALMAN_OFFSET] += noise->drift * dt3 / 6;
		p[KALMAN_RATE][KALMAN_DRIFT] += noise->drift * dt2 / 2;
		p[KALMAN_DRIFT][KALMAN_RATE] += noise->drift * dt2 / 2;
	}
}

/* State `to` becomes the sum of all states, weighted with row. */
static void state_mix(struct kalman *kalman, unsigned int to, const double *row)
{
	double mixed[KALMAN_STATES_MAX], variance;
	unsigned int n = kalman->states, i;

	kalman->x[to] = dot(row, kalman->x, n);
	for (i = 0; i < n; i++)
		mixed[i] = dot(row, kalman->p[i], n);
	variance = dot(row, mixed, n);
	for (i = 0; i < n; i++) {
		kalman->p[to][i] = mixed[i];
		kalman->p[i][to] = mixed[i];
	}
	kalman->p[to][to] = fmax(variance, 0);
}

/*
 * Where a measurement says a great deal more than all before it, what is left of a variance is the
 * difference of numbers that are nearly the same, and may turn out below 0. Then the state is known
 * as well as can be told, and what it has in common with the others is not.
 */
static void rounding_mend(struct kalman *kalman, unsigned int state, double before)
{
	unsigned int i;

	if (kalman->p[state][state] >= ROUNDING * before)
		return;
	for (i = 0; i < kalman->states; i++) {
		kalman->p[state][i] = 0;
		kalman->p[i][state] = 0;
	}
	kalman->p[state][state] = ROUNDING * before;
}

void kalman_advance(struct kalman *kalman, double dt_s, const struct kalman_noise *noise,
		    const double *inputs)
{
	double row[KALMAN_STATES_MAX];

	/* The offset first: it takes the rate as it was. */
	offset_row(kalman, dt_s, inputs, row);
	state_mix(kalman, KALMAN_OFFSET, row);
	if (kalman->clock > KALMAN_DRIFT) {
		memset(row, 0, sizeof(row));
		row[KALMAN_RATE] = 1;
		row[KALMAN_DRIFT] = dt_s;
		state_mix(kalman, KALMAN_RATE, row);
	}
	noise_add(kalman, dt_s, noise);
}

double kalman_ahead(const struct kalman *kalman, double dt_s, const struct kalman_noise *noise,
		    const double *inputs, double *variance)
{
	double row[KALMAN_STATES_MAX], sum = 0;
	unsigned int n = kalman->states, i;

	offset_row(kalman, dt_s, inputs, row);
	for (i = 0; i < n; i++)
		sum += row[i] * dot(row, kalman->p[i], n);
	*variance = sum + offset_noise(kalman, dt_s, noise);
	return dot(row, kalman->x, n);
}

double kalman_covariance(const struct kalman *kalman, double from_s, double to_s,
			 const struct kalman_noise *noise)
{
	static const double none[KALMAN_STATES_MAX];
	double from[KALMAN_STATES_MAX], to[KALMAN_STATES_MAX], after = to_s - from_s;
	double t = from_s, t2 = t * t, sum = noise->offset * t;
	unsigned int n = kalman->states, i;

	offset_row(kalman, from_s, none, from);
	offset_row(kalman, to_s, none, to);
	for (i = 0; i < n; i++)
		sum += from[i] * dot(to, kalman->p[i], n);
	/* What came at u until from_s counts by (from_s - u) there and (to_s - u) at the end. */
	if (kalman->clock > KALMAN_RATE)
		sum += noise->rate * t2 * (t / 3 + after / 2);
	if (kalman->clock > KALMAN_DRIFT)
		sum += noise->drift * t2 * t * (t2 / 20 + after * t / 8 + after * after / 12);
	return sum;
}

struct kalman_innovation kalman_update(struct kalman *kalman, double y_ns, double variance,
				       double limit)
{
	struct kalman_innovation found = {
		.error = y_ns - kalman->x[KALMAN_OFFSET],
		.variance = kalman->p[KALMAN_OFFSET][KALMAN_OFFSET] + variance,
		.share = 1,
	};
	double far = fabs(found.error) / sqrt(found.variance);
	double column[KALMAN_STATES_MAX], before[KALMAN_STATES_MAX], inverse, left;
	unsigned int n = kalman->states, i, j;

	if (far > limit)
		found.share = limit / far;
	/* As if the measurement were so much vaguer: the innovation's variance over the share */
	inverse = found.share / found.variance;
	left = 1 - found.share + variance * inverse;
	for (i = 0; i < n; i++) {
		column[i] = kalman->p[i][KALMAN_OFFSET];
		before[i] = kalman->p[i][i];
	}
	for (i = 0; i < n; i++) {
		kalman->x[i] += column[i] * found.error * inverse;
		/* The same as below, but nothing cancels out where all that was known goes. */
		kalman->p[i][KALMAN_OFFSET] = column[i] * left;
		kalman->p[KALMAN_OFFSET][i] = kalman->p[i][KALMAN_OFFSET];
		for (j = 1; j <= i; j++) {
			kalman->p[i][j] -= column[i] * column[j] * inverse;
			kalman->p[j][i] = kalman->p[i][j];
		}
	}
	for (i = 1; i < n; i++)
		rounding_mend(kalman, i, before[i]);
	return found;
}

void kalman_correct(struct kalman *kalman, double error_ns, double variance, const double *gain)
{
	double known[KALMAN_STATES_MAX], own;
	unsigned int n = kalman->states, i, j;

	memcpy(known, kalman->p[KALMAN_OFFSET], sizeof(known));
	own = known[KALMAN_OFFSET];
	for (i = 0; i < n; i++) {
		kalman->x[i] += gain[i] * error_ns;
		for (j = 0; j < n; j++)
			kalman->p[i][j] += gain[i] * gain[j] * (own + variance) -
					   gain[i] * known[j] - known[i] * gain[j];
		kalman->p[i][i] = fmax(kalman->p[i][i], 0);
	}
	/* The same, but nothing cancels out where all that was known goes. */
	if (gain[KALMAN_OFFSET] != 1)
		return;
	for (i = 0; i < n; i++) {
		kalman->p[KALMAN_OFFSET][i] = gain[i] * variance;
		kalman->p[i][KALMAN_OFFSET] = gain[i] * variance;
	}
}
