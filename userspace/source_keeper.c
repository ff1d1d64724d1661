/* SPDX-License-Identifier: MIT */
#include "source_keeper.h"

#include <inttypes.h>
#include <string.h>

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#include "log.h"

static void on_sampled(void *data, const struct sample *sample, int taken)
{
	struct source_keeper *keeper = data;

	if (taken >= 0)
		stages_sampled(keeper->stages, sample, keeper->counter);
	log_debug("source %u: UTC - raw time %" PRId64 " ns, delay %" PRId64
		  " ns, dispersion %" PRId64 " ns, stamps %s/%s%s%s",
		  sample->source, sample->offset_ns, sample->delay_ns, sample->dispersion_ns,
		  chronotick_stamp_name(sample->tx_stamp), chronotick_stamp_name(sample->rx_stamp),
		  taken < 0 ? ", not taken: " : "", taken < 0 ? strerror(-taken) : "");
}

static void on_changed(void *data, const char *text)
{
	(void)data;
	log_info("%s", text);
}

static void on_upkeep(void *data)
{
	struct source_keeper *keeper = data;
	int64_t next_ns = source_set_tick(keeper->set, loop_now_ns());

	loop_timer_set(keeper->loop, &keeper->upkeep, next_ns);
}

int source_keeper_open(struct source_keeper *keeper, const struct source_config *sources,
		       unsigned int count)
{
	struct source_set_context context = {
		.loop = keeper->loop,
		.counter = keeper->counter,
		.scale = keeper->scale,
		.engine = keeper->engine,
		.ops = source_set_ops,
		.resolver = &source_set_resolver,
		.data = keeper,
		.sampled = on_sampled,
		.changed = on_changed,
	};
	unsigned int i;
	int r;

	keeper->upkeep = (struct loop_timer){.fire = on_upkeep, .data = keeper};
	r = hardware_table_new(&keeper->hardware, keeper->counter, NULL);
	if (r < 0) {
		log_error("no socket to ask network interfaces by: %s", strerror(-r));
		return r;
	}
	context.hardware = keeper->hardware;
	r = source_set_new(&keeper->set, &context);
	if (r < 0) {
		log_error("out of memory");
		return r;
	}
	for (i = 0; i < count; i++) {
		r = source_set_add(keeper->set, &sources[i]);
		if (r < 0) {
			log_error("source %s: %s", source_config_name(&sources[i]), strerror(-r));
			return r;
		}
	}
	r = loop_timer_set(keeper->loop, &keeper->upkeep, loop_now_ns());
	if (r < 0)
		log_error("timers: %s", strerror(-r));
	return r;
}

int source_keeper_reload(struct source_keeper *keeper, const struct source_config *sources,
			 unsigned int count)
{
	struct source_set_change change;
	int r = source_set_reconfigure(keeper->set, sources, count, &change);

	loop_timer_set(keeper->loop, &keeper->upkeep, loop_now_ns());
	if (r < 0)
		log_error("not all sources could be had: %s", strerror(-r));
	log_info("the new configuration is in use; sources: %u new, %u gone, %u changed, %u as "
		 "before",
		 change.added, change.removed, change.changed, change.kept);
	return r;
}

void source_keeper_restart(struct source_keeper *keeper)
{
	hardware_table_restart(keeper->hardware);
	source_set_restart(keeper->set);
}

void source_keeper_close(struct source_keeper *keeper)
{
	if (keeper->loop)
		loop_timer_cancel(keeper->loop, &keeper->upkeep);
	source_set_free(keeper->set);
	hardware_table_free(keeper->hardware);
}
