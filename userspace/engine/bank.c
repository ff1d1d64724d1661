/* SPDX-License-Identifier: MIT */
#include "engine/bank.h"

#include <limits.h>
#include <math.h>

/* Errors beyond so many standard deviations have no more influence than they have there. */
#define LIMIT_SD 1.5
/* What errors cut off there are short of in their squares, for normal errors: 1 / 0.78 */
#define LIMIT_SHORT 1.285
/* Beyond so many, an error is gross. */
#define GROSS_SD 5.0
/* What is kept at each measurement: of the scale, and unless told otherwise of the likelihoods */
#define SCALE_KEPT 0.98
#define MEMBER_KEPT 0.98
#define FAMILY_KEPT 0.995
#define EVIDENCE_KEPT 0.998
/* What is always left of a family's share, so that it can come back */
#define FAMILY_LEAST 1e-12
/* The first measurement's own error counts as much as so many measured ones, in the scale. */
#define SCALE_FIRST 2

void bank_init(struct bank *bank, struct bank_member *members, unsigned int count)
{
	*bank = (struct bank){.members = members,
			      .count = count,
			      .member_kept = MEMBER_KEPT,
			      .family_kept = FAMILY_KEPT,
			      .scale_first = 1};
}

double bank_scale(const struct bank *bank, const struct bank_member *member)
{
	return member->scale_sum / bank->scale_count;
}

static double member_variance(const struct bank *bank, const struct bank_member *member,
			      double sd_ns)
{
	return member->equal ? bank->usual_variance : sd_ns * sd_ns;
}

/* The noise that drives a member, as far as it is told relative to measurements */
static struct kalman_noise member_noise(const struct bank *bank, const struct bank_member *member)
{
	struct kalman_noise noise = member->noise;

	if (member->relative)
		noise.offset *= bank->usual_variance;
	return noise;
}

/*
 * Student's t with nu degrees of freedom, without the terms that all members have in common. One
 * gross error must not say more of the noise than a few bad ones.
 */
static double likelihood(double z2, double variance, double nu)
{
	return -0.5 * log(variance) - 0.5 * (nu + 1) * log1p(fmin(z2, GROSS_SD * GROSS_SD) / nu);
}

/*
 * A family's likelihood is that of the mean of its members, as they were weighted before: what it
 * foretold. `densities` are logarithms, of each member.
 */
static void families_judge(struct bank *bank, const double *densities)
{
	double best = -HUGE_VAL, sum[BANK_FAMILIES] = {0};
	unsigned int i;

	for (i = 0; i < bank->count; i++)
		best = fmax(best, densities[i]);
	for (i = 0; i < bank->count; i++) {
		const struct bank_member *member = &bank->members[i];

		sum[member->family] += member->weight * exp(densities[i] - best);
	}
	for (i = 0; i < BANK_FAMILIES; i++) {
		struct bank_family *family = &bank->families[i];

		if (family->weight > 0)
			family->likelihood = bank->family_kept * family->likelihood + best +
					     log(sum[i] / family->weight);
	}
}

/* What all together make of a measurement's variance: of those that go by it, and of the others */
static void noise_set(struct bank *bank)
{
	unsigned int i;

	bank->noise_variance = 0;
	bank->noise_share = 0;
	for (i = 0; i < bank->count; i++) {
		const struct bank_member *member = &bank->members[i];
		double scale = member->weight * bank_scale(bank, member);

		if (member->equal)
			bank->noise_variance += scale * bank->usual_variance;
		else
			bank->noise_share += scale;
	}
}

