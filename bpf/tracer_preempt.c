/* SPDX-License-Identifier: MIT */
/* Threads that are switched out inside of a read. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "preempt.skel.h"
#include "tracer_private.h"

int tracer_preempt_open(struct tracer *tracer)
{
	struct preempt *preempt;
	int r;

	if (!tracer->options->preemption)
		return 0;
	preempt = preempt__open();
	if (!preempt)
		return -errno;
	tracer->preempt = preempt;
	tracer_scope_set(tracer, preempt);
	r = tracer_share_map(preempt->maps.readings, tracer->probes->maps.readings);
	if (r == 0)
		r = tracer_share_map(preempt->maps.preempted, tracer->probes->maps.preempted);
	if (r == 0)
		r = preempt__load(preempt);
	if (r == 0)
		r = preempt__attach(preempt);
	if (r == 0) {
		tracer->probes->bss->preempt_traced = 1;
		return 0;
	}
	fprintf(stderr,
		"chronotick-trace: --preemption: %s: it needs the kernel's own BTF "
		"(/sys/kernel/btf/vmlinux: CONFIG_DEBUG_INFO_BTF) and Linux 5.15; all else works "
		"without it\n",
		strerror(-r));
	return r;
}

void tracer_preempt_close(struct tracer *tracer)
{
	preempt__destroy(tracer->preempt);
	tracer->preempt = NULL;
}

void tracer_on_mapped(void *data, uint32_t pid, uint64_t begin, uint64_t end)
{
	struct tracer *tracer = data;
	int fd = bpf_map__fd(tracer->probes->maps.readings);
	struct reading reading = {0};
	unsigned int i;

	if (!tracer->options->preemption && !tracer->options->share)
		return;
	(void)bpf_map_lookup_elem(fd, &pid, &reading);
	for (i = 0; i < READING_RANGES && reading.ranges[i].end; i++)
		if (reading.ranges[i].begin == begin)
			return;
	if (i == READING_RANGES) {
		if (!reading.left_out && tracer->options->verbose)
			fprintf(stderr,
				"chronotick-trace: pid %u reads in more than %d places: not all "
				"are watched\n",
				pid, READING_RANGES);
		reading.left_out = 1;
	} else {
		reading.ranges[i].begin = begin;
		reading.ranges[i].end = end;
	}
	(void)bpf_map_update_elem(fd, &pid, &reading, BPF_ANY);
}
