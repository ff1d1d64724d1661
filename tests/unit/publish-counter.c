/* SPDX-License-Identifier: MIT */
/* The publisher and the engine, when the counter jumps or is replaced by another one. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#include "engine/engine.h"
#include "publish/publish.h"
#include "support/publication.h"

static char name[64], path[128];
static struct publisher *publisher;
static struct chronotick *ct;
static struct counter counter;
static struct publish_facts facts;

static void begin(const char *test)
{
	struct publish_config settings = {
		.shm_name = name,
		.frequency_hz = 100,
		.writer_timeout_ms = 10000,
		.max_bound_ns = SECOND,
		.max_slew_ppb = 500000,
		.step_threshold_ns = 100000000,
	};
	char why[300] = "";
	int32_t owner;

	snprintf(name, sizeof(name), "chronotick-test-%d-%s", (int)getpid(), test);
	snprintf(path, sizeof(path), CHRONOTICK_SHM_DIR "%s", name);
	counter = (struct counter){.kind = CHRONOTICK_COUNTER_NONE};
	cr_assert_eq(counter_init(&counter, CHRONOTICK_COUNTER_NONE), 0);
	cr_assert_eq(publisher_open(&publisher, &settings, &counter, &owner, why, sizeof(why)), 0,
		     "%s", why);
	/* The publisher keeps a copy of the name. */
	name[0] = '?';
	cr_assert_eq(chronotick_open(&ct, path), 0);
}

static void end(void)
{
	char lock[160];

	chronotick_close(ct);
	publisher_close(publisher);
	snprintf(lock, sizeof(lock), "%s.lock", path);
	unlink(path);
	unlink(lock);
}

static int publish(int64_t utc_ns)
{
	struct correction at = correction(counter_read(&counter), utc_ns, counter.mult);

	return publisher_publish(publisher, &at, &facts);
}

Test(publish_counter, what_is_invalid_is_so_at_once_and_a_generation_begins)
{
	struct chronotick_interval now, before;
	struct chronotick_record record;
	struct correction none;

	begin("jump");
	cr_assert_eq(publish(EPOCH), 0);
	cr_assert_eq(chronotick_now(ct, &before), 0);

	publisher_invalidate(publisher);
	cr_assert_eq(chronotick_now(ct, &now), -EAGAIN);
	cr_assert_eq(publisher_page(publisher)->clock[0].span, 0);
	cr_assert_eq(publisher_page(publisher)->clock[1].span, 0);
	cr_assert_eq(chronotick_record_read(ct, &record), 0);
	cr_assert_eq(record.flags, 0);
	cr_assert_eq(record.confidence, 0);

	/* Untrusted rounds change nothing of that. */
	none = correction(counter_read(&counter), EPOCH, counter.mult);
	none.status = CHRONOTICK_UNSYNCHRONIZED;
	cr_assert_eq(publisher_publish(publisher, &none, &facts), 0);
	cr_assert_eq(chronotick_now(ct, &now), -EAGAIN);

	/* A trusted time right beside the old line does not join it. */
	cr_assert_eq(publish(EPOCH), 0);
	cr_assert_eq(chronotick_now(ct, &now), 0);
	cr_assert_eq(now.generation, before.generation + 1);
	cr_assert_lt(now.utc_ns, EPOCH + SECOND);
	/* What the old generation told is not told again. */
	cr_assert_eq(chronotick_at(ct, counter_read(&counter) - counter.hz, &now), -ERANGE);
	end();
}

