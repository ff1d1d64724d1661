/* SPDX-License-Identifier: MIT */
/*
 * A week with 64 sources: the set with its pools, the poll logic and the engine, in virtual time.
 *
 *	week		each source is asked every second in the first hour of each day and every
 *			32 s in the others, when time is looked at every 8 s: 3 million exchanges
 *	week full	every second all along: 39 million
 *
 * 40 servers are configured, three of them false all along; 24 more come from two pools of 100
 * addresses that die, come back and go false. Now and then sources are switched offline and on, and
 * another configuration takes one out or puts it back.
 *
 * Limits: the truth is inside the bound at every look, and in the line of the look before; time is
 * trusted from the 10th second on; the heap is at the end what it was after two hours; bad
 * members of pools were replaced.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/engine.h"
#include "sources/ntp_poll.h"
#include "sources/set.h"
#include "support/fake-sources.h"
#include "world.h"

#define SECOND 1000000000LL
#define WEEK_S 604800
#define HOUR_S 3600
#define SERVERS 40 /* octets 1 to 40 */
#define POOLED 100 /* octets 41 to 140 */
#define POOLS 2
#define MEMBERS 12
#define MS 1e6
#define SLOW_POLL 5   /* log2 s */
#define SLOW_STEP_S 8 /* from one look to the next */

struct client {
	unsigned int serial; /* of the source that it belongs to */
	struct ntp_poll poll;
	int64_t next_ns;
};

static struct oscillator osc;
static struct rng rng = {20251};
static struct server servers[SERVERS + POOLED + 1];
static struct server_config configs[SERVERS + POOLED + 1];
static struct client clients[SOURCE_SET_MAX];
static struct timescale scale;
static struct engine engine;
static struct source_set *set;
static unsigned int failures, replaced;
static uint64_t exchanges;

static void fail(const char *what, int64_t s)
{
	if (failures++ < 10)
		printf("# %s, at %" PRId64 " s\n", what, s);
}

static void on_changed(void *data, const char *text)
{
	(void)data;
	replaced += strstr(text, " in place of ") != NULL;
}

/* Of its two days, a pooled server is dead for five hours, some are false for as long. */
static bool is_dead(unsigned int octet, int64_t s)
{
	return octet > SERVERS && (s + octet * 1733) % 172800 < 17280;
}

static double offset_of(unsigned int octet, int64_t s)
{
	static const double liars[] = {0, 50 * MS, -30 * MS, 0.4 * MS};

	if (octet < sizeof(liars) / sizeof(liars[0]))
		return liars[octet];
	return octet % 10 == 7 && octet > SERVERS && (s + octet * 977) % 150000 < 17280 ? 30 * MS
											: 0;
}

static unsigned int octet_of(const struct fake_source *fake)
{
	const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)&fake->address.address;

	return ntohl(ipv4->sin_addr.s_addr) & 255;
}

/* One request, and what comes of it. */
static void exchange(struct fake_source *fake, struct client *client, int64_t now_ns)
{
	unsigned int octet = octet_of(fake);
	struct server *server = &servers[octet];
	struct sample sample;
	int64_t done_ns;
	bool answered;

	ntp_poll_sent(&client->poll);
	fake->statistics.sent++;
	configs[octet].offset_ns = offset_of(octet, now_ns / SECOND);
	server->next_ns = now_ns;
	answered = server_exchange(server, &osc, &rng, &sample, &done_ns) &&
		   !is_dead(octet, now_ns / SECOND);
	sample.source = (uint16_t)fake->index;
	exchanges++;
	if (answered) {
		ntp_poll_answered(&client->poll, &sample, timescale_ns(&scale, sample.counter));
		fake->statistics.accepted++;
		fake->reach = client->poll.reach;
		fake->context.events->sample(fake->context.events->data, &sample);
	} else if (ntp_poll_missed(&client->poll)) {
		fake->context.events->lost(fake->context.events->data, fake->index,
					   CHRONOTICK_SOURCE_UNREACHABLE);
	}
	fake->reach = client->poll.reach;
	client->next_ns = now_ns + ntp_poll_interval_ns(&client->poll);
}

