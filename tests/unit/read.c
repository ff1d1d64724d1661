/* SPDX-License-Identifier: MIT */
/* The library's reads, on a page file that the test writes by hand. */
#include <limits.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "support/fixture.h"

/* What happens to a page when its reader asks for MONOTONIC_RAW, once */
static struct chronotick_page *page_completed;

static void complete(struct chronotick_page *page)
{
	page->clock[0].utc_ns += 20;
	__atomic_store_n(&page->clock[0].seq, 4, __ATOMIC_RELEASE);
}

/* In the place of libc's: reads of MONOTONIC_RAW pages can be met in their middle. */
int clock_gettime(clockid_t id, struct timespec *ret)
{
	struct chronotick_page *page = page_completed;

	if (page && id == CLOCK_MONOTONIC_RAW) {
		page_completed = NULL;
		complete(page);
	}
	return (int)syscall(SYS_clock_gettime, id, ret);
}

Test(read, at_follows_the_line)
{
	struct fixture f;
	struct chronotick_interval at;

	page_make(&f, native_kind());
	line_make(&f.page->clock[0], 1000);
	f.page->clock[1] = f.page->clock[0];
	open_page(&f);
	cr_assert_eq(chronotick_at(f.ct, 1000 + 2 * SECOND, &at), 0);
	cr_assert_eq(at.utc_ns, 1700000001 * SECOND);
	cr_assert_eq(at.latest_ns - at.utc_ns, 1000 + 999); /* growth is rounded down */
	cr_assert_eq(at.utc_ns - at.earliest_ns, at.latest_ns - at.utc_ns);
	cr_assert_eq(at.generation, 7);
	cr_assert_eq(at.status, CHRONOTICK_SYNCHRONIZED);
	cr_assert_eq(at.tai_offset_s, 37);
	page_drop(&f);
}

Test(read, at_before_the_anchor_grows_backwards)
{
	struct fixture f;
	struct chronotick_interval at;
	uint64_t anchor = 100ULL * SECOND;

	page_make(&f, native_kind());
	line_make(&f.page->clock[0], anchor);
	f.page->clock[1] = f.page->clock[0];
	f.page->header.generation_start = anchor - 4 * SECOND;
	open_page(&f);
	cr_assert_eq(chronotick_at(f.ct, anchor - 2 * SECOND, &at), 0);
	cr_assert_eq(at.utc_ns, 1699999999 * SECOND);
	cr_assert_eq(at.latest_ns - at.utc_ns, 1000 + 999);
	cr_assert_eq(chronotick_at(f.ct, anchor - 5 * SECOND, &at), -ERANGE);
	cr_assert_eq(at.earliest_ns, INT64_MIN);
	page_drop(&f);
}

Test(read, at_ends_where_growth_holds_no_more)
{
	struct fixture f;
	struct chronotick_interval at;
	uint64_t anchor = 5000ULL * SECOND, back = 2ULL * CHRONOTICK_GROWTH_NS;

	page_make(&f, native_kind());
	line_make(&f.page->clock[0], anchor);
	f.page->clock[1] = f.page->clock[0];
	f.page->header.generation_start = anchor - 3 * back / 2;
	open_page(&f);
	cr_assert_eq(chronotick_at(f.ct, anchor - back, &at), 0);
	cr_assert_eq(at.utc_ns, 1700000000 * SECOND - CHRONOTICK_GROWTH_NS);
	cr_assert_eq(chronotick_at(f.ct, anchor - back - 2, &at), -ERANGE);
	cr_assert_eq(at.earliest_ns, INT64_MIN);
	page_drop(&f);
}

Test(read, at_begins_with_the_generation)
{
	struct chronotick_interval at;
	struct fixture f;

	page_make(&f, native_kind());
	line_make(&f.page->clock[0], 100ULL * SECOND);
	f.page->clock[1] = f.page->clock[0];
	f.page->header.generation_start = 90ULL * SECOND;
	open_page(&f);
	cr_assert_eq(chronotick_at(f.ct, 90ULL * SECOND, &at), 0);
	cr_assert_eq(chronotick_at(f.ct, 90ULL * SECOND - 1, &at), -ERANGE);
	cr_assert_eq(at.earliest_ns, INT64_MIN);
	cr_assert_eq(at.latest_ns, INT64_MAX);
	page_drop(&f);
}

