/* SPDX-License-Identifier: MIT */
/* The module's backend: what it publishes, and what it makes of each of the kernel's answers. */
#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

#include "publish/writer.h"
#include "support/fake-module.h"
#include "support/publication.h"

Test(module_publish, lines_and_records_go_on_where_the_page_stands)
{
	struct bound_terms terms;
	struct chronotick_clock line, before;
	unsigned int i;

	open_active();
	kernel.page.header.generation = 9;
	for (i = 0; i < 20; i++) {
		before = kernel.page.clock[0];
		cr_assert_eq(publish(EPOCH + (int64_t)i % 3 * 1000), 0);
		line = kernel.page.clock[0];
		cr_assert_eq(kernel.update.events, 5);
		cr_assert_eq(kernel.update.flags,
			     CHRONOTICK_UPDATE_LINE | CHRONOTICK_UPDATE_RECORD);
		cr_assert_eq(CHRONOTICK_STATE_GENERATION(line.state), 9);
		if (i)
			cr_assert(line_utc(&before, kernel.update.join) ==
				  line_utc(&line, kernel.update.join));
		cr_assert(kernel.page.record.flags & CHRONOTICK_FLAG_VALID);
		cr_assert_eq(kernel.page.record.total_corrections, i + 1);
	}
	publisher_line(publisher, &line, &terms);
	cr_assert_eq(line.anchor, kernel.page.clock[0].anchor);
	cr_assert_eq(bound_terms_sum(&terms), line.bound_ns);
	/* A line that the kernel has put there has no terms. */
	line.span = 0;
	fake_line_set(&line);
	publisher_line(publisher, &line, &terms);
	cr_assert_eq(bound_terms_sum(&terms), 0);
	publisher_close(publisher);
}

Test(module_publish, a_predecessors_promise_is_left_alone_with_signs_of_life)
{
	struct correction at;

	open_active();
	cr_assert_eq(publish(EPOCH), 0);
	at = correction(counter_read(&fake_counter), EPOCH, fake_counter.mult);
	at.status = CHRONOTICK_UNSYNCHRONIZED;
	cr_assert_eq(publisher_publish(publisher, &at, &facts), 0);
	cr_assert_eq(kernel.update.flags, 0);
	cr_assert_gt(kernel.page.clock[0].span, 0);
	/* Once it is over the page says so. */
	kernel.page.clock[0].span = kernel.page.clock[1].span = 0;
	cr_assert_eq(publisher_publish(publisher, &at, &facts), 0);
	cr_assert(kernel.update.flags & CHRONOTICK_UPDATE_LINE);
	cr_assert_eq(kernel.update.line.span, 0);
	cr_assert(!(kernel.update.record.flags & CHRONOTICK_FLAG_VALID));
	publisher_close(publisher);
}

Test(module_publish, a_predecessor_who_knew_more_is_left_alone_for_a_while)
{
	struct publish_config config = settings(PUBLISH_MODULE);
	struct chronotick_clock line;
	struct correction at;

	open_active();
	cr_assert_eq(publish(EPOCH), 0);
	line = kernel.page.clock[0];
	publisher_close(publisher);
	cr_assert_eq(publisher_try(&config), 0);
	/* Wrong by 0.2 s, and sure to a second: going on there would be a jump. */
	at = correction(counter_read(&fake_counter), EPOCH + SECOND / 5, fake_counter.mult);
	at.bound.total_ns = SECOND / 2;
	cr_assert_eq(publisher_publish(publisher, &at, &facts), 0);
	cr_assert_eq(kernel.update.flags, 0);
	cr_assert_eq(kernel.page.clock[0].anchor, line.anchor);
	/* Surer than that line is, it follows. */
	cr_assert_eq(publish(EPOCH), 0);
	cr_assert_gt(kernel.page.clock[0].anchor, line.anchor);
	/* And then it is its own line: no reason to wait. */
	at = correction(counter_read(&fake_counter), EPOCH, fake_counter.mult);
	at.bound.total_ns = SECOND / 2;
	line = kernel.page.clock[0];
	cr_assert_eq(publisher_publish(publisher, &at, &facts), 0);
	cr_assert_gt(kernel.page.clock[0].anchor, line.anchor);
	publisher_close(publisher);
}

