/* SPDX-License-Identifier: MIT */
/*
 * Each field of each argument, beyond each end of its range: refused with the errno that
 * chronotick_ioctl.h names, and nothing on the page has changed.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

static struct writer_rig rig;

/* Of the page, what only a success may change: lines and records but their sequences, and header. */
static void page_copy(struct chronotick_page *ret)
{
	memcpy(ret, rig.page, sizeof(*ret));
	ret->clock[0].seq = ret->clock[1].seq = 0;
	ret->record.sequence_number = ret->record_shadow.sequence_number = 0;
}

static int64_t rejections(void)
{
	return atoll(file_line("/sys/class/misc/chronotick/rejected"));
}

static void refused(struct chronotick_update *update, int wanted, const char *what)
{
	static struct chronotick_page before, after;
	int64_t count = rejections();

	page_copy(&before);
	check_result(command(rig.fd, CHRONOTICK_IOC_PUBLISH, update), wanted, "publish: %s", what);
	page_copy(&after);
	if (memcmp(&before, &after, sizeof(before)) != 0)
		check(false, "publish: %s: the page is as it was", what);
	if (rejections() != count + 1)
		check(false, "publish: %s: it is counted as rejected", what);
}

/* The update that is good, with one word of it changed */
static void word_refused(size_t offset, size_t size, uint64_t value, int wanted, const char *what)
{
	struct chronotick_update update;

	update_make(&rig, &update);
	memcpy((char *)&update + offset, &value, size);
	refused(&update, wanted, what);
}

