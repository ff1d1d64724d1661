/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#ifndef CHRONOTICK_HEADER_ONLY
#define CHRONOTICK_HEADER_ONLY
#endif
#include <chronotick/chronotick.h>

#include "support/handmade.h"

#define SECOND 1000000000LL

#if defined(__x86_64__)
#define KIND CHRONOTICK_COUNTER_TSC
#elif defined(__aarch64__)
#define KIND CHRONOTICK_COUNTER_CNTVCT
#else
#define KIND CHRONOTICK_COUNTER_MONOTONIC_RAW
#endif

static int64_t clock_ns(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

static uint64_t counter_now(void)
{
	return chronotick_counter_of(KIND, CHRONOTICK_READ_ORDERED);
}

/* Nanoseconds per count, measured for a twentieth of a second. */
static double counter_period_ns(void)
{
	int64_t start_ns = clock_ns(CLOCK_MONOTONIC_RAW), now_ns;
	uint64_t start = counter_now();

	do
		now_ns = clock_ns(CLOCK_MONOTONIC_RAW);
	while (now_ns - start_ns < SECOND / 20);
	return (double)(now_ns - start_ns) / (double)(counter_now() - start);
}

static void state_set(struct chronotick_page *page, unsigned int status, int tai_s)
{
	page->clock[0].state = CHRONOTICK_STATE(3, status, tai_s);
}

static void trusted(struct chronotick_page *page)
{
	(void)page; /* what every page begins as */
}

static void holdover(struct chronotick_page *page)
{
	state_set(page, CHRONOTICK_HOLDOVER | CHRONOTICK_LEAP_INSERT, 37);
	page->source[0].state = CHRONOTICK_SOURCE_UNREACHABLE;
}

static void warming_up(struct chronotick_page *page)
{
	state_set(page, CHRONOTICK_WARMING_UP, CHRONOTICK_TAI_UNKNOWN);
	page->clock[0].span = 0;
	page->record.flags = CHRONOTICK_FLAG_NTP_READY;
	page->record.confidence = 0;
	page->statistics.warmup_percent = 42;
}

static void unsynchronized(struct chronotick_page *page)
{
	memset(&page->clock[0], 0, sizeof(page->clock[0]));
	state_set(page, CHRONOTICK_UNSYNCHRONIZED, CHRONOTICK_TAI_UNKNOWN);
	memset(&page->record, 0, sizeof(page->record));
	memset(page->source, 0, sizeof(page->source));
	memset(&page->statistics, 0, sizeof(page->statistics));
}

static void expired(struct chronotick_page *page)
{
	page->clock[0].span = 1000;
	page->clock[0].anchor -= page->header.counter_hz;
	page->record.valid_until = page->record.system_timestamp - 1;
}

/* As a line ends that was held after the majority had gone */
static void divided(struct chronotick_page *page)
{
	state_set(page, CHRONOTICK_HOLDOVER, 37);
	expired(page);
	page->source[0].state = CHRONOTICK_SOURCE_FALSETICKER;
}

/* The line holds, but the writer's last round was an hour ago. */
static void killed(struct chronotick_page *page)
{
	page->header.heartbeat -= 3600 * page->header.counter_hz;
}

static void stopped(struct chronotick_page *page)
{
	state_set(page, CHRONOTICK_WRITER_GONE, 37);
	page->header.writer_pid = 0;
	page->record.flags = 0;
	page->record.confidence = 0;
}

/* A page that passes for one when it is opened, and then means ill. */
static void hostile(struct chronotick_page *page)
{
	unsigned int i;

	memset((char *)page + offsetof(struct chronotick_page, statistics), 0xff,
	       sizeof(*page) - offsetof(struct chronotick_page, statistics));
	for (i = 0; i < CHRONOTICK_SOURCES_MAX; i++)
		memset(page->source[i].name, 0x1b, sizeof(page->source[i].name));
	page->record.offset_correction = NAN;
	page->record.drift_rate = INFINITY;
	page->record.confidence = -NAN;
	page->record.last_ntp_sync = 1e308;
	page->record.daemon_uptime = -1e308;
	page->record.prediction_time = NAN;
	page->record.source = 0xffffffff;
	page->record.flags = 0xffffffff;
	page->header.frequency_hz = 0xffffffff;
	page->header.heartbeat = ~0ULL;
	page->header.writer_pid = 0xffffffff;
	page->clock[0].bound_ns = 0xffffffff;
	page->clock[0].state = ~0ULL;
	page->clock[0].growth = ~0ULL;
	page->clock[0].mult = ~0ULL;
	page->clock[0].span = ~0ULL;
	page->clock[0].utc_ns = INT64_MAX;
}

/* Each field of the record has its own value; tests/integration/record-python knows them. */
static void distinct(struct chronotick_page *page)
{
	page->record = (struct chronotick_record){
		.corrected_timestamp = 1.5,
		.system_timestamp = 2.5,
		.prediction_time = 3.5,
		.offset_correction = -4.5,
		.drift_rate = 5.5e-6,
		.offset_uncertainty = 6.5e-6,
		.drift_uncertainty = 7.5e-9,
		.valid_until = 8.5,
		.confidence = 0.75F,
		.sequence_number = 10,
		.flags = 11,
		.source = 12,
		.measurement_count = 13,
		.last_ntp_sync = 14.5,
		.daemon_uptime = 15.5,
		.total_corrections = 16,
		.reserved = 17,
		.average_latency_ms = 18.5F,
	};
}

/* The same, at offset 0 in the released Python client's order */
static void distinct_python(struct chronotick_page *page)
{
	distinct(page);
	page->header.record_order = CHRONOTICK_ORDER_PYTHON;
}

static void no_magic(struct chronotick_page *page)
{
	page->header.magic ^= 1;
}

static void other_boot(struct chronotick_page *page)
{
	page->header.boot_id[0] ^= 1;
}

static void other_version(struct chronotick_page *page)
{
	page->header.abi_version++;
}

const struct handmade_state handmade_states[] = {
	{"trusted", "synchronized to one source", trusted},
	{"holdover", "no reference now, a leap second to come", holdover},
	{"warming_up", "measured, not trusted yet", warming_up},
	{"unsynchronized", "nothing measured yet", unsynchronized},
	{"expired", "the line's span has passed, the writer lives", expired},
	{"divided", "the same, and the sources that answer do not agree", divided},
	{"killed", "the line holds, the writer has not been seen for an hour", killed},
	{"stopped", "the line holds, the writer has ended in order", stopped},
	{"hostile", "numbers and texts gone mad", hostile},
	{"distinct", "a record with a value of its own in each field", distinct},
	{"distinct_python", "the same, in the Python client's order at offset 0", distinct_python},
	{"no_magic", "not a page", no_magic},
	{"other_boot", "from before the machine's last start", other_boot},
	{"other_version", "of another ABI version", other_version},
	{NULL},
};

static void line_fill(struct chronotick_page *page, double period_ns)
{
	struct chronotick_clock *line = &page->clock[0];
	int64_t real_ns = clock_ns(CLOCK_REALTIME);

	line->anchor = counter_now();
	line->seq = 2;
	line->bound_ns = HANDMADE_BOUND_NS;
	state_set(page, CHRONOTICK_SYNCHRONIZED, 37);
	line->span = (uint64_t)(600e9 / period_ns);
	line->mult = (uint64_t)(period_ns * (double)(1ULL << CHRONOTICK_MULT_SHIFT));
	line->growth = line->mult / 1000000; /* 1 ppm */
	line->utc_ns = real_ns + HANDMADE_OFFSET_NS;
	line->utc_frac = 1ULL << 63;
}

static void record_fill(struct chronotick_page *page)
{
	struct chronotick_record *record = &page->record;
	double now_s = (double)clock_ns(CLOCK_REALTIME) * 1e-9;

	record->corrected_timestamp = now_s + HANDMADE_OFFSET_NS * 1e-9;
	record->system_timestamp = now_s;
	record->prediction_time = now_s;
	record->offset_correction = HANDMADE_OFFSET_NS * 1e-9;
	record->drift_rate = 2.5e-6;
	record->offset_uncertainty = 1e-6;
	record->drift_uncertainty = 1e-9;
	record->valid_until = now_s + 600;
	record->confidence = 0.9F;
	record->sequence_number = 2;
	record->flags =
		CHRONOTICK_FLAG_VALID | CHRONOTICK_FLAG_NTP_READY | CHRONOTICK_FLAG_WARMUP_COMPLETE;
	record->source = CHRONOTICK_NTP;
	record->measurement_count = 123;
	record->last_ntp_sync = now_s - 4;
	record->daemon_uptime = 321;
	record->total_corrections = 456;
	record->average_latency_ms = 1.8e-5F;
}

static void header_fill(struct chronotick_header *header, double period_ns)
{
	header->magic = CHRONOTICK_MAGIC;
	header->abi_version = CHRONOTICK_ABI_VERSION;
	header->page_size = CHRONOTICK_PAGE_SIZE;
	header->counter_kind = KIND;
	header->generation = 3;
	header->counter_hz = (uint64_t)(1e9 / period_ns);
	header->writer_pid = 4321;
	header->heartbeat = counter_now();
	header->frequency_hz = 100;
	header->writer_timeout_ms = 10000;
	header->max_bound_ns = SECOND;
	header->generation_start = header->heartbeat - header->counter_hz;
	chronotick_boot_id(header->boot_id);
}

static void rest_fill(struct chronotick_page *page)
{
	struct chronotick_source *source = &page->source[0];

	page->statistics.warmup_percent = 100;
	page->statistics.source_count = 1;
	page->statistics.publish_count = 1000;
	page->statistics.publish_last_ns = 2000;
	page->statistics.publish_mean_ns = 2100;
	page->statistics.publish_max_ns = 9000;
	page->statistics.read_measured_ns = 1;
	page->statistics.read_count = 5000;
	page->statistics.read_min_ps = 17000;
	page->statistics.read_mean_ps = 18000;
	page->statistics.read_p50_ps = 18100;
	page->statistics.read_p99_ps = 19000;
	page->statistics.read_max_ps = 99000;
	strcpy(source->name, "192.0.2.1");
	source->kind = CHRONOTICK_NTP;
	source->state = CHRONOTICK_SOURCE_SELECTED;
	source->tx_stamp = CHRONOTICK_STAMP_KERNEL;
	source->rx_stamp = CHRONOTICK_STAMP_KERNEL;
	source->stratum = 1;
	source->reach = 0377;
	source->offset_ns = -250;
	source->delay_ns = 30000;
	source->root_distance_ns = 45000;
	source->samples = 123;
	source->last_counter = page->header.heartbeat;
}

/* prediction_time goes behind the four words that follow it. */
static void record_rotate(struct chronotick_record *record)
{
	double words[5];

	memcpy(words, (char *)record + 16, sizeof(words));
	memcpy((char *)record + 16, &words[1], 4 * sizeof(words[0]));
	memcpy((char *)record + 48, &words[0], sizeof(words[0]));
}

int handmade_create(struct chronotick_page **ret, const char *path, const char *name)
{
	const struct handmade_state *state = handmade_states;
	struct chronotick_page *page;
	double period_ns;
	int fd, r = 0;

	while (state->name && strcmp(state->name, name) != 0)
		state++;
	if (!state->name)
		return -EINVAL;
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, CHRONOTICK_PAGE_SIZE) < 0) {
		r = -errno;
		goto close;
	}
	page = mmap(NULL, CHRONOTICK_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED) {
		r = -errno;
		goto close;
	}
	period_ns = counter_period_ns();
	header_fill(&page->header, period_ns);
	line_fill(page, period_ns);
	record_fill(page);
	rest_fill(page);
	state->apply(page);
	page->clock[1] = page->clock[0];
	page->record_shadow = page->record;
	if (page->header.record_order == CHRONOTICK_ORDER_PYTHON)
		record_rotate(&page->record);
	*ret = page;
close:
	close(fd);
	return r;
}

void handmade_unmap(struct chronotick_page *page)
{
	munmap(page, CHRONOTICK_PAGE_SIZE);
}
