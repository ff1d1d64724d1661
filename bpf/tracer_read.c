/* SPDX-License-Identifier: MIT */
/* The maps as they are, into a snapshot. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "module.skel.h"
#include "tracer_private.h"

/* Call `take` for each entry of a map. Entries are only ever added. */
static int map_walk(const struct bpf_map *map, void *key, void *value,
		    int (*take)(struct snapshot *snapshot, const void *key, const void *value),
		    struct snapshot *snapshot)
{
	int fd = bpf_map__fd(map), r = 0;
	void *before = NULL;

	while (r == 0 && bpf_map_get_next_key(fd, before, key) == 0) {
		before = key;
		if (bpf_map_lookup_elem(fd, key, value) == 0)
			r = take(snapshot, key, value);
	}
	return r;
}

static int torn_take(struct snapshot *snapshot, const void *key, const void *value)
{
	struct process *process = snapshot_process(snapshot, *(const uint32_t *)key);

	if (!process)
		return -ENOMEM;
	process->has_torn = true;
	process->torn = *(const struct torn *)value;
	memcpy(process->name, process->torn.comm, sizeof(process->name));
	return 0;
}

static int writer_take(struct snapshot *snapshot, const void *key, const void *value)
{
	const struct writer_key *writer = key;
	struct process *process = snapshot_process(snapshot, writer->pid);

	if (!process)
		return -ENOMEM;
	if ((unsigned int)writer->page >= WRITER_PAGES)
		return 0;
	process->has_writer[writer->page] = true;
	process->writer[writer->page] = *(const struct writer *)value;
	process->overdue[writer->page] = snapshot_overdue(value, (uint64_t)(tracer_now_s() * 1e9));
	memcpy(process->name, process->writer[writer->page].comm, sizeof(process->name));
	return 0;
}

static int latency_take(struct snapshot *snapshot, const void *key, const void *value)
{
	struct process *process = snapshot_process(snapshot, *(const uint32_t *)key);

	if (!process)
		return -ENOMEM;
	process->has_latency = true;
	process->latency = *(const struct latency *)value;
	memcpy(process->name, process->latency.comm, sizeof(process->name));
	return 0;
}

static int reading_take(struct snapshot *snapshot, const void *key, const void *value)
{
	struct process *process;

	if (!((const struct reading *)value)->samples)
		return 0;
	process = snapshot_process(snapshot, *(const uint32_t *)key);
	if (!process)
		return -ENOMEM;
	process->has_reading = true;
	process->reading = *(const struct reading *)value;
	return 0;
}

static int bucket_take(struct snapshot *snapshot, const void *key, const void *value)
{
	const struct bucket *bucket = key;
	struct process *process = snapshot_process(snapshot, bucket->pid);

	if (!process)
		return -ENOMEM;
	if ((unsigned int)bucket->quantity >= QUANTITIES)
		return 0;
	return distribution_add(&process->distributions[bucket->quantity], bucket->at_least,
				*(const uint64_t *)value);
}

int tracer_snapshot(const struct tracer *tracer, struct snapshot *ret)
{
	const struct probes *probes = tracer->probes;
	struct writer_key writer_key;
	struct bucket bucket;
	struct writer writer;
	struct reading reading;
	struct latency latency;
	struct torn torn;
	uint64_t count;
	uint32_t pid;
	int r;

	*ret = (struct snapshot){
		.seconds = tracer_now_s() - tracer->begun_s,
		.binaries = tracer->traced,
		.left_out = probes->bss->left_out,
		.notices_lost = probes->bss->notices_lost +
				(tracer->module ? tracer->module->bss->notices_lost : 0),
	};
	r = map_walk(probes->maps.torn, &pid, &torn, torn_take, ret);
	if (r == 0)
		r = map_walk(probes->maps.readings, &pid, &reading, reading_take, ret);
	if (r == 0)
		r = map_walk(probes->maps.latency, &pid, &latency, latency_take, ret);
	if (r == 0)
		r = map_walk(probes->maps.writer, &writer_key, &writer, writer_take, ret);
	if (r == 0)
		r = map_walk(probes->maps.histogram, &bucket, &count, bucket_take, ret);
	if (r < 0) {
		snapshot_clear(ret);
		return r;
	}
	snapshot_finish(ret);
	return 0;
}
