/* SPDX-License-Identifier: MIT */
/*
 * What is told of a PHC, in made-up worlds: an oscillator that drifts, an owner who turns and steps the
 * clock, readings that err by all that they may. Each stamp that is brought to the counter is
 * as near to the truth as it is said to be.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "chronotick_page.h"
#include "timestamping/phc_track.h"

#define S 1e9
#define MS 1e6
#define US 1e3

/* A counter of 2.5 GHz: 0.4 ns */
static const struct counter counter = {
	.kind = CHRONOTICK_COUNTER_TSC,
	.step = 1,
	.hz = 2500000000,
	.mult = (1ULL << CHRONOTICK_MULT_SHIFT) / 5 * 2,
};

struct world {
	uint64_t random;
	double now_ns;    /* true time */
	double phc_ns;    /* less that */
	double ppb;       /* the oscillator's */
	double drift_ppb; /* of that, in a second */
	double dial_ppb;  /* the owner's */
	double turn_ppb;  /* how far he turns it, either way; 0: there is none */
	double turn_ns;   /* how often */
	double next_ns;
	bool is_told;    /* what he turns it to */
	double error_ns; /* of a reading */
	struct phc_track track;
	unsigned int told, claims_ns;
};

/* From low to high, the same share in each decade */
static double draw(struct world *world, double low, double high)
{
	world->random ^= world->random << 13;
	world->random ^= world->random >> 7;
	world->random ^= world->random << 17;
	return low * pow(high / low, (double)(world->random >> 11) * 0x1p-53);
}

static double either_way(struct world *world, double most)
{
	return (log2(draw(world, 1, 4)) - 1) * most;
}

static void pass(struct world *world, double ns)
{
	double to_ns = world->now_ns + ns;

	while (world->now_ns < to_ns) {
		double step_ns = fmin(to_ns - world->now_ns, 5 * MS);

		if (world->turn_ppb > 0)
			step_ns = fmin(step_ns, fmax(world->next_ns - world->now_ns, 1));
		world->phc_ns += step_ns * (world->ppb + world->dial_ppb) / 1e9;
		world->ppb += world->drift_ppb * step_ns / S;
		world->now_ns += step_ns;
		if (world->turn_ppb <= 0 || world->now_ns < world->next_ns)
			continue;
		world->dial_ppb = rint(either_way(world, world->turn_ppb) * 65.536) / 65.536;
		world->next_ns = world->now_ns + world->turn_ns * draw(world, 0.5, 2);
	}
}

static int64_t shows(const struct world *world)
{
	return (int64_t)world->now_ns + (int64_t)floor(world->phc_ns);
}

static void take(struct world *world)
{
	struct phc_reading reading = {
		.counter = (uint64_t)(world->now_ns * 2.5),
		.phc_ns = shows(world) + (int64_t)either_way(world, world->error_ns),
		.error_ns = (int64_t)world->error_ns + 2,
		.frequency = world->is_told ? (int64_t)rint(world->dial_ppb * 65.536)
					    : PHC_FREQUENCY_UNKNOWN,
	};

	phc_track_add(&world->track, &reading);
}

/* A packet that left just now, or came; its stamp is converted that much later. */
static void stamp(struct world *world, double late_ns, uint64_t sent)
{
	int64_t stamped = shows(world), error_ns;
	double at_ns = world->now_ns;
	uint64_t at;

	pass(world, late_ns);
	take(world);
	if (phc_track_stamp(&world->track, stamped, sent, &at, &error_ns) < 0)
		return;
	world->told++;
	world->claims_ns += error_ns < 10 * (int64_t)world->error_ns;
	cr_assert(fabs((double)at * 0.4 - at_ns) <= (double)error_ns + 2, "%g beyond %ld",
		  (double)at * 0.4 - at_ns, error_ns);
}

static struct world world_make(uint64_t seed)
{
	struct world world = {.random = seed * 0x9e3779b97f4a7c15ULL | 1,
			      .now_ns = 5 * S,
			      .is_told = true,
			      .next_ns = 5 * S};

	draw(&world, 1, 2);
	world.phc_ns = 1e6 * S;
	world.ppb = either_way(&world, 1e5);
	world.drift_ppb = either_way(&world, 5);
	world.error_ns = draw(&world, 15, 5000);
	phc_track_init(&world.track, &counter);
	take(&world);
	return world;
}

/* One that was sent, its stamp sometimes late, and one that comes */
static void exchange(struct world *world, double every_ns)
{
	uint64_t sent;

	pass(world, every_ns);
	take(world);
	sent = (uint64_t)(world->now_ns * 2.5);
	pass(world, draw(world, 10 * US, MS));
	stamp(world, draw(world, 1, 5) < 4 ? 100 * US : 40 * MS, sent);
	pass(world, draw(world, 10 * US, 5 * MS));
	stamp(world, draw(world, 10 * US, MS), 0);
}

#define WORLDS 200
#define EXCHANGES 40

Test(phc_track_worlds, an_oscillator_alone)
{
	unsigned int i, k, told = 0, close = 0;

	for (i = 0; i < WORLDS; i++) {
		struct world world = world_make(i);
		double every_ns = draw(&world, 50 * MS, 64 * S);

		for (k = 0; k < EXCHANGES; k++)
			exchange(&world, every_ns);
		told += world.told;
		close += world.claims_ns;
	}
	cr_assert_geq(told, WORLDS * EXCHANGES * 19 / 10, "it says something of %u", told);
	cr_assert_geq(close, told / 10 * 9, "and not much less than it knows, of %u", close);
}