/* All requests that are due in the second that begins at now_ns, spread over it */
static void requests(int64_t now_ns)
{
	unsigned int i;

	for (i = 0; i < SOURCE_SET_MAX; i++) {
		struct fake_source *fake = &fake_sources[i];
		struct client *client = &clients[i];

		if (!fake->used)
			continue;
		if (client->serial != fake->serial) {
			client->serial = fake->serial;
			client->next_ns = now_ns;
			ntp_poll_init(&client->poll, fake->config.ntp.minpoll,
				      fake->config.ntp.maxpoll, true);
		}
		if (client->poll.minpoll != fake->config.ntp.minpoll)
			ntp_poll_range(&client->poll, fake->config.ntp.minpoll,
				       fake->config.ntp.maxpoll, true);
		if (fake->online && client->next_ns <= now_ns + 14000000 * i)
			exchange(fake, client, now_ns + 14000000 * i);
	}
}

static struct source_config config_of(const char *name, enum source_type type)
{
	return (struct source_config){
		.ntp = {.server = name, .port = 123, .iburst = true},
		.type = (uint8_t)type,
		.maxsources = MEMBERS,
	};
}

static char texts[SERVERS][16];
static struct source_config entries[SERVERS + POOLS];

static void world_make(void)
{
	unsigned int i;

	for (i = 1; i <= SERVERS + POOLED; i++) {
		configs[i] = (struct server_config){
			.root_delay_ns = 20000,
			.root_dispersion_ns = 10000,
			.to = {30000 + 1000.0 * i, 5000},
			.from = {30000 + 500.0 * i, 5000},
			.loss = 0.001,
			.stamp_ns = 2000,
		};
		servers[i].config = &configs[i];
	}
	for (i = 0; i < SERVERS; i++) {
		snprintf(texts[i], sizeof(texts[i]), "192.0.2.%u", i + 1);
		entries[i] = config_of(texts[i], SOURCE_NTP);
	}
	entries[SERVERS] = config_of("p.example", SOURCE_POOL);
	entries[SERVERS + 1] = config_of("q.example", SOURCE_POOL);
	fake_names[0].name = "p.example";
	fake_names[1].name = "q.example";
}

/* Name servers give another choice of the pool's addresses each time. */
static void names_turn(void)
{
	unsigned int i, j;

	for (i = 0; i < POOLS; i++)
		for (j = 0; j < RESOLVER_ADDRESSES_MAX; j++)
			fake_names[i].octets[j] = (uint8_t)(SERVERS + 1 + i * POOLED / POOLS +
							    rng_next(&rng) % (POOLED / POOLS));
}

/* Ask all of them so often. */
static void polls_set(int8_t poll, int64_t s)
{
	struct source_set_change change;
	unsigned int i;

	for (i = 0; i < SERVERS + POOLS; i++)
		entries[i].ntp.minpoll = entries[i].ntp.maxpoll = poll;
	if (source_set_reconfigure(set, entries, SERVERS + POOLS, &change) < 0 ||
	    change.changed != SERVERS + POOLS)
		fail("other poll intervals do not come out right", s);
}

/* What an operator does now and then */
static void operate(int64_t s)
{
	struct source_set_change change;

	if (s % (5 * HOUR_S) == 0)
		source_set_online(set, "192.0.2.1?", false);
	if (s % (5 * HOUR_S) == 600)
		source_set_online(set, NULL, true);
	/* The last of the servers is taken out for an hour a day. */
	if (s % 86400 == 2 * HOUR_S || s % 86400 == 3 * HOUR_S) {
		unsigned int without = s % 86400 == 2 * HOUR_S;
		struct source_config wanted[SERVERS + POOLS];

		memcpy(wanted, entries + without, sizeof(entries) - without * sizeof(entries[0]));
		if (source_set_reconfigure(set, wanted, SERVERS + POOLS - without, &change) < 0 ||
		    change.removed != without || change.added != 1 - without ||
		    change.kept != SERVERS + POOLS - 1)
			fail("a new configuration does not come out right", s);
	}
}

/* Is the truth inside of what a reader gets at true_ns with this line? */
static void check(const struct correction *line, int64_t true_ns, double *worst, int64_t s)
{
	uint64_t counts = oscillator_counter(&osc, true_ns) - line->counter;
	__int128 utc = line->utc + (__int128)counts * (__int128)line->mult * 1024;
	__int128 truth = (__int128)(WORLD_START_UTC_NS + true_ns) * ((__int128)1 << 64);
	double error = fabs((double)(utc - truth) * 0x1p-64);
	double half = (double)line->bound.total_ns +
		      (double)line->bound.growth * 0x1p-54 * (double)counts + 1;

	if (error > half)
		fail("the truth is outside of the bound", s);
	if (error / half > *worst)
		*worst = error / half;
}

