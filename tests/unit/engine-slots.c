/* SPDX-License-Identifier: MIT */
/* Sources that come, go and are kept out while the engine runs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/engine_rig.h"

Test(engine_slots, slots_are_taken_and_given_back)
{
	start(2);
	cr_assert_eq(engine_source_add(&engine, ENGINE_SOURCES_MAX), -EINVAL);
	cr_assert_eq(engine_source_add(&engine, 1), -EEXIST);
	cr_assert_eq(engine_source_add(&engine, ENGINE_SOURCES_MAX - 1), 0);
	cr_assert_eq(engine.source_count, 3);
	cr_assert_eq(add(2, SECOND, OFFSET), -EINVAL);
	cr_assert_eq(add(ENGINE_SOURCES_MAX - 1, SECOND, OFFSET), 0);
	engine_source_remove(&engine, 5);
	engine_source_remove(&engine, ENGINE_SOURCES_MAX);
	cr_assert_eq(engine.source_count, 3);
	engine_source_remove(&engine, ENGINE_SOURCES_MAX - 1);
	engine_source_remove(&engine, ENGINE_SOURCES_MAX - 1);
	cr_assert_eq(engine.source_count, 2);
	cr_assert_eq(engine.source_end, 2);
	engine_source_remove(&engine, 0);
	cr_assert_eq(engine.source_end, 2);
	cr_assert_eq(add(0, SECOND, OFFSET), -EINVAL);
	engine_source_remove(&engine, 1);
	cr_assert_eq(engine.source_end, 0);
	correct(2 * SECOND);
	cr_assert_eq(now.status, CHRONOTICK_UNSYNCHRONIZED);
}

Test(engine_slots, what_is_removed_leaves_nothing_behind)
{
	static const struct source_view none;
	struct engine_source kept;
	unsigned int i;

	start(3);
	for (i = 0; i < 3; i++)
		cr_assert_eq(add(i, SECOND, OFFSET + (i == 1 ? 300000 : 0)), 0);
	correct(SECOND);
	cr_assert_eq(engine.views[1].state, CHRONOTICK_SOURCE_FALSETICKER);
	kept = engine.sources[2];
	engine_source_remove(&engine, 1);
	cr_assert_eq(memcmp(&engine.views[1], &none, sizeof(none)), 0);
	correct(2 * SECOND);
	cr_assert_eq(memcmp(&engine.views[1], &none, sizeof(none)), 0);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_float_eq(now.confidence, 1, 0.02); /* two of two */
	cr_assert_eq(memcmp(&kept, &engine.sources[2], sizeof(kept)), 0);
	/* Another one in its slot is judged by what it says itself. */
	cr_assert_eq(engine_source_add(&engine, 1), 0);
	correct(3 * SECOND);
	cr_assert_str_eq(engine.views[1].reason, "no sample yet");
	cr_assert_eq(engine.views[1].samples, 0);
	cr_assert_eq(add(1, 4 * SECOND, OFFSET), 0);
	correct(4 * SECOND);
	cr_assert_eq(engine.views[1].state, CHRONOTICK_SOURCE_SELECTED);
}

Test(engine_slots, who_comes_before_the_first_sample_is_waited_for_and_who_comes_later_is_not)
{
	start(0);
	cr_assert_eq(engine_source_add(&engine, 0), 0);
	cr_assert_eq(engine_source_add(&engine, 1), 0);
	cr_assert_eq(add(0, SECOND, OFFSET), 0);
	correct(SECOND);
	cr_assert_eq(now.status, CHRONOTICK_WARMING_UP);
	engine_source_remove(&engine, 1);
	correct(SECOND + 1);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_eq(engine_source_add(&engine, 1), 0);
	cr_assert_eq(engine_source_add(&engine, 2), 0);
	correct(SECOND + 2);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_eq(add(1, SECOND + 3, OFFSET), 0);
	correct(SECOND + 3);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_eq(engine.views[1].state, CHRONOTICK_SOURCE_SELECTED);
	cr_assert_eq(engine.views[2].state, CHRONOTICK_SOURCE_UNREACHABLE);
}

Test(engine_slots, time_holds_over_when_the_last_one_goes)
{
	start(1);
	cr_assert_eq(add(0, SECOND, OFFSET), 0);
	correct(SECOND);
	engine_source_remove(&engine, 0);
	correct(2 * SECOND);
	cr_assert_eq(now.status, CHRONOTICK_HOLDOVER);
	cr_assert_leq(llabs(error_ns(2 * SECOND, OFFSET)), now.bound.total_ns);
	cr_assert_eq(engine_source_add(&engine, 0), 0);
	cr_assert_eq(add(0, 3 * SECOND, OFFSET), 0);
	correct(3 * SECOND);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
}

