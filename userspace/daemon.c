/* SPDX-License-Identifier: MIT */
#include "daemon.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#include "archive/archive.h"
#include "engine/engine.h"
#include "inputs.h"
#include "keys.h"
#include "leapseconds.h"
#include "log.h"
#include "loop/loop.h"
#include "operators.h"
#include "page_keeper.h"
#include "publish/publish.h"
#include "report.h"
#include "source_keeper.h"
#include "stages.h"
#include "timestamping/counter.h"
#include "timestamping/device.h"
#include "watch.h"

#define NS_PER_S 1000000000LL

/* Once a second after a take-over */
#define LISTEN_TRIES 3

struct daemon {
	struct config *config;
	struct reload_origin *origin;
	volatile int *hangup; /* NULL: not running */
	struct counter counter;
	struct cross_device cross;
	struct timescale scale;
	struct watch *watch;
	bool replacing;              /* the page for the counter that serves now is not there yet */
	bool distrusted;             /* no counter serves */
	struct models_config models; /* the engine's */
	struct engine engine;
	struct leapseconds leaps;
	struct loop *loop;
	struct page_keeper pages;
	struct source_keeper sources;
	struct archive *archive;
	struct inputs inputs;
	struct loop_timer round;  /* publication */
	struct loop_timer second; /* figures */
	int64_t period_ns;        /* of publication */
	int64_t start_ns;         /* CLOCK_MONOTONIC, as the deadlines */
	int64_t round_ns;
	int64_t second_ns;
	uint64_t late;
	double latency_ms; /* of one read */
	struct report report;
	struct stages stages;
	struct operators operators;
	unsigned int listen_tries;
};

/* The deadline after the one that was due: rounds that were missed are left out. */
static int64_t deadline_after(int64_t due_ns, int64_t period_ns, int64_t now_ns)
{
	int64_t next_ns = due_ns + period_ns;

	if (next_ns <= now_ns)
		next_ns += ((now_ns - next_ns) / period_ns + 1) * period_ns;
	return next_ns;
}

static void facts_of(const struct daemon *daemon, int64_t now_ns, struct publish_facts *ret)
{
	int64_t warm_up_ns = (int64_t)daemon->config->warm_up_s * NS_PER_S;
	int64_t uptime_ns = now_ns - daemon->start_ns;

	/*
	 * Complete is when the time has passed and a model has been scored by measurements. Trust
	 * does not wait for it.
	 */
	ret->models_ready = models_ready(&daemon->engine.models);
	ret->warmup_complete = uptime_ns >= warm_up_ns && ret->models_ready;
	if (ret->warmup_complete)
		ret->warmup_percent = 100;
	else if (uptime_ns >= warm_up_ns)
		ret->warmup_percent = 99;
	else
		ret->warmup_percent = (uint32_t)(uptime_ns * 100 / warm_up_ns);
	ret->daemon_uptime_s = (double)uptime_ns * 1e-9;
	ret->average_latency_ms = daemon->latency_ms;
}

/* What the watch over the counter demands, before anything else is published */
static void counter_act(struct daemon *daemon, enum watch_action action)
{
	switch (action) {
	case WATCH_GO_ON:
		return;
	case WATCH_APART:
		publisher_apart_set(daemon->pages.publisher, daemon->counter.apart);
		return;
	case WATCH_DISTRUST:
		daemon->distrusted = true;
		publisher_invalidate(daemon->pages.publisher);
		break;
	case WATCH_RESTART:
		publisher_invalidate(daemon->pages.publisher);
		break;
	case WATCH_REPLACE:
		daemon->replacing = page_keeper_counter_set(&daemon->pages) < 0;
		break;
	}
	daemon->scale.base = counter_read(&daemon->counter);
	daemon->scale.mult = daemon->counter.mult;
	engine_restart(&daemon->engine, &daemon->scale);
	source_keeper_restart(&daemon->sources);
}

static void on_round(void *data)
{
	struct daemon *daemon = data;
	int64_t now_ns = loop_now_ns();
	struct correction correction;
	struct publish_facts facts;

	stages_begin(&daemon->stages, &daemon->counter);
	publisher_sample(daemon->pages.publisher);
	counter_act(daemon, watch_round(daemon->watch));
	engine_correct(&daemon->engine, counter_read(&daemon->counter), &correction);
	leapseconds_apply(&daemon->leaps, &correction);
	if (daemon->distrusted)
		correction.status = CHRONOTICK_UNSYNCHRONIZED;
	facts_of(daemon, now_ns, &facts);
	if (daemon->replacing)
		; /* there is no page for this counter yet */
	else if (publisher_publish(daemon->pages.publisher, &correction, &facts) < 0)
		daemon->late++;
	else
		stages_published(&daemon->stages, &daemon->counter);
	report_clock(&daemon->report, &daemon->engine, &correction);
	inputs_round(&daemon->inputs);

	daemon->round_ns = deadline_after(daemon->round_ns, daemon->period_ns, loop_now_ns());
	loop_timer_set(daemon->loop, &daemon->round, daemon->round_ns);
}