static double seconds_since(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - then->tv_sec) + 1e-9 * (double)(now.tv_nsec - then->tv_nsec);
}

int main(int argc, char **argv)
{
	const struct oscillator_config oscillator = {
		.rate_ppb = 12345, .walk_ppb = 900, .walk_step_ppb = 1};
	const struct source_set_context context = {
		.scale = &scale,
		.engine = &engine,
		.ops = fake_ops,
		.resolver = &fake_resolver,
		.changed = on_changed,
	};
	int64_t week_s = WEEK_S, step_s = 1, s, tick_ns = 0;
	bool all = argc > 1 && strcmp(argv[1], "full") == 0;
	struct engine_config engine_config = {
		.max_drift_ppb = 100000,
		.wander_ppb = 1000,
		.max_bound_ns = SECOND,
		.max_distance_ms = 1000,
	};
	struct correction line = {0}, before = {0};
	size_t heap_early = 0, heap_end;
	uint64_t untrusted = 0, full = 0, looks = 0;
	struct timespec begin;
	unsigned int i;
	double worst = 0, sum2 = 0;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	oscillator_timescale(&scale);
	engine_config.scale = scale;
	if (oscillator_init(&osc, &oscillator, (unsigned int)week_s + 10, &rng) < 0 ||
	    engine_init(&engine, &engine_config, 0) < 0 || source_set_new(&set, &context) < 0)
		return 1;
	world_make();
	names_turn();
	for (i = 0; i < SERVERS + POOLS; i++)
		if (source_set_add(set, &entries[i]) < 0)
			fail("a source cannot be added", 0);
	for (s = 1; s < week_s; s += step_s) {
		if (s * SECOND >= tick_ns) {
			names_turn();
			tick_ns = source_set_tick(set, s * SECOND);
		}
		operate(s);
		if (!all && (s % 86400 == 0 || s % 86400 == HOUR_S)) {
			step_s = s % 86400 ? SLOW_STEP_S : 1;
			polls_set(step_s > 1 ? SLOW_POLL : 0, s);
		}
		requests(s * SECOND);
		before = line;
		engine_correct(&engine, oscillator_counter(&osc, (s + step_s) * SECOND), &line);
		looks++;
		full += source_set_count(set) == SOURCE_SET_MAX;
		if (line.status != CHRONOTICK_SYNCHRONIZED) {
			untrusted += s > 10;
			continue;
		}
		check(&line, (s + step_s) * SECOND, &worst, s);
		if (before.status == CHRONOTICK_SYNCHRONIZED)
			check(&before, (s + step_s) * SECOND, &worst, s);
		sum2 += pow(
			(double)((line.utc -
				  ((__int128)(WORLD_START_UTC_NS + (s + step_s) * SECOND) << 64)) >>
				 32) *
				0x1p-32,
			2);
		if (s == 2 * HOUR_S)
			heap_early = mallinfo2().uordblks;
	}
	heap_end = mallinfo2().uordblks;
	if (untrusted)
		fail("there was no trusted time", (int64_t)untrusted);
	if (heap_end > heap_early)
		fail("the heap has grown", week_s);
	if (!replaced)
		fail("no member of a pool was ever replaced", week_s);
	if (full < looks / 2)
		fail("there were not 64 sources most of the time", (int64_t)full);
	printf("%.1f days, %" PRIu64
	       " exchanges, 64 sources in %.1f %% of it: rms error %.3f us, at "
	       "most %.2f of the bound, %" PRIu64
	       " looks untrusted; %u members replaced, %u lookups; "
	       "heap %zu bytes after two hours, %zu at the end; took %.1f s\n",
	       (double)week_s / 86400, exchanges, 100 * (double)full / (double)looks,
	       1e-3 * sqrt(sum2 / (double)looks), worst, untrusted, replaced, fake_lookups,
	       heap_early, heap_end, seconds_since(&begin));
	source_set_free(set);
	oscillator_clear(&osc);
	return failures ? 1 : 0;
}
