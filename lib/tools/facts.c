/* SPDX-License-Identifier: MIT */
#include "facts.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

/* The counter's nominal rate is wrong by less than this, and a span longer by it is no harm. */
#define RATE_ERROR 1e-3

const char *const facts_leaps[] = {"none", "insert", "delete", "unknown", NULL};

/* Seconds for ns since 1970: the nearest double, and the next one down or up. NaN for unknown. */
static double seconds(int64_t ns)
{
	if (ns == FACTS_UNKNOWN)
		return NAN;
	return (double)(ns / 1000000000) + (double)(ns % 1000000000) * 1e-9;
}

/* seconds() is right to half a unit in the last place and some more. */
static double seconds_down(int64_t ns)
{
	return nextafter(seconds(ns), -INFINITY);
}

static double seconds_up(int64_t ns)
{
	return nextafter(seconds(ns), INFINITY);
}

static double known(double value)
{
	return isfinite(value) ? value : (double)NAN;
}

static int64_t count(uint64_t value)
{
	return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

/* ns that may not have been measured yet */
static double picoseconds(const struct view *view, uint64_t ps)
{
	return view->statistics.read_measured_ns ? (double)ps * 1e-3 : (double)NAN;
}

static void time_fill(struct facts *facts)
{
	const struct view *view = &facts->view;
	const struct chronotick_interval *now = &view->now;
	bool open = view->open == 0, trusted = view->trust == 0;
	int64_t utc_ns = view_utc_ns(view);

	facts->is_valid = trusted;
	facts->utc_ns = utc_ns ? utc_ns : FACTS_UNKNOWN;
	facts->earliest_ns = trusted ? now->earliest_ns : FACTS_UNKNOWN;
	facts->latest_ns = trusted ? now->latest_ns : FACTS_UNKNOWN;
	facts->bound_ns = trusted ? view_bound_ns(view) : FACTS_UNKNOWN;
	facts->corrected_time = seconds(facts->utc_ns);
	facts->earliest = seconds_down(facts->earliest_ns);
	facts->latest = seconds_up(facts->latest_ns);
	facts->system_time = seconds(view->system_ns);
	facts->generation = open ? now->generation : FACTS_UNKNOWN;
	facts->tai_offset =
		now->tai_offset_s == CHRONOTICK_TAI_UNKNOWN ? FACTS_UNKNOWN : now->tai_offset_s;
	facts->leap =
		open ? facts_leaps[(now->status & CHRONOTICK_LEAP_MASK) >> CHRONOTICK_LEAP_SHIFT]
		     : NULL;
	facts->clock_status = open ? chronotick_status_name(view->status) : NULL;
	facts->reason = view->reason;
	if (!open || view->writer_gone)
		facts->status = "not_running";
	else if (trusted && view_flag(view, CHRONOTICK_FLAG_WARMUP_COMPLETE))
		facts->status = "ready";
	else
		facts->status = "warming_up";
}

static void record_fill(struct facts *facts)
{
	const struct view *view = &facts->view;
	const struct chronotick_record *record = &view->record;

	facts->offset_correction = known(view_double(view, record->offset_correction));
	facts->drift_rate = known(view_double(view, record->drift_rate));
	facts->offset_uncertainty = known(view_double(view, record->offset_uncertainty));
	facts->drift_uncertainty = known(view_double(view, record->drift_uncertainty));
	facts->time_uncertainty = known(view->uncertainty_s);
	facts->confidence = known(view_double(view, (double)record->confidence));
	facts->prediction_time = known(view_double(view, record->prediction_time));
	facts->valid_until = known(view_double(view, record->valid_until));
	facts->source =
		chronotick_source_name(view->has_record ? record->source : CHRONOTICK_NO_DATA);
	facts->is_ntp_ready = view_flag(view, CHRONOTICK_FLAG_NTP_READY);
	facts->is_models_ready = view_flag(view, CHRONOTICK_FLAG_MODELS_READY);
}

static void daemon_fill(struct facts *facts)
{
	const struct view *view = &facts->view;
	const struct chronotick_record *record = &view->record;
	const struct chronotick_statistics *statistics = &view->statistics;
	bool open = view->open == 0;
	double last = known(view_double(view, record->last_ntp_sync));

	facts->daemon_running = open && !view->writer_gone;
	facts->warmup_complete = view_flag(view, CHRONOTICK_FLAG_WARMUP_COMPLETE);
	facts->warmup_progress = view_warmup_percent(view) / 100.0;
	facts->daemon_uptime = known(view_double(view, record->daemon_uptime));
	facts->last_ntp_sync = last > 0 ? last : (double)NAN;
	facts->seconds_since_ntp = known(facts->system_time - facts->last_ntp_sync);
	facts->average_latency_ms = known(view_double(view, (double)record->average_latency_ms));
	facts->measurement_count = record->measurement_count;
	facts->total_corrections = record->total_corrections;
	facts->publish_count = count(statistics->publish_count);
	facts->publish_mean_ns = count(statistics->publish_mean_ns);
	facts->torn_reads = count(statistics->torn_reads);
	facts->read_p50_ns = picoseconds(view, statistics->read_p50_ps);
	facts->read_p99_ns = picoseconds(view, statistics->read_p99_ps);
	facts->page = view->path;
	facts->backend = open ? view->backend : NULL;
	facts->counter = open ? chronotick_counter_name(view->header.counter_kind) : NULL;
	facts->writer_pid = view->header.writer_pid ? view->header.writer_pid : FACTS_UNKNOWN;
	facts->heartbeat_age = view->heartbeat_age_ns == INT64_MAX
				       ? (double)NAN
				       : (double)view->heartbeat_age_ns * 1e-9;
}

void facts_of_view(struct facts *facts)
{
	time_fill(facts);
	record_fill(facts);
	daemon_fill(facts);
}

/* Resident, as the kernel counts it; NaN where /proc is not there */
static double resident_mb(void)
{
	unsigned long size, resident = 0;
	FILE *statm = fopen("/proc/self/statm", "re");
	bool read = statm && fscanf(statm, "%lu %lu", &size, &resident) == 2;

	if (statm)
		fclose(statm);
	return read ? (double)resident * (double)sysconf(_SC_PAGESIZE) / (1 << 20) : (double)NAN;
}

void facts_process(struct facts *facts)
{
	facts->memory_usage_mb = resident_mb();
	if (sched_getaffinity(0, sizeof(facts->cpus), &facts->cpus) < 0)
		CPU_ZERO(&facts->cpus);
}

/* a - b, or the end of the numbers */
static int64_t difference_ns(int64_t a, int64_t b)
{
	int64_t ret;

	if (__builtin_sub_overflow(a, b, &ret))
		return b > 0 ? -INT64_MAX : INT64_MAX;
	return ret;
}

int64_t facts_sum_ns(int64_t a, int64_t b)
{
	int64_t ret;

	if (__builtin_add_overflow(a, b, &ret))
		return b < 0 ? -INT64_MAX : INT64_MAX;
	return ret;
}

/* a - b in s */
static double difference_s(int64_t a, int64_t b)
{
	int64_t ns;

	return __builtin_sub_overflow(a, b, &ns) ? (double)a * 1e-9 - (double)b * 1e-9
						 : (double)ns * 1e-9;
}

void facts_future(struct facts *facts, const struct chronotick *ct, double seconds)
{
	const struct view *view = &facts->view;
	struct chronotick_interval then;
	int64_t ahead_ns = (int64_t)(seconds * 1e9);
	double counts = seconds * (1 + RATE_ERROR) * (double)view->header.counter_hz;

	facts->future_seconds = seconds;
	facts->future_corrected_time = facts->corrected_time + seconds;
	facts->future_system_time = facts->system_time + seconds;
	facts->future_uncertainty =
		view->has_record
			? known(chronotick_uncertainty_at(&view->record, facts->future_system_time))
			: (double)NAN;
	facts->uncertainty_increase = facts->future_uncertainty - facts->time_uncertainty;
	facts->future_earliest_ns = FACTS_UNKNOWN;
	facts->future_latest_ns = FACTS_UNKNOWN;
	facts->future_is_valid = false;
	/* The line of now may be trusted then too, if nobody writes another one until then. */
	if (ct && view->trust == 0 && counts < (double)CHRONOTICK_SPAN_MAX &&
	    chronotick_at(ct, chronotick_counter(ct) + (uint64_t)counts, &then) == 0) {
		facts->future_is_valid = true;
		facts->future_earliest_ns =
			facts_sum_ns(facts_sum_ns(view->now.utc_ns, ahead_ns),
				     difference_ns(then.earliest_ns, then.utc_ns));
		facts->future_latest_ns = facts_sum_ns(facts_sum_ns(view->now.utc_ns, ahead_ns),
						       difference_ns(then.latest_ns, then.utc_ns));
	}
}

/* So many standard deviations to either side hold a normal variable with that probability. */
static double deviations(double level)
{
	double low = 0, high = 40, middle;
	int i;

	for (i = 0; i < 64; i++) {
		middle = (low + high) / 2;
		if (erf(middle * M_SQRT1_2) < level)
			low = middle;
		else
			high = middle;
	}
	return high;
}

void facts_confidence(struct facts *facts, double level)
{
	double half_ns = deviations(level) * facts->time_uncertainty * 1e9;

	facts->confidence_level = level;
	facts->lower_ns = facts->earliest_ns;
	facts->upper_ns = facts->latest_ns;
	facts->quantiles_available = isfinite(facts->time_uncertainty);
	if (facts->is_valid && level < 1 && half_ns < (double)facts->bound_ns) {
		facts->lower_ns = facts_sum_ns(facts->utc_ns, -(int64_t)ceil(half_ns));
		facts->upper_ns = facts_sum_ns(facts->utc_ns, (int64_t)ceil(half_ns));
	}
	facts->lower_bound = seconds_down(facts->lower_ns);
	facts->upper_bound = seconds_up(facts->upper_ns);
	facts->range = facts->offset_lower = facts->offset_upper = NAN;
	if (!facts->is_valid)
		return;
	facts->range = difference_s(facts->upper_ns, facts->lower_ns);
	facts->offset_lower = difference_s(facts->lower_ns, facts->view.system_ns);
	facts->offset_upper = difference_s(facts->upper_ns, facts->view.system_ns);
}

/* How far the later one begins after the end of the earlier one, on TAI or on UTC */
static int64_t gap_ns(const struct chronotick_interval *earlier,
		      const struct chronotick_interval *later, bool tai)
{
	int64_t gap = difference_ns(later->earliest_ns, earlier->latest_ns);
	int leaps_s = tai ? later->tai_offset_s - earlier->tai_offset_s : 0;

	return facts_sum_ns(gap, leaps_s * 1000000000LL);
}

void facts_compare(struct facts *facts, const struct chronotick_interval *first,
		   const struct chronotick_interval *second, bool other_host)
{
	struct chronotick_interval a = *first, b = *second;
	bool tai = a.tai_offset_s != CHRONOTICK_TAI_UNKNOWN &&
		   b.tai_offset_s != CHRONOTICK_TAI_UNKNOWN;
	enum chronotick_order order;

	if (other_host) {
		a.generation = 0;
		b.generation = 1;
	}
	order = chronotick_compare(&a, &b);
	facts->timescale = tai ? "tai" : "utc";
	facts->certain = order != CHRONOTICK_OVERLAP;
	facts->gap_ns = FACTS_UNKNOWN;
	if (order == CHRONOTICK_BEFORE) {
		facts->order = "before";
		facts->reason = "the first certainly happened before the second";
		facts->gap_ns = gap_ns(&a, &b, tai);
	} else if (order == CHRONOTICK_AFTER) {
		facts->order = "after";
		facts->reason = "the second certainly happened before the first";
		facts->gap_ns = gap_ns(&b, &a, tai);
	} else {
		facts->order = "overlap";
		facts->reason =
			tai || !other_host
				? "the intervals overlap: it cannot be told which happened first"
				: "it cannot be told which happened first: without tai_offset of "
				  "both, times of two machines must be more than a second apart";
	}
}
