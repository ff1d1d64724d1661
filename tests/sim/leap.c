/* SPDX-License-Identifier: MIT */
/*
 * Leap seconds, their smear and NTP's eras from packet to page, in virtual time: servers of all
 * manners write NTP packets, the engine takes what the client makes of them, lines go into a page
 * and are read from there. Truth is known, in the leap second too: UTC as the kernel's clock counts
 * it, the second before the end of the month twice.
 *
 * Every read that may be trusted must hold the truth, and UTC + (TAI - UTC) must run straight on.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "engine/smear.h"
#include "leap_scenarios.h"
#include "publish/line.h"
#include "publish/writer.h"
#include "sources/ntp_exchange.h"
#include "sources/ntp_packet.h"
#include "world.h"

#define READS 2
#define KEPT 64 /* lines whose writer is gone */
#define NS ((__int128)1 << 64)
#define NEVER INT64_MAX
/* The engine's own rounding and the page's, against the closed form of the smear */
#define CURVE_NS 1

/* A run under way; counters are read at `now_ns`, true time since its start. */
struct world {
	const struct leap_scenario *scenario;
	struct oscillator osc;
	struct rng rng;
	struct timescale scale;
	struct leap_table table;
	struct engine engine;
	struct writer writer;
	struct chronotick_page page;
	struct chronotick_clock kept[KEPT]; /* as a reader without a writer goes on with them */
	int64_t next_ns[LEAP_SERVERS];
	struct sample flying[LEAP_SERVERS];
	int64_t arrives_ns[LEAP_SERVERS]; /* NEVER: none is under way */
	int64_t now_ns;
	/* What came of it */
	uint64_t reads, trusted, outside, crooked;
	double worst, curve;
	int64_t first_ns, lost_ns, gap_ns;
	unsigned int jumps;
	uint32_t generation;
	bool tai_known, tai_lost;
};

static int64_t seconds(double s)
{
	return llrint(s * 1e9);
}

/* UTC that knows of no leap second */
static int64_t straight(const struct world *world, int64_t true_ns)
{
	return world->scenario->at_ns + seconds(world->scenario->from_s) + true_ns;
}

/* Where UTC breaks */
static int64_t break_ns(const struct leap_scenario *scenario)
{
	return scenario->sign < 0 ? scenario->at_ns - SECOND : scenario->at_ns;
}

static int64_t utc_after(const struct leap_scenario *scenario, int64_t straight_ns, double late_s)
{
	bool after = late_s < 1e6 && straight_ns >= break_ns(scenario) + seconds(late_s);

	return after ? straight_ns - scenario->sign * SECOND : straight_ns;
}

/* True UTC, as it is published; 2^-64 ns */
static __int128 truth(const struct world *world, int64_t true_ns)
{
	const struct leap_scenario *scenario = world->scenario;
	int64_t at = straight(world, true_ns), noon = scenario->at_ns - 43200 * SECOND;
	int64_t length_s = 86400 + scenario->sign;

	if (!scenario->smear || at < noon || at >= noon + length_s * SECOND)
		return utc_after(scenario, at, 0) * NS;
	return noon * NS + (at - noon) * NS / length_s * 86400;
}

static uint8_t indicator(const struct world *world, const struct manner *manner, int64_t true_ns)
{
	double at_s = 1e-9 * (double)(straight(world, true_ns) - break_ns(world->scenario));

	if (manner->lies)
		return manner->lies;
	if (manner->announces_s < 0 && at_s >= manner->announces_s && at_s < manner->lingers_s)
		return world->scenario->sign < 0 ? 2 : 1;
	return 0;
}

static int64_t way(const struct manner *manner, struct rng *rng)
{
	return llrint(manner->delay_ns + rng_exponential(rng, manner->jitter_ns));
}