/* What is written of the page, and the socket of who wrote it, are this daemon's too by now. */
static void on_taken(void *data)
{
	struct daemon *daemon = data;

	archive_publish(daemon->archive, publisher_path(daemon->pages.publisher));
	daemon->listen_tries = LISTEN_TRIES;
}

/* A daemon that ends lets its socket go a little after its page. */
static void control_retry(struct daemon *daemon)
{
	if (!daemon->listen_tries)
		return;
	daemon->listen_tries--;
	if (!daemon->operators.server)
		(void)operators_listen(&daemon->operators, daemon->loop, daemon->config);
}

static void engine_config_set(struct daemon *daemon, struct engine_config *ret)
{
	config_engine(daemon->config, ret, &daemon->models);
	ret->scale = daemon->scale;
	ret->leaps = &daemon->leaps.table;
}

static void on_kept(void *data, const char *name)
{
	(void)data;
	log_warning("%s differs in the new configuration: it keeps its value until chronotickd is "
		    "started again",
		    name);
}

/*
 * Take another configuration while running. Sources that are the same go on undisturbed
 * (source_keeper_reload()); a key that cannot change is named in a warning and keeps its value.
 * The configuration may be cleared afterwards. Returns 0, or the first error of a source, after it
 * was logged; everything else is done nevertheless.
 */
static int configure_anew(struct daemon *daemon, const struct config *wanted)
{
	struct engine_config engine;
	int r, r_feed;

	reload_keys(daemon->config, wanted, on_kept, NULL);
	log_level_set(daemon->config->log_priority);
	engine_config_set(daemon, &engine);
	r = engine_configure(&daemon->engine, &engine);
	if (r < 0)
		log_error("the engine does not take its configuration: %s", strerror(-r));
	r_feed = inputs_reload(&daemon->inputs, wanted);
	leapseconds_look(&daemon->leaps);
	r = source_keeper_reload(&daemon->sources, wanted->sources, wanted->source_count);
	return r < 0 ? r : r_feed;
}

/* One line of the log for each line of the text */
static void log_lines(int priority, char *text)
{
	char *line, *rest = text;

	while ((line = strsep(&rest, "\n")))
		if (*line)
			log_write(priority, "%s", line);
}

/* struct operators' reload */
static int reload(void *data, char *errors, size_t size)
{
	struct daemon *daemon = data;
	struct config wanted;
	char *text = NULL;
	size_t length;
	FILE *stream = open_memstream(&text, &length);
	int r;

	if (errors && size)
		*errors = '\0';
	if (!stream)
		return -ENOMEM;
	r = reload_read(daemon->origin, &wanted, stream);
	fclose(stream);
	if (r < 0) {
		if (errors && size && text)
			snprintf(errors, size, "%s", text);
		if (text)
			log_lines(LOG_ERR, text);
		log_error("the configuration stays as it was: %s",
			  r == -EINVAL ? "the new one is broken" : strerror(-r));
	} else {
		if (text) /* what there is to warn of */
			log_lines(LOG_WARNING, text);
		r = configure_anew(daemon, &wanted);
		config_clear(&wanted);
	}
	free(text);
	return r;
}

