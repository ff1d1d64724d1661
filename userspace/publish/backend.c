/* SPDX-License-Identifier: MIT */
#include "publish/backend.h"

#define LEAD_NS 50000     /* unordered reads may take the counter that early */
#define EARLY_NS 1000     /* a rising slope joins that much before the counter sample */
#define WINDOW_NS 400000  /* a falling one that much after it, at first */
#define SETTLE_PERIODS 16 /* a slew's time constant, in publications, between the two limits: */
#define SETTLE_MIN_NS 100000000
#define SETTLE_MAX_NS 1000000000

uint32_t backend_step_ns(const struct counter *counter)
{
	int64_t ns = counter_to_ns(counter, (uint64_t)counter->step + counter->apart);

	return ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
}

void backend_line_config(struct line_config *ret, const struct publish_config *config,
			 const struct counter *counter)
{
	uint64_t period_ns = 1000000000U / config->frequency_hz;
	uint64_t settle_ns = SETTLE_PERIODS * period_ns;

	if (settle_ns < SETTLE_MIN_NS)
		settle_ns = SETTLE_MIN_NS;
	if (settle_ns > SETTLE_MAX_NS)
		settle_ns = SETTLE_MAX_NS;
	*ret = (struct line_config){
		.mult = counter->mult,
		.lead = counter_from_ns(counter, LEAD_NS),
		.early = counter_from_ns(counter, EARLY_NS),
		.window = counter_from_ns(counter, WINDOW_NS),
		.span = counter_from_ns(counter, config->writer_timeout_ms * 1000000ULL),
		.period = counter_from_ns(counter, period_ns),
		.settle = counter_from_ns(counter, settle_ns),
		.max_slew_ppb = config->max_slew_ppb,
		.max_fall_ppb = LINE_FALL_PPB,
		.step_ns = backend_step_ns(counter),
		.max_bound_ns = config->max_bound_ns,
		.step_threshold_ns = config->step_threshold_ns,
	};
}
