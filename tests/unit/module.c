/* SPDX-License-Identifier: MIT */
/* The module's backend: how it takes the page, waits for it, and leaves it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#include "support/fake-module.h"
#include "support/publication.h"
#include "support/shm.h"

static char name[64];

Test(module, the_claim_tells_the_settings)
{
	uint8_t boot[16] = {0};

	open_active();
	cr_assert_eq(kernel.claims, 1);
	cr_assert_eq(kernel.claim.size, sizeof(kernel.claim));
	cr_assert_eq(kernel.claim.flags, 0);
	cr_assert_eq(kernel.claim.counter_kind, CHRONOTICK_COUNTER_MONOTONIC_RAW);
	cr_assert_eq(kernel.claim.frequency_hz, 100);
	cr_assert_eq(kernel.claim.writer_timeout_ms, 10000);
	cr_assert_eq(kernel.claim.max_bound_ns, SECOND);
	cr_assert_eq(kernel.claim.counter_hz, fake_counter.hz);
	chronotick_boot_id(boot);
	cr_assert_eq(memcmp(kernel.claim.boot_id, boot, sizeof(boot)), 0);
	cr_assert_eq(role(), PUBLISH_ACTIVE);
	cr_assert(!publisher_waits(publisher));
	cr_assert_eq(publisher_standby_fd(publisher), -1);
	cr_assert_eq(publisher_page(publisher), &kernel.page);
	cr_assert_str_eq(publisher_path(publisher), CHRONOTICK_DEVICE_PATH);
	publisher_close(publisher);
	cr_assert_eq(kernel.closed, 1);
}

/* Each error of opening and claiming ends with a sentence that names the device and a remedy. */
Test(module, what_cannot_be_taken_is_an_error_with_a_remedy)
{
	static const struct {
		int open, map, claim, wanted;
		const char *text;
	} cases[] = {
		{.open = -ENOENT, .wanted = -ENOENT, .text = "modprobe chronotick"},
		{.open = -ENXIO, .wanted = -ENODEV, .text = "modprobe chronotick"},
		{.open = -ENODEV, .wanted = -ENODEV, .text = "modprobe chronotick"},
		{.open = -EACCES, .wanted = -EACCES, .text = "Permission denied"},
		{.map = -ENOMEM, .wanted = -ENOMEM, .text = "memory"},
		{.claim = -EPERM, .wanted = -EPERM, .text = "CAP_SYS_TIME"},
		{.claim = -EBUSY, .wanted = -EBUSY, .text = "pid 4711"},
		{.claim = -EBUSY, .wanted = -EBUSY, .text = "--standby"},
		{.claim = -ENXIO, .wanted = -ENXIO, .text = "clocksource"},
		{.claim = -ESHUTDOWN, .wanted = -ESHUTDOWN, .text = "shut down"},
		{.claim = -ENOTTY, .wanted = -ENOTTY, .text = "one release"},
		{.claim = -E2BIG, .wanted = -E2BIG, .text = "one release"},
		{.claim = -EINVAL, .wanted = -EINVAL, .text = "Invalid argument"},
	};
	struct publish_config config = settings(PUBLISH_MODULE);
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake_kernel_begin();
		kernel.page.header.writer_pid = 4711;
		kernel.open_result = cases[i].open;
		kernel.map_result = cases[i].map;
		kernel.claim_result = cases[i].claim;
		cr_assert_eq(publisher_try(&config), cases[i].wanted, "case %u", i);
		cr_assert_not_null(strstr(why, CHRONOTICK_DEVICE_PATH), "case %u: %s", i, why);
		cr_assert_not_null(strstr(why, cases[i].text), "case %u: %s", i, why);
		cr_assert_eq(kernel.opened, kernel.closed, "case %u", i);
		if (cases[i].claim == -EBUSY)
			cr_assert_eq(owner, 4711);
	}
}

Test(module, a_page_of_another_kind_is_refused)
{
	struct publish_config config = settings(PUBLISH_MODULE);

	fake_kernel_begin();
	kernel.page.header.counter_kind = CHRONOTICK_COUNTER_CNTVCT;
	cr_assert_eq(publisher_try(&config), -ENOTSUP);
	cr_assert_eq(kernel.claims, 0);
	fake_kernel_begin();
	kernel.page.header.abi_version++;
	cr_assert_eq(publisher_try(&config), -EPROTO);
	fake_kernel_begin();
	kernel.page.header.magic++;
	cr_assert_eq(publisher_try(&config), -EPROTO);
	fake_kernel_begin();
	kernel.page.header.kernel_state = 0;
	cr_assert_eq(publisher_try(&config), -EPROTO);
	cr_assert_eq(kernel.opened, kernel.closed);
}

