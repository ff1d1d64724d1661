/* SPDX-License-Identifier: MIT */
/*
 * A month of four servers asked every 64 s, of a daily temperature cycle with an air conditioner's
 * sawtooth, and of ageing: sim-month [DAYS]
 *
 * Memory is flat: the engine allocates nothing while it runs (all calls of the allocator are
 * counted, by the linker's --wrap), and the heap is at the end what it was after a day. Each day
 * keeps the limits that the second one kept: nothing adds up.
 */
#include <inttypes.h>
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/engine.h"
#include "run.h"
#include "shorthand.h"

#define DAY_S 86400
#define DAYS 30
#define RMS_US 7
#define MAX_US 45
#define MEDIAN_BOUND_US 380

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static uint64_t allocations;

void *__wrap_malloc(size_t size)
{
	allocations++;
	return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	allocations++;
	return __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	allocations++;
	return __real_realloc(old, size);
}

static struct month {
	struct outcome before; /* as it was a day ago */
	unsigned int day;
	size_t heap_early, heap;
	uint64_t allocations_early, allocations;
	int bad;
} month;

/* What came out on this day alone */
static void on_day(void *data, double t_s, const struct outcome *so_far)
{
	struct month *m = data;
	struct outcome day = *so_far;
	unsigned int i;
	char name[32];

	(void)t_s;
	m->day++;
	m->allocations = allocations;
	m->heap = mallinfo2().uordblks;
	if (m->day == 1) {
		m->allocations_early = m->allocations;
		m->heap_early = m->heap;
	}
	day.settled -= m->before.settled;
	day.sum2 -= m->before.sum2;
	day.outside -= m->before.outside;
	day.bounds.sum -= m->before.bounds.sum;
	for (i = 0; i < HISTOGRAM_CLASSES; i++)
		day.bounds.count[i] -= m->before.bounds.count[i];
	snprintf(name, sizeof(name), "day %u", m->day);
	printf("%-8s rms %7.3f us, median bound %8.2f us, outside %" PRIu64 ", heap %zu bytes\n",
	       name, outcome_rms(&day) / RUN_US, histogram_quantile(&day.bounds, 0.5) / RUN_US,
	       day.outside, m->heap);
	m->bad += limit_check(name, "rms error, us", outcome_rms(&day) / RUN_US, RMS_US, true);
	m->bad += limit_check(name, "median bound, us",
			      histogram_quantile(&day.bounds, 0.5) / RUN_US, MEDIAN_BOUND_US, true);
	m->before = *so_far;
}

static const struct scenario scenario = {
	.name = "a month",
	.seed = 30,
	.wander_ppb = 1000,
	.correct_ms = 4000,
	.oscillator = {.rate_ppb = -31000,
		       .white_ppb = 0.5,
		       .flicker_ppb = 0.3,
		       WALK(0.03, 2000),
		       .ageing_ppb_day = 10,
		       .ppb_k = 50,
		       .temperature = ROOM},
	.servers = {{WAN(100 * US, 100 * US), ROOT(20 * US, 20 * US), .poll_s = 64},
		    {WAN(150 * US, 100 * US), ROOT(20 * US, 20 * US), .poll_s = 64, .loss = 0.01},
		    {WAY(120 * US, 100 * US, JITTER_PARETO), ROOT(20 * US, 20 * US), .poll_s = 64},
		    {WAN(400 * US, 200 * US), ROOT(20 * US, 20 * US), .poll_s = 64, .burst = 0.05,
		     .burst_ns = 10 * MS}},
	.server_count = 4,
	.settle_s = 400,
};

int main(int argc, char **argv)
{
	struct run_watch watch = {.every_s = DAY_S, .watch = on_day, .data = &month};
	struct scenario all = scenario;
	struct outcome *out = malloc(sizeof(*out));
	unsigned int days = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : DAYS;
	static char text[BUFSIZ];
	int bad;

	setvbuf(stdout, text, _IOLBF, sizeof(text)); /* else the first line allocates a buffer */
	if (!out || days < 2) {
		printf("usage: sim-month [DAYS, 2 or more]\n");
		return 2;
	}
	/* One look more, for the last day to be over. */
	all.seconds = days * DAY_S + 8;
	if (scenario_run(&all, &watch, out))
		return 1;
	bad = month.bad;
	bad += limit_check(all.name, "days", month.day, days, false);
	bad += limit_check(all.name, "reads outside the bound", (double)out->outside, 0, true);
	bad += limit_check(all.name, "greatest error, us", out->max / RUN_US, MAX_US, true);
	bad += limit_check(all.name, "allocations after the first day",
			   (double)(month.allocations - month.allocations_early), 0, true);
	bad += limit_check(all.name, "growth of the heap after the first day, bytes",
			   (double)month.heap - (double)month.heap_early, 0, true);
	bad += limit_check(all.name, "share of trusted reads",
			   (double)out->trusted / (double)out->reads, 0.9999, false);
	outcome_table_head();
	outcome_table_row(all.name, out);
	printf("struct engine: %zu bytes, for 64 sources; allocations before the first day's end "
	       "%" PRIu64 ", after it %" PRIu64 "; heap then %zu bytes, at the end %zu\n",
	       sizeof(struct engine), month.allocations_early,
	       month.allocations - month.allocations_early, month.heap_early, month.heap);
	free(out);
	return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