Test(read, expiry_gives_the_widest_interval)
{
	struct fixture f;
	struct chronotick_interval at;

	page_make(&f, native_kind());
	line_make(&f.page->clock[0], 1000);
	f.page->clock[1] = f.page->clock[0];
	open_page(&f);
	cr_assert_eq(chronotick_at(f.ct, 1000 + 20 * SECOND, &at), 0);
	cr_assert_eq(chronotick_at(f.ct, 1000 + 20 * SECOND + 1, &at), -ESTALE);
	cr_assert_eq(at.status, CHRONOTICK_EXPIRED);
	cr_assert_eq(at.earliest_ns, INT64_MIN);
	cr_assert_eq(at.latest_ns, INT64_MAX);
	cr_assert_eq(at.utc_ns, 1700000010 * SECOND);
	page_drop(&f);
}

Test(read, no_trusted_time_yet)
{
	struct fixture f;
	struct chronotick_interval now;

	page_make(&f, native_kind());
	f.page->clock[0].state = CHRONOTICK_STATE(1, CHRONOTICK_WARMING_UP, CHRONOTICK_TAI_UNKNOWN);
	f.page->clock[1] = f.page->clock[0];
	open_page(&f);
	cr_assert_eq(chronotick_now(f.ct, &now), -EAGAIN);
	cr_assert_eq(now.status, CHRONOTICK_WARMING_UP);
	cr_assert_eq(now.tai_offset_s, CHRONOTICK_TAI_UNKNOWN);
	cr_assert_eq(now.earliest_ns, INT64_MIN);
	page_drop(&f);
}

Test(read, a_line_left_half_written_is_read_from_its_shadow)
{
	struct fixture f;
	struct chronotick_interval now;
	uint64_t torn;

	page_make(&f, native_kind());
	open_page(&f);
	line_make(&f.page->clock[1], chronotick_counter(f.ct));
	f.page->clock[0] = f.page->clock[1];
	f.page->clock[0].seq = 3;
	f.page->clock[0].utc_ns = 5;
	torn = chronotick_torn_reads();
	cr_assert_eq(chronotick_now(f.ct, &now), 0);
	cr_assert_geq(now.utc_ns, 1700000000 * SECOND);
	cr_assert_eq(chronotick_torn_reads(), torn + 1);
	f.page->clock[1].seq = 3;
	cr_assert_eq(chronotick_now(f.ct, &now), -ESTALE);
	cr_assert_eq(now.earliest_ns, INT64_MIN);
	cr_assert_eq(now.latest_ns, INT64_MAX);
	cr_assert_eq(chronotick_torn_reads(), torn + 2);
	f.page->clock[0] = f.page->clock[1] = (struct chronotick_clock){.seq = 4};
	cr_assert_eq(chronotick_now(f.ct, &now), -EAGAIN);
	cr_assert_eq(chronotick_torn_reads(), torn + 2, "an untrusted line is no torn one");
	page_drop(&f);
}

Test(read, a_foreign_counter_is_read_the_slow_way)
{
	struct fixture f;
	struct chronotick_interval now;
	struct timespec raw;

	page_make(&f, CHRONOTICK_COUNTER_MONOTONIC_RAW);
	clock_gettime(CLOCK_MONOTONIC_RAW, &raw);
	line_make(&f.page->clock[0], (uint64_t)(raw.tv_sec * SECOND + raw.tv_nsec));
	f.page->clock[0].mult = 1ULL << CHRONOTICK_MULT_SHIFT;
	f.page->clock[1] = f.page->clock[0];
	f.page->header.generation_start = f.page->clock[0].anchor;
	open_page(&f);
	cr_assert_eq(chronotick_now(f.ct, &now), 0);
	cr_assert_geq(now.utc_ns, 1700000000 * SECOND);
	cr_assert_lt(now.utc_ns, 1700000005 * SECOND);
	cr_assert_eq(chronotick_now_unordered(f.ct, &now), 0);
	cr_assert_eq(chronotick_at(f.ct, 0, &now), -ERANGE, "not the decoy's own anchor");
	cr_assert_eq(now.earliest_ns, INT64_MIN);
	page_drop(&f);
}

