/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "view/view.h"

/* In the reachability register: the polls that tell whether a source answers now */
#define RECENT_POLLS 3

/* Copy words that somebody may be storing into: each is whole, the block is no snapshot. */
static void words_copy(void *to, const void *from, size_t size)
{
	uint64_t *copy = to;
	const uint64_t *word = from;
	size_t i;

	for (i = 0; i < size / sizeof(*word); i++)
		copy[i] = __atomic_load_n(&word[i], __ATOMIC_RELAXED);
}

/* Cut a text of the page to printable ASCII and end it. */
static void text_clean(char *text, size_t size)
{
	size_t i;

	text[size - 1] = '\0';
	for (i = 0; text[i]; i++)
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '?';
}

static void sources_copy(struct view *view, const struct chronotick *ct)
{
	const struct chronotick_page *page = chronotick_page_of(ct);
	uint64_t counter = chronotick_counter(ct);
	unsigned int i;

	words_copy(view->source, page->source, sizeof(view->source));
	view->source_count = view->statistics.source_count;
	if (view->source_count > CHRONOTICK_SOURCES_MAX)
		view->source_count = CHRONOTICK_SOURCES_MAX;
	for (i = 0; i < view->source_count; i++) {
		const struct chronotick_source *source = &view->source[i];
		double age_s = (double)(int64_t)(counter - source->last_counter) /
			       (double)view->header.counter_hz;

		text_clean(view->source[i].name, sizeof(source->name));
		view->source_age_ns[i] = -1;
		if (source->last_counter && isfinite(age_s) && fabs(age_s) < 9e9)
			view->source_age_ns[i] = age_s < 0 ? 0 : (int64_t)(age_s * 1e9);
	}
}

/* Why there is no page; the last one is for whatever else open(2) and mmap(2) say. */
static void reason_open(struct view *view)
{
	static const struct {
		int error;
		const char *text;
	} reasons[] = {
		{-ENOENT, "there is no page: start chronotickd"},
		{-EACCES, "no permission to read the page: see its mode and owner"},
		{-EPERM,
		 "the page is of a user who is not trusted, or others may write it: see its owner "
		 "and mode, and CHRONOTICK_PAGE_OWNER"},
		{-ELOOP, "the page's name is a symbolic link: name the page itself"},
		{-EBADMSG, "this is no ChronoTick page, or one from before the machine's last "
			   "start: start chronotickd"},
		{-EPROTONOSUPPORT, "the page has another ABI version: install the chronotickd and "
				   "the chronotick of one release"},
		{-ENOTSUP, "the page runs on a counter that this machine cannot read: start "
			   "chronotickd with another --counter"},
	};
	size_t i;

	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (reasons[i].error == view->open) {
			snprintf(view->reason, sizeof(view->reason), "%s", reasons[i].text);
			return;
		}
	}
	snprintf(view->reason, sizeof(view->reason), "the page cannot be opened: %s",
		 strerror(-view->open));
}

/* Do sources answer, and none of them is believed? */
static bool sources_disagree(const struct view *view)
{
	bool answers = false, selected = false;
	unsigned int i;

	for (i = 0; i < view->source_count; i++) {
		answers = answers || view->source[i].reach & RECENT_POLLS;
		selected = selected || view->source[i].state == CHRONOTICK_SOURCE_SELECTED;
	}
	return answers && !selected;
}

