/* SPDX-License-Identifier: MIT */
/* The kernel module's word on the counter, and its cross-timestamps: when they are believed. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include <criterion/criterion.h>

#include "chronotick_ioctl.h"
#include "timestamping/counter.h"
#include "timestamping/cross.h"
#include "timestamping/device.h"

#define S 1000000000LL

/* A device that is made up: what it says of each clock is off by `off_ns`. */
struct made_up {
	int result;
	int64_t off_ns;
	int64_t counter_off;
	unsigned int taken;
};

static const struct counter raw = {.kind = CHRONOTICK_COUNTER_MONOTONIC_RAW,
				   .step = 1,
				   .hz = 1000000000,
				   .mult = 1ULL << CHRONOTICK_MULT_SHIFT};

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * S + now.tv_nsec;
}

static int made_up_take(void *data, struct chronotick_cross *ret)
{
	struct made_up *device = data;
	int64_t width_ns = INT64_MAX, raw_ns = 0, real_ns = 0;
	unsigned int i;

	device->taken++;
	if (device->result < 0)
		return device->result;
	/* As near to one instant as can be had here: the middle of the narrowest of many brackets */
	for (i = 0; i < 100; i++) {
		int64_t before = clock_ns(CLOCK_MONOTONIC_RAW), real = clock_ns(CLOCK_REALTIME);
		int64_t width = clock_ns(CLOCK_MONOTONIC_RAW) - before;

		if (width >= width_ns)
			continue;
		width_ns = width;
		raw_ns = before + width / 2;
		real_ns = real;
	}
	*ret = (struct chronotick_cross){
		.size = sizeof(*ret),
		.counter = (uint64_t)(raw_ns + device->counter_off),
		.realtime_ns = real_ns + device->off_ns,
		.monotonic_ns = 3,
		.monotonic_raw_ns = raw_ns + device->off_ns,
		.boottime_ns = 4,
	};
	return 0;
}

Test(cross_device, each_clock_comes_from_the_one_instant)
{
	struct made_up device = {0};
	const struct cross_io io = {&device, made_up_take};
	struct counter counter = raw;
	struct cross cross;

	cr_assert_eq(cross_take(&cross, &counter, CLOCK_MONOTONIC_RAW, &io), 0);
	cr_assert_eq(cross.system_ns, (int64_t)cross.counter);
	cr_assert_eq(cross.error_ns, 2);
	cr_assert_eq(cross_take(&cross, &counter, CLOCK_REALTIME, &io), 0);
	cr_assert(cross.system_ns > 1500000000 * S);
	cr_assert_eq(cross_take(&cross, &counter, CLOCK_MONOTONIC, &io), 0);
	cr_assert_eq(cross.system_ns, 3);
	cr_assert_eq(cross_take(&cross, &counter, CLOCK_BOOTTIME, &io), 0);
	cr_assert_eq(cross.system_ns, 4);
	cr_assert_eq(cross_take(&cross, &counter, CLOCK_PROCESS_CPUTIME_ID, &io), -EINVAL);
	/* That another CPU's counter may be apart stays. */
	counter.apart = 7;
	cr_assert_eq(cross_take(&cross, &counter, CLOCK_REALTIME, &io), 0);
	cr_assert_eq(cross.error_ns, 9);
}

Test(cross_device, what_is_no_value_of_this_counter_now_is_refused)
{
	struct made_up device = {.counter_off = -S};
	const struct cross_io io = {&device, made_up_take};
	struct counter counter = raw;
	struct cross cross = {.error_ns = 77};

	cr_assert_eq(cross_take(&cross, &counter, CLOCK_REALTIME, &io), -EPROTO);
	device.counter_off = S;
	cr_assert_eq(cross_take(&cross, &counter, CLOCK_REALTIME, &io), -EPROTO);
	device.counter_off = INT64_MIN;
	cr_assert_eq(cross_take(&cross, &counter, CLOCK_REALTIME, &io), -EPROTO);
	cr_assert_eq(cross.error_ns, 77);
	/* Unless so far apart is what two CPUs may be. */
	device.counter_off = 1000000;
	counter.apart = 1000000;
	cr_assert_eq(cross_take(&cross, &counter, CLOCK_REALTIME, &io), 0);
}

