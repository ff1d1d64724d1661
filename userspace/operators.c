/* SPDX-License-Identifier: MIT */
#include "operators.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/describe.h"
#include "local/peer.h"
#include "log.h"
#include "report.h"

#define NS_PER_S 1000000000

static void on_identity(void *data, struct control_identity_reply *ret)
{
	const struct operators *operators = data;

	ret->pid = (uint32_t)getpid();
	ret->uptime_ns = (uint64_t)(loop_now_ns() - operators->start_ns);
	snprintf(ret->version, sizeof(ret->version), "%s", CHRONOTICK_VERSION);
	snprintf(ret->page, sizeof(ret->page), "%s", publisher_path(operators->publisher));
}

static void sources_tally(const struct operators *operators, struct control_status_reply *ret)
{
	struct engine_tally tally;

	engine_tally(operators->engine, &tally);
	ret->sources = source_set_count(operators->sources);
	ret->selected = tally.selected;
	ret->usable = tally.usable;
}

static void terms_set(const struct bound_terms *terms, struct control_status_reply *ret)
{
	const int64_t values[CONTROL_TERMS] = {
		[CONTROL_TERM_ROOT_DELAY] = terms->root_delay_ns,
		[CONTROL_TERM_ROOT_DISPERSION] = terms->root_dispersion_ns,
		[CONTROL_TERM_DELAY] = terms->delay_ns,
		[CONTROL_TERM_DISPERSION] = terms->dispersion_ns,
		[CONTROL_TERM_STAMPS] = terms->stamps_ns,
		[CONTROL_TERM_AGEING] = terms->ageing_ns,
		[CONTROL_TERM_DISAGREEMENT] = terms->disagreement_ns,
		[CONTROL_TERM_SLEW] = terms->slew_ns,
		[CONTROL_TERM_STEP] = terms->step_ns,
		[CONTROL_TERM_ROUNDING] = terms->rounding_ns,
	};
	unsigned int i;

	for (i = 0; i < CONTROL_TERMS; i++)
		ret->terms[i] = (uint64_t)values[i];
	ret->flags |= CONTROL_HAS_TERMS;
}

/* A rate in 2^-54 ns per count as parts per 10^12 of the counter's nominal one */
static int64_t rate_ppt(const struct counter *counter, int64_t rate)
{
	return (int64_t)((__int128)rate * 1000000000000 / (__int128)counter->mult);
}

static void on_status(void *data, struct control_status_reply *ret)
{
	const struct operators *operators = data;
	const struct counter *counter = operators->counter;
	struct chronotick_clock line;
	struct bound_terms terms;
	uint64_t age;

	publisher_line(operators->publisher, &line, &terms);
	age = counter_read(counter) - line.anchor;
	sources_tally(operators, ret);
	ret->generation = CHRONOTICK_STATE_GENERATION(line.state);
	ret->status = CHRONOTICK_STATE_STATUS(line.state) & CHRONOTICK_STATUS_MASK;
	ret->tai_offset_s = CHRONOTICK_STATE_TAI(line.state);
	if (line.mult)
		ret->rate_ppt = rate_ppt(counter, (int64_t)(line.mult - counter->mult));
	if (!line.span || age > line.span)
		return;
	ret->flags |= CONTROL_TRUSTED;
	ret->bound_ns = line.bound_ns;
	if (bound_terms_sum(&terms) == line.bound_ns)
		terms_set(&terms, ret);
	ret->age_ns = (uint64_t)counter_to_ns(counter, age);
	ret->grown_ns = (uint64_t)bound_grown(line.growth, age);
	ret->remaining_ns = (uint64_t)counter_to_ns(counter, line.span - age);
	ret->expiry_ns = (uint64_t)bound_grown(line.growth, line.span - age);
	ret->growth_ppt = (uint64_t)rate_ppt(counter, (int64_t)line.growth);
}