/* Why the time is trusted or not: the first row that fits. */
static void reason_trust(struct view *view)
{
	enum { ANY = -1, MEASURED = -2, DIVIDED = -3 }; /* beside the names of statuses */
	static const struct {
		int trust, status, gone;
		const char *text;
	} reasons[] = {
		{0, DIVIDED, 0,
		 "no majority of the sources agrees: the last correction is held, and its bound "
		 "grows until the time expires; see the sources"},
		{0, CHRONOTICK_HOLDOVER, 0,
		 "no reference answers now: the bound grows until the time expires; see the "
		 "sources and the network"},
		{0, ANY, 1,
		 "nobody keeps the page up to date: the last time is good until it expires; "
		 "start chronotickd"},
		{0, CHRONOTICK_SYNCHRONIZED, ANY, "synchronized to the selected sources"},
		{0, ANY, ANY, "the bound holds"},
		{-EBADMSG, ANY, ANY, "the page contradicts itself: start chronotickd again"},
		{-EAGAIN, ANY, 1,
		 "no trusted time, and nobody keeps the page up to date: start "
		 "chronotickd"},
		{-EAGAIN, CHRONOTICK_WARMING_UP, ANY,
		 "measuring: sources have answered, not yet enough of them to be trusted"},
		{-EAGAIN, MEASURED, ANY,
		 "sources have answered, but too few of them agree: see the sources"},
		{-EAGAIN, ANY, ANY, "no source has answered yet: see the sources and the network"},
		{-ESTALE, ANY, 1,
		 "the time has expired, and nobody keeps the page up to date: start chronotickd"},
		{-ESTALE, DIVIDED, 0,
		 "the time has expired, and no majority of the sources agrees on a newer one: see "
		 "the sources"},
		{-ESTALE, ANY, ANY,
		 "the time has expired or was withdrawn, and no newer one is trusted yet: see the "
		 "sources"},
	};
	const char *text = chronotick_strerror(view->trust);
	int status = view->now.status & CHRONOTICK_STATUS_MASK;
	size_t i;

	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (reasons[i].trust == view->trust &&
		    (reasons[i].status == ANY || reasons[i].status == status ||
		     (reasons[i].status == MEASURED &&
		      view_flag(view, CHRONOTICK_FLAG_NTP_READY)) ||
		     (reasons[i].status == DIVIDED &&
		      (status == CHRONOTICK_HOLDOVER || status == CHRONOTICK_EXPIRED) &&
		      sources_disagree(view))) &&
		    (reasons[i].gone == ANY || reasons[i].gone == view->writer_gone)) {
			text = reasons[i].text;
			break;
		}
	}
	snprintf(view->reason, sizeof(view->reason), "%s", text);
}

static int64_t system_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000 + now.tv_nsec;
}

void view_again(struct view *view, const struct chronotick *ct)
{
	const struct chronotick_page *page = chronotick_page_of(ct);

	*view = (struct view){.path = view->path, .backend = view->backend};
	view->trust = chronotick_now(ct, &view->now);
	if (view->trust == 0 &&
	    (view->now.earliest_ns > view->now.utc_ns || view->now.utc_ns > view->now.latest_ns))
		view->trust = -EBADMSG;
	view->system_ns = system_ns();
	view->has_record = chronotick_record_read(ct, &view->record) == 0;
	view->uncertainty_s =
		view->has_record
			? chronotick_uncertainty_at(&view->record, (double)view->system_ns * 1e-9)
			: (double)NAN;
	words_copy(&view->header, &page->header, sizeof(view->header));
	words_copy(&view->statistics, &page->statistics, sizeof(view->statistics));
	sources_copy(view, ct);
	view->status = view->now.status & CHRONOTICK_STATUS_MASK;
	view->writer_gone = chronotick_writer_check(ct, &view->heartbeat_age_ns) < 0 ||
			    view->status == CHRONOTICK_WRITER_GONE;
	if (view->trust == 0 && view->writer_gone)
		view->status = CHRONOTICK_WRITER_GONE;
	reason_trust(view);
}

struct chronotick *view_open(struct view *view, const char *path)
{
	struct chronotick *ct;
	struct stat file;
	int r;

	memset(view, 0, sizeof(*view));
	view->path = chronotick_page_path(path);
	view->backend = stat(view->path, &file) == 0 && S_ISCHR(file.st_mode) ? "module" : "shm";
	r = chronotick_open(&ct, view->path);
	if (r == 0) {
		view_again(view, ct);
		return ct;
	}
	view->open = view->trust = r;
	view->uncertainty_s = NAN;
	view->heartbeat_age_ns = INT64_MAX;
	view->now.tai_offset_s = CHRONOTICK_TAI_UNKNOWN;
	view->system_ns = system_ns();
	reason_open(view);
	return NULL;
}

void view_take(struct view *view, const char *path)
{
	chronotick_close(view_open(view, path));
}

int64_t view_utc_ns(const struct view *view)
{
	return view->open < 0 ? 0 : view->now.utc_ns;
}

int64_t view_bound_ns(const struct view *view)
{
	uint64_t width;

	if (view->trust < 0)
		return -1;
	width = (uint64_t)view->now.latest_ns - (uint64_t)view->now.utc_ns;
	return width > INT64_MAX ? INT64_MAX : (int64_t)width;
}

double view_double(const struct view *view, double value)
{
	return view->has_record ? value : (double)NAN;
}

bool view_flag(const struct view *view, uint32_t flag)
{
	return view->has_record && view->record.flags & flag;
}

unsigned int view_warmup_percent(const struct view *view)
{
	unsigned int percent = view->statistics.warmup_percent;

	if (view_flag(view, CHRONOTICK_FLAG_WARMUP_COMPLETE) || percent > 100)
		return 100;
	return percent;
}
