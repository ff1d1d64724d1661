/* SPDX-License-Identifier: MIT */
/*
 * The module's backend, with a kernel that is made up: it answers each call with what the test has
 * laid out, stores what it takes, and counts.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#include "chronotick_ioctl.h"
#include "publish/module.h"
#include "publish/publish.h"
#include "publish/writer.h"
#include "support/publication.h"
#include "support/shm.h"

#define ANSWERS 16
#define PAGE_HZ 1000000000

static struct kernel {
	struct chronotick_page page;
	int open_result, map_result, claim_result, event_at;
	int answers[ANSWERS]; /* to PUBLISH, in order; then 0 */
	unsigned int publishes, claims, figures, opened, closed;
	bool refuses_records;
	struct chronotick_claim claim;
	struct chronotick_update update; /* the last one */
	struct chronotick_update before; /* the one before */
	struct chronotick_figures told;
} kernel;

static struct publisher *publisher;
static struct counter counter = {.kind = CHRONOTICK_COUNTER_MONOTONIC_RAW,
				 .step = 1,
				 .hz = PAGE_HZ,
				 .mult = 1ULL << CHRONOTICK_MULT_SHIFT};
static struct publish_facts facts;
static char why[300], name[64];
static int32_t owner;

static int kernel_open(void *data)
{
	(void)data;
	if (kernel.open_result < 0)
		return kernel.open_result;
	kernel.opened++;
	return 77;
}

static int kernel_map(void *data, int fd, const struct chronotick_page **ret)
{
	(void)data;
	cr_assert_eq(fd, 77);
	if (kernel.map_result == 0)
		*ret = &kernel.page;
	return kernel.map_result;
}

static void line_set(const struct chronotick_clock *line)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		uint32_t seq = kernel.page.clock[i].seq;

		kernel.page.clock[i] = *line;
		kernel.page.clock[i].seq = seq + 2;
	}
	kernel.page.header.generation = CHRONOTICK_STATE_GENERATION(line->state);
}

static int kernel_publish(struct chronotick_update *update)
{
	int answer = kernel.publishes < ANSWERS ? kernel.answers[kernel.publishes] : 0;

	kernel.publishes++;
	kernel.before = kernel.update;
	kernel.update = *update;
	cr_assert_eq(update->size, sizeof(*update));
	if (answer < 0)
		return answer;
	if (!update->flags)
		goto stored;
	if (update->events != kernel.page.header.kernel_events)
		return -ESTALE;
	if (update->flags & CHRONOTICK_UPDATE_RECORD && kernel.refuses_records)
		return -EINVAL;
	if (update->flags & CHRONOTICK_UPDATE_LINE)
		line_set(&update->line);
	if (update->flags & CHRONOTICK_UPDATE_RECORD) {
		update->record.sequence_number = kernel.page.record.sequence_number + 2;
		kernel.page.record = kernel.page.record_shadow = update->record;
	}
stored:
	update->published = counter_read(&counter);
	kernel.page.header.heartbeat = update->published;
	return 0;
}

static int kernel_command(void *data, int fd, unsigned long request, void *argument)
{
	(void)data;
	cr_assert_eq(fd, 77);
	switch (request) {
	case CHRONOTICK_IOC_CLAIM:
		kernel.claims++;
		memcpy(&kernel.claim, argument, sizeof(kernel.claim));
		return kernel.claim_result;
	case CHRONOTICK_IOC_PUBLISH:
		return kernel_publish(argument);
	case CHRONOTICK_IOC_FIGURES:
		kernel.figures++;
		memcpy(&kernel.told, argument, sizeof(kernel.told));
		return 0;
	default:
		return -ENOTTY;
	}
}

static void kernel_close(void *data, int fd, const struct chronotick_page *page)
{
	(void)data;
	(void)page;
	cr_assert_eq(fd, 77);
	kernel.closed++;
}

static const struct module_io io = {NULL, kernel_open, kernel_map, kernel_command, kernel_close};

static struct publish_config settings(uint8_t backend)
{
	return (struct publish_config){
		.backend = backend,
		.shm_name = PUBLISH_NO_SHM,
		.frequency_hz = 100,
		.writer_timeout_ms = 10000,
		.max_bound_ns = SECOND,
		.max_slew_ppb = 500000,
		.step_threshold_ns = 100000000,
		.module = &io,
	};
}

