/* SPDX-License-Identifier: MIT */
/* The fields themselves. Their descriptions are read by language models: short, with the unit. */
#include <stddef.h>

#include "fields.h"

#define AT(member) .offset = offsetof(struct facts, member)
#define SOURCE(member) .offset = offsetof(struct field_source, member)

static const char *const status_names[] = {"ready", "warming_up", "not_running", NULL};
static const char *const clock_status_names[] = {"unsynchronized", "warming_up",  "synchronized",
						 "holdover",       "writer_gone", "expired",
						 "unknown",        NULL};
static const char *const source_names[] = {"no_data", "ntp", "cpu_model", "gpu_model", "fusion",
					   "ptp",     "phc", "unknown",   NULL};
static const char *const state_names[] = {"unreachable", "selected",       "candidate",
					  "falseticker", "unsynchronized", "denied",
					  "loop",        "unknown",        NULL};
static const char *const order_names[] = {"before", "after", "overlap", NULL};
static const char *const timescale_names[] = {"tai", "utc", NULL};

const struct field fields_interval[] = {
	{"status",
	 "ready: trusted, and the warm-up is over; warming_up: not yet; not_running: nobody keeps "
	 "the time up to date. Whether to trust the time is told by is_valid alone",
	 FIELD_TEXT, AT(status), .names = status_names},
	{"is_valid",
	 "may this time be used? If so, the true time certainly is between earliest and latest",
	 FIELD_BOOLEAN, AT(is_valid)},
	{"reason", "why the time may be used or not, and what to do", FIELD_TEXT, AT(reason)},
	{"clock_status", "the clock's own status; null: there is no page", FIELD_TEXT,
	 AT(clock_status), .nullable = true, .names = clock_status_names},
	{"utc_ns", "best estimate of UTC: ns since 1970", FIELD_NS, AT(utc_ns), .nullable = true},
	{"earliest_ns", "UTC is not before this: ns since 1970", FIELD_NS, AT(earliest_ns),
	 .nullable = true},
	{"latest_ns", "UTC is not after this: ns since 1970", FIELD_NS, AT(latest_ns),
	 .nullable = true},
	{"bound_ns", "half of the width from earliest to latest, ns", FIELD_NS, AT(bound_ns),
	 .nullable = true},
	{"earliest", "earliest_ns in seconds, rounded down", FIELD_NUMBER, AT(earliest),
	 .nullable = true},
	{"latest", "latest_ns in seconds, rounded up", FIELD_NUMBER, AT(latest), .nullable = true},
	{"generation", "goes up whenever the time has jumped on this machine", FIELD_INTEGER,
	 AT(generation), .nullable = true},
	{"tai_offset", "TAI - UTC, s; null: not known", FIELD_INTEGER, AT(tai_offset),
	 .nullable = true},
	{"leap", "leap second at the end of this month", FIELD_TEXT, AT(leap), .nullable = true,
	 .names = facts_leaps},
	{NULL},
};

const struct field fields_get_time[] = {
	{"corrected_time", "best estimate of UTC: seconds since 1970", FIELD_NUMBER,
	 AT(corrected_time), .nullable = true},
	{"system_time", "the system clock at the same moment: seconds since 1970", FIELD_NUMBER,
	 AT(system_time)},
	{"offset_correction", "UTC - system clock at prediction_time, s", FIELD_NUMBER,
	 AT(offset_correction), .nullable = true},
	{"drift_rate", "how fast that changes, s/s", FIELD_NUMBER, AT(drift_rate),
	 .nullable = true},
	{"offset_uncertainty", "one standard deviation of offset_correction, s", FIELD_NUMBER,
	 AT(offset_uncertainty), .nullable = true},
	{"drift_uncertainty", "one standard deviation of drift_rate, s/s", FIELD_NUMBER,
	 AT(drift_uncertainty), .nullable = true},
	{"time_uncertainty", "one standard deviation of corrected_time, s", FIELD_NUMBER,
	 AT(time_uncertainty), .nullable = true},
	{"confidence", "from 0 to 1", FIELD_NUMBER, AT(confidence), .nullable = true},
	{"source", "what the time rests on", FIELD_TEXT, AT(source), .names = source_names},
	{"prediction_time", "system clock that offset_correction is for, s", FIELD_NUMBER,
	 AT(prediction_time), .nullable = true},
	{"valid_until", "system clock after which the correction no longer holds, s", FIELD_NUMBER,
	 AT(valid_until), .nullable = true},
	{"is_ntp_ready", "has a reference been measured?", FIELD_BOOLEAN, AT(is_ntp_ready)},
	{"is_models_ready", "are the predictive models in use?", FIELD_BOOLEAN,
	 AT(is_models_ready)},
	{NULL},
};

