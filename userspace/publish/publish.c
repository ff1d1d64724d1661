/* SPDX-License-Identifier: MIT */
#include "publish/publish.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "publish/backend.h"
#include "publish/module.h"
#include "publish/probe.h"
#include "publish/shm.h"
#include "publish/tally.h"

struct publisher {
	struct counter counter;
	struct backend *backends[PUBLISH_PAGES]; /* in the order in which clients look for them */
	struct publish_probe probes[PUBLISH_PAGES];
	unsigned int count;
	bool stands_by; /* another process writes the first page: the others are not taken either */
};

static bool config_is_good(const struct publish_config *config)
{
	return config->frequency_hz >= 1 && config->frequency_hz <= 1000 &&
	       config->max_bound_ns >= 1 && config->writer_timeout_ms >= 1 &&
	       config->writer_timeout_ms <= CHRONOTICK_GROWTH_NS / 1000000 &&
	       config->step_threshold_ns >= 0 &&
	       config->step_threshold_ns <= PUBLISH_STEP_THRESHOLD_MAX_NS &&
	       config->record_order <= CHRONOTICK_ORDER_PYTHON;
}

/* Take it, or wait for it if that is wanted; on error it is closed. */
static int backend_add(struct publisher *publisher, struct backend *backend, bool standby,
		       int32_t *owner, const struct segment_why *why)
{
	int r = 0;

	if (!publisher->stands_by)
		r = backend->ops->take(backend, &publisher->counter, owner, why);
	if (r == -EBUSY && standby) {
		publisher->stands_by = true;
		r = segment_say(why, 0, "%s", "");
	}
	if (r < 0) {
		backend->ops->close(backend);
		return r;
	}
	publisher->backends[publisher->count++] = backend;
	return 0;
}

/* The module's page. With PUBLISH_AUTO it may be missing, which `why` then tells. */
static int module_add(struct publisher *publisher, const struct publish_config *config,
		      int32_t *owner, const struct segment_why *why)
{
	struct backend *backend;
	int r;

	if (config->backend == PUBLISH_SHM)
		return 0;
	r = module_new(&backend, config);
	if (r == 0)
		r = backend_add(publisher, backend, config->standby, owner, why);
	if (r == -ENOMEM || config->backend == PUBLISH_MODULE)
		return r;
	return 0;
}

static int shm_add(struct publisher *publisher, const struct publish_config *config, int32_t *owner,
		   const struct segment_why *why)
{
	char text[256] = "";
	const struct segment_why here = {text, sizeof(text)};
	struct backend *backend;
	int r;

	if (!strcmp(config->shm_name, PUBLISH_NO_SHM))
		return publisher->count ? 0 : -ENODEV; /* the module's sentence says why */
	r = shm_new(&backend, config, &here);
	if (r == 0)
		r = backend_add(publisher, backend, config->standby, owner, &here);
	if (r < 0)
		segment_say(why, r, "%s", text);
	return r;
}

int publisher_open(struct publisher **ret, const struct publish_config *config,
		   const struct counter *counter, int32_t *owner, char *why, unsigned int why_size)
{
	const struct segment_why sentence = {why, why_size};
	struct publisher *publisher;
	int r;

	if (!config_is_good(config))
		return segment_say(
			&sentence, -EINVAL,
			"frequency_hz must be 1 to 1000, writer_timeout_ms 1 to 1000000, "
			"max_bound_ns at least 1, the step threshold 0 to 250000000, the "
			"record order a known one");
	if (why && why_size)
		why[0] = '\0';
	publisher = calloc(1, sizeof(*publisher));
	if (!publisher)
		return -ENOMEM;
	publisher->counter = *counter;
	r = module_add(publisher, config, owner, &sentence);
	if (r == 0)
		r = shm_add(publisher, config, owner, &sentence);
	if (r < 0) {
		publisher_close(publisher);
		return r;
	}
	*ret = publisher;
	return 0;
}

/* The next page from *index on that is this publisher's, or NULL. */
static struct backend *next_active(const struct publisher *publisher, unsigned int *index)
{
	while (*index < publisher->count) {
		struct backend *backend = publisher->backends[(*index)++];

		if (backend->role == PUBLISH_ACTIVE)
			return backend;
	}
	return NULL;
}

static struct backend *first_active(const struct publisher *publisher)
{
	unsigned int i = 0;

	return next_active(publisher, &i);
}

void publisher_sample(struct publisher *publisher)
{
	struct backend *backend;
	unsigned int i = 0;

	while ((backend = next_active(publisher, &i)))
		if (backend->ops->sample)
			backend->ops->sample(backend);
}

int publisher_publish(struct publisher *publisher, const struct correction *correction,
		      const struct publish_facts *facts)
{
	struct chronotick_clock previous;
	struct bound_terms terms;
	struct backend *backend;
	unsigned int i = 0;
	uint64_t published;
	int r, ret = 0;

	while ((backend = next_active(publisher, &i))) {
		backend->ops->line(backend, &previous, &terms);
		published = backend->tally->published;
		r = backend->ops->publish(backend, correction, facts);
		if (backend->tally->published != published)
			publish_probe_fire(&publisher->probes[i - 1], backend, &publisher->counter,
					   &previous, correction);
		if (ret == 0)
			ret = r;
	}
	return ret;
}

