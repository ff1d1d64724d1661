/* SPDX-License-Identifier: MIT */
#include "terms.h"

#include <errno.h>
#include <inttypes.h>

#include "ask.h"
#include "text.h"

static const char *const labels[CONTROL_TERMS] = {
	[CONTROL_TERM_ROOT_DELAY] = "half of the sources' root delay",
	[CONTROL_TERM_ROOT_DISPERSION] = "the sources' root dispersion",
	[CONTROL_TERM_DELAY] = "half of the exchange's delay",
	[CONTROL_TERM_DISPERSION] = "dispersion of the exchange",
	[CONTROL_TERM_STAMPS] = "stamps and cross-timestamps",
	[CONTROL_TERM_AGEING] = "drift and wander since the exchange",
	[CONTROL_TERM_DISAGREEMENT] = "the estimate beside that exchange",
	[CONTROL_TERM_SLEW] = "rest of a slew",
	[CONTROL_TERM_STEP] = "step of the counter",
	[CONTROL_TERM_ROUNDING] = "rounding",
};

static void line_print(const char *label, uint64_t ns)
{
	char text[TEXT_SIZE];

	printf("  %-38s %14s\n", label, text_duration(text, (double)ns * 1e-9, false));
}

static void bound_print(const struct control_status_reply *status)
{
	char text[TEXT_SIZE];
	unsigned int i;

	printf("\nBound, term by term\n");
	if (!(status->flags & CONTROL_TRUSTED)) {
		printf("  there is no trusted time, and so no bound\n");
		return;
	}
	if (status->flags & CONTROL_HAS_TERMS)
		for (i = 0; i < CONTROL_TERMS; i++)
			line_print(labels[i], status->terms[i]);
	else
		printf("  of the daemon before this one, which has not said\n");
	line_print("= at the publication", status->bound_ns);
	line_print("growth since then", status->grown_ns);
	line_print("= now", status->bound_ns + status->grown_ns);
	line_print("growth until it expires", status->expiry_ns);
	line_print("= then", status->bound_ns + status->grown_ns + status->expiry_ns);
	printf("  it grows by %s a second, and expires in %s\n",
	       text_duration(text, (double)status->growth_ppt * 1e-12, false),
	       text_duration((char[TEXT_SIZE]){0}, (double)status->remaining_ns * 1e-9, false));
}

/* A daemon of an earlier release knows of none. */
static int covariates_ask(struct ask *ask)
{
	static const char *const names[CONTROL_COVARIATE_COUNT] = {
		[CONTROL_TEMPERATURE] = "temperature",
		[CONTROL_CPU_FREQUENCY] = "CPU frequency",
		[CONTROL_CPU_LOAD] = "CPU load",
		[CONTROL_MEMORY] = "memory pressure",
	};
	static const struct {
		double scale;
		const char *unit;
	} units[CONTROL_COVARIATE_COUNT] = {
		[CONTROL_TEMPERATURE] = {1, " C"},
		[CONTROL_CPU_FREQUENCY] = {1, " MHz"},
		[CONTROL_CPU_LOAD] = {100, " %"},
		[CONTROL_MEMORY] = {100, " %"},
	};
	const struct control_covariates_reply *reply = &ask->reply.covariates;
	union control_request request;
	char text[TEXT_SIZE];
	unsigned int i;
	int r;

	control_request_begin(&request, CONTROL_COVARIATES, 0);
	r = ask_for(ask, &request);
	if (r < 0)
		return r == -EOPNOTSUPP ? 0 : r;
	printf("\nWhat may move the oscillator%s%s\n", reply->thermometer[0] ? ", by " : "",
	       reply->thermometer);
	if (!reply->present)
		printf("  nothing of it is known\n");
	for (i = 0; i < CONTROL_COVARIATE_COUNT; i++)
		if (reply->present & 1U << i)
			printf("  %-38s %14s\n", names[i],
			       text_number(text, units[i].scale * reply->values[i], 2, false,
					   units[i].unit));
	if (reply->age_ns >= 0)
		printf("  read %s ago\n", text_duration(text, (double)reply->age_ns * 1e-9, false));
	return 0;
}

static void daemon_print(const struct cli *cli, const struct control_identity_reply *identity,
			 const struct view *view)
{
	putchar('\n');
	text_field(cli, "Daemon", TEXT_PLAIN, "chronotickd %s, pid %u, page %s", identity->version,
		   identity->pid, identity->page);
	if (view->header.writer_pid && view->header.writer_pid != identity->pid)
		text_field(cli, "", TEXT_WARN,
			   "this is not the page's writer: give its socket with --control");
	text_field(cli, "Control", TEXT_PLAIN,
		   "%" PRIu64 " connections, %" PRIu64 " requests, %" PRIu64
		   " dropped; you may %schange things",
		   identity->connections, identity->requests, identity->dropped,
		   identity->may_change ? "" : "not ");
}

int terms_print(const struct cli *cli, const struct view *view)
{
	union control_request request;
	struct ask ask;
	int r = ask_open(&ask, cli->control);

	if (r == 0) {
		control_request_begin(&request, CONTROL_STATUS, 0);
		r = ask_for(&ask, &request);
	}
	if (r == 0) {
		struct control_status_reply status = ask.reply.status;

		bound_print(&status);
		printf("  the clock runs at %+.6f us/s beside the counter's nominal rate\n",
		       (double)status.rate_ppt * 1e-6);
		printf("  %u sources, %u usable, %u selected\n", status.sources, status.usable,
		       status.selected);
		r = covariates_ask(&ask);
	}
	if (r == 0) {
		control_request_begin(&request, CONTROL_IDENTITY, 0);
		r = ask_for(&ask, &request);
	}
	if (r == 0)
		daemon_print(cli, &ask.reply.identity, view);
	else
		ask_complain(&ask, r);
	ask_close(&ask);
	return r;
}