#define REFUSED(field, value, wanted)                                                              \
	word_refused(offsetof(struct chronotick_update, field),                                    \
		     sizeof(((struct chronotick_update *)0)->field), (uint64_t)(value), wanted,    \
		     #field " = " #value)

static uint64_t bits(double value)
{
	uint64_t ret;

	memcpy(&ret, &value, sizeof(ret));
	return ret;
}

static uint64_t bits32(float value)
{
	uint32_t ret;

	memcpy(&ret, &value, sizeof(ret));
	return ret;
}

/* A counter value as it is when a check begins: a busy machine may take a second for those before. */
static uint64_t now(void)
{
	return counter_read(&rig.counter);
}

static void lines(void)
{
	const struct chronotick_clock standing = rig.page->clock[0];
	uint64_t mult = standing.mult;
	uint32_t g = rig.page->header.generation;
	uint64_t ms = rig.counter.hz / 1000;

	REFUSED(line.mult, mult + mult / 50, -EINVAL);
	REFUSED(line.mult, mult - mult / 50, -EINVAL);
	REFUSED(line.mult, 0, -EINVAL);
	REFUSED(line.mult, UINT64_MAX, -EINVAL);
	REFUSED(line.growth, mult + mult / 50, -EINVAL);
	REFUSED(line.growth, UINT64_MAX, -EINVAL);
	REFUSED(line.growth, mult / 5, -EINVAL); /* 1 s in the half-width at the end of the span */
	REFUSED(line.bound_ns, 0, -EINVAL);
	REFUSED(line.bound_ns, 1, -EINVAL);
	REFUSED(line.bound_ns, SECOND + 1, -EINVAL);
	REFUSED(line.bound_ns, UINT32_MAX, -EINVAL);
	REFUSED(line.span, 1, -ETIMEDOUT);
	REFUSED(line.span, ms * 10200, -EINVAL);
	REFUSED(line.span, CHRONOTICK_SPAN_MAX + 1, -EINVAL);
	REFUSED(line.span, UINT64_MAX, -EINVAL);
	REFUSED(line.span, 0, -EINVAL);
	REFUSED(line.anchor, now() + 1000 * ms, -EINVAL);
	REFUSED(line.anchor, now() - 1000 * ms, -ETIMEDOUT);
	REFUSED(line.anchor, now() + (1ULL << 63), -EINVAL);
	REFUSED(line.utc_ns, -1, -EINVAL);
	REFUSED(line.utc_ns, INT64_MAX, -EINVAL);
	REFUSED(line.utc_ns, 1LL << 62, -EINVAL);
	REFUSED(line.utc_ns, standing.utc_ns, -EINVAL); /* not what it is at the join */
	REFUSED(line.utc_frac, standing.utc_frac + 1, -EINVAL);
	REFUSED(line.state, CHRONOTICK_STATE(g, CHRONOTICK_UNSYNCHRONIZED, 37), -EINVAL);
	REFUSED(line.state, CHRONOTICK_STATE(g, CHRONOTICK_WARMING_UP, 37), -EINVAL);
	REFUSED(line.state, CHRONOTICK_STATE(g, CHRONOTICK_WRITER_GONE, 37), -EINVAL);
	REFUSED(line.state, CHRONOTICK_STATE(g, CHRONOTICK_EXPIRED, 37), -EINVAL);
	REFUSED(line.state, CHRONOTICK_STATE(g, 0xff, 37), -EINVAL);
	REFUSED(line.state, CHRONOTICK_STATE(g, 0x0302, 37), -EINVAL);
	REFUSED(line.state, CHRONOTICK_STATE(g, 0x0402, 37), -EINVAL);
	REFUSED(line.state, CHRONOTICK_STATE(g, 0x8002, 37), -EINVAL);
	REFUSED(line.state, CHRONOTICK_STATE(g + 2, CHRONOTICK_SYNCHRONIZED, 37), -ESTALE);
	REFUSED(line.state, CHRONOTICK_STATE(g - 1, CHRONOTICK_SYNCHRONIZED, 37), -ESTALE);
	REFUSED(join, now() + 1000 * ms, -EINVAL);
	REFUSED(join, now() - 1000 * ms, -ETIMEDOUT);
	REFUSED(join, now() + (1ULL << 60), -EINVAL);
	REFUSED(flags, 4, -EINVAL);
	REFUSED(flags, UINT32_MAX, -EINVAL);
	REFUSED(pad0, 1, -EINVAL);
	REFUSED(pad1[0], 1, -EINVAL);
	REFUSED(pad1[3], 1, -EINVAL);
	REFUSED(events, rig.page->header.kernel_events + 1, -ESTALE);
	REFUSED(events, rig.page->header.kernel_events - 1, -ESTALE);
}

static void records(void)
{
	uint64_t now = bits(rig.page->record.system_timestamp);

	REFUSED(record.corrected_timestamp, bits(NAN), -EINVAL);
	REFUSED(record.corrected_timestamp, bits(-1), -EINVAL);
	REFUSED(record.system_timestamp, bits(INFINITY), -EINVAL);
	REFUSED(record.system_timestamp, bits(1e18), -EINVAL); /* after valid_until */
	REFUSED(record.prediction_time, bits(-INFINITY), -EINVAL);
	REFUSED(record.offset_correction, bits(NAN), -EINVAL);
	REFUSED(record.offset_correction, bits(-INFINITY), -EINVAL);
	REFUSED(record.drift_rate, bits(INFINITY), -EINVAL);
	REFUSED(record.offset_uncertainty, bits(-1e-9), -EINVAL);
	REFUSED(record.drift_uncertainty, bits(-1e-9), -EINVAL);
	REFUSED(record.drift_uncertainty, bits(NAN), -EINVAL);
	REFUSED(record.valid_until, now - (1ULL << 40), -EINVAL);
	REFUSED(record.valid_until, bits(NAN), -EINVAL);
	REFUSED(record.confidence, bits32(1.0001F), -EINVAL);
	REFUSED(record.confidence, bits32(-0.5F), -EINVAL);
	REFUSED(record.confidence, bits32(NAN), -EINVAL);
	REFUSED(record.flags, 16, -EINVAL);
	REFUSED(record.flags, UINT32_MAX, -EINVAL);
	REFUSED(record.source, CHRONOTICK_PHC + 1, -EINVAL);
	REFUSED(record.pad0, 1, -EINVAL);
	REFUSED(record.last_ntp_sync, bits(INFINITY), -EINVAL);
	REFUSED(record.daemon_uptime, bits(-1), -EINVAL);
	REFUSED(record.reserved, 1, -EINVAL);
	REFUSED(record.average_latency_ms, bits32(INFINITY), -EINVAL);
	REFUSED(record.average_latency_ms, bits32(-1), -EINVAL);
	REFUSED(record.pad1[0], 1, -EINVAL);
	REFUSED(record.pad1[11], 1, -EINVAL);
}

/* An argument that ends where nothing is mapped any more */
static void *at_the_edge(const void *argument, size_t size)
{
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(pages + 4096, 4096);
	return memcpy(pages + 4096 - size, argument, size);
}

/* Where the result can't be stored, nothing is published either. */
static void nowhere_to_tell(void)
{
	struct chronotick_update update;
	void *copy;

	update_make(&rig, &update);
	copy = at_the_edge(&update, sizeof(update));
	mprotect((void *)((uintptr_t)copy & ~(uintptr_t)4095), 4096, PROT_READ);
	refused(copy, -EFAULT, "an argument that can't be written to");
}

/* size: of the struct; argument: one that is good */
static void sizes(unsigned long request, const char *name, const void *argument, uint32_t size)
{
	static char longer[8192];
	uint32_t *word = (uint32_t *)(void *)longer;
	static const uint32_t short_ones[] = {0, 1, 3, 4, 8};
	unsigned int i;

	memset(longer, 0, sizeof(longer));
	memcpy(longer, argument, size);
	for (i = 0; i < sizeof(short_ones) / sizeof(short_ones[0]); i++) {
		*word = short_ones[i];
		check_result(command(rig.fd, request, longer), -EINVAL, "%s: size %u", name,
			     short_ones[i]);
	}
	*word = size - 1;
	check_result(command(rig.fd, request, longer), -EINVAL, "%s: a byte too short", name);
	*word = size + 8;
	longer[size + 7] = 1;
	check_result(command(rig.fd, request, longer), -E2BIG, "%s: longer, and not 0", name);
	*word = 4097;
	longer[size + 7] = 0;
	check_result(command(rig.fd, request, longer), -E2BIG, "%s: more than a page", name);
	*word = UINT32_MAX;
	check_result(command(rig.fd, request, longer), -E2BIG, "%s: size 2^32 - 1", name);
	check_result(command(rig.fd, request, NULL), -EFAULT, "%s: no argument", name);
	check_result(command(rig.fd, request, (void *)(UINTPTR_MAX - 4095)), -EFAULT,
		     "%s: the kernel's memory", name);
	if (size < 4096) {
		*word = size + 64;
		check_result(command(rig.fd, request, at_the_edge(longer, size)), -EFAULT,
			     "%s: memory that ends before it does", name);
	}
}

static void longer_is_good(void)
{
	struct {
		struct chronotick_update update;
		uint64_t more[8];
	} longer = {0};

	update_make(&rig, &longer.update);
	longer.update.size = sizeof(longer);
	check_result(command(rig.fd, CHRONOTICK_IOC_PUBLISH, &longer), 0,
		     "publish: a newer program's, which does not use what is new");
}

static void claims(void)
{
	static const struct {
		const char *what;
		size_t offset, size;
		uint64_t value;
	} table[] = {
#define FIELD(name, value)                                                                         \
	{#name " = " #value, offsetof(struct chronotick_claim, name),                              \
	 sizeof(((struct chronotick_claim *)0)->name), (uint64_t)(value)}
		FIELD(flags, 4),
		FIELD(flags, UINT32_MAX),
		FIELD(counter_kind, CHRONOTICK_COUNTER_NONE),
		FIELD(counter_kind, CHRONOTICK_COUNTER_MONOTONIC_RAW),
		FIELD(counter_kind, UINT32_MAX),
		FIELD(pad0, 1),
		FIELD(frequency_hz, 0),
		FIELD(frequency_hz, 1001),
		FIELD(writer_timeout_ms, 0),
		FIELD(writer_timeout_ms, 1000001),
		FIELD(max_bound_ns, 0),
		FIELD(max_bound_ns, 1ULL << 32),
		FIELD(counter_hz, 0),
		FIELD(counter_hz, 1000),
		FIELD(counter_hz, UINT64_MAX),
	};
	struct chronotick_claim claim;
	unsigned int i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		claim_make(&claim, &rig.counter);
		memcpy((char *)&claim + table[i].offset, &table[i].value, table[i].size);
		check_result(command(rig.fd, CHRONOTICK_IOC_CLAIM, &claim), -EINVAL, "claim: %s",
			     table[i].what);
	}
	claim_make(&claim, &rig.counter);
	sizes(CHRONOTICK_IOC_CLAIM, "claim", &claim, sizeof(claim));
	claim.frequency_hz = 1000;
	claim.max_bound_ns = 4000;
	check_result(command(rig.fd, CHRONOTICK_IOC_CLAIM, &claim), 0, "claim: other settings");
	check(rig.page->header.frequency_hz == 1000 && rig.page->header.max_bound_ns == 4000 &&
		      !memcmp(rig.page->header.boot_id, claim.boot_id, 16),
	      "claim: the header has them");
	REFUSED(line.bound_ns, 4001, -EINVAL);
	claim_make(&claim, &rig.counter);
	check_result(command(rig.fd, CHRONOTICK_IOC_CLAIM, &claim), 0, "claim: as before");
}