void publisher_invalidate(struct publisher *publisher)
{
	struct backend *backend;
	unsigned int i = 0;

	while ((backend = next_active(publisher, &i)))
		backend->ops->invalidate(backend);
}

int publisher_counter_set(struct publisher *publisher, const struct counter *counter, char *why,
			  unsigned int why_size)
{
	const struct segment_why sentence = {why, why_size};
	unsigned int i;
	int r, ret = 0;

	if (why && why_size)
		why[0] = '\0';
	/* The lines first, in all pages: they are what readers trust. */
	publisher_invalidate(publisher);
	publisher->counter = *counter;
	for (i = 0; i < publisher->count; i++) {
		struct backend *backend = publisher->backends[i];

		if (backend->role == PUBLISH_STANDBY)
			continue;
		r = backend->ops->counter_set(backend, counter, &sentence);
		if (ret == 0)
			ret = r;
	}
	return ret;
}

void publisher_apart_set(struct publisher *publisher, uint32_t apart)
{
	struct backend *backend;
	unsigned int i = 0;

	publisher->counter.apart = apart;
	while ((backend = next_active(publisher, &i)))
		backend->ops->apart_set(backend, apart);
}

void publisher_statistics(struct publisher *publisher,
			  const struct chronotick_statistics *statistics,
			  const struct chronotick_source *sources, unsigned int count)
{
	struct backend *backend;
	unsigned int i = 0;

	if (count > CHRONOTICK_SOURCES_MAX)
		count = CHRONOTICK_SOURCES_MAX;
	while ((backend = next_active(publisher, &i)))
		backend->ops->statistics(backend, statistics, sources, count);
}

void publisher_line(const struct publisher *publisher, struct chronotick_clock *ret,
		    struct bound_terms *terms)
{
	const struct backend *backend = first_active(publisher);

	memset(ret, 0, sizeof(*ret));
	memset(terms, 0, sizeof(*terms));
	if (backend)
		backend->ops->line(backend, ret, terms);
}

const struct chronotick_page *publisher_page(const struct publisher *publisher)
{
	const struct backend *backend = first_active(publisher);

	return backend ? backend->ops->page(backend) : NULL;
}

const char *publisher_path(const struct publisher *publisher)
{
	unsigned int i;

	for (i = 0; i < publisher->count; i++)
		if (publisher->backends[i]->role != PUBLISH_OUT)
			return publisher->backends[i]->path;
	return publisher->backends[0]->path;
}

bool publisher_waits(const struct publisher *publisher)
{
	unsigned int i;

	for (i = 0; i < publisher->count; i++)
		if (publisher->backends[i]->role == PUBLISH_STANDBY)
			return true;
	return false;
}

int publisher_standby_fd(const struct publisher *publisher)
{
	unsigned int i;

	for (i = 0; i < publisher->count; i++) {
		const struct backend *backend = publisher->backends[i];

		if (backend->role == PUBLISH_STANDBY && backend->ops->standby_fd)
			return backend->ops->standby_fd(backend);
	}
	return -1;
}

static int backend_keep(struct publisher *publisher, struct backend *backend,
			const struct segment_why *why)
{
	int32_t owner = 0;
	int r;

	switch (backend->role) {
	case PUBLISH_ACTIVE:
		return backend->ops->keep(backend, why);
	case PUBLISH_STANDBY:
		break;
	case PUBLISH_OUT:
		return 0;
	}
	if (publisher->stands_by)
		return 0;
	r = backend->ops->take(backend, &publisher->counter, &owner, why);
	publisher->stands_by = r == -EBUSY;
	if (r == 0)
		return segment_say(why, PUBLISHER_TAKEN, "%s: its writer has gone: taken over",
				   backend->path);
	return r == -EBUSY ? 0 : r;
}

/* Which of two results, of different pages, matters more? */
static int weight(int r)
{
	if (r == -EBUSY)
		return 4;
	if (r == PUBLISHER_TAKEN || r == PUBLISHER_RENEWED)
		return 3;
	if (r < 0)
		return 2;
	return r;
}

int publisher_keep(struct publisher *publisher, char *why, unsigned int why_size)
{
	const struct segment_why sentence = {why, why_size};
	char text[256];
	const struct segment_why here = {text, sizeof(text)};
	unsigned int i;
	int r, ret = 0;

	publisher->stands_by = false; /* until the first page says so */
	for (i = 0; i < publisher->count; i++) {
		text[0] = '\0';
		r = backend_keep(publisher, publisher->backends[i], &here);
		if (weight(r) <= weight(ret))
			continue;
		segment_say(&sentence, r, "%s", text);
		ret = r;
	}
	return ret;
}

unsigned int publisher_describe(const struct publisher *publisher,
				struct publish_view ret[PUBLISH_PAGES])
{
	unsigned int i;

	for (i = 0; i < publisher->count; i++) {
		const struct backend *backend = publisher->backends[i];

		ret[i] = (struct publish_view){
			.path = backend->path,
			.is_module = backend->ops == &module_ops,
			.role = backend->role,
			.published = backend->tally->published,
			.rebuilt = backend->tally->rebuilt,
		};
	}
	return publisher->count;
}

void publisher_close(struct publisher *publisher)
{
	unsigned int i;

	if (!publisher)
		return;
	for (i = 0; i < publisher->count; i++)
		publisher->backends[i]->ops->close(publisher->backends[i]);
	free(publisher);
}