/* Each family's members among themselves, then the families */
static void weights_set(struct bank *bank)
{
	double best[BANK_FAMILIES], sum[BANK_FAMILIES] = {0}, best_family = -HUGE_VAL, all = 0;
	unsigned int i;

	for (i = 0; i < BANK_FAMILIES; i++) {
		best[i] = -HUGE_VAL;
		if (bank->families[i].share > 0)
			best_family = fmax(best_family, bank->families[i].likelihood);
	}
	for (i = 0; i < bank->count; i++)
		best[bank->members[i].family] =
			fmax(best[bank->members[i].family], bank->members[i].likelihood);
	for (i = 0; i < bank->count; i++) {
		struct bank_member *member = &bank->members[i];

		member->weight = member->share * exp(bank->families[member->family].temper *
						     (member->likelihood - best[member->family]));
		sum[member->family] += member->weight;
	}
	for (i = 0; i < BANK_FAMILIES; i++) {
		struct bank_family *family = &bank->families[i];

		if (family->share > 0)
			family->weight = family->share *
					 fmax(exp(family->likelihood - best_family), FAMILY_LEAST);
		all += family->weight;
	}
	for (i = 0; i < BANK_FAMILIES; i++)
		bank->families[i].weight /= all;
	for (i = 0; i < bank->count; i++) {
		struct bank_member *member = &bank->members[i];

		member->weight *= bank->families[member->family].weight / sum[member->family];
	}
	noise_set(bank);
}

void bank_known(struct bank *bank, double scale)
{
	unsigned int i;

	bank->scale_first = scale;
	bank->scale_count = SCALE_FIRST;
	for (i = 0; i < bank->count; i++)
		bank->members[i].scale_sum = SCALE_FIRST * scale;
	weights_set(bank);
}

static void bank_begin(struct bank *bank, double y_ns, double sd_ns)
{
	double variance = sd_ns * sd_ns;
	unsigned int i;

	bank->log_variance = 2 * log(sd_ns);
	bank->usual_variance = variance;
	for (i = 0; i < bank->count; i++) {
		struct bank_member *member = &bank->members[i];

		member->kalman.x[KALMAN_OFFSET] = y_ns;
		member->kalman.p[KALMAN_OFFSET][KALMAN_OFFSET] =
			fmax(variance, variance / bank->scale_first);
		member->evidence = 0;
	}
	bank_known(bank, bank->scale_first);
}

/*
 * In standard deviations of the innovation. Where the state is vaguer than the measurement, a large
 * one speaks against the state.
 */
static double limit(const struct kalman *kalman, double variance)
{
	double vague = kalman->p[KALMAN_OFFSET][KALMAN_OFFSET] / variance;

	return vague > 1 ? LIMIT_SD * sqrt(vague) : LIMIT_SD;
}

void bank_update(struct bank *bank, double dt_s, const double *inputs, double y_ns, double sd_ns)
{
	double densities[BANK_MEMBERS_MAX], share;
	unsigned int i;

	if (bank->measured < UINT_MAX)
		bank->measured++;
	if (bank->measured == 1) {
		bank_begin(bank, y_ns, sd_ns);
		return;
	}
	/* The first one, which nothing was to be compared with, does not count. */
	share = fmax(1 - SCALE_KEPT, 1.0 / (bank->measured - 1));
	bank->log_variance += share * (2 * log(sd_ns) - bank->log_variance);
	bank->usual_variance = exp(bank->log_variance);
	for (i = 0; i < bank->count; i++) {
		struct bank_member *member = &bank->members[i];
		struct kalman_noise noise = member_noise(bank, member);
		double scale = bank_scale(bank, member), z2;
		double variance = member_variance(bank, member, sd_ns);
		struct kalman_innovation found;

		kalman_advance(&member->kalman, dt_s, &noise, inputs);
		found = kalman_update(&member->kalman, y_ns, variance,
				      limit(&member->kalman, variance) * sqrt(scale));
		z2 = found.error * found.error / (found.variance * scale);
		densities[i] = likelihood(z2, found.variance * scale, 2 * bank->scale_count);
		member->likelihood = bank->member_kept * member->likelihood + densities[i];
		member->evidence = EVIDENCE_KEPT * member->evidence + densities[i];
		member->scale_sum = SCALE_KEPT * member->scale_sum +
				    LIMIT_SHORT * scale * fmin(z2, LIMIT_SD * LIMIT_SD);
	}
	bank->scale_count = SCALE_KEPT * bank->scale_count + 1;
	families_judge(bank, densities);
	weights_set(bank);
}

