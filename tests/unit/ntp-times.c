/* SPDX-License-Identifier: MIT */
/*
 * One exchange with stamps that are in time, late, lost, or not of this exchange: they cost
 * precision, never the truth.
 */
#include <errno.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "chronotick_page.h"
#include "sources/ntp_exchange.h"
#include "sources/ntp_times.h"

#define UTC 1700000000000000000LL
#define ERROR_NS 30

/* A count is a nanosecond. */
static const struct counter counter = {.mult = 1ULL << CHRONOTICK_MULT_SHIFT, .hz = 1000000000};
static const struct timescale scale = {.base = 0, .mult = 1ULL << CHRONOTICK_MULT_SHIFT};

/* When what happened, in ns; the system clock shows UTC + that + 7 ms */
#define WRONG_NS 7000000
enum { BEFORE = 1000000, SENT = 1005000, ARRIVED = 1015000, LEFT = 1025000, CAME = 1035000 };
enum { AFTER = 1055000 };

static struct cross cross_at(int64_t ns)
{
	return (struct cross){(uint64_t)ns, UTC + WRONG_NS + ns, ERROR_NS};
}

static struct ntp_times times_of(void)
{
	return (struct ntp_times){
		.before = cross_at(BEFORE),
		.after = cross_at(AFTER),
		.has_tx = true,
		.tx_ns = UTC + WRONG_NS + SENT,
		.rx = {UTC + WRONG_NS + CAME, CHRONOTICK_STAMP_KERNEL},
	};
}

static const struct ntp_packet *answer(void)
{
	static struct ntp_packet ret;

	ret = (struct ntp_packet){
		.stratum = 1,
		.precision = -29,
		.receive = ntp_time_from_ns(UTC + ARRIVED),
		.transmit = ntp_time_from_ns(UTC + LEFT),
	};
	return &ret;
}

/* The truth, UTC against raw time, lies within what the sample says. */
static void expect_truth(const struct sample *sample)
{
	int64_t off = sample->offset_ns - UTC;

	cr_assert(llabs(off) <= sample->delay_ns / 2 + sample->dispersion_ns);
}

Test(ntp_times, all_stamps)
{
	struct ntp_times times = times_of();
	struct sample sample;

	cr_assert_eq(ntp_times_sample(&sample, &times, &counter, &scale, answer()), 0);
	cr_assert(llabs(sample.offset_ns - UTC) <= 1);
	cr_assert_eq(sample.delay_ns, 20000);
	cr_assert_eq(sample.tx_stamp, CHRONOTICK_STAMP_KERNEL);
	cr_assert_eq(sample.rx_stamp, CHRONOTICK_STAMP_KERNEL);
	expect_truth(&sample);
}

static void expect_user_stamp(const struct ntp_times *times)
{
	struct sample sample;

	cr_assert_eq(ntp_times_sample(&sample, times, &counter, &scale, answer()), 0);
	cr_assert_eq(sample.tx_stamp, CHRONOTICK_STAMP_USER);
	cr_assert_eq(sample.rx_stamp, CHRONOTICK_STAMP_KERNEL);
	cr_assert_eq(sample.delay_ns, 20000 + SENT - BEFORE);
	expect_truth(&sample);
}

Test(ntp_times, a_lost_transmit_stamp)
{
	struct ntp_times times = times_of();

	times.has_tx = false;
	expect_user_stamp(&times);
}

/* Of another packet, or from a clock that was set: before it was sent, after the answer came */
Test(ntp_times, a_foreign_transmit_stamp)
{
	static const int64_t at[] = {
		BEFORE - 1000,
		BEFORE - 500000000,
		BEFORE - 2000000000LL,
		BEFORE - 3600000000000LL,
		CAME + 1,
		CAME + 500000000,
		CAME + 3600000000000LL,
		-UTC - WRONG_NS, /* 1970 */
	};
	struct ntp_times times = times_of();
	size_t i;

	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		times.tx_ns = UTC + WRONG_NS + at[i];
		expect_user_stamp(&times);
	}
}

