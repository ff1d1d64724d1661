/* SPDX-License-Identifier: MIT */
#include "engine/retro.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define OFFSET_MAX_NS 0x1p62

/* A contradiction as one filter sees it; times from t0 */
struct contradiction {
	const struct kalman *before; /* the state of t0 */
	const struct kalman_noise *noise;
	const struct retro_error *error;
	double error_ns;    /* e */
	double residual_ns; /* a */
};

/* s: the share of the drift */
static double drift_share(const struct kalman *before, double span_s)
{
	double offset, drift;

	if (before->clock <= KALMAN_RATE)
		return 0;
	offset = before->p[KALMAN_OFFSET][KALMAN_OFFSET];
	drift = span_s * span_s * before->p[KALMAN_RATE][KALMAN_RATE];
	return drift > 0 ? drift / (offset + drift) : 0;
}

/* n, with C(t1, t1) in `variance` */
static double noise_factor(const struct retro_error *error, double error_ns, double variance)
{
	double found = error_ns * error_ns / error->scale - error->variance;

	return variance > 0 ? fmax(found / variance, 1) : 1;
}

static double none_at(const struct contradiction *c, double after_s)
{
	(void)c, (void)after_s;
	return 0;
}

static double linear_at(const struct contradiction *c, double after_s)
{
	return c->error_ns * after_s / c->error->span_s;
}

static double drift_aware_at(const struct contradiction *c, double after_s)
{
	double s = drift_share(c->before, c->error->span_s);

	return c->error_ns * ((1 - s) + s * after_s / c->error->span_s);
}

static double advanced_at(const struct contradiction *c, double after_s)
{
	double span_s = c->error->span_s;
	double variance = kalman_covariance(c->before, span_s, span_s, c->noise);
	double n = noise_factor(c->error, c->error_ns, variance);

	return c->error_ns * kalman_covariance(c->before, after_s, span_s, c->noise) /
	       (variance + c->error->variance / n);
}

static double advance_absolute_at(const struct contradiction *c, double after_s)
{
	(void)after_s;
	return c->error_ns;
}

static double backtracking_at(const struct contradiction *c, double after_s)
{
	return c->residual_ns + (c->error_ns - c->residual_ns) * after_s / c->error->span_s;
}

/* All of the error goes to the offset, and the share s of it to the rate. */
static void shared_move(const struct contradiction *c, struct kalman *kalman, double s)
{
	double gain[KALMAN_STATES_MAX] = {[KALMAN_OFFSET] = 1}, rate_ns_s;

	if (kalman->clock <= KALMAN_RATE || s == 0) {
		kalman_correct(kalman, c->error_ns, c->error->variance, gain);
		return;
	}
	gain[KALMAN_RATE] = s / c->error->span_s;
	kalman_correct(kalman, c->error_ns, c->error->variance, gain);
	rate_ns_s = c->error_ns / c->error->span_s;
	kalman->p[KALMAN_RATE][KALMAN_RATE] +=
		s * (1 - s) * rate_ns_s * rate_ns_s / c->error->scale;
}

static void none_move(const struct contradiction *c, struct kalman *kalman)
{
	(void)c, (void)kalman;
}

static void linear_move(const struct contradiction *c, struct kalman *kalman)
{
	shared_move(c, kalman, 1);
}

static void drift_aware_move(const struct contradiction *c, struct kalman *kalman)
{
	shared_move(c, kalman, drift_share(c->before, c->error->span_s));
}

static void advance_absolute_move(const struct contradiction *c, struct kalman *kalman)
{
	shared_move(c, kalman, 0);
}

static void advanced_move(const struct contradiction *c, struct kalman *kalman)
{
	double n = noise_factor(c->error, c->error_ns, kalman->p[KALMAN_OFFSET][KALMAN_OFFSET]);
	unsigned int i, j;

	for (i = 0; i < kalman->states; i++)
		for (j = 0; j < kalman->states; j++)
			kalman->p[i][j] *= n;
	kalman_update(kalman, c->error->measured_ns, c->error->variance, HUGE_VAL);
}

