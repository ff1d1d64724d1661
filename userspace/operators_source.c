/* SPDX-License-Identifier: MIT */
#include "operators_source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "operators.h"
#include "report.h"

uint32_t operators_source_count(void *data)
{
	const struct operators *operators = data;

	return source_set_count(operators->sources) + (operators->inputs->feed != NULL);
}

/* Verdicts are counted from the first one on that there is a counter for; some have one together. */
static void verdicts_add(const uint64_t *verdicts, const enum control_counter *counters,
			 unsigned int first, unsigned int end, struct control_source *ret)
{
	unsigned int i;

	for (i = first; i < end; i++)
		ret->counters[counters[i]] += verdicts[i];
}

static void ntp_counters(const struct ntp_statistics *from, struct control_source *ret)
{
	static const enum control_counter counters[NTP_VERDICTS] = {
		[NTP_MALFORMED] = CONTROL_REJECTED_MALFORMED,
		[NTP_BOGUS] = CONTROL_REJECTED_BOGUS,
		[NTP_DUPLICATE] = CONTROL_REJECTED_DUPLICATE,
		[NTP_LATE] = CONTROL_REJECTED_LATE,
		[NTP_UNAUTHENTIC] = CONTROL_REJECTED_UNAUTHENTIC,
		[NTP_INVALID] = CONTROL_REJECTED_INVALID,
		[NTP_UNSYNCHRONIZED] = CONTROL_REJECTED_UNSYNCHRONIZED,
		[NTP_TOO_DISTANT] = CONTROL_REJECTED_TOO_DISTANT,
		[NTP_KISS_DENY] = CONTROL_REJECTED_DENY,
		[NTP_KISS_RATE] = CONTROL_REJECTED_RATE,
		[NTP_KISS_OTHER] = CONTROL_REJECTED_OTHER_KISS,
		[NTP_LOOP] = CONTROL_REJECTED_LOOP,
	};

	ret->counters[CONTROL_SENT] = from->sent;
	ret->counters[CONTROL_RECEIVED] = from->received;
	ret->counters[CONTROL_ACCEPTED] = from->accepted;
	ret->counters[CONTROL_REJECTED] = from->rejected;
	ret->counters[CONTROL_DROPPED] = from->dropped;
	ret->counters[CONTROL_STAMPS_MISSING] = from->stamps_missing;
	ret->counters[CONTROL_INTERLEAVED] = from->interleaved;
	verdicts_add(from->rejects, counters, NTP_GOOD + 1, NTP_VERDICTS, ret);
}

static void ptp_counters(const struct ptp_statistics *from, struct control_source *ret)
{
	static const enum control_counter counters[PTP_VERDICTS] = {
		[PTP_MALFORMED] = CONTROL_REJECTED_MALFORMED,
		[PTP_BOGUS] = CONTROL_REJECTED_BOGUS,
		[PTP_DUPLICATE] = CONTROL_REJECTED_DUPLICATE,
		[PTP_LATE] = CONTROL_REJECTED_LATE,
		[PTP_UNAUTHENTIC] = CONTROL_REJECTED_UNAUTHENTIC,
		[PTP_INVALID] = CONTROL_REJECTED_INVALID,
		[PTP_OTHER_DOMAIN] = CONTROL_REJECTED_OTHER_DOMAIN,
		[PTP_FULL] = CONTROL_REJECTED_BOGUS, /* one master of far too many */
	};

	ret->counters[CONTROL_SENT] = from->sent;
	ret->counters[CONTROL_RECEIVED] = from->received;
	ret->counters[CONTROL_ACCEPTED] = from->accepted;
	ret->counters[CONTROL_REJECTED] = from->rejected;
	ret->counters[CONTROL_DROPPED] = from->dropped;
	ret->counters[CONTROL_STAMPS_MISSING] = from->stamps_missing;
	verdicts_add(from->rejects, counters, PTP_IGNORED + 1, PTP_VERDICTS, ret);
}

static void filter_counters(const struct source_view *from, struct control_source *ret)
{
	static const enum control_counter counters[FILTER_VERDICTS] = {
		[FILTER_CONTRADICTION] = CONTROL_ASIDE_CONTRADICTION,
		[FILTER_MAD] = CONTROL_ASIDE_MAD,
		[FILTER_Z] = CONTROL_ASIDE_Z,
		[FILTER_CONFIRMED] = CONTROL_ASIDE_CONFIRMED,
	};

	verdicts_add(from->verdicts, counters, FILTER_TAKEN + 1, FILTER_VERDICTS, ret);
}

/* What there is to tell of hardware stamps, as far as there is room behind the reason */
static void note_add(const struct source_status *from, char *reason, size_t size)
{
	size_t used = strlen(reason);

	if (*from->note)
		snprintf(reason + used, size - used, "%s%s: %s", used ? "; " : "",
			 from->hardware ? "hardware stamps" : "no hardware stamps", from->note);
}