static void figures(void)
{
	static struct chronotick_figures figures;
	const struct chronotick_page *page = rig.page;
	uint64_t heartbeat = page->header.heartbeat;

	figures.size = sizeof(figures);
	figures.statistics.source_count = CHRONOTICK_SOURCES_MAX + 1;
	check_result(command(rig.fd, CHRONOTICK_IOC_FIGURES, &figures), -EINVAL,
		     "figures: more sources than there are");
	figures.statistics.source_count = 2;
	figures.statistics.publish_count = 77;
	figures.statistics.packets_rejected = 99;
	strcpy(figures.source[1].name, "192.0.2.1");
	memset(figures.source[0].name, 'x', sizeof(figures.source[0].name));
	strcpy(figures.source[2].name, "not this one");
	figures.source[1].last_counter = 1234;
	figures.flags = 1;
	check_result(command(rig.fd, CHRONOTICK_IOC_FIGURES, &figures), -EINVAL,
		     "figures: flags = 1");
	figures.flags = 0;
	check_result(command(rig.fd, CHRONOTICK_IOC_FIGURES, &figures), 0, "figures");
	check(page->statistics.publish_count == 77 && page->statistics.packets_rejected == 99 &&
		      page->statistics.source_count == 2 &&
		      !strcmp(page->source[1].name, "192.0.2.1") &&
		      page->source[1].last_counter == 1234 && !page->source[2].name[0],
	      "figures: the page has them");
	check(page->source[0].name[sizeof(page->source[0].name) - 1] == '\0', "figures: names end");
	check(page->header.heartbeat > heartbeat, "figures: a sign of life");
	sizes(CHRONOTICK_IOC_FIGURES, "figures", &figures, sizeof(figures));
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

/* Each clock's value of the instant lies between what it tells before the call and after it. */
static void crosses(void)
{
	struct chronotick_cross cross = {.size = sizeof(cross)}, bad = {.flags = 1};
	const struct {
		const char *name;
		clockid_t clock;
		const __s64 *ns;
	} clocks[] = {
		{"CLOCK_REALTIME", CLOCK_REALTIME, &cross.realtime_ns},
		{"CLOCK_MONOTONIC", CLOCK_MONOTONIC, &cross.monotonic_ns},
		{"CLOCK_MONOTONIC_RAW", CLOCK_MONOTONIC_RAW, &cross.monotonic_raw_ns},
		{"CLOCK_BOOTTIME", CLOCK_BOOTTIME, &cross.boottime_ns},
	};
	int64_t before_ns[4], after_ns;
	uint64_t before, after;
	unsigned int i;

	bad.size = sizeof(bad);
	check_result(command(rig.fd, CHRONOTICK_IOC_CROSS, &bad), -EINVAL, "cross: flags = 1");
	sizes(CHRONOTICK_IOC_CROSS, "cross", &cross, sizeof(cross));
	for (i = 0; i < 4; i++)
		before_ns[i] = clock_ns(clocks[i].clock);
	before = counter_read(&rig.counter);
	check_result(command(rig.fd, CHRONOTICK_IOC_CROSS, &cross), 0, "cross");
	after = counter_read(&rig.counter);
	check(cross.counter - before <= after - before, "cross: the counter is of that moment");
	for (i = 0; i < 4; i++) {
		after_ns = clock_ns(clocks[i].clock);
		check(*clocks[i].ns >= before_ns[i] && *clocks[i].ns <= after_ns,
		      "cross: %s: %ld ns after a look at it, %ld before another one",
		      clocks[i].name, (long)(*clocks[i].ns - before_ns[i]),
		      (long)(after_ns - *clocks[i].ns));
	}
	check(cross.events == rig.page->header.kernel_events, "cross: events");
}

static void floor_set(void)
{
	static const char path[] = "/sys/module/chronotick/parameters/bound_floor_ns";

	check_result(file_write(path, "6000"), 0, "bound_floor_ns can be set");
	REFUSED(line.bound_ns, 5999, -EINVAL);
	file_write(path, "0");
	check_result(rig_publish(&rig), 0, "and reset");
}

int main(void)
{
	struct chronotick_update update;
	uint32_t sequence;

	if (!check_result(rig_open(&rig), 0, "a writer"))
		return 1;
	check_result(rig_publish(&rig), 0, "publish: the first line");
	sequence = rig.page->clock[0].seq;
	check_result(rig_publish(&rig), 0, "publish: another one");
	check(rig.page->clock[0].seq == sequence + 2 && !(sequence & 1),
	      "publish: the sequence goes up by two");
	check(rig.page->clock[1].bound_ns == rig.page->clock[0].bound_ns &&
		      rig.page->clock[1].utc_frac == rig.page->clock[0].utc_frac,
	      "publish: both lines are equal");
	check(!memcmp(&rig.page->record, &rig.page->record_shadow, 64),
	      "publish: both records too");
	lines();
	records();
	update_make(&rig, &update);
	sizes(CHRONOTICK_IOC_PUBLISH, "publish", &update, sizeof(update));
	nowhere_to_tell();
	longer_is_good();
	claims();
	figures();
	crosses();
	floor_set();
	check_result(command(rig.fd, _IO(0xc7, 4), &update), -ENOTTY, "an unknown command");
	check_result(command(rig.fd, CHRONOTICK_IOC_CLAIM | 0x40000000, &update), -ENOTTY,
		     "a known one in another direction");
	check(atoi(file_line("/sys/class/misc/chronotick/writer_pid")) == getpid() &&
		      rig.page->header.writer_pid == (uint32_t)getpid(),
	      "sysfs and the header name the writer");
	check(!strcmp(file_line("/sys/class/misc/chronotick/abi_version"), "1"), "sysfs: the ABI");
	check(strtol(file_line("/sys/class/misc/chronotick/state"), NULL, 0) ==
		      (CHRONOTICK_KERNEL_SERVES | CHRONOTICK_KERNEL_WRITER |
		       CHRONOTICK_KERNEL_COUNTER),
	      "sysfs: the state");
	{
		int64_t count = atoll(file_line("/sys/class/misc/chronotick/publications"));

		rig_publish(&rig);
		check(atoll(file_line("/sys/class/misc/chronotick/publications")) == count + 1,
		      "sysfs: publications are counted");
	}
	rig_close(&rig);
	return checks_end();
}
