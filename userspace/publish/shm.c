/* SPDX-License-Identifier: MIT */
#include "publish/shm.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "publish/record.h"
#include "publish/segment.h"
#include "publish/writer.h"
#include "timestamping/cross.h"

struct shm {
	struct backend backend;
	struct segment segment;
	struct publish_config config;
	char name[SEGMENT_NAME_SIZE + 1]; /* what config has of it */
	char path[SEGMENT_PATH_SIZE];
	struct counter counter;
	struct writer writer;
	struct record_rate rate;
	uint32_t touched; /* the page's changes when its file was touched */
};

static struct shm *shm_of(struct backend *backend)
{
	return (struct shm *)(void *)backend;
}

static const struct shm *shm_of_const(const struct backend *backend)
{
	return (const struct shm *)(const void *)backend;
}

static uint64_t shm_now(void *data)
{
	return counter_read(data);
}

#define store(where, value) __atomic_store_n((where), (value), __ATOMIC_RELAXED)

static void header_set(struct chronotick_header *header, const struct publish_config *config,
		       const struct counter *counter)
{
	store(&header->counter_hz, counter->hz);
	store(&header->frequency_hz, config->frequency_hz);
	store(&header->writer_timeout_ms, config->writer_timeout_ms);
	store(&header->max_bound_ns, (uint64_t)config->max_bound_ns);
	store(&header->writer_start, segment_process_start());
	store(&header->writer_pid, (uint32_t)getpid());
}

/*
 * For clients that poll: a descriptor can be had that watches a file for new times, none that
 * watches memory. If it fails they learn of the change with their time-out.
 */
static void file_touch(struct shm *shm)
{
	uint32_t changes = shm->segment.page->header.changes;

	if (changes == shm->touched)
		return;
	shm->touched = changes;
	futimens(shm->segment.fd, NULL);
}

/* Take over the segment's page with that counter. */
static void shm_begin(struct shm *shm, const struct counter *counter)
{
	struct line_config line_config;

	shm->counter = *counter;
	backend_line_config(&line_config, &shm->config, counter);
	header_set(&shm->segment.page->header, &shm->config, counter);
	writer_init(&shm->writer, shm->segment.page, &line_config, shm_now, &shm->counter);
	page_record_order_set(shm->segment.page, shm->config.record_order);
	file_touch(shm);
}

static int shm_take(struct backend *backend, const struct counter *counter, int32_t *owner,
		    const struct segment_why *why)
{
	struct shm *shm = shm_of(backend);
	int r;

	r = segment_open(&shm->segment, shm->name, counter->kind, owner, why->text, why->size);
	if (r < 0)
		return r;
	shm_begin(shm, counter);
	backend->role = PUBLISH_ACTIVE;
	return 0;
}

static void figures_set(struct shm *shm)
{
	tally_figures(&shm->writer.tally, &shm->counter, &shm->segment.page->statistics);
}

/* The record that goes with the line just published. */
static void record_publish(struct shm *shm, const struct correction *correction,
			   const struct publish_facts *facts)
{
	const struct writer *writer = &shm->writer;
	struct chronotick_record record;
	struct cross now;

	if (cross_read(&now, &shm->counter, CLOCK_REALTIME) < 0)
		return;
	record_rate_add(&shm->rate, &shm->counter, &now);
	record_build(&record, &(struct record_input){
				      .line = &writer->current,
				      .trusted = line_stands(&writer->current, now.counter),
				      .correction = correction,
				      .now = &now,
				      .rate = &shm->rate,
				      .facts = facts,
				      .corrections = writer->tally.corrections,
			      });
	page_record_write(shm->segment.page, &record);
}

static int shm_publish(struct backend *backend, const struct correction *correction,
		       const struct publish_facts *facts)
{
	struct shm *shm = shm_of(backend);
	struct chronotick_page *page = shm->segment.page;
	int r = writer_publish(&shm->writer, correction);

	store(&page->header.heartbeat, counter_read(&shm->counter));
	store(&page->statistics.warmup_percent, facts->warmup_percent);
	figures_set(shm);
	if (r == 0)
		record_publish(shm, correction, facts);
	file_touch(shm);
	return r == -EAGAIN ? 0 : r;
}

static void shm_statistics(struct backend *backend, const struct chronotick_statistics *statistics,
			   const struct chronotick_source *sources, unsigned int count)
{
	struct shm *shm = shm_of(backend);
	struct chronotick_page *page = shm->segment.page;
	const uint64_t *from;
	uint64_t *to;
	unsigned int i, words;

	if (count > CHRONOTICK_SOURCES_MAX)
		count = CHRONOTICK_SOURCES_MAX;
	from = (const uint64_t *)(const void *)sources;
	to = (uint64_t *)(void *)page->source;
	words = count * (sizeof(*sources) / sizeof(uint64_t));
	for (i = 0; i < words; i++)
		store(&to[i], from[i]);
	from = (const uint64_t *)(const void *)&statistics->read_measured_ns;
	to = (uint64_t *)(void *)&page->statistics.read_measured_ns;
	words = (sizeof(*statistics) - offsetof(struct chronotick_statistics, read_measured_ns)) /
		sizeof(uint64_t);
	for (i = 0; i < words; i++)
		store(&to[i], from[i]);
	store(&page->statistics.warmup_percent, statistics->warmup_percent);
	store(&page->statistics.source_count, count);
	figures_set(shm);
}

