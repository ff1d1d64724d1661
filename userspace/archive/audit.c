/* SPDX-License-Identifier: MIT */
#include "archive/audit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#include "archive/audit_files.h"
#include "log.h"
#include "timestamping/cross.h"

#define NS_PER_S 1000000000LL
#define CUT "+...\n"

const char audit_header[] = "# utc,utc_minus_system_clock_ns,bound_ns,trusted,status,leap,source,"
			    "generation,tai_minus_utc_s,selected\n";

struct audit {
	char *page;
	const struct counter *counter;
	struct scribe *scribe;
	struct audit_files *files;
	struct chronotick *handle;
	int64_t utc_ns;  /* of the last line */
	int64_t past_ns; /* end of the past whose correction was written last */
	uint64_t lost;   /* lines that never came to the scribe, not told of in the log yet */
	const char *lost_why;
	atomic_int result;
	int told;
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

size_t audit_line(char ret[AUDIT_LINE_MAX], const struct audit_entry *entry)
{
	size_t used = time_format(ret, AUDIT_LINE_MAX, entry->utc_ns), length;
	const char *between = "";
	char tai[8] = "unknown";
	unsigned int i;

	if (entry->tai_offset_s != CHRONOTICK_TAI_UNKNOWN)
		snprintf(tai, sizeof(tai), "%d", entry->tai_offset_s);
	used += (size_t)snprintf(ret + used, AUDIT_LINE_MAX - used,
				 ",%" PRId64 ",%" PRIu64 ",%s,%s,%s,%s,%" PRIu32 ",%s,",
				 entry->offset_ns, entry->bound_ns, entry->trusted ? "yes" : "no",
				 chronotick_status_name(entry->status), leap_name(entry->status),
				 chronotick_source_name(entry->source), entry->generation, tai);
	for (i = 0; i < entry->count; i++) {
		const struct chronotick_source *source = &entry->sources[i];

		if (source->state != CHRONOTICK_SOURCE_SELECTED)
			continue;
		length = strlen(between) + strnlen(source->name, sizeof(source->name));
		if (used + length + sizeof(CUT) > AUDIT_LINE_MAX) {
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

size_t audit_correction(char ret[AUDIT_LINE_MAX], const struct retro_past *past)
{
	int64_t from_ns, to_ns;
	size_t used;
	unsigned int i;

	if (!utc_then(past, past->from_ns, &from_ns) || !utc_then(past, past->to_ns, &to_ns))
		return 0;
	used = (size_t)snprintf(ret, AUDIT_LINE_MAX, "# corrected from ");
	used += time_format(ret + used, AUDIT_LINE_MAX - used, from_ns);
	used += (size_t)snprintf(ret + used, AUDIT_LINE_MAX - used, " to ");
	used += time_format(ret + used, AUDIT_LINE_MAX - used, to_ns);
	used += (size_t)snprintf(ret + used, AUDIT_LINE_MAX - used, ", %s, by",
				 retro_name(past->method));
	for (i = 0; i < RETRO_POINTS && used < AUDIT_LINE_MAX; i++)
		used += (size_t)snprintf(ret + used, AUDIT_LINE_MAX - used, " %.0f",
					 past->corrected[i] - past->predicted[i]);
	if (used < AUDIT_LINE_MAX)
		used += (size_t)snprintf(ret + used, AUDIT_LINE_MAX - used, " ns\n");
	return used < AUDIT_LINE_MAX ? used : 0;
}

int audit_new(struct audit **ret, const struct audit_config *config, const char *page,
	      const struct counter *counter, struct scribe *scribe)
{
	const struct audit_limits limits = {config->rotate_s, config->keep};
	struct audit *audit;
	int r;

	*ret = NULL;
	if (!config->directory)
		return 0;
	audit = calloc(1, sizeof(*audit));
	if (!audit)
		return -ENOMEM;
	*audit = (struct audit){.page = strdup(page), .counter = counter, .scribe = scribe};
	r = audit->page ? audit_files_open(&audit->files, config->directory, &limits, audit_header)
			: -ENOMEM;
	if (r == -EBUSY)
		log_error("audit.directory: %s: another chronotickd writes its audit log there",
			  config->directory);
	else if (r < 0)
		log_error("audit.directory: %s: %s", config->directory, strerror(-r));
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

/* In the scribe's thread */
static void write_line(void *data, const char *text, size_t size)
{
	struct audit *audit = data;
	int64_t utc_ns;

	memcpy(&utc_ns, text, sizeof(utc_ns));
	atomic_store(&audit->result, audit_files_append(audit->files, utc_ns, text + sizeof(utc_ns),
							size - sizeof(utc_ns)));
}

static int line_put(struct audit *audit, int64_t utc_ns, const char *line, size_t size)
{
	char text[SCRIBE_TEXT_MAX];

	if (sizeof(utc_ns) + size > sizeof(text))
		return -EMSGSIZE;
	memcpy(text, &utc_ns, sizeof(utc_ns));
	memcpy(text + sizeof(utc_ns), line, size);
	return scribe_put(audit->scribe, write_line, audit, text, sizeof(utc_ns) + size);
}

static void result_tell(struct audit *audit)
{
	int result = atomic_load(&audit->result);

	if (audit->lost && result == 0)
		result = -EAGAIN;
	if (result != audit->told && result < 0)
		log_warning("the audit log cannot be written: %s",
			    audit->lost ? audit->lost_why : strerror(-result));
	else if (result != audit->told)
		log_info("the audit log is written again");
	audit->told = result;
}

static void line_lose(struct audit *audit, const char *why)
{
	audit->lost++;
	audit->lost_why = why;
}

void audit_tick(struct audit *audit, const struct chronotick_source *sources, unsigned int count)
{
	char line[AUDIT_LINE_MAX];
	struct audit_entry entry;
	int length;

	if (!audit)
		return;
	result_tell(audit);
	if (entry_read(audit, &entry) < 0) {
		line_lose(audit, "the page cannot be read");
		return;
	}
	audit->utc_ns = entry.utc_ns;
	entry.sources = sources;
	entry.count = count;
	if (audit->lost) {
		length = snprintf(line, sizeof(line), "# %" PRIu64 " lines lost: %s\n", audit->lost,
				  audit->lost_why);
		if (line_put(audit, entry.utc_ns, line, (size_t)length) == 0)
			audit->lost = 0;
	}
	if (audit->lost || line_put(audit, entry.utc_ns, line, audit_line(line, &entry)) < 0)
		line_lose(audit, "the disk is too slow");
}

void audit_correct(struct audit *audit, const struct retro_past *past)
{
	char line[AUDIT_LINE_MAX];
	size_t length;

	if (!audit || past->to_ns == audit->past_ns)
		return;
	audit->past_ns = past->to_ns;
	length = audit_correction(line, past);
	if (length && line_put(audit, audit->utc_ns, line, length) < 0)
		line_lose(audit, "the disk is too slow");
}

void audit_free(struct audit *audit)
{
	if (!audit)
		return;
	chronotick_close(audit->handle);
	audit_files_close(audit->files);
	free(audit->page);
	free(audit);
}
