/* SPDX-License-Identifier: MIT */
#include "metrics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct output {
	FILE *to;
	bool open;
};

enum kind { GAUGE, COUNTER };

/* A family's head. A counter's name has no _total here. */
static void family(const struct output *out, const char *name, enum kind kind, const char *help)
{
	const char *total = kind == COUNTER && !out->open ? "_total" : "";

	fprintf(out->to, "# HELP chronotick_%s%s %s\n# TYPE chronotick_%s%s %s\n", name, total,
		help, name, total, kind == COUNTER ? "counter" : "gauge");
}

/* A label's value ends at a quote, and so a quote in it must not. */
static void label(const struct output *out, const char *name, const char *value, bool first)
{
	fprintf(out->to, "%s%s=\"", first ? "{" : ",", name);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			fputc('\\', out->to);
		fputc(*value, out->to);
	}
	fputc('"', out->to);
}

static void value(const struct output *out, double number)
{
	fprintf(out->to, " %.17g\n", number);
}

static void sample(const struct output *out, const char *name, enum kind kind, double number)
{
	fprintf(out->to, "chronotick_%s%s", name, kind == COUNTER ? "_total" : "");
	value(out, number);
}

/* What may be unknown is NaN, and then it is left out. */
typedef double reading(const struct exporter_facts *facts);

/* Numbers of a page may be anything, also infinite. */
static double unless(bool missing, double number)
{
	return missing || !isfinite(number) ? (double)NAN : number;
}

static double record(const struct exporter_facts *facts, double number)
{
	return unless(!facts->view.has_record, number);
}

static double page(const struct exporter_facts *facts, double number)
{
	return unless(facts->view.open < 0, number);
}

#define READING(name, expression)                                                                  \
	static double name(const struct exporter_facts *f)                                         \
	{                                                                                          \
		return expression;                                                                 \
	}
#define STATISTIC(name) (page(f, (double)f->view.statistics.name))

READING(page_up, f->view.open == 0)
READING(writer_up, f->view.open == 0 && !f->view.writer_gone)
READING(control_up, f->has_identity)
READING(trusted, f->view.trust == 0)
READING(bound, unless(f->view.trust < 0, (double)view_bound_ns(&f->view) * 1e-9))
READING(uncertainty, unless(false, f->view.uncertainty_s))
READING(drift, record(f, f->view.record.drift_rate))
READING(confidence, record(f, (double)f->view.record.confidence))
READING(frequency, unless(!f->has_status, (double)f->status.rate_ppt * 1e-12))
READING(growth, unless(!f->has_status, (double)f->status.growth_ppt * 1e-12))
READING(expiry, unless(!f->has_status, (double)f->status.remaining_ns * 1e-9))
READING(warmup, page(f, view_warmup_percent(&f->view) / 100.0))
READING(generation, page(f, f->view.now.generation))
READING(tai, unless(f->view.now.tai_offset_s == CHRONOTICK_TAI_UNKNOWN, f->view.now.tai_offset_s))
READING(heartbeat,
	unless(f->view.heartbeat_age_ns == INT64_MAX, (double)f->view.heartbeat_age_ns * 1e-9))
READING(last_measurement, unless(!(f->view.record.last_ntp_sync > 0),
				 (double)f->view.system_ns * 1e-9 - f->view.record.last_ntp_sync))
READING(uptime, record(f, f->view.record.daemon_uptime))
READING(measurements, record(f, f->view.record.measurement_count))
READING(corrections, record(f, f->view.record.total_corrections))
READING(publications, STATISTIC(publish_count))
READING(rebuilt, STATISTIC(publish_rebuilt))
READING(canary_reads, STATISTIC(read_count))
READING(torn_reads, STATISTIC(torn_reads))
READING(sent, STATISTIC(packets_sent))
READING(received, STATISTIC(packets_received))
READING(rejected, STATISTIC(packets_rejected))
READING(frequency_hz, page(f, f->view.header.frequency_hz))
READING(standbys, page(f, f->view.header.standby_count))
READING(requests, unless(!f->has_identity, (double)f->identity.requests))
READING(dropped, unless(!f->has_identity, (double)f->identity.dropped))
READING(taken, f->taken_s)