Test(publish_counter, another_kind_gets_a_new_page_and_the_old_one_says_so)
{
	uint64_t published;
	struct chronotick_interval now;
	struct stat before, after;
	struct chronotick *again;
	uint32_t generation;
	char why[300] = "";

	begin("kind");
	if (counter.kind == CHRONOTICK_COUNTER_MONOTONIC_RAW) {
		end();
		cr_skip_test("no other counter to change from");
	}
	cr_assert_eq(publish(EPOCH), 0);
	cr_assert_eq(chronotick_now(ct, &now), 0);
	generation = now.generation;
	published = publisher_page(publisher)->statistics.publish_count;
	cr_assert_eq(stat(path, &before), 0);

	cr_assert_eq(counter_init(&counter, CHRONOTICK_COUNTER_MONOTONIC_RAW), 0);
	cr_assert_eq(publisher_counter_set(publisher, &counter, why, sizeof(why)), 0, "%s", why);
	cr_assert_eq(chronotick_now(ct, &now), -ESTALE);
	cr_assert_eq(stat(path, &after), 0);
	cr_assert_neq(before.st_ino, after.st_ino);
	cr_assert_eq(publish(EPOCH), 0);
	cr_assert_eq(chronotick_now(ct, &now), -ESTALE, "the old page stays what it is");

	cr_assert_eq(chronotick_open(&again, path), 0);
	cr_assert_eq(chronotick_now(again, &now), 0);
	cr_assert((int32_t)(now.generation - generation) > 0);
	cr_assert_eq(chronotick_page_of(again)->header.counter_kind,
		     CHRONOTICK_COUNTER_MONOTONIC_RAW);
	cr_assert_eq(chronotick_page_of(again)->header.writer_pid, (uint32_t)getpid());
	cr_assert_eq(chronotick_page_of(again)->statistics.publish_count, published + 1);
	chronotick_close(again);
	end();
}

Test(publish_counter, a_page_that_cannot_be_made_may_be_tried_again)
{
	struct chronotick_interval now;
	char why[300] = "", next[160];

	begin("full");
	if (counter.kind == CHRONOTICK_COUNTER_MONOTONIC_RAW) {
		end();
		return;
	}
	cr_assert_eq(publish(EPOCH), 0);
	/* What the new page is made in cannot be made. */
	snprintf(next, sizeof(next), CHRONOTICK_SHM_DIR ".%s.next",
		 path + strlen(CHRONOTICK_SHM_DIR));
	cr_assert_eq(mkdir(next, 0700), 0);
	cr_assert_eq(counter_init(&counter, CHRONOTICK_COUNTER_MONOTONIC_RAW), 0);
	cr_expect_lt(publisher_counter_set(publisher, &counter, why, sizeof(why)), 0);
	cr_expect_neq(why[0], '\0');
	cr_expect_eq(chronotick_now(ct, &now), -ESTALE);
	cr_assert_eq(rmdir(next), 0);
	cr_expect_eq(publisher_counter_set(publisher, &counter, why, sizeof(why)), 0);
	cr_expect_eq(publish(EPOCH), 0);
	cr_expect_eq(chronotick_now(ct, &now), -ESTALE);
	end();
}

Test(publish_counter, cpus_that_are_apart_widen_the_bound)
{
	uint32_t before;

	begin("apart");
	cr_assert_eq(publish(EPOCH), 0);
	before = publisher_page(publisher)->clock[0].bound_ns;
	publisher_apart_set(publisher, (uint32_t)counter_from_ns(&counter, 5000));
	cr_assert_eq(publish(EPOCH), 0);
	cr_expect_geq(publisher_page(publisher)->clock[0].bound_ns, before + 4999);
	publisher_apart_set(publisher, UINT32_MAX);
	cr_assert_eq(publish(EPOCH), 0);
	cr_expect_geq(publisher_page(publisher)->clock[0].bound_ns, before + 4999);
	end();
}

Test(publish_counter, an_engine_that_begins_anew_knows_nothing_of_the_old_counter)
{
	struct engine_config config = {
		.scale = {.base = 1ULL << 50, .mult = ONE / 2},
		.max_drift_ppb = 200000,
		.wander_ppb = 1000,
		.max_bound_ns = SECOND,
		.max_distance_ms = 1000,
	};
	struct sample sample = {
		.counter = (1ULL << 50) + 1000,
		.offset_ns = EPOCH,
		.delay_ns = 1000,
		.stratum = 1,
	};
	const struct timescale raw = {.base = 12345, .mult = ONE};
	struct correction now;
	struct engine engine;

	cr_assert_eq(engine_init(&engine, &config, 1), 0);
	cr_assert_eq(engine_sample_add(&engine, &sample), 0);
	engine_correct(&engine, sample.counter + 10, &now);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);

	engine_restart(&engine, &raw);
	engine_correct(&engine, 12345 + 2000, &now);
	cr_assert_eq(now.status, CHRONOTICK_UNSYNCHRONIZED);
	/* Earlier than the last sample of the old counter, and good all the same */
	sample.counter = 12345 + 3000;
	cr_assert_eq(engine_sample_add(&engine, &sample), 0);
	engine_correct(&engine, sample.counter + 10, &now);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_eq(now.mult, ONE);
	cr_assert_eq((int64_t)(now.utc >> 64), EPOCH + 3010);
}