static void source_set_fields(const struct operators *operators, const struct source_status *from,
			      struct control_source *ret)
{
	const struct chronotick_source *summary = &from->summary;
	const struct source_view *view = NULL; /* a pool without a member has none */
	int64_t counts = (int64_t)(counter_read(operators->counter) - summary->last_counter);

	if (from->index < ENGINE_SOURCES_MAX)
		view = &operators->engine->views[from->index];
	ret->flags = (from->online ? 0 : CONTROL_SOURCE_OFFLINE) |
		     (from->type == SOURCE_POOL ? CONTROL_SOURCE_POOL : 0) |
		     (from->options & ENGINE_SOURCE_PREFER ? CONTROL_SOURCE_PREFER : 0) |
		     (from->options & ENGINE_SOURCE_TRUST ? CONTROL_SOURCE_TRUST : 0) |
		     (from->options & ENGINE_SOURCE_NOSELECT ? CONTROL_SOURCE_NOSELECT : 0) |
		     (from->ntp.is_interleaved ? CONTROL_SOURCE_INTERLEAVED : 0) |
		     (from->ntp.is_authenticated || from->ptp.is_authenticated
			      ? CONTROL_SOURCE_AUTHENTICATED
			      : 0);
	ret->kind = summary->kind;
	ret->state = summary->state;
	ret->tx_stamp = summary->tx_stamp;
	ret->rx_stamp = summary->rx_stamp;
	ret->stratum = summary->stratum;
	ret->leap = summary->leap;
	ret->reach = summary->reach;
	ret->poll = summary->poll;
	ret->offset_ns = summary->offset_ns;
	ret->delay_ns = summary->delay_ns;
	ret->dispersion_ns = summary->dispersion_ns;
	ret->root_distance_ns = summary->root_distance_ns;
	ret->samples = summary->samples;
	ret->false_by_ns = from->false_by_ns;
	ret->age_ns = -1;
	if (summary->last_counter)
		ret->age_ns = counts > 0 ? counter_to_ns(operators->counter, (uint64_t)counts) : 0;
	if (view && view->has_sample) {
		ret->root_delay_ns = (uint64_t)view->last.root_delay_ns;
		ret->root_dispersion_ns = (uint64_t)view->last.root_dispersion_ns;
		filter_counters(view, ret);
	}
	if (from->type == SOURCE_PTP)
		ptp_counters(&from->ptp, ret);
	else
		ntp_counters(&from->ntp, ret);
	snprintf(ret->name, sizeof(ret->name), "%s", from->config_name);
	snprintf(ret->address, sizeof(ret->address), "%.*s", (int)sizeof(summary->name),
		 summary->name);
	snprintf(ret->reason, sizeof(ret->reason), "%s", from->reason ? from->reason : "");
	note_add(from, ret->reason, sizeof(ret->reason));
}

static void feed_counters(const struct feed_statistics *from, struct control_source *ret)
{
	static const enum control_counter counters[FEED_VERDICTS] = {
		[FEED_TAKEN] = CONTROL_ACCEPTED,
		[FEED_MALFORMED] = CONTROL_REJECTED_MALFORMED,
		[FEED_UNSUPPORTED] = CONTROL_REJECTED_UNSUPPORTED,
		[FEED_DUPLICATE] = CONTROL_REJECTED_DUPLICATE,
		[FEED_OTHER_EPOCH] = CONTROL_REJECTED_OTHER_EPOCH,
		[FEED_INVALID] = CONTROL_REJECTED_INVALID,
		[FEED_LATE] = CONTROL_REJECTED_LATE,
		[FEED_TOO_FAR] = CONTROL_REJECTED_TOO_FAR,
		[FEED_UNTRUSTED] = CONTROL_REJECTED_UNTRUSTED,
		[FEED_IMPLAUSIBLE] = CONTROL_REJECTED_IMPLAUSIBLE,
	};
	unsigned int i;

	ret->counters[CONTROL_SENT] = from->sent;
	ret->counters[CONTROL_RECEIVED] = from->received;
	ret->counters[CONTROL_DROPPED] = from->dropped;
	for (i = FEED_TAKEN + 1; i < FEED_VERDICTS; i++)
		ret->counters[CONTROL_REJECTED] += from->rejects[i];
	verdicts_add(from->rejects, counters, FEED_TAKEN, FEED_VERDICTS, ret);
}

/* What the scores make of its predictions */
static void feed_judged(const struct models *models, struct control_source *ret)
{
	static const uint8_t states[EXTERNAL_STATES] = {
		[EXTERNAL_UNPROVEN] = CHRONOTICK_SOURCE_CANDIDATE,
		[EXTERNAL_USED] = CHRONOTICK_SOURCE_SELECTED,
		[EXTERNAL_BEHIND] = CHRONOTICK_SOURCE_FALSETICKER,
		[EXTERNAL_UNCALIBRATED] = CHRONOTICK_SOURCE_FALSETICKER,
		[EXTERNAL_FAR] = CHRONOTICK_SOURCE_FALSETICKER,
		[EXTERNAL_IMPOSSIBLE] = CHRONOTICK_SOURCE_FALSETICKER,
	};
	ret->state = states[models->external.state];
	report_external_text(models, ret->reason, sizeof(ret->reason));
}

