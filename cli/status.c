/* SPDX-License-Identifier: MIT */
/* chronotick status: the daemon, its sources, its page. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "terms.h"
#include "text.h"
#include "view/view.h"

static void state_print(const struct cli *cli, const struct view *view)
{
	unsigned int percent = view_warmup_percent(view);

	if (view->writer_gone)
		text_field(cli, "Status", TEXT_BAD, "WRITER GONE");
	else if (percent < 100 || view->status <= CHRONOTICK_WARMING_UP)
		text_field(cli, "Status", TEXT_WARN, "WARMING UP (%u %%)%s", percent,
			   view->trust == 0 ? ", the time is trusted already" : "");
	else if (view->trust < 0)
		text_field(cli, "Status", TEXT_BAD, "NOT READY");
	else
		text_field(cli, "Status", TEXT_GOOD, "READY");
}

static void daemon_print(const struct cli *cli, const struct view *view)
{
	char text[TEXT_SIZE];
	double since =
		view_double(view, (double)view->system_ns * 1e-9 - view->record.last_ntp_sync);

	text_field(
		cli, "Uptime", TEXT_PLAIN, "%s",
		text_number(text, view_double(view, view->record.daemon_uptime), 1, false, " s"));
	text_yes(cli, "Warm-up complete", view_flag(view, CHRONOTICK_FLAG_WARMUP_COMPLETE));
	text_yes(cli, "NTP ready", view_flag(view, CHRONOTICK_FLAG_NTP_READY));
	text_yes(cli, "Models ready", view_flag(view, CHRONOTICK_FLAG_MODELS_READY));
	text_yes(cli, "Valid", view->trust == 0);
	text_field(cli, "Measurements", TEXT_PLAIN, "%u", view->record.measurement_count);
	text_field(cli, "Corrections", TEXT_PLAIN, "%u", view->record.total_corrections);
	if (view->record.last_ntp_sync > 0)
		text_field(cli, "Last sync", TEXT_PLAIN, "%s ago",
			   text_number(text, since, 1, false, " s"));
	else
		text_field(cli, "Last sync", TEXT_PLAIN, "never");
	text_field(cli, "Source", TEXT_PLAIN, "%s",
		   chronotick_source_name(view->has_record ? view->record.source
							   : CHRONOTICK_NO_DATA));
	text_field(cli, "Confidence", TEXT_PLAIN, "%s",
		   text_number(text, view_double(view, (double)view->record.confidence) * 100, 1,
			       false, " %"));
	text_field(cli, "Offset", TEXT_PLAIN, "%s",
		   text_duration(text, view_double(view, view->record.offset_correction), true));
	text_field(cli, "Drift", TEXT_PLAIN, "%s",
		   text_number(text, view_double(view, view->record.drift_rate) * 1e6, 6, true,
			       " us/s"));
}

/*
 * Is that process to be seen from here as the one that has begun then? It need not be, in another
 * PID namespace or with a hidden /proc, and says nothing about whether it lives.
 */