/* A suspend, or whatever else begins the counter anew, before its writer has noticed */
Test(read, a_counter_that_went_back_tells_no_time)
{
	struct chronotick_change last = {0};
	struct chronotick_interval now;
	uint64_t counter;
	struct fixture f;

	page_make(&f, CHRONOTICK_COUNTER_MONOTONIC_RAW);
	open_page(&f);
	counter = chronotick_counter(f.ct);
	line_make(&f.page->clock[0], counter + 500ULL * SECOND);
	f.page->clock[0].mult = 1ULL << CHRONOTICK_MULT_SHIFT;
	f.page->clock[1] = f.page->clock[0];
	cr_assert_eq(chronotick_now(f.ct, &now), -ESTALE);
	cr_assert_eq(now.earliest_ns, INT64_MIN);
	cr_assert_eq(now.latest_ns, INT64_MAX);
	cr_assert_eq(now.status, CHRONOTICK_EXPIRED);
	cr_assert_eq(chronotick_now_unordered(f.ct, &now), -ESTALE);
	cr_assert_eq(chronotick_wait_until(f.ct, 0, 0, NULL), -ESTALE);
	cr_assert_eq(chronotick_wait_change(f.ct, &last, 0), 0);
	cr_assert_eq(last.status, CHRONOTICK_EXPIRED);
	cr_assert_eq(chronotick_at(f.ct, counter, &now), 0, "as one of before is meant");
	/* CPUs' counters are a little apart. */
	f.page->clock[0].anchor = chronotick_counter(f.ct) + SECOND / 2;
	f.page->clock[1] = f.page->clock[0];
	cr_assert_eq(chronotick_now(f.ct, &now), 0);
	cr_assert_eq(now.status, CHRONOTICK_SYNCHRONIZED);
	page_drop(&f);
}

Test(read, the_shadow_is_not_taken_once_the_line_is_whole)
{
	struct fixture f;
	struct chronotick_interval now;
	struct timespec raw;

	page_make(&f, CHRONOTICK_COUNTER_MONOTONIC_RAW);
	open_page(&f);
	clock_gettime(CLOCK_MONOTONIC_RAW, &raw);
	line_make(&f.page->clock[0], (uint64_t)(raw.tv_sec * SECOND + raw.tv_nsec));
	f.page->clock[0].mult = 0;
	f.page->clock[1] = f.page->clock[0];
	f.page->clock[0].seq = 3;
	cr_assert_eq(chronotick_now(f.ct, &now), 0);
	cr_assert_eq(now.utc_ns, 1700000000 * SECOND, "while it is odd it is");
	/* A counter read after that may lie beyond the join: the old line could be ahead. */
	page_completed = f.page;
	cr_assert_eq(chronotick_now(f.ct, &now), 0);
	cr_assert_eq(now.utc_ns, 1700000000 * SECOND + 20);
	page_drop(&f);
}

Test(read, a_span_of_0_is_never_trusted)
{
	struct fixture f;
	struct chronotick_interval at;

	page_make(&f, native_kind());
	line_make(&f.page->clock[0], 1000);
	f.page->clock[0].span = 0;
	f.page->clock[1] = f.page->clock[0];
	open_page(&f);
	cr_assert_eq(chronotick_at(f.ct, 1000, &at), -ESTALE);
	cr_assert_eq(at.status, CHRONOTICK_EXPIRED);
	f.page->clock[0].state = 0;
	f.page->clock[1] = f.page->clock[0];
	cr_assert_eq(chronotick_at(f.ct, 1000, &at), -EAGAIN);
	cr_assert_eq(at.latest_ns, INT64_MAX);
	page_drop(&f);
}

