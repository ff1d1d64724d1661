/* SPDX-License-Identifier: MIT */
#include "sources/set_private.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const reason_offline = "offline";
static const char *const reason_unresolved = "its name has no address yet";

const struct source_ops *set_ops_of(const struct source_set *set, const struct entry *entry)
{
	return &set->context.ops[entry->config.type];
}

__attribute__((format(printf, 2, 3))) void set_tell(const struct source_set *set,
						    const char *format, ...)
{
	char text[512];
	va_list args;

	if (!set->context.changed)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	set->context.changed(set->context.data, text);
}

bool set_member_address(const struct source_set *set, const struct member *member,
			struct resolver_address *ret)
{
	return member->entry && set_ops_of(set, member->entry)->address(member->source, ret);
}

/* Which of two that have the same address keeps it? */
static bool member_precedes(const struct member *a, const struct member *b)
{
	bool a_pool = a->entry->config.type == SOURCE_POOL;
	bool b_pool = b->entry->config.type == SOURCE_POOL;

	return a_pool != b_pool ? b_pool : a->born < b->born;
}

bool set_member_is_duplicate(const struct source_set *set, const struct member *member)
{
	struct resolver_address own, other;
	unsigned int i;

	if (!set_member_address(set, member, &own))
		return false;
	for (i = 0; i < SOURCE_SET_MAX; i++) {
		const struct member *rival = &set->members[i];

		if (rival != member && set_member_address(set, rival, &other) &&
		    resolver_address_equal(&own, &other) && member_precedes(rival, member))
			return true;
	}
	return false;
}

/* Switch a member as its flags say. */
void set_member_apply(struct source_set *set, struct member *member)
{
	const char *why = member->off         ? reason_offline
			  : member->duplicate ? SET_REASON_DUPLICATE
					      : NULL;

	/* Before the source is switched: that may tell the engine why it is of no use. */
	engine_source_exclude(set->context.engine, (unsigned int)(member - set->members), why);
	if (member->active != !why) {
		member->active = !why;
		set_ops_of(set, member->entry)->online(member->source, member->active);
	}
}

static void on_sample(void *data, const struct sample *sample)
{
	struct source_set *set = data;
	struct member *member = &set->members[sample->source];
	int r;

	/* It goes offline with the next tick: a source may not be switched by its own event. */
	if (!member->duplicate && set_member_is_duplicate(set, member)) {
		member->duplicate = true;
		engine_source_exclude(set->context.engine, sample->source, SET_REASON_DUPLICATE);
	}
	r = engine_sample_add(set->context.engine, sample);
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
	set->source_context = (struct source_context){
		context->loop, context->counter,  context->scale,
		&set->events,  context->hardware, context->engine->config.leaps};
	*ret = set;
	return 0;
}

static void totals_add(struct source_totals *totals, const struct source_status *status)
{
	totals->sent += status->ntp.sent + status->ptp.sent;
	totals->received += status->ntp.received + status->ptp.received;
	totals->rejected += status->ntp.rejected + status->ptp.rejected;
}

static unsigned int options_of(const struct source_config *config)
{
	return (config->prefer ? ENGINE_SOURCE_PREFER : 0) |
	       (config->trust ? ENGINE_SOURCE_TRUST : 0) |
	       (config->noselect ? ENGINE_SOURCE_NOSELECT : 0);
}

void set_member_stop(struct source_set *set, struct member *member)
{
	struct source_status status = {0};

	if (member->source) {
		set_ops_of(set, member->entry)->describe(member->source, &status);
		totals_add(&set->gone, &status);
		set_ops_of(set, member->entry)->free(member->source);
	}
	engine_source_remove(set->context.engine, (unsigned int)(member - set->members));
	memset(member, 0, sizeof(*member));
}

void set_member_options(struct source_set *set, struct member *member)
{
	(void)engine_source_options(set->context.engine, (unsigned int)(member - set->members),
				    options_of(&member->entry->config));
}

