/* SPDX-License-Identifier: MIT */
#include "publish/module.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#include "chronotick_ioctl.h"
#include "publish/record.h"
#include "publish/tally.h"
#include "publish/writer.h"
#include "timestamping/cross.h"

/* What does not depend on samples is tried again where an event has come in between. */
#define EVENT_TRIES 4

/* An event costs a round or two, a suspend those until the daemon is frozen; more is trouble. */
#define STALE_S 5

_Static_assert(LINE_FALL_PPB <= 1000000000U / CHRONOTICK_FALL_PART,
	       "the kernel takes the lines that are built here");

#define load(where) __atomic_load_n((where), __ATOMIC_RELAXED)

struct module {
	struct backend backend;
	struct publish_config config;
	struct module_io io;
	int fd; /* -1: not open */
	const struct chronotick_page *page;
	struct counter counter;
	struct line_config line_config;
	struct record_rate rate;
	struct tally tally;
	struct chronotick_clock current; /* what was published last; all 0: nothing */
	struct bound_terms terms;        /* of its bound */
	uint32_t events;                 /* the page's, from before all was sampled */
	uint32_t warmup_percent;
	bool heir;        /* the page's line is a predecessor's */
	bool standing_by; /* the kernel knows of it, and wakes poll(2) */
	int trouble;      /* why nothing can be published just now: a negative errno, or 0 */
	uint32_t stale;   /* rounds without a break that events have been in the way of */
	struct chronotick_figures figures;
};

static struct module *module_of(struct backend *backend)
{
	return (struct module *)(void *)backend;
}

static const struct module *module_of_const(const struct backend *backend)
{
	return (const struct module *)(const void *)backend;
}

static int command(struct module *module, unsigned long request, void *argument)
{
	return module->io.command(module->io.data, module->fd, request, argument);
}

static void release(struct module *module)
{
	if (module->fd >= 0)
		module->io.close(module->io.data, module->fd, module->page);
	module->fd = -1;
	module->page = NULL;
	module->standing_by = false;
}

/* Taking it */

/* The sentence for an error of opening or claiming. */
static int cannot(int r, const struct segment_why *why, uint32_t owner)
{
	static const struct {
		int error;
		const char *text;
	} texts[] = {
		{-ENOENT, "there is no such device: load the module (modprobe chronotick; "
			  "scripts/kmod-install builds it), or set page.backend to shm"},
		{-ENODEV, "is no device: load the module (modprobe chronotick; "
			  "scripts/kmod-install builds it), or set page.backend to shm"},
		{-EPROTO, "is no page of this version: the module and the daemon must be of one "
			  "release"},
		{-ENOTTY, "does not know this daemon's calls: the module and the daemon must be of "
			  "one release"},
		{-E2BIG, "does not know all of this daemon's calls: the module and the daemon must "
			 "be of one release"},
		{-EPERM,
		 "publishing there needs CAP_SYS_TIME: run as root, or let the service have "
		 "it"},
		{-ENOTSUP, "its page runs on another counter than this daemon: see the key "
			   "counter"},
		{-ENXIO, "the kernel's clocksource is not the counter that programs read, so "
			 "nobody can publish there"},
		{-ESHUTDOWN, "the machine is being shut down"},
		{-ESTALE,
		 "the kernel takes nothing, as if the machine were on its way to sleep, or "
		 "the clock set all the time"},
	};
	size_t i;

	if (r == -EBUSY)
		return segment_say(why, r,
				   "%s: another chronotickd, pid %u, writes this page; end it "
				   "first, or start this one with --standby",
				   CHRONOTICK_DEVICE_PATH, owner);
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].error == r)
			return segment_say(why, r, "%s: %s", CHRONOTICK_DEVICE_PATH, texts[i].text);
	return segment_say(why, r, "%s: %s", CHRONOTICK_DEVICE_PATH, strerror(-r));
}

static int device_open(struct module *module)
{
	const struct chronotick_header *header;
	int r;

	module->fd = module->io.open(module->io.data);
	if (module->fd < 0) {
		r = module->fd;
		/* What the module's node says once the module has gone */
		return r == -ENXIO ? -ENODEV : r;
	}
	r = module->io.map(module->io.data, module->fd, &module->page);
	if (r < 0)
		return r;
	header = &module->page->header;
	if (__atomic_load_n(&header->magic, __ATOMIC_ACQUIRE) != CHRONOTICK_MAGIC ||
	    header->page_size != CHRONOTICK_PAGE_SIZE ||
	    header->abi_version != CHRONOTICK_ABI_VERSION ||
	    !(load(&header->kernel_state) & CHRONOTICK_KERNEL_SERVES))
		return -EPROTO;
	return 0;
}

