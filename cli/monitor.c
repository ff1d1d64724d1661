/* SPDX-License-Identifier: MIT */
/* chronotick monitor: a screen on a terminal, else a line every so often. */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "screen.h"
#include "terminal.h"
#include "text.h"
#include "view/view.h"

/* The page is opened afresh for each line: a restarted daemon may have made a new one. */
static int line_print(const struct cli *cli)
{
	char time[TEXT_SIZE] = "unknown", bound[TEXT_SIZE] = "unknown";
	char offset[TEXT_SIZE], uncertainty[TEXT_SIZE], confidence[TEXT_SIZE];
	enum text_colour colour;
	struct view view;

	view_take(&view, cli->page);
	if (view.open < 0) {
		printf("%s%s: %s%s\n", text_colour(cli, TEXT_BAD), view.path, view.reason,
		       text_colour(cli, TEXT_PLAIN));
		return CLI_UNTRUSTED;
	}
	if (view_utc_ns(&view))
		text_time(time, view_utc_ns(&view));
	if (view.trust == 0)
		text_plus_minus(bound, (double)view_bound_ns(&view) * 1e-9);
	text_duration(offset, view_double(&view, view.record.offset_correction), true);
	text_plus_minus(uncertainty, view.uncertainty_s);
	text_number(confidence, view_double(&view, (double)view.record.confidence) * 100, 0, false,
		    "%");
	colour = view.trust < 0                           ? TEXT_BAD
		 : view.status == CHRONOTICK_SYNCHRONIZED ? TEXT_GOOD
							  : TEXT_WARN;
	printf("%s  bound %s  offset %s  uncertainty %s  confidence %s  source %s  %s%s%s\n", time,
	       bound, offset, uncertainty, confidence,
	       chronotick_source_name(view.has_record ? view.record.source : CHRONOTICK_NO_DATA),
	       text_colour(cli, colour), chronotick_status_name(view.status),
	       text_colour(cli, TEXT_PLAIN));
	return view.trust == 0 ? CLI_TRUSTED : CLI_UNTRUSTED;
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Sleep until a CLOCK_MONOTONIC; true if one of the signals, all of them blocked, came first. */
static bool wait_until(int64_t until_ns, const sigset_t *signals)
{
	struct timespec left;
	int64_t left_ns;

	do {
		left_ns = until_ns - now_ns();
		if (left_ns < 0)
			left_ns = 0;
		left.tv_sec = left_ns / 1000000000;
		left.tv_nsec = left_ns % 1000000000;
		if (sigtimedwait(signals, NULL, &left) > 0)
			return true;
	} while (errno == EINTR);
	return false;
}

/* The deadline after the one that was due: those that were missed, stopped say, are left out. */
static int64_t deadline_after(int64_t due_ns, int64_t interval_ns)
{
	int64_t late_ns = now_ns() - due_ns;

	return due_ns + (late_ns > 0 ? late_ns / interval_ns + 1 : 1) * interval_ns;
}

static int lines_run(const struct cli *cli)
{
	uint64_t lines = 0;
	sigset_t signals;
	int64_t next_ns = now_ns();
	int r;

	/* Blocked and waited for: an interrupt is never lost between a line and the sleep. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	do {
		r = line_print(cli);
		next_ns = deadline_after(next_ns, (int64_t)(cli->interval_s * 1e9));
	} while (fflush(stdout) == 0 && ++lines != cli->count && !wait_until(next_ns, &signals));
	return r;
}

/* What the screen shows that no single view does */
struct watch {
	struct screen screen;
	struct view view;
	dev_t device; /* of the page's file; inode 0: there was none */
	ino_t inode;
	int64_t noticed_ns;    /* when the notice began to stand */
	int64_t counted_ns;    /* when publications were counted, on CLOCK_MONOTONIC */
	uint64_t publications; /* and how many there were */
};

/* For so long a notice stands, and over so long publications are counted, at least */
#define NOTICE_NS 10000000000LL
#define COUNT_NS 1000000000LL

/* Every view opens the page anew: all that is left to do is to say so. */
static void page_follow(struct watch *watch, int64_t at_ns)
{
	const struct view *view = &watch->view;
	struct stat file;
	bool there = view->open == 0 && stat(view->path, &file) == 0;

	if (watch->inode && !there) {
		watch->screen.notice = "the page that was shown is gone: waiting for another";
		watch->noticed_ns = INT64_MAX - NOTICE_NS;
	} else if (there && (watch->screen.notice || watch->inode) &&
		   (file.st_ino != watch->inode || file.st_dev != watch->device)) {
		watch->screen.notice = "the page was replaced: this is the new one";
		watch->noticed_ns = at_ns;
		watch->counted_ns = 0;
	} else if (watch->screen.notice && at_ns - watch->noticed_ns > NOTICE_NS) {
		watch->screen.notice = NULL;
	}
	if (there) {
		watch->device = file.st_dev;
		watch->inode = file.st_ino;
	} else {
		watch->inode = 0;
	}
}

static void publications_count(struct watch *watch, int64_t at_ns)
{
	uint64_t count = watch->view.statistics.publish_count;
	int64_t passed_ns = at_ns - watch->counted_ns;

	if (watch->view.open < 0 || !watch->counted_ns || count < watch->publications)
		watch->screen.published_hz = NAN;
	else if (passed_ns < COUNT_NS)
		return;
	else
		watch->screen.published_hz =
			(double)(count - watch->publications) * 1e9 / (double)passed_ns;
	watch->publications = count;
	watch->counted_ns = watch->view.open < 0 ? 0 : at_ns;
}

static int watch_draw(struct watch *watch)
{
	size_t size, length;
	char *text;
	int r;

	terminal_size(&watch->screen.width, &watch->screen.height);
	size = screen_size(&watch->screen);
	text = malloc(size);
	if (!text)
		return -ENOMEM;
	length = screen_render(&watch->screen, &watch->view, text, size);
	r = terminal_draw(text, length);
	free(text);
	return r;
}

static int screen_run(const struct cli *cli)
{
	enum terminal_event event = TERMINAL_TIME;
	int64_t next_ns = now_ns();
	struct watch *watch;
	uint64_t drawn = 0;
	int r;

	watch = calloc(1, sizeof(*watch));
	if (!watch)
		return CLI_UNTRUSTED;
	setlocale(LC_CTYPE, "");
	watch->screen.utf8 = !cli->ascii && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	watch->screen.colour = cli->colour;
	watch->screen.interval_s = cli->interval_s;
	r = terminal_enter();
	if (r < 0) {
		free(watch);
		return lines_run(cli);
	}
	do {
		if (event == TERMINAL_TIME) {
			view_take(&watch->view, cli->page);
			page_follow(watch, now_ns());
			publications_count(watch, now_ns());
			screen_add(&watch->screen, &watch->view);
			next_ns = deadline_after(next_ns, (int64_t)(cli->interval_s * 1e9));
			drawn++;
		}
		r = watch_draw(watch);
		if (r < 0 || drawn == cli->count)
			break;
		event = terminal_wait(next_ns);
	} while (event != TERMINAL_QUIT);
	terminal_leave();
	if (r < 0)
		fprintf(stderr, "chronotick: monitor: %s\n", strerror(-r));
	r = r < 0 || watch->view.trust < 0 ? CLI_UNTRUSTED : CLI_TRUSTED;
	free(watch);
	return r;
}

int cli_monitor(const struct cli *cli)
{
	const char *terminal = getenv("TERM");
	bool screen =
		isatty(STDOUT_FILENO) && terminal && *terminal && strcmp(terminal, "dumb") != 0;

	return screen && !cli->plain ? screen_run(cli) : lines_run(cli);
}
