/* SPDX-License-Identifier: MIT */
#include "tracer.h"

#include <bpf/bpf.h>
#include <chronotick/chronotick.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "environment.h"
#include "tracer_private.h"

/* libbpf has one place to print to in a process. */
static bool verbose;
static char complaint[512];

static int print(enum libbpf_print_level level, const char *format, va_list arguments)
{
	if (verbose)
		return vfprintf(stderr, format, arguments);
	if (level == LIBBPF_WARN)
		vsnprintf(complaint, sizeof(complaint), format, arguments);
	return 0;
}

const char *tracer_complaint(void)
{
	return complaint;
}

int tracer_share_map(struct bpf_map *map, const struct bpf_map *shared)
{
	return bpf_map__reuse_fd(map, bpf_map__fd(shared));
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int link_keep(struct tracer *tracer, struct bpf_link *link)
{
	if (tracer->link_count == tracer->link_room) {
		size_t room = tracer->link_room ? tracer->link_room * 2 : 16;
		struct bpf_link **more = realloc(tracer->links, room * sizeof(struct bpf_link *));

		if (!more) {
			bpf_link__destroy(link);
			return -ENOMEM;
		}
		tracer->links = more;
		tracer->link_room = room;
	}
	tracer->links[tracer->link_count++] = link;
	return 0;
}

/* The program behind a probe; NULL: nobody has asked for it. */
static struct bpf_program *program_of(const struct tracer *tracer, enum notes_probe probe)
{
	const struct {
		unsigned int what;
		struct bpf_program *program;
	} table[NOTES_PROBES] = {
		[NOTES_TORN] = {TRACE_TORN, tracer->probes->progs.on_torn},
		[NOTES_PUBLISHED] = {TRACE_WRITER, tracer->probes->progs.on_published},
		[NOTES_CANARY] = {TRACE_LATENCY, tracer->probes->progs.on_canary},
		[NOTES_STAGES] = {TRACE_WRITER, tracer->probes->progs.on_stages},
	};

	return tracer->options->what & table[probe].what ? table[probe].program : NULL;
}

static void on_found(void *data, const char *path, const char *name, const struct notes *notes)
{
	struct tracer *tracer = data;
	unsigned int i, attached = 0;

	for (i = 0; i < NOTES_PROBES; i++) {
		struct bpf_program *program = program_of(tracer, (enum notes_probe)i);
		struct bpf_link *link;

		if (!program || !(notes->probes >> i & 1))
			continue;
		/*
		 * In all processes: what is not wanted the program passes over. A probe that is
		 * told a process is in its first thread alone on some kernels.
		 */
		link = bpf_program__attach_usdt(program, -1, path, "chronotick",
						notes_probe_name((enum notes_probe)i), NULL);
		if (!link) {
			tracer->refused = -errno;
			fprintf(stderr, "chronotick-trace: %s: probe %s: %s%s\n", name,
				notes_probe_name((enum notes_probe)i), strerror(errno),
				errno == EACCES || errno == EPERM
					? ": the kernel asks for CAP_SYS_ADMIN to put it there"
					: "");
			continue;
		}
		if (link_keep(tracer, link) == 0)
			attached++;
	}
	if (attached && tracer->options->verbose)
		fprintf(stderr, "chronotick-trace: %s: %u probe%s\n", name, attached,
			attached == 1 ? "" : "s");
	tracer->traced += attached > 0;
}

static int on_notice(void *data, void *record, size_t size)
{
	const struct tracer *tracer = data;

	if (size >= sizeof(struct notice) && tracer->noticed)
		tracer->noticed(tracer->data, record);
	return 0;
}

static int probes_load(struct tracer *tracer)
{
	struct environment environment;
	char obstacle[512];
	int r;

	environment_read(&environment);
	environment_obstacle(&environment, obstacle, sizeof(obstacle));
	if (*obstacle) {
		fprintf(stderr, "chronotick-trace: %s", obstacle);
		return -EPERM;
	}
	if (!environment.cap_ptrace && !tracer->options->pid)
		fprintf(stderr,
			"chronotick-trace: without CAP_SYS_PTRACE other users' programs are "
			"not looked into: name them with --binary\n");
	tracer->probes = probes__open();
	if (!tracer->probes)
		return -errno;
	tracer->probes->rodata->only_pid = tracer->options->pid;
	r = probes__load(tracer->probes);
	if (r < 0)
		fprintf(stderr, "chronotick-trace: the kernel does not take the programs: %s; %s",
			strerror(-r), *complaint ? complaint : "--verbose says more\n");
	return r;
}

static int binaries_attach(struct tracer *tracer)
{
	Dl_info library;
	size_t i;
	int r;

	r = binaries_new(&tracer->binaries, tracer->options->pid, on_found, tracer);
	if (r < 0)
		return r;
	for (i = 0; i < tracer->options->binary_count; i++) {
		const char *path = tracer->options->binaries[i];

		r = binaries_add(tracer->binaries, path);
		if (r < 0) {
			fprintf(stderr, "chronotick-trace: %s: %s\n", path,
				r == -ENODATA   ? "has none of our probes in it"
				: r == -ENOEXEC ? "is no ELF file of 64 bits"
						: strerror(-r));
			return r;
		}
	}
	/* Those that are installed, for what is started later; they need not be there. */
	if (!tracer->options->pid) {
		if (dladdr((const void *)chronotick_strerror, &library))
			(void)binaries_add(tracer->binaries, library.dli_fname);
		(void)binaries_add(tracer->binaries, CHRONOTICKD_PATH);
	}
	binaries_scan(tracer->binaries);
	tracer_module_try(tracer);
	return tracer->traced || tracer->module ? 0 : tracer->refused;
}

int tracer_open(struct tracer **ret, const struct options *options, tracer_noticed noticed,
		void *data)
{
	struct tracer *tracer = calloc(1, sizeof(*tracer));
	int r;

	if (!tracer)
		return -ENOMEM;
	tracer->options = options;
	tracer->noticed = noticed;
	tracer->data = data;
	verbose = options->verbose;
	libbpf_set_print(print);
	r = probes_load(tracer);
	if (r < 0)
		goto fail;
	tracer->ring = ring_buffer__new(bpf_map__fd(tracer->probes->maps.notices), on_notice,
					tracer, NULL);
	if (!tracer->ring) {
		r = -errno;
		goto fail;
	}
	r = binaries_attach(tracer);
	if (r < 0)
		goto fail;
	tracer->begun_s = now_s();
	*ret = tracer;
	return 0;

fail:
	tracer_close(tracer);
	return r;
}

void tracer_close(struct tracer *tracer)
{
	if (!tracer)
		return;
	while (tracer->link_count > 0)
		bpf_link__destroy(tracer->links[--tracer->link_count]);
	free(tracer->links);
	binaries_free(tracer->binaries);
	tracer_module_close(tracer);
	ring_buffer__free(tracer->ring);
	probes__destroy(tracer->probes);
	free(tracer);
}

int tracer_wait(struct tracer *tracer, int timeout_ms)
{
	int r = ring_buffer__poll(tracer->ring, timeout_ms);

	return r == -EINTR ? r : 0;
}

void tracer_tick(struct tracer *tracer)
{
	binaries_scan(tracer->binaries);
	tracer_module_try(tracer);
}

unsigned int tracer_binaries(const struct tracer *tracer)
{
	return tracer->traced;
}

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
	struct latency latency;
	struct torn torn;
	uint64_t count;
	uint32_t pid;
	int r;

	*ret = (struct snapshot){
		.seconds = now_s() - tracer->begun_s,
		.binaries = tracer->traced,
		.left_out = probes->bss->left_out,
	};
	r = map_walk(probes->maps.torn, &pid, &torn, torn_take, ret);
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