static double offset(const struct exporter_facts *facts)
{
	int64_t offset_ns;

	if (facts->view.trust < 0 ||
	    __builtin_sub_overflow(facts->view.now.utc_ns, facts->view.system_ns, &offset_ns))
		return NAN;
	return (double)offset_ns * 1e-9;
}

static double leap(const struct exporter_facts *facts)
{
	unsigned int state = facts->view.now.status & CHRONOTICK_LEAP_MASK;

	return page(facts, state == CHRONOTICK_LEAP_INSERT   ? 1
			   : state == CHRONOTICK_LEAP_DELETE ? -1
							     : 0);
}

static const struct {
	const char *name;
	enum kind kind;
	reading *read;
	const char *help;
} scalars[] = {
	{"up", GAUGE, page_up, "Is there a page?"},
	{"writer_up", GAUGE, writer_up, "Is the page kept up to date?"},
	{"control_up", GAUGE, control_up, "Does the daemon answer at its control socket?"},
	{"trusted", GAUGE, trusted, "May the time be used?"},
	{"bound_seconds", GAUGE, bound, "Half of the width of the interval that holds UTC."},
	{"offset_seconds", GAUGE, offset, "UTC, best estimate, minus the system clock."},
	{"uncertainty_seconds", GAUGE, uncertainty, "One standard deviation of the estimate."},
	{"drift_ratio", GAUGE, drift, "Rate of UTC against the system clock, minus 1."},
	{"confidence_ratio", GAUGE, confidence, "From 0 to 1."},
	{"frequency_ratio", GAUGE, frequency,
	 "Rate of UTC against the counter's nominal rate, minus 1."},
	{"bound_growth_ratio", GAUGE, growth, "Growth of the bound per second."},
	{"expiry_seconds", GAUGE, expiry, "Until the time expires if nothing is published."},
	{"warmup_ratio", GAUGE, warmup, "How much of the warm-up is over."},
	{"generation", GAUGE, generation, "Goes up whenever the time has jumped."},
	{"tai_offset_seconds", GAUGE, tai, "TAI minus UTC."},
	{"leap", GAUGE, leap, "Leap second at the end of this month: 1 inserted, -1 left out."},
	{"heartbeat_age_seconds", GAUGE, heartbeat, "Since the daemon's last round."},
	{"last_measurement_age_seconds", GAUGE, last_measurement,
	 "Since a source was last measured."},
	{"uptime_seconds", GAUGE, uptime, "Of the daemon."},
	{"measurements", COUNTER, measurements, "Measurements of sources."},
	{"corrections", COUNTER, corrections, "Corrections that were made of them."},
	{"publications", COUNTER, publications, "Publications in the page."},
	{"publications_rebuilt", COUNTER, rebuilt,
	 "Publications that came too late, and were built anew."},
	{"canary_reads", COUNTER, canary_reads, "Reads that the daemon has measured itself."},
	{"torn_reads", COUNTER, torn_reads,
	 "Those of them that met a publication and looked again."},
	{"packets_sent", COUNTER, sent, "Packets to sources."},
	{"packets_received", COUNTER, received, "Packets from sources."},
	{"packets_rejected", COUNTER, rejected, "Packets from sources that were of no use."},
	{"publication_frequency_hertz", GAUGE, frequency_hz,
	 "Publications per second that are aimed at."},
	{"standbys", GAUGE, standbys, "Daemons that wait to take over."},
	{"control_requests", COUNTER, requests, "Requests at the control socket."},
	{"control_dropped", COUNTER, dropped, "Connections that the daemon has ended."},
	{"collection_seconds", GAUGE, taken, "How long it took to gather this."},
};

static void status_write(const struct output *out, const struct exporter_facts *facts)
{
	unsigned int status;

	family(out, "clock_status", GAUGE, "1 at the status that the clock has.");
	for (status = 0; status <= CHRONOTICK_EXPIRED; status++) {
		fputs("chronotick_clock_status", out->to);
		label(out, "status", chronotick_status_name(status), true);
		fputc('}', out->to);
		value(out, facts->view.open == 0 && facts->view.status == status);
	}
}

