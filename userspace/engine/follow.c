/* SPDX-License-Identifier: MIT */
#include "engine/follow.h"

#include "chronotick_page.h"
#include "engine/base.h"
#include "engine/filter.h"
#include "engine/leap.h"
#include "engine/steer.h"

void engine_leap(struct engine *engine, int64_t shift_ns)
{
	unsigned int i;

	for (i = 0; i < ENGINE_SOURCES_MAX; i++) {
		filter_shift(&engine->sources[i].filter, shift_ns);
		if (engine->views[i].has_sample)
			engine->views[i].last.offset_ns += shift_ns;
	}
	engine->base.utc += shift_ns * ((__int128)1 << 64);
	steer_shift(engine, shift_ns);
	engine->epoch++;
}

/* Follow the leap second if it is due at the counter value of *now, and bring *now up to date. */
static void leap_follow(struct engine *engine, int64_t now_ns, struct correction *now)
{
	int64_t utc_ns = (int64_t)(now->utc >> 64), shift_ns;

	if (!leap_watch_is_due(&engine->leap, utc_ns - now->bound.total_ns))
		return;
	shift_ns = leap_watch_follow(&engine->leap, utc_ns, now->bound.total_ns, now_ns);
	engine_leap(engine, shift_ns);
	now->utc += shift_ns * ((__int128)1 << 64);
}

bool follow_sample(struct engine *engine, const struct sample *sample, int64_t raw_ns,
		   int64_t *shift_ns)
{
	struct correction then;

	*shift_ns = 0;
	if (!engine->has_base)
		return leap_table_allows(engine->config.leaps, raw_ns + sample->offset_ns,
					 filter_error(sample));
	base_at(engine, sample->counter, &then);
	leap_follow(engine, raw_ns, &then);
	*shift_ns = leap_watch_shift(&engine->leap, raw_ns);
	return leap_watch_allows(&engine->leap, (int64_t)(then.utc >> 64), then.bound.total_ns,
				 raw_ns);
}

void follow_correct(struct engine *engine, int64_t now_ns, struct correction *ret)
{
	const struct leap_table *table = engine->config.leaps;
	const struct leap *next = &engine->leap.next;
	int64_t utc_ns;

	leap_follow(engine, now_ns, ret);
	utc_ns = (int64_t)(ret->utc >> 64);
	if (leap_watch_update(&engine->leap, table, utc_ns, ret->bound.total_ns,
			      engine->leap_vote) < 0) {
		engine_reset(engine);
		return;
	}
	if (next->shift_ns) {
		ret->leap_ns = next->at_ns;
		ret->leap =
			(next->shift_ns < 0 ? CHRONOTICK_LEAP_INSERT : CHRONOTICK_LEAP_DELETE) >>
			CHRONOTICK_LEAP_SHIFT;
	}
	ret->tai_offset_s = leap_watch_tai(&engine->leap, table, utc_ns);
}