static const struct field source_fields[] = {
	{"name", "address", FIELD_TEXT, SOURCE(name)},
	{"kind", NULL, FIELD_TEXT, SOURCE(kind), .names = source_names},
	{"state", "why it is used or not", FIELD_TEXT, SOURCE(state), .names = state_names},
	{"stratum", NULL, FIELD_INTEGER, SOURCE(stratum)},
	{"reach", "which of the last eight requests were answered, one bit each; 255: all",
	 FIELD_INTEGER, SOURCE(reach)},
	{"offset_ns", "against the time told", FIELD_NS, SOURCE(offset_ns), .nullable = true},
	{"delay_ns", "round trip", FIELD_NS, SOURCE(delay_ns), .nullable = true},
	{"root_distance_ns", "how far it may be from UTC", FIELD_NS, SOURCE(root_distance_ns),
	 .nullable = true},
	{"sample_age", "since it was last measured, s", FIELD_NUMBER, SOURCE(sample_age),
	 .nullable = true},
	{NULL},
};

const struct field fields_status[] = {
	{"daemon_running", "is the time being kept up to date?", FIELD_BOOLEAN, AT(daemon_running)},
	{"warmup_complete", "is the warm-up over?", FIELD_BOOLEAN, AT(warmup_complete)},
	{"warmup_progress", "from 0 to 1", FIELD_NUMBER, AT(warmup_progress)},
	{"measurement_count", "measurements of references so far", FIELD_INTEGER,
	 AT(measurement_count)},
	{"total_corrections", "corrections so far", FIELD_INTEGER, AT(total_corrections)},
	{"daemon_uptime", "s", FIELD_NUMBER, AT(daemon_uptime), .nullable = true},
	{"last_ntp_sync", "system clock at the last measurement, s; null: never", FIELD_NUMBER,
	 AT(last_ntp_sync), .nullable = true},
	{"seconds_since_ntp", "since then, s", FIELD_NUMBER, AT(seconds_since_ntp),
	 .nullable = true},
	{"ntp_ready", "has a reference been measured?", FIELD_BOOLEAN, AT(is_ntp_ready)},
	{"models_ready", "are the predictive models in use?", FIELD_BOOLEAN, AT(is_models_ready)},
	{"average_latency_ms", "of one read of the time, as the daemon measures it", FIELD_NUMBER,
	 AT(average_latency_ms), .nullable = true},
	{"data_source", "what the time rests on", FIELD_TEXT, AT(source), .names = source_names},
	{"confidence", "from 0 to 1", FIELD_NUMBER, AT(confidence), .nullable = true},
	{"publish_count", "publications of this daemon", FIELD_INTEGER, AT(publish_count)},
	{"publish_mean_ns", "mean time that one takes", FIELD_INTEGER, AT(publish_mean_ns)},
	{"read_p50_ns", "median of a read, as last measured", FIELD_NUMBER, AT(read_p50_ns),
	 .nullable = true},
	{"read_p99_ns", "99th percentile of a read", FIELD_NUMBER, AT(read_p99_ns),
	 .nullable = true},
	{"torn_reads", "reads that met a publication, as last measured", FIELD_INTEGER,
	 AT(torn_reads)},
	{"page", "where the time is read from", FIELD_TEXT, AT(page)},
	{"backend", "module: the kernel's device; shm: shared memory", FIELD_TEXT, AT(backend),
	 .nullable = true},
	{"counter", "the hardware counter that the time runs on", FIELD_TEXT, AT(counter),
	 .nullable = true},
	{"writer_pid", "the daemon's process; null: none", FIELD_INTEGER, AT(writer_pid),
	 .nullable = true},
	{"heartbeat_age", "since the daemon's last round, s", FIELD_NUMBER, AT(heartbeat_age),
	 .nullable = true},
	{"memory_usage_mb", "what the process that answers has in memory, MiB", FIELD_NUMBER,
	 AT(memory_usage_mb), .nullable = true},
	{"cpu_affinity", "the CPUs that it may run on", FIELD_CPUS, AT(cpus), .nullable = true},
	{"sources", "the time sources", FIELD_SOURCES, .fields = source_fields},
	{NULL},
};

