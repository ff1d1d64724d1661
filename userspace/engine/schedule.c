/* SPDX-License-Identifier: MIT */
#include "engine/schedule.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>

int schedule_init(struct schedule *schedule, const struct schedule_config *config)
{
	if (config->interval_ns <= 0 || config->lead_ns < 0 ||
	    config->horizon_ns - config->lead_ns <= config->interval_ns ||
	    (config->lead_ns - 1) / config->interval_ns >= SCHEDULE_LEAD_INTERVALS)
		return -EINVAL;
	*schedule = (struct schedule){.config = *config};
	return 0;
}

static bool serves(const struct prediction *prediction, int64_t now_ns)
{
	return prediction->from_ns <= now_ns && now_ns < prediction->until_ns;
}

/* The age-th newest; 0 is the newest. */
static const struct prediction *kept_at(const struct schedule *schedule, unsigned int age)
{
	return &schedule->kept[(schedule->next + 2 * SCHEDULE_KEPT - 1 - age) % SCHEDULE_KEPT];
}

bool schedule_is_due(const struct schedule *schedule, int64_t now_ns)
{
	return !schedule->has_made || now_ns - schedule->made_ns >= schedule->config.interval_ns ||
	       now_ns < schedule->made_ns;
}

void schedule_ask(struct schedule *schedule, int64_t now_ns, bool at_once, struct prediction *ret)
{
	/* With nothing else to serve, better at once than in time. */
	bool waits = !at_once && schedule_peek(schedule, now_ns);

	schedule->made_ns = now_ns;
	schedule->has_made = true;
	*ret = (struct prediction){
		.made_ns = now_ns,
		.from_ns = waits ? now_ns + schedule->config.lead_ns : now_ns,
		.until_ns = now_ns + schedule->config.horizon_ns,
	};
}

static bool is_sound(const struct prediction *prediction)
{
	const struct estimate *line = &prediction->line;

	return isfinite(line->offset_ns) && isfinite(line->drift_ns_s) &&
	       isfinite(line->offset_sd_ns) && isfinite(line->drift_sd_ns_s) &&
	       line->offset_sd_ns >= 0 && line->drift_sd_ns_s >= 0 &&
	       prediction->made_ns <= prediction->from_ns &&
	       prediction->from_ns < prediction->until_ns;
}

int schedule_keep(struct schedule *schedule, const struct prediction *prediction)
{
	if (!is_sound(prediction)) {
		schedule->refused++;
		return -EINVAL;
	}
	schedule->kept[schedule->next] = *prediction;
	schedule->next = (schedule->next + 1) % SCHEDULE_KEPT;
	if (schedule->count < SCHEDULE_KEPT)
		schedule->count++;
	return 0;
}

const struct prediction *schedule_peek(const struct schedule *schedule, int64_t now_ns)
{
	unsigned int age;

	for (age = 0; age < schedule->count; age++) {
		const struct prediction *prediction = kept_at(schedule, age);

		if (serves(prediction, now_ns))
			return prediction;
	}
	return NULL;
}

const struct prediction *schedule_serve(struct schedule *schedule, int64_t now_ns)
{
	const struct prediction *prediction = schedule_peek(schedule, now_ns);

	if (prediction)
		schedule->hits++;
	else
		schedule->misses++;
	return prediction;
}

void schedule_clear(struct schedule *schedule)
{
	schedule->count = 0;
	schedule->next = 0;
	schedule->has_made = false;
}

void schedule_shift(struct schedule *schedule, int64_t shift_ns)
{
	unsigned int i;

	for (i = 0; i < SCHEDULE_KEPT; i++)
		schedule->kept[i].line.reference_ns += shift_ns;
}
