/* SPDX-License-Identifier: MIT */
#include "engine/short_term.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "engine/learnt_models.h"

/* Random walks of the rate, ns/s after a second, from an oven's to a crystal's in the draught */
#define WALK_LEAST 1e-3
#define WALK_FACTOR 3.16227766
#define WALKS 12
/* Random runs: of the drift, ns/s^2 after a second */
#define RUN_LEAST 1e-6
#define RUN_FACTOR 10.0
#define RUNS 4
/*
 * A clock that somebody else disciplines has no rate to speak of, but wanders: white frequency
 * noise relative to that of measurements, 1/s
 */
static const double disciplined[] = {1e-5, 1e-4, 3e-4, 1e-3};
#define DISCIPLINED (sizeof(disciplined) / sizeof(disciplined[0]))

/*
 * The families: an oscillator, or what is disciplined. On records of the latter hardly a member can
 * be told from the next, so their mean is taken, nearly.
 */
enum family { OSCILLATOR, DISCIPLINED_CLOCK };
static const double tempers[BANK_FAMILIES] = {[OSCILLATOR] = 0.3, [DISCIPLINED_CLOCK] = 0.1};
/* The shares of the oscillators */
#define SHARE_WALK 0.7
#define SHARE_RUN 0.3
/* The drift is not known beforehand */
#define DRIFT_SD 0.1
/*
 * Of the logarithm of the walk, the mean and so many standard deviations are taken for granted, and
 * no more than is likely with this share
 */
#define SURE_SD 1.5
#define SURE_SHARE 0.9
/* Within so long what a run may become is looked at, s */
#define RUN_S 1000.0
/* Far off is what lies beyond so many standard deviations */
#define FAR_SD 5.0
/* What rests on fewer measurements is nothing to tell the next run. */
#define LEARNT_MIN 100

/* The members of a kind, and in *ret the next one to be filled in */
static void member_add(struct bank_member **ret, const struct bank_member *member,
		       unsigned int clock, double rate_ns_s, const double *sd)
{
	struct bank_member *added = (*ret)++;

	*added = *member;
	kalman_init(&added->kalman, clock, clock, sd);
	if (clock > KALMAN_RATE)
		added->kalman.x[KALMAN_RATE] = rate_ns_s;
}

static void members_init(struct short_term *model)
{
	const struct short_term_prior *prior = &model->prior;
	const double sd[] = {0, prior->rate_sd_ns_s, DRIFT_SD};
	struct bank_member *next = model->members;
	unsigned int i, equal;
	double rate_sds;

	for (equal = 0; equal < 2; equal++) {
		struct bank_member member = {.equal = equal};
		double level;

		member.share = SHARE_WALK / WALKS;
		for (i = 0, level = WALK_LEAST; i < WALKS; i++, level *= WALK_FACTOR) {
			member.noise = (struct kalman_noise){.rate = level * level};
			member_add(&next, &member, 2, prior->rate_ns_s, sd);
		}
		member.share = SHARE_RUN / RUNS;
		for (i = 0, level = RUN_LEAST; i < RUNS; i++, level *= RUN_FACTOR) {
			member.noise = (struct kalman_noise){.drift = level * level};
			member_add(&next, &member, 3, prior->rate_ns_s, sd);
		}
		member.share = 1.0 / DISCIPLINED;
		member.family = DISCIPLINED_CLOCK;
		member.relative = true;
		for (i = 0; i < DISCIPLINED && prior->disciplined > 0; i++) {
			member.noise = (struct kalman_noise){.offset = disciplined[i]};
			member_add(&next, &member, 1, 0, sd);
		}
	}
	bank_init(&model->bank, model->members, (unsigned int)(next - model->members));
	/* What is known to have a rate is not disciplined. */
	rate_sds = prior->rate_ns_s / prior->rate_sd_ns_s;
	model->bank.families[OSCILLATOR].share = 1 - prior->disciplined;
	model->bank.families[DISCIPLINED_CLOCK].share =
		prior->disciplined * exp(-0.5 * rate_sds * rate_sds);
	for (i = 0; i < BANK_FAMILIES; i++)
		model->bank.families[i].temper = tempers[i];
	for (i = 0; i < model->bank.count && model->known; i++)
		model->members[i].likelihood = model->known_members[i];
	for (i = 0; i < BANK_FAMILIES && model->known; i++)
		model->bank.families[i].likelihood = model->known_families[i];
}