static void begin(void)
{
	struct chronotick_header *header = &kernel.page.header;

	memset(&kernel, 0, sizeof(kernel));
	header->magic = CHRONOTICK_MAGIC;
	header->abi_version = CHRONOTICK_ABI_VERSION;
	header->page_size = CHRONOTICK_PAGE_SIZE;
	header->counter_kind = CHRONOTICK_COUNTER_MONOTONIC_RAW;
	header->counter_hz = PAGE_HZ;
	header->kernel_state = CHRONOTICK_KERNEL_SERVES | CHRONOTICK_KERNEL_COUNTER;
	header->kernel_events = 5;
	why[0] = '\0';
}

static int try(const struct publish_config *config)
{
	return publisher_open(&publisher, config, &counter, &owner, why, sizeof(why));
}

static void open_active(void)
{
	struct publish_config config = settings(PUBLISH_MODULE);

	begin();
	cr_assert_eq(try(&config), 0, "%s", why);
}

static int publish(int64_t utc_ns)
{
	struct correction at;

	publisher_sample(publisher);
	at = correction(counter_read(&counter), utc_ns, counter.mult);
	return publisher_publish(publisher, &at, &facts);
}

static enum publish_role role(void)
{
	struct publish_view views[PUBLISH_PAGES];

	cr_assert_geq(publisher_describe(publisher, views), 1);
	cr_assert(views[0].is_module);
	cr_assert_str_eq(views[0].path, CHRONOTICK_DEVICE_PATH);
	return views[0].role;
}

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
	cr_assert_eq(kernel.claim.counter_hz, PAGE_HZ);
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
		begin();
		kernel.page.header.writer_pid = 4711;
		kernel.open_result = cases[i].open;
		kernel.map_result = cases[i].map;
		kernel.claim_result = cases[i].claim;
		cr_assert_eq(try(&config), cases[i].wanted, "case %u", i);
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

	begin();
	kernel.page.header.counter_kind = CHRONOTICK_COUNTER_CNTVCT;
	cr_assert_eq(try(&config), -ENOTSUP);
	cr_assert_eq(kernel.claims, 0);
	begin();
	kernel.page.header.abi_version++;
	cr_assert_eq(try(&config), -EPROTO);
	begin();
	kernel.page.header.magic++;
	cr_assert_eq(try(&config), -EPROTO);
	begin();
	kernel.page.header.kernel_state = 0;
	cr_assert_eq(try(&config), -EPROTO);
	cr_assert_eq(kernel.opened, kernel.closed);
}

Test(module, without_the_device_auto_goes_on_in_shared_memory)
{
	struct publish_config config = settings(PUBLISH_AUTO);
	struct publish_view views[PUBLISH_PAGES];

	begin();
	kernel.open_result = -ENOENT;
	cr_assert_eq(try(&config), -ENODEV, "with neither there is nothing to publish in");
	cr_assert_not_null(strstr(why, "modprobe chronotick"));
	snprintf(name, sizeof(name), "chronotick-test-%d-auto", (int)getpid());
	config.shm_name = name;
	cr_assert_eq(try(&config), 0);
	cr_assert_not_null(strstr(why, "modprobe chronotick"), "the log is told why: %s", why);
	cr_assert_eq(publisher_describe(publisher, views), 1);
	cr_assert(!views[0].is_module);
	cr_assert_eq(publish(EPOCH), 0);
	publisher_close(publisher);

	/* With it both pages are there, each with the line. */
	kernel.open_result = 0;
	cr_assert_eq(try(&config), 0);
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
	begin();
	config.backend = PUBLISH_SHM;
	cr_assert_eq(try(&config), 0);
	cr_assert_eq(kernel.opened, 0);
	publisher_close(publisher);
	shm_drop(name);
}

Test(module, lines_and_records_go_on_where_the_page_stands)
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
	line_set(&line);
	publisher_line(publisher, &line, &terms);
	cr_assert_eq(bound_terms_sum(&terms), 0);
	publisher_close(publisher);
}

