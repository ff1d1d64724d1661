/* SPDX-License-Identifier: MIT */
/*
 * A writer that never rests, and a reader that checks every answer. Every word of every line and
 * record follows from one number, which the answer carries along, so an answer that mixes two
 * lines or records can't go unnoticed.
 *
 *	saturate [READS]	default 10^8; one read in eight is of the record
 *
 * Exit 0 if every read was answered and every answer was consistent.
 */
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#include "publish/page.h"
#include "support/pagefile.h"
#include "timestamping/counter.h"

static struct counter counter;
static struct chronotick_page *page;
static uint64_t base; /* all anchors are at most 2^30 counts before it */
static bool stop;

static uint64_t mix(uint64_t number)
{
	number *= 0x9e3779b97f4a7c15;
	number ^= number >> 29;
	number *= 0xbf58476d1ce4e5b9;
	return number ^ number >> 32;
}

/* The line of a number. With this growth the half-width tells the counts since the anchor. */
static void line_of(struct chronotick_clock *ret, uint32_t number)
{
	uint64_t bits = mix(number);

	ret->seq = 0;
	ret->bound_ns = (uint32_t)(bits >> 8);
	ret->state = CHRONOTICK_STATE(number, CHRONOTICK_SYNCHRONIZED + (bits & 1), bits >> 3);
	ret->anchor = base - (bits & ((1 << 30) - 1));
	ret->span = CHRONOTICK_SPAN_MAX - (bits & 0xffff);
	ret->mult = counter.mult + (mix(bits) & 0xffffffffffff);
	ret->growth = 1ULL << CHRONOTICK_MULT_SHIFT;
	ret->utc_ns = 1700000000000000000 + (int64_t)(mix(bits + 1) >> 8);
	ret->utc_frac = mix(bits + 2);
}

static void record_of(struct chronotick_record *ret, uint32_t number)
{
	double value = number;

	memset(ret, 0, sizeof(*ret));
	ret->corrected_timestamp = value + 1;
	ret->system_timestamp = value + 2;
	ret->prediction_time = value + 3;
	ret->offset_correction = value + 4;
	ret->drift_rate = value + 5;
	ret->offset_uncertainty = value + 6;
	ret->drift_uncertainty = value + 7;
	ret->valid_until = value + 8;
	ret->confidence = (float)(number & 0xffff);
	ret->flags = number ^ 0x55555555;
	ret->source = number + 9;
	ret->measurement_count = number;
	ret->last_ntp_sync = value + 10;
	ret->daemon_uptime = value + 11;
	ret->total_corrections = number * 3;
	ret->average_latency_ms = (float)(number & 0xfff);
}

static void pin(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	/* On one CPU, or in a smaller set, the test is weaker, not wrong. */
	sched_setaffinity(0, sizeof(set), &set);
}

static void *write_on(void *data)
{
	struct chronotick_record record;
	struct chronotick_clock line;
	uint32_t number;

	pin(1);
	for (number = 1; !__atomic_load_n(&stop, __ATOMIC_RELAXED); number++) {
		line_of(&line, number);
		page_clock_write(page, &line);
		if (number % 4 == 0) {
			record_of(&record, number);
			page_record_write(page, &record);
		}
		*(uint32_t *)data = number;
	}
	return NULL;
}

static bool interval_is_whole(const struct chronotick_interval *got, uint64_t *last)
{
	struct chronotick_clock line;
	unsigned __int128 utc;
	uint64_t half, passed;

	line_of(&line, got->generation);
	half = (uint64_t)(got->latest_ns - got->utc_ns);
	passed = half - line.bound_ns;
	utc = ((unsigned __int128)line.utc_ns << 64 | line.utc_frac) +
	      (unsigned __int128)(passed << 10) * line.mult;
	if ((int64_t)(utc >> 64) != got->utc_ns || got->utc_ns - got->earliest_ns != (int64_t)half)
		return false;
	if (got->status != CHRONOTICK_STATE_STATUS(line.state) ||
	    got->tai_offset_s != CHRONOTICK_STATE_TAI(line.state) || passed > line.span)
		return false;
	/* The counter that it was computed for does not go back either. */
	if (line.anchor + passed < *last)
		return false;
	*last = line.anchor + passed;
	return true;
}

static bool record_is_whole(const struct chronotick_record *got)
{
	struct chronotick_record whole;

	record_of(&whole, got->measurement_count);
	whole.sequence_number = got->sequence_number;
	return memcmp(&whole, got, sizeof(whole)) == 0;
}

int main(int argc, char **argv)
{
	uint64_t reads = argc > 1 ? strtoull(argv[1], NULL, 0) : 100000000, i;
	uint64_t wrong = 0, unanswered = 0, records = 0, last = 0, begun;
	struct chronotick_page first = {0};
	uint32_t published = 0;
	struct chronotick *ct = NULL;
	pthread_t writer;
	char path[PAGEFILE_PATH_SIZE];
	int fd, r;

	if (counter_init(&counter, CHRONOTICK_COUNTER_NONE) < 0)
		return 77;
	base = counter_read(&counter);
	first.header.magic = CHRONOTICK_MAGIC;
	first.header.abi_version = CHRONOTICK_ABI_VERSION;
	first.header.page_size = CHRONOTICK_PAGE_SIZE;
	first.header.counter_kind = counter.kind;
	chronotick_boot_id(first.header.boot_id);
	line_of(&first.clock[0], 0);
	first.clock[1] = first.clock[0];
	record_of(&first.record, 0);
	first.record.sequence_number = 2;
	first.record_shadow = first.record;
	fd = pagefile_make(path, &first);
	if (fd < 0)
		return 1;
	r = chronotick_open(&ct, path);
	unlink(path);
	if (r < 0)
		return 1;
	page = mmap(NULL, CHRONOTICK_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED || pthread_create(&writer, NULL, write_on, &published) != 0)
		return 1;

	pin(0);
	begun = counter_read(&counter);
	for (i = 0; i < reads; i++) {
		struct chronotick_interval interval;
		struct chronotick_record record;

		if (i % 8 == 7) {
			records++;
			if (chronotick_record_read(ct, &record) < 0)
				unanswered++;
			else if (!record_is_whole(&record))
				wrong++;
		} else if (chronotick_now(ct, &interval) < 0) {
			unanswered++;
		} else if (!interval_is_whole(&interval, &last)) {
			wrong++;
		}
	}
	begun = counter_read(&counter) - begun;
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(writer, NULL);
	printf("%lu reads in %.1f s, %lu of them of the record, against %u publications; %lu slow "
	       "tries\n",
	       (unsigned long)reads, (double)counter_to_ns(&counter, begun) / 1e9,
	       (unsigned long)records, published, (unsigned long)chronotick_torn_reads());
	printf("inconsistent answers accepted: %lu, reads without an answer: %lu\n",
	       (unsigned long)wrong, (unsigned long)unanswered);
	chronotick_close(ct);
	return wrong || unanswered || published < 2 ? 1 : 0;
}
