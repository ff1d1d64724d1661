/* SPDX-License-Identifier: MIT */
#include <chronotick/chronotick.h>
#include <errno.h>
#include <jansson.h>

#include "report.h"

static json_t *distribution_json(const struct distribution *distribution)
{
	json_t *buckets = json_array();
	size_t i;

	for (i = 0; i < distribution->bucket_count; i++) {
		const struct distribution_bucket *bucket = &distribution->buckets[i];

		json_array_append_new(
			buckets, json_pack("[I,I,I]", (json_int_t)bucket->at_least,
					   (json_int_t)distribution_edge_after(bucket->at_least),
					   (json_int_t)bucket->count));
	}
	return json_pack("{s:I,s:I,s:f,s:f,s:f,s:I,s:o}", "count", (json_int_t)distribution->count,
			 "min", (json_int_t)distribution_min(distribution), "p50",
			 distribution_quantile(distribution, 0.5), "p99",
			 distribution_quantile(distribution, 0.99), "p999",
			 distribution_quantile(distribution, 0.999), "max",
			 (json_int_t)distribution_max(distribution), "buckets", buckets);
}

static json_t *torn_json(const struct torn *torn, double seconds)
{
	return json_pack("{s:I,s:f,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "count",
			 (json_int_t)torn->count, "rate_hz", (double)torn->count / seconds, "odd",
			 (json_int_t)torn->odd, "changed", (json_int_t)torn->changed, "lost",
			 (json_int_t)torn->lost, "retries", (json_int_t)torn->retries,
			 "retries_max", (json_int_t)torn->retries_max, "ticks",
			 (json_int_t)torn->ticks, "ns", (json_int_t)torn->ns, "ns_max",
			 (json_int_t)torn->ns_max, "reader_preempted",
			 (json_int_t)torn->reader_preempted, "writer_concurrent",
			 (json_int_t)torn->writer_concurrent);
}

static json_t *latency_json(const struct latency *latency)
{
	return json_pack("{s:I,s:I,s:I,s:I,s:I}", "rounds", (json_int_t)latency->rounds, "reads",
			 (json_int_t)latency->reads, "warm_ps", (json_int_t)latency->warm_ps,
			 "cold_ps", (json_int_t)latency->cold_ps, "serialised_ps",
			 (json_int_t)latency->serialised_ps);
}

static json_t *writer_json(const struct writer *writer, uint64_t overdue, double seconds)
{
	return json_pack(
		"{s:I,s:f,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:s}", "count", (json_int_t)writer->count,
		"rate_hz", (double)writer->count / seconds, "missed", (json_int_t)writer->missed,
		"overdue", (json_int_t)overdue, "period_ns", (json_int_t)writer->period_ns,
		"window_ns_max", (json_int_t)writer->window_ns_max, "interval_ns_max",
		(json_int_t)writer->interval_ns_max, "update_ns_max",
		(json_int_t)writer->update_ns_max, "sequence", (json_int_t)writer->sequence,
		"status", chronotick_status_name(writer->status & CHRONOTICK_STATUS_MASK));
}

static json_t *writers_json(const struct process *process, double seconds)
{
	json_t *writers = NULL;
	size_t i;

	for (i = 0; i < WRITER_PAGES; i++) {
		if (!process->has_writer[i])
			continue;
		if (!writers)
			writers = json_object();
		json_object_set_new(writers, report_page_name((enum writer_page)i),
				    writer_json(&process->writer[i], process->overdue[i], seconds));
	}
	return writers;
}

static json_t *process_json(const struct process *process, double seconds)
{
	json_t *object =
		json_pack("{s:I,s:s}", "pid", (json_int_t)process->pid, "name", process->name);
	json_t *distributions = json_object(), *writers;
	size_t i;

	if (process->has_torn)
		json_object_set_new(object, "torn", torn_json(&process->torn, seconds));
	if (process->has_reading)
		json_object_set_new(
			object, "share",
			json_pack("{s:I,s:I,s:f}", "samples", (json_int_t)process->reading.samples,
				  "reading", (json_int_t)process->reading.samples_reading,
				  "cpu_percent", report_share_percent(&process->reading, seconds)));
	if (process->has_latency)
		json_object_set_new(object, "canary", latency_json(&process->latency));
	if ((writers = writers_json(process, seconds)))
		json_object_set_new(object, "writer", writers);
	for (i = 0; i < QUANTITIES; i++)
		if (process->distributions[i].count)
			json_object_set_new(distributions, snapshot_quantity_key((enum quantity)i),
					    distribution_json(&process->distributions[i]));
	json_object_set_new(object, "distributions", distributions);
	return object;
}

static json_t *alerts_json(const struct alert *alerts, size_t count)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < count && i < REPORT_ALERTS_MAX; i++)
		json_array_append_new(array,
				      json_pack("{s:s,s:f,s:f,s:I,s:s}", "alert",
						alert_key(alerts[i].kind), "value", alerts[i].value,
						"limit", alerts[i].limit, "pid",
						(json_int_t)alerts[i].pid, "name", alerts[i].name));
	return array;
}

static json_t *unseen_json(const struct snapshot *snapshot, const double *limits)
{
	unsigned int unseen = alerts_unseen(snapshot, limits), kind;
	json_t *array = json_array();

	for (kind = 0; kind < ALERTS; kind++)
		if (unseen >> kind & 1)
			json_array_append_new(array, json_string(alert_key((enum alert_kind)kind)));
	return array;
}

int report_json(FILE *out, const struct snapshot *snapshot, const struct options *options)
{
	json_t *processes = json_array(), *object;
	struct alert alerts[REPORT_ALERTS_MAX];
	size_t count = alerts_find(snapshot, options->limits, alerts, REPORT_ALERTS_MAX), i;
	int r;

	for (i = 0; i < snapshot->process_count; i++)
		json_array_append_new(processes,
				      process_json(&snapshot->processes[i], snapshot->seconds));
	object = json_pack("{s:s,s:f,s:i,s:I,s:I,s:o,s:o,s:o}", "verb", options->verb, "seconds",
			   snapshot->seconds, "binaries", (int)snapshot->binaries, "left_out",
			   (json_int_t)snapshot->left_out, "notices_lost",
			   (json_int_t)snapshot->notices_lost, "processes", processes, "alerts",
			   alerts_json(alerts, count), "unseen",
			   unseen_json(snapshot, options->limits));
	errno = 0;
	r = object ? json_dumpf(object, out, JSON_COMPACT | JSON_REAL_PRECISION(9)) : -1;
	if (r < 0)
		r = ferror(out) && errno ? -errno : -ENOMEM;
	json_decref(object);
	if (r < 0)
		return r;
	fputc('\n', out);
	return (int)count;
}
