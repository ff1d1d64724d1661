/* SPDX-License-Identifier: MIT */
#include "engine/long_term.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* The bank takes the mean of what was measured in so long: a model of hours needs no more. */
#define TOGETHER_NS 16000000000LL
/* Random walks of the rate, ns/s after a second */
#define WALK_LEAST 3e-3
#define WALK_FACTOR 3.16227766
/* What is kept of likelihoods at each measurement: hours count. */
#define KEPT 0.999
/* Nothing is said while that anything matters is not as sure. */
#define SURE 0.8
/* No covariate moves by more of its units. */
#define INPUT_MAX 1000.0

/* What is a usual change of each, and how much it may move the rate: ns/s for that, one sd */
static const struct {
	double unit;
	double sd_ns_s;
} scales[COVARIATE_COUNT] = {
	[COVARIATE_TEMPERATURE] = {1, 100},
	[COVARIATE_CPU_FREQUENCY] = {1000, 50},
	[COVARIATE_CPU_LOAD] = {1, 50},
	[COVARIATE_MEMORY] = {1, 50},
};
#define DAY_SD_NS_S 100.0

/* How likely each supposition is beforehand; the time of day comes in after a day. */
static const double shares[LONG_TERM_FAMILIES] = {0.6, 0.25, 0.15, 0};

/* Does a supposition use the input? */
static bool uses(unsigned int family, unsigned int input)
{
	switch (family) {
	case LONG_TERM_TEMPERATURE:
		return input == COVARIATE_TEMPERATURE;
	case LONG_TERM_COVARIATES:
		return input < COVARIATE_COUNT;
	case LONG_TERM_TIME_OF_DAY:
		return input == COVARIATE_TEMPERATURE || input >= COVARIATE_COUNT;
	default:
		return false;
	}
}

void long_term_init(struct long_term *model, double rate_ns_s, double rate_sd_ns_s)
{
	struct bank_member *member = model->members;
	unsigned int family, i;

	memset(model, 0, sizeof(*model));
	for (family = 0; family < LONG_TERM_FAMILIES; family++) {
		double sd[2 + LONG_TERM_INPUTS] = {0, rate_sd_ns_s}, walk = WALK_LEAST;

		for (i = 0; i < LONG_TERM_INPUTS; i++)
			if (uses(family, i))
				sd[2 + i] = i < COVARIATE_COUNT ? scales[i].sd_ns_s : DAY_SD_NS_S;
		for (i = 0; i < LONG_TERM_WALKS; i++, walk *= WALK_FACTOR) {
			*member = (struct bank_member){
				.noise.rate = walk * walk, .share = 1, .family = family};
			/* Without a use for the inputs it need not have their states. */
			kalman_init(&member->kalman, 2,
				    family == LONG_TERM_NOTHING ? 2 : 2 + LONG_TERM_INPUTS, sd);
			member->kalman.x[KALMAN_RATE] = rate_ns_s;
			member++;
		}
	}
	bank_init(&model->bank, model->members, LONG_TERM_FAMILIES * LONG_TERM_WALKS);
	for (family = 0; family < LONG_TERM_FAMILIES; family++)
		model->bank.families[family] =
			(struct bank_family){.share = shares[family], .temper = 1};
	model->bank.member_kept = KEPT;
	model->bank.family_kept = KEPT;
}

static double seconds(int64_t ns)
{
	return 1e-9 * (double)ns;
}

void long_term_covariates(struct long_term *model, int64_t raw_ns,
			  const struct covariates *covariates)
{
	double dt_s = model->has_covariates ? seconds(raw_ns - model->covariates_ns) : 0;
	unsigned int i;

	if (dt_s < 0)
		return;
	for (i = 0; i < COVARIATE_COUNT; i++) {
		struct long_term_input *input = &model->inputs[i];
		double before = input->value, value = covariates->value[i] / scales[i].unit;

		if (covariates->present & (1U << i) && isfinite(value)) {
			if (!input->known) {
				input->known = true;
				input->zero = value;
			}
			input->value = fmin(fmax(value - input->zero, -INPUT_MAX), INPUT_MAX);
		}
		input->integral += dt_s * (before + input->value) / 2;
	}
	model->covariates_ns = raw_ns;
	model->has_covariates = true;
}

/* The inputs' integrals up to raw time now_ns: since the latest reading they are as they were. */
static void integrals_at(const struct long_term *model, int64_t now_ns, double *ret)
{
	double since_s = model->has_covariates ? seconds(now_ns - model->covariates_ns) : 0;
	double phase = 2 * M_PI * fmod(seconds(now_ns), LONG_TERM_DAY_S) / LONG_TERM_DAY_S;
	unsigned int i;

	for (i = 0; i < COVARIATE_COUNT; i++)
		ret[i] = model->inputs[i].integral + since_s * model->inputs[i].value;
	ret[COVARIATE_COUNT] = -LONG_TERM_DAY_S / (2 * M_PI) * cos(phase);
	ret[COVARIATE_COUNT + 1] = LONG_TERM_DAY_S / (2 * M_PI) * sin(phase);
}

