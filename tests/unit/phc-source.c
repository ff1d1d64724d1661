/* SPDX-License-Identifier: MIT */
/* UTC of a PTP hardware clock's time: TAI or UTC, a leap second between, and clocks that nobody set. */
#include <errno.h>

#include <criterion/criterion.h>

#include "chronotick_page.h"
#include "sources/phc_source.h"

#define S 1000000000LL
#define NOW_NS (1790000000 * S) /* in 2026 */

static const struct leap_table table = {
	.entries = {{1435708800 * S, 36}, {1483228800 * S, 37}, {1798761600 * S, 38}},
	.count = 3,
	.expires_ns = 1814000000 * S,
};

static int utc(bool is_tai, int16_t offset_s, const struct leap_table *leaps, int64_t phc_ns,
	       int64_t *ret)
{
	const struct phc_source_config config = {
		.path = "/dev/ptp0", .is_tai = is_tai, .utc_offset_s = offset_s};

	return phc_source_utc(&config, leaps, phc_ns, ret);
}

Test(phc_source, timescales)
{
	int64_t ns = 0;

	cr_assert_eq(utc(false, 0, NULL, NOW_NS, &ns), 0);
	cr_assert_eq(ns, NOW_NS);
	cr_assert_eq(utc(true, 0, &table, NOW_NS + 37 * S, &ns), 0);
	cr_assert_eq(ns, NOW_NS);
	cr_assert_eq(utc(true, 5, &table, NOW_NS + 37 * S, &ns), 0);
	cr_assert_eq(ns, NOW_NS, "the file knows better");
	cr_assert_eq(utc(true, 0, &table, 1798761610 * S + 38 * S, &ns), 0);
	cr_assert_eq(ns, 1798761610 * S, "after a leap second");
}

Test(phc_source, what_is_not_known_is_not_guessed)
{
	int64_t ns = 7;

	cr_assert_eq(utc(true, 0, NULL, NOW_NS + 37 * S, &ns), -ENODATA);
	cr_assert_eq(utc(true, 0, &table, 1900000000 * S, &ns), -ENODATA, "the file has expired");
	cr_assert_eq(ns, 7);
	cr_assert_eq(utc(true, 37, NULL, NOW_NS + 37 * S, &ns), 0);
	cr_assert_eq(ns, NOW_NS);
}

Test(phc_source, a_clock_that_nobody_set)
{
	int64_t ns;

	cr_assert_eq(utc(false, 0, NULL, 0, &ns), -ERANGE);
	cr_assert_eq(utc(true, 37, NULL, 60 * S, &ns), -ERANGE);
	cr_assert_eq(utc(false, 0, NULL, INT64_MAX, &ns), -ERANGE);
	cr_assert_eq(utc(true, 37, &table, INT64_MIN + 100 * S, &ns), -ERANGE);
}

Test(phc_source, what_is_refused)
{
	struct source_context context = {0};
	struct phc_source *source;
	struct phc_source_config config = {.path = ""};

	cr_assert_eq(phc_source_new(&source, &context, 0, &config), -EINVAL);
	config.path = "/dev/ptp0";
	config.poll = 11;
	cr_assert_eq(phc_source_new(&source, &context, 0, &config), -EINVAL);
	phc_source_free(NULL);
}
