/* SPDX-License-Identifier: MIT */
/* chronotick monitor: a line every so often. */
#include <errno.h>
#include <signal.h>
#include <time.h>

#include "cli.h"
#include "text.h"
#include "view.h"

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

int cli_monitor(const struct cli *cli)
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
