/* SPDX-License-Identifier: MIT */
#include "stages.h"

#include "base/probe.h"

void stages_sampled(struct stages *stages, const struct sample *sample,
		    const struct counter *counter)
{
	if (stages->arrived || !sample->arrived)
		return;
	stages->arrived = sample->arrived;
	stages->taken = counter_read(counter);
}

void stages_begin(struct stages *stages, const struct counter *counter)
{
	stages->begun = counter_read(counter);
}

void stages_published(struct stages *stages, const struct counter *counter)
{
	uint64_t receive, wait, publish;

	if (!stages->arrived)
		return;
	receive = (uint64_t)counter_to_ns(counter, stages->taken - stages->arrived);
	wait = (uint64_t)counter_to_ns(counter, stages->begun - stages->taken);
	publish = (uint64_t)counter_to_ns(counter, counter_read(counter) - stages->begun);
	stages->arrived = 0;
	PROBE3(stages, receive, wait, publish);
}
