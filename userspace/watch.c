/* SPDX-License-Identifier: MIT */
#include "watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#include "log.h"
#include "timestamping/cpus.h"

/* At the start, windows for each CPU; as many of them as fit into the time are compared. */
#define START_WINDOWS 8
#define START_CPUS_MAX 128
/* Later: more of them, with a rest after each, so that nobody waits long for a CPU */
#define LATER_WINDOWS 8
#define LATER_REST_MS 2

struct watch {
	struct watch_config config;
	struct counter *counter;
	bool may_replace;
	bool distrusted; /* what was asked for by name is gone: nothing is watched any more */
	bool fallen;     /* from the TSC to CLOCK_MONOTONIC_RAW */
	bool away;       /* since then the kernel was seen to run on something else */
	bool returned;   /* and then on the TSC again */
	bool may_return;
	bool left;              /* because of the clocksource alone: `own` was good */
	struct counter own;     /* the counter before the fall */
	unsigned int present_s; /* for how long the kernel has run on it again */
	struct trust_system system;
	struct trust_io io;
	struct trust trust;
	struct cpus cpus;
	struct cpus_job *job;
	unsigned int seconds; /* since the last job */
	unsigned int next;    /* the CPU, by its place in cpus, that is compared next */
	bool again;           /* all of them are to be compared anew */
};

static uint64_t native_read(void *data)
{
	return counter_read(data);
}

static struct cpus_config job_config(struct watch *watch, unsigned int windows, int rest_ms)
{
	return (struct cpus_config){native_read, watch->counter, watch->counter->step, windows,
				    rest_ms};
}

static bool is_native(const struct watch *watch)
{
	return watch->counter->kind != CHRONOTICK_COUNTER_MONOTONIC_RAW;
}

static uint32_t apart_limited(uint64_t counts)
{
	return counts < UINT32_MAX / 2 ? (uint32_t)counts : UINT32_MAX / 2;
}

/* The counter cannot be trusted; `text` says why. */
static enum watch_action give_up(struct watch *watch, const char *text)
{
	const char *name = chronotick_counter_name(watch->counter->kind);
	int64_t apart_ns = counter_to_ns(watch->counter, watch->counter->apart);

	cpus_finish(watch->job, true, NULL);
	watch->job = NULL;
	if (!watch->may_replace) {
		log_error("%s: counter %s, which was asked for by name, cannot be trusted: no time "
			  "is told until chronotickd is started again",
			  text, name);
		watch->distrusted = true;
		return WATCH_DISTRUST;
	}
	log_error("%s: counter %s cannot be trusted; going on with monotonic_raw until %s; clients "
		  "have to open the page again",
		  text, name,
		  watch->may_return && watch->left ? "the kernel is back on it"
						   : "chronotickd is started again");
	watch->own = *watch->counter;
	watch->away = watch->left;
	watch->present_s = 0;
	(void)counter_init(watch->counter, CHRONOTICK_COUNTER_MONOTONIC_RAW);
	/* Where the kernel still makes that clock from the same counter, it is no better. */
	watch->counter->apart = apart_limited((uint64_t)apart_ns);
	watch->fallen = true;
	trust_init(&watch->trust, &watch->io, watch->counter);
	return WATCH_REPLACE;
}

/* What the comparison says: is a CPU's counter off, or are they farther apart than was known? */
static enum watch_action cpus_judge(struct watch *watch)
{
	const struct cpu_offset *off;
	uint64_t by, apart;
	char text[160];

	apart = cpus_apart(&watch->cpus);
	off = cpus_disagree(&watch->cpus, &by);
	if (off) {
		snprintf(text, sizeof(text),
			 "the counters of CPU %d and CPU %d differ by %lld ns at least",
			 watch->cpus.at[0].cpu, off->cpu,
			 (long long)counter_to_ns(watch->counter, by));
		watch->counter->apart = apart_limited(apart > by ? apart : by);
		return give_up(watch, text);
	}
	/* It is less than was known only if that is known of all. */
	if (apart == watch->counter->apart ||
	    (apart < watch->counter->apart && cpus_measured(&watch->cpus) < watch->cpus.count))
		return WATCH_GO_ON;
	watch->counter->apart = apart_limited(apart);
	return WATCH_APART;
}

static void cpus_begin(struct watch *watch)
{
	cpus_init(&watch->cpus, &watch->config.allowed);
	watch->next = 1;
}

/* At the start, in the caller's time. */
static int cpus_first(struct watch *watch)
{
	const struct cpus_config config = job_config(watch, START_WINDOWS, 0);
	unsigned int count = watch->cpus.count - 1;
	struct cpus_job *job;
	int r;

	if (count > START_CPUS_MAX)
		count = START_CPUS_MAX;
	r = cpus_start(&job, &watch->cpus, 1, count, &config);
	if (r < 0) {
		log_warning("the counters of the CPUs cannot be compared: %s", strerror(-r));
		return 0;
	}
	cpus_finish(job, false, &watch->cpus);
	log_debug("counters compared on %u of %u CPUs", cpus_measured(&watch->cpus),
		  watch->cpus.count);
	switch (cpus_judge(watch)) {
	case WATCH_DISTRUST:
		return -ENOTSUP;
	case WATCH_APART:
		log_debug("their values may be up to %lld ns apart",
			  (long long)counter_to_ns(watch->counter, watch->counter->apart));
		break;
	default:
		break;
	}
	return 0;
}