/* Of several turns between two readings, all but the last are hidden. */
Test(phc_track_worlds, an_owner_who_steers)
{
	unsigned int i, k;

	for (i = 0; i < WORLDS; i++) {
		struct world world = world_make(i);
		double every_ns = draw(&world, 50 * MS, 64 * S);

		world.turn_ppb = draw(&world, 1, 1e5);
		world.turn_ns = draw(&world, 20 * MS, 2 * S);
		/* He has been seen to. */
		for (k = 0; k < 3; k++)
			exchange(&world, 100 * MS);
		for (k = 0; k < EXCHANGES; k++)
			exchange(&world, every_ns);
	}
}

/* As ptp4l slews a clock that is ms off and not to be stepped: by far more than any oscillator is off */
Test(phc_track_worlds, an_owner_in_a_hurry)
{
	unsigned int i, k, told = 0;

	for (i = 0; i < WORLDS; i++) {
		struct world world = world_make(i);

		world.turn_ppb = draw(&world, 1e6, 2e7);
		world.turn_ns = 125 * MS;
		for (k = 0; k < EXCHANGES; k++)
			exchange(&world, draw(&world, 100 * MS, 150 * MS));
		told += world.told;
	}
	cr_assert_geq(told, WORLDS * EXCHANGES, "it says something all the same: %u", told);
}

Test(phc_track_worlds, an_owner_who_is_not_seen)
{
	unsigned int i, k;

	for (i = 0; i < WORLDS; i++) {
		struct world world = world_make(i);
		double every_ns = draw(&world, 50 * MS, 64 * S);

		world.is_told = false;
		world.turn_ppb = draw(&world, 1, 5e5);
		world.turn_ns = draw(&world, 20 * MS, 2 * S);
		for (k = 0; k < EXCHANGES; k++)
			exchange(&world, every_ns);
		cr_assert_geq(world.told, EXCHANGES, "it says something all the same");
	}
}

/* Wherever it comes in an exchange, also before much is known */
Test(phc_track_worlds, steps)
{
	unsigned int i, k;

	for (i = 0; i < 5 * WORLDS; i++) {
		struct world world = world_make(i);
		unsigned int when = (unsigned int)draw(&world, 1, 10) - 1, place = i % 4;
		double by_ns = draw(&world, 4 * world.error_ns + 10, 2 * S) * (i & 8 ? 1 : -1);
		uint64_t sent;

		for (k = 0; k < 10; k++) {
			if (k != when) {
				exchange(&world, 100 * MS);
				continue;
			}
			pass(&world, 50 * MS);
			world.phc_ns += place == 0 ? by_ns : 0;
			take(&world);
			sent = (uint64_t)(world.now_ns * 2.5);
			pass(&world, draw(&world, 10 * US, MS));
			world.phc_ns += place == 1 ? by_ns : 0;
			if (place == 2) {
				/* Between the packet and its stamp, with a reading after it */
				int64_t stamped = shows(&world), error_ns;
				double at_ns = world.now_ns;
				uint64_t at;

				world.phc_ns += by_ns;
				pass(&world, draw(&world, 10 * US, 50 * MS));
				take(&world);
				pass(&world, draw(&world, 10 * US, 50 * MS));
				take(&world);
				if (phc_track_stamp(&world.track, stamped, sent, &at, &error_ns) ==
				    0)
					cr_assert(fabs((double)at * 0.4 - at_ns) <=
							  (double)error_ns + 2,
						  "%g beyond %ld", (double)at * 0.4 - at_ns,
						  error_ns);
			}
			stamp(&world, 100 * US, sent);
			world.phc_ns += place == 3 ? by_ns : 0;
			pass(&world, draw(&world, 10 * US, MS));
			stamp(&world, draw(&world, 10 * US, MS), 0);
		}
	}
}

/* Of two readings, the later one is of after the packet: no stamp is of later still. */
Test(phc_track_worlds, stamps_that_cannot_be)
{
	struct world world = world_make(7);
	int64_t error_ns, before = shows(&world);
	uint64_t sent, at;

	pass(&world, MS);
	take(&world);
	pass(&world, 100 * US);
	take(&world);
	sent = (uint64_t)(world.now_ns * 2.5);
	cr_assert_eq(phc_track_stamp(&world.track, before + (int64_t)(S / 2), 0, &at, &error_ns),
		     -ERANGE, "half a second from now");
	cr_assert_eq(phc_track_stamp(&world.track, before + (int64_t)MS, 0, &at, &error_ns), 0);
	cr_assert_eq(phc_track_stamp(&world.track, before + (int64_t)(0.9 * MS),
				     sent + (uint64_t)MS, &at, &error_ns),
		     -ERANGE, "another packet's, that left before");
	cr_assert_eq(phc_track_stamp(&world.track, before - (int64_t)MS, 0, &at, &error_ns),
		     -ESTALE);
	pass(&world, MS);
	world.phc_ns -= S;
	take(&world);
	cr_assert_eq(phc_track_stamp(&world.track, shows(&world), sent, &at, &error_ns), -ESTALE,
		     "the clock was stepped since it was sent");
}
