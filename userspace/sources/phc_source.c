/* SPDX-License-Identifier: MIT */
#include "sources/phc_source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "timestamping/phc.h"
#include "timestamping/phc_track.h"

#define NS_PER_S 1000000000LL
#define SECOND_NS NS_PER_S
#define OFFLINE_NS (3600 * NS_PER_S) /* its timer has to stand somewhere */

/* 2020-01-01 and 2100-01-01 */
#define UTC_MIN_NS (1577836800 * NS_PER_S)
#define UTC_MAX_NS (4102444800 * NS_PER_S)

struct phc_source {
	struct source_context context;
	unsigned int index;
	struct phc_source_config config;
	char *path;
	struct loop_timer timer;
	struct phc_device device; /* fd -1: closed */
	struct phc phc;
	struct phc_track track;
	bool online;
	int result; /* of the latest poll: 0 or a negative errno */
	uint8_t reach;
	uint64_t samples;
	struct sample last;
};

int phc_source_utc(const struct phc_source_config *config, const struct leap_table *leaps,
		   int64_t phc_ns, int64_t *utc_ns)
{
	int64_t utc = phc_ns;
	int16_t tai_s;

	if (config->is_tai) {
		/* To within a second of a leap second, of which the engine takes no sample anyway */
		tai_s = leap_tai(leaps, phc_ns - 37 * NS_PER_S);
		if (tai_s == CHRONOTICK_TAI_UNKNOWN)
			tai_s = config->utc_offset_s;
		if (!tai_s)
			return -ENODATA;
		utc -= tai_s * NS_PER_S;
	}
	if (utc < UTC_MIN_NS || utc > UTC_MAX_NS)
		return -ERANGE;
	*utc_ns = utc;
	return 0;
}

static void device_close(struct phc_source *source)
{
	if (source->device.fd >= 0)
		close(source->device.fd);
	source->device.fd = -1;
	phc_track_init(&source->track, source->context.counter);
}

static int device_open(struct phc_source *source)
{
	struct phc_io io;

	if (source->device.fd >= 0)
		return 0;
	source->device =
		(struct phc_device){phc_device_open(source->path), source->context.counter};
	if (source->device.fd < 0)
		return source->device.fd;
	io = phc_device_io(&source->device);
	phc_init(&source->phc, &io, source->context.counter);
	return 0;
}

/* A reading becomes a sample: its error is the exchange's, the accuracy the reference's. */
static int sample_make(struct phc_source *source, const struct phc_reading *reading,
		       struct sample *ret)
{
	const struct timescale *scale = source->context.scale;
	int64_t phc_ns, error_ns, utc_ns;
	int r = phc_track_at(&source->track, reading->counter, &phc_ns, &error_ns);

	if (r == 0)
		r = phc_source_utc(&source->config, source->context.leaps, phc_ns, &utc_ns);
	if (r == 0 && !timescale_covers(scale, reading->counter))
		r = -ERANGE;
	if (r < 0)
		return r;
	*ret = (struct sample){
		.counter = reading->counter,
		.offset_ns = utc_ns - timescale_ns(scale, reading->counter),
		.delay_ns = 1,
		.dispersion_ns = error_ns,
		.stamps_ns = error_ns,
		.root_dispersion_ns = source->config.accuracy_ns,
		.source = (uint16_t)source->index,
		.kind = CHRONOTICK_PHC,
		.tx_stamp = CHRONOTICK_STAMP_HARDWARE,
		.rx_stamp = CHRONOTICK_STAMP_HARDWARE,
		.stratum = 1,
	};
	return 0;
}

static int poll_once(struct phc_source *source, struct sample *ret)
{
	struct phc_reading reading;
	int r = device_open(source);

	if (r == 0)
		r = phc_read(&source->phc, &reading);
	/* One that has no way left may have been another one since. */
	if (r == -ENODEV || r == -EBADF || r == -ENOTSUP)
		device_close(source);
	if (r < 0)
		return r;
	(void)phc_track_add(&source->track, &reading);
	return sample_make(source, &reading, ret);
}

