/* SPDX-License-Identifier: MIT */
/* The set takes another configuration. */
#include "sources/set_private.h"

#include <errno.h>
#include <string.h>

/* A pool that is to be smaller loses those first that are of the least use. */
static void pool_shrink(struct source_set *set, struct entry *entry)
{
	const struct source_view *views = set->context.engine->views;
	unsigned int i;

	while (set_entry_members(set, entry) > entry->pool.wanted) {
		struct member *worst = NULL;
		unsigned int least = 0;

		for (i = 0; i < SOURCE_SET_MAX; i++) {
			struct member *member = &set->members[i];
			unsigned int use = member->bad                                    ? 1
					   : views[i].state == CHRONOTICK_SOURCE_SELECTED ? 3
											  : 2;

			if (member->entry != entry || (worst && use > least))
				continue;
			worst = member;
			least = use;
		}
		set_tell(set, "pool %s: %s goes: it is to be smaller", entry->config.ntp.server,
			 worst->server);
		set_member_stop(set, worst);
	}
}

/* Returns 0, 1: something was changed, or a negative errno. */
static int entry_change(struct source_set *set, struct entry *entry,
			const struct source_config *config)
{
	bool switched = entry->config.offline != config->offline;
	bool changed = !set_config_is_equal(&entry->config, config);
	unsigned int i;
	int r = 0;

	set_config_take(&entry->config, config);
	entry->pool.wanted = config->maxsources;
	if (config->type == SOURCE_POOL)
		pool_shrink(set, entry);
	for (i = 0; changed && i < SOURCE_SET_MAX && r == 0; i++) {
		struct member *member = &set->members[i];
		struct source_config own = entry->config;
		char address[SET_ADDRESS_TEXT];

		if (member->entry != entry)
			continue;
		set_member_options(set, member);
		strcpy(address, member->server);
		if (*address)
			own.ntp.server = address;
		if (set_ops_of(set, entry)->reconfigure(member->source, &own) == 0)
			continue;
		set_member_stop(set, member);
		r = set_member_start(set, member, entry, *address ? address : NULL);
	}
	if (switched) {
		for (i = 0; i < SOURCE_SET_MAX; i++)
			if (set->members[i].entry == entry)
				set_member_switch(set, &set->members[i], !config->offline);
		set_entry_switch(set, entry, !config->offline);
	}
	return r < 0 ? r : changed;
}

static const struct source_config *config_find(const struct source_config *configs,
					       unsigned int count, const struct source_config *like)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (set_config_is_same(&configs[i], like))
			return &configs[i];
	return NULL;
}

static struct entry *entry_find(struct source_set *set, const struct source_config *like)
{
	unsigned int i;

	for (i = 0; i < SOURCE_SET_MAX; i++)
		if (set->entries[i].used && set_config_is_same(&set->entries[i].config, like))
			return &set->entries[i];
	return NULL;
}

/* What became of an entry; r: 0: nothing, 1: `what`, or a negative errno. */
static void note(const struct source_set *set, const struct source_config *config, int r,
		 const char *what, int *first)
{
	if (r)
		set_tell(set, "source %s: %s", source_config_name(config),
			 r > 0 ? what : strerror(-r));
	if (r < 0 && !*first)
		*first = r;
}

int source_set_reconfigure(struct source_set *set, const struct source_config *configs,
			   unsigned int count, struct source_set_change *ret)
{
	bool known[SOURCE_SET_MAX] = {false};
	unsigned int i;
	int first = 0, r;

	memset(ret, 0, sizeof(*ret));
	if (count > SOURCE_SET_MAX)
		return -ENOSPC;
	for (i = 0; i < count; i++)
		if (!set_config_is_good(&configs[i]))
			return -EINVAL;
	for (i = 0; i < SOURCE_SET_MAX; i++) {
		struct entry *entry = &set->entries[i];

		if (!entry->used || config_find(configs, count, &entry->config))
			continue;
		set_tell(set, "source %s: removed", source_config_name(&entry->config));
		set_entry_remove(set, entry);
		ret->removed++;
	}
	/* What shrinks makes room for what comes, wherever it stands in the configuration. */
	for (i = 0; i < count; i++) {
		struct entry *entry = entry_find(set, &configs[i]);

		known[i] = entry;
		if (!entry)
			continue;
		r = entry_change(set, entry, &configs[i]);
		/* Whoever asks for this may know of addresses that have come. */
		pool_retry(&entry->pool);
		ret->kept += r == 0;
		ret->changed += r > 0;
		note(set, &configs[i], r, "changed", &first);
	}
	for (i = 0; i < count; i++) {
		if (known[i])
			continue;
		r = source_set_add(set, &configs[i]);
		ret->added += r == 0;
		note(set, &configs[i], r < 0 ? r : 1, "added", &first);
	}
	return first;
}