Test(module, without_the_device_auto_goes_on_in_shared_memory)
{
	struct publish_config config = settings(PUBLISH_AUTO);
	struct publish_view views[PUBLISH_PAGES];

	fake_kernel_begin();
	kernel.open_result = -ENOENT;
	cr_assert_eq(publisher_try(&config), -ENODEV,
		     "with neither there is nothing to publish in");
	cr_assert_not_null(strstr(why, "modprobe chronotick"));
	snprintf(name, sizeof(name), "chronotick-test-%d-auto", (int)getpid());
	config.shm_name = name;
	cr_assert_eq(publisher_try(&config), 0);
	cr_assert_not_null(strstr(why, "modprobe chronotick"), "the log is told why: %s", why);
	cr_assert_eq(publisher_describe(publisher, views), 1);
	cr_assert(!views[0].is_module);
	cr_assert_eq(publish(EPOCH), 0);
	publisher_close(publisher);

	/* With it both pages are there, each with the line. */
	kernel.open_result = 0;
	cr_assert_eq(publisher_try(&config), 0);
	cr_assert_str_empty(why);
	cr_assert_eq(publisher_describe(publisher, views), 2);
	cr_assert(views[0].is_module);
	cr_assert(!views[1].is_module);
	cr_assert_eq(publish(EPOCH), 0);
	cr_assert_gt(kernel.page.clock[0].span, 0);
	publisher_describe(publisher, views);
	cr_assert_eq(views[0].published, 1);
	cr_assert_eq(views[1].published, 1);
	publisher_close(publisher);
	shm_drop(name);

	/* Not asked for, it is not looked for. */
	fake_kernel_begin();
	config.backend = PUBLISH_SHM;
	cr_assert_eq(publisher_try(&config), 0);
	cr_assert_eq(kernel.opened, 0);
	publisher_close(publisher);
	shm_drop(name);
}

Test(module, who_is_no_writer_any_more_waits_as_for_any_other)
{
	static const int lost[] = {-EPERM, -EBADFD, -EBADF};
	unsigned int i;

	for (i = 0; i < 3; i++) {
		open_active();
		kernel.answers[0] = lost[i];
		cr_assert_eq(publish(EPOCH), 0);
		cr_assert_eq(role(), PUBLISH_STANDBY);
		cr_assert_eq(publish(EPOCH), 0);
		cr_assert_eq(kernel.publishes, 1);
		kernel.claim_result = -EBUSY;
		cr_assert_eq(publisher_keep(publisher, why, sizeof(why)), 0);
		cr_assert_eq(role(), PUBLISH_STANDBY);
		kernel.claim_result = 0;
		cr_assert_eq(publisher_keep(publisher, why, sizeof(why)), PUBLISHER_TAKEN);
		cr_assert_eq(role(), PUBLISH_ACTIVE);
		cr_assert_eq(publish(EPOCH), 0);
		cr_assert_gt(kernel.page.clock[0].span, 0);
		publisher_close(publisher);
	}
}

Test(module, a_standby_waits_in_the_kernel_and_continues_the_line)
{
	struct publish_config config = settings(PUBLISH_MODULE);
	struct chronotick_clock line;
	struct bound_terms terms;

	/* Another writer's line */
	open_active();
	cr_assert_eq(publish(EPOCH), 0);
	publisher_close(publisher);
	kernel.claim_result = -EBUSY;
	config.standby = true;
	kernel.claims = 0;
	cr_assert_eq(publisher_try(&config), 0);
	cr_assert_eq(kernel.claim.flags, CHRONOTICK_CLAIM_STANDBY);
	cr_assert_eq(role(), PUBLISH_STANDBY);
	cr_assert(publisher_waits(publisher));
	cr_assert_eq(publisher_standby_fd(publisher), 77);
	cr_assert_str_eq(publisher_path(publisher), CHRONOTICK_DEVICE_PATH);
	cr_assert_null(publisher_page(publisher));
	publisher_line(publisher, &line, &terms);
	cr_assert_eq(line.mult, 0);
	kernel.publishes = 0;
	cr_assert_eq(publish(EPOCH), 0);
	publisher_invalidate(publisher);
	cr_assert_eq(kernel.publishes, 0, "the page is another's");

	/* Woken, it asks again: somebody else may have been faster. */
	cr_assert_eq(publisher_keep(publisher, why, sizeof(why)), 0);
	cr_assert_eq(publisher_standby_fd(publisher), 77);
	/*
	 * Nobody can be the writer now: the descriptor is not polled, which would find it ready
	 * again and again.
	 */
	kernel.claim_result = -ENXIO;
	cr_assert_eq(publisher_keep(publisher, why, sizeof(why)), -ENXIO);
	cr_assert_eq(publisher_standby_fd(publisher), -1);
	cr_assert(publisher_waits(publisher));
	kernel.claim_result = 0;
	line = kernel.page.clock[0];
	cr_assert_eq(publisher_keep(publisher, why, sizeof(why)), PUBLISHER_TAKEN);
	cr_assert_not_null(strstr(why, "taken over"));
	cr_assert_eq(publisher_standby_fd(publisher), -1);
	cr_assert(!publisher_waits(publisher));
	cr_assert_eq(publish(EPOCH + 1000), 0);
	cr_assert_eq(kernel.page.header.generation, CHRONOTICK_STATE_GENERATION(line.state));
	cr_assert(line_utc(&line, kernel.update.join) ==
		  line_utc(&kernel.page.clock[0], kernel.update.join));
	publisher_close(publisher);
}