unsigned int short_term_members(double discipline)
{
	return 2 * (WALKS + RUNS + (discipline > 0 ? (unsigned int)DISCIPLINED : 0));
}

/* A logarithm of a likelihood that goes to the next run */
static double likelihood_learnt(double likelihood, double best)
{
	return fmin(fmax(likelihood - best, LEARNT_LIKELIHOOD_LEAST), 0);
}

void short_term_learnt(const struct short_term *model, struct learnt *ret)
{
	const struct bank *bank = &model->bank;
	double best[BANK_FAMILIES], best_family = -HUGE_VAL;
	unsigned int i;

	if (bank->measured < LEARNT_MIN && model->known) {
		/* This run adds nothing to what the one before it knew. */
		ret->short_term_members = short_term_members(model->prior.disciplined);
		ret->walk_ns_s = model->known_walk_ns_s;
		ret->slope_ns_s2 = model->known_slope_ns_s2;
		memcpy(ret->short_term_families, model->known_families,
		       sizeof(model->known_families));
		memcpy(ret->short_term_likelihoods, model->known_members,
		       sizeof(model->known_members));
	}
	if (bank->measured < LEARNT_MIN)
		return;
	ret->short_term_members = bank->count;
	short_term_wander(model, &ret->walk_ns_s, &ret->slope_ns_s2);
	for (i = 0; i < BANK_FAMILIES; i++) {
		best[i] = -HUGE_VAL;
		if (bank->families[i].share > 0)
			best_family = fmax(best_family, bank->families[i].likelihood);
	}
	for (i = 0; i < BANK_FAMILIES; i++)
		ret->short_term_families[i] =
			bank->families[i].share > 0
				? likelihood_learnt(bank->families[i].likelihood, best_family)
				: 0;
	for (i = 0; i < bank->count; i++)
		best[bank->members[i].family] =
			fmax(best[bank->members[i].family], bank->members[i].likelihood);
	for (i = 0; i < bank->count; i++)
		ret->short_term_likelihoods[i] = likelihood_learnt(bank->members[i].likelihood,
								   best[bank->members[i].family]);
}

void short_term_know(struct short_term *model, const struct learnt *learnt, int64_t age_ns,
		     bool same_oscillator)
{
	double kept = learnt_kept(age_ns, same_oscillator);
	unsigned int i;

	if (kept <= 0)
		return;
	model->known = true;
	model->known_walk_ns_s = learnt->walk_ns_s;
	model->known_slope_ns_s2 = learnt->slope_ns_s2;
	for (i = 0; i < BANK_FAMILIES; i++)
		model->known_families[i] = kept * learnt->short_term_families[i];
	for (i = 0; i < SHORT_TERM_MEMBERS; i++)
		model->known_members[i] = kept * learnt->short_term_likelihoods[i];
}

void short_term_init(struct short_term *model, const struct short_term_prior *prior,
		     enum retro_method method)
{
	*model = (struct short_term){.prior = *prior, .method = method};
}

static double seconds(int64_t ns)
{
	return 1e-9 * (double)ns;
}

/* Is the measurement far off? */
static bool is_far(const struct short_term *model, double dt_s, double y_ns, double sd_ns,
		   bool *above)
{
	struct bank_state expected;
	double error, limit;

	bank_ahead(&model->bank, dt_s, NULL, &expected);
	error = y_ns - expected.offset_ns;
	limit = FAR_SD *
		sqrt(expected.variance + fmax(bank_noise(&model->bank, sd_ns), sd_ns * sd_ns));
	*above = error > 0;
	return fabs(error) > limit;
}

/* From now on the model rests on the measurement. */
static void agree(struct short_term *model, const struct measurement *measurement)
{
	model->agreed[1] = model->agreed[0];
	model->agreed[0] = *measurement;
	if (model->agreed_count < 2)
		model->agreed_count++;
	model->far = 0;
	model->doubted = false;
}