Test(read, the_leap_state_survives_expiry)
{
	struct fixture f;
	struct chronotick_interval at;

	page_make(&f, native_kind());
	line_make(&f.page->clock[0], 1000);
	f.page->clock[0].state =
		CHRONOTICK_STATE(7, CHRONOTICK_HOLDOVER | CHRONOTICK_LEAP_DELETE, 37);
	f.page->clock[1] = f.page->clock[0];
	open_page(&f);
	cr_assert_eq(chronotick_at(f.ct, 1000, &at), 0);
	cr_assert_eq(at.status, CHRONOTICK_HOLDOVER | CHRONOTICK_LEAP_DELETE);
	cr_assert_eq(chronotick_at(f.ct, 1000 + 21 * SECOND, &at), -ESTALE);
	cr_assert_eq(at.status, CHRONOTICK_EXPIRED | CHRONOTICK_LEAP_DELETE);
	cr_assert_eq(at.generation, 7);
	page_drop(&f);
}

Test(read, the_writer_is_known_by_its_heartbeat)
{
	struct fixture f;
	int64_t age_ns;

	page_make(&f, native_kind());
	f.page->header.writer_pid = 1;
	f.page->header.frequency_hz = 100;
	open_page(&f);
	cr_assert_eq(chronotick_writer_check(f.ct, &age_ns), -EAGAIN);
	cr_assert_eq(age_ns, INT64_MAX);
	f.page->header.heartbeat = chronotick_counter(f.ct) + 1000;
	cr_assert_eq(chronotick_writer_check(f.ct, &age_ns), 0);
	f.page->header.writer_pid = 0;
	cr_assert_eq(chronotick_writer_check(f.ct, NULL), -ESTALE);
	f.page->header.writer_pid = 1;
	f.page->header.counter_hz = 1;
	f.page->header.heartbeat = chronotick_counter(f.ct) - 2;
	cr_assert_eq(chronotick_writer_check(f.ct, &age_ns), -ESTALE);
	cr_assert_geq(age_ns, 2 * SECOND);
	f.page->header.heartbeat = chronotick_counter(f.ct) - (1ULL << 62);
	cr_assert_eq(chronotick_writer_check(f.ct, &age_ns), -ESTALE);
	cr_assert_eq(age_ns, INT64_MAX);
	page_drop(&f);
}

Test(read, open_refuses_what_is_no_page)
{
	struct fixture f;
	struct chronotick *ct = NULL;

	cr_assert_eq(chronotick_open(&ct, "/tmp/chronotick-read-none"), -ENOENT);
	cr_assert_eq(chronotick_open(&ct, "/tmp"), -EBADMSG);
	page_make(&f, native_kind());
	f.page->header.magic ^= 1;
	cr_assert_eq(chronotick_open(&ct, f.path), -EBADMSG);
	f.page->header.magic ^= 1;
	f.page->header.abi_version = 2;
	cr_assert_eq(chronotick_open(&ct, f.path), -EPROTONOSUPPORT);
	f.page->header.abi_version = 1;
	f.page->header.counter_kind = 99;
	cr_assert_eq(chronotick_open(&ct, f.path), -ENOTSUP);
	f.page->header.counter_kind = native_kind();
	f.page->header.boot_id[3] ^= 1;
	cr_assert_eq(chronotick_open(&ct, f.path), -EBADMSG);
	f.page->header.boot_id[3] ^= 1;
	cr_assert_eq(truncate(f.path, 100), 0);
	cr_assert_eq(chronotick_open(&ct, f.path), -EBADMSG);
	cr_assert_eq(truncate(f.path, 2 * CHRONOTICK_PAGE_SIZE), 0);
	cr_assert_eq(chronotick_open(&ct, f.path), -EBADMSG);
	cr_assert_eq(unlink(f.path), 0);
	cr_assert_eq(mkfifo(f.path, 0600), 0);
	cr_assert_eq(chronotick_open(&ct, f.path), -EBADMSG, "and does not wait for a writer");
	cr_assert_eq(chronotick_open(&ct, "/dev/zero"), -EBADMSG);
	cr_assert_lt(chronotick_open(&ct, ""), 0);
	cr_assert_null(ct);
	munmap(f.page, CHRONOTICK_PAGE_SIZE);
	unlink(f.path);
}

