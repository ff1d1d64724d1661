/* SPDX-License-Identifier: MIT */
#include "engine/fuse.h"

#include <math.h>
#include <stdbool.h>

/* A prediction that claims to be perfect shall not divide by zero. */
#define LEAST_SD_NS 1e-3

double fuse_temporal(int64_t age_ns, int64_t interval_ns, int64_t horizon_ns)
{
	if (age_ns <= interval_ns)
		return 1;
	if (age_ns >= horizon_ns)
		return 0;
	return (double)(horizon_ns - age_ns) / (double)(horizon_ns - interval_ns);
}

static double sd_of(const struct fuse_input *input, int64_t now_ns)
{
	return fmax(input->factor * estimate_sd(&input->prediction->line, now_ns),
		    input->least_sd_ns);
}

static enum fuse_level level_of(const double *weights)
{
	bool near = weights[MODEL_SHORT_TERM] > 0;
	bool far = weights[MODEL_LONG_TERM] > 0 || weights[MODEL_FEED] > 0;

	return near && far ? FUSE_FUSION : near ? FUSE_SHORT_TERM : far ? FUSE_LONG_TERM : FUSE_NTP;
}

void fuse(struct fused *ret, const struct fuse_input *inputs, int64_t now_ns)
{
	double weights[MODEL_COUNT] = {0}, sum = 0, mean = 0, rate = 0, fresh = 0;
	double variance = 0, rate_variance = 0;
	int64_t reference_ns = 0;
	unsigned int i;

	for (i = 0; i < MODEL_COUNT; i++) {
		const struct fuse_input *input = &inputs[i];
		double age, sd;

		if (!input->prediction)
			continue;
		reference_ns = input->prediction->line.reference_ns;
		age = fuse_temporal(now_ns - input->prediction->made_ns, input->interval_ns,
				    input->horizon_ns);
		sd = fmax(sd_of(input, now_ns), LEAST_SD_NS);
		weights[i] = age / (sd * sd);
		sum += weights[i];
		fresh += weights[i] * age;
	}
	*ret = (struct fused){.level = level_of(weights)};
	if (ret->level == FUSE_NTP)
		return;

	for (i = 0; i < MODEL_COUNT; i++) {
		if (weights[i] == 0)
			continue;
		weights[i] /= sum;
		mean += weights[i] *
			estimate_offset(&inputs[i].prediction->line, now_ns, reference_ns);
		rate += weights[i] * inputs[i].prediction->line.drift_ns_s;
	}
	for (i = 0; i < MODEL_COUNT; i++) {
		const struct estimate *line;
		double sd, off, rate_sd, rate_off;

		if (weights[i] == 0)
			continue;
		line = &inputs[i].prediction->line;
		sd = sd_of(&inputs[i], now_ns);
		off = estimate_offset(line, now_ns, reference_ns) - mean;
		rate_sd = inputs[i].factor * line->drift_sd_ns_s;
		rate_off = line->drift_ns_s - rate;
		variance += weights[i] * (sd * sd + off * off);
		rate_variance += weights[i] * (rate_sd * rate_sd + rate_off * rate_off);
	}
	ret->freshness = fresh / sum;
	ret->line = (struct estimate){
		.at_ns = now_ns,
		.reference_ns = reference_ns,
		.offset_ns = mean,
		.drift_ns_s = rate,
		.offset_sd_ns = sqrt(variance),
		.drift_sd_ns_s = sqrt(rate_variance),
	};
}

const char *fuse_level_name(enum fuse_level level)
{
	static const char *const names[FUSE_LEVELS] = {
		[FUSE_FUSION] = "fusion",
		[FUSE_SHORT_TERM] = "short-term model",
		[FUSE_LONG_TERM] = "long-term model",
		[FUSE_NTP] = "sources only",
		[FUSE_HOLDOVER] = "holdover",
		[FUSE_NO_DATA] = "no data",
	};

	return level < FUSE_LEVELS ? names[level] : "unknown";
}
