/* SPDX-License-Identifier: MIT */
/* The page's layout: every offset that Documentation/page.md states. */
#include <stddef.h>

#include <criterion/criterion.h>

#include "chronotick_page.h"

#define AT(type, member, offset)                                                                   \
	_Static_assert(offsetof(struct type, member) == (offset), #type "." #member)
#define SIZE(type, size) _Static_assert(sizeof(struct type) == (size), #type)

SIZE(chronotick_page, CHRONOTICK_PAGE_SIZE);
AT(chronotick_page, record, 0);
AT(chronotick_page, clock, 128);
AT(chronotick_page, header, 256);
AT(chronotick_page, record_shadow, 384);
AT(chronotick_page, statistics, 512);
AT(chronotick_page, source, 1024);

SIZE(chronotick_record, 128);
AT(chronotick_record, corrected_timestamp, 0);
AT(chronotick_record, system_timestamp, 8);
AT(chronotick_record, prediction_time, 16);
AT(chronotick_record, offset_correction, 24);
AT(chronotick_record, drift_rate, 32);
AT(chronotick_record, offset_uncertainty, 40);
AT(chronotick_record, drift_uncertainty, 48);
AT(chronotick_record, valid_until, 56);
AT(chronotick_record, confidence, 64);
AT(chronotick_record, sequence_number, 68);
AT(chronotick_record, flags, 72);
AT(chronotick_record, source, 76);
AT(chronotick_record, measurement_count, 80);
AT(chronotick_record, last_ntp_sync, 88);
AT(chronotick_record, daemon_uptime, 96);
AT(chronotick_record, total_corrections, 104);
AT(chronotick_record, reserved, 108);
AT(chronotick_record, average_latency_ms, 112);

SIZE(chronotick_clock, 64);
AT(chronotick_clock, seq, 0);
AT(chronotick_clock, bound_ns, 4);
AT(chronotick_clock, state, 8);
AT(chronotick_clock, anchor, 16);
AT(chronotick_clock, span, 24);
AT(chronotick_clock, mult, 32);
AT(chronotick_clock, growth, 40);
AT(chronotick_clock, utc_ns, 48);
AT(chronotick_clock, utc_frac, 56);

SIZE(chronotick_header, 128);
AT(chronotick_header, magic, 0);
AT(chronotick_header, abi_version, 8);
AT(chronotick_header, page_size, 12);
AT(chronotick_header, counter_kind, 16);
AT(chronotick_header, generation, 20);
AT(chronotick_header, counter_hz, 24);
AT(chronotick_header, writer_pid, 32);
AT(chronotick_header, standby_count, 36);
AT(chronotick_header, writer_start, 40);
AT(chronotick_header, heartbeat, 48);
AT(chronotick_header, boot_id, 56);
AT(chronotick_header, kernel_state, 72);
AT(chronotick_header, frequency_hz, 88);
AT(chronotick_header, writer_timeout_ms, 92);
AT(chronotick_header, max_bound_ns, 96);
AT(chronotick_header, generation_start, 104);
AT(chronotick_header, changes, 112);
AT(chronotick_header, record_order, 116);
AT(chronotick_header, kernel_events, 120);

SIZE(chronotick_statistics, 512);
SIZE(chronotick_source, 96);

Test(page, state_packs_generation_status_and_tai)
{
	__u64 state = CHRONOTICK_STATE(0xdeadbeef, CHRONOTICK_HOLDOVER | CHRONOTICK_LEAP_INSERT,
				       CHRONOTICK_TAI_UNKNOWN);

	cr_assert_eq(CHRONOTICK_STATE_GENERATION(state), 0xdeadbeef);
	cr_assert_eq(CHRONOTICK_STATE_STATUS(state), CHRONOTICK_HOLDOVER | CHRONOTICK_LEAP_INSERT);
	cr_assert_eq(CHRONOTICK_STATE_TAI(state), CHRONOTICK_TAI_UNKNOWN);
	cr_assert_eq(CHRONOTICK_STATE_TAI(CHRONOTICK_STATE(1, 2, 37)), 37);
}
