/* SPDX-License-Identifier: MIT */
/* From a grandmaster's time to UTC */
#include <errno.h>

#include <criterion/criterion.h>

#include "sources/ptp_utc.h"

#define SECOND 1000000000LL
#define MIDNIGHT (1798761600 * SECOND) /* of UTC, 2027-01-01 */

static const struct ptp_utc_config as_announced;

static int64_t utc_of(const struct ptp_utc *utc, int64_t time_ns)
{
	int64_t ret;

	cr_assert_eq(ptp_utc_of(utc, time_ns, &ret), 0);
	return ret;
}

Test(ptp_utc, tai_needs_an_offset_that_is_valid_or_configured)
{
	const struct ptp_utc_config configured = {.offset_s = 37};
	const struct ptp_announce announce = {.utc_offset_s = 36};
	struct ptp_utc utc = {0};
	int64_t ns;

	cr_expect_eq(ptp_utc_of(&utc, MIDNIGHT, &ns), -EINVAL);
	ptp_utc_announced(&utc, &as_announced, &announce, PTP_FLAG_TIMESCALE, MIDNIGHT);
	cr_expect_eq(ptp_utc_of(&utc, MIDNIGHT, &ns), -EINVAL);
	ptp_utc_announced(&utc, &configured, &announce, PTP_FLAG_TIMESCALE, MIDNIGHT);
	cr_expect_eq(utc_of(&utc, MIDNIGHT), MIDNIGHT - 37 * SECOND);
	ptp_utc_announced(&utc, &configured, &announce, PTP_FLAG_TIMESCALE | PTP_FLAG_UTC_VALID,
			  MIDNIGHT);
	cr_expect_eq(utc_of(&utc, MIDNIGHT), MIDNIGHT - 36 * SECOND);
}

Test(ptp_utc, what_is_configured_wins_over_what_is_announced)
{
	const struct ptp_utc_config tai = {PTP_TIMESCALE_TAI, 37}, is_utc = {PTP_TIMESCALE_UTC, 0};
	const struct ptp_announce announce = {.utc_offset_s = 37};
	struct ptp_utc utc = {0};

	ptp_utc_announced(&utc, &as_announced, &announce, 0, MIDNIGHT);
	cr_expect_eq(utc_of(&utc, MIDNIGHT), MIDNIGHT);
	ptp_utc_announced(&utc, &tai, &announce, 0, MIDNIGHT);
	cr_expect_eq(utc_of(&utc, MIDNIGHT), MIDNIGHT - 37 * SECOND);
	ptp_utc_announced(&utc, &is_utc, &announce, PTP_FLAG_TIMESCALE | PTP_FLAG_UTC_VALID,
			  MIDNIGHT);
	cr_expect_eq(utc_of(&utc, MIDNIGHT), MIDNIGHT);
}

Test(ptp_utc, the_time_of_a_clock_that_was_never_set_is_none)
{
	const struct ptp_announce announce = {0};
	struct ptp_utc utc = {0};
	int64_t ns;

	ptp_utc_announced(&utc, &as_announced, &announce, 0, 5);
	cr_expect_eq(ptp_utc_of(&utc, 5, &ns), -EINVAL);
	cr_expect_eq(ptp_utc_of(&utc, INT64_MAX, &ns), -EINVAL);
	cr_expect_eq(ptp_utc_of(&utc, MIDNIGHT, &ns), 0);
}

