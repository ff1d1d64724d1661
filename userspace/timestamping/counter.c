/* SPDX-License-Identifier: MIT */
#include "timestamping/counter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "chronotick_page.h"
#include "timestamping/device.h"

#define NS_PER_S 1000000000LL

/* Three readings, this far apart, make two rates that have to agree. */
#define CALIBRATION_NS 20000000L
#define CALIBRATION_TRIES 2
#define CALIBRATION_BRACKETS 50
#define CALIBRATION_SPREAD_PPM 100

#define STEP_READS 200

/* How long a kernel that has just started is waited for, and how often it is looked at */
#define EARLY_MS 10000
#define EARLY_STEP_MS 50

static int64_t raw_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

#if defined(__x86_64__)
#define CPUID_POWER 0x80000007U
#define CPUID_POWER_EDX_INVARIANT_TSC (1U << 8)

static uint64_t native_read(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high)::"memory");
	return (uint64_t)high << 32 | low;
}

static bool clocksource_is(const char *name)
{
	size_t size = strlen(name);
	char text[32];
	ssize_t got;
	int fd;

	fd = open("/sys/devices/system/clocksource/clocksource0/current_clocksource", O_RDONLY);
	if (fd < 0)
		return false;
	got = read(fd, text, sizeof(text));
	close(fd);
	return got == (ssize_t)size + 1 && !memcmp(text, name, size) && text[size] == '\n';
}

static bool is_invariant(void)
{
	uint32_t eax, ebx, ecx, edx;

	return __get_cpuid(CPUID_POWER, &eax, &ebx, &ecx, &edx) &&
	       edx & CPUID_POWER_EDX_INVARIANT_TSC;
}

/*
 * The kernel leaves a TSC that stops or changes its rate, but only once it has seen that. With its
 * module there that is told to the page's readers in the same instant; without it the CPU must
 * promise that it cannot happen.
 */
static bool native_trusted(uint32_t kind)
{
	uint64_t hz;

	return kind == CHRONOTICK_COUNTER_TSC && clocksource_is("tsc") &&
	       (is_invariant() || device_vouches(kind, &hz));
}

/*
 * In its first seconds the kernel goes by a TSC whose rate it is still refining, under another name.
 * Whoever starts then is not to do without the TSC for good.
 */
static void native_wait(void)
{
	const struct timespec step = {.tv_nsec = EARLY_STEP_MS * 1000000L};
	int waited_ms;

	for (waited_ms = 0; waited_ms < EARLY_MS && clocksource_is("tsc-early");
	     waited_ms += EARLY_STEP_MS)
		nanosleep(&step, NULL);
}

static const uint32_t native_kind = CHRONOTICK_COUNTER_TSC;
#elif defined(__aarch64__)
static uint64_t native_read(void)
{
	uint64_t value;

	__asm__ volatile("dsb ishld\n\tisb\n\tmrs %0, cntvct_el0" : "=r"(value)::"memory");
	return value;
}

static bool native_trusted(uint32_t kind)
{
	return kind == CHRONOTICK_COUNTER_CNTVCT;
}

static void native_wait(void)
{
}

static const uint32_t native_kind = CHRONOTICK_COUNTER_CNTVCT;
#else
static uint64_t native_read(void)
{
	return (uint64_t)raw_ns();
}

static bool native_trusted(uint32_t kind)
{
	(void)kind;
	return false;
}

static void native_wait(void)
{
}

static const uint32_t native_kind = CHRONOTICK_COUNTER_NONE;
#endif

/* One instant on both clocks, to half of the bracket's width */
struct reading {
	uint64_t counter;
	int64_t ns;
};

static void reading_take(struct reading *ret)
{
	uint64_t best = UINT64_MAX;
	unsigned int i;

	for (i = 0; i < CALIBRATION_BRACKETS; i++) {
		uint64_t before = native_read();
		int64_t ns = raw_ns();
		uint64_t after = native_read();

		if (after - before >= best)
			continue;
		best = after - before;
		ret->counter = before + best / 2;
		ret->ns = ns;
	}
}

