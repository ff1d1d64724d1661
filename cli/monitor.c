/* SPDX-License-Identifier: MIT */
/* chronotick monitor: a line every so often. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <time.h>

#include "cli.h"
#include "text.h"
#include "view.h"

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

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

int cli_monitor(const struct cli *cli)
{
	struct sigaction action = {.sa_handler = interrupt};
	struct timespec next;
	uint64_t lines = 0;
	int r;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	clock_gettime(CLOCK_MONOTONIC, &next);
	for (;;) {
		double seconds = floor(cli->interval_s);

		r = line_print(cli);
		if (fflush(stdout) != 0 || ++lines == cli->count)
			return r;
		next.tv_sec += (time_t)seconds;
		next.tv_nsec += (long)((cli->interval_s - seconds) * 1e9);
		if (next.tv_nsec >= 1000000000) {
			next.tv_sec++;
			next.tv_nsec -= 1000000000;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
		if (interrupted)
			return r;
	}
}
