/* SPDX-License-Identifier: MIT */
#include "engine/learnt_models.h"

#include <math.h>
#include <string.h>

#define RATE 0 /* of LEARNT_STATES; the coefficients follow */
#define DAY (1 + COVARIATE_COUNT)
/* What was known may not be worth more, as a logarithm: a few measurements can refute it. */
#define LEAD_MAX 6.0

/* A family's states in other terms: square, states = terms * states */
struct terms {
	double row[LEARNT_STATES][LEARNT_STATES];
};

static void terms_init(struct terms *terms)
{
	unsigned int i;

	memset(terms, 0, sizeof(*terms));
	for (i = 0; i < LEARNT_STATES; i++)
		terms->row[i][i] = 1;
}

/* The day begins seconds later: what was phase + angle is phase. */
static void terms_day(struct terms *terms, double seconds)
{
	double angle = 2 * M_PI * fmod(seconds, LONG_TERM_DAY_S) / LONG_TERM_DAY_S;

	terms->row[DAY][DAY] = cos(angle);
	terms->row[DAY][DAY + 1] = -sin(angle);
	terms->row[DAY + 1][DAY] = sin(angle);
	terms->row[DAY + 1][DAY + 1] = cos(angle);
}

/* In place, of mean and covariance */
static void terms_apply(const struct terms *terms, double *mean,
			double covariance[LEARNT_STATES][LEARNT_STATES])
{
	double x[LEARNT_STATES] = {0}, half[LEARNT_STATES][LEARNT_STATES] = {{0}};
	double whole[LEARNT_STATES][LEARNT_STATES] = {{0}};
	unsigned int i, j, k;

	for (i = 0; i < LEARNT_STATES; i++) {
		for (k = 0; k < LEARNT_STATES; k++) {
			x[i] += terms->row[i][k] * mean[k];
			for (j = 0; j < LEARNT_STATES; j++)
				half[i][j] += terms->row[i][k] * covariance[k][j];
		}
	}
	for (i = 0; i < LEARNT_STATES; i++)
		for (j = 0; j < LEARNT_STATES; j++)
			for (k = 0; k < LEARNT_STATES; k++)
				whole[i][j] += half[i][k] * terms->row[j][k];
	memcpy(mean, x, sizeof(x));
	memcpy(covariance, whole, sizeof(whole));
}

/* A member's states beside the offset; NOTHING has the rate alone. Variances are absolute. */
static void member_states(const struct bank_member *member, double scale, double *mean,
			  double covariance[LEARNT_STATES][LEARNT_STATES])
{
	const struct kalman *kalman = &member->kalman;
	unsigned int i, j, count = kalman->states - KALMAN_RATE;

	memset(mean, 0, LEARNT_STATES * sizeof(*mean));
	memset(covariance, 0, LEARNT_STATES * sizeof(*covariance));
	for (i = 0; i < count; i++) {
		mean[i] = kalman->x[KALMAN_RATE + i];
		for (j = 0; j < count; j++)
			covariance[i][j] = scale * kalman->p[KALMAN_RATE + i][KALMAN_RATE + j];
	}
}

static double likelihood_learnt(double likelihood, double best)
{
	return fmin(fmax(likelihood - best, LEARNT_LIKELIHOOD_LEAST), 0);
}

/* The mean of a family's members as one, by their likelihoods */
static void family_learnt(const struct bank *bank, const struct bank_member *members,
			  const struct terms *terms, struct learnt_family *ret)
{
	double mean[LONG_TERM_WALKS][LEARNT_STATES], all = 0, best = -HUGE_VAL;
	double covariance[LEARNT_STATES][LEARNT_STATES], weights[LONG_TERM_WALKS];
	unsigned int m, i, j;

	for (m = 0; m < LONG_TERM_WALKS; m++)
		best = fmax(best, members[m].likelihood);
	for (m = 0; m < LONG_TERM_WALKS; m++) {
		ret->members[m] = likelihood_learnt(members[m].likelihood, best);
		weights[m] = exp(ret->members[m]);
		all += weights[m];
	}
	for (m = 0; m < LONG_TERM_WALKS; m++) {
		weights[m] /= all;
		member_states(&members[m], bank_scale(bank, &members[m]), mean[m], covariance);
		terms_apply(terms, mean[m], covariance);
		for (i = 0; i < LEARNT_STATES; i++) {
			ret->mean[i] += weights[m] * mean[m][i];
			for (j = 0; j <= i; j++)
				ret->covariance[i * (i + 1) / 2 + j] +=
					weights[m] * covariance[i][j];
		}
	}
	for (m = 0; m < LONG_TERM_WALKS; m++)
		for (i = 0; i < LEARNT_STATES; i++)
			for (j = 0; j <= i; j++)
				ret->covariance[i * (i + 1) / 2 + j] +=
					weights[m] * (mean[m][i] - ret->mean[i]) *
					(mean[m][j] - ret->mean[j]);
}