static void on_covariates(void *data, struct control_covariates_reply *ret)
{
	static const struct {
		enum covariate from;
		enum control_covariate to;
	} all[COVARIATE_COUNT] = {
		{COVARIATE_TEMPERATURE, CONTROL_TEMPERATURE},
		{COVARIATE_CPU_FREQUENCY, CONTROL_CPU_FREQUENCY},
		{COVARIATE_CPU_LOAD, CONTROL_CPU_LOAD},
		{COVARIATE_MEMORY, CONTROL_MEMORY},
	};
	const struct operators *operators = data;
	const struct inputs *inputs = operators->inputs;
	const struct covariates *values = &inputs->covariates.values;
	unsigned int i;

	ret->age_ns = -1;
	if (!inputs->has_covariates)
		return;
	ret->age_ns = loop_now_ns() - inputs->covariates_ns;
	for (i = 0; i < COVARIATE_COUNT; i++) {
		if (!(values->present & 1U << all[i].from))
			continue;
		ret->present |= 1U << all[i].to;
		ret->values[all[i].to] = values->value[all[i].from];
	}
	snprintf(ret->thermometer, sizeof(ret->thermometer), "%s", inputs->covariates.thermometer);
}

static void model_set(const struct model_view *view, struct control_model *ret)
{
	ret->flags = (view->used ? CONTROL_MODEL_USED : 0) |
		     (view->predicts ? CONTROL_MODEL_PREDICTS : 0);
	ret->scored = view->scored;
	ret->age_ns = view->predicts ? view->age_ns : -1;
	ret->error_ns = view->error_ns;
	ret->factor = view->factor;
	ret->away_ns = view->away_ns;
	ret->sd_ns = view->sd_ns;
	snprintf(ret->reason, sizeof(ret->reason), "%s", view->reason);
}

static void on_models(void *data, struct control_models_reply *ret)
{
	static const uint32_t levels[FUSE_LEVELS] = {
		[FUSE_FUSION] = CONTROL_FUSION,       [FUSE_SHORT_TERM] = CONTROL_SHORT_TERM,
		[FUSE_LONG_TERM] = CONTROL_LONG_TERM, [FUSE_NTP] = CONTROL_SOURCES_ONLY,
		[FUSE_HOLDOVER] = CONTROL_HOLDOVER,   [FUSE_NO_DATA] = CONTROL_NO_DATA,
	};
	static const enum control_model_kind kinds[MODEL_COUNT] = {
		[MODEL_SHORT_TERM] = CONTROL_MODEL_SHORT_TERM,
		[MODEL_LONG_TERM] = CONTROL_MODEL_LONG_TERM,
		[MODEL_FEED] = CONTROL_MODEL_FEED,
	};
	const struct operators *operators = data;
	struct engine_view view;
	unsigned int i;

	engine_describe(operators->engine, counter_read(operators->counter), &view);
	ret->level = levels[view.level];
	ret->held = levels[view.held];
	ret->walk_ns_s = view.oscillator.walk_ns_s;
	ret->slope_ns_s2 = view.oscillator.slope_ns_s2;
	ret->allowed_ns_s = view.oscillator.allowed_ns_s;
	snprintf(ret->reason, sizeof(ret->reason), "%s", view.reason);
	for (i = 0; i < MODEL_COUNT; i++)
		model_set(&view.models[i], &ret->models[kinds[i]]);
}

static void on_pages(void *data, struct control_pages_reply *ret)
{
	static const uint32_t roles[] = {
		[PUBLISH_STANDBY] = CONTROL_STANDBY,
		[PUBLISH_ACTIVE] = CONTROL_ACTIVE,
		[PUBLISH_OUT] = CONTROL_OUT,
	};
	const struct operators *operators = data;
	const struct cross_device *cross = operators->cross;
	struct publish_view views[PUBLISH_PAGES];
	unsigned int i;

	ret->count = publisher_describe(operators->publisher, views);
	for (i = 0; i < ret->count; i++) {
		struct control_page *page = &ret->pages[i];

		page->backend = views[i].is_module ? CONTROL_MODULE : CONTROL_SHM;
		page->role = roles[views[i].role];
		page->published = views[i].published;
		page->rebuilt = views[i].rebuilt;
		snprintf(page->path, sizeof(page->path), "%s", views[i].path);
	}
	/* A counter that has taken the first one's place has no device. */
	if (operators->counter->cross)
		ret->flags |= CONTROL_CROSS_DEVICE;
	ret->bracket_ns = cross->bracket_ns;
	ret->device_ns = cross->device_ns;
	snprintf(ret->reason, sizeof(ret->reason), "%s",
		 cross->refusal              ? cross->refusal
		 : operators->counter->cross ? ""
					     : "the counter is another one now");
}

