/* SPDX-License-Identifier: MIT */
/*
 * The engine in simulated worlds: sim-engine [SEEDS]
 *
 * Is the truth inside the bound in every read, and how good is the estimate? Each scenario states
 * its limits. With more than one seed for each, only those limits count that no luck excuses: the
 * bound, and who is called false. Then come worlds by chance, a hundred for each seed. The same
 * seed must give the same digits: the first hour of each scenario is run twice.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "run.h"

#define WORLDS 100
#define AGAIN_S 3600
#define READS_LEAST 1e7

static int judge_promise(const struct scenario *s, const struct outcome *o)
{
	int bad = limit_check(s->name, "reads outside the bound", (double)o->outside, 0, true);

	if (o->false_mask != s->false_mask) {
		printf("# %s, seed %" PRIu64 ": mask of the false servers %#x, not %#x\n", s->name,
		       s->seed, o->false_mask, s->false_mask);
		bad++;
	}
	if (!o->ended_well) {
		printf("# %s, seed %" PRIu64 ": its sources must be refused at the end\n", s->name,
		       s->seed);
		bad++;
	}
	return bad;
}

static int judge(const struct scenario *s, const struct outcome *o)
{
	double reads = (double)o->reads;
	int bad = judge_promise(s, o);

	bad += limit_check(s->name, "share of trusted reads", (double)o->trusted / reads,
			   s->trusted_share, false);
	bad += limit_check(s->name, "share of holdover", (double)o->holdover / reads,
			   s->holdover_share, false);
	if (s->end == END_REFUSED)
		return bad;
	bad += limit_check(s->name, "rms error, us", outcome_rms(o) / RUN_US, s->rms_us, true);
	bad += limit_check(s->name, "greatest error, us", o->max / RUN_US, s->max_us, true);
	bad += limit_check(s->name, "mean bound, us", outcome_mean_bound(o) / RUN_US,
			   s->mean_bound_us, true);
	bad += limit_check(s->name, "first trusted read, s", o->first_trusted_s, s->first_trusted_s,
			   true);
	return bad;
}

/* The same world once more, or its first hour. */
static int judge_again(const struct scenario *scenario)
{
	struct scenario begin = *scenario;
	struct outcome first, again;

	begin.seconds = begin.seconds < AGAIN_S ? begin.seconds : AGAIN_S;
	if (scenario_run(&begin, NULL, &first) || scenario_run(&begin, NULL, &again))
		return 1;
	if (first.digest == again.digest && first.reads == again.reads)
		return 0;
	printf("# %s: the same seed gave other digits\n", scenario->name);
	return 1;
}

static int run_scenario(const struct scenario *scenario, unsigned int seeds, struct outcome *sum)
{
	struct scenario other = *scenario;
	struct outcome out;
	unsigned int i;
	int bad = 0;

	for (i = 0; i < seeds; i++) {
		other.seed = scenario->seed + 1000 * i;
		if (scenario_run(&other, NULL, &out))
			return bad + 1;
		bad += i ? judge_promise(&other, &out) : judge(&other, &out);
		outcome_add(sum, &out);
	}
	return bad + judge_again(scenario);
}

static int run_by_chance(unsigned int worlds, struct outcome *sum)
{
	struct scenario scenario;
	struct outcome out;
	uint64_t seed;
	int bad = 0;

	for (seed = 1; seed <= worlds; seed++) {
		world_by_chance(&scenario, seed);
		if (scenario_run(&scenario, NULL, &out))
			return bad + 1;
		bad += out.outside != 0;
		outcome_add(sum, &out);
	}
	return bad + limit_check("by chance", "share of trusted reads",
				 (double)sum->trusted / (double)sum->reads, 0.95, false);
}

static int run_list(const struct scenario_list *list, unsigned int seeds, struct outcome *rows)
{
	unsigned int i;
	int bad = 0;

	for (i = 0; i < list->count; i++)
		bad += run_scenario(&list->scenarios[i], seeds, &rows[i]);
	return bad;
}

static void show_list(const struct scenario_list *list, const struct outcome *rows,
		      struct outcome *sum)
{
	unsigned int i;

	for (i = 0; i < list->count; i++) {
		outcome_table_row(list->scenarios[i].name, &rows[i]);
		outcome_add(sum, &rows[i]);
	}
}

int main(int argc, char **argv)
{
	const struct scenario_list *clocks = &scenarios_of_clocks, *servers = &scenarios_of_servers;
	unsigned int seeds = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 1;
	struct outcome *rows = calloc(clocks->count + servers->count + 2, sizeof(*rows));
	struct outcome *chance, *sum;
	int bad = 0;

	if (!rows || !seeds) {
		printf("usage: sim-engine [SEEDS]\n");
		return 2;
	}
	chance = &rows[clocks->count + servers->count];
	sum = chance + 1;
	bad += run_list(clocks, seeds, rows);
	bad += run_list(servers, seeds, rows + clocks->count);
	bad += run_by_chance(WORLDS * seeds, chance);
	outcome_table_head();
	show_list(clocks, rows, sum);
	show_list(servers, rows + clocks->count, sum);
	outcome_table_row("by chance", chance);
	outcome_add(sum, chance);
	bad += limit_check("all", "trusted reads", (double)sum->trusted, READS_LEAST, false);
	printf("reads in all %" PRIu64 ", trusted %" PRIu64 ", outside the bound %" PRIu64
	       "; digest %016" PRIx64 "\n",
	       sum->reads, sum->trusted, sum->outside, sum->digest);
	free(rows);
	return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
