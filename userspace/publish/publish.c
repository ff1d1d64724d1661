/* SPDX-License-Identifier: MIT */
#include "publish/publish.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "publish/line.h"
#include "publish/record.h"
#include "publish/segment.h"
#include "publish/writer.h"
#include "timestamping/cross.h"

#define LEAD_NS 50000     /* unordered reads may take the counter that early */
#define EARLY_NS 1000     /* a rising slope joins that much before the counter sample */
#define WINDOW_NS 400000  /* a falling one that much after it, at first */
#define SETTLE_PERIODS 16 /* a slew's time constant, in publications, between the two limits: */
#define SETTLE_MIN_NS 100000000
#define SETTLE_MAX_NS 1000000000

struct publisher {
	struct segment segment;
	struct publish_config config;
	struct counter counter;
	struct writer writer;
	struct record_rate rate;
	uint32_t touched; /* the page's changes when its file was touched */
};

static uint64_t publisher_now(void *data)
{
	return counter_read(data);
}

/* How far a reader's counter value may lie beside its instant, in the unit of a bound */
static uint32_t step_ns(const struct counter *counter)
{
	int64_t ns = counter_to_ns(counter, (uint64_t)counter->step + counter->apart);

	return ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
}

static void line_config_set(struct line_config *ret, const struct publish_config *config,
			    const struct counter *counter)
{
	uint64_t period_ns = 1000000000U / config->frequency_hz;
	uint64_t settle_ns = SETTLE_PERIODS * period_ns;

	if (settle_ns < SETTLE_MIN_NS)
		settle_ns = SETTLE_MIN_NS;
	if (settle_ns > SETTLE_MAX_NS)
		settle_ns = SETTLE_MAX_NS;
	*ret = (struct line_config){
		.mult = counter->mult,
		.lead = counter_from_ns(counter, LEAD_NS),
		.early = counter_from_ns(counter, EARLY_NS),
		.window = counter_from_ns(counter, WINDOW_NS),
		.span = counter_from_ns(counter, config->writer_timeout_ms * 1000000ULL),
		.period = counter_from_ns(counter, period_ns),
		.settle = counter_from_ns(counter, settle_ns),
		.max_slew_ppb = config->max_slew_ppb,
		.max_fall_ppb = LINE_FALL_PPB,
		.step_ns = step_ns(counter),
		.max_bound_ns = config->max_bound_ns,
		.step_threshold_ns = config->step_threshold_ns,
	};
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
static void file_touch(struct publisher *publisher)
{
	uint32_t changes = publisher->segment.page->header.changes;

	if (changes == publisher->touched)
		return;
	publisher->touched = changes;
	futimens(publisher->segment.fd, NULL);
}

/* Take over the segment's page with that counter. */
static void publisher_begin(struct publisher *publisher, const struct counter *counter)
{
	struct line_config line_config;

	publisher->counter = *counter;
	line_config_set(&line_config, &publisher->config, counter);
	header_set(&publisher->segment.page->header, &publisher->config, counter);
	writer_init(&publisher->writer, publisher->segment.page, &line_config, publisher_now,
		    &publisher->counter);
	page_record_order_set(publisher->segment.page, publisher->config.record_order);
	file_touch(publisher);
}

int publisher_open(struct publisher **ret, const struct publish_config *config,
		   const struct counter *counter, int32_t *owner, char *why, unsigned int why_size)
{
	struct publisher *publisher;
	int r;

	if (config->frequency_hz < 1 || config->frequency_hz > 1000 || config->max_bound_ns < 1 ||
	    config->writer_timeout_ms < 1 ||
	    config->writer_timeout_ms > CHRONOTICK_GROWTH_NS / 1000000 ||
	    config->step_threshold_ns < 0 ||
	    config->step_threshold_ns > PUBLISH_STEP_THRESHOLD_MAX_NS ||
	    config->record_order > CHRONOTICK_ORDER_PYTHON) {
		if (why && why_size)
			snprintf(why, why_size,
				 "frequency_hz must be 1 to 1000, writer_timeout_ms 1 to 1000000, "
				 "max_bound_ns at least 1, the step threshold 0 to 250000000, the "
				 "record order a known one");
		return -EINVAL;
	}
	publisher = calloc(1, sizeof(*publisher));
	if (!publisher)
		return -ENOMEM;
	r = segment_open(&publisher->segment, config->shm_name, counter->kind, owner, why,
			 why_size);
	if (r < 0) {
		free(publisher);
		return r;
	}
	publisher->config = *config;
	publisher_begin(publisher, counter);
	*ret = publisher;
	return 0;
}

static uint64_t nanoseconds(const struct publisher *publisher, uint64_t counts)
{
	return (uint64_t)counter_to_ns(&publisher->counter, counts);
}

static void figures_set(struct publisher *publisher)
{
	struct chronotick_statistics *figures = &publisher->segment.page->statistics;
	const struct writer *writer = &publisher->writer;
	uint64_t mean = writer->published ? writer->sum_counts / writer->published : 0;

	store(&figures->publish_count, writer->published);
	store(&figures->publish_rebuilt, writer->rebuilt);
	store(&figures->publish_last_ns, nanoseconds(publisher, writer->last_counts));
	store(&figures->publish_mean_ns, nanoseconds(publisher, mean));
	store(&figures->publish_max_ns, nanoseconds(publisher, writer->max_counts));
}

/* The record that goes with the line just published. */
static void record_publish(struct publisher *publisher, const struct correction *correction,
			   const struct publish_facts *facts)
{
	const struct writer *writer = &publisher->writer;
	struct chronotick_record record;
	struct cross now;

	if (cross_read(&now, &publisher->counter, CLOCK_REALTIME) < 0)
		return;
	record_rate_add(&publisher->rate, &publisher->counter, &now);
	record_build(&record, &(struct record_input){
				      .line = &writer->current,
				      .trusted = line_stands(&writer->current, now.counter),
				      .correction = correction,
				      .now = &now,
				      .rate = &publisher->rate,
				      .facts = facts,
				      .corrections = writer->corrections,
			      });
	page_record_write(publisher->segment.page, &record);
}

int publisher_publish(struct publisher *publisher, const struct correction *correction,
		      const struct publish_facts *facts)
{
	struct chronotick_page *page = publisher->segment.page;
	int r = writer_publish(&publisher->writer, correction);

	store(&page->header.heartbeat, counter_read(&publisher->counter));
	store(&page->statistics.warmup_percent, facts->warmup_percent);
	figures_set(publisher);
	if (r == 0)
		record_publish(publisher, correction, facts);
	file_touch(publisher);
	return r == -EAGAIN ? 0 : r;
}

void publisher_statistics(struct publisher *publisher,
			  const struct chronotick_statistics *statistics,
			  const struct chronotick_source *sources, unsigned int count)
{
	struct chronotick_page *page = publisher->segment.page;
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
	figures_set(publisher);
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

void publisher_invalidate(struct publisher *publisher)
{
	/* The lines first: they are what readers trust. */
	writer_invalidate(&publisher->writer);
	record_distrust(publisher->segment.page);
	file_touch(publisher);
	memset(&publisher->rate, 0, sizeof(publisher->rate));
}

int publisher_counter_set(struct publisher *publisher, const struct counter *counter, char *why,
			  unsigned int why_size)
{
	const struct writer old = publisher->writer;
	struct writer *writer = &publisher->writer;
	int r;

	publisher_invalidate(publisher);
	if (counter->kind != publisher->counter.kind) {
		r = segment_replace(&publisher->segment, counter->kind, why, why_size);
		if (r < 0)
			return r;
	}
	publisher_begin(publisher, counter);
	/* Figures since the start; those in counts begin anew. */
	writer->published = old.published;
	writer->corrections = old.corrections;
	writer->rebuilt = old.rebuilt;
	return 0;
}

void publisher_apart_set(struct publisher *publisher, uint32_t apart)
{
	publisher->counter.apart = apart;
	publisher->writer.config.step_ns = step_ns(&publisher->counter);
}

void publisher_line(const struct publisher *publisher, struct chronotick_clock *ret,
		    struct bound_terms *terms)
{
	*ret = publisher->writer.current;
	*terms = publisher->writer.terms;
}

const struct chronotick_page *publisher_page(const struct publisher *publisher)
{
	return publisher->segment.page;
}

/*
 * For those who have the page: nobody will write it any more, a line that stands still holds. One
 * that does not stand is told of too: who waits for a first one waits in vain.
 */
static void sign_off(struct publisher *publisher)
{
	struct chronotick_page *page = publisher->segment.page;

	/* Before the change: who is woken by it looks for a writer. */
	store(&page->header.writer_pid, 0);
	record_distrust(page);
	writer_status_set(&publisher->writer, CHRONOTICK_WRITER_GONE);
	file_touch(publisher);
}

static enum chronotick_status status_of(const struct chronotick_clock *line)
{
	return (enum chronotick_status)(CHRONOTICK_STATE_STATUS(line->state) &
					CHRONOTICK_STATUS_MASK);
}

int publisher_keep(struct publisher *publisher, char *why, unsigned int why_size)
{
	struct chronotick_page *page;
	struct chronotick_clock current;
	int r = segment_keep(&publisher->segment, why, why_size);

	if (r != -ESTALE)
		return r;
	current = publisher->writer.current;
	sign_off(publisher);
	r = segment_renew(&publisher->segment, publisher->writer.generation + 1, why, why_size);
	page = publisher->segment.page;
	header_set(&page->header, &publisher->config, &publisher->counter);
	if (r < 0) {
		/* The old page goes on where there can be no new one. */
		writer_status_set(&publisher->writer, status_of(&current));
		file_touch(publisher);
		return r;
	}
	publisher->writer.current = current;
	page_record_order_set(page, publisher->config.record_order);
	writer_move(&publisher->writer, page);
	file_touch(publisher);
	store(&page->header.heartbeat, counter_read(&publisher->counter));
	if (why && why_size)
		snprintf(why, why_size,
			 "%s: was removed, with its hidden link: clients find a new page",
			 publisher->segment.paths.page);
	return PUBLISHER_RENEWED;
}

void publisher_close(struct publisher *publisher)
{
	if (!publisher)
		return;
	sign_off(publisher);
	segment_close(&publisher->segment);
	free(publisher);
}