/* Whose page is believed, and what stands in the way to it */
Test(read, a_page_that_others_may_write_is_refused)
{
	static const mode_t good[] = {0400, 0444, 0600, 0644}, bad[] = {0664, 0646, 0666, 0620};
	struct chronotick *ct;
	struct fixture f;
	unsigned int i;

	page_make(&f, native_kind());
	for (i = 0; i < 4; i++) {
		cr_assert_eq(chmod(f.path, bad[i]), 0);
		cr_assert_eq(chronotick_open(&ct, f.path), -EPERM, "%o", (unsigned int)bad[i]);
		cr_assert_eq(chmod(f.path, good[i]), 0);
		cr_assert_eq(chronotick_open(&ct, f.path), 0, "%o", (unsigned int)good[i]);
		chronotick_close(ct);
	}
	munmap(f.page, CHRONOTICK_PAGE_SIZE);
	unlink(f.path);
}

Test(read, no_symbolic_link_is_followed)
{
	struct chronotick *ct;
	struct fixture f;
	char link[96];

	page_make(&f, native_kind());
	snprintf(link, sizeof(link), "%s-link", f.path);
	cr_assert_eq(symlink(f.path, link), 0);
	cr_assert_eq(chronotick_open(&ct, link), -ELOOP);
	unlink(link);
	munmap(f.page, CHRONOTICK_PAGE_SIZE);
	unlink(f.path);
}

Test(read, an_owner_is_trusted_or_not)
{
	static const char *const wrong[] = {"",          "x",      "12344",  "12345x",
					    "-1",        "+12345", " 12345", "18446744073709551616",
					    "4294979641"};
	struct chronotick *ct;
	struct fixture f;
	unsigned int i;

	if (geteuid() != 0)
		cr_skip_test("needs to give files away");
	page_make(&f, native_kind());
	cr_assert_eq(chmod(f.path, 0644), 0);
	cr_assert_eq(chown(f.path, 12345, 0), 0);
	unsetenv("CHRONOTICK_PAGE_OWNER");
	cr_assert_eq(chronotick_open(&ct, f.path), -EPERM);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		setenv("CHRONOTICK_PAGE_OWNER", wrong[i], 1);
		cr_assert_eq(chronotick_open(&ct, f.path), -EPERM, "%s", wrong[i]);
	}
	setenv("CHRONOTICK_PAGE_OWNER", "12345", 1);
	cr_assert_eq(chronotick_open(&ct, f.path), 0);
	chronotick_close(ct);
	unsetenv("CHRONOTICK_PAGE_OWNER");
	/* All users have their numbers here: that is one of them. */
	cr_assert_eq(chown(f.path, CHRONOTICK_UID_UNMAPPED, 0), 0);
	cr_assert_eq(chronotick_open(&ct, f.path), -EPERM);
	/* Another user: his own, and root's */
	cr_assert_eq(seteuid(12345), 0);
	cr_assert_eq(chronotick_open(&ct, f.path), -EPERM);
	cr_assert_eq(seteuid(0), 0);
	for (i = 0; i < 2; i++) {
		cr_assert_eq(chown(f.path, i ? 12345 : 0, 0), 0);
		cr_assert_eq(seteuid(12345), 0);
		cr_assert_eq(chronotick_open(&ct, f.path), 0);
		chronotick_close(ct);
		cr_assert_eq(seteuid(0), 0);
	}
	munmap(f.page, CHRONOTICK_PAGE_SIZE);
	unlink(f.path);
}

Test(read, record_falls_back_to_its_shadow)
{
	struct fixture f;
	struct chronotick_record record;

	page_make(&f, native_kind());
	open_page(&f);
	cr_assert_eq(chronotick_record_read(f.ct, &record), -EAGAIN);
	f.page->record.sequence_number = 5;
	f.page->record_shadow.sequence_number = 4;
	f.page->record_shadow.offset_correction = 0.25;
	f.page->record_shadow.drift_rate = 1e-6;
	f.page->record_shadow.prediction_time = 100;
	f.page->record_shadow.offset_uncertainty = 3e-6;
	f.page->record_shadow.drift_uncertainty = 1e-6;
	cr_assert_eq(chronotick_record_read(f.ct, &record), 0);
	cr_assert_float_eq(chronotick_corrected_time_at(&record, 110), 110.25001, 1e-9);
	cr_assert_float_eq(chronotick_uncertainty_at(&record, 104), 5e-6, 1e-12);
	page_drop(&f);
}

