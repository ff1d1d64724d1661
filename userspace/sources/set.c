/* SPDX-License-Identifier: MIT */
#include "sources/set.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

static const char *const reason_offline = "offline";

struct member {
	bool used;
	struct source_config config; /* its strings are the set's */
	void *source;
	bool online;
};

struct source_set {
	struct source_set_context context;
	struct source_events events;
	struct source_context source_context;
	struct member members[SOURCE_SET_MAX]; /* by index in the engine */
	unsigned int count;
	struct source_totals gone;
};

static void on_sample(void *data, const struct sample *sample)
{
	struct source_set *set = data;
	int r = engine_sample_add(set->context.engine, sample);

	if (set->context.sampled)
		set->context.sampled(set->context.data, sample, r);
}

static void on_lost(void *data, unsigned int source, uint8_t state)
{
	struct source_set *set = data;

	engine_source_unreachable(set->context.engine, source, state);
}

int source_set_new(struct source_set **ret, const struct source_set_context *context)
{
	struct source_set *set = calloc(1, sizeof(*set));

	if (!set)
		return -ENOMEM;
	set->context = *context;
	set->events = (struct source_events){set, on_sample, on_lost};
	set->source_context = (struct source_context){context->loop, context->counter,
						      context->scale, &set->events};
	*ret = set;
	return 0;
}

static const struct source_ops *ops_of(const struct source_set *set, const struct member *member)
{
	return &set->context.ops[member->config.type];
}

static void member_switch(struct source_set *set, unsigned int index, bool online)
{
	struct member *member = &set->members[index];

	if (member->online == online)
		return;
	member->online = online;
	ops_of(set, member)->online(member->source, online);
	engine_source_exclude(set->context.engine, index, online ? NULL : reason_offline);
}

static void member_free(struct source_set *set, unsigned int index)
{
	struct member *member = &set->members[index];
	struct source_status status = {0};

	if (member->source) {
		ops_of(set, member)->describe(member->source, &status);
		set->gone.sent += status.ntp.sent;
		set->gone.received += status.ntp.received;
		set->gone.rejected += status.ntp.rejected;
		ops_of(set, member)->free(member->source);
	}
	free((char *)member->config.ntp.server);
	engine_source_remove(set->context.engine, index);
	memset(member, 0, sizeof(*member));
	set->count--;
}

int source_set_add(struct source_set *set, const struct source_config *config)
{
	struct member *member;
	unsigned int index;
	int r;

	if (config->type >= SOURCE_TYPES)
		return -EINVAL;
	for (index = 0; index < SOURCE_SET_MAX && set->members[index].used; index++)
		;
	if (index == SOURCE_SET_MAX)
		return -ENOSPC;
	r = engine_source_add(set->context.engine, index);
	if (r < 0)
		return r;
	member = &set->members[index];
	member->used = true;
	member->online = true;
	member->config = *config;
	set->count++;
	member->config.ntp.server = strdup(config->ntp.server);
	if (!member->config.ntp.server) {
		r = -ENOMEM;
		goto fail;
	}
	r = ops_of(set, member)
		    ->new (&member->source, &set->source_context, index, &member->config);
	if (r < 0)
		goto fail;
	member_switch(set, index, !config->offline);
	return 0;

fail:
	member_free(set, index);
	return r;
}

void source_set_free(struct source_set *set)
{
	unsigned int i;

	if (!set)
		return;
	for (i = 0; i < SOURCE_SET_MAX; i++)
		if (set->members[i].used)
			member_free(set, i);
	free(set);
}

unsigned int source_set_count(const struct source_set *set)
{
	return set->count;
}

static void member_describe(const struct source_set *set, unsigned int index,
			    struct source_status *ret)
{
	const struct member *member = &set->members[index];
	const struct source_view *view = &set->context.engine->views[index];

	memset(ret, 0, sizeof(*ret));
	ops_of(set, member)->describe(member->source, ret);
	ret->config_name = member->config.ntp.server;
	ret->index = index;
	ret->type = member->config.type;
	ret->online = member->online;
	ret->reason = view->reason;
	ret->summary.state = view->state;
	ret->summary.offset_ns = view->offset_ns;
	ret->summary.root_distance_ns = (uint64_t)view->root_distance_ns;
}

void source_set_describe(const struct source_set *set, unsigned int i, struct source_status *ret)
{
	unsigned int index;

	for (index = 0; index < SOURCE_SET_MAX; index++)
		if (set->members[index].used && i-- == 0)
			break;
	if (index < SOURCE_SET_MAX)
		member_describe(set, index, ret);
}

void source_set_totals(const struct source_set *set, struct source_totals *ret)
{
	struct source_status status;
	unsigned int i;

	*ret = set->gone;
	for (i = 0; i < SOURCE_SET_MAX; i++) {
		if (!set->members[i].used)
			continue;
		member_describe(set, i, &status);
		ret->sent += status.ntp.sent;
		ret->received += status.ntp.received;
		ret->rejected += status.ntp.rejected;
	}
}

unsigned int source_set_online(struct source_set *set, const char *pattern, bool online)
{
	struct source_status status;
	unsigned int i, count = 0;

	for (i = 0; i < SOURCE_SET_MAX; i++) {
		if (!set->members[i].used)
			continue;
		member_describe(set, i, &status);
		if (pattern && fnmatch(pattern, status.config_name, FNM_CASEFOLD) != 0 &&
		    fnmatch(pattern, status.summary.name, FNM_CASEFOLD) != 0)
			continue;
		member_switch(set, i, online);
		count++;
	}
	return count;
}