const struct field fields_future[] = {
	{"current_corrected_time", "best estimate of UTC: seconds since 1970", FIELD_NUMBER,
	 AT(corrected_time), .nullable = true},
	{"current_system_time", "the system clock at the same moment, s", FIELD_NUMBER,
	 AT(system_time)},
	{"current_uncertainty", "one standard deviation now, s", FIELD_NUMBER, AT(time_uncertainty),
	 .nullable = true},
	{"future_seconds", "as asked", FIELD_NUMBER, AT(future_seconds)},
	{"future_corrected_time", "UTC then: seconds since 1970", FIELD_NUMBER,
	 AT(future_corrected_time), .nullable = true},
	{"future_system_time", "the system clock then, if nobody sets it, s", FIELD_NUMBER,
	 AT(future_system_time)},
	{"future_uncertainty",
	 "one standard deviation of a prediction, without further corrections, s", FIELD_NUMBER,
	 AT(future_uncertainty), .nullable = true},
	{"uncertainty_increase", "future_uncertainty - current_uncertainty, s", FIELD_NUMBER,
	 AT(uncertainty_increase), .nullable = true},
	{"future_is_valid", "will the time still be trusted then if the daemon ended now?",
	 FIELD_BOOLEAN, AT(future_is_valid)},
	{"future_earliest_ns", "how early UTC may be then; null where future_is_valid is false",
	 FIELD_NS, AT(future_earliest_ns), .nullable = true},
	{"future_latest_ns", "how late UTC may be then", FIELD_NS, AT(future_latest_ns),
	 .nullable = true},
	{"confidence", "from 0 to 1", FIELD_NUMBER, AT(confidence), .nullable = true},
	{NULL},
};

static const struct field interval_fields[] = {
	{"lower_bound", "seconds since 1970, rounded down", FIELD_NUMBER, AT(lower_bound),
	 .nullable = true},
	{"upper_bound", "seconds since 1970, rounded up", FIELD_NUMBER, AT(upper_bound),
	 .nullable = true},
	{"lower_ns", "ns since 1970", FIELD_NS, AT(lower_ns), .nullable = true},
	{"upper_ns", "ns since 1970", FIELD_NS, AT(upper_ns), .nullable = true},
	{"range", "width, s", FIELD_NUMBER, AT(range), .nullable = true},
	{"offset_lower", "lower end - system clock, s", FIELD_NUMBER, AT(offset_lower),
	 .nullable = true},
	{"offset_upper", "upper end - system clock, s", FIELD_NUMBER, AT(offset_upper),
	 .nullable = true},
	{NULL},
};

const struct field fields_confidence[] = {
	{"confidence_level", "as asked", FIELD_NUMBER, AT(confidence_level)},
	{"confidence_interval",
	 "holds UTC with that probability; it is never wider than from earliest to latest",
	 FIELD_OBJECT, .fields = interval_fields},
	{"quantiles_available",
	 "true: made from the uncertainty; false: only earliest and latest are known",
	 FIELD_BOOLEAN, AT(quantiles_available)},
	{NULL},
};

const struct field fields_compare[] = {
	{"order",
	 "before: the first certainly happened first; after: the second certainly did; overlap: "
	 "it cannot be told",
	 FIELD_TEXT, AT(order), .names = order_names},
	{"certain", "is it before or after?", FIELD_BOOLEAN, AT(certain)},
	{"gap_ns", "at least so long lies between the two, ns; null: they overlap", FIELD_NS,
	 AT(gap_ns), .nullable = true},
	{"timescale", "tai: exact across leap seconds and machines; utc: the offset is missing",
	 FIELD_TEXT, AT(timescale), .names = timescale_names},
	{"reason", NULL, FIELD_TEXT, AT(reason)},
	{NULL},
};

const struct field fields_wait[] = {
	{"reached", "is that time past for certain? If not, it may be past already, or not yet",
	 FIELD_BOOLEAN, AT(reached)},
	{"until_ns", "the time waited for: ns since 1970; null: not known, for want of a time",
	 FIELD_NS, AT(until_ns), .nullable = true},
	{"waited_seconds", "how long this call took, s", FIELD_NUMBER, AT(waited_seconds)},
	{NULL},
};

const struct field fields_latency[] = {
	{"call_latency_ms", "how long this call took, measured", FIELD_NUMBER, AT(call_latency_ms)},
	{NULL},
};