Test(module, a_predecessors_promise_is_left_alone_with_signs_of_life)
{
	struct correction at;

	open_active();
	cr_assert_eq(publish(EPOCH), 0);
	at = correction(counter_read(&counter), EPOCH, counter.mult);
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

Test(module, a_predecessor_who_knew_more_is_left_alone_for_a_while)
{
	struct publish_config config = settings(PUBLISH_MODULE);
	struct chronotick_clock line;
	struct correction at;

	open_active();
	cr_assert_eq(publish(EPOCH), 0);
	line = kernel.page.clock[0];
	publisher_close(publisher);
	cr_assert_eq(try(&config), 0);
	/* Wrong by 0.2 s, and sure to a second: going on there would be a jump. */
	at = correction(counter_read(&counter), EPOCH + SECOND / 5, counter.mult);
	at.bound.total_ns = SECOND / 2;
	cr_assert_eq(publisher_publish(publisher, &at, &facts), 0);
	cr_assert_eq(kernel.update.flags, 0);
	cr_assert_eq(kernel.page.clock[0].anchor, line.anchor);
	/* Surer than that line is, it follows. */
	cr_assert_eq(publish(EPOCH), 0);
	cr_assert_gt(kernel.page.clock[0].anchor, line.anchor);
	/* And then it is its own line: no reason to wait. */
	at = correction(counter_read(&counter), EPOCH, counter.mult);
	at.bound.total_ns = SECOND / 2;
	line = kernel.page.clock[0];
	cr_assert_eq(publisher_publish(publisher, &at, &facts), 0);
	cr_assert_gt(kernel.page.clock[0].anchor, line.anchor);
	publisher_close(publisher);
}

Test(module, too_late_is_built_again_with_twice_the_window_and_kept_in_the_end)
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
	for (i = 0; i < ANSWERS; i++)
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

Test(module, an_event_puts_off_the_publication_until_the_next_round)
{
	struct correction at;

	open_active();
	publisher_sample(publisher);
	at = correction(counter_read(&counter), EPOCH, counter.mult);
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

Test(module, no_time_on_another_clocksource_and_one_again_after_it)
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

Test(module, a_record_that_is_refused_does_not_keep_the_line)
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
	cr_assert_eq(try(&config), 0);
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

	begin();
	snprintf(name, sizeof(name), "chronotick-test-%d-pair", (int)getpid());
	config.shm_name = name;
	config.standby = true;
	kernel.claim_result = -EBUSY;
	cr_assert_eq(try(&config), 0);
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
	cr_assert_eq(try(&config), 0);
	kernel.claim_result = 0;
	cr_assert_eq(publisher_keep(publisher, why, sizeof(why)), PUBLISHER_TAKEN);
	publisher_describe(publisher, views);
	cr_assert_eq(views[0].role, PUBLISH_ACTIVE);
	cr_assert_eq(views[1].role, PUBLISH_ACTIVE);
	publisher_close(publisher);
	shm_drop(name);
}

Test(module, invalid_is_invalid_whatever_happens_meanwhile)
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

Test(module, an_orderly_end_takes_the_records_trust_away)
{
	open_active();
	cr_assert_eq(publish(EPOCH), 0);
	publisher_close(publisher);
	cr_assert_eq(kernel.update.flags, CHRONOTICK_UPDATE_RECORD);
	cr_assert_eq(kernel.page.record.flags, 0);
	cr_assert_gt(kernel.page.clock[0].span, 0, "the line's promise stands");
	cr_assert_eq(kernel.closed, 1);
}

Test(module, figures_are_told_with_the_publications)
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

Test(module, another_counter_leaves_the_page_and_the_own_one_takes_it_again)
{
	struct counter other = {.kind = CHRONOTICK_COUNTER_TSC, .step = 1, .hz = PAGE_HZ};
	struct chronotick_clock line;
	struct bound_terms terms;

	other.mult = 1ULL << CHRONOTICK_MULT_SHIFT;
	open_active();
	cr_assert_eq(publish(EPOCH), 0);
	/* The same kind, with other settings */
	counter.apart = 3;
	cr_assert_eq(publisher_counter_set(publisher, &counter, why, sizeof(why)), 0);
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

	cr_assert_eq(publisher_counter_set(publisher, &counter, why, sizeof(why)), 0);
	cr_assert_eq(role(), PUBLISH_ACTIVE);
	cr_assert_eq(publish(EPOCH), 0);
	cr_assert_gt(kernel.page.clock[0].span, 0);
	publisher_close(publisher);
	counter.apart = 0;
}