/* Who stands by for the module's page leaves shared memory alone, free as it is. */
Test(module, the_pages_are_taken_over_together)
{
	struct publish_config config = settings(PUBLISH_AUTO);
	struct publish_view views[PUBLISH_PAGES];

	fake_kernel_begin();
	snprintf(name, sizeof(name), "chronotick-test-%d-pair", (int)getpid());
	config.shm_name = name;
	config.standby = true;
	kernel.claim_result = -EBUSY;
	cr_assert_eq(publisher_try(&config), 0);
	cr_assert_eq(publisher_describe(publisher, views), 2);
	cr_assert_eq(views[0].role, PUBLISH_STANDBY);
	cr_assert_eq(views[1].role, PUBLISH_STANDBY);
	cr_assert_eq(publisher_keep(publisher, why, sizeof(why)), 0);
	publisher_describe(publisher, views);
	cr_assert_eq(views[1].role, PUBLISH_STANDBY);
	/* What nobody can write is not waited for. */
	kernel.claim_result = -ENXIO;
	cr_assert_eq(publisher_keep(publisher, why, sizeof(why)), PUBLISHER_TAKEN);
	publisher_describe(publisher, views);
	cr_assert_eq(views[0].role, PUBLISH_STANDBY);
	cr_assert_eq(views[1].role, PUBLISH_ACTIVE);
	publisher_close(publisher);

	kernel.claim_result = -EBUSY;
	cr_assert_eq(publisher_try(&config), 0);
	kernel.claim_result = 0;
	cr_assert_eq(publisher_keep(publisher, why, sizeof(why)), PUBLISHER_TAKEN);
	publisher_describe(publisher, views);
	cr_assert_eq(views[0].role, PUBLISH_ACTIVE);
	cr_assert_eq(views[1].role, PUBLISH_ACTIVE);
	publisher_close(publisher);
	shm_drop(name);
}

Test(module, another_counter_leaves_the_page_and_the_own_one_takes_it_again)
{
	struct counter other = {.kind = CHRONOTICK_COUNTER_TSC, .step = 1, .hz = fake_counter.hz};
	struct chronotick_clock line;
	struct bound_terms terms;

	other.mult = 1ULL << CHRONOTICK_MULT_SHIFT;
	open_active();
	cr_assert_eq(publish(EPOCH), 0);
	/* The same kind, with other settings */
	fake_counter.apart = 3;
	cr_assert_eq(publisher_counter_set(publisher, &fake_counter, why, sizeof(why)), 0);
	cr_assert_eq(kernel.claims, 2);
	cr_assert_eq(kernel.page.clock[0].mult, 0);
	cr_assert_eq(kernel.closed, 0);
	cr_assert_eq(publish(EPOCH), 0);

	cr_assert_eq(publisher_counter_set(publisher, &other, why, sizeof(why)), 0);
	cr_assert_not_null(strstr(why, "shared memory"), "%s", why);
	cr_assert_eq(kernel.page.clock[0].mult, 0, "what was told is void");
	cr_assert_eq(kernel.closed, 1, "the writer ends, so that clients look elsewhere");
	cr_assert_eq(role(), PUBLISH_OUT);
	cr_assert_null(publisher_page(publisher));
	publisher_line(publisher, &line, &terms);
	cr_assert_eq(line.mult, 0);
	cr_assert_eq(publisher_keep(publisher, why, sizeof(why)), 0);
	cr_assert(!publisher_waits(publisher));

	cr_assert_eq(publisher_counter_set(publisher, &fake_counter, why, sizeof(why)), 0);
	cr_assert_eq(role(), PUBLISH_ACTIVE);
	cr_assert_eq(publish(EPOCH), 0);
	cr_assert_gt(kernel.page.clock[0].span, 0);
	publisher_close(publisher);
	fake_counter.apart = 0;
}