static void on_second(void *data)
{
	struct daemon *daemon = data;
	struct source_status sources[SOURCE_SET_MAX];
	struct chronotick_source summaries[SOURCE_SET_MAX];
	const struct source_set *set = daemon->sources.set;
	unsigned int count = source_set_count(set), shown, i;
	struct chronotick_statistics figures = {0};
	const struct covariates *covariates;
	struct source_totals packets;
	struct correction correction;
	struct publish_facts facts;
	int64_t now_ns = loop_now_ns();

	counter_act(daemon, watch_second(daemon->watch));
	if (daemon->replacing)
		daemon->replacing = page_keeper_counter_set(&daemon->pages) < 0;
	if (daemon->pages.canary) {
		canary_measure(daemon->pages.canary);
		canary_statistics(daemon->pages.canary, &figures);
	}
	daemon->latency_ms = (double)figures.read_mean_ps * 1e-9;

	engine_correct(&daemon->engine, counter_read(&daemon->counter), &correction);
	facts_of(daemon, now_ns, &facts);
	figures.warmup_percent = facts.warmup_percent;
	source_set_totals(set, &packets);
	figures.packets_sent = packets.sent;
	figures.packets_received = packets.received;
	figures.packets_rejected = packets.rejected;
	for (i = 0; i < count; i++) {
		source_set_describe(set, i, &sources[i]);
		summaries[i] = sources[i].summary;
	}
	/* The page has room for the first ones. */
	shown = count < CHRONOTICK_SOURCES_MAX ? count : CHRONOTICK_SOURCES_MAX;
	publisher_statistics(daemon->pages.publisher, &figures, summaries, shown);
	report_sources(&daemon->report, sources, count);
	leapseconds_tick(&daemon->leaps, &daemon->engine, &correction, sources, count, now_ns);
	report_late(&daemon->report, daemon->late, now_ns);
	report_external(&daemon->report, &daemon->engine.models);
	report_silence(&daemon->report, &daemon->engine, now_ns - daemon->start_ns);
	covariates = inputs_tick(&daemon->inputs, now_ns);
	if (covariates)
		(void)engine_covariates(&daemon->engine, counter_read(&daemon->counter),
					covariates);
	archive_tick(daemon->archive, &daemon->engine, now_ns, summaries, count);

	if (daemon->hangup && *daemon->hangup) {
		*daemon->hangup = 0;
		log_info("reading the configuration again, as asked by SIGHUP");
		(void)reload(daemon, NULL, 0);
	}
	control_retry(daemon);
	daemon->second_ns = deadline_after(daemon->second_ns, NS_PER_S, loop_now_ns());
	loop_timer_set(daemon->loop, &daemon->second, daemon->second_ns);
}

static int counter_open(struct daemon *daemon)
{
	uint32_t kind = daemon->config->counter_kind;
	int r = counter_init(&daemon->counter, kind);

	if (r == -ENOTSUP)
		log_error("counter %s: this machine has none that can be trusted; allowed: auto or "
			  "monotonic_raw",
			  chronotick_counter_name(kind));
	else if (r < 0)
		log_error("counter: its calibration gave no stable rate: %s", strerror(-r));
	if (r < 0)
		return r;
	log_debug("counter %s, %.6f MHz", chronotick_counter_name(daemon->counter.kind),
		  (double)daemon->counter.hz * 1e-6);
	cross_device_open(&daemon->cross, &daemon->counter, NULL);
	if (daemon->cross.refusal)
		log_debug("cross-timestamps: by brackets, to %" PRId64 " ns; from %s: %s",
			  daemon->cross.bracket_ns, CHRONOTICK_DEVICE_PATH, daemon->cross.refusal);
	else
		log_info("cross-timestamps: from %s, to %" PRId64 " ns; by brackets they would be "
			 "to %" PRId64 " ns",
			 CHRONOTICK_DEVICE_PATH, daemon->cross.device_ns, daemon->cross.bracket_ns);
	return 0;
}

static int watch_open(struct daemon *daemon)
{
	const struct config *config = daemon->config;
	bool named = config->counter_kind != CHRONOTICK_COUNTER_NONE;
	int r = watch_new(&daemon->watch, &config->trust, &daemon->counter, !named, NULL);

	if (r < 0 && r != -ENOTSUP)
		log_error("watch over the counter: %s", strerror(-r));
	daemon->scale.base = counter_read(&daemon->counter);
	daemon->scale.mult = daemon->counter.mult;
	return r;
}

static int engine_open(struct daemon *daemon)
{
	struct engine_config engine;
	int r;

	leapseconds_configure(&daemon->leaps, &daemon->config->leap, loop_now_ns());
	engine_config_set(daemon, &engine);
	r = engine_init(&daemon->engine, &engine, 0); /* the set adds them */

	if (r < 0)
		log_error("the engine does not take its configuration: %s", strerror(-r));
	return r;
}

static const char *source_name(void *data, unsigned int source)
{
	const struct daemon *daemon = data;

	return source_set_name(daemon->sources.set, source);
}

static int page_open(struct daemon *daemon)
{
	int r;

	daemon->pages = (struct page_keeper){
		.loop = daemon->loop,
		.counter = &daemon->counter,
		.data = daemon,
		.taken = on_taken,
	};
	r = page_keeper_open(&daemon->pages, &daemon->config->page);
	if (r < 0)
		return r;
	if (page_keeper_has_module(&daemon->pages))
		watch_may_return(daemon->watch);
	return archive_new(&daemon->archive, &daemon->config->archive,
			   publisher_path(daemon->pages.publisher), &daemon->counter,
			   &daemon->engine, source_name, daemon);
}