int watch_new(struct watch **ret, const struct watch_config *config, struct counter *counter,
	      bool may_replace, const struct trust_io *io)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	int r = 0;

	if (!watch)
		return -ENOMEM;
	watch->config = *config;
	if (CPU_COUNT(&watch->config.allowed) == 0)
		sched_getaffinity(0, sizeof(watch->config.allowed), &watch->config.allowed);
	watch->counter = counter;
	watch->may_replace = may_replace;
	watch->system.clocksource = -1;
	if (io) {
		watch->io = *io;
	} else if (config->changes) {
		trust_system_open(&watch->system, counter);
		watch->io = trust_system_io(&watch->system);
	}
	trust_init(&watch->trust, &watch->io, counter);
	cpus_begin(watch);
	if (is_native(watch) && config->cpus != WATCH_CPUS_NEVER && watch->cpus.count > 1)
		r = cpus_first(watch);
	if (r < 0) {
		watch_free(watch);
		return r;
	}
	*ret = watch;
	return 0;
}

void watch_free(struct watch *watch)
{
	if (!watch)
		return;
	cpus_finish(watch->job, true, NULL);
	trust_system_close(&watch->system);
	free(watch);
}

/* The counter serves as it is, but nothing from before holds. */
static enum watch_action begin_anew(struct watch *watch, const char *text)
{
	log_warning("%s: all that was measured before is void", text);
	trust_init(&watch->trust, &watch->io, watch->counter);
	cpus_finish(watch->job, true, NULL);
	watch->job = NULL;
	/* After a sleep the CPUs' counters were set anew, too. */
	watch->again = true;
	return WATCH_RESTART;
}

static enum watch_action act(struct watch *watch, const struct trust_finding *finding)
{
	char text[160];

	if (finding->event == TRUST_SAME)
		return WATCH_GO_ON;
	trust_describe(finding, text, sizeof(text));
	watch->left = finding->event == TRUST_CLOCKSOURCE;
	if (finding->event == TRUST_RATE ||
	    (finding->event == TRUST_CLOCKSOURCE && is_native(watch)))
		return give_up(watch, text);
	return begin_anew(watch, text);
}

enum watch_action watch_round(struct watch *watch)
{
	struct trust_finding finding;

	if (!watch->config.changes || watch->distrusted)
		return WATCH_GO_ON;
	trust_round(&watch->trust, &finding);
	return act(watch, &finding);
}

/* Give the helper threads their work, and take what they found. */
static enum watch_action cpus_second(struct watch *watch)
{
	const struct cpus_config config = job_config(watch, LATER_WINDOWS, LATER_REST_MS);
	unsigned int count = 1;

	if (watch->job) {
		if (!cpus_done(watch->job))
			return WATCH_GO_ON;
		cpus_finish(watch->job, false, &watch->cpus);
		watch->job = NULL;
		return cpus_judge(watch);
	}
	if (watch->again) {
		watch->again = false;
		cpus_begin(watch);
		count = watch->cpus.count - 1;
	} else if (++watch->seconds < WATCH_CPUS_S) {
		return WATCH_GO_ON;
	}
	watch->seconds = 0;
	if (watch->next >= watch->cpus.count)
		watch->next = 1;
	if (cpus_start(&watch->job, &watch->cpus, watch->next, count, &config) < 0)
		watch->job = NULL;
	watch->next += count;
	return WATCH_GO_ON;
}

/* The counter before the fall once more, as it was. */
static enum watch_action take_back(struct watch *watch)
{
	*watch->counter = watch->own;
	watch->fallen = false;
	watch->away = false;
	watch->again = is_native(watch);
	trust_init(&watch->trust, &watch->io, watch->counter);
	cpus_finish(watch->job, true, NULL);
	watch->job = NULL;
	log_warning("the kernel runs on counter %s again: so does this daemon; all that was "
		    "measured before is void; clients have to open the page again",
		    chronotick_counter_name(watch->counter->kind));
	return WATCH_REPLACE;
}

/* After a fall: the kernel may trust the TSC again. */
static enum watch_action return_look(struct watch *watch)
{
	char name[TRUST_NAME_SIZE];

	if (watch->returned || watch->io.clocksource(watch->io.data, name, sizeof(name)) < 0)
		return WATCH_GO_ON;
	if (strcmp(name, "tsc") != 0) {
		watch->away = true;
		watch->present_s = 0;
		return WATCH_GO_ON;
	}
	if (!watch->away)
		return WATCH_GO_ON;
	if (watch->may_return && watch->left)
		return ++watch->present_s < WATCH_RETURN_S ? WATCH_GO_ON : take_back(watch);
	watch->returned = true;
	log_info("the kernel's clocksource is \"tsc\" again; staying with monotonic_raw until "
		 "chronotickd is started again");
	return WATCH_GO_ON;
}

void watch_may_return(struct watch *watch)
{
	watch->may_return = true;
}

enum watch_action watch_second(struct watch *watch)
{
	enum watch_action action = WATCH_GO_ON;
	struct trust_finding finding;

	if (watch->distrusted)
		return WATCH_GO_ON;
	if (watch->config.changes) {
		if (watch->fallen)
			action = return_look(watch);
		if (action != WATCH_GO_ON)
			return action;
		trust_second(&watch->trust, &finding);
		action = act(watch, &finding);
	}
	if (action == WATCH_GO_ON && is_native(watch) && watch->config.cpus == WATCH_CPUS_ALWAYS &&
	    watch->cpus.count > 1)
		action = cpus_second(watch);
	return action;
}