Test(module_publish, too_late_is_built_again_with_twice_the_window_and_kept_in_the_end)
{
	struct chronotick_clock standing;
	struct publish_view views[PUBLISH_PAGES];
	uint64_t first;
	unsigned int i;

	open_active();
	cr_assert_eq(publish(EPOCH), 0);
	standing = kernel.page.clock[0];
	/* A slower clock: the line falls, and has to be in time for its join. */
	kernel.answers[1] = kernel.answers[2] = -ETIMEDOUT;
	cr_assert_eq(publish(EPOCH - 50000000), 0);
	cr_assert_eq(kernel.publishes, 4);
	cr_assert_lt(kernel.update.line.mult, standing.mult);
	first = kernel.before.join - kernel.before.line.anchor;
	cr_assert_gt(kernel.update.join - kernel.update.line.anchor, first + 400000);
	publisher_describe(publisher, views);
	cr_assert_eq(views[0].rebuilt, 2);

	/* Late whatever it does: the last build keeps the slope, and cannot be late for a join. */
	for (i = 0; i < FAKE_ANSWERS; i++)
		kernel.answers[i] = -ETIMEDOUT;
	kernel.publishes = 0;
	standing = kernel.page.clock[0];
	cr_assert_eq(publish(EPOCH - 50000000), -ETIMEDOUT);
	cr_assert_eq(kernel.publishes, WRITER_BUILDS + 1);
	cr_assert_eq(kernel.update.line.mult, standing.mult);
	cr_assert_eq(kernel.page.clock[0].anchor, standing.anchor);
	cr_assert_eq(role(), PUBLISH_ACTIVE);
	publisher_close(publisher);
}

Test(module_publish, an_event_puts_off_the_publication_until_the_next_round)
{
	struct correction at;

	open_active();
	publisher_sample(publisher);
	at = correction(counter_read(&fake_counter), EPOCH, fake_counter.mult);
	kernel.page.header.kernel_events++;
	cr_assert_eq(publisher_publish(publisher, &at, &facts), 0);
	cr_assert_eq(kernel.publishes, 1, "not again before the watch has looked");
	cr_assert_eq(kernel.page.clock[0].span, 0);
	cr_assert_eq(publish(EPOCH), 0);
	cr_assert_gt(kernel.page.clock[0].span, 0);
	/* A line that an event is just writing */
	kernel.page.clock[0].seq |= 1;
	cr_assert_eq(publish(EPOCH), 0);
	cr_assert_eq(kernel.publishes, 2);
	kernel.page.clock[0].seq++;
	cr_assert_eq(publish(EPOCH), 0);
	cr_assert_eq(kernel.publishes, 3);
	publisher_close(publisher);
}

Test(module_publish, events_without_end_are_told_of)
{
	unsigned int i;

	open_active();
	kernel.page.clock[0].seq |= 1;
	for (i = 0; i < 100; i++)
		cr_assert_eq(publish(EPOCH), 0);
	cr_assert_eq(publisher_keep(publisher, why, sizeof(why)), 0, "a second is no trouble");
	for (i = 0; i < 500; i++)
		cr_assert_eq(publish(EPOCH), 0);
	cr_assert_eq(publisher_keep(publisher, why, sizeof(why)), -ESTALE);
	cr_assert_not_null(strstr(why, "takes nothing"), "%s", why);
	cr_assert_eq(role(), PUBLISH_ACTIVE);
	cr_assert_eq(kernel.publishes, 0);
	kernel.page.clock[0].seq++;
	cr_assert_eq(publish(EPOCH), 0);
	cr_assert_eq(publisher_keep(publisher, why, sizeof(why)), 0);
	publisher_close(publisher);
}

Test(module_publish, no_time_on_another_clocksource_and_one_again_after_it)
{
	open_active();
	kernel.answers[0] = -ENXIO;
	cr_assert_eq(publish(EPOCH), 0);
	cr_assert_eq(kernel.update.flags, 0, "it lives");
	cr_assert_eq(publisher_keep(publisher, why, sizeof(why)), -ENXIO);
	cr_assert_not_null(strstr(why, "clocksource"));
	cr_assert_eq(role(), PUBLISH_ACTIVE);
	cr_assert_eq(publish(EPOCH), 0);
	cr_assert_gt(kernel.page.clock[0].span, 0);
	cr_assert_eq(publisher_keep(publisher, why, sizeof(why)), 0);
	kernel.publishes = 0;
	kernel.answers[0] = -ESHUTDOWN;
	cr_assert_eq(publish(EPOCH), 0);
	cr_assert_eq(publisher_keep(publisher, why, sizeof(why)), -ESHUTDOWN);
	publisher_close(publisher);
}

Test(module_publish, a_record_that_is_refused_does_not_keep_the_line)
{
	open_active();
	kernel.refuses_records = true;
	cr_assert_eq(publish(EPOCH), 0);
	cr_assert_eq(kernel.update.flags, CHRONOTICK_UPDATE_LINE);
	cr_assert_gt(kernel.page.clock[0].span, 0);
	/* What is refused altogether is told of, and it lives on. */
	kernel.refuses_records = false;
	kernel.publishes = 0;
	kernel.answers[0] = kernel.answers[1] = -EINVAL;
	cr_assert_eq(publish(EPOCH), -EINVAL);
	cr_assert_eq(kernel.update.flags, 0);
	cr_assert_eq(publisher_keep(publisher, why, sizeof(why)), -EINVAL);
	cr_assert_not_null(strstr(why, "does not take"));
	kernel.publishes = 0;
	kernel.answers[0] = kernel.answers[1] = -EFAULT;
	cr_assert_eq(publish(EPOCH), -EINVAL);
	publisher_close(publisher);
}