/* 2^-54 ns per count between two readings, or 0 if that is no rate. */
static uint64_t rate(const struct reading *from, const struct reading *to)
{
	int64_t counts = (int64_t)(to->counter - from->counter), ns = to->ns - from->ns;
	unsigned __int128 mult;

	if (counts <= 0 || ns <= 0)
		return 0;
	mult = ((unsigned __int128)ns << CHRONOTICK_MULT_SHIFT) / (uint64_t)counts;
	/* The clock line takes counters of 1 MHz and more. */
	return mult > ((uint64_t)1000 << CHRONOTICK_MULT_SHIFT) ? 0 : (uint64_t)mult;
}

static uint64_t calibrate_once(void)
{
	const struct timespec pause = {.tv_nsec = CALIBRATION_NS};
	struct reading readings[3];
	uint64_t first, second, apart;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		if (i)
			nanosleep(&pause, NULL);
		reading_take(&readings[i]);
	}
	first = rate(&readings[0], &readings[1]);
	second = rate(&readings[1], &readings[2]);
	apart = first > second ? first - second : second - first;
	if (!first || !second || apart > first / 1000000 * CALIBRATION_SPREAD_PPM)
		return 0;
	return rate(&readings[0], &readings[2]);
}

static int calibrate(struct counter *counter)
{
	unsigned int i;

	for (i = 0; i < CALIBRATION_TRIES; i++) {
		counter->mult = calibrate_once();
		if (counter->mult)
			break;
	}
	/* Too busy a machine; the kernel knows without measuring. */
	if (!counter->mult && device_vouches(counter->kind, &counter->hz))
		counter->mult = (uint64_t)(((unsigned __int128)NS_PER_S << CHRONOTICK_MULT_SHIFT) /
					   counter->hz);
	if (!counter->mult)
		return -EIO;
	counter->hz = (uint64_t)((((unsigned __int128)NS_PER_S << CHRONOTICK_MULT_SHIFT) +
				  counter->mult / 2) /
				 counter->mult);
	return 0;
}

/*
 * The smallest move between two readings is a limit from above for the step: a counter that moves
 * by single counts shows the time that a reading takes, a coarse one its step.
 */
static uint32_t step_measure(const struct counter *counter)
{
	uint64_t step = UINT64_MAX, last = counter_read(counter);
	unsigned int i;

	for (i = 0; i < STEP_READS; i++) {
		uint64_t now = counter_read(counter);

		if (now != last && now - last < step)
			step = now - last;
		last = now;
	}
	/* One that never moved stands still between readings: a simulated clock. */
	return step > UINT32_MAX ? 1 : (uint32_t)step;
}

int counter_init(struct counter *counter, uint32_t kind)
{
	int r;

	memset(counter, 0, sizeof(*counter));
	if (kind != CHRONOTICK_COUNTER_MONOTONIC_RAW)
		native_wait();
	if (kind == CHRONOTICK_COUNTER_NONE)
		kind = native_trusted(native_kind) ? native_kind
						   : (uint32_t)CHRONOTICK_COUNTER_MONOTONIC_RAW;
	if (kind == CHRONOTICK_COUNTER_MONOTONIC_RAW) {
		counter->hz = NS_PER_S;
		counter->mult = 1ULL << CHRONOTICK_MULT_SHIFT;
	} else {
		if (!native_trusted(kind))
			return -ENOTSUP;
		counter->kind = kind;
		r = calibrate(counter);
		if (r < 0)
			return r;
	}
	counter->kind = kind;
	counter->step = step_measure(counter);
	return 0;
}

uint64_t counter_read(const struct counter *counter)
{
	if (counter->kind == CHRONOTICK_COUNTER_MONOTONIC_RAW)
		return (uint64_t)raw_ns();
	return native_read();
}

int64_t counter_to_ns(const struct counter *counter, uint64_t counts)
{
	const uint64_t part = (1ULL << CHRONOTICK_MULT_SHIFT) - 1;
	unsigned __int128 ns = (unsigned __int128)counts * counter->mult;

	/* counts * mult is below 2^128 - 2^65, so adding the part can't overflow */
	ns = (ns + part) >> CHRONOTICK_MULT_SHIFT;
	return ns > INT64_MAX ? INT64_MAX : (int64_t)ns;
}

uint64_t counter_from_ns(const struct counter *counter, uint64_t ns)
{
	unsigned __int128 scaled = (unsigned __int128)ns << CHRONOTICK_MULT_SHIFT;

	scaled = (scaled + counter->mult - 1) / counter->mult;
	return scaled > UINT64_MAX ? UINT64_MAX : (uint64_t)scaled;
}