/* Offset and rate are those of the line; what the state knew of them is gone. */
static void backtracking_move(const struct contradiction *c, struct kalman *kalman)
{
	const struct retro_error *error = c->error;
	double(*p)[KALMAN_STATES_MAX] = kalman->p;
	unsigned int line = kalman->clock > KALMAN_RATE ? 2 : 1, i, j;

	for (i = 0; i < line; i++) {
		for (j = 0; j < kalman->states; j++) {
			p[i][j] = 0;
			p[j][i] = 0;
		}
	}
	kalman->x[KALMAN_OFFSET] += c->error_ns;
	p[KALMAN_OFFSET][KALMAN_OFFSET] = error->variance;
	if (line == 1)
		return;
	kalman->x[KALMAN_RATE] += (c->error_ns - c->residual_ns) / error->span_s;
	p[KALMAN_OFFSET][KALMAN_RATE] = error->variance / error->span_s;
	p[KALMAN_RATE][KALMAN_OFFSET] = p[KALMAN_OFFSET][KALMAN_RATE];
	p[KALMAN_RATE][KALMAN_RATE] =
		(error->variance + error->agreed_variance) / (error->span_s * error->span_s);
}

static const struct method {
	const char *name;
	double (*at)(const struct contradiction *c, double after_s);
	void (*move)(const struct contradiction *c, struct kalman *kalman);
} methods[RETRO_METHODS] = {
	[RETRO_NONE] = {"none", none_at, none_move},
	[RETRO_LINEAR] = {"linear", linear_at, linear_move},
	[RETRO_DRIFT_AWARE] = {"drift_aware", drift_aware_at, drift_aware_move},
	[RETRO_ADVANCED] = {"advanced", advanced_at, advanced_move},
	[RETRO_ADVANCE_ABSOLUTE] = {"advance_absolute", advance_absolute_at, advance_absolute_move},
	[RETRO_BACKTRACKING] = {"backtracking", backtracking_at, backtracking_move},
};

static const struct method *method_of(enum retro_method method, const struct retro_error *error)
{
	if (error->span_s <= 0 && method != RETRO_NONE)
		method = RETRO_ADVANCE_ABSOLUTE;
	return &methods[method];
}

/* y0's distance from what the state says of t0, which lies since_s - span_s after it */
static double residual(const struct kalman *before, const struct retro_error *error)
{
	double rate_ns_s = before->clock > KALMAN_RATE ? before->x[KALMAN_RATE] : 0;

	return error->agreed_ns - before->x[KALMAN_OFFSET] -
	       rate_ns_s * (error->since_s - error->span_s);
}

double retro_correction(enum retro_method method, const struct kalman *kalman,
			const struct kalman_noise *noise, const struct retro_error *error,
			double after_s)
{
	static const double none[KALMAN_STATES_MAX];
	double variance;
	struct contradiction c = {
		.before = kalman,
		.noise = noise,
		.error = error,
		.residual_ns = residual(kalman, error),
	};

	c.error_ns =
		error->measured_ns - kalman_ahead(kalman, error->since_s, noise, none, &variance);
	return method_of(method, error)->at(&c, after_s);
}

void retro_move(enum retro_method method, struct kalman *kalman, const struct kalman_noise *noise,
		const double *inputs, const struct retro_error *error)
{
	struct kalman before = *kalman;
	struct contradiction c = {
		.before = &before,
		.noise = noise,
		.error = error,
		.residual_ns = residual(&before, error),
	};

	kalman_advance(kalman, error->since_s, noise, inputs);
	c.error_ns = error->measured_ns - kalman->x[KALMAN_OFFSET];
	method_of(method, error)->move(&c, kalman);
}

const char *retro_name(enum retro_method method)
{
	return method < RETRO_METHODS ? methods[method].name : "unknown";
}

int retro_past_at(const struct retro_past *past, int64_t raw_ns, int64_t *ret)
{
	double at, offset_ns;
	unsigned int i;

	if (raw_ns < past->from_ns || raw_ns > past->to_ns || past->from_ns == past->to_ns)
		return -ENODATA;
	at = (double)(raw_ns - past->from_ns) / (double)(past->to_ns - past->from_ns) *
	     (RETRO_POINTS - 1);
	i = (unsigned int)at;
	if (i > RETRO_POINTS - 2)
		i = RETRO_POINTS - 2;
	offset_ns = past->corrected[i] + (at - i) * (past->corrected[i + 1] - past->corrected[i]);
	if (!(fabs(offset_ns) < OFFSET_MAX_NS) ||
	    __builtin_add_overflow(past->reference_ns, llrint(offset_ns), ret))
		return -ERANGE;
	return 0;
}