/* Be the writer; being it, have other settings. */
static int claim(struct module *module, const struct counter *counter, uint32_t flags)
{
	struct chronotick_claim claim = {
		.size = sizeof(claim),
		.flags = flags,
		.counter_kind = counter->kind,
		.frequency_hz = module->config.frequency_hz,
		.writer_timeout_ms = module->config.writer_timeout_ms,
		.max_bound_ns = (uint64_t)module->config.max_bound_ns,
		.counter_hz = counter->hz,
	};

	if (claim.max_bound_ns > UINT32_MAX)
		claim.max_bound_ns = UINT32_MAX;
	/* A container may show another one, or none: then what the page has already. */
	if (chronotick_boot_id(claim.boot_id) < 0)
		memcpy(claim.boot_id, module->page->header.boot_id, sizeof(claim.boot_id));
	return command(module, CHRONOTICK_IOC_CLAIM, &claim);
}

static void begin(struct module *module, const struct counter *counter)
{
	module->counter = *counter;
	backend_line_config(&module->line_config, &module->config, counter);
	memset(&module->rate, 0, sizeof(module->rate));
	memset(&module->current, 0, sizeof(module->current));
	module->trouble = 0;
	module->heir = true;
	module->events = __atomic_load_n(&module->page->header.kernel_events, __ATOMIC_ACQUIRE);
}

static int module_take(struct backend *backend, const struct counter *counter, int32_t *owner,
		       const struct segment_why *why)
{
	struct module *module = module_of(backend);
	uint32_t flags = module->config.standby ? CHRONOTICK_CLAIM_STANDBY : 0, pid = 0;
	int r = module->fd < 0 ? device_open(module) : 0;

	if (r == 0 && module->page->header.counter_kind != counter->kind)
		r = -ENOTSUP;
	if (r == 0)
		r = claim(module, counter, flags);
	module->standing_by = r == -EBUSY && flags;
	if (r == 0) {
		begin(module, counter);
		backend->role = PUBLISH_ACTIVE;
		return 0;
	}
	if (r == -EBUSY)
		pid = load(&module->page->header.writer_pid);
	*owner = (int32_t)pid;
	if (!module->standing_by)
		release(module);
	return cannot(r, why, pid);
}

static int module_standby_fd(const struct backend *backend)
{
	const struct module *module = module_of_const(backend);

	return module->standing_by ? module->fd : -1;
}

/* Publishing */

static void module_sample(struct backend *backend)
{
	struct module *module = module_of(backend);

	module->events = __atomic_load_n(&module->page->header.kernel_events, __ATOMIC_ACQUIRE);
}

/*
 * The line that stands. Nobody but an event writes it now, and what is built on half of one is
 * refused because of that event: -ESTALE.
 */
static int standing_read(struct chronotick_clock *ret, const struct chronotick_page *page)
{
	const struct chronotick_clock *line = &page->clock[0];
	uint32_t seq = __atomic_load_n(&line->seq, __ATOMIC_ACQUIRE);

	page_line_read(ret, line);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return seq & 1 || load(&line->seq) != seq ? -ESTALE : 0;
}

/* The record that goes with a line not published yet. */
static int record_make(struct module *module, const struct line *line,
		       const struct correction *correction, const struct publish_facts *facts,
		       struct chronotick_record *ret)
{
	struct cross now;
	int r = cross_read(&now, &module->counter, CLOCK_REALTIME);

	if (r < 0)
		return r;
	record_rate_add(&module->rate, &module->counter, &now);
	record_build(ret, &(struct record_input){
				  .line = &line->clock,
				  .trusted = line_stands(&line->clock, now.counter),
				  .correction = correction,
				  .now = &now,
				  .rate = &module->rate,
				  .facts = facts,
				  .corrections = module->tally.corrections + line->trusted,
			  });
	return 0;
}

/* A record that the kernel does not take must not keep the line from being published. */
static int update_give(struct module *module, struct chronotick_update *update)
{
	int r = command(module, CHRONOTICK_IOC_PUBLISH, update);

	if (r != -EINVAL || update->flags != (CHRONOTICK_UPDATE_LINE | CHRONOTICK_UPDATE_RECORD))
		return r;
	update->flags = CHRONOTICK_UPDATE_LINE;
	return command(module, CHRONOTICK_IOC_PUBLISH, update);
}

