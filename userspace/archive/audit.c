/* SPDX-License-Identifier: MIT */
#include "archive/audit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#include "timestamping/cross.h"

#define NS_PER_S 1000000000LL
#define CUT "+...\n"

static const struct journal_kind kind = {
	.key = "audit.directory",
	.name = "the audit log",
	.names = {"audit-", ".csv",
		  "# utc,utc_minus_system_clock_ns,bound_ns,trusted,status,leap,source,"
		  "generation,tai_minus_utc_s,selected\n"},
};

struct audit {
	char *page;
	const struct counter *counter;
	struct journal *journal;
	struct chronotick *handle;
	int64_t utc_ns;  /* of the last line */
	int64_t past_ns; /* end of the past whose correction was written last */
};

static size_t time_format(char *ret, size_t size, int64_t utc_ns)
{
	time_t seconds = (time_t)(utc_ns / NS_PER_S - (utc_ns % NS_PER_S < 0));
	int64_t ns = utc_ns - seconds * NS_PER_S;
	struct tm tm;
	size_t used;

	gmtime_r(&seconds, &tm);
	used = strftime(ret, size, "%Y-%m-%dT%H:%M:%S", &tm);
	return used + (size_t)snprintf(ret + used, size - used, ".%09" PRId64 "Z", ns);
}

static const char *leap_name(uint16_t status)
{
	return (status & CHRONOTICK_LEAP_MASK) == CHRONOTICK_LEAP_INSERT   ? "insert"
	       : (status & CHRONOTICK_LEAP_MASK) == CHRONOTICK_LEAP_DELETE ? "delete"
									   : "none";
}

size_t audit_line(char ret[JOURNAL_TEXT_MAX], const struct audit_entry *entry)
{
	size_t used = time_format(ret, JOURNAL_TEXT_MAX, entry->utc_ns), length;
	const char *between = "";
	char tai[8] = "unknown";
	unsigned int i;

	if (entry->tai_offset_s != CHRONOTICK_TAI_UNKNOWN)
		snprintf(tai, sizeof(tai), "%d", entry->tai_offset_s);
	used += (size_t)snprintf(ret + used, JOURNAL_TEXT_MAX - used,
				 ",%" PRId64 ",%" PRIu64 ",%s,%s,%s,%s,%" PRIu32 ",%s,",
				 entry->offset_ns, entry->bound_ns, entry->trusted ? "yes" : "no",
				 chronotick_status_name(entry->status), leap_name(entry->status),
				 chronotick_source_name(entry->source), entry->generation, tai);
	for (i = 0; i < entry->count; i++) {
		const struct chronotick_source *source = &entry->sources[i];

		if (source->state != CHRONOTICK_SOURCE_SELECTED)
			continue;
		length = strlen(between) + strnlen(source->name, sizeof(source->name));
		if (used + length + sizeof(CUT) > JOURNAL_TEXT_MAX) {
			memcpy(ret + used, CUT, strlen(CUT));
			return used + strlen(CUT);
		}
		used += (size_t)sprintf(ret + used, "%s%.*s", between, (int)sizeof(source->name),
					source->name);
		between = "+";
	}
	ret[used++] = '\n';
	return used;
}

/* As it is thought now to have been at raw_ns */
static bool utc_then(const struct retro_past *past, int64_t raw_ns, int64_t *ret)
{
	int64_t offset_ns;

	return retro_past_at(past, raw_ns, &offset_ns) == 0 &&
	       !__builtin_add_overflow(raw_ns, offset_ns, ret);
}

size_t audit_correction(char ret[JOURNAL_TEXT_MAX], const struct retro_past *past)
{
	int64_t from_ns, to_ns;
	size_t used;
	unsigned int i;

	if (!utc_then(past, past->from_ns, &from_ns) || !utc_then(past, past->to_ns, &to_ns))
		return 0;
	used = (size_t)snprintf(ret, JOURNAL_TEXT_MAX, "# corrected from ");
	used += time_format(ret + used, JOURNAL_TEXT_MAX - used, from_ns);
	used += (size_t)snprintf(ret + used, JOURNAL_TEXT_MAX - used, " to ");
	used += time_format(ret + used, JOURNAL_TEXT_MAX - used, to_ns);
	used += (size_t)snprintf(ret + used, JOURNAL_TEXT_MAX - used, ", %s, by",
				 retro_name(past->method));
	for (i = 0; i < RETRO_POINTS && used < JOURNAL_TEXT_MAX; i++)
		used += (size_t)snprintf(ret + used, JOURNAL_TEXT_MAX - used, " %.0f",
					 past->corrected[i] - past->predicted[i]);
	if (used < JOURNAL_TEXT_MAX)
		used += (size_t)snprintf(ret + used, JOURNAL_TEXT_MAX - used, " ns\n");
	return used < JOURNAL_TEXT_MAX ? used : 0;
}

