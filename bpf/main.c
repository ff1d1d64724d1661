/* SPDX-License-Identifier: MIT */
/* chronotick-trace: torn reads, read latency and the writer, seen from outside by eBPF. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options.h"
#include "report.h"
#include "terminal.h"
#include "top.h"
#include "tracer.h"

#define TICK_S 1.0 /* how often it is looked for new programs */

#define NOTICES_MAX 10 /* a second */

/* Notices of a kind, of the latest second */
struct notices {
	uint64_t begun_ns;
	unsigned int count;
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

static const char *const notice_texts[NOTICE_KINDS] = {
	[NOTICE_LOST_READ] = "a read was lost, looks at a line",
	[NOTICE_MISSED] = "publications missed",
	[NOTICE_WRITER] = "the module's writer is gone (1) or there (0)",
	[NOTICE_INVALIDATE] = "the module has taken back what was published, events",
};

/* Say how many were left out, and begin a new second. */
static void notices_begin(struct notices *told, enum notice_kind kind, uint64_t now_ns)
{
	if (told->count > NOTICES_MAX)
		fprintf(stderr, "%s: %u times more\n", notice_texts[kind],
			told->count - NOTICES_MAX);
	told->begun_ns = now_ns;
	told->count = 0;
}

/*
 * On stderr: stdout has the reports. No more than ten a second of a kind, so that none hides
 * another: the sums have them all.
 */
static void on_notice(void *data, const struct notice *notice)
{
	struct notices *told = data;
	char name[COMM_SIZE];

	if ((unsigned int)notice->kind >= NOTICE_KINDS)
		return;
	told += notice->kind;
	if (notice->time_ns - told->begun_ns >= 1000000000)
		notices_begin(told, notice->kind, notice->time_ns);
	if (told->count++ >= NOTICES_MAX)
		return;
	memcpy(name, notice->comm, sizeof(name));
	snapshot_name_clean(name);
	fprintf(stderr, "%.6f %s, pid %u: %s: %" PRIu64 "\n", (double)notice->time_ns * 1e-9, name,
		notice->pid, notice_texts[notice->kind], (uint64_t)notice->value);
}

/* How reports came out, of any of them */
struct outcome {
	bool alerted; /* a threshold was passed */
	bool unseen;  /* in the latest one, there was nothing to hold a threshold against */
};

/* Returns 0 or a negative errno. */
static int report(const struct tracer *tracer, const struct options *options,
		  struct outcome *outcome)
{
	struct snapshot snapshot;
	int r = tracer_snapshot(tracer, &snapshot);

	if (r < 0)
		return r;
	errno = 0;
	if (options->json)
		r = report_json(stdout, &snapshot, options);
	else
		r = report_text(stdout, &snapshot, options);
	outcome->alerted |= r > 0;
	outcome->unseen = alerts_unseen(&snapshot, options->limits) != 0;
	snapshot_clear(&snapshot);
	if (r >= 0 && (fflush(stdout) != 0 || ferror(stdout)))
		return errno ? -errno : -EIO;
	return r < 0 ? r : 0;
}

/* Returns an exit code, or a negative errno. */
static int run(struct tracer *tracer, const struct options *options)
{
	double begun_s = tracer_now_s(), tick_s = begun_s + TICK_S, end_s, report_s, next_s, s;
	struct outcome outcome = {0};
	int r;

	end_s = options->duration_s > 0 ? begun_s + options->duration_s : 1e300;
	report_s = options->interval_s > 0 ? begun_s + options->interval_s : 1e300;
	while (!stopped && (s = tracer_now_s()) < end_s) {
		if (s >= tick_s) {
			tracer_tick(tracer);
			tick_s = s + TICK_S;
		}
		if (s >= report_s) {
			r = report(tracer, options, &outcome);
			if (r < 0)
				return r;
			report_s += options->interval_s;
		}
		next_s = tick_s < report_s ? tick_s : report_s;
		next_s = next_s < end_s ? next_s : end_s;
		tracer_wait(tracer, next_s > s ? (int)((next_s - s) * 1e3) + 1 : 0);
	}
	r = report(tracer, options, &outcome);
	if (r < 0)
		return r;
	if (outcome.alerted)
		return TRACE_ALERT;
	return outcome.unseen ? TRACE_UNSEEN : TRACE_DONE;
}

/* Draw, on a terminal or below what was drawn before. */
static int table_draw(const struct snapshot *now, const struct snapshot *before, bool terminal)
{
	unsigned int width = 200, height = 1000;
	static char text[65536];
	size_t length;

	if (terminal)
		terminal_size(&width, &height);
	length = top_render(now, before, width, height, text, sizeof(text));
	if (terminal)
		return terminal_draw(text, length);
	puts(text);
	return fflush(stdout) != 0 ? -errno : 0;
}

/* Until then, a key or a signal. Returns true for an end. */
static bool table_wait(struct tracer *tracer, double until_s, bool terminal)
{
	if (terminal)
		return terminal_wait((int64_t)(until_s * 1e9)) == TERMINAL_QUIT;
	while (!stopped && tracer_now_s() < until_s)
		tracer_wait(tracer, (int)((until_s - tracer_now_s()) * 1e3) + 1);
	return stopped;
}

static int run_live(struct tracer *tracer, const struct options *options)
{
	double interval_s = options->interval_s > 0 ? options->interval_s : TICK_S;
	double s = tracer_now_s(),
	       end_s = options->duration_s > 0 ? s + options->duration_s : 1e300;
	bool terminal = isatty(STDOUT_FILENO), end = false;
	struct snapshot before = {0}, now;
	int r = terminal ? terminal_enter() : 0;

	if (r < 0)
		return r;
	/* A signal that came before the terminal was entered is told by `stopped` alone. */
	while (!end && !stopped) {
		tracer_tick(tracer);
		tracer_wait(tracer, 0);
		r = tracer_snapshot(tracer, &now);
		if (r < 0)
			break;
		r = table_draw(&now, &before, terminal);
		snapshot_clear(&before);
		before = now;
		s += interval_s;
		end = r < 0 || s > end_s || table_wait(tracer, s, terminal);
	}
	snapshot_clear(&before);
	if (terminal)
		terminal_leave();
	return r;
}

/* Whatever ends it, what is pinned is taken away, and the report is told. */
static void signals_take(void)
{
	struct sigaction action = {.sa_handler = on_signal}, before;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	/* nohup(1) has it ignored. */
	if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &action, NULL);
	/* A reader of the output that goes away is told by the write. */
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
}

int main(int argc, char **argv)
{
	struct notices told[NOTICE_KINDS] = {{0}};
	struct tracer *tracer;
	struct options options;
	unsigned int kind;
	int r;

	r = options_parse(&options, argc, argv);
	if (r >= 0)
		return r;
	signals_take();
	/* Notices would be drawn into the live table. */
	r = tracer_open(&tracer, &options, options.live ? NULL : on_notice, told);
	if (r < 0)
		return TRACE_FAILED;
	fprintf(stderr, "chronotick-trace: tracing %u file%s\n", tracer_binaries(tracer),
		tracer_binaries(tracer) == 1 ? "" : "s");
	r = options.live ? run_live(tracer, &options) : run(tracer, &options);
	tracer_close(tracer);
	for (kind = 0; kind < NOTICE_KINDS; kind++)
		notices_begin(&told[kind], (enum notice_kind)kind, 0);
	if (r < 0) {
		fprintf(stderr, "chronotick-trace: %s\n", strerror(-r));
		return TRACE_FAILED;
	}
	return r;
}