/* Count it if it is far off. Is it one of several in a row, on the same side? */
static bool doubt(struct short_term *model, bool above)
{
	unsigned int i;

	if (!model->doubted)
		for (i = 0; i < model->bank.count; i++)
			model->before[i] = model->members[i].kalman;
	model->doubted = true;
	if (model->far_above != above)
		model->far = 0;
	model->far_above = above;
	return ++model->far >= SHORT_TERM_CONFIRM && model->method != RETRO_NONE;
}

const struct measurement *short_term_agreed(const struct short_term *model)
{
	unsigned int at = model->doubted ? 0 : 1;

	return at < model->agreed_count ? &model->agreed[at] : NULL;
}

/* What was predicted from the last measurement that agreed on, and what is thought of that now */
static void past_state(struct short_term *model, const struct bank_contradiction *contradiction,
		       int64_t to_ns)
{
	struct retro_past *past = &model->past;
	struct bank_state predicted;
	unsigned int i;

	*past = (struct retro_past){
		.from_ns = model->agreed[0].raw_ns,
		.to_ns = to_ns,
		.method = model->method,
		.reference_ns = model->reference_ns,
	};
	for (i = 0; i < RETRO_POINTS; i++) {
		double after_s = contradiction->span_s * i / (RETRO_POINTS - 1);

		bank_ahead(&model->bank, after_s, NULL, &predicted);
		past->predicted[i] = predicted.offset_ns;
		past->corrected[i] =
			predicted.offset_ns +
			bank_correction(&model->bank, model->method, contradiction, after_s);
	}
	past->error_ns = contradiction->measured_ns - past->predicted[RETRO_POINTS - 1];
}

/* The measurement contradicts what those before it left behind, but for those that are doubted. */
static void contradict(struct short_term *model, const struct measurement *measurement)
{
	const struct measurement *agreed = short_term_agreed(model);
	int64_t state_ns = model->doubted ? model->agreed[0].raw_ns : model->raw_ns;
	struct bank_contradiction contradiction = {
		.since_s = fmax(seconds(measurement->raw_ns - state_ns), 0),
		.measured_ns = (double)(measurement->offset_ns - model->reference_ns),
		.measured_sd_ns = measurement->sd_ns,
		.agreed_sd_ns = measurement->sd_ns,
	};
	unsigned int i;

	if (agreed) {
		contradiction.span_s = seconds(measurement->raw_ns - agreed->raw_ns);
		contradiction.agreed_ns = (double)(agreed->offset_ns - model->reference_ns);
		contradiction.agreed_sd_ns = agreed->sd_ns;
	}
	if (model->doubted) {
		for (i = 0; i < model->bank.count; i++)
			model->members[i].kalman = model->before[i];
		past_state(model, &contradiction, measurement->raw_ns);
	}
	bank_contradict(&model->bank, model->method, &contradiction);
	model->raw_ns = measurement->raw_ns;
	model->steps++;
	agree(model, measurement);
}

bool short_term_measure(struct short_term *model, const struct measurement *measurement)
{
	double dt_s, y_ns, sd_ns = measurement->sd_ns;
	bool above;

	if (model->bank.measured == 0) {
		members_init(model);
		model->reference_ns = measurement->offset_ns;
		model->raw_ns = measurement->raw_ns;
	}
	dt_s = fmax(seconds(measurement->raw_ns - model->raw_ns), 0);
	y_ns = (double)(measurement->offset_ns - model->reference_ns);
	if (model->bank.measured && is_far(model, dt_s, y_ns, sd_ns, &above)) {
		if (doubt(model, above)) {
			contradict(model, measurement);
			return true;
		}
	} else {
		agree(model, measurement);
	}
	bank_update(&model->bank, dt_s, NULL, y_ns, sd_ns);
	model->raw_ns = measurement->raw_ns;
	return false;
}

void short_term_contradict(struct short_term *model, const struct measurement *measurement)
{
	if (model->bank.measured == 0)
		(void)short_term_measure(model, measurement);
	else if (model->method != RETRO_NONE)
		contradict(model, measurement);
}