/* Start a source of the entry in a slot that is free; server: its address, NULL: the entry's own */
int set_member_start(struct source_set *set, struct member *member, struct entry *entry,
		     const char *server)
{
	unsigned int index = (unsigned int)(member - set->members);
	struct source_config config = entry->config;
	int r;

	r = engine_source_add(set->context.engine, index);
	if (r < 0)
		return r;
	member->entry = entry;
	member->born = set->births++;
	member->active = true;
	member->off = entry->off;
	set_member_options(set, member);
	if (server) {
		snprintf(member->server, sizeof(member->server), "%s", server);
		config.ntp.server = member->server;
	}
	r = set_ops_of(set, entry)->new (&member->source, &set->source_context, index, &config);
	explicit_bzero(&config, sizeof(config)); /* its key */
	if (r < 0)
		set_member_stop(set, member);
	else
		set_member_apply(set, member);
	return r;
}

struct member *set_free_slot(struct source_set *set)
{
	unsigned int i;

	for (i = 0; i < SOURCE_SET_MAX; i++)
		if (!set->members[i].entry)
			return &set->members[i];
	return NULL;
}

unsigned int set_entry_members(const struct source_set *set, const struct entry *entry)
{
	unsigned int count = 0, i;

	for (i = 0; i < SOURCE_SET_MAX; i++)
		count += set->members[i].entry == entry;
	return count;
}

void set_lookup_end(struct source_set *set, struct entry *entry)
{
	if (entry->resolver)
		set->context.resolver->free(entry->resolver);
	entry->resolver = NULL;
}

void set_entry_remove(struct source_set *set, struct entry *entry)
{
	unsigned int i;

	for (i = 0; i < SOURCE_SET_MAX; i++)
		if (set->members[i].entry == entry)
			set_member_stop(set, &set->members[i]);
	set_lookup_end(set, entry);
	set_config_clear(&entry->config);
	memset(entry, 0, sizeof(*entry));
}

int source_set_add(struct source_set *set, const struct source_config *config)
{
	struct member *member = set_free_slot(set);
	struct entry *entry = NULL;
	unsigned int i;
	int r;

	if (!set_config_is_good(config))
		return -EINVAL;
	for (i = 0; i < SOURCE_SET_MAX && !entry; i++)
		if (!set->entries[i].used)
			entry = &set->entries[i];
	if (!entry || !member)
		return -ENOSPC;
	r = set_config_copy(&entry->config, config);
	if (r < 0)
		return r;
	entry->used = true;
	entry->off = config->offline;
	entry->pool.wanted = config->maxsources;
	if (config->type != SOURCE_POOL)
		r = set_member_start(set, member, entry, NULL);
	if (r < 0)
		set_entry_remove(set, entry);
	return r;
}

void source_set_free(struct source_set *set)
{
	unsigned int i;

	if (!set)
		return;
	for (i = 0; i < SOURCE_SET_MAX; i++)
		if (set->entries[i].used)
			set_entry_remove(set, &set->entries[i]);
	free(set);
}

void set_member_describe(const struct source_set *set, unsigned int index,
			 struct source_status *ret)
{
	const struct member *member = &set->members[index];
	const struct source_view *view = &set->context.engine->views[index];

	memset(ret, 0, sizeof(*ret));
	set_ops_of(set, member->entry)->describe(member->source, ret);
	ret->config_name = source_config_name(&member->entry->config);
	ret->index = index;
	ret->type = member->entry->config.type;
	ret->online = !member->off;
	ret->reason = view->reason;
	ret->false_by_ns = view->false_by_ns;
	ret->options = options_of(&member->entry->config);
	ret->summary.state = view->state;
	ret->summary.offset_ns = view->offset_ns;
	ret->summary.root_distance_ns = (uint64_t)view->root_distance_ns;
}

const char *source_set_name(struct source_set *set, unsigned int index)
{
	struct source_status status;

	if (index >= SOURCE_SET_MAX || !set->members[index].entry)
		return NULL;
	set_member_describe(set, index, &status);
	if (!*status.summary.name)
		return status.config_name;
	snprintf(set->name, sizeof(set->name), "%.*s", (int)sizeof(status.summary.name),
		 status.summary.name);
	return set->name;
}

