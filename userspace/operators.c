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
#include "operators_source.h"

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
		.source_count = operators_source_count,
		.source = operators_source,
		.ptp = operators_ptp,
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