Test(cross_device, a_device_is_preferred_and_brackets_stand_behind_it)
{
	struct made_up made_up = {0};
	const struct cross_io io = {&made_up, made_up_take};
	struct cross_device device;
	struct counter counter = raw;
	struct cross cross;
	unsigned int taken;

	cross_device_open(&device, &counter, &io);
	cr_assert_null(device.refusal);
	cr_assert_not_null(counter.cross);
	cr_assert_eq(device.device_ns, 2);
	cr_assert(device.bracket_ns > device.device_ns);
	taken = made_up.taken;
	cr_assert_eq(cross_read(&cross, &counter, CLOCK_REALTIME), 0);
	cr_assert_eq(made_up.taken, taken + 1);
	cr_assert_eq(cross.error_ns, 2);
	/* The kernel runs on another clocksource now. */
	made_up.result = -ENXIO;
	cr_assert_eq(cross_read(&cross, &counter, CLOCK_REALTIME), 0);
	cr_assert(cross.error_ns > 2);
	cross_device_close(&device);
}

static void refused(struct made_up *made_up)
{
	const struct cross_io io = {made_up, made_up_take};
	struct cross_device device;
	struct counter counter = raw;

	cross_device_open(&device, &counter, &io);
	cr_assert_not_null(device.refusal);
	cr_assert_null(counter.cross);
	cr_assert_eq(device.device_ns, -1);
	cr_assert(device.bracket_ns > 0);
	cross_device_close(&device);
}

Test(cross_device, one_that_contradicts_the_clocks_is_not_used)
{
	refused(&(struct made_up){.off_ns = S});
	refused(&(struct made_up){.off_ns = -S});
	refused(&(struct made_up){.result = -ENXIO});
	refused(&(struct made_up){.result = -ENOTTY});
	refused(&(struct made_up){.counter_off = S});
}

Test(cross_device, the_page_vouches_for_its_counter_while_the_kernel_runs_on_it)
{
	static struct chronotick_page page;
	struct chronotick_header *header = &page.header;
	uint64_t hz = 5;

	*header = (struct chronotick_header){
		.magic = CHRONOTICK_MAGIC,
		.abi_version = CHRONOTICK_ABI_VERSION,
		.page_size = CHRONOTICK_PAGE_SIZE,
		.counter_kind = CHRONOTICK_COUNTER_TSC,
		.counter_hz = 2600000000,
		.kernel_state = CHRONOTICK_KERNEL_SERVES,
	};
	cr_assert(!device_page_vouches(&page, CHRONOTICK_COUNTER_TSC, &hz));
	header->kernel_state |= CHRONOTICK_KERNEL_COUNTER;
	cr_assert(device_page_vouches(&page, CHRONOTICK_COUNTER_TSC, &hz));
	cr_assert_eq(hz, 2600000000);
	cr_assert(!device_page_vouches(&page, CHRONOTICK_COUNTER_CNTVCT, &hz));
	/* A page in shared memory is nobody's word. */
	header->kernel_state = CHRONOTICK_KERNEL_COUNTER;
	cr_assert(!device_page_vouches(&page, CHRONOTICK_COUNTER_TSC, &hz));
	header->kernel_state |= CHRONOTICK_KERNEL_SERVES;
	header->abi_version++;
	cr_assert(!device_page_vouches(&page, CHRONOTICK_COUNTER_TSC, &hz));
	header->abi_version--;
	header->magic++;
	cr_assert(!device_page_vouches(&page, CHRONOTICK_COUNTER_TSC, &hz));
	header->magic--;
	header->counter_hz = 999999;
	cr_assert(!device_page_vouches(&page, CHRONOTICK_COUNTER_TSC, &hz));
	cr_assert_eq(hz, 2600000000);
}