int audit_new(struct audit **ret, const struct journal_config *config, const char *page,
	      const struct counter *counter, struct scribe *scribe)
{
	struct audit *audit;
	int r;

	*ret = NULL;
	if (!config->directory)
		return 0;
	audit = calloc(1, sizeof(*audit));
	if (!audit)
		return -ENOMEM;
	*audit = (struct audit){.page = strdup(page), .counter = counter};
	r = audit->page ? journal_new(&audit->journal, config, &kind, scribe) : -ENOMEM;
	if (r < 0) {
		audit_free(audit);
		return r;
	}
	*ret = audit;
	return 0;
}

/* The page may have been replaced since it was opened. */
static int page_open(struct audit *audit)
{
	chronotick_close(audit->handle);
	audit->handle = NULL;
	return chronotick_open(&audit->handle, audit->page);
}

void audit_page_set(struct audit *audit, const char *page)
{
	char *copy;

	if (strcmp(audit->page, page) == 0)
		return;
	copy = strdup(page);
	if (!copy)
		return; /* it goes on with the page before, and says what that is worth */
	free(audit->page);
	audit->page = copy;
	chronotick_close(audit->handle);
	audit->handle = NULL;
}

static int entry_read(struct audit *audit, struct audit_entry *ret)
{
	struct chronotick_interval interval;
	struct chronotick_record record;
	struct cross now;
	int r;

	r = cross_read(&now, audit->counter, CLOCK_REALTIME);
	if (r == 0 && !audit->handle)
		r = page_open(audit);
	if (r < 0)
		return r;
	r = chronotick_at(audit->handle, now.counter, &interval);
	if (r < 0 && page_open(audit) == 0)
		r = chronotick_at(audit->handle, now.counter, &interval);
	if (!audit->handle)
		return -ENOENT;
	if (chronotick_record_read(audit->handle, &record) < 0)
		record.source = CHRONOTICK_NO_DATA;
	*ret = (struct audit_entry){
		.utc_ns = interval.utc_ns,
		.offset_ns = interval.utc_ns - now.system_ns,
		.bound_ns =
			(uint64_t)(interval.latest_ns - interval.utc_ns) + (uint64_t)now.error_ns,
		.status = interval.status,
		.trusted = r == 0,
		.source = record.source,
		.generation = interval.generation,
		.tai_offset_s = interval.tai_offset_s,
	};
	/* Where no time was ever published, the system's clock dates the line. */
	if ((interval.status & CHRONOTICK_STATUS_MASK) < CHRONOTICK_SYNCHRONIZED) {
		ret->utc_ns = now.system_ns;
		ret->offset_ns = 0;
		ret->bound_ns = 0;
	}
	return 0;
}

void audit_tick(struct audit *audit, const struct chronotick_source *sources, unsigned int count)
{
	char line[JOURNAL_TEXT_MAX];
	struct audit_entry entry;

	if (!audit)
		return;
	journal_tell(audit->journal);
	if (entry_read(audit, &entry) < 0) {
		journal_lose(audit->journal, 1, "the page cannot be read");
		return;
	}
	audit->utc_ns = entry.utc_ns;
	entry.sources = sources;
	entry.count = count;
	journal_put(audit->journal, entry.utc_ns, line, audit_line(line, &entry));
}

void audit_correct(struct audit *audit, const struct retro_past *past)
{
	char line[JOURNAL_TEXT_MAX];
	size_t length;

	if (!audit || past->to_ns == audit->past_ns)
		return;
	audit->past_ns = past->to_ns;
	length = audit_correction(line, past);
	if (length)
		journal_put(audit->journal, audit->utc_ns, line, length);
}

void audit_free(struct audit *audit)
{
	if (!audit)
		return;
	chronotick_close(audit->handle);
	journal_free(audit->journal);
	free(audit->page);
	free(audit);
}
