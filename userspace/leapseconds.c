/* SPDX-License-Identifier: MIT */
#include "leapseconds.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "engine/smear.h"
#include "leapfile.h"
#include "log.h"

/* From so long before a leap second on, sources should announce it */
#define ANNOUNCED_NS (3600 * LEAP_SECOND_NS)
/* For so long after one, they may not have noticed that it is over */
#define LEFTOVER_NS (86400 * LEAP_SECOND_NS)

#define DATE_SIZE 32

static const char *date(char text[DATE_SIZE], int64_t utc_ns)
{
	time_t s = (time_t)(utc_ns / LEAP_SECOND_NS);
	struct tm tm;

	if (!gmtime_r(&s, &tm) || !strftime(text, DATE_SIZE, "%Y-%m-%d", &tm))
		snprintf(text, DATE_SIZE, "?");
	return text;
}

static const char *path_of(const struct leapseconds *leaps)
{
	const char *file = leaps->config.file;

	return file && strcmp(file, "auto") == 0 ? LEAPFILE_PATH : file;
}

/* The file as it is on disk; all zero: it is not there. */
static void file_look(const struct leapseconds *leaps, struct stat *ret)
{
	if (!path_of(leaps) || stat(path_of(leaps), ret) < 0)
		memset(ret, 0, sizeof(*ret));
}

static bool file_is_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void file_read_again(struct leapseconds *leaps)
{
	const struct leap_entry *last;
	char why[512], from[DATE_SIZE], to[DATE_SIZE];

	file_look(leaps, &leaps->seen);
	leaps->failed = leapfile_load(&leaps->table, path_of(leaps), why, sizeof(why)) < 0;
	if (leaps->failed) {
		log_warning("leap seconds: %s; %s", why,
			    leaps->table.count ? "what was read before stands"
					       : "TAI - UTC is unknown");
		return;
	}
	leaps->expired_told = false;
	last = &leaps->table.entries[leaps->table.count - 1];
	log_info("leap seconds: %s: TAI - UTC is %d s from %s on, expires %s", path_of(leaps),
		 last->tai_s, date(from, last->from_ns), date(to, leaps->table.expires_ns));
}

void leapseconds_configure(struct leapseconds *leaps, const struct leap_config *config,
			   int64_t now_ns)
{
	leaps->config = *config;
	leaps->checked_ns = now_ns;
	if (config->file)
		file_read_again(leaps);
	else
		memset(&leaps->table, 0, sizeof(leaps->table));
}

void leapseconds_look(struct leapseconds *leaps)
{
	leaps->checked_ns = INT64_MIN / 2;
}

void leapseconds_apply(const struct leapseconds *leaps, struct correction *correction)
{
	if (leaps->config.mode == LEAP_SMEAR)
		(void)smear_apply(correction, &leaps->table);
}

static void file_check(struct leapseconds *leaps, int64_t now_ns)
{
	struct stat now;

	if (!path_of(leaps) || now_ns - leaps->checked_ns < LEAPSECONDS_CHECK_NS)
		return;
	leaps->checked_ns = now_ns;
	file_look(leaps, &now);
	if (!file_is_same(&now, &leaps->seen))
		file_read_again(leaps);
}

static void expiry_tell(struct leapseconds *leaps, int64_t utc_ns)
{
	char on[DATE_SIZE];

	if (leaps->expired_told || !leaps->table.count || utc_ns < leaps->table.expires_ns)
		return;
	leaps->expired_told = true;
	log_warning("leap seconds: %s has expired on %s: TAI - UTC is known to the end of that "
		    "month only, then unknown, and leap seconds are followed only as a majority "
		    "of the sources announces them in June and December; update tzdata",
		    path_of(leaps), date(on, leaps->table.expires_ns));
}

static void follow_tell(struct leapseconds *leaps, const struct engine *engine)
{
	const struct leap *last = &engine->leap.last;
	char on[DATE_SIZE];

	if (!last->shift_ns || last->at_ns == leaps->followed_ns)
		return;
	leaps->followed_ns = last->at_ns;
	log_info("leap seconds: at the end of %s a second was %s", date(on, last->at_ns - 1),
		 last->shift_ns < 0 ? "inserted" : "left out");
}

