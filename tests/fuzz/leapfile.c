/* SPDX-License-Identifier: MIT */
/* The leap seconds file: taken only if all that its header promises holds; errors name a line. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "chronotick_page.h"
#include "leapfile.h"

#define USED_MAX 64 /* bytes that times are made of */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_table(const struct leap_table *table)
{
	unsigned int i;

	if (table->count < 1 || table->count > LEAP_ENTRIES_MAX)
		abort();
	for (i = 0; i < table->count; i++) {
		const struct leap_entry *entry = &table->entries[i];
		struct leap leap;

		if (!leap_is_month(entry->from_ns) || (i && entry->from_ns <= entry[-1].from_ns) ||
		    (i && abs(entry->tai_s - entry[-1].tai_s) != 1))
			abort();
		leap_find(&leap, table, entry->from_ns - 1, 0);
		if (i && leap.shift_ns != (entry[-1].tai_s - entry->tai_s) * LEAP_SECOND_NS)
			abort();
	}
	if (leap_tai(table, table->entries[0].from_ns - 1) != CHRONOTICK_TAI_UNKNOWN ||
	    leap_tai(table, INT64_MAX) != CHRONOTICK_TAI_UNKNOWN)
		abort();
}

/* Any table, right or not, by the functions that the engine calls with times of any kind */
static void check_use(const struct leap_table *table, const uint8_t *data, size_t size)
{
	struct leap_watch watch = {.last_raw_ns = 0};
	int64_t utc_ns;

	for (; size >= sizeof(utc_ns); data += sizeof(utc_ns), size -= sizeof(utc_ns)) {
		memcpy(&utc_ns, data, sizeof(utc_ns));
		utc_ns &= INT64_MAX >> 1; /* what the engine lets through */
		(void)leap_tai(table, utc_ns);
		(void)leap_table_allows(table, utc_ns, data[1]);
		if (leap_watch_update(&watch, table, utc_ns, data[1], data[0] & 3) == 0 &&
		    leap_watch_is_due(&watch, utc_ns))
			(void)leap_watch_follow(&watch, utc_ns, data[1], utc_ns / 2);
		(void)leap_watch_tai(&watch, table, utc_ns);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct leap_table table = {.count = 0};
	char why[128] = "";
	int r = leapfile_parse(&table, "f", (const char *)data, size, why, sizeof(why));

	if (r == 0) {
		if (*why)
			abort();
		check_table(&table);
	} else if (r != -EINVAL || strncmp(why, "f:", 2) != 0 || why[2] < '1' || why[2] > '9' ||
		   table.count) {
		abort();
	}
	check_use(&table, data, size < USED_MAX ? size : USED_MAX);
	return 0;
}