/* Three that agree don't outvote, for an hour, the one that is put in their place. */
Test(engine_slots, those_that_were_taken_away_have_no_vote)
{
	unsigned int i;

	start(3);
	for (i = 0; i < 3; i++)
		cr_assert_eq(add(i, SECOND, OFFSET), 0);
	correct(SECOND);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	for (i = 0; i < 3; i++)
		engine_source_remove(&engine, i);
	cr_assert_eq(engine_source_add(&engine, 7), 0);
	cr_assert_eq(add(7, 2 * SECOND, OFFSET + 50000000), 0);
	correct(2 * SECOND);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_leq(llabs(error_ns(2 * SECOND, OFFSET + 50000000)), now.bound.total_ns);
}

Test(engine_slots, one_that_is_kept_out_says_nothing_until_it_is_admitted)
{
	static const char why[] = "because";
	unsigned int i;

	start(3);
	for (i = 0; i < 3; i++)
		cr_assert_eq(add(i, SECOND, OFFSET), 0);
	correct(SECOND);
	engine_source_exclude(&engine, 9, why); /* there is none */
	engine_source_exclude(&engine, 1, why);
	cr_assert_eq(add(1, 2 * SECOND, OFFSET), -EPERM);
	correct(2 * SECOND);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_eq(engine.views[1].state, CHRONOTICK_SOURCE_UNREACHABLE);
	cr_assert_eq(engine.views[1].reason, why);
	engine_source_exclude(&engine, 1, NULL);
	correct(3 * SECOND);
	cr_assert_str_eq(engine.views[1].reason, "does not answer");
	cr_assert_eq(add(1, 4 * SECOND, OFFSET), 0);
	correct(4 * SECOND);
	cr_assert_eq(engine.views[1].state, CHRONOTICK_SOURCE_SELECTED);
	cr_assert_eq(engine.views[1].samples, 2);
	/* Those that are in are no less in. */
	engine_source_exclude(&engine, 0, NULL);
	correct(5 * SECOND);
	cr_assert_eq(engine.views[0].state, CHRONOTICK_SOURCE_SELECTED);
	/* At the start, one that is kept out is not waited for. */
	start(3);
	engine_source_exclude(&engine, 1, why);
	engine_source_exclude(&engine, 2, why);
	cr_assert_eq(add(0, SECOND, OFFSET), 0);
	correct(SECOND);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	engine_reset(&engine);
	cr_assert_eq(add(1, 2 * SECOND, OFFSET), -EPERM);
	cr_assert_eq(engine.views[1].reason, why);
}

Test(engine_slots, limits_change_and_time_goes_on)
{
	struct engine_config other = config;

	start(1);
	cr_assert_eq(add(0, SECOND, OFFSET), 0);
	correct(SECOND);
	other.scale = (struct timescale){77, 77};
	other.wander_ppb = 50000;
	other.max_distance_ms = 0;
	cr_assert_eq(engine_configure(&engine, &other), -EINVAL);
	other.max_distance_ms = 1;
	cr_assert_eq(engine_configure(&engine, &other), 0);
	correct(2 * SECOND);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_leq(llabs(error_ns(2 * SECOND, OFFSET)), 2);
	cr_assert_eq(engine.config.scale.base, config.scale.base);
	other.max_distance_ms = 1000;
	other.max_bound_ns = 20000;
	cr_assert_eq(engine_configure(&engine, &other), 0);
	correct(1000 * SECOND);
	cr_assert_neq(now.status, CHRONOTICK_SYNCHRONIZED);
}

static unsigned int dice(uint64_t *state, unsigned int sides)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned int)(*state >> 33) % sides;
}

/* Whatever comes and goes, the truth stays within the bound: all that answer tell it. */
Test(engine_slots, survives_any_coming_and_going)
{
	uint64_t state = 11;
	int64_t raw_ns = 0;
	unsigned int i, slot, count;

	start(0);
	for (i = 0; i < 30000; i++) {
		raw_ns += dice(&state, SECOND);
		slot = dice(&state, ENGINE_SOURCES_MAX + 1);
		switch (dice(&state, 8)) {
		case 0:
			engine_source_remove(&engine, slot);
			break;
		case 1:
			engine_source_exclude(&engine, slot, dice(&state, 2) ? "out" : NULL);
			break;
		case 2:
			engine_source_unreachable(&engine, slot, (uint8_t)dice(&state, 8));
			break;
		case 3:
			engine_source_add(&engine, slot);
			break;
		default:
			add(slot, raw_ns, OFFSET);
			break;
		}
		correct(raw_ns);
		if (now.status == CHRONOTICK_SYNCHRONIZED || now.status == CHRONOTICK_HOLDOVER)
			cr_assert_leq(llabs(error_ns(raw_ns, OFFSET)), now.bound.total_ns);
		for (slot = 0, count = 0; slot < ENGINE_SOURCES_MAX; slot++)
			count += engine.sources[slot].present;
		cr_assert_eq(count, engine.source_count);
	}
}
