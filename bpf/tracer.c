/* SPDX-License-Identifier: MIT */
#include "tracer.h"

#include <bpf/bpf.h>
#include <chronotick/chronotick.h>
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "environment.h"
#include "pins.h"
#include "tracer_private.h"

/* libbpf has one place to print to in a process. */
static bool verbose;
static char complaint[512]; /* what it said last, with '\n', or empty */

static int print(enum libbpf_print_level level, const char *format, va_list arguments)
{
	if (verbose)
		return vfprintf(stderr, format, arguments);
	if (level == LIBBPF_WARN)
		vsnprintf(complaint, sizeof(complaint), format, arguments);
	return 0;
}

int tracer_share_map(struct bpf_map *map, const struct bpf_map *shared)
{
	return bpf_map__reuse_fd(map, bpf_map__fd(shared));
}

double tracer_now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

int tracer_link_keep(struct tracer *tracer, struct bpf_link *link)
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
		if (tracer_link_keep(tracer, link) == 0)
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

#define PID_NAMESPACE_FIRST 0xEFFFFFFCU /* its inode, as in every kernel since 3.8 */

/* /proc, --pid and names are those of the namespace that this process is in: counted is in it, too. */
static void pid_namespace_find(struct tracer *tracer)
{
	struct stat status;

	if (stat("/proc/self/ns/pid", &status) < 0 || status.st_ino == PID_NAMESPACE_FIRST)
		return;
	tracer->pid_namespace_inode = status.st_ino;
	tracer->pid_namespace_device = (uint64_t)major(status.st_dev) << 20 | minor(status.st_dev);
}

/* A process's number: a thread's has a directory there, too, but counted are processes. */
static int pid_check(uint32_t pid)
{
	char path[32], line[128];
	unsigned int process = 0;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	status = fopen(path, "re");
	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "Tgid: %u", &process) == 1)
			break;
	if (status)
		fclose(status);
	if (process == pid)
		return 0;
	if (process)
		fprintf(stderr, "chronotick-trace: --pid: %u is a thread of process %u\n", pid,
			process);
	else
		fprintf(stderr, "chronotick-trace: --pid: there is no process %u\n", pid);
	return -ESRCH;
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
	if (tracer->options->pid && pid_check(tracer->options->pid) < 0)
		return -ESRCH;
	tracer->probes = probes__open();
	if (!tracer->probes)
		return -errno;
	tracer_scope_set(tracer, tracer->probes);
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

	r = binaries_new(&tracer->binaries, tracer->options->pid, on_found, tracer_on_mapped,
			 tracer);
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
	tracer->pins = -1;
	pid_namespace_find(tracer);
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
	r = tracer_preempt_open(tracer);
	if (r == 0)
		r = tracer_share_open(tracer);
	if (r < 0)
		goto fail;
	r = binaries_attach(tracer);
	if (r < 0)
		goto fail;
	if (options->pin) {
		tracer->pins = r = pins_make(tracer->probes->obj, options->pin);
		if (r < 0)
			goto fail;
	}
	tracer->begun_s = tracer_now_s();
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
	if (tracer->pins >= 0)
		pins_remove(tracer->probes->obj, tracer->options->pin, tracer->pins);
	while (tracer->link_count > 0)
		bpf_link__destroy(tracer->links[--tracer->link_count]);
	free(tracer->links);
	binaries_free(tracer->binaries);
	tracer_module_close(tracer);
	tracer_preempt_close(tracer);
	tracer_share_close(tracer);
	ring_buffer__free(tracer->ring);
	probes__destroy(tracer->probes);
	free(tracer);
}

int tracer_wait(struct tracer *tracer, int timeout_ms)
{
	int r = poll(NULL, 0, timeout_ms) < 0 ? -errno : 0;

	(void)ring_buffer__consume(tracer->ring);
	return r;
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