/* One exchange from now_ns on, by packets; false: it is lost. */
static bool exchange(struct world *world, unsigned int index)
{
	const struct manner *manner = &world->scenario->servers[index];
	int64_t sent = world->next_ns[index], arrived, left, back;
	double at_s = 1e-9 * (double)(straight(world, sent) - world->scenario->at_ns);
	struct ntp_packet packet = {.version = 4, .mode = NTP_MODE_SERVER, .stratum = 1};
	const struct ntp_request request = {.outstanding = true, .origin = 4711};
	struct ntp_packet answer;
	struct ntp_instant t1, t4;
	uint8_t wire[NTP_PACKET_SIZE];

	arrived = sent + way(manner, &world->rng);
	left = arrived + 20000;
	back = left + way(manner, &world->rng);
	world->next_ns[index] += seconds(manner->poll_s * (0.98 + 0.04 * rng_uniform(&world->rng)));
	if (at_s >= manner->silent_from_s && at_s < manner->silent_to_s)
		return false;

	packet.leap = indicator(world, manner, left);
	packet.precision = -25;
	packet.receive = ntp_time_from_ns(
		utc_after(world->scenario, straight(world, arrived), manner->follows_s) +
		llrint(manner->offset_ns));
	packet.transmit = ntp_time_from_ns(
		utc_after(world->scenario, straight(world, left), manner->follows_s) +
		llrint(manner->offset_ns));
	packet.reference = packet.receive - ((uint64_t)5 << 32);
	packet.origin = 4711;
	ntp_packet_write(&packet, wire);
	t1 = (struct ntp_instant){oscillator_counter(&world->osc, sent), 20, 2};
	t4 = (struct ntp_instant){oscillator_counter(&world->osc, back), 20, 2};
	if (ntp_packet_parse(&answer, wire, sizeof(wire)) < 0 ||
	    ntp_packet_test(&answer, &request) != NTP_GOOD ||
	    ntp_exchange_sample(&world->flying[index], &world->scale, &answer, &t1, &t4) < 0)
		return false; /* the server's clock jumped between the two: no client takes that */
	world->flying[index].source = (uint16_t)index;
	world->arrives_ns[index] = back;
	return true;
}

static int network(struct world *world, bool daemon_runs)
{
	unsigned int i;
	int r;

	for (i = 0; i < world->scenario->count; i++) {
		if (world->arrives_ns[i] <= world->now_ns && daemon_runs) {
			world->arrives_ns[i] = NEVER;
			r = engine_sample_add(&world->engine, &world->flying[i]);
			if (r && r != -EAGAIN && r != -ESTALE)
				return r;
		}
		while (daemon_runs && world->arrives_ns[i] == NEVER &&
		       world->next_ns[i] <= world->now_ns)
			(void)exchange(world, i);
	}
	return 0;
}

static uint64_t counter_now(void *data)
{
	const struct world *world = data;

	return oscillator_counter(&world->osc, world->now_ns);
}

/* Read a line at a true time, as the library does. Returns whether it may be trusted. */
static bool line_read(struct world *world, const struct chronotick_clock *line, int64_t true_ns)
{
	uint64_t counter = oscillator_counter(&world->osc, true_ns), after = counter - line->anchor;
	int tai_s = CHRONOTICK_STATE_TAI(line->state);
	__int128 utc = line_utc(line, counter), error;
	double half, off;

	world->reads++;
	if (!line->span || after > line->span)
		return false;
	world->trusted++;
	half = line->bound_ns + (double)line->growth * (double)after * 0x1p-54;
	error = utc - truth(world, true_ns);
	off = fabs((double)error * 0x1p-64);
	if (off / half > world->worst)
		world->worst = off / half;
	if (off > half && world->outside++ == 0)
		printf("# %s: at %.3f s from the leap the error is %.0f ns, the bound %.0f ns\n",
		       world->scenario->name,
		       1e-9 * (double)(straight(world, true_ns) - world->scenario->at_ns), off,
		       half);
	if (tai_s == CHRONOTICK_TAI_UNKNOWN) {
		world->tai_lost = true;
		return true;
	}
	/* TAI runs straight on: 37 s before the leap second. */
	world->tai_known = true;
	error = utc + (tai_s - 37) * SECOND * NS - straight(world, true_ns) * NS;
	if (fabs((double)error * 0x1p-64) > half && world->crooked++ == 0)
		printf("# %s: TAI is wrong by %.0f ns\n", world->scenario->name,
		       (double)error * 0x1p-64);
	return true;
}

