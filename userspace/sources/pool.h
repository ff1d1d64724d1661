/* SPDX-License-Identifier: MIT */
/*
 * The policy of a pool: when its name is asked for addresses, and which of its members are to be
 * replaced by others. Pure: times are ns of any one monotonic clock.
 */
#ifndef SOURCES_POOL_H
#define SOURCES_POOL_H

#include <stdbool.h>
#include <stdint.h>

#define POOL_MEMBERS_MAX 16

/*
 * The name is asked again no sooner than this after an answer, doubled each time that there was no
 * address to be used in it, up to POOL_DOUBLINGS times. While there is no member at all, sooner.
 */
#define POOL_AGAIN_NS 16000000000LL
#define POOL_AGAIN_EMPTY_NS 1000000000LL
#define POOL_DOUBLINGS 6

/* Requests in a row without an answer that make a member silent; the first: it never answered. */
#define POOL_SILENT_NEW 4
#define POOL_SILENT 8

/* For how long a member may be silent, or wrong, before it is to be replaced */
#define POOL_SILENT_NS 8000000000LL
#define POOL_WRONG_NS 300000000000LL

struct pool {
	unsigned int wanted;  /* members, 1 to POOL_MEMBERS_MAX */
	unsigned int useless; /* answers in a row that brought no member */
	bool asked;           /* at least once */
	int64_t ask_ns;       /* not before this, once it was asked */
};

/* What is known of a member */
struct pool_facts {
	uint64_t sent;     /* requests since it became one */
	uint64_t answered; /* samples since then */
	uint8_t reach;     /* RFC 5905 reachability register */
	uint8_t state;     /* enum chronotick_source_state */
};

/* Since when a member is in trouble; zero it for a new one. */
struct pool_trouble {
	bool present;
	int64_t since_ns;
};

/* Is the name to be asked now? good: members that are not to be replaced. */
bool pool_asks(const struct pool *pool, unsigned int good, int64_t now_ns);

/*
 * It was asked, with or without success: taken new members came of it, and there are `members` in
 * all now.
 */
void pool_answered(struct pool *pool, unsigned int taken, unsigned int members, int64_t now_ns);

/* Ask at once when next looked at: the network may have come back. */
void pool_retry(struct pool *pool);

/*
 * Look at a member; call it regularly. Returns true if it is to be replaced when there is another
 * address: it denies access or serves this host's own time, has been silent for POOL_SILENT_NS, or
 * false or not synchronised for POOL_WRONG_NS.
 */
bool pool_member_bad(struct pool_trouble *trouble, const struct pool_facts *facts, int64_t now_ns);

#endif /* SOURCES_POOL_H */