void long_term_learnt(const struct long_term *model, int64_t now_ns, double rate_ns_s,
		      struct learnt *ret)
{
	const struct bank *bank = &model->bank;
	double best = -HUGE_VAL;
	struct terms terms;
	unsigned int i;

	if (!model->known && bank->measured < LONG_TERM_MEASURED_MIN)
		return;
	terms_init(&terms);
	terms_day(&terms, 1e-9 * (double)now_ns);
	for (i = 0; i < COVARIATE_COUNT; i++) {
		/* From now on inputs count from what they are: so does the rate. */
		terms.row[RATE][1 + i] = model->inputs[i].value;
		ret->known[i] = model->inputs[i].known;
		ret->value[i] = model->inputs[i].zero + model->inputs[i].value;
	}
	ret->long_term_inputs = LONG_TERM_INPUTS;
	ret->day_s = model->day_s;
	for (i = 0; i < bank->count; i++)
		ret->scale += bank->members[i].weight * bank_scale(bank, &bank->members[i]);
	for (i = 0; i < LONG_TERM_FAMILIES; i++)
		if (bank->families[i].share > 0)
			best = fmax(best, bank->families[i].likelihood);
	for (i = 0; i < LONG_TERM_FAMILIES; i++) {
		struct learnt_family *family = &ret->families[i];

		if (bank->families[i].share > 0)
			family->likelihood = likelihood_learnt(bank->families[i].likelihood, best);
		family_learnt(bank, &model->members[i * LONG_TERM_WALKS], &terms, family);
		family->mean[RATE] -= rate_ns_s;
	}
}

/* What was learnt of a family, as it is known age_ns later */
static void family_aged(const struct learnt_family *family, int64_t age_ns, double *mean,
			double covariance[LEARNT_STATES][LEARNT_STATES])
{
	double growth = 1 + (double)age_ns / (double)LEARNT_AGE_NS;
	struct terms terms;
	unsigned int i, j;

	memcpy(mean, family->mean, sizeof(family->mean));
	for (i = 0; i < LEARNT_STATES; i++) {
		for (j = 0; j <= i; j++) {
			covariance[i][j] = growth * family->covariance[i * (i + 1) / 2 + j];
			covariance[j][i] = covariance[i][j];
		}
	}
	terms_init(&terms);
	terms_day(&terms, 1e-9 * (double)age_ns); /* raw time begins with the run */
	terms_apply(&terms, mean, covariance);
}

static void member_know(struct bank_member *member, const double *mean,
			double covariance[LEARNT_STATES][LEARNT_STATES], double scale, double added)
{
	struct kalman *kalman = &member->kalman;
	unsigned int i, j, count = kalman->states - KALMAN_RATE;

	kalman->x[KALMAN_RATE] += mean[RATE];
	for (i = 0; i < count; i++) {
		if (i > RATE)
			kalman->x[KALMAN_RATE + i] = mean[i];
		for (j = 0; j < count; j++)
			kalman->p[KALMAN_RATE + i][KALMAN_RATE + j] = covariance[i][j] / scale;
	}
	kalman->p[KALMAN_RATE][KALMAN_RATE] += added;
}

void long_term_know(struct long_term *model, const struct learnt *learnt, int64_t age_ns,
		    bool same_oscillator)
{
	double kept = learnt_kept(age_ns, same_oscillator), scale = learnt->scale;
	double restart = same_oscillator ? 0 : LEARNT_RESTART_SD_NS_S;
	unsigned int i, m;

	if (kept <= 0)
		return;
	model->known = true;
	model->day_s = learnt->day_s;
	for (i = 0; i < COVARIATE_COUNT; i++) {
		model->inputs[i].known = learnt->known[i] != 0;
		model->inputs[i].zero = learnt->value[i];
	}
	for (i = 0; i < LONG_TERM_FAMILIES; i++) {
		const struct learnt_family *family = &learnt->families[i];
		double covariance[LEARNT_STATES][LEARNT_STATES], mean[LEARNT_STATES];

		family_aged(family, age_ns, mean, covariance);
		model->bank.families[i].likelihood = kept * fmax(family->likelihood, -LEAD_MAX);
		for (m = 0; m < LONG_TERM_WALKS; m++) {
			struct bank_member *member = &model->members[i * LONG_TERM_WALKS + m];
			double walked = member->noise.rate * 1e-9 * (double)age_ns;

			member->likelihood = kept * fmax(family->members[m], -LEAD_MAX);
			member_know(member, mean, covariance, scale,
				    walked + restart * restart / scale);
		}
	}
	if (model->day_s >= LONG_TERM_DAY_S)
		model->bank.families[LONG_TERM_TIME_OF_DAY].share = LONG_TERM_DAY_SHARE;
	bank_known(&model->bank, scale);
}