/* How far what was published lies from the curve through what the engine knew */
static void curve_check(struct world *world, const struct correction *exact,
			const struct correction *smeared)
{
	const struct leap_scenario *scenario = world->scenario;
	int64_t noon = scenario->at_ns - 43200 * SECOND;
	long double passed = (long double)(exact->utc - noon * NS) / (long double)NS, form;

	/* The engine has followed it once it tells of no leap second ahead. */
	if (!exact->leap_ns && passed > 43190e9L)
		passed += scenario->sign * 1e9L;
	if (passed < 0 || passed >= (86400 + scenario->sign) * 1e9L)
		return;
	form = passed * 86400 / (86400 + scenario->sign);
	form -= (long double)(smeared->utc - noon * NS) / (long double)NS;
	world->curve = fmax(world->curve, (double)fabsl(form));
}

static void publish(struct world *world)
{
	struct correction correction, exact;
	uint32_t generation;

	engine_correct(&world->engine, counter_now(world), &correction);
	exact = correction;
	if (world->scenario->smear) {
		smear_apply(&correction, &world->table);
		if (correction.status >= CHRONOTICK_SYNCHRONIZED)
			curve_check(world, &exact, &correction);
	}
	(void)writer_publish(&world->writer, &correction);
	generation = CHRONOTICK_STATE_GENERATION(world->writer.current.state);
	world->jumps += world->first_ns && generation != world->generation;
	world->generation = generation;
	/* Now and then a reader is left alone with a line. */
	if (rng_uniform(&world->rng) < 0.05)
		world->kept[rng_next(&world->rng) % KEPT] = world->page.clock[0];
}

static void readers(struct world *world, int64_t period_ns)
{
	unsigned int i;
	bool trusted;

	for (i = 0; i < READS; i++) {
		int64_t at = world->now_ns + llrint((double)period_ns * rng_uniform(&world->rng));

		trusted = line_read(world, &world->page.clock[0], at);
		if (trusted && !world->first_ns)
			world->first_ns = at;
		if (trusted && world->lost_ns && at - world->lost_ns > world->gap_ns)
			world->gap_ns = at - world->lost_ns;
		if (trusted)
			world->lost_ns = 0;
		else if (world->first_ns && !world->lost_ns)
			world->lost_ns = at;
		(void)line_read(world, &world->kept[rng_next(&world->rng) % KEPT], at);
	}
}

static void table_make(struct world *world)
{
	const struct leap_scenario *scenario = world->scenario;
	struct leap_table *table = &world->table;

	if (!scenario->file && !scenario->file_none)
		return;
	table->entries[0] = (struct leap_entry){1483228800 * SECOND, 37};
	table->count = 1;
	if (scenario->file)
		table->entries[table->count++] =
			(struct leap_entry){scenario->at_ns, (int16_t)(37 + scenario->sign)};
	table->expires_ns = scenario->at_ns + 180 * 86400 * SECOND;
}

static int world_init(struct world *world, const struct leap_scenario *scenario)
{
	const struct oscillator_config oscillator = {
		.rate_ppb = 12345, .walk_ppb = 300, .walk_step_ppb = 2};
	struct engine_config engine = {
		.max_drift_ppb = 100000,
		.wander_ppb = 1000,
		.max_bound_ns = SECOND,
		.max_distance_ms = 1500,
		.leaps = &world->table,
	};
	struct line_config line = {
		.lead = 125000,
		.early = 2500,
		.window = 1000000,
		.span = 25000000000,
		.period = (uint64_t)(2.5e9 * scenario->period_s),
		.settle = 250000000,
		.max_slew_ppb = 100000,
		.max_fall_ppb = LINE_FALL_PPB,
		.step_ns = 1,
		.max_bound_ns = SECOND,
		.step_threshold_ns = 100000000,
	};
	unsigned int i;

	memset(world, 0, sizeof(*world));
	world->scenario = scenario;
	world->rng.state = 20280630;
	if (oscillator_init(&world->osc, &oscillator,
			    (unsigned int)(scenario->to_s - scenario->from_s) + 20, &world->rng))
		return -ENOMEM;
	oscillator_timescale(&world->scale);
	table_make(world);
	engine.scale = world->scale;
	line.mult = world->scale.mult;
	if (engine_init(&world->engine, &engine, scenario->count) < 0)
		return -EINVAL;
	writer_init(&world->writer, &world->page, &line, counter_now, world);
	for (i = 0; i < scenario->count; i++) {
		world->next_ns[i] = seconds(0.1 + 0.2 * rng_uniform(&world->rng));
		world->arrives_ns[i] = NEVER;
	}
	return 0;
}