Test(module_publish, invalid_is_invalid_whatever_happens_meanwhile)
{
	open_active();
	cr_assert_eq(publish(EPOCH), 0);
	kernel.page.header.generation = 4;
	kernel.page.header.kernel_events++;
	publisher_invalidate(publisher);
	cr_assert_eq(kernel.page.clock[0].mult, 0);
	cr_assert_eq(kernel.page.clock[0].span, 0);
	cr_assert_eq(kernel.page.header.generation, 5);
	cr_assert_eq(kernel.page.record.flags, 0);
	cr_assert_eq(kernel.page.record.confidence, 0);
	/* On its way to sleep the kernel refuses everything, and has invalidated it itself. */
	kernel.publishes = 0;
	kernel.answers[0] = kernel.answers[1] = kernel.answers[2] = kernel.answers[3] = -ESTALE;
	publisher_invalidate(publisher);
	cr_assert_eq(kernel.publishes, 4);
	publisher_close(publisher);
}

Test(module_publish, an_orderly_end_takes_the_records_trust_away)
{
	open_active();
	cr_assert_eq(publish(EPOCH), 0);
	publisher_close(publisher);
	cr_assert_eq(kernel.update.flags, CHRONOTICK_UPDATE_RECORD);
	cr_assert_eq(kernel.page.record.flags, 0);
	cr_assert_gt(kernel.page.clock[0].span, 0, "the line's promise stands");
	cr_assert_eq(kernel.closed, 1);
}

Test(module_publish, figures_are_told_with_the_publications)
{
	struct chronotick_statistics statistics = {.read_p50_ps = 9800, .publish_count = 99};
	struct chronotick_source source = {.name = "192.0.2.1"};

	open_active();
	cr_assert_eq(publish(EPOCH), 0);
	publisher_statistics(publisher, &statistics, &source, 1);
	cr_assert_eq(kernel.figures, 1);
	cr_assert_eq(kernel.told.size, sizeof(kernel.told));
	cr_assert_eq(kernel.told.statistics.read_p50_ps, 9800);
	cr_assert_eq(kernel.told.statistics.publish_count, 1);
	cr_assert_eq(kernel.told.statistics.source_count, 1);
	cr_assert_str_eq(kernel.told.source[0].name, "192.0.2.1");
	publisher_close(publisher);
}

static uint64_t random_word(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	/* Some are extreme, some are small. */
	return *state % 5 ? *state * 0x2545f4914f6cdd1dULL >> *state % 61
			  : (uint64_t)0 - *state % 3;
}

/* A kernel that is out of its mind: whatever is on the page, and whatever it says to calls. */
Test(module_publish, nonsense_is_borne_with_a_bounded_number_of_calls)
{
	static const int nonsense[] = {0,       -ETIMEDOUT, -ESTALE, -EINVAL, -ENXIO, -ESHUTDOWN,
				       -EFAULT, -ENOTTY,    -E2BIG,  -EIO,    5,      -4095};
	struct chronotick_statistics statistics = {0};
	struct chronotick_source source = {0};
	uint64_t state = 88172645463325252ULL;
	struct chronotick_clock line;
	struct bound_terms terms;
	unsigned int round, i;

	open_active();
	for (round = 0; round < 20000; round++) {
		for (i = 0; i < sizeof(line) / 8; i++)
			((uint64_t *)(void *)&line)[i] = random_word(&state);
		line.seq = 0;
		if (round % 3)
			line.anchor = counter_read(&fake_counter) - line.anchor % SECOND;
		fake_line_set(&line);
		kernel.page.clock[0].seq += !(round % 17);
		kernel.page.header.generation = (uint32_t)random_word(&state);
		kernel.page.header.kernel_events = (uint32_t)random_word(&state);
		kernel.page.record_shadow.sequence_number = (uint32_t)random_word(&state);
		for (i = 0; i < FAKE_ANSWERS; i++)
			kernel.answers[i] = nonsense[random_word(&state) % (sizeof(nonsense) / 4)];
		kernel.publishes = 0;
		(void)publish(EPOCH + (int64_t)(random_word(&state) % SECOND));
		cr_assert_leq(kernel.publishes, 2 * (WRITER_BUILDS + 1) + 1, "round %u", round);
		(void)publisher_keep(publisher, why, sizeof(why));
		publisher_line(publisher, &line, &terms);
		if (round % 11 == 0)
			publisher_invalidate(publisher);
		if (round % 13 == 0)
			publisher_statistics(publisher, &statistics, &source, 1);
		cr_assert_eq(role(), PUBLISH_ACTIVE, "round %u", round);
	}
	/* And once it has come to its senses */
	memset(&kernel.answers, 0, sizeof(kernel.answers));
	memset(kernel.page.clock, 0, sizeof(kernel.page.clock));
	kernel.publishes = 0;
	cr_assert_eq(publish(EPOCH), 0);
	cr_assert_eq(publisher_keep(publisher, why, sizeof(why)), 0, "%s", why);
	cr_assert_gt(kernel.page.clock[0].span, 0);
	publisher_close(publisher);
}