static int sources_open(struct daemon *daemon)
{
	daemon->sources = (struct source_keeper){
		.loop = daemon->loop,
		.counter = &daemon->counter,
		.scale = &daemon->scale,
		.engine = &daemon->engine,
		.stages = &daemon->stages,
	};
	return source_keeper_open(&daemon->sources, daemon->config->sources,
				  daemon->config->source_count);
}

static int inputs_start(struct daemon *daemon)
{
	daemon->inputs = (struct inputs){
		.loop = daemon->loop,
		.counter = &daemon->counter,
		.engine = &daemon->engine,
	};
	return inputs_open(&daemon->inputs, daemon->config);
}

static int timers_start(struct daemon *daemon)
{
	int r;

	daemon->period_ns = NS_PER_S / daemon->config->page.frequency_hz;
	daemon->round = (struct loop_timer){.fire = on_round, .data = daemon};
	daemon->second = (struct loop_timer){.fire = on_second, .data = daemon};
	daemon->start_ns = loop_now_ns();
	daemon->round_ns = daemon->start_ns;
	/* Between two publications, so as not to put one off */
	daemon->second_ns = daemon->start_ns + NS_PER_S / 4 + daemon->period_ns / 2;
	r = loop_timer_set(daemon->loop, &daemon->round, daemon->round_ns);
	if (r == 0)
		r = loop_timer_set(daemon->loop, &daemon->second, daemon->second_ns);
	if (r == 0)
		r = page_keeper_start(&daemon->pages, daemon->second_ns + daemon->period_ns);
	if (r < 0)
		log_error("timers: %s", strerror(-r));
	return r;
}

static int control_open(struct daemon *daemon)
{
	int r;

	daemon->operators = (struct operators){
		.counter = &daemon->counter,
		.engine = &daemon->engine,
		.publisher = daemon->pages.publisher,
		.cross = &daemon->cross,
		.sources = daemon->sources.set,
		.inputs = &daemon->inputs,
		.start_ns = daemon->start_ns,
		.data = daemon,
		.reload = reload,
	};
	r = operators_listen(&daemon->operators, daemon->loop, daemon->config);
	if (r != -EADDRINUSE || !daemon->config->page.standby)
		return r;
	log_info("standing by: nobody can ask this daemon before it has taken over");
	return 0;
}

int daemon_new(struct daemon **ret, struct config *config, struct reload_origin *origin)
{
	struct daemon *daemon = calloc(1, sizeof(*daemon));
	int r;

	if (!daemon) {
		log_error("out of memory");
		return -ENOMEM;
	}
	daemon->config = config;
	daemon->origin = origin;
	daemon->cross.fd = -1;
	r = loop_new(&daemon->loop);
	if (r < 0) {
		log_error("poll loop: %s", strerror(-r));
		goto fail;
	}
	r = counter_open(daemon);
	if (r < 0)
		goto fail;
	r = watch_open(daemon);
	if (r < 0)
		goto fail;
	r = engine_open(daemon);
	if (r < 0)
		goto fail;
	r = page_open(daemon);
	if (r < 0)
		goto fail;
	r = sources_open(daemon);
	if (r < 0)
		goto fail;
	r = inputs_start(daemon);
	if (r < 0)
		goto fail;
	r = timers_start(daemon);
	if (r < 0)
		goto fail;
	r = control_open(daemon);
	if (r < 0)
		goto fail;
	log_info("%s %s at %u Hz from %u source%s, on counter %s",
		 page_keeper_publishes(&daemon->pages) ? "publishing" : "ready to publish",
		 publisher_path(daemon->pages.publisher), config->page.frequency_hz,
		 config->source_count, config->source_count == 1 ? "" : "s",
		 chronotick_counter_name(daemon->counter.kind));
	*ret = daemon;
	return 0;

fail:
	daemon_free(daemon);
	return r;
}

int daemon_run(struct daemon *daemon, const volatile int *stop, volatile int *hangup)
{
	int r;

	daemon->hangup = hangup;
	r = loop_run(daemon->loop, stop);
	daemon->hangup = NULL;

	if (r < 0 && !daemon->pages.superseded)
		log_error("poll loop: %s", strerror(-r));
	return r;
}

void daemon_free(struct daemon *daemon)
{
	if (!daemon)
		return;
	if (daemon->loop) {
		loop_timer_cancel(daemon->loop, &daemon->round);
		loop_timer_cancel(daemon->loop, &daemon->second);
	}
	operators_end(&daemon->operators);
	inputs_close(&daemon->inputs);
	archive_free(daemon->archive, &daemon->engine);
	source_keeper_close(&daemon->sources);
	page_keeper_close(&daemon->pages);
	watch_free(daemon->watch);
	cross_device_close(&daemon->cross);
	loop_free(daemon->loop);
	free(daemon);
}