/* Let the bank have what was measured since it was, together. */
static void bank_give(struct long_term *model)
{
	double mean_s = model->time_s / model->weight, inputs[LONG_TERM_INPUTS];
	double dt_s = model->bank.measured ? mean_s - model->bank_s : 0;
	unsigned int i;

	for (i = 0; i < LONG_TERM_INPUTS; i++) {
		double integral = model->integrals[i] / model->weight;

		inputs[i] = model->bank.measured ? integral - model->bank_integrals[i] : 0;
		model->bank_integrals[i] = integral;
	}
	bank_update(&model->bank, fmax(dt_s, 0), inputs, model->offset / model->weight,
		    1 / sqrt(model->weight));
	model->bank_s = mean_s;
	model->weight = 0;
	model->day_s += dt_s;
	if (model->day_s >= LONG_TERM_DAY_S &&
	    model->bank.families[LONG_TERM_TIME_OF_DAY].share == 0)
		bank_family_admit(&model->bank, LONG_TERM_TIME_OF_DAY, LONG_TERM_DAY_SHARE);
}

void long_term_measure(struct long_term *model, const struct measurement *measurement)
{
	double weight = 1 / (measurement->sd_ns * measurement->sd_ns);
	double integrals[LONG_TERM_INPUTS];
	unsigned int i;

	if (model->bank.measured == 0 && model->weight == 0) {
		model->reference_ns = measurement->offset_ns;
		model->origin_ns = measurement->raw_ns;
	}
	if (model->weight > 0 && measurement->raw_ns - model->first_ns >= TOGETHER_NS)
		bank_give(model);
	if (model->weight == 0) {
		model->offset = 0;
		model->time_s = 0;
		memset(model->integrals, 0, sizeof(model->integrals));
		model->first_ns = measurement->raw_ns;
	}
	integrals_at(model, measurement->raw_ns, integrals);
	model->weight += weight;
	model->offset += weight * (double)(measurement->offset_ns - model->reference_ns);
	model->time_s += weight * seconds(measurement->raw_ns - model->origin_ns);
	for (i = 0; i < LONG_TERM_INPUTS; i++)
		model->integrals[i] += weight * integrals[i];
}

void long_term_contradict(struct long_term *model, enum retro_method method,
			  const struct measurement *measurement, const struct measurement *agreed)
{
	double inputs[LONG_TERM_INPUTS], now_s;
	struct bank_contradiction contradiction = {
		.inputs = inputs,
		.measured_ns = (double)(measurement->offset_ns - model->reference_ns),
		.measured_sd_ns = measurement->sd_ns,
		.agreed_sd_ns = measurement->sd_ns,
	};
	unsigned int i;

	model->weight = 0;
	if (model->bank.measured == 0) {
		long_term_measure(model, measurement);
		return;
	}
	now_s = seconds(measurement->raw_ns - model->origin_ns);
	integrals_at(model, measurement->raw_ns, inputs);
	for (i = 0; i < LONG_TERM_INPUTS; i++) {
		double integral = inputs[i];

		inputs[i] -= model->bank_integrals[i];
		model->bank_integrals[i] = integral;
	}
	contradiction.since_s = fmax(now_s - model->bank_s, 0);
	if (agreed) {
		contradiction.span_s = seconds(measurement->raw_ns - agreed->raw_ns);
		contradiction.agreed_ns = (double)(agreed->offset_ns - model->reference_ns);
		contradiction.agreed_sd_ns = agreed->sd_ns;
	}
	bank_contradict(&model->bank, method, &contradiction);
	model->bank_s = now_s;
}

double long_term_weight(const struct long_term *model, enum long_term_family family)
{
	return model->bank.measured ? model->bank.families[family].weight : 0;
}

int long_term_estimate(const struct long_term *model, int64_t now_ns, int64_t horizon_ns,
		       struct estimate *ret)
{
	double inputs[LONG_TERM_INPUTS], ahead[LONG_TERM_INPUTS];
	double horizon_s = seconds(horizon_ns), dt_s;
	struct bank_state now, then;
	unsigned int i;

	if (model->bank.measured < (model->known ? LONG_TERM_AGAIN : LONG_TERM_MEASURED_MIN) ||
	    long_term_weight(model, LONG_TERM_NOTHING) > 1 - SURE)
		return -EAGAIN;
	dt_s = fmax(seconds(now_ns - model->origin_ns) - model->bank_s, 0);
	integrals_at(model, now_ns, inputs);
	integrals_at(model, now_ns + horizon_ns, ahead);
	for (i = 0; i < LONG_TERM_INPUTS; i++) {
		inputs[i] -= model->bank_integrals[i];
		ahead[i] -= model->bank_integrals[i];
	}
	bank_ahead(&model->bank, dt_s, inputs, &now);
	bank_ahead(&model->bank, dt_s + horizon_s, ahead, &then);
	*ret = bank_line(&now, &then, horizon_s);
	ret->at_ns = now_ns;
	ret->reference_ns = model->reference_ns;
	return 0;
}

double long_term_coefficient(const struct long_term *model, enum covariate covariate, double *sd)
{
	double mean = 0, square = 0, weight = 0;
	unsigned int i;

	for (i = 0; i < model->bank.count; i++) {
		const struct bank_member *member = &model->members[i];
		double value, variance;

		if (!uses(member->family, covariate))
			continue;
		value = member->kalman.x[2 + covariate];
		variance = member->kalman.p[2 + covariate][2 + covariate] *
			   bank_scale(&model->bank, member);
		weight += member->weight;
		mean += member->weight * value;
		square += member->weight * (value * value + variance);
	}
	*sd = 0;
	if (model->bank.measured == 0 || weight <= 0)
		return 0;
	mean /= weight;
	*sd = sqrt(fmax(square / weight - mean * mean, 0));
	return mean;
}

void long_term_shift(struct long_term *model, int64_t shift_ns)
{
	model->reference_ns += shift_ns;
}