/* A feed is shown with the sources: it is configured there, and switched like them. */
static void feed_fields(const struct operators *operators, struct control_source *ret)
{
	const struct inputs *inputs = operators->inputs;
	const struct timescale *scale = &operators->engine->config.scale;
	int64_t raw_ns = timescale_ns(scale, counter_read(operators->counter));
	struct feed_status status;

	feed_describe(inputs->feed, &status);
	ret->flags = status.online ? 0 : CONTROL_SOURCE_OFFLINE;
	ret->kind = CHRONOTICK_GPU_MODEL;
	ret->state = CHRONOTICK_SOURCE_UNREACHABLE;
	ret->leap = 3;
	ret->age_ns = -1;
	ret->samples = status.statistics.rejects[FEED_TAKEN];
	if (status.has_prediction) {
		ret->age_ns = loop_now_ns() - status.latest_ns;
		ret->offset_ns = (int64_t)status.away_ns;
		ret->dispersion_ns = (uint64_t)estimate_sd(&status.latest.line, raw_ns);
	}
	if (status.has_prediction && status.latest.until_ns > raw_ns) {
		feed_judged(&operators->engine->models, ret);
	} else if (status.connected) {
		ret->state = CHRONOTICK_SOURCE_UNSYNCHRONIZED;
		snprintf(ret->reason, sizeof(ret->reason), "the model has no prediction for now");
	} else {
		snprintf(ret->reason, sizeof(ret->reason), "%s",
			 status.online ? "no model is connected" : "offline");
	}
	feed_counters(&status.statistics, ret);
	snprintf(ret->name, sizeof(ret->name), "%s", inputs->feed_path);
	if (status.connected)
		snprintf(ret->address, sizeof(ret->address), "pid %" PRId32, status.peer.pid);
}

/* Sources are numbered as the set has them; while a list is asked for in parts they may move. */
int operators_source(void *data, uint32_t number, struct control_source *ret)
{
	const struct operators *operators = data;
	struct source_status status = {0};

	if (number >= operators_source_count(data))
		return -ENOENT;
	if (number == source_set_count(operators->sources)) {
		ret->number = number;
		feed_fields(operators, ret);
		return 0;
	}
	source_set_describe(operators->sources, number, &status);
	ret->number = number;
	source_set_fields(operators, &status, ret);
	return 0;
}

int operators_ptp(void *data, uint32_t number, struct control_ptp_reply *ret)
{
	static const uint8_t states[] = {
		[PTP_LISTENING] = CONTROL_PTP_LISTENING,
		[PTP_UNCALIBRATED] = CONTROL_PTP_UNCALIBRATED,
		[PTP_SLAVE] = CONTROL_PTP_SLAVE,
		[PTP_FAULTY] = CONTROL_PTP_FAULTY,
	};
	const struct operators *operators = data;
	const struct ptp_announce *announce;
	const struct ptp_view *view;
	struct source_status status;

	if (number >= source_set_count(operators->sources))
		return -ENOENT;
	source_set_describe(operators->sources, number, &status);
	if (status.type != SOURCE_PTP)
		return -ENOENT;
	view = &status.ptp_view;
	announce = &view->announce;
	ret->state = states[view->state];
	ret->flags =
		(view->has_master ? CONTROL_PTP_MASTER : 0) | (view->is_tai ? CONTROL_PTP_TAI : 0);
	ret->masters = view->masters;
	ret->priority1 = announce->priority1;
	ret->clock_class = announce->clock_class;
	ret->accuracy = announce->accuracy;
	ret->variance = announce->variance;
	ret->priority2 = announce->priority2;
	ret->time_source = announce->time_source;
	memcpy(ret->master_clock, view->master.clock, sizeof(ret->master_clock));
	memcpy(ret->grandmaster, announce->grandmaster, sizeof(ret->grandmaster));
	ret->master_port = view->master.port;
	ret->steps_removed = announce->steps_removed;
	ret->utc_offset_s = (int16_t)view->utc_offset_s;
	ret->announce_flags = view->flags;
	ret->log_sync = view->log_sync;
	ret->log_delay = view->log_delay;
	ret->path_delay_ns = view->path_delay_ns;
	ret->correction_ns = view->correction_ns;
	ret->error_ns = view->error_ns;
	ret->changes = status.ptp.changes;
	ret->unanswered = status.ptp.unanswered;
	ret->ignored = status.ptp.ignored;
	return 0;
}