/* The grandmaster says only some seconds later that the leap second is over. */
Test(ptp_utc, an_inserted_second_is_followed_at_midnight)
{
	struct ptp_announce announce = {.utc_offset_s = 37};
	const uint16_t flags = PTP_FLAG_TIMESCALE | PTP_FLAG_UTC_VALID;
	int64_t tai = MIDNIGHT + 37 * SECOND;
	struct ptp_utc utc = {0};

	ptp_utc_announced(&utc, &as_announced, &announce, flags | PTP_FLAG_LEAP_61,
			  tai - 3600 * SECOND);
	cr_expect_eq(utc.leap, 1);
	cr_expect_eq(utc_of(&utc, tai - SECOND), MIDNIGHT - SECOND);
	cr_expect_eq(utc_of(&utc, tai), MIDNIGHT - SECOND); /* 23:59:59 twice, as POSIX has it */
	cr_expect_eq(utc_of(&utc, tai + SECOND), MIDNIGHT);
	ptp_utc_announced(&utc, &as_announced, &announce, flags | PTP_FLAG_LEAP_61, tai + SECOND);
	cr_expect_eq(utc_of(&utc, tai + 2 * SECOND), MIDNIGHT + SECOND);
	ptp_utc_announced(&utc, &as_announced, &announce, flags, tai + 2 * SECOND);
	cr_expect_eq(utc_of(&utc, tai + 3 * SECOND), MIDNIGHT + 2 * SECOND);
	announce.utc_offset_s = 38;
	ptp_utc_announced(&utc, &as_announced, &announce, flags, tai + 4 * SECOND);
	cr_expect_eq(utc_of(&utc, tai + 5 * SECOND), MIDNIGHT + 4 * SECOND);
	cr_expect_eq(utc.leap, 0);
}

Test(ptp_utc, a_second_that_is_left_out_is_too_and_one_that_is_called_off_is_not)
{
	const struct ptp_announce announce = {.utc_offset_s = 37};
	const uint16_t flags = PTP_FLAG_TIMESCALE | PTP_FLAG_UTC_VALID;
	int64_t tai = MIDNIGHT + 37 * SECOND;
	struct ptp_utc utc = {0};

	ptp_utc_announced(&utc, &as_announced, &announce, flags | PTP_FLAG_LEAP_59,
			  tai - 3600 * SECOND);
	cr_expect_eq(utc.leap, 2);
	cr_expect_eq(utc_of(&utc, tai - 2 * SECOND), MIDNIGHT - 2 * SECOND);
	cr_expect_eq(utc_of(&utc, tai - SECOND), MIDNIGHT);
	ptp_utc_announced(&utc, &as_announced, &announce, flags, tai - 1800 * SECOND);
	cr_expect_eq(utc.leap, 0);
	cr_expect_eq(utc_of(&utc, tai - SECOND), MIDNIGHT - SECOND);
}

Test(ptp_utc, accuracies_are_those_of_the_table)
{
	cr_expect_eq(ptp_accuracy_ns(0x17), 1);
	cr_expect_eq(ptp_accuracy_ns(0x1d), 1);
	cr_expect_eq(ptp_accuracy_ns(0x20), 25);
	cr_expect_eq(ptp_accuracy_ns(0x21), 100);
	cr_expect_eq(ptp_accuracy_ns(0x23), 1000);
	cr_expect_eq(ptp_accuracy_ns(0x29), 1000000);
	cr_expect_eq(ptp_accuracy_ns(0x2f), SECOND);
	cr_expect_eq(ptp_accuracy_ns(0x30), 10 * SECOND);
	cr_expect_eq(ptp_accuracy_ns(0x31), 0);
	cr_expect_eq(ptp_accuracy_ns(0xfe), 0);
	cr_expect_eq(ptp_accuracy_ns(0x16), 0);
}

Test(ptp_utc, a_master_may_be_wrong_by_what_it_says_and_what_is_between)
{
	struct ptp_announce announce = {.clock_class = 6, .accuracy = 0x21};

	cr_expect_eq(ptp_master_error_ns(&announce, 0), 100);
	announce.steps_removed = 3;
	cr_expect_eq(ptp_master_error_ns(&announce, 0), 400);
	cr_expect_eq(ptp_master_error_ns(&announce, 40), 340);
	announce = (struct ptp_announce){.clock_class = 6, .accuracy = 0xfe};
	cr_expect_eq(ptp_master_error_ns(&announce, 0), 10000);
	announce.clock_class = 7;
	cr_expect_eq(ptp_master_error_ns(&announce, 0), 100000);
	announce.clock_class = 248;
	cr_expect_eq(ptp_master_error_ns(&announce, 0), 1000000);
}