/* Several values of one kind, told apart by one label */
struct labelled {
	const char *label;
	double value;
};

static void labelled_write(const struct output *out, const char *name, const char *help,
			   const char *key, const struct labelled *values, size_t count)
{
	size_t i;

	family(out, name, GAUGE, help);
	for (i = 0; i < count; i++) {
		if (isnan(values[i].value))
			continue;
		fprintf(out->to, "chronotick_%s", name);
		label(out, key, values[i].label, true);
		fputc('}', out->to);
		value(out, values[i].value);
	}
}

static void latency_write(const struct output *out, const struct exporter_facts *facts)
{
	const struct chronotick_statistics *s = &facts->view.statistics;
	bool no_read = facts->view.open < 0 || !s->read_measured_ns;
	bool no_publication = facts->view.open < 0 || !s->publish_count;
	const struct labelled read[] = {
		{"min", unless(no_read, (double)s->read_min_ps * 1e-12)},
		{"mean", unless(no_read, (double)s->read_mean_ps * 1e-12)},
		{"p50", unless(no_read, (double)s->read_p50_ps * 1e-12)},
		{"p99", unless(no_read, (double)s->read_p99_ps * 1e-12)},
		{"max", unless(no_read, (double)s->read_max_ps * 1e-12)},
	};
	const struct labelled publication[] = {
		{"last", unless(no_publication, (double)s->publish_last_ns * 1e-9)},
		{"mean", unless(no_publication, (double)s->publish_mean_ns * 1e-9)},
		{"max", unless(no_publication, (double)s->publish_max_ns * 1e-9)},
	};

	labelled_write(out, "read_latency_seconds", "Of one read, as the daemon last measured it.",
		       "of", read, sizeof(read) / sizeof(read[0]));
	labelled_write(out, "publication_latency_seconds",
		       "From the counter's reading to the whole line.", "of", publication,
		       sizeof(publication) / sizeof(publication[0]));
}

static void terms_write(const struct output *out, const struct exporter_facts *facts)
{
	bool known = facts->has_status && facts->status.flags & CONTROL_HAS_TERMS;
	struct labelled terms[CONTROL_TERMS];
	unsigned int i;

	for (i = 0; i < CONTROL_TERMS; i++)
		terms[i] = (struct labelled){control_term_name(i),
					     unless(!known, (double)facts->status.terms[i] * 1e-9)};
	labelled_write(out, "bound_term_seconds",
		       "What the bound was made of when it was published.", "term", terms,
		       CONTROL_TERMS);
}

static void models_write(const struct output *out, const struct exporter_facts *facts)
{
	struct labelled errors[CONTROL_MODEL_KINDS];
	unsigned int i;

	for (i = 0; i < CONTROL_MODEL_KINDS; i++) {
		const struct control_model *model = &facts->models.models[i];

		errors[i] = (struct labelled){
			control_model_name(i),
			unless(!facts->has_models || !model->scored, model->error_ns * 1e-9)};
	}
	labelled_write(out, "model_error_seconds",
		       "Mean absolute error of a model's predictions, out of sample.", "model",
		       errors, CONTROL_MODEL_KINDS);
}

static double reach_of(const struct chronotick_source *source)
{
	return __builtin_popcount(source->reach) / 8.0;
}

#define SOURCE(name, expression)                                                                   \
	static double source_##name(const struct view *view, unsigned int i)                       \
	{                                                                                          \
		const struct chronotick_source *s = &view->source[i];                              \
                                                                                                   \
		(void)s;                                                                           \
		return expression;                                                                 \
	}

SOURCE(offset, unless(!s->samples, (double)s->offset_ns * 1e-9))
SOURCE(delay, unless(!s->samples, (double)s->delay_ns * 1e-9))
SOURCE(distance, unless(!s->samples, (double)s->root_distance_ns * 1e-9))
SOURCE(reach, reach_of(s))
SOURCE(stratum, s->stratum)
SOURCE(samples, (double)s->samples)
SOURCE(age, unless(view->source_age_ns[i] < 0, (double)view->source_age_ns[i] * 1e-9))

