/* SPDX-License-Identifier: MIT */
/*
 * What a 32-bit program gets of the module on a 64-bit kernel: the same page, and the same calls with
 * the same structs. It is built without a C library, as there is none of 32 bits.
 */
#include <asm/unistd_32.h>
#include <stdbool.h>
#include <stddef.h>

#include "chronotick_ioctl.h"

#define EINVAL 22
#define E2BIG 7
#define O_RDONLY 0
#define PROT_READ 1
#define PROT_WRITE 2
#define MAP_SHARED 1
#define EACCES 13
#define ETIMEDOUT 110
#define TRIES 20

_Static_assert(sizeof(void *) == 4, "a 32-bit program");
_Static_assert(sizeof(struct chronotick_page) == 4096, "the page");
_Static_assert(sizeof(struct chronotick_claim) == 56, "a claim");
_Static_assert(sizeof(struct chronotick_update) == 256, "an update");
_Static_assert(sizeof(struct chronotick_figures) == 3592, "figures");
_Static_assert(sizeof(struct chronotick_cross) == 56, "a cross-timestamp");

static int failures;

static long call(long number, long a, long b, long c)
{
	long r;

	__asm__ volatile("int $0x80" : "=a"(r) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
	return r;
}

static void text_put(const char *text)
{
	long size = 0;

	while (text[size])
		size++;
	call(__NR_write, 1, (long)text, size);
}

static void check(long got, long wanted, const char *what)
{
	char digits[] = ": -0000000000";
	unsigned long value = (unsigned long)-got;
	unsigned int i;

	text_put(got == wanted ? "ok - " : "not ok - ");
	text_put(what);
	if (got != wanted) {
		failures++;
		for (i = sizeof(digits) - 2; i > 2; i--, value /= 10)
			digits[i] = (char)('0' + value % 10);
		text_put(digits);
	}
	text_put("\n");
}

static __u64 counter(void)
{
	return __builtin_ia32_rdtsc();
}

/* 2^54 ns a count: a nanosecond's numerator, then the bits below it. */
static __u64 mult_of(__u64 hz)
{
	__u64 rest = 1000000000, ret = 0;
	int i;

	for (; rest >= hz; rest -= hz)
		ret++;
	for (i = 0; i < CHRONOTICK_MULT_SHIFT; i++) {
		rest <<= 1;
		ret <<= 1;
		if (rest >= hz) {
			rest -= hz;
			ret |= 1;
		}
	}
	return ret;
}

static long command(long fd, unsigned long request, const void *argument)
{
	return call(__NR_ioctl, fd, (long)request, (long)argument);
}

static long page_map(long fd, long protection)
{
	const long arguments[] = {0, CHRONOTICK_PAGE_SIZE, protection, MAP_SHARED, fd, 0};

	return call(__NR_mmap, (long)arguments, 0, 0);
}

static void crosses(long fd)
{
	static struct {
		struct chronotick_cross cross;
		__u64 more;
	} newer;
	__u64 before = counter(), after;

	newer.cross.size = sizeof(newer.cross);
	check(command(fd, CHRONOTICK_IOC_CROSS, &newer), 0, "a cross-timestamp");
	after = counter();
	check(newer.cross.counter - before <= after - before, true, "of that moment");
	check(newer.cross.realtime_ns > newer.cross.monotonic_ns && newer.cross.boottime_ns > 0,
	      true, "with the clocks");
	newer.cross.size = sizeof(newer);
	check(command(fd, CHRONOTICK_IOC_CROSS, &newer), 0, "a newer program's");
	newer.cross.size = sizeof(newer);
	newer.more = 1ULL << 63;
	check(command(fd, CHRONOTICK_IOC_CROSS, &newer), -E2BIG, "one that wants more");
	newer.cross.size = sizeof(newer.cross) - 4;
	check(command(fd, CHRONOTICK_IOC_CROSS, &newer), -EINVAL, "one that is cut off");
}

static void publishes(long fd, const struct chronotick_page *page)
{
	static struct chronotick_claim claim = {
		.size = sizeof(claim),
		.frequency_hz = 100,
		.writer_timeout_ms = 10000,
		.max_bound_ns = 1000000000,
	};
	static struct chronotick_update update = {
		.size = sizeof(update),
		.flags = CHRONOTICK_UPDATE_LINE | CHRONOTICK_UPDATE_RECORD,
		.line.bound_ns = 5000,
		.line.utc_ns = 1700000000000000000,
	};
	static struct chronotick_figures figures = {.size = sizeof(figures)};
	long r = -ETIMEDOUT;
	int tries;

	claim.counter_kind = page->header.counter_kind;
	claim.counter_hz = page->header.counter_hz;
	check(command(fd, CHRONOTICK_IOC_CLAIM, &claim), 0, "a claim");
	update.events = page->header.kernel_events;
	update.line.mult = mult_of(claim.counter_hz);
	update.line.growth = update.line.mult >> 20;
	update.line.span = claim.counter_hz;
	/* Late by itself on a busy machine */
	for (tries = 0; tries < TRIES && r == -ETIMEDOUT; tries++) {
		update.line.state =
			CHRONOTICK_STATE(page->header.generation + 1, CHRONOTICK_SYNCHRONIZED,
					 CHRONOTICK_TAI_UNKNOWN);
		update.line.anchor = counter();
		r = command(fd, CHRONOTICK_IOC_PUBLISH, &update);
	}
	check(r, 0, "a line and a record");
	check(update.published - update.line.anchor < claim.counter_hz, true, "told when");
	check(page->clock[0].anchor == update.line.anchor &&
		      page->clock[1].utc_ns == update.line.utc_ns &&
		      page->clock[0].mult == update.line.mult,
	      true, "the page has it");
	update.line.utc_ns = -1;
	check(command(fd, CHRONOTICK_IOC_PUBLISH, &update), -EINVAL, "one before 1970");
	update.flags = 0;
	check(command(fd, CHRONOTICK_IOC_PUBLISH, &update), 0, "a sign of life");
	figures.statistics.source_count = 1;
	figures.source[0].last_counter = 4711;
	check(command(fd, CHRONOTICK_IOC_FIGURES, &figures), 0, "figures");
	check(page->source[0].last_counter == 4711, true, "the page has them");
}

/* The stack is as the kernel has left it; code may ask for it to be aligned. */
__attribute__((force_align_arg_pointer)) void _start(void)
{
	long fd = call(__NR_open, (long)CHRONOTICK_DEVICE_PATH, O_RDONLY, 0);
	const struct chronotick_page *page =
		(const struct chronotick_page *)page_map(fd, PROT_READ);
	const bool mapped = (unsigned long)page < -4095UL;

	check(mapped, true, "the page is mapped");
	check(page_map(fd, PROT_READ | PROT_WRITE), -EACCES, "and not for writing");
	if (mapped) {
		check(page->header.magic == CHRONOTICK_MAGIC, true, "it is the page");
		crosses(fd);
		publishes(fd, page);
	}
	call(__NR_exit, failures != 0, 0, 0);
	__builtin_unreachable();
}