/* No flags and no confidence in a record that was written */
static void record_distrust(struct chronotick_page *page)
{
	struct chronotick_record record = page->record_shadow;

	if (!record.sequence_number)
		return;
	record.flags = 0;
	record.confidence = 0;
	page_record_write(page, &record);
}

static void shm_invalidate(struct backend *backend)
{
	struct shm *shm = shm_of(backend);

	/* The lines first: they are what readers trust. */
	writer_invalidate(&shm->writer);
	record_distrust(shm->segment.page);
	file_touch(shm);
	memset(&shm->rate, 0, sizeof(shm->rate));
}

static int shm_counter_set(struct backend *backend, const struct counter *counter,
			   const struct segment_why *why)
{
	struct shm *shm = shm_of(backend);
	const struct writer old = shm->writer;
	struct writer *writer = &shm->writer;
	int r;

	if (counter->kind != shm->counter.kind) {
		r = segment_replace(&shm->segment, counter->kind, why->text, why->size);
		if (r < 0)
			return r;
	}
	shm_begin(shm, counter);
	/* Figures since the start; those in counts begin anew. */
	writer->tally.published = old.tally.published;
	writer->tally.corrections = old.tally.corrections;
	writer->tally.rebuilt = old.tally.rebuilt;
	return 0;
}

static void shm_apart_set(struct backend *backend, uint32_t apart)
{
	struct shm *shm = shm_of(backend);

	shm->counter.apart = apart;
	shm->writer.config.step_ns = backend_step_ns(&shm->counter);
}

static void shm_line(const struct backend *backend, struct chronotick_clock *ret,
		     struct bound_terms *terms)
{
	const struct shm *shm = shm_of_const(backend);

	*ret = shm->writer.current;
	*terms = shm->writer.terms;
}

static const struct chronotick_page *shm_page(const struct backend *backend)
{
	const struct shm *shm = shm_of_const(backend);

	return shm->segment.page;
}

/*
 * For those who have the page: nobody will write it any more, a line that stands still holds. One
 * that does not stand is told of too: who waits for a first one waits in vain.
 */
static void sign_off(struct writer *writer, int fd)
{
	struct chronotick_page *page = writer->page;

	/* Before the change: who is woken by it looks for a writer. */
	store(&page->header.writer_pid, 0);
	record_distrust(page);
	writer_status_set(writer, CHRONOTICK_WRITER_GONE);
	futimens(fd, NULL);
}

/* A new page goes on with the line of the one before. */
static void page_fill(void *data, struct chronotick_page *page)
{
	struct shm *shm = data;

	header_set(&page->header, &shm->config, &shm->counter);
	page_record_order_set(page, shm->config.record_order);
	writer_move(&shm->writer, page);
	store(&page->header.heartbeat, counter_read(&shm->counter));
}

static int shm_keep(struct backend *backend, const struct segment_why *why)
{
	struct shm *shm = shm_of(backend);
	const struct segment_fill fill = {page_fill, shm};
	struct writer before = shm->writer;
	struct segment old;
	int r = segment_keep(&shm->segment, why->text, why->size);

	if (r != -ESTALE)
		return r;
	r = segment_renew(&shm->segment, before.generation + 1, &fill, &old, why->text, why->size);
	if (r < 0) {
		shm->writer = before;
		return r;
	}
	/* Last, so that who learns of it finds the new one. */
	sign_off(&before, old.fd);
	segment_forget(&old);
	file_touch(shm);
	return segment_say(why, PUBLISHER_RENEWED,
			   "%s: was removed, with its hidden link: clients find a new page",
			   shm->path);
}

static void shm_close(struct backend *backend)
{
	struct shm *shm = shm_of(backend);

	if (backend->role == PUBLISH_ACTIVE) {
		sign_off(&shm->writer, shm->segment.fd);
		segment_close(&shm->segment);
	}
	free(shm);
}

static const struct backend_ops shm_ops = {
	.take = shm_take,
	.publish = shm_publish,
	.invalidate = shm_invalidate,
	.counter_set = shm_counter_set,
	.apart_set = shm_apart_set,
	.statistics = shm_statistics,
	.line = shm_line,
	.page = shm_page,
	.keep = shm_keep,
	.close = shm_close,
};

int shm_new(struct backend **ret, const struct publish_config *config,
	    const struct segment_why *why)
{
	struct segment_paths paths;
	struct shm *shm;
	int r;

	r = segment_paths_set(&paths, config->shm_name, why);
	if (r < 0)
		return r;
	shm = calloc(1, sizeof(*shm));
	if (!shm)
		return -ENOMEM;
	shm->config = *config;
	snprintf(shm->name, sizeof(shm->name), "%s", config->shm_name);
	snprintf(shm->path, sizeof(shm->path), "%s", paths.page);
	shm->backend = (struct backend){&shm_ops, PUBLISH_STANDBY, shm->path, &shm->writer.tally};
	*ret = &shm->backend;
	return 0;
}
