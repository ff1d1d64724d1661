/* SPDX-License-Identifier: MIT */
/* Samples of where threads are, SHARE_HZ a second on each CPU. */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "share.skel.h"
#include "tracer_private.h"

/* On one CPU; -ENODEV where it is not there. */
static int cpu_attach(struct tracer *tracer, int cpu)
{
	struct perf_event_attr attributes = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attributes),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.freq = 1,
		.sample_freq = TRACER_SHARE_HZ,
	};
	struct bpf_link *link;
	int fd = (int)syscall(SYS_perf_event_open, &attributes, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		return -errno;
	link = bpf_program__attach_perf_event(tracer->share->progs.on_sample, fd);
	if (!link) {
		int r = -errno;

		close(fd);
		return r;
	}
	return tracer_link_keep(tracer, link);
}

int tracer_share_open(struct tracer *tracer)
{
	int cpus = libbpf_num_possible_cpus(), cpu, r;
	struct share *share;

	if (!tracer->options->share)
		return 0;
	share = share__open();
	if (!share)
		return -errno;
	tracer->share = share;
	tracer_scope_set(tracer, share);
	r = tracer_share_map(share->maps.readings, tracer->probes->maps.readings);
	if (r == 0)
		r = share__load(share);
	for (cpu = 0; r == 0 && cpu < cpus; cpu++) {
		r = cpu_attach(tracer, cpu);
		if (r == -ENODEV)
			r = 0;
	}
	if (r < 0)
		fprintf(stderr, "chronotick-trace: --share: %s\n", strerror(-r));
	return r;
}

void tracer_share_close(struct tracer *tracer)
{
	share__destroy(tracer->share);
	tracer->share = NULL;
}