/* A record at offset 0 in the released Python client's order, its shadow torn */
static void python_make(struct chronotick_page *page)
{
	double *words = (double *)(void *)&page->record;

	words[2] = 0.25; /* offset_correction */
	words[3] = 1e-6; /* drift_rate */
	words[4] = 3e-6; /* offset_uncertainty */
	words[5] = 2e-6; /* drift_uncertainty */
	words[6] = 100;  /* prediction_time */
	words[7] = 200;  /* valid_until */
	page->record.sequence_number = 4;
	page->record_shadow.sequence_number = 5;
	page->header.record_order = CHRONOTICK_ORDER_PYTHON;
}

Test(read, a_record_in_the_python_clients_order_is_not_misread)
{
	struct fixture f;
	struct chronotick_record record;

	page_make(&f, native_kind());
	open_page(&f);
	python_make(f.page);
	cr_assert_eq(chronotick_record_read(f.ct, &record), 0);
	cr_assert_eq(record.offset_correction, 0.25);
	cr_assert_eq(record.drift_rate, 1e-6);
	cr_assert_eq(record.offset_uncertainty, 3e-6);
	cr_assert_eq(record.drift_uncertainty, 2e-6);
	cr_assert_eq(record.prediction_time, 100);
	cr_assert_eq(record.valid_until, 200);
	/* An order of a later version: nothing is guessed. */
	f.page->header.record_order = 2;
	cr_assert_eq(chronotick_record_read(f.ct, &record), -ESTALE);
	f.page->record_shadow.sequence_number = 4;
	f.page->record_shadow.offset_correction = 0.5;
	cr_assert_eq(chronotick_record_read(f.ct, &record), 0);
	cr_assert_eq(record.offset_correction, 0.5);
	page_drop(&f);
}

Test(read, a_record_is_read_after_its_sequence_has_wrapped)
{
	struct fixture f;
	struct chronotick_record record;

	page_make(&f, native_kind());
	open_page(&f);
	f.page->record_shadow.system_timestamp = 1.7e9;
	cr_assert_eq(f.page->record_shadow.sequence_number, 0);
	cr_assert_eq(chronotick_record_read(f.ct, &record), 0);
	f.page->record.sequence_number = 1;
	f.page->record_shadow.sequence_number = 1;
	cr_assert_eq(chronotick_record_read(f.ct, &record), -ESTALE);
	page_drop(&f);
}

Test(read, the_path_is_asked_for_first)
{
	setenv("CHRONOTICK_PAGE", "/tmp/named", 1);
	cr_assert_str_eq(chronotick_page_path("/tmp/asked"), "/tmp/asked");
	cr_assert_str_eq(chronotick_page_path(NULL), "/tmp/named");
	setenv("CHRONOTICK_PAGE", "", 1);
	cr_assert_str_neq(chronotick_page_path(NULL), "");
	unsetenv("CHRONOTICK_PAGE");
	cr_assert_str_eq(chronotick_page_path(NULL),
			 access(CHRONOTICK_DEVICE_PATH, F_OK) == 0
				 ? CHRONOTICK_DEVICE_PATH
				 : CHRONOTICK_SHM_DIR CHRONOTICK_SHM_NAME);
}

Test(read, errors_have_sentences)
{
	cr_assert_str_eq(chronotick_strerror(-EAGAIN), "no trusted time yet");
	cr_assert_str_eq(chronotick_strerror(EAGAIN), "no trusted time yet");
	cr_assert_str_eq(chronotick_strerror(INT_MIN), "system error: see errno(3)");
	cr_assert_str_eq(chronotick_status_name(CHRONOTICK_HOLDOVER | CHRONOTICK_LEAP_INSERT),
			 "holdover");
	cr_assert_str_eq(chronotick_source_name(99), "unknown");
}
