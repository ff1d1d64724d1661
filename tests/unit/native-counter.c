/* SPDX-License-Identifier: MIT */
/* The CPU's own counter as the library and the daemon read it, where it can be trusted. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#include <criterion/criterion.h>

#include "timestamping/counter.h"

static struct counter native_open(void)
{
	struct counter counter;

	if (counter_init(&counter, CHRONOTICK_COUNTER_TSC) < 0 &&
	    counter_init(&counter, CHRONOTICK_COUNTER_CNTVCT) < 0)
		cr_skip_test("no such counter here");
	cr_assert(chronotick_kind_is_native(counter.kind));
	return counter;
}

#if defined(__aarch64__)
Test(native_counter, has_the_rate_that_the_cpu_tells)
{
	struct counter counter = native_open();
	uint64_t told, apart;

	cr_assert_eq(counter.kind, CHRONOTICK_COUNTER_CNTVCT);
	__asm__("mrs %0, cntfrq_el0" : "=r"(told));
	apart = counter.hz > told ? counter.hz - told : told - counter.hz;
	cr_assert_leq(apart, told / 1000, "%" PRIu64 " Hz measured, %" PRIu64 " Hz told",
		      counter.hz, told);
}
#endif

/* The same counter, whoever reads it */
Test(native_counter, never_goes_back_between_its_readers)
{
	struct counter counter = native_open();
	uint64_t first = counter_read(&counter), last = first, now;
	unsigned int i;

	for (i = 0; i < 30000; i++) {
		struct chronotick_halves halves = chronotick_counter_ordered();

		now = i % 3 == 0   ? counter_read(&counter)
		      : i % 3 == 1 ? halves.low + (halves.high << 32)
				   : chronotick_counter_of(counter.kind, CHRONOTICK_READ_ORDERED);
		if (i % 3 == 1)
			cr_assert_leq(now, counter_read(&counter));
		cr_assert_leq(last, now);
		last = now;
	}
	cr_assert_lt(first, last);
}

static _Atomic uint64_t handed; /* by whoever has read the counter last; 0: the end */
static uint32_t kind;

/* Take a value, read a later one, hand that on. */
static void *hand_on(void *argument)
{
	unsigned int *wrong = argument;
	uint64_t before, now;

	while ((before = atomic_load_explicit(&handed, memory_order_acquire)) != 0) {
		now = chronotick_counter_of(kind, CHRONOTICK_READ_ORDERED);
		*wrong += now < before;
		atomic_compare_exchange_strong_explicit(&handed, &before, now, memory_order_release,
							memory_order_relaxed);
	}
	return NULL;
}

Test(native_counter, never_goes_back_from_thread_to_thread)
{
	struct counter counter = native_open();
	unsigned int wrong[2] = {0}, changes = 0, i;
	uint64_t last = 0, now;
	pthread_t threads[2];

	kind = counter.kind;
	atomic_store(&handed, counter_read(&counter));
	for (i = 0; i < 2; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, hand_on, &wrong[i]), 0);
	while (changes < 2000) {
		now = atomic_load_explicit(&handed, memory_order_acquire);
		changes += now != last;
		last = now;
	}
	atomic_store(&handed, 0);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	cr_assert_eq(wrong[0] + wrong[1], 0);
}
