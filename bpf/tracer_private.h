/* SPDX-License-Identifier: MIT */
/* What the files of the tracer share. */
#ifndef BPF_TRACER_PRIVATE_H
#define BPF_TRACER_PRIVATE_H

#include <bpf/libbpf.h>

#include "binaries.h"
#include "probes.skel.h"
#include "tracer.h"

struct module;
struct preempt;
struct share;

struct tracer {
	const struct options *options;
	tracer_noticed noticed;
	void *data;
	struct probes *probes;
	struct module *module;   /* the kernel module's tracepoints, or NULL */
	bool module_failed;      /* told of, and not tried again */
	struct preempt *preempt; /* context switches, or NULL */
	struct share *share;     /* samples, or NULL */
	struct ring_buffer *ring;
	struct binaries *binaries;
	struct bpf_link **links;
	size_t link_count, link_room;
	unsigned int traced; /* files */
	int refused;         /* why the latest probe could not be attached, or 0 */
	int pins;            /* pins_make()'s, or -1 */
	double begun_s;
	/* In whose numbers processes are told, as the kernel has it; 0: the first one */
	uint64_t pid_namespace_device, pid_namespace_inode;
};

/* Whom a program counts; goes into each object before it is loaded. */
#define tracer_scope_set(tracer, object)                                                           \
	do {                                                                                       \
		(object)->rodata->only_pid = (tracer)->options->pid;                               \
		(object)->rodata->pid_namespace_device = (tracer)->pid_namespace_device;           \
		(object)->rodata->pid_namespace_inode = (tracer)->pid_namespace_inode;             \
	} while (0)

/* Let an object's map be the one of that name in `probes`. Returns 0 or a negative errno. */
int tracer_share_map(struct bpf_map *map, const struct bpf_map *shared);

/* tracer_module.c: attach to the module's tracepoints, where it is loaded and has been asked for. */
void tracer_module_try(struct tracer *tracer);
void tracer_module_close(struct tracer *tracer);

/* tracer_preempt.c: watch context switches, if that was asked for. Returns 0 or a negative errno. */
int tracer_preempt_open(struct tracer *tracer);
void tracer_preempt_close(struct tracer *tracer);

/* Keep the link until the end; on error it is destroyed. Returns 0 or -ENOMEM. */
int tracer_link_keep(struct tracer *tracer, struct bpf_link *link);

/* tracer_share.c: sample where threads are, if that was asked for. Returns 0 or a negative errno. */
int tracer_share_open(struct tracer *tracer);
void tracer_share_close(struct tracer *tracer);

/* A binaries_mapped: that process reads the page there. */
void tracer_on_mapped(void *data, uint32_t pid, uint64_t begin, uint64_t end);

#endif /* BPF_TRACER_PRIVATE_H */
