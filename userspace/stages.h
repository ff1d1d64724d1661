/* SPDX-License-Identifier: MIT */
/*
 * How long it takes from a packet's arrival until what it told is in the page, for tracers. After a
 * publication that a new sample is in, this probe fires, times in ns:
 *
 *	chronotick:stages(receive, wait, publish)
 *
 * receive: packet in, as the kernel stamped it, until the engine has its sample; wait: from there
 * until the publication began; publish: from there until the page was out. Of several samples
 * between two publications the first is told of, which waited longest.
 */
#ifndef USERSPACE_STAGES_H
#define USERSPACE_STAGES_H

#include <stdint.h>

#include "engine/sample.h"
#include "timestamping/counter.h"

struct stages {
	uint64_t arrived; /* counter values; 0: no sample is waiting */
	uint64_t taken;
	uint64_t begun;
};

/* A sample is in the engine. */
void stages_sampled(struct stages *stages, const struct sample *sample,
		    const struct counter *counter);

/* A publication begins; it was published. */
void stages_begin(struct stages *stages, const struct counter *counter);
void stages_published(struct stages *stages, const struct counter *counter);

#endif /* USERSPACE_STAGES_H */