static uint32_t on_source_count(void *data)
{
	const struct operators *operators = data;

	return source_set_count(operators->sources) + (operators->inputs->feed != NULL);
}

static void statistics_set(const struct ntp_statistics *from, struct control_source *ret)
{
	static const struct {
		enum control_counter counter;
		enum ntp_verdict verdict;
	} rejects[] = {
		{CONTROL_REJECTED_MALFORMED, NTP_MALFORMED},
		{CONTROL_REJECTED_BOGUS, NTP_BOGUS},
		{CONTROL_REJECTED_DUPLICATE, NTP_DUPLICATE},
		{CONTROL_REJECTED_LATE, NTP_LATE},
		{CONTROL_REJECTED_UNAUTHENTIC, NTP_UNAUTHENTIC},
		{CONTROL_REJECTED_INVALID, NTP_INVALID},
		{CONTROL_REJECTED_UNSYNCHRONIZED, NTP_UNSYNCHRONIZED},
		{CONTROL_REJECTED_TOO_DISTANT, NTP_TOO_DISTANT},
		{CONTROL_REJECTED_DENY, NTP_KISS_DENY},
		{CONTROL_REJECTED_RATE, NTP_KISS_RATE},
		{CONTROL_REJECTED_OTHER_KISS, NTP_KISS_OTHER},
		{CONTROL_REJECTED_LOOP, NTP_LOOP},
	};
	size_t i;

	ret->counters[CONTROL_SENT] = from->sent;
	ret->counters[CONTROL_RECEIVED] = from->received;
	ret->counters[CONTROL_ACCEPTED] = from->accepted;
	ret->counters[CONTROL_REJECTED] = from->rejected;
	ret->counters[CONTROL_DROPPED] = from->dropped;
	ret->counters[CONTROL_STAMPS_MISSING] = from->stamps_missing;
	ret->counters[CONTROL_INTERLEAVED] = from->interleaved;
	for (i = 0; i < sizeof(rejects) / sizeof(rejects[0]); i++)
		ret->counters[rejects[i].counter] = from->rejects[rejects[i].verdict];
}

static void ptp_statistics_set(const struct ptp_statistics *from, struct control_source *ret)
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
	unsigned int i;

	ret->counters[CONTROL_SENT] = from->sent;
	ret->counters[CONTROL_RECEIVED] = from->received;
	ret->counters[CONTROL_ACCEPTED] = from->accepted;
	ret->counters[CONTROL_REJECTED] = from->rejected;
	ret->counters[CONTROL_DROPPED] = from->dropped;
	ret->counters[CONTROL_STAMPS_MISSING] = from->stamps_missing;
	for (i = PTP_MALFORMED; i < PTP_VERDICTS; i++)
		ret->counters[counters[i]] += from->rejects[i];
}

static void verdicts_set(const struct source_view *from, struct control_source *ret)
{
	static const enum control_counter counters[FILTER_VERDICTS] = {
		[FILTER_CONTRADICTION] = CONTROL_ASIDE_CONTRADICTION,
		[FILTER_MAD] = CONTROL_ASIDE_MAD,
		[FILTER_Z] = CONTROL_ASIDE_Z,
		[FILTER_CONFIRMED] = CONTROL_ASIDE_CONFIRMED,
	};
	unsigned int i;

	for (i = FILTER_TAKEN + 1; i < FILTER_VERDICTS; i++)
		ret->counters[counters[i]] = from->verdicts[i];
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
		verdicts_set(view, ret);
	}
	if (from->type == SOURCE_PTP)
		ptp_statistics_set(&from->ptp, ret);
	else
		statistics_set(&from->ntp, ret);
	snprintf(ret->name, sizeof(ret->name), "%s", from->config_name);
	snprintf(ret->address, sizeof(ret->address), "%.*s", (int)sizeof(summary->name),
		 summary->name);
	snprintf(ret->reason, sizeof(ret->reason), "%s", from->reason ? from->reason : "");
	note_add(from, ret->reason, sizeof(ret->reason));
}

