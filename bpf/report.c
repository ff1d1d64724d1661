/* SPDX-License-Identifier: MIT */
#include "report.h"

#include "tracer.h"

#include <chronotick/chronotick.h>
#include <inttypes.h>
#include <string.h>

#define BAR 40 /* columns of the longest bar */
#define TEXT_SIZE 32

static const char *const labels[QUANTITIES] = {
	[TORN_NS] = "time spent",
	[TORN_RETRIES] = "retries",
	[READ_WARM_PS] = "canary, warm",
	[READ_COLD_PS] = "canary, cold",
	[READ_SERIALISED_PS] = "canary, serialised",
	[WRITE_WINDOW_NS] = "write window",
	[WRITE_JITTER_NS] = "interval, off by",
	[WRITE_UPDATE_NS] = "update",
	[MODULE_WINDOW_NS] = "module, window",
	[MODULE_JITTER_NS] = "module, off by",
	[MODULE_UPDATE_NS] = "module, update",
	[STAGE_RECEIVE_NS] = "packet to engine",
	[STAGE_WAIT_NS] = "wait for its turn",
	[STAGE_PUBLISH_NS] = "publication",
	[STAGE_ALL_NS] = "packet in to page out",
};

/* What a quantity is counted in, as ns: 1, 1e-3 or 0 where it is no time. */
static double unit_ns_of(enum quantity quantity)
{
	const char *key = snapshot_quantity_key(quantity);
	size_t length = strlen(key);

	if (strcmp(key + length - 3, "_ns") == 0)
		return 1;
	return strcmp(key + length - 3, "_ps") == 0 ? 1e-3 : 0;
}

/* A duration in the unit that suits it, "1.23 us". Returns `text`. */
static char *duration_text(char text[TEXT_SIZE], double ns)
{
	static const struct {
		double ns;
		const char *name;
	} units[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}, {1, "ns"}};
	size_t i = 0;

	while (i < 3 && ns < units[i].ns)
		i++;
	snprintf(text, TEXT_SIZE, ns < 100 * units[i].ns ? "%.2f %s" : "%.0f %s", ns / units[i].ns,
		 units[i].name);
	return text;
}

/* A value of the quantity for people */
static char *value_text(char text[TEXT_SIZE], enum quantity quantity, double value)
{
	double unit_ns = unit_ns_of(quantity);

	if (unit_ns > 0)
		return duration_text(text, value * unit_ns);
	snprintf(text, TEXT_SIZE, "%.0f", value);
	return text;
}

static void histogram_draw(FILE *out, const struct distribution *distribution,
			   enum quantity quantity)
{
	char from[TEXT_SIZE];
	uint64_t most = 1;
	size_t i;

	for (i = 0; i < distribution->bucket_count; i++)
		if (distribution->buckets[i].count > most)
			most = distribution->buckets[i].count;
	for (i = 0; i < distribution->bucket_count; i++) {
		const struct distribution_bucket *bucket = &distribution->buckets[i];
		int bar = (int)((double)bucket->count * BAR / (double)most);

		fprintf(out, "    %12s %10" PRIu64 " %.*s\n",
			value_text(from, quantity, (double)bucket->at_least), bucket->count, bar,
			"########################################");
	}
}

static void distribution_text(FILE *out, const struct process *process, enum quantity quantity,
			      bool draw)
{
	const struct distribution *distribution = &process->distributions[quantity];
	char text[5][TEXT_SIZE];

	if (!distribution->count)
		return;
	fprintf(out, "  %-22s min %s  p50 %s  p99 %s  p99.9 %s  max %s\n", labels[quantity],
		value_text(text[0], quantity, (double)distribution_min(distribution)),
		value_text(text[1], quantity, distribution_quantile(distribution, 0.5)),
		value_text(text[2], quantity, distribution_quantile(distribution, 0.99)),
		value_text(text[3], quantity, distribution_quantile(distribution, 0.999)),
		value_text(text[4], quantity, (double)distribution_max(distribution)));
	if (draw)
		histogram_draw(out, distribution, quantity);
}

static void torn_text(FILE *out, const struct process *process, double seconds)
{
	const struct torn *torn = &process->torn;

	fprintf(out,
		"  torn reads             %" PRIu64 " (%.1f/s): %" PRIu64 " odd, %" PRIu64
		" changed; %" PRIu64 " lost\n",
		(uint64_t)torn->count, (double)torn->count / seconds, (uint64_t)torn->odd,
		(uint64_t)torn->changed, (uint64_t)torn->lost);
	if (torn->reader_preempted + torn->writer_concurrent)
		fprintf(out,
			"  cause                  reader preempted %" PRIu64
			", writer concurrent %" PRIu64 "\n",
			(uint64_t)torn->reader_preempted, (uint64_t)torn->writer_concurrent);
}