static bool writer_is_seen(const struct chronotick_header *header)
{
	char path[40], text[1024], *at;
	unsigned int field;
	FILE *file;
	size_t length;

	snprintf(path, sizeof(path), "/proc/%u/stat", header->writer_pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	length = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[length] = '\0';
	/* The program's name, field 2, may hold anything; the last ')' ends it. */
	at = strrchr(text, ')');
	for (field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at && strtoull(at, NULL, 10) == header->writer_start;
}

static void page_print(const struct cli *cli, const struct view *view)
{
	static const char *const leaps[] = {
		"none announced", "one will be inserted at the end of this month",
		"one will be left out at the end of this month", "unknown"};
	const struct chronotick_header *header = &view->header;
	char text[TEXT_SIZE];

	if (view->trust == 0)
		text_field(cli, "Bound", TEXT_PLAIN, "%s",
			   text_plus_minus(text, (double)view_bound_ns(view) * 1e-9));
	else
		text_field(cli, "Bound", TEXT_BAD, "unknown");
	text_field(cli, "Clock status", view->trust < 0 ? TEXT_BAD : TEXT_PLAIN, "%s",
		   chronotick_status_name(view->status));
	text_field(cli, "Reason", TEXT_PLAIN, "%s", view->reason);
	putchar('\n');
	text_field(cli, "Page", TEXT_PLAIN, "%s", view->path);
	text_field(cli, "Backend", TEXT_PLAIN, "%s, counter %s at %.6f MHz", view->backend,
		   chronotick_counter_name(header->counter_kind),
		   (double)header->counter_hz * 1e-6);
	if (header->writer_pid)
		text_field(cli, "Writer", TEXT_PLAIN, "pid %u%s, %u Hz%s", header->writer_pid,
			   writer_is_seen(header) ? "" : " (not to be seen from here)",
			   header->frequency_hz,
			   header->standby_count ? ", another daemon stands by" : "");
	else
		text_field(cli, "Writer", TEXT_PLAIN, "none");
	if (view->heartbeat_age_ns == INT64_MAX)
		text_field(cli, "Heartbeat", TEXT_BAD, "never");
	else
		text_field(cli, "Heartbeat", view->writer_gone ? TEXT_BAD : TEXT_PLAIN, "%s ago",
			   text_duration(text, (double)view->heartbeat_age_ns * 1e-9, false));
	text_field(cli, "Generation", TEXT_PLAIN, "%u", view->now.generation);
	if (view->now.tai_offset_s == CHRONOTICK_TAI_UNKNOWN)
		text_field(cli, "TAI - UTC", TEXT_PLAIN, "unknown");
	else
		text_field(cli, "TAI - UTC", TEXT_PLAIN, "%d s", view->now.tai_offset_s);
	text_field(cli, "Leap second", TEXT_PLAIN, "%s",
		   leaps[(view->now.status & CHRONOTICK_LEAP_MASK) >> CHRONOTICK_LEAP_SHIFT]);
}

static void statistics_print(const struct cli *cli, const struct view *view)
{
	const struct chronotick_statistics *s = &view->statistics;
	char last[TEXT_SIZE], mean[TEXT_SIZE], max[TEXT_SIZE];

	text_field(cli, "Publications", TEXT_PLAIN,
		   "%" PRIu64 ", %" PRIu64 " built again; latency last %s, mean %s, max %s",
		   (uint64_t)s->publish_count, (uint64_t)s->publish_rebuilt,
		   text_duration(last, (double)s->publish_last_ns * 1e-9, false),
		   text_duration(mean, (double)s->publish_mean_ns * 1e-9, false),
		   text_duration(max, (double)s->publish_max_ns * 1e-9, false));
	if (s->read_measured_ns)
		text_field(cli, "Read latency", TEXT_PLAIN,
			   "min %.1f, mean %.1f, p50 %.1f, p99 %.1f, max %.1f ns "
			   "(%" PRIu64 " reads, %" PRIu64 " torn)",
			   (double)s->read_min_ps * 1e-3, (double)s->read_mean_ps * 1e-3,
			   (double)s->read_p50_ps * 1e-3, (double)s->read_p99_ps * 1e-3,
			   (double)s->read_max_ps * 1e-3, (uint64_t)s->read_count,
			   (uint64_t)s->torn_reads);
	else
		text_field(cli, "Read latency", TEXT_PLAIN, "not measured yet");
	text_field(cli, "Packets", TEXT_PLAIN,
		   "%" PRIu64 " sent, %" PRIu64 " received, %" PRIu64 " rejected",
		   (uint64_t)s->packets_sent, (uint64_t)s->packets_received,
		   (uint64_t)s->packets_rejected);
}

static void source_print(const struct cli *cli, const struct chronotick_source *source,
			 int64_t age_ns)
{
	char offset[TEXT_SIZE], delay[TEXT_SIZE], distance[TEXT_SIZE], age[TEXT_SIZE] = "never";
	enum text_colour colour = text_source_colour(source->state);

	if (age_ns >= 0)
		text_number(age, (double)age_ns * 1e-9, 1, false, " s ago");
	printf("  %-24s %-4s %s%-14s%s stratum %-2u reach %03o offset %-12s delay %-11s "
	       "distance %-11s stamps %s/%s samples %" PRIu64 ", last %s\n",
	       source->name[0] ? source->name : "-", chronotick_source_name(source->kind),
	       colour == TEXT_PLAIN ? "" : text_colour(cli, colour),
	       chronotick_source_state_name(source->state),
	       colour == TEXT_PLAIN ? "" : text_colour(cli, TEXT_PLAIN), source->stratum,
	       source->reach, text_duration(offset, (double)source->offset_ns * 1e-9, true),
	       text_duration(delay, (double)source->delay_ns * 1e-9, false),
	       text_duration(distance, (double)source->root_distance_ns * 1e-9, false),
	       chronotick_stamp_name(source->tx_stamp), chronotick_stamp_name(source->rx_stamp),
	       (uint64_t)source->samples, age);
}

static int status_json(const struct cli *cli)
{
	struct terms terms;
	json_t *object;
	int r;

	if (terms_ask(cli, &terms) < 0)
		return -1;
	object = terms_json(&terms);
	r = json_dumpf(object, stdout, JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(object);
	return r;
}

int cli_status(const struct cli *cli)
{
	struct terms terms;
	struct view view;
	unsigned int i;

	view_take(&view, cli->page);
	if (view.open < 0) {
		fprintf(stderr, "chronotick: %s: %s\n", view.path, view.reason);
		return CLI_UNTRUSTED;
	}
	if (cli->json) {
		if (status_json(cli) < 0)
			return CLI_UNTRUSTED;
		return view.trust == 0 && !view.writer_gone ? CLI_TRUSTED : CLI_UNTRUSTED;
	}
	state_print(cli, &view);
	daemon_print(cli, &view);
	page_print(cli, &view);
	statistics_print(cli, &view);
	printf("\nSources: %u\n", view.source_count);
	for (i = 0; i < view.source_count; i++)
		source_print(cli, &view.source[i], view.source_age_ns[i]);
	if (cli->verbose) {
		if (terms_ask(cli, &terms) < 0)
			return CLI_UNTRUSTED;
		terms_print(cli, &terms, &view);
	}
	return view.trust == 0 && !view.writer_gone ? CLI_TRUSTED : CLI_UNTRUSTED;
}
