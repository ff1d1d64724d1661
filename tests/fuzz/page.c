/* SPDX-License-Identifier: MIT */
/* Any 4096 bytes as the page behind a handle: reads neither crash nor misbehave. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#include "support/pagefile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A page that the input is written to, and a handle on it */
struct target {
	struct chronotick_page *page;
	struct chronotick *ct;
	char path[PAGEFILE_PATH_SIZE];
};

static void must(int condition)
{
	if (!condition)
		abort();
}

static void target_make(struct target *target, uint32_t kind)
{
	int fd = pagefile_make(target->path, NULL);

	must(fd >= 0);
	target->page = mmap(NULL, CHRONOTICK_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(target->page != MAP_FAILED);
	target->page->header.magic = CHRONOTICK_MAGIC;
	target->page->header.abi_version = CHRONOTICK_ABI_VERSION;
	target->page->header.page_size = CHRONOTICK_PAGE_SIZE;
	target->page->header.counter_kind = kind;
	chronotick_boot_id(target->page->header.boot_id);
	must(chronotick_open(&target->ct, target->path) == 0);
}

static struct target targets[2];

static void targets_drop(void)
{
	unlink(targets[0].path);
	unlink(targets[1].path);
}

/* No trust, no interval: whatever the page says. */
static void check(int r, const struct chronotick_interval *interval)
{
	must(r == 0 || r == -EAGAIN || r == -ESTALE || r == -ERANGE);
	if (r < 0)
		must(interval->earliest_ns == INT64_MIN && interval->latest_ns == INT64_MAX);
}

/* A batch answers as one by one; it may be asked about anything. */
static void batch(const struct chronotick *ct, uint64_t counter)
{
	struct chronotick_interval many[3], one;
	const uint64_t counters[3] = {counter, ~counter, 0};
	int results[3], first = 0, r, i;

	r = chronotick_at_batch(ct, counters, 3, many, results);
	for (i = 0; i < 3; i++) {
		check(results[i], &many[i]);
		must(chronotick_at(ct, counters[i], &one) == results[i]);
		must(memcmp(&one, &many[i], sizeof(one)) == 0);
		if (!first)
			first = results[i];
	}
	must(r == first);
}

/* What is made of intervals; of any two at most one order holds. */
static void intervals(const struct chronotick_interval *a, const struct chronotick_interval *b)
{
	enum chronotick_order order = chronotick_compare(a, b);
	struct chronotick_tai tai;

	must(order >= CHRONOTICK_BEFORE && order <= CHRONOTICK_AFTER);
	must((int)order == -(int)chronotick_compare(b, a));
	must((chronotick_interval_tai(a, &tai) == 0) ==
	     (a->tai_offset_s != CHRONOTICK_TAI_UNKNOWN));
	if (a->earliest_ns == INT64_MIN && a->latest_ns == INT64_MAX) {
		must(order == CHRONOTICK_OVERLAP);
		must(tai.earliest_ns == INT64_MIN && tai.latest_ns == INT64_MAX);
	}
}

/* Waits that end at once, or after a nap. */
static void waits(const struct chronotick *ct, const struct chronotick_interval *at)
{
	struct chronotick_change last = {0};
	struct chronotick_interval now;
	int timeout_ms, r;

	r = chronotick_wait_until(ct, at->utc_ns, 1000, &now);
	must(r == 0 || r == -ETIMEDOUT || r == -EAGAIN || r == -ESTALE || r == -ERANGE);
	must(r != 0 || now.earliest_ns > at->utc_ns);
	r = chronotick_poll_change(ct, -1, &last, &timeout_ms);
	must((r == 0 || r == -ETIMEDOUT) && timeout_ms >= -1);
	r = chronotick_wait_change(ct, &last, 1000);
	must(r == 0 || r == -ETIMEDOUT);
}

static void reads(const struct chronotick *ct, uint64_t counter)
{
	struct chronotick_interval interval, other;
	struct chronotick_record record;
	int64_t age;
	int r;

	check(chronotick_now(ct, &interval), &interval);
	check(chronotick_now_unordered(ct, &interval), &interval);
	check(chronotick_at(ct, counter, &interval), &interval);
	chronotick_status_name(interval.status);
	r = chronotick_now_within(ct, (int64_t)counter, &other);
	must(r == -EOVERFLOW || r <= 0);
	r = chronotick_at_within(ct, counter, 1000, &other);
	must(r != 0 || (uint64_t)other.latest_ns - (uint64_t)other.utc_ns <= 1000);
	intervals(&interval, &other);
	batch(ct, counter);
	if (counter % 16 == 0) /* they take long */
		waits(ct, &interval);
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
	struct chronotick *ct;
	uint64_t counter;
	unsigned int i;

	if (size < sizeof(counter) || size > sizeof(counter) + CHRONOTICK_PAGE_SIZE)
		return -1;
	if (!targets[0].ct) {
		must(atexit(targets_drop) == 0);
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
