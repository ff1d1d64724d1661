/* SPDX-License-Identifier: MIT */
#include "sources/ptp_masters.h"

#include <string.h>

#define NS_PER_S 1000000000LL

/* FOREIGN_MASTER_TIME_WINDOW, 9.3.2.4.4 */
#define WINDOW_INTERVALS 4
/* stepsRemoved from which on an Announce message is not used, 9.3.2.5 */
#define STEPS_MAX 255
/* Up to this clockClass G.8275's algorithm goes by the path, and not by who the grandmaster is */
#define CLASS_BY_PATH 127
#define LOG_INTERVAL_MIN (-7)
#define LOG_INTERVAL_MAX 6

bool ptp_address_equal(const struct ptp_address *a, const struct ptp_address *b)
{
	return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

bool ptp_interval_is_told(int8_t log_interval)
{
	return log_interval >= LOG_INTERVAL_MIN && log_interval <= LOG_INTERVAL_MAX;
}

int64_t ptp_interval_ns(int8_t log_interval)
{
	if (!ptp_interval_is_told(log_interval))
		log_interval = 1;
	return log_interval < 0 ? NS_PER_S >> -log_interval : NS_PER_S << log_interval;
}

static int compare(unsigned int a, unsigned int b)
{
	return a < b ? -1 : a > b;
}

/* The first difference decides. */
#define DECIDE(a, b)                                                                               \
	do {                                                                                       \
		int decided = compare(a, b);                                                       \
		if (decided)                                                                       \
			return decided;                                                            \
	} while (0)

static int quality_compare(const struct ptp_announce *a, const struct ptp_announce *b)
{
	DECIDE(a->clock_class, b->clock_class);
	DECIDE(a->accuracy, b->accuracy);
	DECIDE(a->variance, b->variance);
	DECIDE(a->priority2, b->priority2);
	return 0;
}

int ptp_master_compare(const struct ptp_master *a, const struct ptp_master *b,
		       enum ptp_algorithm algorithm)
{
	const struct ptp_announce *x = &a->announce, *y = &b->announce;
	int apart = memcmp(x->grandmaster, y->grandmaster, sizeof(x->grandmaster));
	int r;

	if (apart || algorithm == PTP_BEST_G8275) {
		if (algorithm == PTP_BEST_DEFAULT)
			DECIDE(x->priority1, y->priority1);
		r = quality_compare(x, y);
		if (r)
			return r;
		if (apart && (algorithm == PTP_BEST_DEFAULT || x->clock_class > CLASS_BY_PATH))
			return apart;
	}
	DECIDE(x->steps_removed, y->steps_removed);
	return ptp_identity_compare(&a->port, &b->port);
}

static int64_t expiry(const struct ptp_masters *masters, const struct ptp_master *master)
{
	return master->heard_ns + (int64_t)masters->timeout * master->interval_ns;
}

struct ptp_master *ptp_masters_find(struct ptp_masters *masters, const struct ptp_identity *port,
				    const struct ptp_address *from)
{
	unsigned int i;

	for (i = 0; i < masters->count; i++) {
		struct ptp_master *master = &masters->masters[i];

		if (ptp_identity_equal(&master->port, port) &&
		    (!from || ptp_address_equal(&master->address, from)))
			return master;
	}
	return NULL;
}

/*
 * A place for another one: the last, or that of one that does not count, the longest silent one
 * first. Nobody who counts makes room for somebody who is only heard of.
 */
static struct ptp_master *place(struct ptp_masters *masters, int64_t now_ns)
{
	struct ptp_master *oldest = NULL;
	unsigned int i;

	ptp_masters_expire(masters, now_ns);
	if (masters->count < PTP_MASTERS_MAX)
		return &masters->masters[masters->count++];
	for (i = 0; i < masters->count; i++) {
		struct ptp_master *master = &masters->masters[i];

		if (master->qualified && (master->sync_ns || masters->silent))
			continue;
		if (!oldest || master->heard_ns < oldest->heard_ns)
			oldest = master;
	}
	return oldest;
}

/* Is it that of somebody at another address, whose time was had? */
static bool is_anothers(const struct ptp_masters *masters, const struct ptp_identity *port,
			const struct ptp_address *from, int64_t now_ns)
{
	unsigned int i;

	for (i = 0; i < masters->count; i++) {
		const struct ptp_master *master = &masters->masters[i];

		if (master->proven && ptp_identity_equal(&master->port, port) &&
		    !ptp_address_equal(&master->address, from) && now_ns < expiry(masters, master))
			return true;
	}
	return false;
}

enum ptp_verdict ptp_masters_announce(struct ptp_masters *masters,
				      const struct ptp_message *message,
				      const struct ptp_address *from, int64_t now_ns)
{
	const struct ptp_announce *announce = &message->announce;
	struct ptp_master *master = ptp_masters_find(masters, &message->source, from);

	if (message->flags & PTP_FLAG_ALTERNATE_MASTER || announce->steps_removed >= STEPS_MAX ||
	    memcmp(announce->grandmaster, masters->own, sizeof(masters->own)) == 0)
		return PTP_IGNORED;
	if (master && now_ns >= expiry(masters, master)) {
		/* Whoever it was is gone. */
		*master = masters->masters[--masters->count];
		master = NULL;
	}
	if (is_anothers(masters, &message->source, from, now_ns))
		return PTP_BOGUS;
	if (master && (int16_t)(message->sequence - master->sequence) <= 0)
		return PTP_DUPLICATE;
	if (!master) {
		master = place(masters, now_ns);
		if (!master)
			return PTP_FULL;
		*master = (struct ptp_master){.port = message->source, .address = *from};
	}
	master->announce = *announce;
	master->flags = message->flags;
	master->sequence = message->sequence;
	master->interval_ns = ptp_interval_ns(message->log_interval == PTP_LOG_INTERVAL_NONE
						      ? masters->log_interval
						      : message->log_interval);
	master->before_ns = master->heard_ns;
	master->heard_ns = now_ns;
	if (master->before_ns &&
	    now_ns - master->before_ns <= WINDOW_INTERVALS * master->interval_ns)
		master->qualified = true;
	return PTP_GOOD;
}

void ptp_masters_prove(struct ptp_masters *masters, const struct ptp_identity *port,
		       const struct ptp_address *address)
{
	unsigned int i;

	for (i = 0; i < masters->count; i++) {
		struct ptp_master *master = &masters->masters[i];

		if (ptp_identity_equal(&master->port, port))
			master->proven = ptp_address_equal(&master->address, address);
	}
}

void ptp_masters_expire(struct ptp_masters *masters, int64_t now_ns)
{
	unsigned int i = 0;

	while (i < masters->count) {
		if (now_ns < expiry(masters, &masters->masters[i]))
			i++;
		else
			masters->masters[i] = masters->masters[--masters->count];
	}
}

int64_t ptp_masters_deadline(const struct ptp_masters *masters)
{
	int64_t deadline = INT64_MAX;
	unsigned int i;

	for (i = 0; i < masters->count; i++) {
		int64_t own = expiry(masters, &masters->masters[i]);

		if (own < deadline)
			deadline = own;
	}
	return deadline;
}

struct ptp_master *ptp_masters_best(struct ptp_masters *masters, int64_t now_ns)
{
	struct ptp_master *best = NULL;
	unsigned int i;

	for (i = 0; i < masters->count; i++) {
		struct ptp_master *master = &masters->masters[i];
		int order;

		if (!master->qualified || now_ns < master->muted_ns ||
		    (!masters->silent && !master->sync_ns))
			continue;
		order = best ? ptp_master_compare(master, best, masters->algorithm) : -1;
		if (order < 0 || (order == 0 && master->proven && !best->proven))
			best = master;
	}
	return best;
}
