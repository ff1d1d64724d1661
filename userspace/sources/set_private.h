/* SPDX-License-Identifier: MIT */
/* What the set's own files share: set.c, set_tick.c, set_change.c. */
#ifndef SOURCES_SET_PRIVATE_H
#define SOURCES_SET_PRIVATE_H

#include "sources/set.h"

#define SET_ADDRESS_TEXT 64 /* an IPv6 address with its scope */
#define SET_REASON_DUPLICATE "another source has its address"

/* What the configuration names */
struct entry {
	bool used;
	bool off;                    /* it, or its members to come, by the operator's will */
	struct source_config config; /* with a server's name of its own */
	struct pool pool;            /* and below: SOURCE_POOL */
	struct resolver *resolver;   /* NULL: nothing is being looked up */
};

/* What the engine knows; its place in the set is its index there. */
struct member {
	struct entry *entry; /* NULL: there is none */
	void *source;
	uint64_t born;                 /* the older one of two has the smaller number */
	char server[SET_ADDRESS_TEXT]; /* SOURCE_POOL: its address */
	bool off;                      /* by the operator's will */
	bool duplicate;
	bool active; /* online, as the source was told */
	struct pool_trouble trouble;
	bool bad; /* to be replaced */
};

struct source_set {
	struct source_set_context context;
	struct source_events events;
	struct source_context source_context;
	struct entry entries[SOURCE_SET_MAX];
	struct member members[SOURCE_SET_MAX];
	uint64_t births;
	struct source_totals gone;
	char name[SET_ADDRESS_TEXT]; /* that was asked for */
};

/* Those of the entry's kind */
const struct source_ops *set_ops_of(const struct source_set *set, const struct entry *entry);

/* Tell the owner that something changed. */
__attribute__((format(printf, 2, 3))) void set_tell(const struct source_set *set,
						    const char *format, ...);

/* The address that a member asks now. Returns false if there is none, or no such member. */
bool set_member_address(const struct source_set *set, const struct member *member,
			struct resolver_address *ret);

/* Has another one its address, that keeps it? */
bool set_member_is_duplicate(const struct source_set *set, const struct member *member);

/*
 * Start a source of the entry in a slot that is free; server: its address, NULL: the entry's own.
 * Returns 0 or a negative errno; the slot is then free again.
 */
int set_member_start(struct source_set *set, struct member *member, struct entry *entry,
		     const char *server);
void set_member_stop(struct source_set *set, struct member *member);

/* Switch a member as its flags say, or as the operator wants. */
void set_member_apply(struct source_set *set, struct member *member);
void set_member_switch(struct source_set *set, struct member *member, bool online);

/* Have the engine believe a member as far as its entry says. */
void set_member_options(struct source_set *set, struct member *member);

/* index: of a member */
void set_member_describe(const struct source_set *set, unsigned int index,
			 struct source_status *ret);

/* NULL: the set is full. */
struct member *set_free_slot(struct source_set *set);

/* How many members belong to an entry: 0 or 1, and for a pool up to POOL_MEMBERS_MAX */
unsigned int set_entry_members(const struct source_set *set, const struct entry *entry);

/* The entry itself; its members are switched one by one. */
void set_entry_switch(struct source_set *set, struct entry *entry, bool online);

/* With its members */
void set_entry_remove(struct source_set *set, struct entry *entry);

/* Give up looking its name up. */
void set_lookup_end(struct source_set *set, struct entry *entry);

/* set_config.c */
bool set_config_is_good(const struct source_config *config);

/* A copy with strings of its own; and its end. Returns 0 or -ENOMEM. */
int set_config_copy(struct source_config *ret, const struct source_config *config);
void set_config_clear(struct source_config *config);

/* Take over what another configuration of the same entry says; the strings stay. */
void set_config_take(struct source_config *config, const struct source_config *other);

/* Is it the same entry? And does it say the same? */
bool set_config_is_same(const struct source_config *a, const struct source_config *b);
bool set_config_is_equal(const struct source_config *a, const struct source_config *b);

#endif /* SOURCES_SET_PRIVATE_H */