/*
 * As a member sees it. A single measurement says where the offset is, so it is not taken to be
 * better than it was told to be, even where measurements have been.
 */
static struct retro_error member_error(const struct bank *bank, const struct bank_member *member,
				       const struct bank_contradiction *contradiction)
{
	double agreed_sd = contradiction->agreed_sd_ns, sd = contradiction->measured_sd_ns;
	double scale = bank_scale(bank, member);

	return (struct retro_error){
		.since_s = contradiction->since_s,
		.span_s = contradiction->span_s,
		.agreed_ns = contradiction->agreed_ns,
		.agreed_variance = fmax(member_variance(bank, member, agreed_sd),
					agreed_sd * agreed_sd / scale),
		.measured_ns = contradiction->measured_ns,
		.variance = fmax(member_variance(bank, member, sd), sd * sd / scale),
		.scale = scale,
	};
}

void bank_contradict(struct bank *bank, enum retro_method method,
		     const struct bank_contradiction *contradiction)
{
	unsigned int i;

	for (i = 0; i < bank->count; i++) {
		struct bank_member *member = &bank->members[i];
		struct retro_error error = member_error(bank, member, contradiction);
		struct kalman_noise noise = member_noise(bank, member);

		retro_move(method, &member->kalman, &noise, contradiction->inputs, &error);
	}
}

double bank_correction(const struct bank *bank, enum retro_method method,
		       const struct bank_contradiction *contradiction, double after_s)
{
	double mean = 0;
	unsigned int i;

	for (i = 0; i < bank->count; i++) {
		const struct bank_member *member = &bank->members[i];
		struct retro_error error = member_error(bank, member, contradiction);
		struct kalman_noise noise = member_noise(bank, member);

		mean += member->weight *
			retro_correction(method, &member->kalman, &noise, &error, after_s);
	}
	return mean;
}

void bank_family_admit(struct bank *bank, unsigned int family, double share)
{
	double best = -HUGE_VAL;
	unsigned int i;

	for (i = 0; i < BANK_FAMILIES; i++)
		if (bank->families[i].share > 0)
			best = fmax(best, bank->families[i].likelihood);
	bank->families[family].share = share;
	bank->families[family].likelihood = best;
	weights_set(bank);
}

void bank_ahead(const struct bank *bank, double dt_s, const double *inputs, struct bank_state *ret)
{
	double base = bank->members[0].kalman.x[KALMAN_OFFSET], mean = 0, square = 0;
	unsigned int i;

	*ret = (struct bank_state){0};
	for (i = 0; i < bank->count; i++) {
		const struct bank_member *member = &bank->members[i];
		struct kalman_noise noise = member_noise(bank, member);
		double scale = bank_scale(bank, member), variance;
		double offset =
			kalman_ahead(&member->kalman, dt_s, &noise, inputs, &variance) - base;

		mean += member->weight * offset;
		square += member->weight * (offset * offset + scale * variance);
	}
	ret->offset_ns = base + mean;
	ret->variance = fmax(square - mean * mean, 0);
}

struct estimate bank_line(const struct bank_state *now, const struct bank_state *then,
			  double horizon_s)
{
	return (struct estimate){
		.offset_ns = now->offset_ns,
		.drift_ns_s = (then->offset_ns - now->offset_ns) / horizon_s,
		.offset_sd_ns = sqrt(now->variance),
		.drift_sd_ns_s = sqrt(fmax(then->variance - now->variance, 0)) / horizon_s,
	};
}

double bank_noise(const struct bank *bank, double sd_ns)
{
	return bank->noise_variance + bank->noise_share * sd_ns * sd_ns;
}