static void smear_tell(struct leapseconds *leaps, const struct correction *correction)
{
	struct correction told = *correction;
	bool smearing = leaps->config.mode == LEAP_SMEAR && smear_apply(&told, &leaps->table) != 0;

	if (smearing == leaps->smearing)
		return;
	leaps->smearing = smearing;
	log_info("leap seconds: the smear %s", smearing ? "is under way" : "is over");
}

enum complaint {
	COMPLAINT_NONE,
	COMPLAINT_FILE,   /* it announces what the file does not have */
	COMPLAINT_ALONE,  /* it announces what the others don't */
	COMPLAINT_MONTH,  /* it announces one in a month that sources are not believed in */
	COMPLAINT_SILENT, /* it does not announce what comes */
	COMPLAINTS,
};

static const char *const complaints[COMPLAINTS] = {
	[COMPLAINT_FILE] = "announces a leap second that the leap seconds file does not have; "
			   "the file is followed",
	[COMPLAINT_ALONE] = "announces a leap second that a majority of the selected sources "
			    "does not; it is not followed",
	[COMPLAINT_MONTH] = "announces a leap second in a month that has never had one; it is not "
			    "followed",
	[COMPLAINT_SILENT] = "does not announce the leap second at the end of this month",
};

/* What there is to say of a source's leap indicator (RFC 5905 figure 9) */
static enum complaint complaint_of(const struct leapseconds *leaps, const struct engine *engine,
				   unsigned int indicator, int64_t utc_ns)
{
	const struct leap *next = &engine->leap.next, *last = &engine->leap.last;
	unsigned int followed = next->shift_ns < 0 ? 1 : next->shift_ns > 0 ? 2 : 0;
	struct leap voted;

	if (indicator == followed || indicator > 2)
		return COMPLAINT_NONE;
	if (indicator == 0)
		return next->at_ns - utc_ns < ANNOUNCED_NS ? COMPLAINT_SILENT : COMPLAINT_NONE;
	if (last->shift_ns && utc_ns - last->at_ns < LEFTOVER_NS)
		return COMPLAINT_NONE;
	if (leap_table_covers(&leaps->table, utc_ns))
		return COMPLAINT_FILE;
	leap_find(&voted, NULL, utc_ns, indicator);
	return voted.shift_ns ? COMPLAINT_ALONE : COMPLAINT_MONTH;
}

static void sources_tell(struct leapseconds *leaps, const struct engine *engine, int64_t utc_ns,
			 const struct source_status *sources, unsigned int count)
{
	uint8_t told[SOURCE_SET_MAX] = {0};
	unsigned int i;

	for (i = 0; i < count; i++) {
		const struct chronotick_source *summary = &sources[i].summary;
		unsigned int index = sources[i].index;

		if (index >= SOURCE_SET_MAX || summary->samples == 0 ||
		    summary->state == CHRONOTICK_SOURCE_UNREACHABLE)
			continue;
		told[index] = (uint8_t)complaint_of(leaps, engine, summary->leap, utc_ns);
		if (told[index] != leaps->told[index] && complaints[told[index]])
			log_warning("source %.*s %s", (int)sizeof(summary->name), summary->name,
				    complaints[told[index]]);
	}
	memcpy(leaps->told, told, sizeof(told));
}

void leapseconds_tick(struct leapseconds *leaps, const struct engine *engine,
		      const struct correction *correction, const struct source_status *sources,
		      unsigned int count, int64_t now_ns)
{
	int64_t utc_ns = (int64_t)(correction->utc >> 64);

	file_check(leaps, now_ns);
	if (correction->status < CHRONOTICK_SYNCHRONIZED)
		return;
	expiry_tell(leaps, utc_ns);
	follow_tell(leaps, engine);
	smear_tell(leaps, correction);
	sources_tell(leaps, engine, utc_ns, sources, count);
}