static const struct {
	const char *name;
	enum kind kind;
	double (*read)(const struct view *view, unsigned int i);
	const char *help;
} source_metrics[] = {
	{"source_offset_seconds", GAUGE, source_offset, "Of a source's time from the time told."},
	{"source_delay_seconds", GAUGE, source_delay, "Round trip to a source."},
	{"source_root_distance_seconds", GAUGE, source_distance,
	 "How far a source may be from UTC."},
	{"source_reach_ratio", GAUGE, source_reach,
	 "How many of the last eight requests were answered."},
	{"source_stratum", GAUGE, source_stratum, "Of a source."},
	{"source_samples", COUNTER, source_samples, "Measurements of a source."},
	{"source_sample_age_seconds", GAUGE, source_age, "Since a source was last measured."},
};

/* Two sources may have one address, so a number tells them apart. */
static void source_labels(const struct output *out, const struct view *view, unsigned int i)
{
	char number[16];

	snprintf(number, sizeof(number), "%u", i);
	label(out, "number", number, true);
	label(out, "source", view->source[i].name, false);
	label(out, "kind", chronotick_source_name(view->source[i].kind), false);
}

static void source_states_write(const struct output *out, const struct view *view)
{
	unsigned int i, state;

	family(out, "source_state", GAUGE, "1 at the state that a source has.");
	for (i = 0; i < view->source_count; i++) {
		for (state = 0; state <= CHRONOTICK_SOURCE_LOOP; state++) {
			fputs("chronotick_source_state", out->to);
			source_labels(out, view, i);
			label(out, "state", chronotick_source_state_name(state), false);
			fputc('}', out->to);
			value(out, view->source[i].state == state);
		}
	}
}

static void sources_write(const struct output *out, const struct view *view)
{
	double number;
	unsigned int i;
	size_t m;

	for (m = 0; m < sizeof(source_metrics) / sizeof(source_metrics[0]); m++) {
		family(out, source_metrics[m].name, source_metrics[m].kind, source_metrics[m].help);
		for (i = 0; i < view->source_count; i++) {
			number = source_metrics[m].read(view, i);
			if (isnan(number))
				continue;
			fprintf(out->to, "chronotick_%s%s", source_metrics[m].name,
				source_metrics[m].kind == COUNTER ? "_total" : "");
			source_labels(out, view, i);
			fputc('}', out->to);
			value(out, number);
		}
	}
}

static void info_write(const struct output *out, const struct exporter_facts *facts)
{
	const struct view *view = &facts->view;

	family(out, "build_info", GAUGE, "Versions, and where the time is read from.");
	fputs("chronotick_build_info", out->to);
	label(out, "version", CHRONOTICK_VERSION, true);
	label(out, "daemon", facts->has_identity ? facts->identity.version : "", false);
	label(out, "backend", view->open == 0 ? view->backend : "", false);
	label(out, "counter",
	      view->open == 0 ? chronotick_counter_name(view->header.counter_kind) : "", false);
	fputc('}', out->to);
	value(out, 1);
}

static void all_write(const struct output *out, const struct exporter_facts *facts)
{
	double number;
	size_t i;

	info_write(out, facts);
	for (i = 0; i < sizeof(scalars) / sizeof(scalars[0]); i++) {
		number = scalars[i].read(facts);
		if (isnan(number))
			continue;
		family(out, scalars[i].name, scalars[i].kind, scalars[i].help);
		sample(out, scalars[i].name, scalars[i].kind, number);
	}
	status_write(out, facts);
	latency_write(out, facts);
	terms_write(out, facts);
	models_write(out, facts);
	source_states_write(out, &facts->view);
	sources_write(out, &facts->view);
	if (out->open)
		fputs("# EOF\n", out->to);
}

bool metrics_are_open(const char *accept)
{
	return accept && strstr(accept, "application/openmetrics-text");
}

char *metrics_text(const struct exporter_facts *facts, bool open, size_t *length)
{
	char *text = NULL;
	struct output out = {.to = open_memstream(&text, length), .open = open};
	bool failed;

	if (!out.to)
		return NULL;
	all_write(&out, facts);
	failed = ferror(out.to);
	if (fclose(out.to) == 0 && !failed)
		return text;
	free(text);
	return NULL;
}