/* A pool without a member */
static bool entry_is_empty(const struct source_set *set, const struct entry *entry)
{
	return entry->used && !set_entry_members(set, entry);
}

static void entry_describe(const struct entry *entry, struct source_status *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->config_name = source_config_name(&entry->config);
	ret->index = SOURCE_SET_NO_INDEX;
	ret->type = entry->config.type;
	ret->online = !entry->off;
	ret->options = options_of(&entry->config);
	ret->reason = entry->off ? reason_offline : reason_unresolved;
	snprintf(ret->summary.name, sizeof(ret->summary.name), "%s",
		 source_config_name(&entry->config));
	ret->summary.kind = CHRONOTICK_NTP;
	ret->summary.state = CHRONOTICK_SOURCE_UNREACHABLE;
	ret->summary.leap = 3; /* RFC 5905: unknown */
}

unsigned int source_set_count(const struct source_set *set)
{
	unsigned int count = 0, i;

	for (i = 0; i < SOURCE_SET_MAX; i++)
		count += (set->members[i].entry != NULL) + entry_is_empty(set, &set->entries[i]);
	return count;
}

void source_set_describe(const struct source_set *set, unsigned int i, struct source_status *ret)
{
	unsigned int at;

	for (at = 0; at < SOURCE_SET_MAX; at++) {
		if (set->members[at].entry && i-- == 0) {
			set_member_describe(set, at, ret);
			return;
		}
	}
	for (at = 0; at < SOURCE_SET_MAX; at++) {
		if (entry_is_empty(set, &set->entries[at]) && i-- == 0) {
			entry_describe(&set->entries[at], ret);
			return;
		}
	}
}

void source_set_totals(const struct source_set *set, struct source_totals *ret)
{
	unsigned int i;

	*ret = set->gone;
	for (i = 0; i < SOURCE_SET_MAX; i++) {
		struct source_status status = {0};

		if (!set->members[i].entry)
			continue;
		set_ops_of(set, set->members[i].entry)->describe(set->members[i].source, &status);
		totals_add(ret, &status);
	}
}

static bool pattern_matches(const char *pattern, const char *text)
{
	return !pattern || fnmatch(pattern, text, FNM_CASEFOLD) == 0;
}

void set_member_switch(struct source_set *set, struct member *member, bool online)
{
	member->off = !online;
	member->trouble.present = false;
	set_member_apply(set, member);
}

void set_entry_switch(struct source_set *set, struct entry *entry, bool online)
{
	entry->off = !online;
	if (online)
		pool_retry(&entry->pool);
	else
		set_lookup_end(set, entry);
}

/* Returns how many sources of the entry match. */
static unsigned int entry_online(struct source_set *set, struct entry *entry, const char *pattern,
				 bool online)
{
	bool named = pattern_matches(pattern, source_config_name(&entry->config));
	struct source_status status;
	unsigned int count = 0, i;

	if (named && !set_entry_members(set, entry))
		count++;
	for (i = 0; i < SOURCE_SET_MAX; i++) {
		if (set->members[i].entry != entry)
			continue;
		set_member_describe(set, i, &status);
		if (!named && !pattern_matches(pattern, status.summary.name))
			continue;
		set_member_switch(set, &set->members[i], online);
		count++;
	}
	if (named || (count && entry->config.type != SOURCE_POOL))
		set_entry_switch(set, entry, online);
	return count;
}

unsigned int source_set_online(struct source_set *set, const char *pattern, bool online)
{
	unsigned int count = 0, i;

	for (i = 0; i < SOURCE_SET_MAX; i++)
		if (set->entries[i].used)
			count += entry_online(set, &set->entries[i], pattern, online);
	return count;
}

void source_set_restart(struct source_set *set)
{
	unsigned int i;

	for (i = 0; i < SOURCE_SET_MAX; i++) {
		struct member *member = &set->members[i];

		if (!member->active)
			continue;
		set_ops_of(set, member->entry)->online(member->source, false);
		set_ops_of(set, member->entry)->online(member->source, true);
	}
}
