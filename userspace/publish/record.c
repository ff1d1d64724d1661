/* SPDX-License-Identifier: MIT */
#include "publish/record.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "publish/line.h"

#define SECOND 1000000000LL
#define BASE_SECONDS 4         /* between the two bases of the rate */
#define RATE_UNKNOWN 500e-6    /* the kernel lets its clock be this far off and slewed */
#define STEP_PPM 1000          /* more than this between two publications is a step */
#define BASE_NS_MIN 10000000LL /* a shorter base says nothing about a rate */

static double seconds(int64_t ns)
{
	return (double)ns / 1e9;
}

/* Counts, signed, at a rate in 2^-54 ns per count: ns. */
static int64_t counts_ns(uint64_t counts, uint64_t mult)
{
	return (int64_t)(((__int128)(int64_t)counts * (__int128)mult) >> CHRONOTICK_MULT_SHIFT);
}

void record_rate_add(struct record_rate *rate, const struct counter *counter,
		     const struct cross *now)
{
	int64_t passed = counts_ns(now->counter - rate->last.counter, counter->mult);
	int64_t shown = now->system_ns - rate->last.system_ns;
	int64_t errors = now->error_ns + rate->last.error_ns;

	rate->last = *now;
	if (!rate->started || llabs(shown - passed) > passed * STEP_PPM / 1000000 + errors) {
		rate->base[0] = *now;
		rate->base[1] = *now;
		rate->started = true;
	} else if (now->counter - rate->base[1].counter >= BASE_SECONDS * counter->hz) {
		rate->base[0] = rate->base[1];
		rate->base[1] = *now;
	}
}

double record_drift(const struct record_rate *rate, uint64_t mult, double *uncertainty)
{
	int64_t passed = counts_ns(rate->last.counter - rate->base[0].counter, mult);
	int64_t shown = rate->last.system_ns - rate->base[0].system_ns;
	int64_t errors = rate->last.error_ns + rate->base[0].error_ns;

	*uncertainty = RATE_UNKNOWN;
	if (shown < BASE_NS_MIN)
		return 0;
	*uncertainty = fmin(RATE_UNKNOWN, (double)errors / (double)shown);
	return (double)(passed - shown) / (double)shown;
}

static double norm(double a, double b)
{
	return sqrt(a * a + b * b);
}

void record_build(struct chronotick_record *ret, const struct record_input *input)
{
	const struct correction *correction = input->correction;
	const struct cross *now = input->now;
	uint64_t left = input->line->anchor + input->line->span - now->counter;
	int64_t utc_ns, best_ns;
	double rate;

	memset(ret, 0, sizeof(*ret));
	ret->system_timestamp = seconds(now->system_ns);
	ret->corrected_timestamp = ret->system_timestamp;
	ret->prediction_time = ret->system_timestamp;
	ret->valid_until = ret->system_timestamp;
	ret->measurement_count = correction->measurement_count;
	ret->daemon_uptime = input->facts->daemon_uptime_s;
	ret->average_latency_ms = (float)input->facts->average_latency_ms;
	ret->total_corrections = (uint32_t)input->corrections;
	if (correction->measurement_count)
		ret->flags |= CHRONOTICK_FLAG_NTP_READY;
	if (correction->last_sample) /* none: measured, but nothing that was agreed upon */
		ret->last_ntp_sync =
			seconds(now->system_ns - counts_ns(now->counter - correction->last_sample,
							   correction->mult));
	if (input->facts->models_ready)
		ret->flags |= CHRONOTICK_FLAG_MODELS_READY;
	if (input->facts->warmup_complete)
		ret->flags |= CHRONOTICK_FLAG_WARMUP_COMPLETE;
	if (!input->trusted)
		return;

	utc_ns = (int64_t)(line_utc(input->line, now->counter) >> 64);
	best_ns = (int64_t)(correction->utc >> 64) +
		  counts_ns(now->counter - correction->counter, correction->mult);
	ret->flags |= CHRONOTICK_FLAG_VALID;
	ret->source = correction->source;
	ret->confidence = (float)correction->confidence;
	ret->corrected_timestamp = seconds(utc_ns);
	ret->offset_correction = seconds(utc_ns - now->system_ns);
	ret->drift_rate = record_drift(input->rate, correction->mult, &rate);
	/* The line may be under way to the best estimate still. */
	ret->offset_uncertainty =
		norm(norm(correction->offset_uncertainty_ns / 1e9, seconds(utc_ns - best_ns)),
		     seconds(now->error_ns));
	ret->drift_uncertainty = norm(correction->drift_uncertainty, rate);
	if ((int64_t)left > 0)
		ret->valid_until = seconds(now->system_ns + counts_ns(left, input->line->mult));
}
