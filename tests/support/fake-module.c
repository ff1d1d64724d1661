/* SPDX-License-Identifier: MIT */
#include "support/fake-module.h"

#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/publication.h"

#define PAGE_HZ 1000000000

struct fake_kernel kernel;
struct publisher *publisher;
struct counter fake_counter = {.kind = CHRONOTICK_COUNTER_MONOTONIC_RAW,
			       .step = 1,
			       .hz = PAGE_HZ,
			       .mult = 1ULL << CHRONOTICK_MULT_SHIFT};
struct publish_facts facts;
char why[300];
int32_t owner;

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

void fake_line_set(const struct chronotick_clock *line)
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
	int answer = kernel.publishes < FAKE_ANSWERS ? kernel.answers[kernel.publishes] : 0;

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
		fake_line_set(&update->line);
	if (update->flags & CHRONOTICK_UPDATE_RECORD) {
		update->record.sequence_number = kernel.page.record.sequence_number + 2;
		kernel.page.record = kernel.page.record_shadow = update->record;
	}
stored:
	update->published = counter_read(&fake_counter);
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

const struct module_io fake_module_io = {NULL, kernel_open, kernel_map, kernel_command,
					 kernel_close};

struct publish_config settings(uint8_t backend)
{
	return (struct publish_config){
		.backend = backend,
		.shm_name = PUBLISH_NO_SHM,
		.frequency_hz = 100,
		.writer_timeout_ms = 10000,
		.max_bound_ns = SECOND,
		.max_slew_ppb = 500000,
		.step_threshold_ns = 100000000,
		.module = &fake_module_io,
	};
}

void fake_kernel_begin(void)
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

int publisher_try(const struct publish_config *config)
{
	return publisher_open(&publisher, config, &fake_counter, &owner, why, sizeof(why));
}

void open_active(void)
{
	struct publish_config config = settings(PUBLISH_MODULE);

	fake_kernel_begin();
	cr_assert_eq(publisher_try(&config), 0, "%s", why);
}

int publish(int64_t utc_ns)
{
	struct correction at;

	publisher_sample(publisher);
	at = correction(counter_read(&fake_counter), utc_ns, fake_counter.mult);
	return publisher_publish(publisher, &at, &facts);
}

enum publish_role role(void)
{
	struct publish_view views[PUBLISH_PAGES];

	cr_assert_geq(publisher_describe(publisher, views), 1);
	cr_assert(views[0].is_module);
	cr_assert_str_eq(views[0].path, CHRONOTICK_DEVICE_PATH);
	return views[0].role;
}