int short_term_estimate(const struct short_term *model, int64_t now_ns, int64_t horizon_ns,
			struct estimate *ret)
{
	double dt_s = seconds(now_ns - model->raw_ns), horizon_s = seconds(horizon_ns);
	struct bank_state now, then;

	if (model->bank.measured == 0)
		return -EAGAIN;
	if (dt_s < 0)
		dt_s = 0;
	bank_ahead(&model->bank, dt_s, NULL, &now);
	bank_ahead(&model->bank, dt_s + horizon_s, NULL, &then);
	*ret = bank_line(&now, &then, horizon_s);
	ret->at_ns = now_ns;
	ret->reference_ns = model->reference_ns;
	return 0;
}

double short_term_noise(const struct short_term *model, double sd_ns)
{
	return model->bank.measured ? sqrt(bank_noise(&model->bank, sd_ns)) : sd_ns;
}

/* Walks of one level, of both kinds of members */
struct walks {
	double weight;
	double sum; /* of weight times the logarithm of ns/s after a second */
};

/* Rather too much than too little, as a logarithm; the levels ascend. */
static double walk_taken(const struct walks *levels)
{
	double weight = 0, mean = 0, square = 0, above, sure;
	unsigned int i;

	for (i = 0; i < WALKS; i++) {
		weight += levels[i].weight;
		mean += levels[i].sum;
		if (levels[i].weight > 0)
			square += levels[i].sum * levels[i].sum / levels[i].weight;
	}
	mean /= weight;
	sure = mean + SURE_SD * sqrt(fmax(square / weight - mean * mean, 0));
	/* A deviation that most of the small levels make says nothing about the large ones. */
	for (i = WALKS - 1, above = 0; i > 0; i--) {
		above += levels[i].weight;
		if (above > (1 - SURE_SHARE) * weight)
			break;
	}
	return fmin(sure, levels[i].sum / levels[i].weight + 0.5 * log(WALK_FACTOR));
}

/* As of what was measured in this run, at least twice */
static void own_wander(const struct bank *bank, double *walk_ns_s, double *slope_ns_s2)
{
	double best = -HUGE_VAL, all = 0, slope = 0;
	struct walks levels[WALKS] = {{0, 0}};
	unsigned int i, level = 0;

	for (i = 0; i < bank->count; i++)
		if (bank->members[i].family == OSCILLATOR)
			best = fmax(best, bank->members[i].evidence);
	/* Not tempered: one that is too small must not count for long. */
	for (i = 0; i < bank->count; i++) {
		const struct bank_member *member = &bank->members[i];
		double weight = member->share * exp(member->evidence - best);
		double scale = bank_scale(bank, member);

		if (member->family != OSCILLATOR)
			continue;
		all += weight;
		if (member->noise.rate > 0) {
			struct walks *walks = &levels[level++ % WALKS];

			walks->weight += weight;
			walks->sum += weight * 0.5 * log(scale * member->noise.rate);
		} else {
			slope += weight * (fabs(member->kalman.x[KALMAN_DRIFT]) +
					   sqrt(scale * member->noise.drift * RUN_S));
		}
	}
	*walk_ns_s = exp(walk_taken(levels));
	*slope_ns_s2 = slope / all;
}

void short_term_wander(const struct short_term *model, double *walk_ns_s, double *slope_ns_s2)
{
	double known = fmax(1 - (double)model->bank.measured / SHORT_TERM_OWN, 0);

	*walk_ns_s = 0;
	*slope_ns_s2 = 0;
	if (model->bank.measured >= 2)
		own_wander(&model->bank, walk_ns_s, slope_ns_s2);
	if (!model->known)
		return;
	*walk_ns_s = fmax(*walk_ns_s, known * model->known_walk_ns_s);
	*slope_ns_s2 = fmax(*slope_ns_s2, known * model->known_slope_ns_s2);
}

void short_term_shift(struct short_term *model, int64_t shift_ns)
{
	model->reference_ns += shift_ns;
}