static bool expected(const struct leap_scenario *scenario, const char *what, double value,
		     double wanted, bool at_most)
{
	if (at_most ? value <= wanted : value == wanted)
		return true;
	printf("# %s: %s is %g, must be %s%g\n", scenario->name, what, value,
	       at_most ? "at most " : "", wanted);
	return false;
}

static bool judge(const struct world *world)
{
	const struct leap_scenario *scenario = world->scenario;
	unsigned int mask = 0, i;
	bool good = true;

	for (i = 0; i < scenario->count; i++)
		if (world->engine.views[i].state != CHRONOTICK_SOURCE_SELECTED)
			mask |= 1U << i;
	printf("%-32s reads %8" PRIu64 " trusted %.4f outside %" PRIu64
	       " error/bound %.3f jumps %u gap %.1f ms curve %.3g ns first %.2f s\n",
	       scenario->name, world->reads, (double)world->trusted / (double)world->reads,
	       world->outside, world->worst, world->jumps, 1e-6 * (double)world->gap_ns,
	       world->curve, 1e-9 * (double)world->first_ns);
	good &= expected(scenario, "reads outside the bound", (double)world->outside, 0, true);
	good &= expected(scenario, "reads of a wrong TAI", (double)world->crooked, 0, true);
	good &= expected(scenario, "first trusted read, s", 1e-9 * (double)world->first_ns, 6,
			 true);
	good &= expected(scenario, "never trusted", world->first_ns == 0, 0, true);
	good &= expected(scenario, "untrusted at the end", world->lost_ns != 0, 0, true);
	good &= expected(scenario, "new generations", world->jumps, scenario->jumps, false);
	good &= expected(scenario, "longest gap, ms", 1e-6 * (double)world->gap_ns,
			 scenario->gap_ms, true);
	good &= expected(scenario, "mask of those not selected", mask, scenario->false_mask, false);
	good &= expected(scenario, "distance from the curve, ns", world->curve, CURVE_NS, true);
	if (scenario->tai_known)
		good &= expected(scenario, "TAI unknown at times", world->tai_lost, 0, false);
	else if (!scenario->smear)
		good &= expected(scenario, "TAI known", world->tai_known, 0, false);
	return good;
}

static bool run(struct world *world, const struct leap_scenario *scenario)
{
	int64_t end_ns = seconds(scenario->to_s - scenario->from_s);
	int64_t period_ns = seconds(scenario->period_s);
	bool good = false;

	if (world_init(world, scenario) < 0)
		goto out;
	for (; world->now_ns < end_ns; world->now_ns += period_ns) {
		double at_s = scenario->from_s + 1e-9 * (double)world->now_ns;
		bool runs = at_s < scenario->stopped_from_s || at_s >= scenario->stopped_to_s;

		if (network(world, runs) < 0)
			goto out;
		if (runs)
			publish(world);
		readers(world, period_ns);
	}
	good = judge(world);
out:
	oscillator_clear(&world->osc);
	return good;
}

int main(int argc, char **argv)
{
	struct world *world = malloc(sizeof(*world));
	unsigned int i;
	int bad = 0;

	for (i = 0; world && i < leap_scenario_count; i++)
		if (argc < 2 || strcmp(argv[1], leap_scenarios[i].name) == 0)
			bad += !run(world, &leap_scenarios[i]);
	if (!world)
		bad = 1;
	free(world);
	return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
