/* SPDX-License-Identifier: MIT */
/* Whatever a tool may answer, as plain numbers and texts. */
#ifndef TOOLS_FACTS_H
#define TOOLS_FACTS_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#include "view/view.h"

/* An integer that is not known. A double that is not known is NaN, and a text NULL. */
#define FACTS_UNKNOWN INT64_MIN

/* What leap second is to come, by the leap state of the page; ended by NULL */
extern const char *const facts_leaps[];

/*
 * Times are seconds or ns since 1970 on UTC, unless their names say system, which is
 * CLOCK_REALTIME. Uncertainties are one standard deviation, and bounds hold always.
 */
struct facts {
	struct view view; /* zeros for a tool that does not ask the page */

	/* The time */
	double corrected_time, earliest, latest, system_time;
	int64_t utc_ns, earliest_ns, latest_ns, bound_ns;
	int64_t generation, tai_offset;
	const char *leap;
	bool is_valid;
	const char *status, *clock_status, *reason;

	/* The record */
	double offset_correction, drift_rate, offset_uncertainty, drift_uncertainty;
	double time_uncertainty, confidence, prediction_time, valid_until;
	const char *source;
	bool is_ntp_ready, is_models_ready;

	/* The daemon */
	bool daemon_running, warmup_complete;
	double warmup_progress, daemon_uptime, last_ntp_sync, seconds_since_ntp;
	double average_latency_ms;
	int64_t measurement_count, total_corrections;
	int64_t publish_count, publish_mean_ns, torn_reads;
	double read_p50_ns, read_p99_ns;
	const char *page, *backend, *counter;
	int64_t writer_pid;
	double heartbeat_age;

	/* The process that answers */
	double memory_usage_mb;
	cpu_set_t cpus; /* where it may run; none: not known */

	/* get_time_with_future_uncertainty */
	double future_seconds, future_corrected_time, future_system_time;
	double future_uncertainty, uncertainty_increase;
	int64_t future_earliest_ns, future_latest_ns;
	bool future_is_valid;

	/* get_time_with_confidence_interval */
	double confidence_level, lower_bound, upper_bound, range, offset_lower, offset_upper;
	int64_t lower_ns, upper_ns;
	bool quantiles_available;

	/* compare_times */
	const char *order, *timescale;
	bool certain;
	int64_t gap_ns;

	/* wait_until */
	int64_t until_ns;
	bool reached;
	double waited_seconds;

	double call_latency_ms; /* measured, from the call to just before the answer is written */
};

/* All that the page says, in view, on the time, the record and the daemon. */
void facts_of_view(struct facts *facts);

/* What this process takes */
void facts_process(struct facts *facts);

/* The time in so many seconds, 0 to 3600. ct: the view's handle, or NULL. */
void facts_future(struct facts *facts, const struct chronotick *ct, double seconds);

/*
 * The interval that holds the time with that probability, more than 0 and up to 1: so many standard
 * deviations to either side, but never beyond the bound, which is the answer for 1.
 */
void facts_confidence(struct facts *facts, double level);

/* Which of two came first. other_host: their generations say nothing of each other. */
void facts_compare(struct facts *facts, const struct chronotick_interval *first,
		   const struct chronotick_interval *second, bool other_host);

/* a + b, or the end of the numbers, which is known nevertheless */
int64_t facts_sum_ns(int64_t a, int64_t b);

#endif /* TOOLS_FACTS_H */