static void on_timer(void *data)
{
	const struct source_events *events;
	struct phc_source *source = data;
	int64_t interval_ns = SECOND_NS;
	struct sample sample;
	int before = source->result;

	if (source->config.poll >= 0)
		interval_ns <<= source->config.poll;
	else
		interval_ns >>= -source->config.poll;
	(void)loop_timer_set(source->context.loop, &source->timer,
			     loop_now_ns() + (source->online ? interval_ns : OFFLINE_NS));
	if (!source->online)
		return;
	events = source->context.events;
	source->result = poll_once(source, &sample);
	source->reach = (uint8_t)(source->reach << 1 | (source->result == 0));
	if (source->result < 0) {
		if (source->result != before)
			events->lost(events->data, source->index,
				     source->result == -ENODATA || source->result == -ERANGE
					     ? CHRONOTICK_SOURCE_UNSYNCHRONIZED
					     : CHRONOTICK_SOURCE_UNREACHABLE);
		return;
	}
	source->last = sample;
	source->samples++;
	events->sample(events->data, &sample);
}

int phc_source_new(struct phc_source **ret, const struct source_context *context,
		   unsigned int index, const struct phc_source_config *config)
{
	struct phc_source *source;
	int r = -ENOMEM;

	if (!config->path || !*config->path || config->poll < PHC_SOURCE_POLL_MIN ||
	    config->poll > PHC_SOURCE_POLL_MAX || index > UINT16_MAX)
		return -EINVAL;
	source = calloc(1, sizeof(*source));
	if (!source)
		return -ENOMEM;
	source->context = *context;
	source->index = index;
	source->config = *config;
	source->config.path = NULL;
	source->online = true;
	source->device.fd = -1;
	source->timer = (struct loop_timer){.fire = on_timer, .data = source};
	phc_track_init(&source->track, context->counter);
	source->path = strdup(config->path);
	if (source->path)
		r = loop_timer_set(context->loop, &source->timer, loop_now_ns());
	if (r < 0) {
		phc_source_free(source);
		return r;
	}
	*ret = source;
	return 0;
}

void phc_source_free(struct phc_source *source)
{
	if (!source)
		return;
	loop_timer_cancel(source->context.loop, &source->timer);
	device_close(source);
	free(source->path);
	free(source);
}

void phc_source_online(struct phc_source *source, bool online)
{
	/* The counter may be another one since. */
	if (source->online != online)
		device_close(source);
	source->online = online;
	source->result = 0;
	(void)loop_timer_set(source->context.loop, &source->timer, loop_now_ns());
}

bool phc_source_is_configured(const struct phc_source *source,
			      const struct phc_source_config *config)
{
	const struct phc_source_config *own = &source->config;

	return strcmp(source->path, config->path) == 0 && own->accuracy_ns == config->accuracy_ns &&
	       own->is_tai == config->is_tai && own->utc_offset_s == config->utc_offset_s &&
	       own->poll == config->poll;
}

void phc_source_describe(const struct phc_source *source, struct chronotick_source *ret)
{
	memset(ret->name, 0, sizeof(ret->name));
	snprintf(ret->name, sizeof(ret->name), "%s", source->path);
	ret->kind = CHRONOTICK_PHC;
	ret->leap = source->samples ? 0 : 3;
	ret->reach = source->reach;
	ret->poll = source->config.poll;
	ret->stratum = source->last.stratum;
	ret->tx_stamp = source->last.tx_stamp;
	ret->rx_stamp = source->last.rx_stamp;
	ret->delay_ns = (uint64_t)source->last.delay_ns;
	ret->dispersion_ns = (uint64_t)source->last.dispersion_ns;
	ret->samples = source->samples;
	ret->last_counter = source->last.counter;
}

void phc_source_note(const struct phc_source *source, char *ret, size_t size)
{
	if (source->result == -ENODATA)
		snprintf(ret, size,
			 "TAI - UTC is not known: no leap seconds file, no utc_offset_s");
	else if (source->result == -ERANGE)
		snprintf(ret, size, "its time is none of these decades: has anybody set it?");
	else if (source->result < 0)
		snprintf(ret, size, "it cannot be read: %s", strerror(-source->result));
	else if (source->samples)
		snprintf(ret, size, "read by %s; %llu steps", phc_method_name(source->phc.method),
			 (unsigned long long)source->track.jumps);
	else
		*ret = '\0';
}
