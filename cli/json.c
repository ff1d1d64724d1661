/* SPDX-License-Identifier: MIT */
/* chronotick json: one object. What is not known is null; the keys are always the same. */
#include <inttypes.h>

#include <jansson.h>

#include "cli.h"
#include "json_values.h"
#include "text.h"
#include "view/view.h"

/* Nanoseconds that pass 2^53 lose digits in JavaScript: a decimal string. */
static json_t *json_ns(int64_t ns)
{
	return json_sprintf("%" PRId64, ns);
}

/* The keys that every ChronoTick client knows */
static void record_add(json_t *object, const struct view *view)
{
	const struct chronotick_record *record = &view->record;
	bool has = view->has_record;
	int64_t utc_ns = view_utc_ns(view);

	json_object_set_new(object, "corrected_time",
			    utc_ns ? json_real((double)utc_ns * 1e-9) : json_null());
	json_object_set_new(object, "system_time", json_real((double)view->system_ns * 1e-9));
	json_object_set_new(object, "offset_correction",
			    json_finite(view_double(view, record->offset_correction)));
	json_object_set_new(object, "drift_rate",
			    json_finite(view_double(view, record->drift_rate)));
	json_object_set_new(object, "offset_uncertainty",
			    json_finite(view_double(view, record->offset_uncertainty)));
	json_object_set_new(object, "drift_uncertainty",
			    json_finite(view_double(view, record->drift_uncertainty)));
	json_object_set_new(object, "time_uncertainty", json_finite(view->uncertainty_s));
	json_object_set_new(object, "confidence",
			    json_finite(view_double(view, (double)record->confidence)));
	json_object_set_new(
		object, "source",
		json_string(chronotick_source_name(has ? record->source : CHRONOTICK_NO_DATA)));
	json_object_set_new(object, "prediction_time",
			    json_finite(view_double(view, record->prediction_time)));
	json_object_set_new(object, "valid_until",
			    json_finite(view_double(view, record->valid_until)));
	json_object_set_new(object, "is_valid", json_boolean(view->trust == 0));
	json_object_set_new(object, "is_ntp_ready",
			    json_boolean(view_flag(view, CHRONOTICK_FLAG_NTP_READY)));
	json_object_set_new(object, "is_models_ready",
			    json_boolean(view_flag(view, CHRONOTICK_FLAG_MODELS_READY)));
	json_object_set_new(object, "is_warmup_complete",
			    json_boolean(view_flag(view, CHRONOTICK_FLAG_WARMUP_COMPLETE)));
	json_object_set_new(object, "warmup_progress",
			    json_real(view_warmup_percent(view) / 100.0));
	json_object_set_new(object, "daemon_uptime",
			    json_finite(view_double(view, record->daemon_uptime)));
	json_object_set_new(object, "measurement_count", json_integer(record->measurement_count));
	json_object_set_new(object, "total_corrections", json_integer(record->total_corrections));
}

/* What this page has beside them */
static void interval_add(json_t *object, const struct view *view)
{
	const struct chronotick_interval *now = &view->now;
	bool trusted = view->trust == 0, open = view->open == 0;
	int64_t utc_ns = view_utc_ns(view);

	json_object_set_new(object, "utc_ns", utc_ns ? json_ns(utc_ns) : json_null());
	json_object_set_new(object, "earliest_ns",
			    trusted ? json_ns(now->earliest_ns) : json_null());
	json_object_set_new(object, "latest_ns", trusted ? json_ns(now->latest_ns) : json_null());
	json_object_set_new(object, "bound_ns",
			    trusted ? json_integer(view_bound_ns(view)) : json_null());
	json_object_set_new(object, "clock_status",
			    open ? json_string(chronotick_status_name(view->status)) : json_null());
	json_object_set_new(object, "reason", json_string(view->reason));
	json_object_set_new(object, "generation",
			    open ? json_integer(now->generation) : json_null());
	json_object_set_new(object, "tai_offset",
			    now->tai_offset_s == CHRONOTICK_TAI_UNKNOWN
				    ? json_null()
				    : json_integer(now->tai_offset_s));
	json_object_set_new(object, "leap",
			    json_string(text_leap((now->status & CHRONOTICK_LEAP_MASK) >>
						  CHRONOTICK_LEAP_SHIFT)));
}

static void page_add(json_t *object, const struct view *view)
{
	const struct chronotick_header *header = &view->header;
	json_t *path = json_string(view->path);

	json_object_set_new(object, "last_ntp_sync",
			    json_finite(view_double(view, view->record.last_ntp_sync)));
	json_object_set_new(
		object, "average_latency_ms",
		json_finite(view_double(view, (double)view->record.average_latency_ms)));
	json_object_set_new(object, "page", path ? path : json_null());
	json_object_set_new(object, "backend",
			    view->open == 0 ? json_string(view->backend) : json_null());
	json_object_set_new(object, "counter",
			    json_string(chronotick_counter_name(header->counter_kind)));
	json_object_set_new(object, "writer_pid",
			    header->writer_pid ? json_integer(header->writer_pid) : json_null());
	json_object_set_new(object, "heartbeat_age", json_age(view->heartbeat_age_ns));
}

int cli_json(const struct cli *cli)
{
	json_t *object = json_object();
	struct view view;
	int r;

	if (!object) {
		fputs("chronotick: out of memory\n", stderr);
		return CLI_UNTRUSTED;
	}
	view_take(&view, cli->page);
	record_add(object, &view);
	interval_add(object, &view);
	page_add(object, &view);
	r = json_dumpf(object, stdout, (cli->pretty ? JSON_INDENT(2) : 0) | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(object);
	return r == 0 && view.trust == 0 ? CLI_TRUSTED : CLI_UNTRUSTED;
}
