/* SPDX-License-Identifier: MIT */
/* The set's upkeep: pools, and names that lead to one address. */
#include "sources/set_private.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>

#define SECOND_NS 1000000000LL
#define RESOLVING_NS 50000000LL /* how often a resolver is asked whether it is done */

static bool address_used(const struct source_set *set, const struct resolver_address *address)
{
	struct resolver_address other;
	unsigned int i;

	for (i = 0; i < SOURCE_SET_MAX; i++)
		if (set_member_address(set, &set->members[i], &other) &&
		    resolver_address_equal(address, &other))
			return true;
	return false;
}

static void member_judge(struct source_set *set, unsigned int index, int64_t now_ns)
{
	struct member *member = &set->members[index];
	struct source_status status;
	struct pool_facts facts;

	if (!member->active) {
		member->trouble.present = false;
		member->bad = false;
		return;
	}
	set_member_describe(set, index, &status);
	facts = (struct pool_facts){
		.sent = status.ntp.sent,
		.answered = status.summary.samples,
		.reach = status.summary.reach,
		.state = status.summary.state,
	};
	member->bad = pool_member_bad(&member->trouble, &facts, now_ns);
}

static struct member *bad_member(struct source_set *set, const struct entry *entry)
{
	unsigned int i;

	for (i = 0; i < SOURCE_SET_MAX; i++)
		if (set->members[i].entry == entry && set->members[i].bad)
			return &set->members[i];
	return NULL;
}

static bool address_text(const struct resolver_address *address, char ret[SET_ADDRESS_TEXT])
{
	return getnameinfo((const struct sockaddr *)&address->address, address->size, ret,
			   SET_ADDRESS_TEXT, NULL, 0, NI_NUMERICHOST) == 0;
}

/* Make an address a member, perhaps in another's place. Returns false if it is not taken. */
static bool pool_take(struct source_set *set, struct entry *entry,
		      const struct resolver_address *address)
{
	struct member *member = NULL;
	char text[SET_ADDRESS_TEXT], old[SET_ADDRESS_TEXT] = "";
	const char *why = NULL;

	if (address_used(set, address) || !address_text(address, text))
		return false;
	if (set_entry_members(set, entry) < entry->pool.wanted)
		member = set_free_slot(set);
	if (!member) {
		member = bad_member(set, entry);
		if (!member)
			return false;
		strcpy(old, member->server);
		why = set->context.engine->views[member - set->members].reason;
		set_member_stop(set, member);
	}
	if (set_member_start(set, member, entry, text) < 0)
		return false;
	if (*old)
		set_tell(set, "pool %s: %s in place of %s (%s)", entry->config.ntp.server, text,
			 old, why ? why : "no reason known");
	else
		set_tell(set, "pool %s: %s", entry->config.ntp.server, text);
	return true;
}

static void pool_resolved(struct source_set *set, struct entry *entry,
			  const struct resolver_result *result, int64_t now_ns)
{
	unsigned int taken = 0, members, i;

	for (i = 0; i < result->count; i++)
		taken += pool_take(set, entry, &result->addresses[i]);
	members = set_entry_members(set, entry);
	if (!members && !entry->pool.useless)
		set_tell(set, "pool %s: its name has no address", entry->config.ntp.server);
	pool_answered(&entry->pool, taken, members, now_ns);
}

static void pool_look(struct source_set *set, struct entry *entry, int64_t now_ns)
{
	struct resolver_result result = {0};
	unsigned int good = 0, i;
	int r;

	for (i = 0; i < SOURCE_SET_MAX; i++) {
		if (set->members[i].entry != entry)
			continue;
		member_judge(set, i, now_ns);
		good += !set->members[i].bad;
	}
	if (entry->resolver) {
		r = set->context.resolver->poll(entry->resolver, &result);
		if (r == -EAGAIN)
			return;
		set_lookup_end(set, entry);
		if (r < 0)
			result.count = 0;
		pool_resolved(set, entry, &result, now_ns);
		return;
	}
	if (entry->off || !pool_asks(&entry->pool, good, now_ns))
		return;
	if (set->context.resolver->start(&entry->resolver, entry->config.ntp.server,
					 entry->config.ntp.port) < 0) {
		entry->resolver = NULL;
		pool_resolved(set, entry, &result, now_ns);
	}
}

/* Two sources whose names lead to one address; a pool has other addresses to offer. */
static void duplicate_look(struct source_set *set, struct member *member)
{
	const char *name = source_config_name(&member->entry->config);
	bool was_active = member->active;

	member->duplicate = set_member_is_duplicate(set, member);
	if (member->duplicate && member->entry->config.type == SOURCE_POOL) {
		set_tell(set, "pool %s: %s goes: %s", name, member->server, SET_REASON_DUPLICATE);
		set_member_stop(set, member);
		return;
	}
	set_member_apply(set, member);
	if (member->duplicate && was_active)
		set_tell(set, "source %s: not used: %s", name, SET_REASON_DUPLICATE);
}

int64_t source_set_tick(struct source_set *set, int64_t now_ns)
{
	int64_t next_ns = now_ns + SECOND_NS;
	unsigned int i;

	for (i = 0; i < SOURCE_SET_MAX; i++)
		if (set->members[i].entry)
			duplicate_look(set, &set->members[i]);
	for (i = 0; i < SOURCE_SET_MAX; i++) {
		struct entry *entry = &set->entries[i];

		if (!entry->used || entry->config.type != SOURCE_POOL)
			continue;
		pool_look(set, entry, now_ns);
		if (entry->resolver)
			next_ns = now_ns + RESOLVING_NS;
	}
	return next_ns;
}
