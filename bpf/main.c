/* SPDX-License-Identifier: MIT */
/* chronotick-trace: torn reads, read latency and the writer, seen from outside by eBPF. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "options.h"
#include "report.h"
#include "tracer.h"

#define TICK_S 1.0 /* how often it is looked for new programs */

#define NOTICES_MAX 10 /* a second */

/* Notices of the latest second */
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

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* On stderr: stdout has the reports. No more than ten a second: the sums have them all. */
static void on_notice(void *data, const struct notice *notice)
{
	struct notices *told = data;
	static const char *const texts[] = {
		[NOTICE_LOST_READ] = "a read was lost, looks at a line",
		[NOTICE_MISSED] = "publications missed",
		[NOTICE_WRITER] = "the module's writer is gone (1) or there (0)",
		[NOTICE_INVALIDATE] = "the module has taken back what was published, events",
	};

	if (notice->time_ns - told->begun_ns >= 1000000000) {
		if (told->count > NOTICES_MAX)
			fprintf(stderr, "%u more of the kind\n", told->count - NOTICES_MAX);
		told->begun_ns = notice->time_ns;
		told->count = 0;
	}
	if (told->count++ >= NOTICES_MAX)
		return;
	if ((unsigned int)notice->kind < sizeof(texts) / sizeof(texts[0]))
		fprintf(stderr, "%.6f %.*s, pid %u: %s: %" PRIu64 "\n",
			(double)notice->time_ns * 1e-9, COMM_SIZE, notice->comm, notice->pid,
			texts[notice->kind], (uint64_t)notice->value);
}

static int report(const struct tracer *tracer, const struct options *options)
{
	struct snapshot snapshot;
	int r = tracer_snapshot(tracer, &snapshot);

	if (r < 0)
		return r;
	if (options->json)
		r = report_json(stdout, &snapshot, options);
	else
		report_text(stdout, &snapshot, options);
	snapshot_clear(&snapshot);
	if (fflush(stdout) != 0)
		return -errno;
	return r;
}

static int run(struct tracer *tracer, const struct options *options)
{
	double begun_s = now_s(), tick_s = begun_s + TICK_S, end_s, report_s, next_s, s;
	int r;

	end_s = options->duration_s > 0 ? begun_s + options->duration_s : 1e300;
	report_s = options->interval_s > 0 ? begun_s + options->interval_s : 1e300;
	while (!stopped && (s = now_s()) < end_s) {
		if (s >= tick_s) {
			tracer_tick(tracer);
			tick_s = s + TICK_S;
		}
		if (s >= report_s) {
			r = report(tracer, options);
			if (r < 0)
				return r;
			report_s += options->interval_s;
		}
		next_s = tick_s < report_s ? tick_s : report_s;
		next_s = next_s < end_s ? next_s : end_s;
		tracer_wait(tracer, next_s > s ? (int)((next_s - s) * 1e3) + 1 : 0);
	}
	return report(tracer, options);
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_signal};
	struct notices told = {0};
	struct tracer *tracer;
	struct options options;
	int r;

	r = options_parse(&options, argc, argv);
	if (r >= 0)
		return r;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	r = tracer_open(&tracer, &options, on_notice, &told);
	if (r < 0)
		return TRACE_FAILED;
	fprintf(stderr, "chronotick-trace: tracing %u file%s\n", tracer_binaries(tracer),
		tracer_binaries(tracer) == 1 ? "" : "s");
	r = run(tracer, &options);
	tracer_close(tracer);
	if (r < 0) {
		fprintf(stderr, "chronotick-trace: %s\n", strerror(-r));
		return TRACE_FAILED;
	}
	return TRACE_DONE;
}