static int sign_of_life(struct module *module)
{
	struct chronotick_update update = {.size = sizeof(update), .events = module->events};

	return command(module, CHRONOTICK_IOC_PUBLISH, &update);
}

/* Build and publish, with twice the window as long as it comes too late. */
static int line_give(struct module *module, const struct correction *correction,
		     const struct publish_facts *facts)
{
	uint64_t window = module->line_config.window, started;
	struct chronotick_update update;
	struct chronotick_clock standing;
	struct line line;
	int builds, r;

	for (builds = 1;; builds++) {
		r = standing_read(&standing, module->page);
		if (r < 0)
			return r;
		started = counter_read(&module->counter);
		line_next(&line, &module->line_config, &standing,
			  load(&module->page->header.generation), correction, started, window,
			  builds <= WRITER_BUILDS ? LINE_SLEW : LINE_KEEP);
		if (line.trusted ? module->heir && line_outdoes(&standing, correction, started)
				 : line_stands(&standing, started))
			return sign_of_life(module);
		update = (struct chronotick_update){
			.size = sizeof(update),
			.flags = CHRONOTICK_UPDATE_LINE,
			.events = module->events,
			.join = line.join,
			.line = line.clock,
		};
		if (record_make(module, &line, correction, facts, &update.record) == 0)
			update.flags |= CHRONOTICK_UPDATE_RECORD;
		r = update_give(module, &update);
		if (r == 0)
			break;
		if (r != -ETIMEDOUT || builds > WRITER_BUILDS)
			return r;
		module->tally.rebuilt++;
		window *= 2;
	}
	module->heir = false;
	module->current = line.clock;
	module->terms = line.terms;
	tally_add(&module->tally, line.trusted, update.published - started);
	return 0;
}

/* What the kernel's answer means for the rounds to come. */
static int answer_take(struct module *module, int r)
{
	module->stale = r == -ESTALE ? module->stale + 1 : 0;
	switch (r) {
	case 0:
	case -ETIMEDOUT:
		module->trouble = 0;
		return r;
	case -ESTALE:
		/* The clock or the counter may be another one: the watch looks first. */
		if (module->stale > STALE_S * module->config.frequency_hz)
			module->trouble = -ESTALE;
		return 0;
	case -EPERM:
	case -EBADF:
	case -EBADFD:
		/* Not the writer any more: whoever is, this one waits as it would for any other. */
		module->backend.role = PUBLISH_STANDBY;
		module->trouble = -EPERM;
		return 0;
	case -ENXIO:
	case -ESHUTDOWN:
		/* The kernel has taken all trust away itself. */
		module->trouble = r;
		(void)sign_of_life(module);
		return 0;
	default:
		module->trouble = -EINVAL;
		(void)sign_of_life(module);
		return -EINVAL;
	}
}

static int module_publish(struct backend *backend, const struct correction *correction,
			  const struct publish_facts *facts)
{
	struct module *module = module_of(backend);

	module->warmup_percent = facts->warmup_percent;
	return answer_take(module, line_give(module, correction, facts));
}

/* An update that does not depend on samples: under whatever event comes. */
static int command_now(struct module *module, struct chronotick_update *update)
{
	int tries, r = -ESTALE;

	for (tries = 0; tries < EVENT_TRIES && r == -ESTALE; tries++) {
		module_sample(&module->backend);
		update->events = module->events;
		r = command(module, CHRONOTICK_IOC_PUBLISH, update);
	}
	return r;
}

/* The page's record without flags and confidence; false: there is none. */
static bool record_distrusted(const struct module *module, struct chronotick_record *ret)
{
	*ret = module->page->record_shadow;
	if (!ret->sequence_number || ret->sequence_number & 1)
		return false;
	ret->flags = 0;
	ret->confidence = 0;
	return true;
}

static void module_invalidate(struct backend *backend)
{
	struct module *module = module_of(backend);
	uint32_t generation = load(&module->page->header.generation) + 1;
	struct chronotick_update update = {
		.size = sizeof(update),
		.flags = CHRONOTICK_UPDATE_LINE,
		.line.state = CHRONOTICK_STATE(generation, CHRONOTICK_UNSYNCHRONIZED,
					       CHRONOTICK_TAI_UNKNOWN),
	};

	if (record_distrusted(module, &update.record))
		update.flags |= CHRONOTICK_UPDATE_RECORD;
	if (command_now(module, &update) == -EINVAL && update.flags & CHRONOTICK_UPDATE_RECORD) {
		update.flags = CHRONOTICK_UPDATE_LINE;
		(void)command_now(module, &update);
	}
	memset(&module->current, 0, sizeof(module->current));
	memset(&module->terms, 0, sizeof(module->terms));
	memset(&module->rate, 0, sizeof(module->rate));
}