static void latency_text(FILE *out, const struct latency *latency)
{
	fprintf(out, "  canary                 %" PRIu64 " rounds, %" PRIu64 " reads\n",
		(uint64_t)latency->rounds, (uint64_t)latency->reads);
}

double report_share_percent(const struct reading *reading, double seconds)
{
	return (double)reading->samples_reading * 100 / (TRACER_SHARE_HZ * seconds);
}

const char *report_page_name(enum writer_page page)
{
	return page == WRITER_MODULE ? "module" : "shm";
}

static void writer_text(FILE *out, const struct process *process, enum writer_page page,
			double seconds)
{
	const struct writer *writer = &process->writer[page];
	char window[TEXT_SIZE], interval[TEXT_SIZE], update[TEXT_SIZE];

	fprintf(out,
		"  publications, %-8s %" PRIu64 " (%.1f/s), missed %" PRIu64 ", overdue %" PRIu64
		", sequence %u, %s; at most: window %s, interval %s, update %s\n",
		report_page_name(page), (uint64_t)writer->count, (double)writer->count / seconds,
		(uint64_t)writer->missed, process->overdue[page], writer->sequence,
		chronotick_status_name(writer->status & CHRONOTICK_STATUS_MASK),
		duration_text(window, (double)writer->window_ns_max),
		duration_text(interval, (double)writer->interval_ns_max),
		duration_text(update, (double)writer->update_ns_max));
}

static int alerts_text(FILE *out, const struct snapshot *snapshot, const struct options *options)
{
	struct alert alerts[REPORT_ALERTS_MAX];
	size_t count = alerts_find(snapshot, options->limits, alerts, REPORT_ALERTS_MAX), i;
	unsigned int unseen = alerts_unseen(snapshot, options->limits);

	for (i = 0; i < count && i < REPORT_ALERTS_MAX; i++)
		fprintf(out, "ALERT %s, pid %u: %s is %.1f, more than %.1f\n", alerts[i].name,
			alerts[i].pid, alert_key(alerts[i].kind), alerts[i].value, alerts[i].limit);
	for (i = 0; i < ALERTS; i++)
		if (unseen >> i & 1)
			fprintf(out, "UNSEEN: no process has told of %s\n",
				alert_key((enum alert_kind)i));
	return (int)count;
}

int report_text(FILE *out, const struct snapshot *snapshot, const struct options *options)
{
	size_t i, quantity, page;

	fprintf(out, "%.1f s, %u traced file%s\n", snapshot->seconds, snapshot->binaries,
		snapshot->binaries == 1 ? "" : "s");
	for (i = 0; i < snapshot->process_count; i++) {
		const struct process *process = &snapshot->processes[i];

		fprintf(out, "%s, pid %u\n", process->name, process->pid);
		if (process->has_torn)
			torn_text(out, process, snapshot->seconds);
		if (process->has_reading)
			fprintf(out,
				"  in reads               %.1f %% of a CPU, %.0f %% of its own time "
				"(%" PRIu64 " of %" PRIu64 " samples)\n",
				report_share_percent(&process->reading, snapshot->seconds),
				100.0 * (double)process->reading.samples_reading /
					(double)process->reading.samples,
				(uint64_t)process->reading.samples_reading,
				(uint64_t)process->reading.samples);
		if (process->has_latency)
			latency_text(out, &process->latency);
		for (page = 0; page < WRITER_PAGES; page++)
			if (process->has_writer[page])
				writer_text(out, process, (enum writer_page)page,
					    snapshot->seconds);
		for (quantity = 0; quantity < QUANTITIES; quantity++)
			distribution_text(out, process, (enum quantity)quantity,
					  options->histograms);
	}
	if (snapshot->process_count == 0)
		fprintf(out, "nothing has happened%s\n",
			snapshot->binaries ? "" : ": no program that runs has our probes");
	if (snapshot->left_out)
		fprintf(out, "left out for want of room: %" PRIu64 " events\n", snapshot->left_out);
	if (snapshot->notices_lost)
		fprintf(out, "too many at once to be told of one by one: %" PRIu64 " events\n",
			snapshot->notices_lost);
	return alerts_text(out, snapshot, options);
}