static void feed_counters(const struct feed_statistics *from, uint64_t *ret)
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

	ret[CONTROL_SENT] = from->sent;
	ret[CONTROL_RECEIVED] = from->received;
	ret[CONTROL_DROPPED] = from->dropped;
	for (i = 0; i < FEED_VERDICTS; i++) {
		ret[counters[i]] = from->rejects[i];
		if (i != FEED_TAKEN)
			ret[CONTROL_REJECTED] += from->rejects[i];
	}
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
	feed_counters(&status.statistics, ret->counters);
	snprintf(ret->name, sizeof(ret->name), "%s", inputs->feed_path);
	if (status.connected)
		snprintf(ret->address, sizeof(ret->address), "pid %" PRId32, status.peer.pid);
}

/* Sources are numbered as the set has them; while a list is asked for in parts they may move. */
static int on_source(void *data, uint32_t number, struct control_source *ret)
{
	const struct operators *operators = data;
	struct source_status status = {0};

	if (number >= on_source_count(data))
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

static int on_ptp(void *data, uint32_t number, struct control_ptp_reply *ret)
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

static int on_online(void *data, const struct local_peer *peer, const char *pattern, bool online,
		     char text[CONTROL_TEXT_MAX])
{
	const struct operators *operators = data;
	bool all = strcmp(pattern, "all") == 0;
	const char *what = online ? "online" : "offline";
	unsigned int count = source_set_online(operators->sources, all ? NULL : pattern, online) +
			     inputs_online(operators->inputs, all ? NULL : pattern, online);

	if (count == 0) {
		snprintf(text, CONTROL_TEXT_MAX,
			 "no source has a name or an address that matches '%s'", pattern);
		return -ENOENT;
	}
	log_info("user %" PRIu32 ", pid %" PRId32 ": %s %s, %u source%s", peer->uid, peer->pid,
		 what, pattern, count, count == 1 ? "" : "s");
	snprintf(text, CONTROL_TEXT_MAX, "%u source%s %s now", count, count == 1 ? " is" : "s are",
		 what);
	return (int)count;
}

static int on_reload(void *data, const struct local_peer *peer, char text[CONTROL_TEXT_MAX])
{
	const struct operators *operators = data;
	int r;

	log_info("user %" PRIu32 ", pid %" PRId32 ": reload", peer->uid, peer->pid);
	r = operators->reload(operators->data, text, CONTROL_TEXT_MAX);
	if (r == 0)
		snprintf(text, CONTROL_TEXT_MAX,
			 "the configuration was read again; the log tells what has changed");
	else if (!*text)
		snprintf(text, CONTROL_TEXT_MAX, "not all could be done: %s; see the log",
			 strerror(-r));
	return r;
}

int operators_listen(struct operators *operators, struct loop *loop, const struct config *config)
{
	const char *path = config->control.socket;
	char why[256];
	gid_t group;
	int r;

	operators->ops = (struct control_ops){
		.data = operators,
		.identity = on_identity,
		.status = on_status,
		.covariates = on_covariates,
		.models = on_models,
		.pages = on_pages,
		.source_count = on_source_count,
		.source = on_source,
		.ptp = on_ptp,
		.online = on_online,
		.reload = on_reload,
	};
	if (!path)
		return 0;
	r = local_group_find(config->control.group, &group);
	if (r < 0) {
		log_error("control.group: group \"%s\": %s", config->control.group,
			  r == -ENOENT ? "this machine has none of that name" : strerror(-r));
		return r;
	}
	r = control_server_open(&operators->server, loop, path, group, &operators->ops, why,
				sizeof(why));
	if (r == 0)
		return 0;
	/* The one that this daemon stands by for */
	if (r == -EADDRINUSE && config->page.standby)
		return r;
	if (!*why)
		snprintf(why, sizeof(why), "%s: %s", path, strerror(-r));
	if (strcmp(path, CONTROL_SOCKET) == 0) {
		log_warning("no control socket, so nobody can ask or change anything: %s", why);
		return 0;
	}
	log_error("control.socket: %s", why);
	return r;
}

void operators_end(struct operators *operators)
{
	control_server_close(operators->server);
	operators->server = NULL;
}