Test(ntp_times, a_foreign_receive_stamp)
{
	struct ntp_times times = times_of();
	struct sample sample;

	times.rx.system_ns = UTC + WRONG_NS + AFTER + 1000;
	cr_assert_eq(ntp_times_sample(&sample, &times, &counter, &scale, answer()), -ERANGE);
	times.rx.system_ns = UTC + WRONG_NS + BEFORE - 1000;
	times.has_tx = false;
	cr_assert_eq(ntp_times_sample(&sample, &times, &counter, &scale, answer()), -ERANGE);
	times.rx.system_ns = 0;
	cr_assert_eq(ntp_times_sample(&sample, &times, &counter, &scale, answer()), -ERANGE);
}

Test(ntp_times, the_clock_stepped_meanwhile)
{
	struct ntp_times times = times_of();
	struct sample sample;

	times.after.system_ns += 1000000;
	cr_assert_eq(ntp_times_sample(&sample, &times, &counter, &scale, answer()), -ESTALE);
}

/* In interleaved mode the answer's times may be of an exchange that they do not belong to. */
Test(ntp_times, times_of_another_exchange_are_refused)
{
	struct ntp_times times = times_of();
	struct ntp_packet other = *answer();
	struct sample sample;

	other.transmit = ntp_time_from_ns(UTC + LEFT + 1000000000LL);
	cr_assert_eq(ntp_times_sample(&sample, &times, &counter, &scale, &other), -ERANGE);
	other.transmit = ntp_time_from_ns(UTC + LEFT - 1000000000LL);
	cr_assert_eq(ntp_times_sample(&sample, &times, &counter, &scale, &other), -ERANGE);
}

static void expect_stamps(const struct ntp_times *times, uint8_t quality)
{
	struct sample sample;

	cr_assert_eq(ntp_times_sample(&sample, times, &counter, &scale, answer()), 0);
	cr_assert_eq(sample.tx_stamp, quality);
	cr_assert_eq(sample.rx_stamp, quality);
	expect_truth(&sample);
}

/* The NIC stamps 2 us after the kernel on the way out, and 3 us before it on the way in. */
Test(ntp_times, of_the_nic)
{
	struct ntp_times times = times_of();
	struct sample sample;

	times.hardware_tx = (struct ntp_hardware_stamp){true, SENT + 2000, 40};
	expect_stamps(&times, CHRONOTICK_STAMP_KERNEL);
	times.hardware_rx = (struct ntp_hardware_stamp){true, CAME - 3000, 40};
	expect_stamps(&times, CHRONOTICK_STAMP_HARDWARE);
	cr_assert_eq(ntp_times_sample(&sample, &times, &counter, &scale, answer()), 0);
	cr_assert_eq(sample.delay_ns, 15000);
	cr_assert_eq(sample.stamps_ns, 80);
	times.hardware_tx.has = false;
	expect_stamps(&times, CHRONOTICK_STAMP_KERNEL);
}

Test(ntp_times, of_the_nic_that_cannot_be)
{
	struct ntp_times times = times_of();

	times.hardware_tx = (struct ntp_hardware_stamp){true, BEFORE - 100, 40};
	times.hardware_rx = (struct ntp_hardware_stamp){true, CAME, 40};
	expect_stamps(&times, CHRONOTICK_STAMP_KERNEL);
	times.hardware_tx.counter = CAME + 1;
	expect_stamps(&times, CHRONOTICK_STAMP_KERNEL);
	times.hardware_tx.counter = SENT;
	times.hardware_rx.counter = AFTER + 100;
	expect_stamps(&times, CHRONOTICK_STAMP_KERNEL);
	/* A step of CLOCK_REALTIME does not matter to the NIC. */
	times.hardware_rx.counter = CAME;
	times.after.system_ns += 3600000000000LL;
	expect_stamps(&times, CHRONOTICK_STAMP_HARDWARE);
}

/* For tracers: when the kernel had the answer; only if it says so, and can be right. */
Test(ntp_times, arrival)
{
	struct ntp_times times = times_of();

	cr_assert_eq(ntp_times_arrival(&times, &counter), CAME);
	times.rx.quality = CHRONOTICK_STAMP_USER;
	cr_assert_eq(ntp_times_arrival(&times, &counter), 0);
	times = times_of();
	times.rx.system_ns = times.after.system_ns + 1;
	cr_assert_eq(ntp_times_arrival(&times, &counter), 0, "after it was read");
	times.rx.system_ns = times.after.system_ns - 1000000001;
	cr_assert_eq(ntp_times_arrival(&times, &counter), 0, "long before");
}