static void sign_off(struct module *module)
{
	struct chronotick_update update = {
		.size = sizeof(update),
		.flags = CHRONOTICK_UPDATE_RECORD,
	};

	if (record_distrusted(module, &update.record))
		(void)command_now(module, &update);
}

static int module_counter_set(struct backend *backend, const struct counter *counter,
			      const struct segment_why *why)
{
	struct module *module = module_of(backend);
	int32_t owner;

	if (backend->role == PUBLISH_ACTIVE && module->page->header.counter_kind == counter->kind) {
		begin(module, counter);
		return claim(module, counter, 0);
	}
	if (backend->role == PUBLISH_OUT) {
		/* Perhaps this one is the page's again, and another daemon was quicker. */
		if (module_take(backend, counter, &owner, why) == -EBUSY)
			backend->role = PUBLISH_STANDBY;
		return 0;
	}
	release(module);
	backend->role = PUBLISH_OUT;
	segment_say(why, 0,
		    "%s: its page runs on another counter: left to itself, clients are to "
		    "open the page in shared memory",
		    CHRONOTICK_DEVICE_PATH);
	return 0;
}

static void module_apart_set(struct backend *backend, uint32_t apart)
{
	struct module *module = module_of(backend);

	module->counter.apart = apart;
	module->line_config.step_ns = backend_step_ns(&module->counter);
}

static void module_statistics(struct backend *backend,
			      const struct chronotick_statistics *statistics,
			      const struct chronotick_source *sources, unsigned int count)
{
	struct module *module = module_of(backend);
	struct chronotick_figures *figures = &module->figures;

	*figures = (struct chronotick_figures){.size = sizeof(*figures)};
	figures->statistics = *statistics;
	figures->statistics.source_count = count;
	tally_figures(&module->tally, &module->counter, &figures->statistics);
	memcpy(figures->source, sources, count * sizeof(sources[0]));
	(void)command(module, CHRONOTICK_IOC_FIGURES, figures);
}

static void module_line(const struct backend *backend, struct chronotick_clock *ret,
			struct bound_terms *terms)
{
	const struct module *module = module_of_const(backend);

	memset(terms, 0, sizeof(*terms));
	if (standing_read(ret, module->page) < 0) {
		memset(ret, 0, sizeof(*ret));
		return;
	}
	ret->seq = 0;
	/* Unless an event or the claim has put another in its place */
	if (memcmp(ret, &module->current, sizeof(*ret)) == 0)
		*terms = module->terms;
}

static const struct chronotick_page *module_page(const struct backend *backend)
{
	return module_of_const(backend)->page;
}

static int module_keep(struct backend *backend, const struct segment_why *why)
{
	const struct module *module = module_of_const(backend);

	if (module->trouble == -EINVAL)
		return segment_say(why, -EINVAL, "%s: the kernel does not take what is published",
				   CHRONOTICK_DEVICE_PATH);
	return module->trouble ? cannot(module->trouble, why, 0) : 0;
}

static void module_close(struct backend *backend)
{
	struct module *module = module_of(backend);

	if (backend->role == PUBLISH_ACTIVE)
		sign_off(module);
	release(module);
	free(module);
}

const struct backend_ops module_ops = {
	.take = module_take,
	.sample = module_sample,
	.publish = module_publish,
	.invalidate = module_invalidate,
	.counter_set = module_counter_set,
	.apart_set = module_apart_set,
	.statistics = module_statistics,
	.line = module_line,
	.page = module_page,
	.keep = module_keep,
	.standby_fd = module_standby_fd,
	.close = module_close,
};

int module_new(struct backend **ret, const struct publish_config *config)
{
	struct module *module = calloc(1, sizeof(*module));

	if (!module)
		return -ENOMEM;
	module->backend = (struct backend){&module_ops, PUBLISH_STANDBY, CHRONOTICK_DEVICE_PATH,
					   &module->tally};
	module->config = *config;
	module->io = config->module ? *config->module : module_system_io;
	module->fd = -1;
	*ret = &module->backend;
	return 0;
}
