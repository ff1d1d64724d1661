/* SPDX-License-Identifier: MIT */
/* Any 4096 bytes as the page behind a handle: reads neither crash nor misbehave. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A page that the input is written to, and a handle on it */
struct target {
	struct chronotick_page *page;
	struct chronotick *ct;
	char path[32];
};

static void must(int condition)
{
	if (!condition)
		abort();
}

static void target_make(struct target *target, uint32_t kind)
{
	int fd = memfd_create("page", 0);

	must(fd >= 0 && ftruncate(fd, CHRONOTICK_PAGE_SIZE) == 0);
	target->page = mmap(NULL, CHRONOTICK_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(target->page != MAP_FAILED);
	target->page->header.magic = CHRONOTICK_MAGIC;
	target->page->header.abi_version = CHRONOTICK_ABI_VERSION;
	target->page->header.page_size = CHRONOTICK_PAGE_SIZE;
	target->page->header.counter_kind = kind;
	chronotick_boot_id(target->page->header.boot_id);
	snprintf(target->path, sizeof(target->path), "/proc/self/fd/%d", fd);
	must(chronotick_open(&target->ct, target->path) == 0);
}

/* No trust, no interval: whatever the page says. */
static void check(int r, const struct chronotick_interval *interval)
{
	must(r == 0 || r == -EAGAIN || r == -ESTALE || r == -ERANGE);
	if (r < 0)
		must(interval->earliest_ns == INT64_MIN && interval->latest_ns == INT64_MAX);
}

static void reads(const struct chronotick *ct, uint64_t counter)
{
	struct chronotick_interval interval;
	struct chronotick_record record;
	int64_t age;

	check(chronotick_now(ct, &interval), &interval);
	check(chronotick_now_unordered(ct, &interval), &interval);
	check(chronotick_at(ct, counter, &interval), &interval);
	chronotick_status_name(interval.status);
	if (chronotick_record_read(ct, &record) == 0) {
		must(!(record.sequence_number & 1));
		chronotick_corrected_time_at(&record, 1.7e9);
		chronotick_uncertainty_at(&record, 1.7e9);
		chronotick_source_name(record.source);
	}
	chronotick_writer_check(ct, &age);
	must(age >= 0);
}

/* The first 8 bytes are a counter value for chronotick_at(), the rest is the page's beginning. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct target targets[2];
	struct chronotick *ct;
	uint64_t counter;
	unsigned int i;

	if (size < sizeof(counter) || size > sizeof(counter) + CHRONOTICK_PAGE_SIZE)
		return -1;
	if (!targets[0].ct) {
#if defined(__x86_64__)
		target_make(&targets[0], CHRONOTICK_COUNTER_TSC);
#else
		target_make(&targets[0], CHRONOTICK_COUNTER_CNTVCT);
#endif
		target_make(&targets[1], CHRONOTICK_COUNTER_MONOTONIC_RAW);
	}
	memcpy(&counter, data, sizeof(counter));
	data += sizeof(counter);
	size -= sizeof(counter);
	for (i = 0; i < 2; i++) {
		memset(targets[i].page, 0, CHRONOTICK_PAGE_SIZE);
		memcpy(targets[i].page, data, size);
		reads(targets[i].ct, counter);
		/* A line of about now, so that now() is not always before or after it */
		targets[i].page->clock[0].anchor += chronotick_counter(targets[i].ct);
		reads(targets[i].ct, targets[i].page->clock[0].anchor + counter);
	}
	/* Opening it is for whoever calls; most are refused. */
	if (chronotick_open(&ct, targets[1].path) == 0)
		chronotick_close(ct);
	return 0;
}
